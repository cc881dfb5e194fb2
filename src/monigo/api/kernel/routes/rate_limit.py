"""Refuses requests above a key's rate limit, and reports what is left of it.

The headers are those of draft-ietf-httpapi-ratelimit-headers.
"""

from collections.abc import Awaitable, Callable

from starlette.responses import Response

from monigo.api.kernel.http.errors import error_response
from monigo.bootstrap import Services
from monigo.core.errors import DomainError, ErrorKind
from monigo.core.rate import Taken
from monigo.tenancy import KeyReference


async def limited(
    services: Services, caller: KeyReference, respond: Callable[[], Awaitable[Response]]
) -> Response:
    """The answer to a caller, or 429 when its key asks more often than its organisation allows."""
    taken = services.limits.admit(caller)
    if taken is None:
        return await respond()
    response = await respond() if taken.is_admitted else error_response(_exceeded(taken))
    response.headers["RateLimit-Policy"] = f'"default";q={taken.per_second};w=1'
    response.headers["RateLimit"] = f'"default";r={taken.remaining};t={taken.wait_seconds}'
    return response


def _exceeded(taken: Taken) -> DomainError:
    return DomainError(
        ErrorKind.RATE_LIMITED,
        "rate_limited",
        "rate limit exceeded",
        retry_after_seconds=taken.wait_seconds,
    )

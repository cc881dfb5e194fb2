"""Raw routes: bare ASGI around the framework's layers, with the same answers to every failure."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from monigo.api.kernel.http.errors import error_response, failure_response
from monigo.api.kernel.http.request_log import FIRST_FAILURE, RequestLog
from monigo.api.kernel.routes.tenant import REQUEST_TIMEOUT_SECONDS
from monigo.core.access import Permission
from monigo.core.errors import DomainError, ErrorKind


class RawRoute(Protocol):
    """A route that reads its requests and begins its transactions itself.

    Callers need one of `permissions`; an unknown key learns nothing before it has been checked. No
    permission: it asks for another proof than a key.
    """

    permissions: frozenset[Permission]
    # What monitoring counts its requests under.
    path_format: str

    def takes(self, scope: Scope) -> bool:
        """Whether a request is for this route."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        ...


async def answer_raw(
    scope: Scope, receive: Receive, send: Send, respond: Callable[[], Awaitable[Response]]
) -> None:
    """Send what `respond` makes of a request, or what its failure is answered with."""
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
            response = await respond()
    except ClientDisconnect:
        return
    except TimeoutError:
        timed_out = DomainError(
            ErrorKind.UNAVAILABLE, "timed_out", "timed out", retry_after_seconds=1
        )
        response = error_response(timed_out)
    except Exception as error:  # noqa: BLE001 - any failure is answered and logged
        response = failure_response(error)
    # Only failures are logged: a record of each success would cost as much as the work itself.
    is_quiet = response.status_code < FIRST_FAILURE
    await (response if is_quiet else RequestLog(response))(scope, receive, send)

"""One request to an endpoint: signed, to a public address only, and bounded in time and size."""

import asyncio
from collections.abc import Mapping, Sequence

from msgspec import Struct

from monigo.infra.crypto import UnreadableSecretError, Vault
from monigo.infra.db import Database, Tenant
from monigo.infra.http_client import HttpClient, NoAnswerError, NotSentError, Outward, Pinned
from monigo.webhooks.deliveries.rules import signatures
from monigo.webhooks.deliveries.types import Attempt, Letter, Outcome
from monigo.webhooks.endpoints import Endpoint, EndpointCipher, signing_key

ANSWER_SECONDS = 10
# What is shown of an answer.
RESPONSE_BYTES_MAX = 4_096
_FINE = range(200, 300)
_REDIRECTS = range(300, 400)


class Round(Struct, frozen=True):
    """What is due of an endpoint, and sent at once."""

    endpoint: Endpoint
    letters: Sequence[Letter]


# Where an endpoint's URL leads, or why it can't be asked.
Destination = Pinned | str


class _Came(Struct, frozen=True):
    """What came back of a request; an error where the event was not taken."""

    status: int | None = None
    body: str = ""
    error: str = ""


class Post:
    """Sends letters by connections of its own, so many at once."""

    def __init__(self, vault: Vault, outward: Outward, connections: int) -> None:
        self._vault = vault
        self._outward = outward
        # A connection is known by its address, which several merchants may have.
        self._http = HttpClient(connections, keeps_connections=False)
        # Waiting for a connection is no failure of an endpoint's.
        self._turns = asyncio.Semaphore(connections)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    async def find(self, url: str) -> Destination:
        """Where a URL leads now."""
        try:
            return await self._outward.pin(url)
        except NotSentError as error:
            return f"could not be reached: {error}"

    async def send(
        self,
        database: Database,
        tenant: Tenant,
        endpoint: Endpoint,
        letter: Letter,
        found: Destination,
    ) -> Outcome:
        """Send a letter; what came of it, whatever it was."""
        loop = asyncio.get_running_loop()
        async with self._turns:
            began, at = loop.time(), database.real_now()
            body = letter.body.encode()
            headers: dict[str, str] = {}
            try:
                secrets = EndpointCipher(self._vault, tenant).valid(endpoint, at)
            except UnreadableSecretError:
                came = _Came(error="the secret can't be read: MONIGO_SECRET_KEY is another")
            else:
                keys = [(secret, signing_key(secret)) for secret in secrets]
                headers = {
                    "Content-Type": "application/json",
                    "User-Agent": "Monigo-Webhooks/1",
                    **signatures(body, letter.event_id, at, keys),
                }
                came = await self._post(found, headers, body)
            took = loop.time() - began
        attempt = Attempt(
            number=letter.number,
            url=endpoint.url,
            request_headers=headers,
            response_status=came.status,
            response_body=came.body,
            error=came.error,
            duration_ms=round(took * 1000),
            attempted_at=at,
        )
        return Outcome(letter, attempt)

    async def _post(self, found: Destination, headers: Mapping[str, str], body: bytes) -> _Came:
        if isinstance(found, str):
            return _Came(error=found)
        try:
            answer = await self._http.send(
                "POST",
                found.url,
                headers={"Host": found.host, **headers},
                content=body,
                seconds=ANSWER_SECONDS,
                server_name=found.server_name,
                cut_at=RESPONSE_BYTES_MAX,
            )
        except NotSentError as error:
            return _Came(error=f"could not be reached: {error}")
        except NoAnswerError as error:
            late = f"did not answer within {ANSWER_SECONDS} seconds"
            return _Came(error=late if error.is_timeout else f"did not answer: {error}")
        text = answer.body.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
        return _Came(answer.status, text, _error_of(answer.status))


def _error_of(status: int) -> str:
    if status in _FINE:
        return ""
    if status in _REDIRECTS:
        return f"answered HTTP {status}: redirects are not followed"
    return f"answered HTTP {status}"

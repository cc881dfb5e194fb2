"""The ingest route: raw bytes in, stored events out, as bare ASGI because all events use it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from monigo import metering
from monigo.api.kernel.http.bodies import BodyMemory
from monigo.api.kernel.http.errors import plain_error
from monigo.api.kernel.routes.principals import authenticate
from monigo.api.kernel.routes.rate_limit import limited
from monigo.api.kernel.routes.raw import answer_raw
from monigo.api.kernel.wire.outgoing import Answer
from monigo.bootstrap import Services
from monigo.core.access import Permission
from monigo.core.errors import DomainError
from monigo.tenancy import KeyReference

PATH = "/v1/ingest"
BODY_BYTES_MAX = 5 * 1024 * 1024


class IngestRoute:
    """POST /v1/ingest. A 202 means that every event is on disk."""

    permissions = frozenset({Permission.EVENTS_INGEST})
    path_format = PATH

    def __init__(self, services: Services, memory: BodyMemory) -> None:
        self._services = services
        self._memory = memory

    def takes(self, scope: Scope) -> bool:
        """Whether a request is for this route."""
        return scope["path"] == PATH

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "POST":
            refusal = plain_error(
                405, "method_not_allowed", "method not allowed", {"Allow": "POST"}
            )
            await refusal(scope, receive, send)
            return
        request = Request(scope, receive)
        await answer_raw(scope, receive, send, lambda: self._respond(request))

    async def _respond(self, request: Request) -> Response:
        caller = await authenticate(self._services, request)
        return await limited(self._services, caller, lambda: self._store(caller, request))

    async def _store(self, caller: KeyReference, request: Request) -> Response:
        # Decoded events refer to the body's bytes, which stay in memory until the response.
        async def check() -> None:
            await self._services.keys.check(caller, Permission.EVENTS_INGEST)

        with self._memory.reader(caller.tenant.org_id) as reader:
            try:
                events = metering.decode_batch(await reader.read(request, BODY_BYTES_MAX, check))
            except DomainError:
                await check()  # An invalid key gets no other answer.
                raise
            result = await self._services.ingestor.ingest(caller, events)
        return Answer(result, 202)

"""The ingest route: raw bytes in, stored events out, as bare ASGI because it is the hot path."""

import asyncio

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from monigo import metering
from monigo.api.bodies import HeldBodies
from monigo.api.errors import error_response, failure_response
from monigo.api.rate_limit import limited
from monigo.api.request_log import FIRST_FAILURE, RequestLog
from monigo.api.routing import REQUEST_TIMEOUT_SECONDS, authenticate
from monigo.bootstrap import Services
from monigo.core.errors import DomainError, ErrorKind
from monigo.infra.logging import logger
from monigo.tenancy import KeyReference

log = logger(__name__)

PATH = "/v1/ingest"
BODY_BYTES_MAX = 5 * 1024 * 1024

_encoder = msgspec.json.Encoder()


class IngestRoute:
    """POST /v1/ingest. A 202 means that every event is on disk."""

    def __init__(self, services: Services, bodies: HeldBodies) -> None:
        self._services = services
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "POST":
            refusal = JSONResponse({"error": "method not allowed"}, 405, {"Allow": "POST"})
            await refusal(scope, receive, send)
            return
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
                response = await self._respond(Request(scope, receive))
        except ClientDisconnect:
            return
        except TimeoutError:
            timed_out = DomainError(
                ErrorKind.UNAVAILABLE, "timed_out", "timed out", retry_after_seconds=1
            )
            response = error_response(timed_out)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is answered and told
            response = failure_response(error)
        # Only failures are told: a record of each success would cost as much as storing it.
        is_quiet = response.status_code < FIRST_FAILURE
        await (response if is_quiet else RequestLog(response))(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        caller = await authenticate(self._services, request)
        return await limited(self._services, caller, lambda: self._store(caller, request))

    async def _store(self, caller: KeyReference, request: Request) -> Response:
        # What is decoded refers to the body's bytes, so they are held until the answer.
        with self._bodies.hold() as held:
            events = metering.decode_batch(await held.read(request, BODY_BYTES_MAX))
            result = await self._services.ingestor.ingest(caller, events)
        body = {"ingested": result.ingested, "duplicates": result.duplicates}
        return Response(_encoder.encode(body), 202, media_type="application/json")

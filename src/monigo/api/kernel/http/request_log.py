"""One log record per request, under an id that the answer carries, too."""

import re
import time
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monigo.infra.logging import logger

log = logger(__name__)

_ID_PATTERN = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Probes and ingestion would drown the log; only their failures are logged.
_QUIET_PATHS = frozenset({"/healthz", "/readyz", "/metrics", "/v1/ingest"})
FIRST_FAILURE = 400
# The key of the request's id in its scope, for other logs.
REQUEST_ID = "monigo.request_id"


class RequestLog:
    """Gives every request an id and logs its outcome; never headers or body: they hold secrets."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and log its outcome."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope[REQUEST_ID] = offered_id(scope) or uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, named)
        finally:
            if scope["path"] not in _QUIET_PATHS or status >= FIRST_FAILURE:
                log.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status or "disconnected",
                    milliseconds=round((time.perf_counter() - started) * 1000, 1),
                )


def offered_id(scope: Scope) -> str:
    """The id that a request names itself; empty where that is none of ours to keep."""
    offered = Headers(scope=scope).get("x-request-id", "")
    return offered if _ID_PATTERN.fullmatch(offered) else ""

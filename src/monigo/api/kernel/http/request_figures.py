"""Counts requests for monitoring: how many, by which route, with which status, how long."""

import time

from starlette.types import Message, Scope, Send

from monigo.infra.metrics import RequestFigures

FIGURES = RequestFigures()
# What no route took: its path is whatever a client made up.
NO_ROUTE = "none"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# The client was gone before an answer began.
DISCONNECTED = 499


class Counted:
    """One request that is counted as it ends."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._status = DISCONNECTED
        self._started = time.perf_counter()

    async def send(self, message: Message) -> None:
        """Pass a piece of the answer on, and note its status."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
        await self._send(message)

    def end(self) -> None:
        """Count the request."""
        method = self._scope["method"]
        FIGURES.count(
            method if method in METHODS else "other",
            route_of(self._scope),
            self._status,
            time.perf_counter() - self._started,
        )


def route_of(scope: Scope) -> str:
    """The pattern of the route that took a request, with the prefix under which it is mounted."""
    mounted = scope.get("fastapi", {}).get("effective_route_context")
    return getattr(mounted or scope.get("route"), "path_format", NO_ROUTE)

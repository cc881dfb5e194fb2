"""Closes connections that hold memory or a place without ever asking for anything.

Uvicorn bounds neither how long a request's head may take nor how large it may be, so a stranger
without a key could hold all places open, or fill the memory with headers.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# A head comes in one packet or two; what takes this long is idle or hostile.
HEAD_SECONDS_MAX = 30
# Several times what proxies let through.
HEAD_BYTES_MAX = 32 * 1024

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
    b"content-type: application/json\r\ncontent-length: 38\r\n\r\n"
    b'{"error": "the headers are too large"}'
)


class GuardedProtocol(HttpToolsProtocol):
    """HTTP on one connection, whose request heads are bounded in time and size."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_in_head = True
        self._head_bytes = 0
        self._heads = 0
        self._heads_seen = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as uvicorn's own
        """Begin to look after a new connection."""
        super().connection_made(transport)
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop looking."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and count those of a head that is not complete."""
        was_in_head = self._is_in_head
        super().data_received(data)
        if was_in_head and self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX and self._is_answered():
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_headers_complete(self) -> None:
        """A request begins."""
        self._is_in_head = False
        self._head_bytes = 0
        self._heads += 1
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request is here as a whole: what comes next is another's head."""
        self._is_in_head = True
        super().on_message_complete()

    def _is_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison] - None before the first request

    def _look_later(self) -> None:
        self._timer = self.loop.call_later(HEAD_SECONDS_MAX, self._look)

    def _look(self) -> None:
        if self._is_in_head and self._heads == self._heads_seen and self._is_answered():
            self.transport.abort()
            return
        self._heads_seen = self._heads
        self._look_later()

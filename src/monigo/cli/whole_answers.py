"""Sends an answer in one piece."""

import asyncio
from typing import Any


class WholeAnswers:
    """A connection's transport that sends the head of an answer together with what follows it.

    Uvicorn writes the two one after the other, and each write costs a system call here and wakes
    the client. A head that nothing follows at once does not wait for it.
    """

    __slots__ = ("_buffer", "_loop", "_transport", "is_closing")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._buffer = b""
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Send bytes, or hold them for a moment where they may be a head."""
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        elif data.startswith(b"HTTP/1."):
            self._buffer = data
            self._loop.call_soon(self.flush)
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Send what is buffered."""
        if self._buffer:
            buffered, self._buffer = self._buffer, b""
            self._transport.write(buffered)

    def close(self) -> None:
        """Send what is buffered and close."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        """Close without sending anything more."""
        self._buffer = b""
        self._transport.abort()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

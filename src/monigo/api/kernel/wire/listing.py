"""Long lists: encoded a few rows at a time, so that nothing else waits for all of them."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from monigo.api.kernel.wire.outgoing import Outgoing, encode
from monigo.core.paging import Page

# Less than a millisecond's work: what comes in meanwhile waits no longer than that for its turn.
ROWS_AT_ONCE = 20
# What is sent at a time: enough to be quick, and a slow reader is waited for in between.
BYTES_AT_ONCE = 64 * 1024

Item = TypeVar("Item")


class ListResponse(Response):
    """A list whose items stand under `name`, as `out` says them, after what is `head` of them.

    `head` is a ListEnvelope's content, unless something else is given. The text is encoded when it
    is sent, after the request's transaction has ended: neither holds a connection, nor the event
    loop for longer than a few rows.
    """

    media_type = "application/json"

    def __init__(
        self,
        name: str,
        page: Page[Item],
        out: Callable[[Item], Outgoing],
        *,
        head: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        counts = {"count": len(page.items), "total": page.total, "has_more": page.has_more}
        self._name = name
        self._items = deque(page.items)
        self._out = out
        self._head = counts if head is None else head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Encode the list, and send it."""
        del scope, receive
        pieces = await self._encoded()
        self.headers["content-length"] = str(sum(map(len, pieces)))
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _encoded(self) -> list[bytes]:
        """The JSON text, in pieces."""
        pieces = list[bytes]()
        text = bytearray(encode(self._head)[:-1] + f',"{self._name}":['.encode())
        for index in range(len(self._items)):
            if index:
                text += b","
                if index % ROWS_AT_ONCE == 0:
                    await asyncio.sleep(0)
            # Let go of one by one: to let go of ten thousand at the end takes some 30 ms at once.
            text += encode(self._out(self._items.popleft()))
            if len(text) >= BYTES_AT_ONCE:
                pieces.append(bytes(text))
                text.clear()
        pieces.append(bytes(text + b"]}"))
        return pieces

"""Closes connections that hold memory or a place without ever asking for anything.

Uvicorn bounds neither how long a request's head may take nor how large it may be, nor how many
connections an address opens, so a stranger without a key could hold all places, or fill the memory.
"""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from monigo.api.kernel.http.browsers import CrossOrigin
from monigo.api.kernel.wire.outgoing import Answer
from monigo.cli.door import Address, Door
from monigo.cli.refusals import MALFORMED, NO_HOST, OVERLOADED, TOO_LARGE, TOO_MANY, Refusals
from monigo.cli.whole_answers import WholeAnswers

# A head comes in one packet or two; what takes this long is idle or hostile.
HEAD_SECONDS_MAX = 30
# Several times what proxies let through.
HEAD_BYTES_MAX = 32 * 1024
HEADERS_MAX = 100
# What a client still sends after it was answered is let pass for so long, so that it reads the
# answer rather than find the connection reset.
LINGER_SECONDS = 5
# Requests under way; more are answered 503 rather than left to use up the memory.
REQUESTS_MAX = 2_000


class GuardedProtocol(HttpToolsProtocol):
    """HTTP on one connection, which is bounded in what it may take before it has asked."""

    def __init__(
        self,
        *arguments: Any,
        door: Door | None = None,
        cross_origin: CrossOrigin | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._door = door or Door()
        self._refusals = Refusals(cross_origin or CrossOrigin(()))
        # Uvicorn's would count connections that have asked nothing yet; ours counts requests.
        self.limit_concurrency = None
        # Whom the connection counts for; a proxy's counts for nobody, but its requests do.
        self._address: Address | None = None
        self._is_from_proxy = False
        self._is_in_head = True
        self._head_bytes = 0
        self._header_bytes = 0
        self._header_count = 0
        self._heads = 0
        self._heads_seen = 0
        self._timer: asyncio.TimerHandle | None = None
        self._linger: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as uvicorn's own
        """Begin to look after a new connection, or turn it away."""
        super().connection_made(WholeAnswers(transport, self.loop))  # pyright: ignore[reportArgumentType] - it has all that a transport has
        address = self._door.address_of(self.client)
        self._is_from_proxy = address is None
        if address is not None and not self._door.enter(address):
            self._turn_away(TOO_MANY)
            return
        self._address = address
        self._door.make_room(len(self.connections))
        self._note_silence()
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop looking."""
        for timer in (self._timer, self._linger):
            if timer is not None:
                timer.cancel()
        self._door.end_silence(self)
        if self._address is not None:
            self._door.leave(self._address)
            self._address = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and count those of a head that is not complete."""
        was_in_head, heads = self._is_in_head, self._heads
        super().data_received(data)
        if not self._is_in_head:
            return
        if was_in_head and heads == self._heads:
            self._head_bytes += len(data)
        if self._is_too_large() and self._is_answered() and not self.transport.is_closing():
            self._turn_away(TOO_LARGE)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._header_bytes = self._header_count = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take in a piece of the address that is asked for."""
        self._header_bytes += len(url)
        if self._is_too_large():
            self.url = b"/"  # It is refused, but uvicorn reads it first.
        else:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header, unless there are too many."""
        self._header_count += 1
        self._header_bytes += len(name) + len(value)
        if self._is_in_head and not self._is_too_large():
            super().on_header(name, value)
        elif not self._is_in_head and self._is_too_large():
            self.transport.abort()  # Behind a body nobody asked for any.

    def on_headers_complete(self) -> None:
        """A request begins."""
        app = self.app
        self.app = self._answering(app)
        self._is_in_head = False
        self._head_bytes = self._header_bytes = self._header_count = 0
        self._heads += 1
        self._door.end_silence(self)
        try:
            super().on_headers_complete()
        finally:
            self.app = app

    def on_message_complete(self) -> None:
        """A request is here as a whole: what comes next is another's head."""
        self._is_in_head = True
        super().on_message_complete()
        self._note_silence()

    def on_response_complete(self) -> None:
        """A request is answered; if its body is still coming, nobody waits for all of it."""
        super().on_response_complete()
        if not self._is_in_head and self._is_answered() and not self.transport.is_closing():
            self._linger = self.loop.call_later(LINGER_SECONDS, self._cut_off, self._heads)
        self._note_silence()

    def _answering(self, app: Any) -> Any:
        """What answers the request whose head has come: the application, or a refusal."""
        if self._is_too_large():
            return self._refusals.app(TOO_LARGE)
        hosts = sum(name == b"host" for name, _ in self.headers)
        version = self.parser.get_http_version()  # pyright: ignore[reportOptionalMemberAccess] - it calls us
        if hosts > 1 or (hosts == 0 and version == "1.1"):
            return self._refusals.app(NO_HOST)
        if len(self.tasks) >= REQUESTS_MAX:
            return self._refusals.app(OVERLOADED)
        address = self._door.forwarded_address(self.headers) if self._is_from_proxy else None
        if address is None:
            return app
        return _Counted(app, self._door, address, self._refusals.app(TOO_MANY))

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own words
        """Refuse what is not HTTP, or hang up where an answer is on its way already."""
        if self._is_answered() or not self.cycle.response_started:
            self._turn_away(MALFORMED)
        else:
            self.transport.abort()

    def _turn_away(self, refusal: Answer) -> None:
        """Answer a connection that has no request to answer, and close it."""
        self.transport.write(self._refusals.written(refusal, self.headers or ()))
        self.transport.close()

    def _is_too_large(self) -> bool:
        return (
            self._header_count > HEADERS_MAX
            or max(self._header_bytes, self._head_bytes) > HEAD_BYTES_MAX
        )

    def _is_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison] - None before the first request

    def _note_silence(self) -> None:
        if self._is_in_head and self._is_answered():
            self._door.begin_silence(self, self.transport.abort)

    def _cut_off(self, heads: int) -> None:
        if not self._is_in_head and self._heads == heads:
            self.transport.abort()

    def _look_later(self) -> None:
        self._timer = self.loop.call_later(HEAD_SECONDS_MAX, self._look)

    def _look(self) -> None:
        if self._is_in_head and self._heads == self._heads_seen and self._is_answered():
            self.transport.abort()
            return
        self._heads_seen = self._heads
        self._look_later()


class _Counted:
    """The application for a request that a proxy passes on, which counts for its client."""

    def __init__(self, app: ASGIApp, door: Door, address: Address, refusal: ASGIApp) -> None:
        self._app = app
        self._refusal = refusal
        self._door = door
        self._address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, unless its client has too many under way."""
        if not self._door.enter(self._address):
            await self._refusal(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self._door.leave(self._address)

"""HTTP to the outside: bounded in time and size, and never sent twice by itself.

A fault records whether anything was sent, which decides what may follow: a request that was never
sent has done nothing, and of one that was sent the outcome is unknown.
"""

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

CONNECT_SECONDS = 5
# From the first byte to the last, connecting included.
WHOLE_SECONDS = 25
# For what is shown of an answer whose status says all: one that never ends keeps nobody waiting.
CUT_BODY_SECONDS = 2
# Larger than any page of a provider's list.
ANSWER_BYTES_MAX = 8 * 1024 * 1024
CONNECTIONS_MAX = 100
# Shorter than any server keeps a connection open that nobody uses: what is sent just as the other
# side hangs up would be unknown, though it never arrived.
KEEP_ALIVE_SECONDS = 2


class HttpAnswer(Struct, frozen=True):
    """What came back: the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSentError(Exception):
    """Nothing of the request left: no connection was made in time."""


class NoAnswerError(Exception):
    """The request left, in part at least, and no whole answer came."""

    def __init__(self, message: str, *, is_timeout: bool) -> None:
        super().__init__(message)
        self.is_timeout = is_timeout


class _Line:
    """One connection at a time to one server, used by one request at a time."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        # By the loop's clock.
        self.free_since: float = 0


class HttpClient:
    """Sends requests one by one. It follows no redirects, keeps no cookies and repeats nothing.

    Each connection has a client of its own: one for all would look through all connections and
    waiting requests for each request, which of a hundred at once is half of their cost.
    """

    def __init__(
        self, connections_max: int = CONNECTIONS_MAX, *, keeps_connections: bool = True
    ) -> None:
        self._tls = httpx.create_ssl_context()
        self._turns = asyncio.Semaphore(connections_max)
        self._keeps = keeps_connections
        # What was used last is used first, so that the rest can go.
        self._free: defaultdict[str, deque[_Line]] = defaultdict(deque)

    @asynccontextmanager
    async def _line(self, url: str) -> AsyncGenerator[_Line]:
        """A line to a URL's server, in its turn.

        Raises:
            NotSentError: there was no turn in time.
        """
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise NotSentError("too many requests are under way") from None
        try:
            await self._close_unused()
            parts = urlsplit(url)
            origin = f"{parts.scheme}://{parts.netloc}"
            free = self._free.get(origin)
            line = free.pop() if free else self._new_line()
            is_good = False
            try:
                yield line
                is_good = self._keeps
            finally:
                if is_good:
                    line.free_since = asyncio.get_running_loop().time()
                    self._free[origin].append(line)
                else:
                    await line.client.aclose()
        finally:
            self._turns.release()

    def _new_line(self) -> _Line:
        return _Line(
            httpx.AsyncClient(
                verify=self._tls,
                timeout=httpx.Timeout(WHOLE_SECONDS, connect=CONNECT_SECONDS),
                limits=httpx.Limits(
                    max_connections=1,
                    # A connection is known by its address, which several names may have.
                    max_keepalive_connections=1 if self._keeps else 0,
                    keepalive_expiry=KEEP_ALIVE_SECONDS,
                ),
                # Packed answers could be of any size.
                headers={"Accept-Encoding": "identity", "User-Agent": "monigo"},
                follow_redirects=False,
            )
        )

    async def _close_unused(self) -> None:
        """Close the connections that are not used again."""
        before = asyncio.get_running_loop().time() - KEEP_ALIVE_SECONDS
        for origin in list(self._free):
            free = self._free[origin]
            while free and free[0].free_since < before:
                await free.popleft().client.aclose()
            if not free:
                self._free.pop(origin, None)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        seconds: float = WHOLE_SECONDS,
        server_name: str = "",
        cut_at: int | None = None,
    ) -> HttpAnswer:
        """Send a request and read its whole answer, within so many seconds in all.

        `server_name` is whose certificate is asked for, where the URL has an address instead. With
        `cut_at` the answer counts once its status is there, and only the beginning of its body is
        read: so many bytes, in so far as they come at once.

        Raises:
            NotSentError: nothing was sent.
            NoAnswerError: something was sent, and nothing is known of it.
        """
        sent = asyncio.Event()

        async def note(event: str, details: Mapping[str, Any]) -> None:
            del details
            if event.endswith("send_request_headers.started"):
                sent.set()

        extensions: dict[str, Any] = {"trace": note}
        if server_name:
            extensions["sni_hostname"] = server_name
        try:
            async with asyncio.timeout(seconds), self._line(url) as line:
                # A cookie of one merchant's answer is nothing to another.
                line.client.cookies.clear()
                request = line.client.build_request(
                    method, url, headers=dict(headers), content=content, extensions=extensions
                )
                return await _answer(line.client, request, cut_at)
        except NotSentError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was: was anything sent?
            # Its message may hold the URL, and that account numbers.
            name = type(error).__name__
            # What HTTP has no form for, such as a key with a line's end in it, is not written.
            if not sent.is_set() or isinstance(error, httpx.LocalProtocolError):
                raise NotSentError(name) from None
            is_timeout = isinstance(error, httpx.TimeoutException | TimeoutError)
            raise NoAnswerError(name, is_timeout=is_timeout) from None

    async def close(self) -> None:
        """Close all connections."""
        for free in self._free.values():
            for line in free:
                await line.client.aclose()
        self._free.clear()


async def _answer(
    client: httpx.AsyncClient, request: httpx.Request, cut_at: int | None
) -> HttpAnswer:
    response = await client.send(request, stream=True)
    try:
        body = await (_whole(response) if cut_at is None else _beginning(response, cut_at))
        return HttpAnswer(response.status_code, dict(response.headers), body)
    finally:
        await response.aclose()


async def _whole(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > ANSWER_BYTES_MAX:
            raise httpx.ReadError("the answer is too large")
    return bytes(body)


async def _beginning(response: httpx.Response, cut_at: int) -> bytes:
    body = bytearray()
    with contextlib.suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(CUT_BODY_SECONDS):
            async for piece in response.aiter_raw():
                body += piece
                if len(body) >= cut_at:
                    break
    return bytes(body[:cut_at])

"""HTTP to the outside: bounded in time and size, and never sent twice by itself.

A fault records whether anything was sent, which decides what may follow: a request that was never
sent has done nothing, and of one that was sent the outcome is unknown.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
from msgspec import Struct

CONNECT_SECONDS = 5
# From the first byte to the last, connecting included.
WHOLE_SECONDS = 25
# Larger than any page of a provider's list.
ANSWER_BYTES_MAX = 8 * 1024 * 1024
_CONNECTIONS_MAX = 100
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


class HttpClient:
    """Sends requests one by one. It follows no redirects, keeps no cookies and repeats nothing."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(WHOLE_SECONDS, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS),
            limits=httpx.Limits(
                max_connections=_CONNECTIONS_MAX, keepalive_expiry=KEEP_ALIVE_SECONDS
            ),
            # Packed answers could be of any size.
            headers={"Accept-Encoding": "identity", "User-Agent": "monigo"},
            follow_redirects=False,
        )

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        seconds: float = WHOLE_SECONDS,
    ) -> HttpAnswer:
        """Send a request and read its whole answer, within so many seconds in all.

        Raises:
            NotSentError: nothing was sent.
            NoAnswerError: something was sent, and nothing is known of it.
        """
        sent = asyncio.Event()

        async def note(event: str, details: Mapping[str, Any]) -> None:
            del details
            if event.endswith("send_request_headers.started"):
                sent.set()

        # A cookie of one merchant's answer is nothing to another.
        self._client.cookies.clear()
        try:
            request = self._client.build_request(
                method, url, headers=dict(headers), content=content, extensions={"trace": note}
            )
            async with asyncio.timeout(seconds):
                return await self._answer(request)
        except Exception as error:  # noqa: BLE001 - whatever it was: was anything sent?
            # Its message may hold the URL, and that account numbers.
            name = type(error).__name__
            # What HTTP has no form for, such as a key with a line's end in it, is not written.
            if not sent.is_set() or isinstance(error, httpx.LocalProtocolError):
                raise NotSentError(name) from None
            is_timeout = isinstance(error, httpx.TimeoutException | TimeoutError)
            raise NoAnswerError(name, is_timeout=is_timeout) from None

    async def _answer(self, request: httpx.Request) -> HttpAnswer:
        response = await self._client.send(request, stream=True)
        try:
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > ANSWER_BYTES_MAX:
                    raise httpx.ReadError("the answer is too large")
            return HttpAnswer(response.status_code, dict(response.headers), bytes(body))
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

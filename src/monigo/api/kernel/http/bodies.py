"""Reads request bodies, and bounds the memory that they take over all connections together."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from starlette.requests import Request

from monigo.core.errors import DomainError, ErrorKind
from monigo.core.ids import OrganizationId

# A body is in memory until its request is answered, in up to six copies: as received, joined,
# decoded, and encoded for the database.
BODY_MEMORY_BYTES_MAX = 20 * 1024 * 1024
# What is read of a body before its key is checked. Most bodies are smaller, and need no query of
# their own: their key is checked in the transaction that they cause.
UNCHECKED_BYTES_MAX = 8 * 1024
# A client on a bad line sends more than this in that time, or all that is left.
WINDOW_SECONDS = 10
WINDOW_BYTES_MIN = 40 * 1024

# Raises unless the request's key may do what is asked.
Check = Callable[[], Awaitable[None]]


class BodyMemory:
    """The memory of all request bodies in this process, accounted per organisation.

    An organisation's bodies may take as much memory as they leave free for the others. So the
    first organisation gets at most half, and however many use up their share, the next finds some.
    """

    def __init__(self, bytes_max: int = BODY_MEMORY_BYTES_MAX) -> None:
        self.bytes_free = bytes_max
        self._taken: dict[OrganizationId, int] = {}

    def reader(self, org_id: OrganizationId) -> "BodyReader":
        """Reads one request's body; its memory is freed at the end of the `with` block."""
        return BodyReader(self, org_id)

    def take(self, org_id: OrganizationId, size: int) -> bool:
        """Take memory for an organisation's body; False where its share is used up."""
        taken = self._taken.get(org_id, 0) + size
        if taken > self.bytes_free - size:
            return False
        self._taken[org_id] = taken
        self.bytes_free -= size
        return True

    def free(self, org_id: OrganizationId, size: int) -> None:
        """Free memory that an organisation's bodies took."""
        self.bytes_free += size
        taken = self._taken.pop(org_id, 0) - size
        if taken > 0:
            self._taken[org_id] = taken


class BodyReader:
    """Reads one request's body within the memory of all bodies."""

    __slots__ = ("_all", "_chunks", "_org_id", "_size")

    def __init__(self, all_bodies: BodyMemory, org_id: OrganizationId) -> None:
        self._all = all_bodies
        self._org_id = org_id
        self._size = 0
        self._chunks: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._all.free(self._org_id, self._size)
        self._size = 0
        self._chunks.clear()

    async def read(self, request: Request, bytes_max: int, check: Check) -> bytes:
        """The whole body. `check` is called before more than a few kB are read.

        Raises:
            DomainError: what `check` raises; too large, or unavailable while other bodies take the
                memory, both before the rest is read; timed out, when the body comes too slowly.
        """
        try:
            async with asyncio.timeout(WINDOW_SECONDS) as window:
                await self._receive(request, bytes_max, check, window)
        except TimeoutError as error:
            raise DomainError(
                ErrorKind.TIMED_OUT, "body_too_slow", "the body came too slowly"
            ) from error
        body = b"".join(self._chunks)
        self._chunks.clear()
        return body

    async def _receive(
        self, request: Request, bytes_max: int, check: Check, window: asyncio.Timeout
    ) -> None:
        loop = asyncio.get_running_loop()
        declared = request.headers.get("content-length", "")
        announced = int(declared) if declared.isdecimal() else 0
        is_checked = False
        counted = 0
        async for chunk in request.stream():
            size = self._size + len(chunk)
            if not is_checked and max(size, announced) > UNCHECKED_BYTES_MAX:
                window.reschedule(None)  # The client does not answer for how long this takes.
                await check()
                is_checked = True
                window.reschedule(loop.time() + WINDOW_SECONDS)
            if max(size, announced) > bytes_max:
                raise DomainError(
                    ErrorKind.TOO_LARGE, "body_too_large", f"the body exceeds {bytes_max} bytes"
                )
            if not self._all.take(self._org_id, len(chunk)):
                raise DomainError(
                    ErrorKind.UNAVAILABLE,
                    "overloaded",
                    "too busy to take more",
                    retry_after_seconds=1,
                )
            self._size = size
            self._chunks.append(chunk)
            if size - counted >= WINDOW_BYTES_MIN:
                counted = size
                window.reschedule(loop.time() + WINDOW_SECONDS)

"""Reads request bodies, and bounds the memory that they take over all connections together."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from starlette.requests import Request

from monigo.core.errors import DomainError, ErrorKind
from monigo.core.ids import OrganizationId

# A body lives until its request is answered, and up to six times over: as received, joined,
# decoded, and encoded for the database.
HELD_BYTES_MAX = 20 * 1024 * 1024
# What is read of a body before its key is known to count. Most bodies are smaller, and are spared
# a question: their key is checked in the transaction that they cause.
UNCHECKED_BYTES_MAX = 8 * 1024
# A client on a bad line sends more than this in that time, or all that is left.
WINDOW_SECONDS = 10
WINDOW_BYTES_MIN = 40 * 1024

# Raises unless the request's key may do what is asked.
Check = Callable[[], Awaitable[None]]


class HeldBodies:
    """The bytes of all bodies that this process holds now, and whose they are.

    An organisation may hold as much as is left free for the others. So the first one to come gets
    half of the memory, and however many fill their share, the next one finds some.
    """

    def __init__(self, bytes_max: int = HELD_BYTES_MAX) -> None:
        self.bytes_free = bytes_max
        self._held: dict[OrganizationId, int] = {}

    def hold(self, org_id: OrganizationId) -> "HeldBody":
        """A place for one request's body, for as long as its `with` block lasts."""
        return HeldBody(self, org_id)

    def take(self, org_id: OrganizationId, size: int) -> bool:
        """Take memory for an organisation's body; False where its share is used up."""
        held = self._held.get(org_id, 0) + size
        if held > self.bytes_free - size:
            return False
        self._held[org_id] = held
        self.bytes_free -= size
        return True

    def give_back(self, org_id: OrganizationId, size: int) -> None:
        """Free memory that an organisation's bodies took."""
        self.bytes_free += size
        held = self._held.pop(org_id, 0) - size
        if held > 0:
            self._held[org_id] = held


class HeldBody:
    """One request's body and what it takes of the memory for all."""

    __slots__ = ("_all", "_chunks", "_org_id", "_size")

    def __init__(self, all_bodies: HeldBodies, org_id: OrganizationId) -> None:
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
        self._all.give_back(self._org_id, self._size)
        self._size = 0
        self._chunks.clear()

    async def read(self, request: Request, bytes_max: int, check: Check) -> bytes:
        """The whole body. `check` is called before more than a few kB of it are held.

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

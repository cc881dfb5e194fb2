"""Reads request bodies, and bounds the memory that they take over all connections together."""

from types import TracebackType
from typing import Self

from starlette.requests import Request

from monigo.core.errors import DomainError, ErrorKind

# A body lives until its request is answered, and up to six times over: as received, joined,
# decoded, and encoded for the database. Keys are checked first, so only merchants use this up.
HELD_BYTES_MAX = 20 * 1024 * 1024


class HeldBodies:
    """The bytes of all bodies that this process holds now."""

    def __init__(self, bytes_max: int = HELD_BYTES_MAX) -> None:
        self.bytes_free = bytes_max

    def hold(self) -> "HeldBody":
        """A place for one request's body, for as long as its `with` block lasts."""
        return HeldBody(self)


class HeldBody:
    """One request's body and what it takes of the memory for all."""

    __slots__ = ("_all", "_chunks", "_size")

    def __init__(self, all_bodies: HeldBodies) -> None:
        self._all = all_bodies
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
        self._all.bytes_free += self._size
        self._size = 0
        self._chunks.clear()

    async def read(self, request: Request, bytes_max: int) -> bytes:
        """The whole body.

        Raises:
            DomainError: too large, or unavailable while other bodies take all the memory; either
                is told before the rest is read.
        """
        async for chunk in request.stream():
            if self._size + len(chunk) > bytes_max:
                raise DomainError(
                    ErrorKind.TOO_LARGE, "body_too_large", f"the body exceeds {bytes_max} bytes"
                )
            if len(chunk) > self._all.bytes_free:
                raise DomainError(
                    ErrorKind.UNAVAILABLE,
                    "overloaded",
                    "too busy to take more",
                    retry_after_seconds=1,
                )
            self._all.bytes_free -= len(chunk)
            self._size += len(chunk)
            self._chunks.append(chunk)
        body = b"".join(self._chunks)
        self._chunks.clear()
        return body

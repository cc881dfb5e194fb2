"""Connections of a pool, lent and taken back in as little time as may be."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

import asyncpg
from msgspec import Struct

if TYPE_CHECKING:
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    OwnConnection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:  # The driver's classes take type arguments in its stubs only.
    Connection = asyncpg.pool.PoolConnectionProxy
    OwnConnection = asyncpg.Connection
    Pool = asyncpg.Pool


# How many connections the present task has borrowed.
_BORROWED: ContextVar[int] = ContextVar("borrowed", default=0)


def is_in_transaction() -> bool:
    """Whether the present task has a connection, so that what it waits for keeps that busy."""
    return _BORROWED.get() > 0


class PoolFigures(Struct, frozen=True):
    """The connections of a pool."""

    in_use: int
    idle: int
    size_max: int


class Connections:
    """The pool's connections, of which a few are kept at hand between two uses.

    Borrowing a connection of the pool and returning it takes as long as a simple statement. While
    somebody waits for the pool, every connection is returned to it.
    """

    def __init__(self, pool: Pool, *, give_up_seconds: float) -> None:
        self._pool = pool
        self._give_up_seconds = give_up_seconds
        self._kept: list[Connection] = []
        self._kept_max = pool.get_max_size() // 2
        self._waiting = 0

    @asynccontextmanager
    async def borrow(self) -> AsyncGenerator[Connection]:
        """A connection of one's own until the end."""
        connection = await self._take()
        _BORROWED.set(_BORROWED.get() + 1)
        try:
            yield connection
        finally:
            _BORROWED.set(_BORROWED.get() - 1)
            await self._return(connection)

    async def _take(self) -> Connection:
        while self._kept:
            connection = self._kept.pop()
            if is_open(connection):
                return connection
            await self._pool.release(connection)
        self._waiting += 1
        try:
            return await self._pool.acquire()
        finally:
            self._waiting -= 1

    async def _return(self, connection: Connection) -> None:
        is_kept = not self._waiting and len(self._kept) < self._kept_max and is_open(connection)
        if is_kept:
            self._kept.append(connection)
        else:
            await self._pool.release(connection)

    def figures(self) -> PoolFigures:
        """How many connections there are, and how many of them are in use."""
        size = self._pool.get_size()
        unused = self._pool.get_idle_size() + len(self._kept)
        return PoolFigures(size - unused, unused, self._pool.get_max_size())

    async def close(self) -> None:
        """Wait a while for those that are borrowed, and close all."""
        self._kept_max = 0
        try:
            async with asyncio.timeout(self._give_up_seconds):
                while self._kept:
                    await self._pool.release(self._kept.pop())
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()


def is_open(connection: Connection) -> bool:
    """Whether a borrowed connection still is one."""
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # The pool has taken it back because it was cut.
        return False


def cut(connection: Connection) -> None:
    """End a connection at once, unless the pool has taken it back already."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()

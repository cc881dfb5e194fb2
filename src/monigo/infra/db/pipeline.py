"""Whole transactions in one round trip, which the driver has no way to send.

BEGIN, what binds the transaction, a prepared statement and COMMIT are written at once, and
PostgreSQL answers them at once, too. Where one fails it passes over the rest, and what was begun is
rolled back. The messages are those of the chapter "Message Formats" in PostgreSQL's manual. The
driver makes the connection, and has it back between two such transactions.
"""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct as Layout
from uuid import UUID
from weakref import WeakKeyDictionary

import asyncpg
from msgspec import Struct

from monigo.infra.db.connections import Connection, Connections, OwnConnection, cut

_SHORT, _LONG, _LONGLONG = Layout("!h"), Layout("!i"), Layout("!q")
_ARRAY_HEAD = Layout("!iiiii")
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INFINITY = _LONGLONG.pack(2**63 - 1)
_NULL = _LONG.pack(-1)
_UUID_LENGTH = _LONG.pack(16)
# One format for all: arguments are binary (1), results are text (0).
_ARGUMENTS_BINARY, _RESULTS_TEXT = b"\x00\x01\x00\x01", b"\x00\x01\x00\x00"
_EXECUTE = b"E\x00\x00\x00\x09\x00\x00\x00\x00\x00"
_SYNC = b"S\x00\x00\x00\x04"
_ROLL_BACK = b"Q\x00\x00\x00\x0dROLLBACK\x00"
_PARSED, _ROW, _DONE, _FAILED, _READY = b"1DCEZ"
# The status in ReadyForQuery of a connection outside of a transaction.
_IDLE = b"I"

_names = itertools.count()


class Argument(Struct, frozen=True):
    """A statement's argument as it is sent: its type's OID and its binary form; None is NULL."""

    type_oid: int
    value: bytes | None

    @staticmethod
    def boolean(value: bool) -> "Argument":  # noqa: FBT001 - it is what the argument is made of
        """An SQL boolean."""
        return Argument(16, b"\x01" if value else b"\x00")

    @staticmethod
    def integer(value: int) -> "Argument":
        """An SQL bigint."""
        return Argument(20, _LONGLONG.pack(value))

    @staticmethod
    def text(value: bytes) -> "Argument":
        """An SQL text, in UTF-8."""
        return Argument(25, value)

    @staticmethod
    def instant(value: datetime | None) -> "Argument":
        """An SQL timestamptz."""
        return Argument(1184, None if value is None else _instant_bytes(value))

    @staticmethod
    def instants(values: Sequence[datetime | None]) -> "Argument":
        """An SQL timestamptz[]; None is infinity."""
        sent = [_INFINITY if value is None else _instant_bytes(value) for value in values]
        return Argument(1185, _array(1184, _LONG.pack(8), sent))

    @staticmethod
    def uuid(value: UUID) -> "Argument":
        """An SQL uuid."""
        return Argument(2950, value.bytes)

    @staticmethod
    def uuids(values: Sequence[bytes]) -> "Argument":
        """An SQL uuid[] of ids that are 16 bytes each."""
        return Argument(2951, _array(2950, _UUID_LENGTH, values))


class Answer(Struct, frozen=True):
    """What a statement answered: its rows as texts, and its command's tag (`INSERT 0 1`)."""

    rows: list[tuple[str | None, ...]]
    tag: str


def _instant_bytes(value: datetime) -> bytes:
    return _LONGLONG.pack((value - _POSTGRES_EPOCH) // _MICROSECOND)


def _array(type_oid: int, length: bytes, values: Sequence[bytes]) -> bytes:
    head = _ARRAY_HEAD.pack(1 if values else 0, 0, type_oid, len(values), 1)
    if not values:
        return head[:12]
    return head + length + length.join(values)


class Pipeline(asyncio.Protocol):
    """A connection that takes whole transactions, while its driver rests."""

    def __init__(self, connection: Connection) -> None:
        # Where the driver keeps what it connected; it has no public name for it.
        self._transport: asyncio.Transport = connection._transport  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue] - see above
        self._driver: asyncio.Protocol = connection._protocol  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue] - as above
        self._loop = asyncio.get_running_loop()
        # The names of the statements that were prepared on it.
        self._prepared: dict[str, bytes] = {}
        self._answered: asyncio.Future[Answer] | None = None
        self._rest = b""
        # How many statements come before the one whose answer is wanted.
        self._place = 0
        self._begin()

    def _begin(self) -> None:
        self._rows: list[tuple[str | None, ...]] = []
        self._tags: list[str] = []
        self._error: asyncpg.PostgresError | None = None
        self._parsed = 0

    async def run(
        self, binding: Sequence[str], statement: str, arguments: Sequence[Argument]
    ) -> Answer:
        """Run a statement in a transaction of its own, which `binding` binds; its answer.

        The same few statements come again and again: each is prepared once and stays so.

        Raises:
            PostgresError: what any part of it failed with; nothing was done.
            ConnectionDoesNotExistError: the connection broke; whether it was done is unknown.
            CancelledError: its answer is still to come, so that the connection is to be cut.
        """
        self._begin()
        self._place = 1 + len(binding)
        messages = [_BEGIN, *map(_immediate, binding)]
        name = self._prepared.get(statement)
        known = name or b"pipelined_%d" % next(_names)
        if name is None:
            messages.append(_parse(known, statement, arguments))
        messages += [_bind(known, arguments), _EXECUTE, _COMMIT, _SYNC]
        self._answered = self._loop.create_future()
        self._transport.set_protocol(self)
        self._transport.write(b"".join(messages))
        try:
            return await self._answered
        finally:
            self._answered = None
            self._transport.set_protocol(self._driver)
            if name is None and self._parsed > self._place:
                self._prepared[statement] = known

    def data_received(self, data: bytes) -> None:
        """Take in what PostgreSQL sends, message by message."""
        data = self._rest + data
        start, length = 0, len(data)
        while start + 5 <= length:
            end = start + 1 + int.from_bytes(data[start + 1 : start + 5])
            if end > length:
                break
            self._take(data[start], data[start + 5 : end])
            start = end
        self._rest = data[start:]

    def _take(self, kind: int, body: bytes) -> None:
        if kind == _DONE:
            self._tags.append(body[:-1].decode())
        elif kind == _PARSED:
            self._parsed += 1
        elif kind == _ROW:
            if len(self._tags) == self._place:
                self._rows.append(_row(body))
        elif kind == _FAILED:
            self._error = self._error or _error(body)
        elif kind == _READY:
            if body == _IDLE:
                self._finish()
            else:
                self._transport.write(_ROLL_BACK)

    def _finish(self) -> None:
        if self._answered is None or self._answered.done():
            return
        if self._error is not None:
            self._answered.set_exception(self._error)
        elif self._tags[-1] != "COMMIT":
            self._answered.set_exception(asyncpg.InternalClientError("nothing was committed"))
        else:
            self._answered.set_result(Answer(self._rows, self._tags[self._place]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the waiting query, and notify the driver."""
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(
                self._error or asyncpg.ConnectionDoesNotExistError("the connection was closed")
            )
        self._driver.connection_lost(exc)


class Pipelines:
    """Runs whole transactions on connections that are borrowed for each."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._pipelines: WeakKeyDictionary[OwnConnection, Pipeline] = WeakKeyDictionary()

    async def run(
        self, binding: Sequence[str], statement: str, arguments: Sequence[Argument]
    ) -> Answer:
        """As `Pipeline.run`, on one of the connections."""
        async with self._connections.borrow() as connection:
            own: OwnConnection = connection._con  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType] - what the pool lends a face of
            pipeline = self._pipelines.get(own)
            if pipeline is None:
                pipeline = self._pipelines[own] = Pipeline(connection)
            try:
                return await pipeline.run(binding, statement, arguments)
            except asyncio.CancelledError:
                cut(connection)
                raise


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + _LONG.pack(len(body) + 4) + body


def _immediate(statement: str) -> bytes:
    """What runs a statement without arguments under no name."""
    return _parse(b"", statement, ()) + _bind(b"", ()) + _EXECUTE


def _parse(name: bytes, statement: str, arguments: Sequence[Argument]) -> bytes:
    types = [_LONG.pack(argument.type_oid) for argument in arguments]
    parts = [name, b"\x00", statement.encode(), b"\x00", _SHORT.pack(len(types)), *types]
    return _message(b"P", b"".join(parts))


def _bind(name: bytes, arguments: Sequence[Argument]) -> bytes:
    parts = [b"\x00", name, b"\x00", _ARGUMENTS_BINARY, _SHORT.pack(len(arguments))]
    for argument in arguments:
        value = argument.value
        if value is None:
            parts.append(_NULL)
        else:
            parts += (_LONG.pack(len(value)), value)
    parts.append(_RESULTS_TEXT)
    return _message(b"B", b"".join(parts))


def _row(body: bytes) -> tuple[str | None, ...]:
    values: list[str | None] = []
    start = 2
    for _ in range(_SHORT.unpack_from(body)[0]):
        length = _LONG.unpack_from(body, start)[0]
        start += 4
        if length < 0:
            values.append(None)
        else:
            values.append(body[start : start + length].decode())
            start += length
    return tuple(values)


def _error(body: bytes) -> asyncpg.PostgresError:
    fields = [field for field in body.split(b"\x00") if field]
    return asyncpg.PostgresError.new(
        {chr(field[0]): field[1:].decode(errors="replace") for field in fields}
    )


_BEGIN, _COMMIT = _immediate("BEGIN"), _immediate("COMMIT")

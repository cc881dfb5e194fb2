"""Several statements in one round trip, which the driver has no way to send.

BEGIN, what binds the transaction, prepared statements and COMMIT are written at once, and
PostgreSQL answers them at once, too. Where one fails PostgreSQL skips the rest; the sender rolls
back. The messages are those of the chapter "Message Formats" in PostgreSQL's manual. The driver
makes the connection, and has it back between two round trips.
"""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from functools import lru_cache
from struct import Struct as Layout
from typing import Any
from weakref import WeakKeyDictionary

import asyncpg

from monigo.infra.db.connections import Connection, OwnConnection, cut
from monigo.infra.db.statements import Answer, Argument, Statement

_SHORT, _LONG = Layout("!h"), Layout("!i")
_NULL = _LONG.pack(-1)
# The formats of arguments, and the one of all results.
_BINARY, _TEXT = b"\x00\x01", b"\x00\x00"
_RESULTS_TEXT = b"\x00\x01\x00\x00"
_EXECUTE = b"E\x00\x00\x00\x09\x00\x00\x00\x00\x00"
_SYNC = b"S\x00\x00\x00\x04"
_PARSED, _ROW, _DONE, _FAILED, _READY = b"1DCEZ"
_COMMIT = "COMMIT"
# Of the bindings of so many tenants the messages are kept; about 1 MB.
IMMEDIATE_MAX = 4_096

_names = itertools.count()


class Pipeline(asyncio.Protocol):
    """A connection that takes several statements at once, while its driver rests."""

    def __init__(self, connection: Connection) -> None:
        # Where the driver keeps what it connected; it has no public name for it.
        self._transport: asyncio.Transport = connection._transport  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue] - see above
        self._driver: asyncio.Protocol = connection._protocol  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue] - as above
        self._loop = asyncio.get_running_loop()
        # The names of the statements that were prepared on it.
        self._prepared: dict[str, bytes] = {}
        self._answered: asyncio.Future[list[Answer]] | None = None
        self._rest = b""
        self._begin((), (), ())

    def _begin(
        self, opening: Sequence[str], statements: Sequence[Statement], closing: Sequence[str]
    ) -> None:
        self._answers: list[Answer] = []
        self._rows: list[tuple[Any, ...]] = []
        # How the rows of each are read that is still to be answered, the last of them first.
        self._reads = [
            *[()] * len(closing),
            *[one.reads for one in reversed(statements)],
            *[()] * len(opening),
        ]
        self._error: asyncpg.PostgresError | None = None
        self._parsed = 0

    async def run(
        self, opening: Sequence[str], statements: Sequence[Statement], *, is_end: bool
    ) -> list[Answer]:
        """Run statements after those of `opening`, which are sent as they are; what they answer.

        `is_end` commits in the same round trip. The same few statements come again and again: each
        is prepared once and stays so.

        Raises:
            PostgresError: what the first that failed failed with; the transaction is to be ended.
            ConnectionDoesNotExistError: the connection broke; whether it was done is unknown.
            InternalClientError: the transaction was none any more.
            CancelledError: the answers are still to come, so that the connection is to be cut.
        """
        closing = [_COMMIT] if is_end else []
        self._begin(opening, statements, closing)
        messages = [_immediate(one) for one in opening]
        parsed = [""] * len(opening)
        for statement in statements:
            name = self._prepared.get(statement.text)
            if name is None:
                name = b"pipelined_%d" % next(_names)
                messages.append(_parse(name, statement.text, statement.arguments))
                parsed.append(statement.text)
                self._prepared[statement.text] = name
            messages += (_bind(name, statement.arguments), _EXECUTE)
        messages += [_immediate(one) for one in closing]
        messages.append(_SYNC)
        self._answered = self._loop.create_future()
        self._transport.set_protocol(self)
        self._transport.write(b"".join(messages))
        try:
            answers = await self._answered
        finally:
            self._answered = None
            self._transport.set_protocol(self._driver)
            for text in parsed[self._parsed :]:
                self._prepared.pop(text, None)
        if is_end and answers[-1].tag != _COMMIT:
            raise asyncpg.InternalClientError("nothing was committed")
        return answers[len(opening) : len(opening) + len(statements)]

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
        if kind == _ROW:
            self._rows.append(_row(body, self._reads[-1]))
        elif kind == _DONE:
            self._answers.append(Answer(self._rows, body[:-1].decode()))
            self._rows = []
            self._reads.pop()
        elif kind == _PARSED:
            self._parsed += 1
        elif kind == _FAILED:
            self._error = self._error or _error(body)
        elif kind == _READY:
            self._finish()

    def _finish(self) -> None:
        if self._answered is None or self._answered.done():
            return
        if self._error is None:
            self._answered.set_result(self._answers)
        else:
            self._answered.set_exception(self._error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the waiting query, and notify the driver."""
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(
                self._error or asyncpg.ConnectionDoesNotExistError("the connection was closed")
            )
        self._driver.connection_lost(exc)


class Pipelines:
    """Runs statements on borrowed connections, several at once."""

    def __init__(self) -> None:
        self._pipelines: WeakKeyDictionary[OwnConnection, Pipeline] = WeakKeyDictionary()

    async def run(
        self,
        connection: Connection,
        opening: Sequence[str],
        statements: Sequence[Statement],
        *,
        is_end: bool,
    ) -> list[Answer]:
        """As `Pipeline.run`, on a connection, which is cut if the caller is cancelled meanwhile."""
        own: OwnConnection = connection._con  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType] - what the pool lends a face of
        pipeline = self._pipelines.get(own)
        if pipeline is None:
            pipeline = self._pipelines[own] = Pipeline(connection)
        try:
            return await pipeline.run(opening, statements, is_end=is_end)
        except asyncio.CancelledError:
            cut(connection)
            raise


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + _LONG.pack(len(body) + 4) + body


@lru_cache(IMMEDIATE_MAX)
def _immediate(statement: str) -> bytes:
    """What runs a statement without arguments under no name."""
    return _parse(b"", statement, ()) + _bind(b"", ()) + _EXECUTE


def _parse(name: bytes, statement: str, arguments: Sequence[Argument]) -> bytes:
    types = [_LONG.pack(argument.type_oid) for argument in arguments]
    parts = [name, b"\x00", statement.encode(), b"\x00", _SHORT.pack(len(types)), *types]
    return _message(b"P", b"".join(parts))


def _bind(name: bytes, arguments: Sequence[Argument]) -> bytes:
    count = _SHORT.pack(len(arguments))
    formats = [_TEXT if argument.is_text else _BINARY for argument in arguments]
    parts = [b"\x00", name, b"\x00", count, *formats, count]
    for argument in arguments:
        value = argument.value
        if value is None:
            parts.append(_NULL)
        else:
            parts += (_LONG.pack(len(value)), value)
    parts.append(_RESULTS_TEXT)
    return _message(b"B", b"".join(parts))


def _row(body: bytes, reads: Sequence[Callable[[str], Any]]) -> tuple[Any, ...]:
    """A row's values; those without a reading of their own are texts."""
    values: list[Any] = []
    start = 2
    for place in range(_SHORT.unpack_from(body)[0]):
        length = _LONG.unpack_from(body, start)[0]
        start += 4
        if length < 0:
            values.append(None)
        else:
            text = body[start : start + length].decode()
            values.append(reads[place](text) if place < len(reads) else text)
            start += length
    return tuple(values)


def _error(body: bytes) -> asyncpg.PostgresError:
    fields = [field for field in body.split(b"\x00") if field]
    return asyncpg.PostgresError.new(
        {chr(field[0]): field[1:].decode(errors="replace") for field in fields}
    )

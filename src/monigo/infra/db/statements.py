"""Arguments of statements as they are sent, and results as they are read.

The forms are those of PostgreSQL's binary protocol; rows are sent as its array and row literals.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from struct import Struct as Layout
from typing import Any
from uuid import UUID

import asyncpg
from asyncpg.pgproto import pgproto
from msgspec import Struct

from monigo.core.errors import DomainError

_LONG, _LONGLONG = Layout("!i"), Layout("!q")
_ARRAY_HEAD = Layout("!iiiii")
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INFINITY = _LONGLONG.pack(2**63 - 1)
_INTEGER_LENGTH, _LONGLONG_LENGTH, _UUID_LENGTH = map(_LONG.pack, (4, 8, 16))
# Left to the server to find out: of a type that has no fixed number.
_UNKNOWN_OID = 0


class Argument(Struct, frozen=True):
    """A statement's argument as it is sent: its type's OID and its binary form; None is NULL.

    Raises:
        DataError: a text that no UTF-8 holds.
    """

    type_oid: int
    value: bytes | None
    # Whether the form is a text's, in place of the binary one.
    is_text: bool = False

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
    def texts(values: Iterable[str]) -> "Argument":
        """An SQL text[]."""
        sent = [_encoded(value) for value in values]
        return Argument(1009, _array(25, [_LONG.pack(len(one)) + one for one in sent]))

    @staticmethod
    def integers(values: Iterable[int]) -> "Argument":
        """An SQL integer[]."""
        return Argument(1007, _even_array(23, _INTEGER_LENGTH, list(map(_LONG.pack, values))))

    @staticmethod
    def rows(rows: Iterable[Sequence[str]]) -> "Argument":
        """An array of a row type of ours, each of its columns as SQL writes it."""
        literals = [_quoted(f"({','.join([_quoted(one) for one in row])})") for row in rows]
        return Argument(_UNKNOWN_OID, _encoded(f"{{{','.join(literals)}}}"), is_text=True)

    @staticmethod
    def instant(value: datetime | None) -> "Argument":
        """An SQL timestamptz."""
        return Argument(1184, None if value is None else _instant_bytes(value))

    @staticmethod
    def instants(values: Sequence[datetime | None]) -> "Argument":
        """An SQL timestamptz[]; None is infinity."""
        sent = [_INFINITY if value is None else _instant_bytes(value) for value in values]
        return Argument(1185, _even_array(1184, _LONGLONG_LENGTH, sent))

    @staticmethod
    def uuid(value: UUID) -> "Argument":
        """An SQL uuid."""
        return Argument(2950, value.bytes)

    @staticmethod
    def uuids(values: Sequence[bytes]) -> "Argument":
        """An SQL uuid[] of ids that are 16 bytes each."""
        return Argument(2951, _even_array(2950, _UUID_LENGTH, values))


def _unchanged(_error: asyncpg.PostgresError) -> None:
    return None


class Statement(Struct, frozen=True):
    """A statement to be sent along with others; the tenant goes before its arguments.

    It has no text to interpolate and is always the same, so that each connection prepares it once.
    `reads` makes of each column's text what it stands for; columns beyond it stay texts. `refusal`
    says what an error of the database means to people, or None.
    """

    text: str
    arguments: Sequence[Argument]
    reads: Sequence[Callable[[str], Any]] = ()
    refusal: Callable[[asyncpg.PostgresError], DomainError | None] = _unchanged


class Answer(Struct, frozen=True):
    """What a statement answered: its rows, and its command's tag (`INSERT 0 1`)."""

    rows: list[tuple[Any, ...]]
    tag: str


def read_uuid(text: str) -> UUID:
    """An SQL uuid, of the driver's kind."""
    return pgproto.UUID(text)


def read_boolean(text: str) -> bool:
    """An SQL boolean."""
    return text == "t"


read_numeric: Callable[[str], Decimal] = Decimal
# In UTC, the time zone of all our connections.
read_instant: Callable[[str], datetime] = datetime.fromisoformat


def _instant_bytes(value: datetime) -> bytes:
    return _LONGLONG.pack((value - _POSTGRES_EPOCH) // _MICROSECOND)


def _even_array(type_oid: int, length: bytes, values: Sequence[bytes]) -> bytes:
    """An array of values that are all of one length."""
    return _array_head(type_oid, len(values)) + (length + length.join(values) if values else b"")


def _array(type_oid: int, elements: Sequence[bytes]) -> bytes:
    """An array of values that have their lengths before them."""
    return _array_head(type_oid, len(elements)) + b"".join(elements)


def _array_head(type_oid: int, count: int) -> bytes:
    head = _ARRAY_HEAD.pack(1 if count else 0, 0, type_oid, count, 1)
    return head if count else head[:12]


def _quoted(text: str) -> str:
    """A column of a row, or a row of an array, as their literals hold it."""
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise asyncpg.DataError(str(error)) from error


def joined(numbers: Iterable[Decimal]) -> str:
    """A column of numbers for `string_to_array(…, ',')::numeric[]`.

    The driver takes a microsecond to encode a number of an array, this a tenth; the database reads
    either as fast.
    """
    return ",".join(map(str, numbers))

"""Words and signs of an expression, each with the column at which it begins."""

import re
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from monigo.core.expressions.errors import fault_at

# White space is between tokens; a longer sign is tried before the shorter one that begins it.
_TOKEN = re.compile(
    r"[ \t\r\n]*(?:(?P<number>[0-9]+(?:\.[0-9]+)?(?![0-9A-Za-z_.]))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign><=|>=|!=|[-+*/(),=<>])|(?P<end>\Z))"
)


class Kind(StrEnum):
    """What a token is."""

    NUMBER = "number"
    NAME = "name"
    SIGN = "sign"
    END = "end"


class Token(Struct, frozen=True):
    """A word or sign, and its column, counted from 1."""

    kind: Kind
    text: str
    column: int


def tokens_of(text: str) -> Iterator[Token]:
    """The tokens of a text, and one that marks its end.

    Raises:
        ExpressionError: names the column of what is no token.
    """
    position = 0
    while True:
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            skipped = len(text) - len(text[position:].lstrip(" \t\r\n"))
            raise fault_at(skipped + 1, "is neither a number, a name nor a sign")
        kind = Kind(found.lastgroup)
        yield Token(kind, found[kind.value], found.start(kind.value) + 1)
        if kind is Kind.END:
            return
        position = found.end()

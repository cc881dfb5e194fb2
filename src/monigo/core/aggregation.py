"""What a metric counts, and which event properties are numbers."""

import re
from decimal import Decimal
from enum import StrEnum

from monigo.core.errors import ensure
from monigo.core.money import ROUNDING

PROPERTY_INTEGER_DIGITS_MAX = 18
PROPERTY_PLACES = 12

# SQL reads events by the same pattern, so that Python and the database agree on what a number is.
# Its digits are counted again once it is rounded.
NUMBER_PATTERN = rf"^-?[0-9]{{1,{PROPERTY_INTEGER_DIGITS_MAX}}}(\.[0-9]+)?$"

_NUMBER = re.compile(NUMBER_PATTERN)
# An int, because comparing a huge one with a Decimal would write out its digits.
_LIMIT = 10**PROPERTY_INTEGER_DIGITS_MAX
_STEP = Decimal(1).scaleb(-PROPERTY_PLACES)


class Aggregation(StrEnum):
    """How the events of a period become one quantity."""

    COUNT = "count"
    SUM = "sum"
    MAX = "max"
    MINIMUM = "minimum"
    AVERAGE = "average"
    UNIQUE = "unique"


_WITHOUT_NUMBERS = frozenset({Aggregation.COUNT, Aggregation.UNIQUE})


def needs_property(aggregation: Aggregation) -> bool:
    """Whether the metric must name the property that it looks at."""
    return aggregation is not Aggregation.COUNT


def counts_numbers(aggregation: str) -> bool:
    """Whether the metric is made of numbers, so that an event without one is not counted in it."""
    return aggregation not in _WITHOUT_NUMBERS


def numeric_property(value: object) -> Decimal | None:
    """The number in an event's property, or None where it counts for `count` only.

    `value` is decoded JSON with its fractions as Decimal. More than twelve decimals are rounded
    half to even, and a number that then has 19 digits before the point is too large (behaviour
    page, Money and quantities).
    """
    number = _number_as_sent(value)
    if number is None:
        return None
    rounded = _round(number)
    return rounded if rounded.adjusted() < PROPERTY_INTEGER_DIGITS_MAX else None


def _number_as_sent(value: object) -> Decimal | None:
    """The exact number, or None for what is none or is too large however it may be rounded."""
    match value:
        # fullmatch, because Python's $ would let a trailing newline pass.
        case str() if _NUMBER.fullmatch(value):
            return Decimal(value)
        case int() if not isinstance(value, bool) and abs(value) < _LIMIT:
            return Decimal(value)
        # Looked at before it is worked with: 1e999999999 has a billion digits.
        case Decimal() if value.is_finite() and (
            not value or value.adjusted() < PROPERTY_INTEGER_DIGITS_MAX
        ):
            return value
        case _:
            return None


def _round(number: Decimal) -> Decimal:
    """Half to even at twelve places."""
    # Unary plus turns a negative zero, which would print as "-0", into zero.
    return ROUNDING.plus(number.quantize(_STEP, context=ROUNDING))


def round_average(total: Decimal, count: int) -> Decimal:
    """`total` ÷ `count`, half to even at twelve places; `count` is at least one."""
    ensure(count > 0, "an average is over at least one number")
    # The quotient keeps 80 digits, so that rounding it once more can't turn a non-tie into a tie.
    return _round(ROUNDING.divide(total, Decimal(count)))

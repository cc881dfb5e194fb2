"""What a metric counts, and which event properties are numbers."""

import re
from decimal import Decimal
from enum import StrEnum

from monigo.core.errors import ensure
from monigo.core.money import ROUNDING

AVERAGE_PLACES = 12

PROPERTY_INTEGER_DIGITS_MAX = 18
PROPERTY_PLACES = 12

# SQL folds events by the same pattern, so that Python and the database agree on what a number
# is. It is matched against the text of a property, with a JSON number's exponent expanded.
QUANTITY_PATTERN = r"^-?[0-9]{1,18}(\.[0-9]{1,12})?$"

_QUANTITY = re.compile(QUANTITY_PATTERN)


class Aggregation(StrEnum):
    """How the events of a period become one quantity."""

    COUNT = "count"
    SUM = "sum"
    MAX = "max"
    MINIMUM = "minimum"
    AVERAGE = "average"
    UNIQUE = "unique"


def needs_property(aggregation: Aggregation) -> bool:
    """Whether the metric must name the property that it looks at."""
    return aggregation is not Aggregation.COUNT


def numeric_property(value: object) -> Decimal | None:
    """The number in an event's property, or None where it counts for `count` only.

    `value` is decoded JSON with its fractions as Decimal (behaviour page, Money and quantities).
    """
    text = _plain_text(value)
    # fullmatch, because Python's $ would let a trailing newline pass.
    return Decimal(text) if text is not None and _QUANTITY.fullmatch(text) else None


def _plain_text(value: object) -> str | None:
    """What PostgreSQL's ->> gives for a property, or None for what can't be a quantity."""
    match value:
        case str():
            return value
        case int() if not isinstance(value, bool):
            return str(value) if abs(value) < 10**PROPERTY_INTEGER_DIGITS_MAX else None
        case Decimal() if value.is_finite():
            return _expanded(value)
        case _:
            return None


def _expanded(value: Decimal) -> str | None:
    if not value and value.adjusted() > 0:
        return "0"
    # Checked before expanding: 1e999999999 would write a gigabyte of zeros.
    if not -PROPERTY_PLACES <= value.adjusted() < PROPERTY_INTEGER_DIGITS_MAX:
        return None
    return f"{value:f}"


def round_average(total: Decimal, count: int) -> Decimal:
    """`total` ÷ `count`, half to even at twelve places; `count` is at least one."""
    ensure(count > 0, "an average is over at least one number")
    # The quotient keeps 80 digits, so that rounding it once more can't turn a non-tie into a tie.
    quotient = ROUNDING.divide(total, Decimal(count))
    step = Decimal(1).scaleb(-AVERAGE_PLACES)
    return ROUNDING.plus(quotient.quantize(step, context=ROUNDING))

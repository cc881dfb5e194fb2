"""Which JSON values PostgreSQL's jsonb can hold."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

# What jsonb can hold of a number, with room to spare; far beyond what counts as a quantity.
NUMBER_DIGITS_MAX = 1_000
# Deeper nesting than any real data has; jsonb's own parser would run out of stack much later.
DEPTH_MAX = 100


def storage_fault(value: Any, depth: int = 0) -> str | None:
    """Why jsonb could not hold a value (numbers as int or Decimal), or None."""
    if depth > DEPTH_MAX:
        return f"is nested more than {DEPTH_MAX} deep"
    match value:
        case str():
            return _text_fault(value)
        case Decimal() | int():
            return _number_fault(Decimal(value))
        case dict():
            return _first_fault([*value.keys(), *value.values()], depth)
        case list():
            return _first_fault(value, depth)
        case _:
            return None


def _number_fault(number: Decimal) -> str | None:
    _, digits, exponent = number.as_tuple()
    if isinstance(exponent, int) and len(digits) + abs(exponent) <= NUMBER_DIGITS_MAX:
        return None
    return f"holds a number of more than {NUMBER_DIGITS_MAX} digits"


def _first_fault(values: Iterable[Any], depth: int) -> str | None:
    faults = (storage_fault(value, depth + 1) for value in values)
    return next((fault for fault in faults if fault), None)


def _text_fault(text: str) -> str | None:
    if "\x00" in text:
        return "must not hold a NUL character"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "must not hold half of a surrogate pair"
    return None

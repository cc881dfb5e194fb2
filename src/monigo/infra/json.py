"""JSON in and out without floats: numbers with a fraction are Decimals."""

import json
from decimal import Decimal
from typing import Any

import msgspec

# Beyond it a double is infinite, and the fraction is less than a 300th digit.
_FLOAT_LIMIT = Decimal("1e308")

_encoder = msgspec.json.Encoder(decimal_format="number")
_canonical_encoder = msgspec.json.Encoder(decimal_format="number", order="sorted")


def _refuse_constant(name: str) -> Any:
    raise json.JSONDecodeError(f"{name} is not a JSON number", name, 0)


def decode(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        json.JSONDecodeError: malformed, or holding NaN or Infinity.
        UnicodeDecodeError: bytes in another encoding than UTF-8, which is JSON's.
    """
    if isinstance(text, bytes):
        text = text.decode()
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)


def encode(value: Any) -> str:
    """The JSON text of a value; a Decimal becomes a number with all its digits."""
    return _encoder.encode(value).decode()


def canonical(value: Any) -> bytes:
    """One text for equal values, whatever the order of their keys; for fingerprints."""
    return _canonical_encoder.encode(value)


def exact_floats(value: Any) -> Any:
    """Let serializers that write floats only write a Decimal's own digits.

    A Decimal becomes the nearest double, whose shortest text is the stored number for up to 15
    digits; whole numbers, and those that no double can hold, are written whole. For free-form
    metadata only, never for money.
    """
    match value:
        case Decimal():
            is_whole = value == value.to_integral_value() or abs(value) >= _FLOAT_LIMIT
            return int(value) if is_whole else float(value)
        case dict():
            return {key: exact_floats(item) for key, item in value.items()}
        case list():
            return [exact_floats(item) for item in value]
        case _:
            return value

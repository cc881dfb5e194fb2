"""Requests: pydantic's models, and how text, times, ids and decimals are read from the wire.

Requests stay with pydantic, which reports all faults of a body at once; msgspec would stop at the
first. They come one at a time, so that reading them costs nothing that would be noticed; where they
come by the thousand, as events do, msgspec reads them.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    WithJsonSchema,
)

from monigo.api.kernel.wire.local_days import day_start
from monigo.core.ids import parse_id
from monigo.core.jsonb import storage_fault
from monigo.core.money import MONEY_PLACES, parse_decimal
from monigo.core.times import parse_day, parse_instant
from monigo.infra import json

NAME_LENGTH_MAX = 255
TEXT_LENGTH_MAX = 5_000
METADATA_BYTES_MAX = 64 * 1024
RATE_PLACES = 4
RATE_DIGITS = 3
WHOLE_DIGITS_MAX = 9
LONG_WHOLE_DIGITS_MAX = 16
# Go's zero time, which its clients send for "not set".
ZERO_YEAR = 1


class Incoming(BaseModel):
    """A request body. Unknown fields are ignored, so that newer clients work."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=False)

    def given(self, *fields: str) -> dict[str, Any]:
        """The named fields that the client sent, null counting as not sent."""
        return {
            field: value
            for field in fields
            if field in self.model_fields_set and (value := getattr(self, field)) is not None
        }


def _storable(text: str) -> str:
    fault = storage_fault(text)
    if fault:
        raise ValueError(fault)
    return text


def _metadata(value: Any) -> Any:
    value = {} if value is None else value
    fault = storage_fault(value) if isinstance(value, dict) else "must be an object"
    if fault is None and len(json.encode(value)) > METADATA_BYTES_MAX:
        fault = f"must be at most {METADATA_BYTES_MAX} bytes"
    if fault is not None:
        raise ValueError(fault)
    return value


def _instant(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    day = parse_day(str(value))
    if day is not None:
        return day_start(day)
    instant = parse_instant(str(value))
    return None if instant.year == ZERO_YEAR else instant


def _uuid(value: object) -> UUID:
    if isinstance(value, UUID):
        return value
    parsed = parse_id(value)
    if parsed is None:
        raise ValueError("must be a UUID")
    return parsed


def _rate(value: object) -> Decimal:
    return parse_decimal(value, places=RATE_PLACES, integer_digits=RATE_DIGITS)


def _amount(value: object) -> Decimal:
    amount = parse_decimal(value, places=MONEY_PLACES)
    if amount <= 0:
        raise ValueError("must be above zero")
    return amount


def _amount_or_zero(value: object) -> Decimal:
    amount = parse_decimal(value, places=MONEY_PLACES)
    if amount < 0:
        raise ValueError("must not be negative")
    return amount


def _whole(value: object, digits_max: int = WHOLE_DIGITS_MAX) -> object:
    """Read a JSON number with a zero fraction, too; pydantic would write 1e999999999 out first."""
    match value:
        case bool():
            pass
        case int() | None:
            return value
        case Decimal() if value.is_finite() and value.adjusted() < digits_max:
            if value == value.to_integral_value():
                return int(value)
        case _:
            pass
    raise ValueError("must be a whole number")


def _long_whole(value: object) -> object:
    return _whole(value, LONG_WHOLE_DIGITS_MAX)


def empty_as_none(value: object) -> object:
    """Go clients send "" for what is not set."""
    return None if value == "" else value


def also_spelled(spellings: Mapping[str, str]) -> BeforeValidator:
    """Read a word in other spellings, too, and "" as not set; answers keep the contract's."""

    def read(value: object) -> object:
        known = spellings.get(value, value) if isinstance(value, str) else value
        return empty_as_none(known)

    return BeforeValidator(read)


# American and British.
CANCELED = {"cancelled": "canceled"}
Name = Annotated[str, StringConstraints(max_length=NAME_LENGTH_MAX), AfterValidator(_storable)]
Text = Annotated[str, StringConstraints(max_length=TEXT_LENGTH_MAX), AfterValidator(_storable)]
Metadata = Annotated[
    Any, BeforeValidator(_metadata), WithJsonSchema({"type": "object", "default": {}})
]
# A time, or a day that stands for its midnight in the organisation's zone.
InstantIn = Annotated[
    datetime | None,
    BeforeValidator(_instant),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
                {"type": "null"},
            ]
        }
    ),
]
# In paths, a text that is no UUID is unknown: 404. In bodies it is a 400 that names the field.
Id = Annotated[UUID, BeforeValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
# Sent: above zero, at most six places.
Amount = Annotated[
    Decimal,
    BeforeValidator(_amount),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": r"^\d+(\.\d+)?$"}, {"type": "number"}]}
    ),
]
AmountOrZero = Annotated[
    Decimal,
    BeforeValidator(_amount_or_zero),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": r"^\d+(\.\d+)?$"}, {"type": "number"}]}
    ),
]
RateIn = Annotated[
    Decimal,
    BeforeValidator(_rate),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100, "examples": [7.5]}),
]
Whole = Annotated[int, BeforeValidator(_whole), WithJsonSchema({"type": "integer"})]
LongWhole = Annotated[int, BeforeValidator(_long_whole), WithJsonSchema({"type": "integer"})]

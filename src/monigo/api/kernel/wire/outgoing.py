"""Answers: structs that stand on the wire as they are, and the one encoder of them all.

A field holds what is written: an amount its text, an instant a datetime in UTC, which the encoder
writes with `Z`. Money and quantities are never numbers, so no Decimal is left to the encoder.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from starlette.responses import Response

from monigo.core.money import format_money

encode = msgspec.json.Encoder().encode

# In UTC, so that it is written with `Z`.
Instant = Annotated[datetime, Meta(tz=True)]
Money = Annotated[str, Meta(pattern=r"^-?\d+\.\d{6}$", examples=["1500.000000"])]
UnitPrice = Annotated[str, Meta(pattern=r"^-?\d+\.\d{6,12}$", examples=["2.000000"])]
Quantity = Annotated[str, Meta(pattern=r"^-?\d+(\.\d+)?$", examples=["12500"])]
RateText = Annotated[str, Meta(examples=["7.5"])]
# What `json.exact_floats` makes of a Decimal; the contract wants JSON numbers here.
Number = Annotated[Any, Meta(extra_json_schema={"type": "number"})]
RateNumber = Annotated[Number, Meta(examples=[7.5])]
# What `json.exact_floats` makes of an object.
FreeForm = Annotated[Any, Meta(extra_json_schema={"type": "object"})]
Uncounted = Annotated[
    int,
    Meta(
        description="events without a number that the metric could count, so left out of its"
        " value; on a line those of the price's whole usage"
    ),
]


class Outgoing(Struct, frozen=True, gc=False):
    """What an answer consists of. Nothing in it leads back to it, so that it is no garbage."""


class ListEnvelope(Outgoing, frozen=True):
    """The fields of every list beside its items."""

    count: Annotated[int, Meta(description="rows in this answer")]
    total: Annotated[int, Meta(description="rows in all")]
    has_more: bool


class Message(Outgoing, frozen=True):
    """A plain answer."""

    message: str


def money_or_null(amount: Decimal | None) -> Money | None:
    """An amount that there may be none of."""
    return None if amount is None else format_money(amount)


class Answer(Response):
    """An answer that consists of a struct."""

    media_type = "application/json"

    def render(self, content: Struct) -> bytes:
        """The JSON text."""
        return encode(content)

"""Prices in the document: one type for each pricing model, in requests and in answers.

`core` reads prices, older forms too, and reports all faults at once; responses have its canonical
form. Tests compare both with these types.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from monigo.api.kernel.wire.openapi import Form, describe_forms, reference
from monigo.api.kernel.wire.outgoing import Outgoing, Quantity, RateText, UnitPrice
from monigo.core.pricing import MODEL_ALIASES, PricingModel

_NUMBER = {"anyOf": [{"type": "string"}, {"type": "number"}]}
NumberIn = Annotated[Any, Meta(extra_json_schema=_NUMBER)]
NullableIn = Annotated[
    Any, Meta(extra_json_schema={"anyOf": [*_NUMBER["anyOf"], {"type": "null"}]})
]
# Whole where it can be, as published clients read it; text where a fraction must stay exact.
Limit = int | Quantity


class TierIn(Struct):
    """A rate, and the quantity up to which it holds; null in the last tier."""

    unit_amount: Annotated[NumberIn, Meta(examples=["5"])]
    up_to: Annotated[NullableIn, Meta(examples=[1000])] = None


class PackageIn(Struct):
    """Units sold in blocks."""

    package_size: Annotated[NumberIn, Meta(examples=[1000])]
    package_price: Annotated[
        NullableIn, Meta(description="older clients send it as `unit_price`", examples=["500"])
    ] = None
    round_up_partial_block: bool | None = True


class OverageIn(Struct):
    """A base price, and a rate for what exceeds the included units."""

    included_units: Annotated[NullableIn, Meta(examples=[10_000])] = None
    base_price: Annotated[NullableIn, Meta(examples=["0"])] = None
    overage_price: Annotated[
        NullableIn, Meta(description="older clients send it as `unit_price`", examples=["1.5"])
    ] = None


class PercentageIn(Struct):
    """A share of the sum (0.015 is 1.5 %), and a fixed price for each event."""

    rate: Annotated[NumberIn, Meta(examples=["0.015"])]
    fixed: Annotated[NullableIn, Meta(examples=["100"])] = None


class TierOut(Outgoing, frozen=True):
    """A rate, and the quantity up to which it holds; null in the last tier."""

    up_to: Limit | None
    unit_amount: UnitPrice


class PackageOut(Outgoing, frozen=True):
    """Units sold in blocks."""

    package_size: Limit
    package_price: UnitPrice
    round_up_partial_block: bool


class OverageOut(Outgoing, frozen=True):
    """A base price, and a rate for what exceeds the included units."""

    included_units: Limit
    base_price: UnitPrice
    overage_price: UnitPrice


class PercentageOut(Outgoing, frozen=True):
    """A share of the sum (0.015 is 1.5 %), and a fixed price for each event."""

    rate: RateText
    fixed: UnitPrice


STRUCTS = (
    *(TierIn, PackageIn, OverageIn, PercentageIn),
    *(TierOut, PackageOut, OverageOut, PercentageOut),
)

_TIERS_IN = {"type": "array", "items": reference(TierIn), "minItems": 1}
_TIERS_OUT = {"type": "array", "items": reference(TierOut)}
_TIERED = (PricingModel.TIERED, PricingModel.VOLUME, PricingModel.WEIGHTED_TIERED)

# By model, the properties that differ from the object's own.
_SENT: Mapping[PricingModel, Mapping[str, dict[str, Any] | None]] = {
    PricingModel.FLAT_UNIT: {"unit_price": {**_NUMBER, "examples": ["2.000000"]}, "tiers": None},
    **{model: {"unit_price": None, "tiers": _TIERS_IN} for model in _TIERED},
    PricingModel.PACKAGE: {"tiers": reference(PackageIn)},
    PricingModel.OVERAGE: {"tiers": {"anyOf": [reference(OverageIn), _TIERS_IN, {"type": "null"}]}},
    PricingModel.PERCENTAGE: {"unit_price": None, "tiers": reference(PercentageIn)},
}
_ANSWERED: Mapping[PricingModel, Mapping[str, dict[str, Any] | None]] = {
    PricingModel.FLAT_UNIT: {"tiers": {"type": "null"}},
    **{model: {"tiers": _TIERS_OUT} for model in _TIERED},
    PricingModel.PACKAGE: {"tiers": reference(PackageOut)},
    PricingModel.OVERAGE: {"tiers": reference(OverageOut)},
    PricingModel.PERCENTAGE: {"tiers": reference(PercentageOut)},
}
_REQUIRED = {
    PricingModel.FLAT_UNIT: frozenset({"unit_price"}),
    PricingModel.OVERAGE: frozenset[str](),
}


def describe_price_forms(document: dict[str, Any]) -> None:
    """Describe each object that holds a price as one type for each pricing model."""
    sent = [
        _form(model, _words(model), own, _REQUIRED.get(model, frozenset({"tiers"})))
        for model, own in _SENT.items()
    ]
    answered = [_form(model, _words(model), own) for model, own in _ANSWERED.items()]
    canonical = [_form(model, [model.value], own) for model, own in _ANSWERED.items()]
    for name, forms in (
        ("PriceIn", sent),
        ("OverrideIn", sent),
        ("PriceOut", answered),
        ("OverrideOut", answered),
        ("PriceThenOut", canonical),
    ):
        describe_forms(document, name, discriminator="model", forms=forms)
    # Without a model these are of the model that the override has.
    tiers = [_TIERS_IN, *(reference(one) for one in (PackageIn, OverageIn, PercentageIn))]
    update = document["components"]["schemas"]["OverrideUpdate"]["properties"]
    update["tiers"]["anyOf"] = [*tiers, {"type": "null"}]


def _words(model: PricingModel) -> Sequence[str]:
    """What clients call a model: its name, and the aliases that are echoed as they were sent."""
    return [model.value, *(alias for alias, meant in MODEL_ALIASES.items() if meant is model)]


def _form(
    model: PricingModel,
    words: Sequence[str],
    own: Mapping[str, dict[str, Any] | None],
    required: frozenset[str] = frozenset(),
) -> Form:
    return Form(model.value.title().replace("_", ""), words, own, required)

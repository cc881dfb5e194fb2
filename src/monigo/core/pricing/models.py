"""Pricing models and charges: pure functions from a quantity to an exact amount.

The rules are those of the behaviour page, Prices. Quantities may be fractional. How a price is
read from what clients send, and written, stands in `forms`.
"""

from collections.abc import Mapping
from decimal import Decimal, localcontext
from enum import StrEnum

from msgspec import Struct

from monigo.core.money import EXACT, round_amount

_ZERO = Decimal(0)


class PricingModel(StrEnum):
    """How a quantity becomes an amount."""

    FLAT_UNIT = "flat_unit"
    TIERED = "tiered"
    VOLUME = "volume"
    WEIGHTED_TIERED = "weighted_tiered"
    PACKAGE = "package"
    OVERAGE = "overage"
    PERCENTAGE = "percentage"


MODEL_ALIASES: Mapping[str, PricingModel] = {
    "flat": PricingModel.FLAT_UNIT,
    "per_unit": PricingModel.FLAT_UNIT,
    "graduated": PricingModel.TIERED,
}


class Tier(Struct, frozen=True):
    """A rate and the cumulative quantity, inclusive, up to which it holds; None: without end."""

    up_to: Decimal | None
    unit_amount: Decimal


class FlatUnit(Struct, frozen=True):
    """Each unit costs the same."""

    unit_price: Decimal


class Tiered(Struct, frozen=True):
    """Each unit costs the rate of the tier that it falls in."""

    tiers: tuple[Tier, ...]


class Volume(Struct, frozen=True):
    """All units cost the rate of the tier that the whole quantity falls in."""

    tiers: tuple[Tier, ...]


class WeightedTiered(Struct, frozen=True):
    """As Tiered, but shown to the customer as one blended rate."""

    tiers: tuple[Tier, ...]


class Package(Struct, frozen=True):
    """Units are sold in blocks; a block begun is due in full, or free if not rounded up."""

    package_size: Decimal
    package_price: Decimal
    round_up_partial_block: bool


class Overage(Struct, frozen=True):
    """A base price, due without usage too, and a rate for what exceeds the included units."""

    included_units: Decimal
    base_price: Decimal
    overage_price: Decimal


class Percentage(Struct, frozen=True):
    """A share of the sum (0.015 is 1.5 %), and a fixed price for each event."""

    rate: Decimal
    fixed: Decimal


PriceModel = FlatUnit | Tiered | Volume | WeightedTiered | Package | Overage | Percentage


class Charge(Struct, frozen=True):
    """What one price charges for a period: its model, and what is added to and bounds that."""

    model: PriceModel
    flat_fee: Decimal = _ZERO
    minimum_amount: Decimal | None = None
    maximum_amount: Decimal | None = None


def price(model: PriceModel, quantity: Decimal, event_count: int = 0) -> Decimal:
    """The exact, unrounded amount for a quantity of at most 38 digits.

    Only Percentage looks at the events. A negative quantity (refund events) gives a negative
    amount for FlatUnit and Percentage and counts as 0 for the others.
    """
    with localcontext(EXACT):
        return _price(model, quantity, event_count)


def _price(model: PriceModel, quantity: Decimal, event_count: int) -> Decimal:
    """As `price`, in the context of the caller."""
    counted = max(quantity, _ZERO)
    match model:
        case FlatUnit(unit_price):
            return quantity * unit_price
        case Tiered(tiers) | WeightedTiered(tiers):
            return _tier_by_tier(tiers, counted)
        case Volume(tiers):
            return counted * _rate_at(tiers, counted)
        case Package():
            return _blocks(model, counted) * model.package_price
        case Overage():
            exceeding = max(counted - model.included_units, _ZERO)
            return model.base_price + exceeding * model.overage_price
        case Percentage(rate, fixed):
            return rate * quantity + fixed * event_count


def amount_due(
    charge: Charge, quantity: Decimal, *, event_count: int, with_minimum: bool = True
) -> Decimal:
    """What a price comes to in a period, rounded half-even to six places.

    min(maximum, max(minimum, price + flat fee)). A realtime period that is still running leaves
    the minimum out: it falls due only when the period closes.
    """
    with localcontext(EXACT):
        amount = _price(charge.model, quantity, event_count) + charge.flat_fee
    if with_minimum and charge.minimum_amount is not None:
        amount = max(charge.minimum_amount, amount)
    if charge.maximum_amount is not None:
        amount = min(charge.maximum_amount, amount)
    return round_amount(amount)


def _tier_by_tier(tiers: tuple[Tier, ...], quantity: Decimal) -> Decimal:
    total = below = _ZERO
    for tier in tiers:
        reached = quantity if tier.up_to is None else min(quantity, tier.up_to)
        if reached <= below:
            break
        total += (reached - below) * tier.unit_amount
        below = reached
    return total


def _rate_at(tiers: tuple[Tier, ...], quantity: Decimal) -> Decimal:
    return next(tier.unit_amount for tier in tiers if tier.up_to is None or quantity <= tier.up_to)


def _blocks(package: Package, quantity: Decimal) -> Decimal:
    whole, rest = divmod(quantity, package.package_size)
    return whole + 1 if rest and package.round_up_partial_block else whole

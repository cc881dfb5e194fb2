"""What a price comes to, written anew from the behaviour page.

It shares no code with the system that it is held against: amounts are fractions.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

PLACES = {"NGN": 2, "XOF": 0}


@dataclass(frozen=True)
class Spec:
    """A price as it was sent."""

    metric: str
    model: str
    unit_price: str | None = None
    tiers: Any = None
    flat_fee: str | None = None
    minimum: str | None = None
    maximum: str | None = None

    def body(self, price_id: str | None = None) -> dict[str, Any]:
        """The price on the wire."""
        fields = {
            "id": price_id,
            "metric_id": self.metric,
            "model": self.model,
            "unit_price": self.unit_price,
            "tiers": self.tiers,
            "flat_fee": self.flat_fee,
            "minimum_amount": self.minimum,
            "maximum_amount": self.maximum,
        }
        return {name: value for name, value in fields.items() if value is not None}


def amount_of(spec: Spec, quantity: Decimal, count: int, *, with_minimum: bool = True) -> Fraction:
    """min(maximum, max(minimum, model + flat fee)), half to even at six places."""
    amount = model_of(spec, Fraction(quantity), count) + Fraction(spec.flat_fee or 0)
    if spec.minimum is not None and with_minimum:
        amount = max(Fraction(spec.minimum), amount)
    if spec.maximum is not None:
        amount = min(Fraction(spec.maximum), amount)
    return Fraction(round(amount * 10**6), 10**6)


def model_of(spec: Spec, q: Fraction, count: int) -> Fraction:
    """The exact amount of a quantity."""
    tiers = spec.tiers
    if spec.model == "flat_unit":
        return q * Fraction(spec.unit_price or 0)
    if spec.model == "percentage":
        return q * Fraction(tiers["rate"]) + count * Fraction(tiers["fixed"])
    q = max(q, Fraction(0))
    if spec.model == "package":
        blocks, rest = divmod(q, Fraction(tiers["package_size"]))
        if rest and tiers["round_up_partial_block"]:
            blocks += 1
        return blocks * Fraction(tiers["package_price"])
    if spec.model == "overage":
        beyond = max(Fraction(0), q - Fraction(tiers["included_units"]))
        return Fraction(tiers["base_price"]) + beyond * Fraction(tiers["overage_price"])
    if spec.model == "volume":
        for tier in tiers:
            if tier["up_to"] is None or q <= Fraction(tier["up_to"]):
                return q * Fraction(tier["unit_amount"])
    total, lower = Fraction(0), Fraction(0)
    for tier in tiers:
        upper = q if tier["up_to"] is None else min(q, Fraction(tier["up_to"]))
        total += max(Fraction(0), upper - lower) * Fraction(tier["unit_amount"])
        lower = max(lower, upper)
    return total


def to_minor_unit(amount: Fraction, currency: str) -> Fraction:
    """Half away from zero."""
    scaled = abs(amount) * 10 ** PLACES[currency]
    whole = (scaled + Fraction(1, 2)).__floor__()
    return Fraction(whole if amount >= 0 else -whole, 10 ** PLACES[currency])

"""Splits a price's amount by the values of its metric's `group_by`. Pure.

A price is priced once over the whole quantity; its amount is then split over the values, so that
the parts add up to it exactly. The delta rule holds for each value as it does for the price: what
is due is the value's part so far, less what live invoices billed under that value.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Context, Decimal, localcontext

from msgspec import Struct

from monigo.core.money import EXACT, MONEY_PLACES
from monigo.core.pricing import FlatUnit, Percentage, PriceModel

# Lines of one price that somebody still reads; the rest is one line, `other`.
GROUPS_MAX = 100
OTHER = "other"

_ZERO = Decimal(0)
_MONEY_STEP = Decimal(1).scaleb(-MONEY_PLACES)
# Toward zero, so that what rounding leaves has the amount's own sign and can turn no part around.
_DOWN = Context(prec=EXACT.prec, rounding=ROUND_DOWN)


class Part(Struct, frozen=True):
    """One value's share of a price's whole quantity and amount in a period."""

    group_value: str
    quantity: Decimal
    amount: Decimal


def split(
    model: PriceModel,
    amount: Decimal,
    quantities: Mapping[str, Decimal],
    *,
    billed: Sequence[str],
) -> list[Part]:
    """The amount over the values (at least one), pro rata of their quantities.

    The remainder falls on the largest share, or the largest quantity where there are no shares.
    Largest parts come first. Beyond 100 values the smallest become `other`; one that already has a
    line of its own keeps it.
    """
    if len(quantities) == 1:
        ((value, quantity),) = quantities.items()
        return [Part(value, quantity, amount)]
    named = _named(quantities, billed)
    with localcontext(EXACT):
        amounts = _amounts(model, amount, named)
        largest = max(named, key=lambda value: (abs(amounts[value]), abs(named[value]), value))
        amounts[largest] += amount - sum(amounts.values(), _ZERO)
    parts = [Part(value, named[value], amounts[value]) for value in named]
    return sorted(parts, key=lambda part: (-abs(part.quantity), part.group_value))


def described(description: str, group_value: str) -> str:
    """How a line is called, such as "Tokens (gpt-4)"; without a value only by its metric."""
    return f"{description} ({group_value})" if group_value else description


def undescribed(description: str, group_value: str) -> str:
    """The metric's name in what `described` made."""
    return description.removesuffix(f" ({group_value})") if group_value else description


def _named(quantities: Mapping[str, Decimal], billed: Sequence[str]) -> dict[str, Decimal]:
    """At most 100 values with their quantities, and the others' sum as `other`."""
    # Once there is `other`, an event whose own value is "other" can only belong to it.
    apart = sorted(
        (value for value in quantities if value != OTHER),
        key=lambda value: (value not in billed, -abs(quantities[value]), value),
    )
    named = {value: quantities[value] for value in apart[:GROUPS_MAX]}
    rest = quantities.keys() - named.keys()
    if rest:
        with localcontext(EXACT):
            named[OTHER] = sum((quantities[value] for value in rest), _ZERO)
    return named


def _amounts(
    model: PriceModel, amount: Decimal, quantities: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """Each value's share, cut to six places; what is left over is still to be given."""
    rate = _rate(model)
    if rate is not None and min(quantities.values()) < 0 < max(quantities.values()):
        # Values may cancel out, so that shares of the sum mean nothing.
        return {value: _cut(of * rate) for value, of in quantities.items()}
    weights = quantities
    if rate is None:
        # Elsewhere a negative quantity counts as 0 (behaviour page, Prices).
        weights = {value: max(of, _ZERO) for value, of in quantities.items()}
    total = sum(weights.values(), _ZERO)
    if not total:
        return dict.fromkeys(weights, _ZERO)
    return {value: _cut(_DOWN.divide(amount * of, total)) for value, of in weights.items()}


def _rate(model: PriceModel) -> Decimal | None:
    """What each unit adds, or a refunded one takes; None for a model that knows no refunds."""
    match model:
        case FlatUnit(unit_price):
            return unit_price
        case Percentage(rate, _):
            return rate
        case _:
            return None


def _cut(amount: Decimal) -> Decimal:
    return amount.quantize(_MONEY_STEP, context=_DOWN)

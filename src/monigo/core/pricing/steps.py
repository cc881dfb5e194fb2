"""How a price comes to its amount, step by step, for a person who checks it with pencil and paper.

The steps are computed by themselves, not asked of `pricing`: a test compares the two.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext

from msgspec import Struct

from monigo.core.money import EXACT, format_decimal, round_amount
from monigo.core.pricing.models import (
    Charge,
    FlatUnit,
    Overage,
    Package,
    Percentage,
    PriceModel,
    Tier,
    Tiered,
    Volume,
    WeightedTiered,
)

_ZERO = Decimal(0)


class Step(Struct, frozen=True):
    """One step: what it adds (or takes, below zero), and what all steps so far come to. Exact."""

    text: str
    amount: Decimal
    total: Decimal


class Steps:
    """Steps one after the other, each with the total that it leads to."""

    def __init__(self) -> None:
        self._steps: list[Step] = []

    @property
    def total(self) -> Decimal:
        """What the steps so far come to."""
        return self._steps[-1].total if self._steps else _ZERO

    def add(self, text: str, amount: Decimal) -> None:
        """A step that adds an amount."""
        self._steps.append(Step(text, amount, EXACT.add(self.total, amount)))

    def come_to(self, text: str, total: Decimal) -> None:
        """A step that leads to a total, whatever that adds."""
        self._steps.append(Step(text, EXACT.subtract(total, self.total), total))

    def extend(self, steps: Iterable[Step]) -> None:
        """More steps, each by what it adds."""
        for step in steps:
            self.add(step.text, step.amount)

    def done(self) -> tuple[Step, ...]:
        """All of them, in order."""
        return tuple(self._steps)


def pricing_steps(charge: Charge, quantity: Decimal, event_count: int) -> tuple[Step, ...]:
    """How a charge's amount for a period comes about; the last total is `pricing.amount_due`."""
    made = Steps()
    with localcontext(EXACT):
        for text, amount in _model_steps(charge.model, quantity, event_count):
            made.add(text, amount)
        if charge.flat_fee:
            made.add("flat fee", charge.flat_fee)
        minimum, maximum = charge.minimum_amount, charge.maximum_amount
        if minimum is not None and made.total < minimum:
            made.come_to(f"raised to the minimum of {_number(minimum)}", minimum)
        if maximum is not None and made.total > maximum:
            made.come_to(f"cut to the maximum of {_number(maximum)}", maximum)
        rounded = round_amount(made.total)
        if rounded != made.total:
            exact = _number(made.total)
            made.come_to(f"{exact} rounded to six places, half to even", rounded)
    return made.done()


def _model_steps(
    model: PriceModel, quantity: Decimal, event_count: int
) -> Iterator[tuple[str, Decimal]]:
    if quantity < 0 and not isinstance(model, FlatUnit | Percentage):
        yield f"a quantity below zero ({_number(quantity)}) counts as 0", _ZERO
        quantity = _ZERO
    match model:
        case FlatUnit(unit_price):
            yield f"{_number(quantity)} x {_number(unit_price)}", quantity * unit_price
        case Tiered(tiers) | WeightedTiered(tiers):
            yield from _tier_steps(tiers, quantity)
        case Volume(tiers):
            yield _volume_step(tiers, quantity)
        case Package():
            yield _package_step(model, quantity)
        case Overage():
            yield from _overage_steps(model, quantity)
        case Percentage(rate, fixed):
            yield f"{_number(rate)} x the sum {_number(quantity)}", rate * quantity
            yield f"{event_count} events x {_number(fixed)}", fixed * event_count


def _tier_steps(tiers: tuple[Tier, ...], quantity: Decimal) -> Iterator[tuple[str, Decimal]]:
    below = _ZERO
    for number, tier in enumerate(tiers, start=1):
        reached = quantity if tier.up_to is None else min(quantity, tier.up_to)
        # The first tier stands even for nothing, so that its rate is seen.
        if reached <= below and number > 1:
            return
        inside = reached - below
        span = f"above {_number(below)}{_up_to(tier)}" if below else _up_to(tier).strip(" ,")
        yield (
            f"tier {number} ({span or 'all'}): {_number(inside)} x {_number(tier.unit_amount)}",
            inside * tier.unit_amount,
        )
        below = reached


def _volume_step(tiers: tuple[Tier, ...], quantity: Decimal) -> tuple[str, Decimal]:
    numbered = enumerate(tiers, start=1)
    number, tier = next(
        (number, tier) for number, tier in numbered if tier.up_to is None or quantity <= tier.up_to
    )
    span = _up_to(tier).strip(" ,") or "without end"
    text = f"all in tier {number} ({span}): {_number(quantity)} x {_number(tier.unit_amount)}"
    return text, quantity * tier.unit_amount


def _package_step(package: Package, quantity: Decimal) -> tuple[str, Decimal]:
    whole, rest = divmod(quantity, package.package_size)
    blocks = whole
    how = f"blocks of {_number(package.package_size)}: {_number(whole)} full"
    if rest and package.round_up_partial_block:
        blocks += 1
        how += f" and one begun ({_number(rest)})"
    elif rest:
        how += f", the rest ({_number(rest)}) free"
    return f"{how}, {_number(blocks)} x {_number(package.package_price)}", (
        blocks * package.package_price
    )


def _overage_steps(overage: Overage, quantity: Decimal) -> Iterator[tuple[str, Decimal]]:
    exceeding = max(quantity - overage.included_units, _ZERO)
    included = quantity - exceeding
    yield (
        f"base price, {_number(included)} of {_number(overage.included_units)} included units used",
        overage.base_price,
    )
    yield (
        f"{_number(exceeding)} exceeding x {_number(overage.overage_price)}",
        exceeding * overage.overage_price,
    )


def _up_to(tier: Tier) -> str:
    return "" if tier.up_to is None else f", up to {_number(tier.up_to)}"


def _number(value: Decimal) -> str:
    return format_decimal(value)

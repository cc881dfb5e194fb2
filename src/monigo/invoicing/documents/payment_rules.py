"""Pure rules of what sources pay which part of an invoice, and what goes back to which of them."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from functools import reduce

from msgspec import Struct
from msgspec.structs import replace

from monigo.core.ids import CreditGrantId, MetricId
from monigo.core.money import EXACT, ROUNDING, minor_unit_places
from monigo.invoicing.types import Line, LineKind
from monigo.wallets import PaidPart

MetricAmount = tuple[MetricId | None, Decimal]
# By metric, and under None for what is not metered.
Shares = Mapping[MetricId | None, Decimal]
# By grant; none where it pays for anything.
Limits = Mapping[CreditGrantId, Sequence[MetricId]]

_ZERO = Decimal(0)
# What is neither: it comes of rounding, and is shared out as taxes are.
_CHARGING = frozenset({LineKind.USAGE, LineKind.FEE, LineKind.CREDIT})


class Division(Struct, frozen=True):
    """What of the payments so far counts for an invoice, and what goes back."""

    kept: tuple[PaidPart, ...]
    excess: tuple[PaidPart, ...]


def shares_of(lines: Sequence[Line], total: Decimal, currency: str) -> Shares:
    """What of a total each metric's lines come to, with their pro-rata part of tax and rounding.

    In the currency's smallest unit, for what one source leaves another must be able to pay; the
    largest share takes the remainder, so that all of them come to the total.
    """
    return shares_of_amounts(charging_amounts(lines), total, currency)


def charging_amounts(lines: Sequence[Line]) -> list[MetricAmount]:
    """What `shares_of` needs to know of lines."""
    return [(line.metric_id, line.amount) for line in lines if line.kind in _CHARGING]


def shares_of_amounts(amounts: Iterable[MetricAmount], total: Decimal, currency: str) -> Shares:
    """As `shares_of`, from the lines' amounts."""
    sums: dict[MetricId | None, Decimal] = {}
    for metric_id, amount in amounts:
        sums[metric_id] = EXACT.add(sums.get(metric_id, _ZERO), amount)
    if len(sums) == 1:
        return dict.fromkeys(sums, total)
    whole = reduce(EXACT.add, sums.values(), _ZERO)
    if whole <= 0:
        return {None: total}
    step = Decimal(1).scaleb(-minor_unit_places(currency))
    shares = {
        metric_id: ROUNDING.divide(ROUNDING.multiply(amount, total), whole).quantize(
            step, rounding=ROUND_HALF_EVEN, context=ROUNDING
        )
        for metric_id, amount in sums.items()
    }
    largest = max(shares, key=lambda metric_id: shares[metric_id])
    rest = EXACT.subtract(total, reduce(EXACT.add, shares.values(), _ZERO))
    shares[largest] = EXACT.add(shares[largest], rest)
    return shares


def due_by_metric(shares: Shares, paid: Iterable[PaidPart]) -> dict[MetricId | None, Decimal]:
    """How much may still be paid for each metric, where nobody paid it before.

    Together that is what is due, or more where another metric's share was paid too high.
    """
    due = dict(shares)
    for part in paid:
        due[part.metric_id] = EXACT.subtract(due.get(part.metric_id, _ZERO), part.amount)
    return {metric_id: amount for metric_id, amount in due.items() if amount > 0}


def divide(paid: Sequence[PaidPart], shares: Shares, total: Decimal, limits: Limits) -> Division:
    """What of payments counts for an invoice of a total, and what goes back to their sources.

    First goes back what limited grants paid beyond their metrics' lines, then of what is too much
    money, then the other credits, last used first (behaviour page, Invoices, Realtime).
    """
    kept, excess = _within_limits(paid, shares, limits)
    beyond = EXACT.subtract(sum_of(kept), total)
    if beyond > 0:
        of_money = [index for index, part in enumerate(kept) if part.grant_id is None]
        of_grants = [index for index, part in enumerate(kept) if part.grant_id is not None]
        for index in (*reversed(of_money), *reversed(of_grants)):
            back = min(beyond, kept[index].amount)
            if back > 0:
                beyond = EXACT.subtract(beyond, back)
                excess.append(replace(kept[index], amount=back))
                kept[index] = replace(kept[index], amount=EXACT.subtract(kept[index].amount, back))
    return Division(merged(kept), merged(excess))


def part_of(parts: Iterable[PaidPart], skipping: Decimal, amount: Decimal) -> list[PaidPart]:
    """The parts that go back, money first, after those that went back before."""
    wanted: list[PaidPart] = []
    end = EXACT.add(skipping, amount)
    begun_at = Decimal(0)
    for part in sorted(parts, key=lambda one: one.grant_id is not None):
        ends_at = EXACT.add(begun_at, part.amount)
        first, last = max(begun_at, skipping), min(ends_at, end)
        if first < last:
            wanted.append(replace(part, amount=EXACT.subtract(last, first)))
        begun_at = ends_at
    return wanted


def merged(*many: Iterable[PaidPart]) -> tuple[PaidPart, ...]:
    """Parts with those of one source and metric added up, in the order of their last use."""
    sums: dict[tuple[CreditGrantId | None, MetricId | None], Decimal] = {}
    for parts in many:
        for part in parts:
            if part.amount:
                key = part.grant_id, part.metric_id
                sums[key] = EXACT.add(sums.pop(key, _ZERO), part.amount)
    return tuple(PaidPart(*key, amount) for key, amount in sums.items())


def sum_of(parts: Iterable[PaidPart]) -> Decimal:
    """What parts come to."""
    return reduce(EXACT.add, (part.amount for part in parts), _ZERO)


def _within_limits(
    paid: Sequence[PaidPart], shares: Shares, limits: Limits
) -> tuple[list[PaidPart], list[PaidPart]]:
    """What limited grants paid for lines that they may pay, and what they paid beyond these.

    What is beyond one metric's lines counts for another of the grant's metrics that has room; those
    that have the fewest metrics are placed first.
    """
    room = {metric_id: max(share, _ZERO) for metric_id, share in shares.items()}
    kept, excess = list(paid), list[PaidPart]()
    limited = [
        index
        for index, part in enumerate(paid)
        if part.grant_id is not None and limits.get(part.grant_id)
    ]
    limited.sort(key=lambda index: len(_limits_of(paid[index], limits)))
    beyond: list[tuple[int, Decimal]] = []
    for index in limited:
        part = paid[index]
        is_allowed = part.metric_id in _limits_of(part, limits)
        fits = min(part.amount, room.get(part.metric_id, _ZERO)) if is_allowed else _ZERO
        room[part.metric_id] = EXACT.subtract(room.get(part.metric_id, _ZERO), fits)
        kept[index] = replace(part, amount=fits)
        beyond.append((index, EXACT.subtract(part.amount, fits)))
    for index, amount in beyond:
        left = amount
        for metric_id in _limits_of(paid[index], limits):
            fits = min(left, room.get(metric_id, _ZERO))
            if fits > 0:
                room[metric_id] = EXACT.subtract(room[metric_id], fits)
                left = EXACT.subtract(left, fits)
                kept.append(replace(paid[index], metric_id=metric_id, amount=fits))
        if left:
            excess.append(replace(paid[index], amount=left))
    return kept, excess


def _limits_of(part: PaidPart, limits: Limits) -> Sequence[MetricId]:
    return () if part.grant_id is None else limits.get(part.grant_id, ())

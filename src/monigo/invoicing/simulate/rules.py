"""Pure rules of simulations: which periods, which terms, what they come to, and the report."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from monigo import subscriptions
from monigo.catalog import Metric
from monigo.core.errors import invalid
from monigo.core.ids import CustomerId, MetricId, PriceId
from monigo.core.money import EXACT, format_money
from monigo.core.periods import Period
from monigo.core.pricing import Charge, amount_due
from monigo.core.times import format_instant
from monigo.invoicing.simulate.types import Proposal, SimulatedPeriod
from monigo.invoicing.types import Terms
from monigo.metering import Usage
from monigo.subscriptions import Subscription

# A year of periods, with its leap day: what a change of prices is judged by.
SPAN_MAX = timedelta(days=366)
# A report is read by people and their spreadsheets; the totals cover what lies beyond.
REPORT_ROWS_MAX = 10_000

_ZERO = Decimal(0)
_INSTANT = timedelta(microseconds=1)

MetricVersion = tuple[MetricId, int]


class PriceList(Struct, frozen=True):
    """What a period is priced by: each charge with the metric that it is on, and a fee."""

    charges: tuple[tuple[Charge, Metric], ...]
    fee: Decimal


def check_span(start: datetime | None, end: datetime | None, now: datetime) -> Period | None:
    """The span that is asked for; None for each subscription's last full period.

    Raises:
        DomainError: invalid, for one bound without the other, or more than a year.
    """
    if start is None and end is None:
        return None
    if start is None or end is None:
        missing = "from" if start is None else "to"
        raise invalid({missing: "is required where the other bound is given"})
    if end <= start:
        raise invalid({"to": "must lie after from"})
    if start >= now:
        raise invalid({"from": "must lie in the past"})
    if end - start > SPAN_MAX:
        raise invalid({"to": f"must lie at most {SPAN_MAX.days} days after from"})
    return Period(start, end)


def past_periods(
    subscription: Subscription, proposal: Proposal, *, now: datetime, kept_from: datetime
) -> list[Period]:
    """The ended periods on the plan that are to be priced; no trial, and none without its events.

    A span holds those that lie wholly inside it.
    """
    if proposal.span is None:
        known = _last_full_period(subscription, now)
    else:
        span = proposal.span
        inside = subscriptions.periods_between(subscription, span.start, span.end)
        known = [period for period in inside if period.end <= span.end]
    return [
        period
        for period in known
        if period.end <= now
        and period.start >= kept_from
        and not subscriptions.is_trial(subscription, period)
        and subscriptions.phase_at(subscription, period.start).plan_id == proposal.plan_id
    ]


def held_price_list(terms: Terms) -> PriceList:
    """The terms that a period was priced by. A wholly paused period costs nothing."""
    if not terms.windows:
        return PriceList((), _ZERO)
    charges = tuple((price.charge, price.metric) for price in terms.prices)
    return PriceList(charges, terms.base_fee.amount)


def proposed_price_list(
    terms: Terms, proposal: Proposal, metrics: Mapping[MetricId, Metric]
) -> PriceList:
    """What it would be priced by: over the usage as it was measured, under overrides that held.

    A metric that the period was measured by stays as it counted then. Payout rules pay as they did.
    """
    if not terms.windows:
        return PriceList((), _ZERO)
    held_metrics = {price.metric.id: price.metric for price in terms.prices}
    overridden: dict[PriceId | None, Charge] = {
        price.price_id: price.charge for price in terms.prices if price.override_id is not None
    }
    charges = [
        (price.charge, price.metric) for price in terms.prices if price.metric.definition.is_rule
    ]
    for draft in proposal.prices:
        charge, metric_id = draft.terms.charge, draft.terms.metric_id
        if draft.id in overridden:
            charge = replace(charge, model=overridden[draft.id].model)
        charges.append((charge, held_metrics.get(metric_id, metrics[metric_id])))
    fee = terms.base_fee.amount if proposal.base_fee is None else proposal.base_fee
    return PriceList(tuple(charges), fee)


def subtotal_of(offer: PriceList, usages: Mapping[MetricVersion, Usage]) -> Decimal:
    """A period's subtotal: each price's amount, rounded as a line is, and the fee."""
    with localcontext(EXACT):
        total = offer.fee
        for charge, metric in offer.charges:
            usage = usages[metric.id, metric.version]
            total += amount_due(charge, usage.quantity, event_count=usage.event_count)
    return total


class Report:
    """Subtotals per customer and in all: as billed, as proposed, and the difference."""

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self._periods: dict[CustomerId, list[SimulatedPeriod]] = {}

    def add(self, periods: Iterable[SimulatedPeriod]) -> None:
        """Take in some periods."""
        for period in periods:
            self._periods.setdefault(period.customer_id, []).append(period)

    def as_json(self) -> dict[str, Any]:
        """The report as it is stored and sent; who would pay most more, or less, comes first."""
        every = [period for periods in self._periods.values() for period in periods]
        changes = {known: _difference(periods) for known, periods in self._periods.items()}
        first = sorted(changes, key=lambda known: (-abs(changes[known]), known))
        return {
            "currency": self._currency,
            "customers_total": len(changes),
            "customers_paying_more": sum(change > 0 for change in changes.values()),
            "customers_paying_less": sum(change < 0 for change in changes.values()),
            "truncated": len(first) > REPORT_ROWS_MAX,
            **_sums(every),
            "customers": [
                {"customer_id": str(known), **_span(self._periods[known])}
                | _sums(self._periods[known])
                for known in first[:REPORT_ROWS_MAX]
            ],
        }


def _last_full_period(subscription: Subscription, now: datetime) -> list[Period]:
    current = subscriptions.current_period(subscription, now)
    if current.end <= now:
        return [current]
    last = subscriptions.period_containing(subscription, current.start - _INSTANT)
    return [] if last is None else [last]


def _difference(periods: Iterable[SimulatedPeriod]) -> Decimal:
    with localcontext(EXACT):
        return sum((period.new_amount - period.old_amount for period in periods), _ZERO)


def _span(periods: list[SimulatedPeriod]) -> dict[str, str]:
    return {
        "period_start": format_instant(min(known.period.start for known in periods)),
        "period_end": format_instant(max(known.period.end for known in periods)),
    }


def _sums(periods: list[SimulatedPeriod]) -> dict[str, Any]:
    with localcontext(EXACT):
        old = sum((period.old_amount for period in periods), _ZERO)
        new = sum((period.new_amount for period in periods), _ZERO)
        return {
            "periods": len(periods),
            "old_amount": format_money(old),
            "new_amount": format_money(new),
            "difference": format_money(new - old),
        }

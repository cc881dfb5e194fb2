"""What invoices come to: usage, fees, adjustments, credits and taxes, for many at once.

One way for all: drafts, interim and closing invoices, bills, supplementary ones and previews. The
number of queries does not depend on how many invoices are asked for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from monigo import catalog, metering, subscriptions, tenancy
from monigo.catalog import BEGINNING, PlanType
from monigo.core.ids import InvoiceId, PriceId, SubscriptionId
from monigo.core.money import EXACT
from monigo.core.periods import Period
from monigo.core.pricing import Charge, FlatUnit
from monigo.infra.db import Transaction
from monigo.invoicing.rating import billed_store
from monigo.invoicing.rating.billed_store import BilledPeriod
from monigo.invoicing.rating.rounding import NOTHING_CARRIED, Carried, is_half, sum_exactly, sum_up
from monigo.invoicing.rating.rules import adjustment_lines, fee_lines, totals, usage_lines
from monigo.invoicing.rating.terms import RunningTerms, load_closed_terms, load_running_terms
from monigo.invoicing.types import (
    AgreedPrice,
    BilledGroups,
    ClosedPeriod,
    InvoiceKind,
    InvoiceRequest,
    Line,
    LineKind,
    PricedUsage,
    RatedInvoice,
    Terms,
)
from monigo.metering import AGE_MAX, Usage, UsageQuery
from monigo.subscriptions import Subscription

# A transaction that began before the last look may have committed events after it; none is longer.
LOOK_BACK = timedelta(minutes=5)

_NO_USAGE = Usage(Decimal(0), 0, None, None)
_WORTHLESS = Charge(FlatUnit(Decimal(0)))


@dataclass(slots=True)
class _Part:
    """A stretch of one invoice: a period whose usage, fee or both it bills.

    One that `is_before` the subscription has what payout rules pay for that time.
    """

    wanted: InvoiceRequest
    period: Period
    terms: Terms
    fee: Decimal | None
    with_usage: bool
    closed: ClosedPeriod | None = None
    is_before: bool = False
    usages: tuple[PricedUsage, ...] = ()

    @property
    def is_due(self) -> bool:
        """Nothing is owed for a period that is wholly paused."""
        return bool(self.terms.windows)


async def rate(tx: Transaction, wanted: Sequence[InvoiceRequest]) -> list[RatedInvoice]:
    """What each invoice comes to, in the order asked; subscriptions and customers are locked.

    Raises:
        DomainError: conflict, when an amount is more than an invoice can hold.
    """
    if not wanted:
        return []
    running = await load_running_terms(tx, [item.subscription for item in wanted])
    own = [_own_part(running, item) for item in wanted]
    others = [part for item in wanted if (part := _part_in_advance(running, item)) is not None]
    adjusting = [item for item in wanted if item.with_others]
    others += await _adjusted_parts(tx, adjusting)
    others += await _parts_before(tx, running, adjusting)
    parts = [*own, *others]
    billed = await billed_store.sum_billed(tx, [_billed_period(part) for part in parts])
    await _measure(tx, parts)
    await _add_removed_prices(tx, parts, billed)
    lines: dict[InvoiceId, list[Line]] = {item.id: [] for item in wanted}
    for part, sums in zip(parts, billed, strict=True):
        lines[part.wanted.id] += _lines(part, sums)
    return await _totaled(tx, running, lines, own, others)


def _own_part(running: RunningTerms, wanted: InvoiceRequest) -> _Part:
    terms = running.terms(wanted.subscription, wanted.period)
    is_fee_due = wanted.kind is InvoiceKind.CLOSING or (
        wanted.kind is InvoiceKind.INTERIM and terms.base_fee.in_advance
    )
    return _Part(
        wanted=wanted,
        period=wanted.period,
        terms=terms,
        fee=_fee(terms) if is_fee_due else None,
        with_usage=wanted.with_usage,
    )


def _part_in_advance(running: RunningTerms, wanted: InvoiceRequest) -> _Part | None:
    """The next period's fee, where the plan takes it in advance and the subscription goes on."""
    subscription = wanted.subscription
    if (
        not wanted.with_others
        or wanted.kind is not InvoiceKind.CLOSING
        or subscription.status is not subscriptions.Status.ACTIVE
        or not running.may_take_fee_in_advance(subscription, wanted.period.end)
    ):
        return None
    following = subscriptions.period_containing(subscription, wanted.period.end)
    if following is None:
        return None
    terms = running.terms(subscription, following)
    if not terms.base_fee.in_advance:
        return None
    return _Part(wanted, following, terms, fee=_fee(terms), with_usage=False)


def _fee(terms: Terms) -> Decimal:
    return terms.base_fee.amount if terms.windows else Decimal(0)


async def _adjusted_parts(tx: Transaction, wanted: Sequence[InvoiceRequest]) -> list[_Part]:
    """The closed periods in which something may have changed since they were last looked at."""
    changed_from = await _changed_from(tx, [item.subscription for item in wanted])
    if not changed_from:
        return []
    kept_from = await metering.events_kept_from(tx)
    closed = await billed_store.load_closed(tx, changed_from, kept_from=kept_from)
    by_subscription = {item.subscription.id: item for item in wanted}
    adjusted = [
        item
        for item in closed
        if item.period.start != by_subscription[item.subscription_id].period.start
        or by_subscription[item.subscription_id].kind is InvoiceKind.SUPPLEMENTARY
    ]
    return [
        _Part(
            wanted=by_subscription[item.subscription_id],
            period=item.period,
            terms=terms,
            fee=_fee(terms),
            with_usage=True,
            closed=item,
        )
        for item, terms in zip(adjusted, await load_closed_terms(tx, adjusted), strict=True)
    ]


async def _parts_before(
    tx: Transaction, running: RunningTerms, wanted: Sequence[InvoiceRequest]
) -> list[_Part]:
    """What payout rules pay for the time before subscriptions, whose payee was known later.

    On the first bill, and on those after it while such events may still come in.
    """
    young = [item for item in wanted if _may_be_paid_before(item.subscription)]
    if not young:
        return []
    spans = await subscriptions.times_before(tx, [item.subscription for item in young], AGE_MAX)
    parts: list[_Part] = []
    for item in young:
        windows = spans.get(item.subscription.id, ())
        terms = running.terms_before(item.subscription, windows)
        if windows and terms is not None:
            before = Period(windows[0].start, windows[-1].end)
            parts.append(_Part(item, before, terms, fee=None, with_usage=True, is_before=True))
    return parts


def _may_be_paid_before(subscription: Subscription) -> bool:
    """Whether its closed periods ended while events from before its start could still come in."""
    if subscription.plan_type is not PlanType.PAYOUT:
        return False
    billed_from = max(subscription.start_date, subscription.trial_ends_at or BEGINNING)
    return subscription.closed_until < billed_from + AGE_MAX + LOOK_BACK


async def _changed_from(
    tx: Transaction, known: Sequence[Subscription]
) -> dict[SubscriptionId, datetime]:
    """Since when there may be events that came after their period was closed; mostly empty."""
    if not known:
        return {}
    late_from = await metering.late_from(
        tx,
        [
            metering.LateQuery(
                item.customer_id, item.closed_until, item.late_usage_checked_at - LOOK_BACK
            )
            for item in known
        ],
    )
    found: dict[SubscriptionId, datetime] = {}
    for item, late in zip(known, late_from, strict=True):
        candidates = [instant for instant in (late, item.recheck_from) if instant is not None]
        if candidates:
            found[item.id] = min(candidates)
    return found


def _billed_period(part: _Part) -> BilledPeriod:
    closing_number = None if part.closed is None else part.closed.closing_number
    return BilledPeriod(part.wanted.subscription.id, part.period, closing_number)


async def _measure(tx: Transaction, parts: Iterable[_Part]) -> None:
    """Measure all usage of all parts at once."""
    asked = [(part, price) for part in parts if part.with_usage for price in part.terms.prices]
    usages = await metering.measure(
        tx,
        [
            UsageQuery(part.wanted.subscription.customer_id, price.metric, part.terms.windows)
            for part, price in asked
        ],
    )
    for (part, price), usage in zip(asked, usages, strict=True):
        name = price.metric.definition.name
        priced = PricedUsage(
            price, name, usage, is_due=part.is_due, with_minimum=part.wanted.with_minimum
        )
        part.usages += (priced,)


async def _add_removed_prices(
    tx: Transaction, parts: Sequence[_Part], billed: Sequence[BilledGroups]
) -> None:
    """A price that is no longer on the plan is rated at zero, so what was billed is credited."""
    removed: list[tuple[_Part, PriceId]] = []
    for part, sums in zip(parts, billed, strict=True):
        if part.with_usage:
            present = {price.price_id for price in part.terms.prices}
            gone = [known for known in sums if known is not None and known not in present]
            removed += [(part, price_id) for price_id in sorted(gone)]
    if not removed:
        return
    called = await billed_store.load_billed_prices(
        tx, [(part.wanted.subscription.id, part.period, price_id) for part, price_id in removed]
    )
    metrics = await catalog.get_metrics(tx, {price.metric_id for price in called})
    for (part, _), price in zip(removed, called, strict=True):
        worthless = AgreedPrice(price.price_id, 0, _WORTHLESS, metrics[price.metric_id])
        part.usages += (PricedUsage(worthless, price.description, _NO_USAGE, is_due=False),)


def _lines(part: _Part, billed: BilledGroups) -> list[Line]:
    lines = [] if part.fee is None else fee_lines(part.period, part.fee, billed)
    is_adjusted = part.is_before or part.closed is not None
    lines_of = adjustment_lines if is_adjusted else usage_lines
    return lines_of(part.period, part.usages, billed) + lines


async def _totaled(
    tx: Transaction,
    running: RunningTerms,
    lines: Mapping[InvoiceId, list[Line]],
    own: Sequence[_Part],
    others: Sequence[_Part],
) -> list[RatedInvoice]:
    """The invoices with what others carried to them, and taxes.

    A customer's invoices take a credit in their order. A subscription has one of them at most, so
    what rounding left of its other ones is known before.
    """
    organization = await tenancy.get_organization(tx)
    wanted = [part.wanted for part in own]
    customer_ids = {item.subscription.customer_id for item in wanted}
    credit = await billed_store.sum_credits(tx, list(customer_ids))
    carried = await _carried(tx, running, wanted, lines)
    others_of: dict[InvoiceId, list[_Part]] = {item.id: [] for item in wanted}
    for part in others:
        others_of[part.wanted.id].append(part)
    rated: list[RatedInvoice] = []
    for part in own:
        item = part.wanted
        subscription, currency = item.subscription, running.currency(item.subscription)
        account = subscription.customer_id, currency, subscription.plan_type
        available = credit.get(account, Decimal(0))
        summed = sum_up(
            lines[item.id],
            period=item.period,
            currency=currency,
            carried=carried.get(subscription.id, NOTHING_CARRIED),
            available=available,
        )
        moved = [line for line in summed.lines if line.kind is LineKind.CREDIT]
        if moved:
            credit[account] = EXACT.add(available, sum_exactly(moved))
        rated.append(
            RatedInvoice(
                wanted=item,
                currency=currency,
                billing_mode=running.billing_mode(subscription, item.period),
                terms=part.terms,
                other_terms=_other_terms(others_of[item.id], summed.lines),
                lines=tuple(summed.lines),
                totals=totals(
                    summed.subtotal,
                    currency=currency,
                    plan_type=subscription.plan_type,
                    settings=organization.billing,
                ),
                rounded_off=summed.rounded_off,
                payment_terms_days=organization.collection.payment_terms_days,
            )
        )
    return rated


async def _carried(
    tx: Transaction,
    running: RunningTerms,
    wanted: Sequence[InvoiceRequest],
    lines: Mapping[InvoiceId, Sequence[Line]],
) -> dict[SubscriptionId, Carried]:
    """What subscriptions' live invoices left by rounding; mostly nothing."""
    known = [item.subscription for item in wanted]
    rounding = await billed_store.sum_rounding(tx, [one.id for one in known])
    halves: list[Subscription] = []
    for item in wanted:
        one = item.subscription
        exact = EXACT.add(sum_exactly(lines[item.id]), rounding.get(one.id, Decimal(0)))
        if is_half(exact, running.currency(one)):
            halves.append(one)
    subtotals = await billed_store.sum_subtotals(tx, halves) if halves else {}
    return {
        known_id: Carried(rounding.get(known_id, Decimal(0)), subtotals.get(known_id, Decimal(0)))
        for known_id in {*rounding, *subtotals}
    }


def _other_terms(
    others: Sequence[_Part], lines: Sequence[Line]
) -> tuple[tuple[Period, Terms], ...]:
    """The terms behind lines that bill what is not the invoice's own usage and fee."""
    if not others:
        return ()
    billed = {line.period for line in lines}
    return tuple(
        (part.period, part.terms if part.with_usage else replace(part.terms, prices=()))
        for part in others
        if part.period in billed
    )

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
from monigo.catalog import PlanType
from monigo.core.ids import CustomerId, PriceId, SubscriptionId
from monigo.core.money import EXACT
from monigo.core.periods import Period
from monigo.core.pricing import Charge, FlatUnit
from monigo.infra.database import Transaction
from monigo.invoicing import billed_store
from monigo.invoicing.billed_store import BilledPeriod
from monigo.invoicing.rules import (
    adjustment_lines,
    fee_lines,
    subtotal_of,
    totals,
    usage_lines,
    with_credit,
)
from monigo.invoicing.terms import TermBook, load_book, thaw
from monigo.invoicing.types import (
    AgreedPrice,
    BilledGroups,
    ClosedPeriod,
    InvoiceKind,
    Line,
    LineKind,
    PricedUsage,
    Reckoned,
    Terms,
    Wanted,
)
from monigo.metering import Usage, UsageQuery
from monigo.subscriptions import Subscription

# A transaction that began before the last look may have committed events after it; none is longer.
LOOK_BACK = timedelta(minutes=5)

_NO_USAGE = Usage(Decimal(0), 0, None, None)
_WORTHLESS = Charge(FlatUnit(Decimal(0)))


@dataclass(slots=True)
class _Part:
    """A stretch of one invoice: a period whose usage, fee or both it bills."""

    wanted: Wanted
    period: Period
    terms: Terms
    fee: Decimal | None
    with_usage: bool
    closed: ClosedPeriod | None = None
    usages: tuple[PricedUsage, ...] = ()

    @property
    def is_due(self) -> bool:
        """Nothing is owed for a period that is wholly paused."""
        return bool(self.terms.windows)


async def reckon(tx: Transaction, wanted: Sequence[Wanted]) -> list[Reckoned]:
    """What each invoice comes to, in the order asked; subscriptions and customers are locked.

    Raises:
        DomainError: conflict, when an amount is more than an invoice can hold.
    """
    if not wanted:
        return []
    book = await load_book(tx, [item.subscription for item in wanted])
    parts = [_own_part(book, item) for item in wanted]
    parts += [part for item in wanted if (part := _part_in_advance(book, item)) is not None]
    parts += await _adjusted_parts(tx, [item for item in wanted if item.with_others])
    billed = await billed_store.sum_billed(tx, [_billed_period(part) for part in parts])
    await _measure(tx, parts)
    await _add_removed_prices(tx, parts, billed)
    lines: dict[int, list[Line]] = {id(item): [] for item in wanted}
    for part, sums in zip(parts, billed, strict=True):
        lines[id(part.wanted)] += _lines(part, sums)
    return await _totaled(tx, book, wanted, lines, parts)


def _own_part(book: TermBook, wanted: Wanted) -> _Part:
    terms = book.terms(wanted.subscription, wanted.period)
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


def _part_in_advance(book: TermBook, wanted: Wanted) -> _Part | None:
    """The next period's fee, where the plan takes it in advance and the subscription goes on."""
    subscription = wanted.subscription
    if (
        not wanted.with_others
        or wanted.kind is not InvoiceKind.CLOSING
        or subscription.status is not subscriptions.Status.ACTIVE
    ):
        return None
    following = subscriptions.period_containing(subscription, wanted.period.end)
    if following is None:
        return None
    terms = book.terms(subscription, following)
    if not terms.base_fee.in_advance:
        return None
    return _Part(wanted, following, terms, fee=_fee(terms), with_usage=False)


def _fee(terms: Terms) -> Decimal:
    return terms.base_fee.amount if terms.windows else Decimal(0)


async def _adjusted_parts(tx: Transaction, wanted: Sequence[Wanted]) -> list[_Part]:
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
        for item, terms in zip(adjusted, await thaw(tx, adjusted), strict=True)
    ]


async def _changed_from(
    tx: Transaction, known: Sequence[Subscription]
) -> dict[SubscriptionId, datetime]:
    """Since when there may be events that came after their period was closed; mostly empty."""
    if not known:
        return {}
    late_from = await metering.late_from(
        tx,
        [
            metering.LateQuery(item.customer_id, item.closed_until, item.settled_at - LOOK_BACK)
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
    closed_at = None if part.closed is None else part.closed.closed_at
    return BilledPeriod(part.wanted.subscription.id, part.period, closed_at)


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
    """A price that is no longer on the plan is worth nothing, so what was billed is given back."""
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
    told = usage_lines if part.closed is None else adjustment_lines
    return told(part.period, part.usages, billed) + lines


async def _totaled(
    tx: Transaction,
    book: TermBook,
    wanted: Sequence[Wanted],
    lines: Mapping[int, list[Line]],
    parts: Sequence[_Part],
) -> list[Reckoned]:
    """The invoices with credits and taxes; a customer's invoices take a credit in their order."""
    organization = await tenancy.get_organization(tx)
    customer_ids = {item.subscription.customer_id for item in wanted}
    carried = await billed_store.sum_credits(tx, list(customer_ids))
    others: dict[int, list[_Part]] = {}
    for part in parts[len(wanted) :]:
        others.setdefault(id(part.wanted), []).append(part)
    reckoned: list[Reckoned] = []
    for item, own in zip(wanted, parts[: len(wanted)], strict=True):
        currency = book.currency(item.subscription)
        plan_type = item.subscription.plan_type
        account: tuple[CustomerId, str, PlanType] = (
            item.subscription.customer_id,
            currency,
            plan_type,
        )
        available = carried.get(account, Decimal(0))
        own_lines = lines[id(item)]
        subtotal = subtotal_of(own_lines, currency)
        all_lines = with_credit(own_lines, period=item.period, due=subtotal, available=available)
        if all_lines is not own_lines:
            subtotal = subtotal_of(all_lines, currency)
            for line in all_lines:
                if line.kind is LineKind.CREDIT:
                    available = EXACT.add(available, line.amount)
            carried[account] = available
        sums = totals(subtotal, currency=currency, plan_type=plan_type, organization=organization)
        mode = book.billing_mode(item.subscription, item.period)
        other_terms = _other_terms(others.get(id(item), ()), all_lines)
        reckoned.append(
            Reckoned(item, currency, mode, own.terms, other_terms, tuple(all_lines), sums)
        )
    return reckoned


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

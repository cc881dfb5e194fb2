"""What a replay that has not been done yet would do to the amounts of running periods."""

from collections.abc import Sequence
from decimal import Decimal

from monigo import metering, subscriptions
from monigo.core.periods import Period, subtract
from monigo.core.pricing import amount_due
from monigo.infra.db import Transaction
from monigo.invoicing.rating import load_running_terms
from monigo.invoicing.types import AgreedPrice, PriceChange
from monigo.metering import Usage, UsageChange, UsageQuery


async def price_changes(
    tx: Transaction, changes: Sequence[UsageChange], window: Period
) -> list[list[PriceChange]]:
    """For each change of usage, what it does to the running periods of the customer's plans.

    Only the part of a period that lies in the window is replayed.
    """
    known = await subscriptions.of_customers(tx, {change.customer_id for change in changes})
    running = [one for one in known if one.status is not subscriptions.Status.CANCELED]
    agreed = await load_running_terms(tx, running)
    terms = {
        one.id: agreed.terms(one, subscriptions.current_period(one, tx.now)) for one in running
    }
    affected = [
        (position, subscription, price)
        for position, change in enumerate(changes)
        for subscription in running
        if subscription.customer_id == change.customer_id
        for price in terms[subscription.id].prices
        if price.metric.id == change.metric.id
    ]
    usages = await metering.measure(
        tx,
        [
            query
            for position, subscription, _ in affected
            for query in _queries(changes[position], terms[subscription.id].windows, window)
        ],
    )
    priced: list[list[PriceChange]] = [[] for _ in changes]
    pairs = zip(affected, usages[::2], usages[1::2], strict=True)
    for (position, subscription, price), before, after in pairs:
        priced[position].append(
            PriceChange(
                subscription_id=subscription.id,
                price_id=price.price_id,
                currency=agreed.currency(subscription),
                before=_amount(price, before),
                after=_amount(price, after),
            )
        )
    return priced


def _amount(price: AgreedPrice, usage: Usage) -> Decimal:
    return amount_due(price.charge, usage.quantity, event_count=usage.event_count)


def _queries(
    change: UsageChange, billable: Sequence[Period], window: Period
) -> tuple[UsageQuery, UsageQuery]:
    """The usage of billable time now, and after the replay."""
    inside = [part for known in billable if (part := _overlap(known, window)) is not None]
    outside = [part for known in billable for part in subtract(known, [window])]
    return (
        UsageQuery(change.customer_id, change.metric, billable),
        UsageQuery(change.customer_id, change.metric, outside, event_windows=inside),
    )


def _overlap(one: Period, other: Period) -> Period | None:
    start, end = max(one.start, other.start), min(one.end, other.end)
    return Period(start, end) if start < end else None

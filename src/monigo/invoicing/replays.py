"""What a replay that has not been done yet would do to the amounts of running periods."""

from collections.abc import Sequence

from monigo import catalog, metering, subscriptions
from monigo.core.ids import SubscriptionId
from monigo.core.periods import Period, subtract
from monigo.core.pricing import amount_due
from monigo.infra.database import Transaction
from monigo.invoicing.types import PriceChange
from monigo.metering import UsageChange, UsageQuery


async def price_changes(
    tx: Transaction, changes: Sequence[UsageChange], window: Period
) -> list[list[PriceChange]]:
    """For each change of usage, what it does to the running periods of the customer's plans.

    Only the part of a period that lies in the window is counted anew.
    """
    plans = await subscriptions.of_customers(tx, {change.customer_id for change in changes})
    by_id = await catalog.get_plans(tx, {known.plan_id for known in plans})
    affected = [
        (position, subscription, price)
        for position, change in enumerate(changes)
        for subscription in plans
        if subscription.customer_id == change.customer_id
        and subscription.status is not subscriptions.Status.CANCELED
        for price in by_id[subscription.plan_id].prices
        if price.terms.metric_id == change.metric.id
    ]
    billable: dict[SubscriptionId, tuple[Period, ...]] = {}
    for _, subscription, _ in affected:
        if subscription.id not in billable:
            period = subscriptions.current_period(subscription, tx.now)
            windows = await subscriptions.billable_windows(tx, subscription, period)
            billable[subscription.id] = windows
    usages = await metering.measure(
        tx,
        [
            query
            for position, subscription, _ in affected
            for query in _queries(changes[position], billable[subscription.id], window)
        ],
    )
    priced: list[list[PriceChange]] = [[] for _ in changes]
    pairs = zip(affected, usages[::2], usages[1::2], strict=True)
    for (position, subscription, price), before, after in pairs:
        priced[position].append(
            PriceChange(
                subscription_id=subscription.id,
                price_id=price.id,
                currency=by_id[subscription.plan_id].details.currency,
                before=amount_due(
                    price.terms.charge, before.quantity, event_count=before.event_count
                ),
                after=amount_due(price.terms.charge, after.quantity, event_count=after.event_count),
            )
        )
    return priced


def _queries(
    change: UsageChange, billable: Sequence[Period], window: Period
) -> tuple[UsageQuery, UsageQuery]:
    """The usage of billable time as it is told now, and as it would be told after the replay."""
    inside = [part for known in billable if (part := _overlap(known, window)) is not None]
    outside = [part for known in billable for part in subtract(known, [window])]
    return (
        UsageQuery(change.customer_id, change.metric, billable),
        UsageQuery(change.customer_id, change.metric, outside, event_windows=inside),
    )


def _overlap(one: Period, other: Period) -> Period | None:
    start, end = max(one.start, other.start), min(one.end, other.end)
    return Period(start, end) if start < end else None

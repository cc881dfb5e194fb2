"""The SQL of whom a credit, a realtime charge or a replay concerns, and of the timelines."""

from collections.abc import Sequence

from monigo.core.ids import CustomerId, SubscriptionId
from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.subscriptions.types import TimelineEntry, TimelineEvent

SELECT_WAITING = """
    SELECT id FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[])
        AND pause_reason = 'insufficient_balance'
"""

SELECT_ACTIVE_OF_CUSTOMERS = """
    SELECT id, customer_id FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[]) AND status = 'active'
"""

INSERT_TIMELINE = """
    INSERT INTO subscription_timeline (
        org_id, is_test, subscription_id, position, happened_at, happening, detail
    )
    SELECT $1, $2, $3, coalesce(max(position), 0) + 1, $4, $5, $6
    FROM subscription_timeline
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = $3
    RETURNING 1
"""

SELECT_TIMELINE = """
    SELECT happened_at, happening, detail FROM subscription_timeline
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = $3
    ORDER BY position
"""

# The closed periods in which something may have changed by a replay are looked at again. One that
# ended as it began has none.
RECHECK = """
    UPDATE subscriptions
    SET recheck_from = least(recheck_from, $3)
    WHERE org_id = $1 AND is_test = $2 AND start_date < $4
        AND closed_until > greatest(start_date, $3)
    RETURNING id, status = 'canceled' AS has_ended
"""


async def list_waiting(tx: Transaction, customer_ids: Sequence[CustomerId]) -> list[SubscriptionId]:
    """The subscriptions of these customers that wait for a balance."""
    return [SubscriptionId(row["id"]) for row in await tx.fetch(SELECT_WAITING, customer_ids)]


async def list_active_of_customers(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> dict[SubscriptionId, CustomerId]:
    """The active subscriptions of these customers, each with its customer."""
    rows = await tx.fetch(SELECT_ACTIVE_OF_CUSTOMERS, customer_ids)
    return {SubscriptionId(row["id"]): CustomerId(row["customer_id"]) for row in rows}


async def append_to_timeline(
    tx: Transaction, subscription_id: SubscriptionId, event: TimelineEvent, detail: str
) -> None:
    """Tell what happens to a locked or new subscription now."""
    await tx.execute(INSERT_TIMELINE, subscription_id, tx.now, event.value, detail)


async def load_timeline(tx: Transaction, subscription_id: SubscriptionId) -> list[TimelineEntry]:
    """What happened to a subscription, in order."""
    rows = await tx.fetch(SELECT_TIMELINE, subscription_id)
    return [
        TimelineEntry(row["happened_at"], TimelineEvent(row["happening"]), row["detail"])
        for row in rows
    ]


async def mark_for_recheck(tx: Transaction, window: Period) -> list[SubscriptionId]:
    """Have closed periods that overlap a window looked at again; the ended ones among them."""
    rows = await tx.fetch(RECHECK, window.start, window.end)
    return [SubscriptionId(row["id"]) for row in rows if row["has_ended"]]

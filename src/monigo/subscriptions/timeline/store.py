"""All SQL of timelines."""

from monigo.core.ids import SubscriptionId
from monigo.infra.db import Transaction
from monigo.subscriptions.timeline.types import TimelineEntry, TimelineEvent

INSERT_TIMELINE = """
    INSERT INTO subscription_timeline (
        org_id, is_test, subscription_id, position, happened_at, event, detail
    )
    SELECT $1, $2, $3, coalesce(max(position), 0) + 1, $4, $5, $6
    FROM subscription_timeline
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = $3
    RETURNING 1
"""

SELECT_TIMELINE = """
    SELECT happened_at, event, detail FROM subscription_timeline
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = $3
    ORDER BY position
"""


async def append(
    tx: Transaction, subscription_id: SubscriptionId, event: TimelineEvent, detail: str
) -> None:
    """Append an event to the timeline of a locked or new subscription."""
    await tx.execute(INSERT_TIMELINE, subscription_id, tx.now, event.value, detail)


async def load(tx: Transaction, subscription_id: SubscriptionId) -> list[TimelineEntry]:
    """The timeline of a subscription, oldest first."""
    rows = await tx.fetch(SELECT_TIMELINE, subscription_id)
    return [
        TimelineEntry(row["happened_at"], TimelineEvent(row["event"]), row["detail"])
        for row in rows
    ]

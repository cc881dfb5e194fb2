"""All SQL of pauses: time that is metered but not billed."""

from collections.abc import Sequence
from datetime import datetime

from monigo.core.ids import SubscriptionId
from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.subscriptions.types import FOREVER, PauseReason

# A standing test clock may pause twice at one instant: the second goes on with the first.
OPEN_PAUSE = """
    INSERT INTO subscription_pauses (org_id, is_test, subscription_id, started_at, reason)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (org_id, is_test, subscription_id, started_at)
        DO UPDATE SET ended_at = NULL, reason = excluded.reason
"""

CLOSE_PAUSE = """
    UPDATE subscription_pauses SET ended_at = greatest(started_at, $4)
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = $3 AND ended_at IS NULL
    RETURNING ended_at
"""

SELECT_PAUSES = """
    SELECT subscription_id, started_at, ended_at FROM subscription_pauses
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = ANY ($3::uuid[])
    ORDER BY subscription_id, started_at
"""


async def open_pause(
    tx: Transaction, subscription_id: SubscriptionId, reason: PauseReason, started_at: datetime
) -> None:
    """Note that a pause begins."""
    await tx.execute(OPEN_PAUSE, subscription_id, started_at, reason.value)


async def close_pause(
    tx: Transaction, subscription_id: SubscriptionId, ended_at: datetime
) -> datetime | None:
    """Note when the open pause ends, not before it began; None where no pause is open."""
    return await tx.fetchval(CLOSE_PAUSE, subscription_id, ended_at)


async def load_pauses(
    tx: Transaction, subscription_ids: Sequence[SubscriptionId]
) -> dict[SubscriptionId, list[Period]]:
    """The pauses of each subscription in order; an open one lasts for ever."""
    if not subscription_ids:
        return {}
    pauses: dict[SubscriptionId, list[Period]] = {known: [] for known in subscription_ids}
    for row in await tx.fetch(SELECT_PAUSES, subscription_ids):
        end = row["ended_at"] or FOREVER
        if row["started_at"] < end:
            pauses[row["subscription_id"]].append(Period(row["started_at"], end))
    return pauses

"""The SQL of whom a credit, a realtime charge or a replay concerns, and of the timelines."""

from collections.abc import Sequence

from monigo.catalog import PlanType
from monigo.core.ids import CustomerId, SubscriptionId
from monigo.core.periods import Period
from monigo.infra.db import Transaction

SELECT_WAITING = """
    SELECT id FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[])
        AND pause_reason = 'insufficient_balance'
"""

# The closed periods in which something may have changed by a replay are looked at again. One that
# ended as it began has none. They are locked in the order in which others lock several.
RECHECK = """
    WITH concerned AS (
        SELECT id FROM subscriptions
        WHERE org_id = $1 AND is_test = $2 AND start_date < $4
            AND closed_until > greatest(start_date, $3) AND ($5::text IS NULL OR plan_type = $5)
        ORDER BY id
        FOR UPDATE
    )
    UPDATE subscriptions AS known
    SET recheck_from = least(recheck_from, $3)
    FROM concerned
    WHERE known.org_id = $1 AND known.is_test = $2 AND known.id = concerned.id
    RETURNING known.id, known.status = 'canceled' AS has_ended
"""


async def list_waiting(tx: Transaction, customer_ids: Sequence[CustomerId]) -> list[SubscriptionId]:
    """The subscriptions of these customers that wait for a balance."""
    return [SubscriptionId(row["id"]) for row in await tx.fetch(SELECT_WAITING, customer_ids)]


async def mark_for_recheck(
    tx: Transaction, window: Period, plan_type: PlanType | None
) -> list[SubscriptionId]:
    """Have closed periods that overlap a window looked at again; the ended ones among them."""
    rows = await tx.fetch(RECHECK, window.start, window.end, plan_type and plan_type.value)
    return [SubscriptionId(row["id"]) for row in rows if row["has_ended"]]


SELECT_ACTIVE_OF_CUSTOMERS = """
    SELECT id, customer_id FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[]) AND status = 'active'
"""


async def list_active_of_customers(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> dict[SubscriptionId, CustomerId]:
    """The active subscriptions of these customers, each with its customer."""
    rows = await tx.fetch(SELECT_ACTIVE_OF_CUSTOMERS, customer_ids)
    return {SubscriptionId(row["id"]): CustomerId(row["customer_id"]) for row in rows}

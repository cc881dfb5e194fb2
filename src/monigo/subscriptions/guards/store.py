"""The SQL behind refusals: what depends on a customer or a plan, and whose trial is used up."""

from monigo.core.ids import CustomerId, PlanId
from monigo.infra.db import Transaction

COUNT_OF_CUSTOMER = """
    SELECT count(*) FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND status <> 'canceled'
"""

COUNT_OF_PLAN = """
    SELECT count(*) FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND plan_id = $3 AND status <> 'canceled'
"""

COUNT_SCHEDULED = """
    SELECT count(*) FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND scheduled_plan_id = $3
"""

COUNT_OF_PLAN_EVER = """
    SELECT count(*) FROM subscriptions WHERE org_id = $1 AND is_test = $2 AND plan_id = $3
"""


async def count_of_customer(tx: Transaction, customer_id: CustomerId) -> int:
    """How many subscriptions of a customer have not ended."""
    return await tx.fetchval(COUNT_OF_CUSTOMER, customer_id)


async def count_of_plan(tx: Transaction, plan_id: PlanId, *, ever: bool) -> int:
    """How many subscriptions a plan has, or ever had."""
    return await tx.fetchval(COUNT_OF_PLAN_EVER if ever else COUNT_OF_PLAN, plan_id)


async def count_scheduled(tx: Transaction, plan_id: PlanId) -> int:
    """How many subscriptions are to change to a plan."""
    return await tx.fetchval(COUNT_SCHEDULED, plan_id)


# One that was to begin later and was canceled before has had no trial.
HAD_TRIAL = """
    SELECT EXISTS (
        SELECT 1 FROM subscriptions
        WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND trial_plan_id = $4
            AND (canceled_at IS NULL OR canceled_at > start_date)
    )
"""


async def had_trial(tx: Transaction, customer_id: CustomerId, plan_id: PlanId) -> bool:
    """Whether a plan's trial began on any subscription of a customer, deleted ones included."""
    return await tx.fetchval(HAD_TRIAL, customer_id, plan_id)

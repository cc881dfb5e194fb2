"""All SQL of first steps."""

from collections.abc import Collection

from monigo.infra.db import Transaction
from monigo.reports.onboarding.types import Step, StepProgress

SELECT_COMPLETED = """
    SELECT step, completed_at, is_by_hand FROM onboarding_steps WHERE org_id = $1
"""

# Of two at once the second leaves what the first has stored.
INSERT_COMPLETED = """
    INSERT INTO onboarding_steps (org_id, step, completed_at, is_by_hand)
    SELECT $1, step, $3, $4 FROM unnest($2::text[]) AS step ORDER BY step
    ON CONFLICT (org_id, step) DO NOTHING
"""

# One look at an index for each. An organisation is born with a live key, which is a step when it is
# used, or when another one is made.
SELECT_TAKEN = """
    SELECT
        EXISTS (SELECT 1 FROM customers WHERE org_id = $1 AND is_test = $2) AS customer,
        EXISTS (SELECT 1 FROM metrics WHERE org_id = $1 AND is_test = $2) AS metric,
        EXISTS (SELECT 1 FROM plans WHERE org_id = $1 AND is_test = $2) AS plan,
        EXISTS (SELECT 1 FROM subscriptions WHERE org_id = $1 AND is_test = $2) AS subscription,
        EXISTS (SELECT 1 FROM unfolded_batches WHERE org_id = $1 AND is_test = $2)
            OR EXISTS (SELECT 1 FROM event_volumes WHERE org_id = $1 AND is_test = $2) AS event,
        EXISTS (SELECT 1 FROM invoices WHERE org_id = $1 AND is_test = $2) AS invoice,
        EXISTS (
            SELECT 1 FROM payment_credentials
            WHERE org_id = $1 AND is_test = $2 AND last_success_at IS NOT NULL
        ) AS connection,
        (
            SELECT count(*) > 1 OR count(last_used_at) > 0 FROM api_keys
            WHERE org_id = $1 AND NOT is_test_mode
        ) AS live_key
"""


async def completed(tx: Transaction) -> dict[Step, StepProgress]:
    """The organisation's steps that are done."""
    rows = await tx.connection.fetch(SELECT_COMPLETED, tx.org_id)
    return {
        step: StepProgress(step, row["completed_at"], row["is_by_hand"])
        for row in rows
        for step in (Step(row["step"]),)
    }


async def complete(tx: Transaction, steps: Collection[Step], *, is_by_hand: bool) -> None:
    """Store that steps are done, where they were not."""
    names = [step.value for step in steps]
    await tx.connection.execute(INSERT_COMPLETED, tx.org_id, names, tx.real_now, is_by_hand)


async def taken(tx: Transaction) -> set[Step]:
    """The steps of which the tenant has something to show, in the transaction's mode."""
    row = await tx.fetchrow(SELECT_TAKEN)
    return {Step(name) for name, is_done in dict(row or {}).items() if is_done}

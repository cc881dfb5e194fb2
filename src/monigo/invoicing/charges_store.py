"""The SQL of what wallets paid: realtime charges, and invoices that wait for a credit."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from monigo.core.ids import CustomerId, InvoiceId, SubscriptionId
from monigo.infra.database import Transaction

SELECT_CHARGES = """
    SELECT charge.subscription_id, charge.period_start, charge.charged
    FROM unnest($3::uuid[], $4::timestamptz[]) AS asked (subscription_id, period_start)
    JOIN realtime_charges AS charge ON charge.org_id = $1 AND charge.is_test = $2
        AND charge.subscription_id = asked.subscription_id
        AND charge.period_start = asked.period_start
"""

SET_CHARGES = """
    INSERT INTO realtime_charges (
        org_id, is_test, subscription_id, period_start, charged, updated_at
    )
    SELECT $1, $2, charge.subscription_id, charge.period_start, charge.charged, $6
    FROM unnest($3::uuid[], $4::timestamptz[], $5::numeric[])
        AS charge (subscription_id, period_start, charged)
    ON CONFLICT (org_id, is_test, subscription_id, period_start)
        DO UPDATE SET charged = excluded.charged, updated_at = excluded.updated_at
"""

# What a cancel left behind while the wallet was short.
SELECT_WAITING = """
    SELECT id, subscription_id FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[])
        AND status = 'finalized' AND billing_mode <> 'postpaid'
    ORDER BY finalized_at, id
"""

MARK_PAID = """
    UPDATE invoices SET status = 'paid', paid_at = $4, updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[]) AND status = 'finalized'
"""

ChargeKey = tuple[SubscriptionId, datetime]


async def load_charges(tx: Transaction, keys: Sequence[ChargeKey]) -> dict[ChargeKey, Decimal]:
    """What was taken for each subscription's period so far; nothing where it is absent."""
    rows = await tx.fetch(SELECT_CHARGES, [key[0] for key in keys], [key[1] for key in keys])
    return {
        (SubscriptionId(row["subscription_id"]), row["period_start"]): row["charged"]
        for row in rows
    }


async def set_charges(tx: Transaction, charges: dict[ChargeKey, Decimal]) -> None:
    """Store what was taken for periods of locked subscriptions."""
    if charges:
        await tx.execute(
            SET_CHARGES,
            [subscription_id for subscription_id, _ in charges],
            [period_start for _, period_start in charges],
            list(charges.values()),
            tx.now,
        )


async def list_waiting(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> list[tuple[InvoiceId, SubscriptionId]]:
    """Final invoices that customers' wallets have not paid yet, oldest first."""
    rows = await tx.fetch(SELECT_WAITING, customer_ids)
    return [(InvoiceId(row["id"]), SubscriptionId(row["subscription_id"])) for row in rows]


async def mark_paid(tx: Transaction, invoice_ids: Sequence[InvoiceId]) -> None:
    """Note that wallets paid these locked invoices."""
    await tx.execute(MARK_PAID, invoice_ids, tx.now)

"""The SQL that reads invoices to compare them with their lines and numbers."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from monigo.catalog import PlanType
from monigo.infra.database import Transaction
from monigo.invoicing.store import NUMBERED_AS

SELECT_SUMS = """
    SELECT invoice.id, invoice.currency, invoice.subtotal, invoice.vat_enabled, invoice.vat_rate,
        invoice.vat_amount, invoice.wht_rate, invoice.wht_amount, invoice.total,
        line.amount AS line_amount
    FROM invoices AS invoice
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0) AS amount
        FROM invoice_line_items
        WHERE org_id = $1 AND is_test = $2 AND invoice_id = invoice.id
    ) AS line
    WHERE invoice.org_id = $1 AND invoice.is_test = $2
        AND ($3::uuid IS NULL OR invoice.id > $3)
    ORDER BY invoice.id
    LIMIT $4
"""

# Numbers that none of the invoices has, though a later one is taken.
SELECT_GAPS = """
    SELECT numbered.before + 1 AS first_missing, numbered.number - 1 AS last_missing
    FROM (
        SELECT number, lag(number, 1, 0::bigint) OVER (ORDER BY number) AS before
        FROM invoices
        WHERE org_id = $1 AND is_test = $2 AND plan_type = $3 AND number IS NOT NULL
    ) AS numbered
    WHERE numbered.number <> numbered.before + 1
    ORDER BY 1
    LIMIT $4
"""

SELECT_LAST_NUMBER = """
    SELECT coalesce((
        SELECT value FROM counters WHERE org_id = $1 AND is_test = $2 AND name = $3
    ), 0) AS counted, coalesce((
        SELECT max(number) FROM invoices WHERE org_id = $1 AND is_test = $2 AND plan_type = $4
    ), 0) AS taken
"""

# What wallets paid for invoices and running periods, less what they had back, beside what says so:
# a paid invoice its total, a running period what was charged for it. A period that was charged
# before its invoice is compared as a whole. Only billing's own transfers have no idempotency key.
COMPARE_PAYMENTS = """
    WITH period_names AS (
        SELECT subscription_id, period_start, charged, subscription_id || '/' || to_char(
                period_start AT TIME ZONE 'UTC',
                CASE date_trunc('second', period_start, 'UTC')
                    WHEN period_start THEN 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
                    ELSE 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
                END
            ) AS name
        FROM realtime_charges
        WHERE org_id = $1 AND is_test = $2
    ), wallet_invoices AS (
        SELECT invoice.id::text AS name,
            CASE WHEN period.name IS NULL THEN 'invoice' ELSE 'subscription_period' END
                AS payer_type,
            coalesce(period.name, invoice.id::text) AS payer,
            CASE WHEN invoice.status = 'paid' AND invoice.paid_reference = ''
                THEN invoice.total ELSE 0 END AS paid,
            invoice.kind = 'closing' AND invoice.status = 'paid' AND invoice.paid_reference = ''
                AS is_settled
        FROM invoices AS invoice
        LEFT JOIN period_names AS period ON period.subscription_id = invoice.subscription_id
            AND period.period_start = invoice.period_start
        WHERE invoice.org_id = $1 AND invoice.is_test = $2 AND invoice.billing_mode <> 'postpaid'
    ), told AS (
        SELECT payer_type, payer, sum(amount) AS amount
        FROM (
            SELECT payer_type, payer, paid AS amount FROM wallet_invoices
            UNION ALL
            SELECT 'subscription_period', name, charged FROM period_names AS period
            WHERE NOT EXISTS (
                SELECT 1 FROM wallet_invoices WHERE payer = period.name AND is_settled
            )
        ) AS part
        GROUP BY payer_type, payer
    ), taken AS (
        SELECT coalesce(invoice.payer_type, transfer.reference_type) AS payer_type,
            coalesce(invoice.payer, transfer.reference_id) AS payer,
            sum(CASE transfer.entry_type WHEN 'refund' THEN -transfer.amount
                ELSE transfer.amount END) AS amount
        FROM ledger_transfers AS transfer
        LEFT JOIN wallet_invoices AS invoice
            ON transfer.reference_type = 'invoice' AND invoice.name = transfer.reference_id
        WHERE transfer.org_id = $1 AND transfer.is_test = $2 AND transfer.idempotency_key = ''
            AND transfer.reference_type IN ('invoice', 'subscription_period')
        GROUP BY 1, 2
    )
    SELECT payer_type, payer, told.amount::text AS stored, taken.amount::text AS computed
    FROM told FULL JOIN taken USING (payer_type, payer)
    WHERE coalesce(told.amount, 0) <> coalesce(taken.amount, 0)
    ORDER BY payer_type, payer
    LIMIT $3
"""


async def load_sums(tx: Transaction, *, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    """The next invoices by id: their totals, and the sum of their lines."""
    return await tx.fetch(SELECT_SUMS, after, limit)


async def list_gaps(tx: Transaction, plan_type: PlanType, limit: int) -> Sequence[tuple[int, int]]:
    """The first and last number of each gap."""
    rows = await tx.fetch(SELECT_GAPS, plan_type.value, limit)
    return [(row["first_missing"], row["last_missing"]) for row in rows]


async def last_number(tx: Transaction, plan_type: PlanType) -> tuple[int, int]:
    """The last number by the counter, and by the invoices or bills."""
    row = await tx.fetchrow(SELECT_LAST_NUMBER, NUMBERED_AS[plan_type], plan_type.value)
    return (row["counted"], row["taken"]) if row else (0, 0)


async def list_unmatched_payments(
    tx: Transaction, limit: int
) -> Sequence[tuple[str, str, str | None, str | None]]:
    """Invoices and periods, what they say was paid from wallets, and what the ledger says."""
    rows = await tx.fetch(COMPARE_PAYMENTS, limit)
    return [(row["payer_type"], row["payer"], row["stored"], row["computed"]) for row in rows]

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

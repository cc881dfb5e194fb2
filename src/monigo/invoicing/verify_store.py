"""The SQL that reads invoices to compare them with their lines and numbers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.catalog import PlanType
from monigo.infra.db import Transaction
from monigo.invoicing.documents import NUMBERED_AS, PERIOD_NAME

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

# What wallets paid under a reference, less what they had back. Of all that is referred to something
# only billing's own transfers have no idempotency key.
_TAKEN = """
    SELECT coalesce(
            sum(CASE entry_type WHEN 'refund' THEN -amount ELSE amount END), 0
        ) AS amount
    FROM ledger_transfers
    WHERE org_id = $1 AND is_test = $2 AND idempotency_key = ''
"""

# A wallet's payment as recorded on the invoice. Without a reference the wallet paid all of it, and
# nothing was received elsewhere.
_RECORDED = """
    SELECT CASE
        WHEN invoice.plan_type = 'payout' THEN 0
        WHEN invoice.status = 'paid' AND invoice.paid_reference = '' THEN invoice.total
        WHEN invoice.status = 'paid' AND invoice.wallet_paid = invoice.total THEN 0
        ELSE invoice.wallet_paid
    END AS amount
"""

# An invoice with the sum of its lines, and what a wallet paid by its own record and by the ledger.
# A period that was charged before it was invoiced is compared as a whole only.
SELECT_SUMS = f"""
    SELECT invoice.id, invoice.currency, invoice.subtotal, invoice.vat_enabled, invoice.vat_rate,
        invoice.vat_amount, invoice.wht_rate, invoice.wht_amount, invoice.total,
        invoice.rounded_off, line.amount AS line_amount, line.rounding, wallet.amount AS taken,
        recorded.amount AS recorded,
        invoice.billing_mode <> 'postpaid' AND EXISTS (
            SELECT 1 FROM realtime_charges
            WHERE org_id = $1 AND is_test = $2 AND subscription_id = invoice.subscription_id
                AND period_start = invoice.period_start
        ) AS is_part_of_period
    FROM invoices AS invoice
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0) AS amount,
            coalesce(sum(amount) FILTER (WHERE kind = 'rounding'), 0) AS rounding
        FROM invoice_line_items
        WHERE org_id = $1 AND is_test = $2 AND invoice_id = invoice.id
    ) AS line
    CROSS JOIN LATERAL (
        {_TAKEN} AND reference_type = 'invoice' AND reference_id = invoice.id::text
    ) AS wallet
    CROSS JOIN LATERAL ({_RECORDED}) AS recorded
    WHERE invoice.org_id = $1 AND invoice.is_test = $2
        AND ($3::uuid IS NULL OR invoice.id > $3)
    ORDER BY invoice.id
    LIMIT $4
"""

# Final invoices, in the order of their numbers, whose `rounding` is not what the invoices that were
# live then had left, or whose subtotal doesn't make all subtotals the rounded sum of all lines. One
# counts from its number until it was voided. Here `round` goes half away from zero.
SELECT_ROUNDING = """
    WITH change AS (
        SELECT subscription_id, number AS place, 1 AS step, id, currency, rounded_off, subtotal
        FROM invoices
        WHERE org_id = $1 AND is_test = $2 AND number IS NOT NULL AND rounded_off IS NOT NULL
        UNION ALL
        SELECT subscription_id, voided_after, 2, NULL, currency, -rounded_off, -subtotal
        FROM invoices
        WHERE org_id = $1 AND is_test = $2 AND number IS NOT NULL AND rounded_off IS NOT NULL
            AND voided_after IS NOT NULL
    ), final AS (
        SELECT id, currency, rounded_off, subtotal,
            coalesce(sum(rounded_off) OVER earlier, 0) AS carried,
            coalesce(sum(subtotal) OVER earlier, 0) AS subtotals
        FROM change
        WINDOW earlier AS (
            PARTITION BY subscription_id ORDER BY place, step
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
    ), rounded AS (
        SELECT final.id, final.carried, line.rounding, final.subtotal,
            round(
                final.subtotals + final.subtotal + final.rounded_off + final.carried, unit.places
            ) - final.subtotals AS computed
        FROM final
        JOIN unnest($3::text[], $4::integer[]) AS unit (currency, places)
            ON unit.currency = final.currency
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount), 0) AS rounding FROM invoice_line_items
            WHERE org_id = $1 AND is_test = $2 AND invoice_id = final.id AND kind = 'rounding'
        ) AS line
        WHERE final.id IS NOT NULL
    )
    SELECT id, carried, rounding, subtotal, computed FROM rounded
    WHERE rounding <> carried OR subtotal <> computed
    ORDER BY id
    LIMIT $5
"""

# A period that was charged before it was invoiced is compared as a whole: the payments on its
# invoices, and the charges that no invoice has used yet.
SELECT_PERIODS = f"""
    SELECT charge.subscription_id, charge.period_start, name.text AS name,
        invoiced.recorded + charge.charged AS recorded,
        invoiced.taken + charged.amount AS taken
    FROM realtime_charges AS charge
    JOIN subscriptions AS subscription ON subscription.org_id = $1 AND subscription.is_test = $2
        AND subscription.id = charge.subscription_id
    CROSS JOIN LATERAL (
        {PERIOD_NAME.format(row="charge")}
    ) AS name
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(recorded.amount), 0) AS recorded,
            coalesce(sum(wallet.amount), 0) AS taken
        FROM invoices AS invoice
        CROSS JOIN LATERAL ({_RECORDED}) AS recorded
        CROSS JOIN LATERAL (
            {_TAKEN} AND reference_type = 'invoice' AND reference_id = invoice.id::text
        ) AS wallet
        WHERE invoice.org_id = $1 AND invoice.is_test = $2
            AND invoice.customer_id = subscription.customer_id
            AND invoice.subscription_id = charge.subscription_id
            AND invoice.period_start = charge.period_start
            AND invoice.billing_mode <> 'postpaid'
    ) AS invoiced
    CROSS JOIN LATERAL (
        {_TAKEN} AND reference_type = 'subscription_period' AND reference_id = name.text
    ) AS charged
    WHERE charge.org_id = $1 AND charge.is_test = $2
        AND ($3::uuid IS NULL OR (charge.subscription_id, charge.period_start) > ($3, $4))
    ORDER BY charge.subscription_id, charge.period_start
    LIMIT $5
"""

# What wallets paid for something that isn't there.
SELECT_PAID_FOR_NOTHING = """
    SELECT transfer.reference_type, transfer.reference_id, sum(
            CASE transfer.entry_type WHEN 'refund' THEN -transfer.amount ELSE transfer.amount END
        ) AS taken
    FROM ledger_transfers AS transfer
    CROSS JOIN LATERAL (
        SELECT regexp_match(
            transfer.reference_id,
            '^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:/(\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z))?$'
        ) AS parts
    ) AS found
    WHERE transfer.org_id = $1 AND transfer.is_test = $2 AND transfer.idempotency_key = ''
        AND transfer.reference_type IN ('invoice', 'subscription_period')
        AND CASE transfer.reference_type
            WHEN 'invoice' THEN NOT EXISTS (
                SELECT 1 FROM invoices
                WHERE org_id = $1 AND is_test = $2 AND id = found.parts[1]::uuid
            )
            ELSE NOT EXISTS (
                SELECT 1 FROM realtime_charges
                WHERE org_id = $1 AND is_test = $2 AND subscription_id = found.parts[1]::uuid
                    AND period_start = found.parts[2]::timestamptz
            )
        END
    GROUP BY transfer.reference_id, transfer.reference_type
    ORDER BY transfer.reference_id, transfer.reference_type
    LIMIT $3
"""


async def load_sums(tx: Transaction, *, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    """The next invoices by id: their totals, the sum of their lines, and their payments."""
    return await tx.fetch(SELECT_SUMS, after, limit)


async def list_wrongly_rounded(
    tx: Transaction, places: Mapping[str, int], limit: int
) -> list[asyncpg.Record]:
    """Final invoices that carry or round another amount than they should, of these currencies.

    `places` are the decimal places of each currency's minor unit.
    """
    return await tx.fetch(SELECT_ROUNDING, list(places), list(places.values()), limit)


async def list_gaps(tx: Transaction, plan_type: PlanType, limit: int) -> Sequence[tuple[int, int]]:
    """The first and last number of each gap."""
    rows = await tx.fetch(SELECT_GAPS, plan_type.value, limit)
    return [(row["first_missing"], row["last_missing"]) for row in rows]


async def last_number(tx: Transaction, plan_type: PlanType) -> tuple[int, int]:
    """The last number by the counter, and by the invoices or bills."""
    row = await tx.fetchrow(SELECT_LAST_NUMBER, NUMBERED_AS[plan_type], plan_type.value)
    return (row["counted"], row["taken"]) if row else (0, 0)


async def load_periods(
    tx: Transaction, *, after: tuple[UUID, datetime] | None, limit: int
) -> list[asyncpg.Record]:
    """The next realtime periods: what was paid by their own records, and by the ledger."""
    subscription_id, period_start = after or (None, None)
    return await tx.fetch(SELECT_PERIODS, subscription_id, period_start, limit)


async def list_paid_for_nothing(tx: Transaction, limit: int) -> list[asyncpg.Record]:
    """What wallets paid for invoices and periods that don't exist."""
    return await tx.fetch(SELECT_PAID_FOR_NOTHING, limit)

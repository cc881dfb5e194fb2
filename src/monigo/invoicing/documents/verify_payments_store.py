"""The SQL that compares the ledger's payments with those of invoices and running periods."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from monigo.infra.db import Transaction

# How movements name a realtime period.
PERIOD_NAME = """
    SELECT {row}.subscription_id || '/' || to_char(
            {row}.period_start AT TIME ZONE 'UTC',
            CASE date_trunc('second', {row}.period_start, 'UTC')
                WHEN {row}.period_start THEN 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
                ELSE 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
            END
        ) AS text
"""

# By what is paid, a realtime period with all its invoices or another invoice, and by source: a
# grant, or NULL for money. What was paid before sources were kept is compared no further than that
# nothing had back more than it paid.
SELECT_SOURCES = f"""
    WITH invoice AS (
        SELECT paid.id, paid.wallet_parts, paid.wallet_paid,
            CASE paid.billing_mode WHEN 'realtime' THEN name.text ELSE paid.id::text END AS target
        FROM invoices AS paid
        CROSS JOIN LATERAL ({PERIOD_NAME.format(row="paid")}) AS name
        WHERE paid.org_id = $1 AND paid.is_test = $2 AND paid.plan_type = 'collection'
    ), recorded AS (
        SELECT part.target, (part.content ->> 0)::uuid AS grant_id,
            sum((part.content ->> 2)::numeric) AS amount
        FROM (
            SELECT target, jsonb_array_elements(wallet_parts) AS content FROM invoice
            UNION ALL
            SELECT name.text, jsonb_array_elements(
                CASE jsonb_typeof(charge.parts) WHEN 'array' THEN charge.parts
                ELSE jsonb_build_array(jsonb_build_array(NULL, NULL, charge.charged)) END
            )
            FROM realtime_charges AS charge
            CROSS JOIN LATERAL ({PERIOD_NAME.format(row="charge")}) AS name
            WHERE charge.org_id = $1 AND charge.is_test = $2
        ) AS part
        GROUP BY part.target, part.content ->> 0
    ), taken AS (
        SELECT coalesce(invoice.target, transfer.reference_id) AS target, credit.id AS grant_id,
            sum(CASE transfer.entry_type WHEN 'refund' THEN -transfer.amount
                ELSE transfer.amount END) AS amount
        FROM ledger_transfers AS transfer
        LEFT JOIN invoice ON transfer.reference_type = 'invoice'
            AND invoice.id::text = transfer.reference_id
        LEFT JOIN credit_grants AS credit ON credit.org_id = $1 AND credit.is_test = $2
            AND credit.account_id = CASE transfer.entry_type
                WHEN 'refund' THEN transfer.to_account_id ELSE transfer.from_account_id END
        WHERE transfer.org_id = $1 AND transfer.is_test = $2 AND transfer.idempotency_key = ''
            AND transfer.reference_type IN ('invoice', 'subscription_period')
        GROUP BY coalesce(invoice.target, transfer.reference_id), credit.id
    )
    SELECT coalesce(recorded.target, taken.target) AS target,
        coalesce(recorded.grant_id, taken.grant_id) AS grant_id,
        coalesce(recorded.amount, 0) AS recorded, coalesce(taken.amount, 0) AS taken
    FROM recorded
    FULL JOIN taken ON taken.target = recorded.target
        AND coalesce(taken.grant_id::text, '') = coalesce(recorded.grant_id::text, '')
    WHERE taken.amount < 0 OR coalesce(recorded.amount, 0) <> coalesce(taken.amount, 0)
        AND NOT EXISTS (
            SELECT 1 FROM invoice
            WHERE invoice.target = coalesce(recorded.target, taken.target)
                AND invoice.wallet_paid > 0 AND invoice.wallet_parts = '[]'
        )
    ORDER BY 1, 2
    LIMIT $3
"""

# Credits that paid what they may not: for another metric, or for a period that ended after them.
SELECT_MISUSED = """
    SELECT transfer.reference_type, transfer.reference_id, credit.id AS grant_id, transfer.amount,
        limited.is_so AS is_of_other_metric
    FROM credit_grants AS credit
    JOIN ledger_transfers AS transfer ON transfer.org_id = $1 AND transfer.is_test = $2
        AND transfer.from_account_id = credit.account_id AND transfer.entry_type = 'usage'
        AND transfer.idempotency_key = ''
        AND transfer.reference_type IN ('invoice', 'subscription_period')
    LEFT JOIN invoices AS invoice ON invoice.org_id = $1 AND invoice.is_test = $2
        AND transfer.reference_type = 'invoice' AND invoice.id::text = transfer.reference_id
    CROSS JOIN LATERAL (
        SELECT credit.metric_ids <> '{}' AND NOT coalesce(
            (transfer.metadata ->> 'metric_id')::uuid = ANY (credit.metric_ids), false
        ) AS is_so
    ) AS limited
    WHERE credit.org_id = $1 AND credit.is_test = $2
        AND (limited.is_so
            OR credit.expires_at
                < least(transfer.created_at, coalesce(invoice.period_end, transfer.created_at)))
    ORDER BY transfer.reference_id, credit.id
    LIMIT $3
"""

# Invoices that grants paid some of.
SELECT_PAID_BY_CREDITS = """
    SELECT id, currency, total, wallet_parts::text AS parts FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND wallet_paid > 0
        AND EXISTS (
            SELECT 1 FROM jsonb_array_elements(wallet_parts) AS part WHERE part ->> 0 IS NOT NULL
        )
        AND ($3::uuid IS NULL OR id > $3)
    ORDER BY id
    LIMIT $4
"""


# What is charged for a period waits for its invoice, or went back. None comes for a period that is
# closed, that has no length, or that is not paid in realtime any more.
SELECT_FOR_NO_INVOICE = f"""
    SELECT name.text AS name, charge.charged
    FROM realtime_charges AS charge
    JOIN subscriptions AS subscription ON subscription.org_id = $1 AND subscription.is_test = $2
        AND subscription.id = charge.subscription_id
    CROSS JOIN LATERAL (
        SELECT coalesce((
            SELECT phase.plan_id FROM subscription_phases AS phase
            WHERE phase.org_id = $1 AND phase.is_test = $2
                AND phase.subscription_id = subscription.id
                AND subscription.phase_started_at > charge.period_start
                AND phase.started_at <= charge.period_start
            ORDER BY phase.started_at DESC
            LIMIT 1
        ), subscription.plan_id) AS plan_id
    ) AS billed
    JOIN plans AS plan ON plan.org_id = $1 AND plan.is_test = $2 AND plan.id = billed.plan_id
    CROSS JOIN LATERAL (
        {PERIOD_NAME.format(row="charge")}
    ) AS name
    WHERE charge.org_id = $1 AND charge.is_test = $2 AND charge.charged > 0
        AND (
            charge.period_start < subscription.closed_until
            OR charge.period_start >= subscription.canceled_at
            OR plan.billing_mode <> 'realtime'
        )
    ORDER BY charge.subscription_id, charge.period_start
    LIMIT $3
"""


async def list_sources(tx: Transaction, limit: int) -> Sequence[asyncpg.Record]:
    """Payments that differ between the ledger and invoices or periods."""
    return await tx.fetch(SELECT_SOURCES, limit)


async def list_for_no_invoice(tx: Transaction, limit: int) -> Sequence[asyncpg.Record]:
    """What is charged for periods that no invoice will come for."""
    return await tx.fetch(SELECT_FOR_NO_INVOICE, limit)


async def list_misused(tx: Transaction, limit: int) -> Sequence[asyncpg.Record]:
    """What credits paid that they may not pay."""
    return await tx.fetch(SELECT_MISUSED, limit)


async def load_paid_by_credits(
    tx: Transaction, *, after: UUID | None, limit: int
) -> Sequence[asyncpg.Record]:
    """The next invoices by id that credits paid some of."""
    return await tx.fetch(SELECT_PAID_BY_CREDITS, after, limit)

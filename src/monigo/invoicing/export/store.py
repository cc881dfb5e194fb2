"""The SQL of exports: invoices page by page, and revenue by month."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import asyncpg
from msgspec import Struct

from monigo.catalog import PlanType
from monigo.core.ids import CustomerId, InvoiceId, PlanId
from monigo.infra.db import Transaction
from monigo.invoicing.rules import LIVE
from monigo.invoicing.types import InvoiceStatus

# By what never changes, so that neither new invoices nor finalized drafts shift anything.
SELECT_PAGE = """
    SELECT id, customer_id, subscription_id, kind, status, number, currency, subtotal, vat_rate,
        vat_amount, wht_rate, wht_amount, total, amount_paid, period_start, period_end, created_at,
        finalized_at, due_date, paid_at, voided_at, paid_reference
    FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND plan_type = $3
        AND ($4::uuid IS NULL OR customer_id = $4) AND ($5::text IS NULL OR status = $5)
        AND ($6::timestamptz IS NULL OR (created_at, id) < ($6, $7::uuid))
    ORDER BY created_at DESC, id DESC
    LIMIT $8
"""

# An invoice's plan is the one whose terms it was frozen with, whatever was changed to since.
SUM_REVENUE = """
    SELECT date_trunc('month', finalized_at AT TIME ZONE $3)::date AS month, currency,
        (terms ->> 'plan_id')::uuid AS plan_id, count(*) AS invoices, sum(subtotal) AS subtotal,
        sum(vat_amount) AS vat_amount, sum(total) AS total,
        sum(amount_paid) AS paid,
        coalesce(sum(total - amount_paid) FILTER (
            WHERE status IN ('finalized', 'payment_failed')
        ), 0) AS outstanding,
        coalesce(sum(total - amount_paid) FILTER (WHERE status = 'uncollectible'), 0)
            AS uncollectible
    FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND plan_type = 'collection' AND status = ANY ($4::text[])
        AND ($5::timestamptz IS NULL OR finalized_at >= $5)
    GROUP BY month, currency, terms ->> 'plan_id'
    ORDER BY month, currency, plan_id
"""

_LIVE = [status.value for status in LIVE]


class InvoiceWalk(Struct, frozen=True):
    """Which invoices to go through, newest first; None means any."""

    plan_type: PlanType
    customer_id: CustomerId | None
    status: InvoiceStatus | None


class Revenue(Struct, frozen=True):
    """What was invoiced in a month, in a currency, under a plan."""

    month: date
    currency: str
    plan_id: PlanId
    invoices: int
    subtotal: Decimal
    vat_amount: Decimal
    total: Decimal
    paid: Decimal
    outstanding: Decimal
    uncollectible: Decimal


async def load_page(
    tx: Transaction, walk: InvoiceWalk, after: tuple[datetime, InvoiceId] | None, limit: int
) -> Sequence[asyncpg.Record]:
    """The next invoices of a walk, without their lines."""
    created_at, invoice_id = after or (None, None)
    return await tx.fetch(
        SELECT_PAGE,
        walk.plan_type.value,
        walk.customer_id,
        walk.status and walk.status.value,
        created_at,
        invoice_id,
        limit,
    )


async def sum_revenue(tx: Transaction, timezone: str, since: datetime | None) -> list[Revenue]:
    """Live invoices by the month of their finalizing in a time zone, currency and plan."""
    rows = await tx.fetch(SUM_REVENUE, timezone, _LIVE, since)
    return [
        Revenue(
            month=row["month"],
            currency=row["currency"],
            plan_id=PlanId(row["plan_id"]),
            invoices=row["invoices"],
            subtotal=row["subtotal"],
            vat_amount=row["vat_amount"],
            total=row["total"],
            paid=row["paid"],
            outstanding=row["outstanding"],
            uncollectible=row["uncollectible"],
        )
        for row in rows
    ]

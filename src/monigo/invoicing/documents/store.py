"""The SQL of invoices and their lines; that of their states after a draft is `states_store`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.catalog import BillingMode, PlanType
from monigo.core.ids import CustomerId, InvoiceId, LineItemId, SubscriptionId
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.invoicing.documents.rules import UNPAID
from monigo.invoicing.types import (
    Invoice,
    InvoiceFilter,
    InvoiceKind,
    InvoiceStatus,
    Line,
    LineKind,
    StoredLine,
    Totals,
)

# The counters that number them, each without a gap.
NUMBERED_AS = {PlanType.COLLECTION: "invoice", PlanType.PAYOUT: "bill"}

COLUMNS = """
    id, customer_id, subscription_id, plan_type, kind, status, number, currency, subtotal,
    vat_enabled, vat_rate, vat_amount, wht_rate, wht_amount, total, period_start, period_end,
    created_at, updated_at, finalized_at, paid_at, voided_at, due_date, paid_reference,
    amount_paid, wallet_paid, amount_refunded, amount_disputed, amount_reversed, collection_reason,
    next_collection_at, billing_mode, is_booked
"""

SELECT = f"""
    SELECT {COLUMNS} FROM invoices WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

SELECT_HEADS = f"""
    SELECT {COLUMNS} FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

# A period all of whose invoices were voided after it had been closed. It is identified by its
# start: an end or a new plan may have cut it after its first invoice.
SELECT_WAIVED = """
    SELECT 1 FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = $3 AND period_start = $4
        AND kind <> 'supplementary'
    HAVING count(*) > 0 AND bool_and(status IN ('void', 'draft'))
"""

SELECT_DRAFTS_FROM = """
    SELECT customer_id, min(period_start) AS drafts_from FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[]) AND status = 'draft'
        AND updated_at > $4
    GROUP BY customer_id
"""

SELECT_DRAFTS = """
    SELECT id FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND status = 'draft' AND period_start < $4
        AND period_end > $3 AND ($5::uuid IS NULL OR id > $5)
    ORDER BY id
    LIMIT $6
"""

MATCHING = """
    FROM invoices
    WHERE org_id = $1 AND is_test = $2
        AND ($3::uuid IS NULL OR customer_id = $3)
        AND ($4::text IS NULL OR status = $4)
        AND plan_type = $5
        AND (NOT $6 OR (status <> 'draft' AND total <> 0))
"""

SELECT_PAGE = f"""
    SELECT {COLUMNS} {MATCHING}
    ORDER BY created_at DESC, id DESC
    LIMIT $7 OFFSET $8
"""

COUNT = f"SELECT count(*) {MATCHING}"

SELECT_LINES = """
    SELECT id, invoice_id, kind, price_id, metric_id, period_start, period_end, description,
        quantity, unit_price, amount, cumulative_quantity, cumulative_amount, price_revision,
        group_value, event_count, first_event_at, last_event_at, whole_quantity,
        uncounted_events, created_at
    FROM invoice_line_items
    WHERE org_id = $1 AND is_test = $2 AND invoice_id = ANY ($3::uuid[])
    ORDER BY invoice_id, position
"""

DELETE = "DELETE FROM invoices WHERE org_id = $1 AND is_test = $2 AND id = $3"

COUNT_UNPAID = """
    SELECT count(*) FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND status = ANY ($4::text[])
"""

SELECT_OWNERS = """
    SELECT id, subscription_id, customer_id FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

LOCK_ALL = f"""
    SELECT {COLUMNS} FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
    ORDER BY id
    FOR UPDATE
"""

# Only these wait for no wallet.
SELECT_UNPAID = f"""
    SELECT {COLUMNS} FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND status = ANY ($4::text[])
        AND plan_type = 'collection' AND billing_mode = 'postpaid'
    ORDER BY finalized_at, number
"""

_UNPAID = [status.value for status in UNPAID]


async def load(tx: Transaction, invoice_id: UUID, *, for_update: bool = False) -> Invoice | None:
    """One invoice with its lines."""
    row = await tx.fetchrow(SELECT + (" FOR UPDATE" if for_update else ""), invoice_id)
    return None if row is None else (await _with_lines(tx, [row]))[0]


async def is_waived(tx: Transaction, subscription_id: SubscriptionId, period: Period) -> bool:
    """Whether all invoices of a closed period were voided."""
    return bool(await tx.fetchval(SELECT_WAIVED, subscription_id, period.start))


async def drafts_from(
    tx: Transaction, customer_ids: Sequence[CustomerId], *, refreshed_since: datetime
) -> dict[CustomerId, datetime]:
    """When the first period began of which there is such a draft, for customers who have one."""
    rows = await tx.fetch(SELECT_DRAFTS_FROM, customer_ids, refreshed_since)
    return {CustomerId(row["customer_id"]): row["drafts_from"] for row in rows}


async def list_drafts(
    tx: Transaction, window: Period, *, after: InvoiceId | None, limit: int
) -> list[InvoiceId]:
    """The next drafts, by id, whose periods overlap a window."""
    rows = await tx.fetch(SELECT_DRAFTS, window.start, window.end, after, limit)
    return [InvoiceId(row["id"]) for row in rows]


async def list_page(
    tx: Transaction,
    request: PageRequest,
    wanted: InvoiceFilter,
    customer_id: CustomerId | None,
) -> Page[Invoice]:
    """Invoices that match, newest first; of that customer, if one is given."""
    status = None if wanted.status is None else wanted.status.value
    matching = (customer_id, status, wanted.plan_type.value, wanted.is_for_customer)
    found: list[Invoice] = []
    async for rows in tx.pieces(SELECT_PAGE, *matching, request.limit, request.offset):
        found += await _with_lines(tx, rows)
    return Page(found, await tx.fetchval(COUNT, *matching), request.offset)


async def delete(tx: Transaction, invoice_id: InvoiceId) -> None:
    """Remove a draft with its lines."""
    await tx.execute(DELETE, invoice_id)


async def count_unpaid(tx: Transaction, customer_id: CustomerId) -> int:
    """How many unpaid invoices a customer has."""
    return await tx.fetchval(COUNT_UNPAID, customer_id, _UNPAID)


async def owners_of(
    tx: Transaction, invoice_ids: Sequence[UUID]
) -> dict[InvoiceId, tuple[SubscriptionId, CustomerId]]:
    """Whose invoices these are, as far as there are any."""
    return {
        InvoiceId(row["id"]): (
            SubscriptionId(row["subscription_id"]),
            CustomerId(row["customer_id"]),
        )
        for row in await tx.fetch(SELECT_OWNERS, list(invoice_ids))
    }


async def load_heads(tx: Transaction, invoice_ids: Sequence[InvoiceId]) -> dict[InvoiceId, Invoice]:
    """Invoices by id, without their lines; those that are gone are absent."""
    found = [_invoice(row, ()) for row in await tx.fetch(SELECT_HEADS, list(invoice_ids))]
    return {invoice.id: invoice for invoice in found}


async def lock_all(tx: Transaction, invoice_ids: Sequence[UUID]) -> list[Invoice]:
    """Those of these invoices that there are, locked, without their lines."""
    return [_invoice(row, ()) for row in await tx.fetch(LOCK_ALL, list(invoice_ids))]


async def list_unpaid(
    tx: Transaction, customer_id: CustomerId, statuses: Sequence[InvoiceStatus]
) -> list[Invoice]:
    """A customer's postpaid invoices in these statuses, oldest first, without their lines."""
    rows = await tx.fetch(SELECT_UNPAID, customer_id, [status.value for status in statuses])
    return [_invoice(row, ()) for row in rows]


async def load_lines(tx: Transaction, invoice_ids: Sequence[UUID]) -> dict[UUID, list[StoredLine]]:
    """The lines of each invoice, in their order."""
    lines: dict[UUID, list[StoredLine]] = {invoice_id: [] for invoice_id in invoice_ids}
    for line_row in await tx.fetch(SELECT_LINES, list(lines)):
        lines[line_row["invoice_id"]].append(_line(line_row))
    return lines


async def _with_lines(tx: Transaction, rows: Sequence[asyncpg.Record]) -> list[Invoice]:
    lines = await load_lines(tx, [row["id"] for row in rows])
    return [_invoice(row, tuple(lines[row["id"]])) for row in rows]


def _line(row: asyncpg.Record) -> StoredLine:
    line = Line(
        kind=LineKind(row["kind"]),
        price_id=row["price_id"],
        metric_id=row["metric_id"],
        period=Period(row["period_start"], row["period_end"]),
        description=row["description"],
        quantity=row["quantity"],
        unit_price=row["unit_price"],
        amount=row["amount"],
        cumulative_quantity=row["cumulative_quantity"],
        cumulative_amount=row["cumulative_amount"],
        price_revision=row["price_revision"],
        group_value=row["group_value"],
        event_count=row["event_count"],
        first_event_at=row["first_event_at"],
        last_event_at=row["last_event_at"],
        whole_quantity=row["whole_quantity"],
        uncounted_events=row["uncounted_events"],
    )
    return StoredLine(LineItemId(row["id"]), InvoiceId(row["invoice_id"]), line, row["created_at"])


def _invoice(row: asyncpg.Record, lines: tuple[StoredLine, ...]) -> Invoice:
    return Invoice(
        id=InvoiceId(row["id"]),
        customer_id=CustomerId(row["customer_id"]),
        subscription_id=SubscriptionId(row["subscription_id"]),
        plan_type=PlanType(row["plan_type"]),
        kind=InvoiceKind(row["kind"]),
        status=InvoiceStatus(row["status"]),
        number=row["number"],
        currency=row["currency"],
        totals=Totals(
            subtotal=row["subtotal"],
            vat_enabled=row["vat_enabled"],
            vat_rate=row["vat_rate"],
            vat_amount=row["vat_amount"],
            wht_rate=row["wht_rate"],
            wht_amount=row["wht_amount"],
            total=row["total"],
        ),
        period=Period(row["period_start"], row["period_end"]),
        lines=lines,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        finalized_at=row["finalized_at"],
        paid_at=row["paid_at"],
        voided_at=row["voided_at"],
        due_date=row["due_date"],
        paid_reference=row["paid_reference"],
        amount_paid=row["amount_paid"],
        wallet_paid=row["wallet_paid"],
        amount_refunded=row["amount_refunded"],
        amount_disputed=row["amount_disputed"],
        amount_reversed=row["amount_reversed"],
        collection_reason=row["collection_reason"],
        next_collection_at=row["next_collection_at"],
        billing_mode=BillingMode(row["billing_mode"]),
        is_booked=row["is_booked"],
    )

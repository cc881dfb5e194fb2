"""All SQL of invoices and their lines."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import asyncpg

from monigo.core.ids import (
    CustomerId,
    InvoiceId,
    LineItemId,
    MetricId,
    PriceId,
    SubscriptionId,
)
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import Period
from monigo.infra.database import Transaction
from monigo.infra.ids import new_id
from monigo.invoicing.grouping import undescribed
from monigo.invoicing.rules import LIVE, UNPAID
from monigo.invoicing.types import (
    Billed,
    BilledGroups,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    Line,
    LineKind,
    StoredLine,
    Totals,
)

COLUMNS = """
    id, customer_id, subscription_id, kind, status, number, currency, subtotal, vat_enabled,
    vat_rate, vat_amount, total, period_start, period_end, created_at, updated_at, finalized_at,
    paid_at, voided_at, due_date
"""

INSERT_DRAFT = """
    INSERT INTO invoices (
        org_id, is_test, id, customer_id, subscription_id, kind, status, currency, subtotal,
        vat_enabled, vat_rate, vat_amount, total, period_start, period_end, created_at, updated_at
    ) VALUES ($1, $2, $3, $4, $5, $6, 'draft', $7, 0, false, 0, 0, 0, $8, $9, $10, $10)
"""

UPDATE_DRAFT = """
    UPDATE invoices
    SET kind = $4, subtotal = $5, vat_enabled = $6, vat_rate = $7, vat_amount = $8, total = $9,
        period_end = $10, updated_at = $11
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND status = 'draft'
"""

SELECT = f"""
    SELECT {COLUMNS} FROM invoices WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

SELECT_DRAFT_OF_PERIOD = f"""
    SELECT {COLUMNS} FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = $3 AND period_start = $4
        AND status = 'draft'
    FOR UPDATE
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
"""

SELECT_PAGE = f"""
    SELECT {COLUMNS} {MATCHING}
    ORDER BY created_at DESC, id DESC
    LIMIT $5 OFFSET $6
"""

COUNT = f"SELECT count(*) {MATCHING}"

INSERT_LINE = """
    INSERT INTO invoice_line_items (
        org_id, is_test, id, invoice_id, subscription_id, position, kind, price_id, metric_id,
        period_start, period_end, description, quantity, unit_price, amount, cumulative_quantity,
        cumulative_amount, price_revision, group_value, created_at
    ) VALUES (
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20
    )
"""

DELETE_LINES = """
    DELETE FROM invoice_line_items WHERE org_id = $1 AND is_test = $2 AND invoice_id = $3
"""

SELECT_LINES = """
    SELECT id, invoice_id, kind, price_id, metric_id, period_start, period_end, description,
        quantity, unit_price, amount, cumulative_quantity, cumulative_amount, price_revision,
        group_value, created_at
    FROM invoice_line_items
    WHERE org_id = $1 AND is_test = $2 AND invoice_id = ANY ($3::uuid[])
    ORDER BY invoice_id, position
"""

SUM_BILLED = """
    SELECT line.price_id, line.group_value, sum(line.quantity) AS quantity,
        sum(line.amount) AS amount
    FROM invoice_line_items AS line
    JOIN invoices AS invoice ON invoice.org_id = line.org_id
        AND invoice.is_test = line.is_test AND invoice.id = line.invoice_id
    WHERE line.org_id = $1 AND line.is_test = $2 AND line.subscription_id = $3
        AND line.period_start = $4 AND line.kind = 'usage' AND invoice.status = ANY ($5::text[])
    GROUP BY line.price_id, line.group_value
"""

SELECT_BILLED_PRICES = """
    SELECT DISTINCT ON (line.price_id) line.price_id, line.metric_id, line.description,
        line.group_value
    FROM invoice_line_items AS line
    WHERE line.org_id = $1 AND line.is_test = $2 AND line.price_id = ANY ($3::uuid[])
        AND line.subscription_id = $4 AND line.period_start = $5
    ORDER BY line.price_id, line.created_at DESC
"""

SUM_CREDIT = """
    SELECT coalesce(sum(line.amount), 0)
    FROM invoice_line_items AS line
    JOIN invoices AS invoice ON invoice.org_id = line.org_id
        AND invoice.is_test = line.is_test AND invoice.id = line.invoice_id
    WHERE line.org_id = $1 AND line.is_test = $2 AND invoice.customer_id = $3
        AND invoice.currency = $4 AND line.kind = 'credit' AND invoice.status = ANY ($5::text[])
"""

# Taken last in the finalizing transaction, which holds the row until it commits: no gaps.
NEXT_NUMBER = """
    INSERT INTO counters (org_id, is_test, name, value) VALUES ($1, $2, 'invoice', 1)
    ON CONFLICT (org_id, is_test, name) DO UPDATE SET value = counters.value + 1
    RETURNING value
"""

FINALIZE = """
    UPDATE invoices
    SET status = $4, number = $5, finalized_at = $6, updated_at = $6,
        paid_at = CASE WHEN $4 = 'paid' THEN $6::timestamptz END
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

VOID = """
    UPDATE invoices SET status = 'void', voided_at = $4, updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

DELETE = "DELETE FROM invoices WHERE org_id = $1 AND is_test = $2 AND id = $3"

COUNT_UNPAID = """
    SELECT count(*) FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND status = ANY ($4::text[])
"""

_LIVE = [status.value for status in LIVE]
_UNPAID = [status.value for status in UNPAID]


async def insert_draft(tx: Transaction, invoice: Invoice) -> None:
    """Store an empty draft, to be filled by `fill_draft`."""
    await tx.execute(
        INSERT_DRAFT,
        invoice.id,
        invoice.customer_id,
        invoice.subscription_id,
        invoice.kind.value,
        invoice.currency,
        invoice.period.start,
        invoice.period.end,
        tx.now,
    )


async def fill_draft(tx: Transaction, invoice: Invoice, lines: Sequence[Line]) -> None:
    """Replace a locked draft's lines and sums."""
    totals = invoice.totals
    await tx.execute(
        UPDATE_DRAFT,
        invoice.id,
        invoice.kind.value,
        totals.subtotal,
        totals.vat_enabled,
        totals.vat_rate,
        totals.vat_amount,
        totals.total,
        invoice.period.end,
        tx.now,
    )
    await tx.execute(DELETE_LINES, invoice.id)
    await tx.connection.executemany(
        INSERT_LINE,
        [
            (
                tx.org_id,
                tx.is_test,
                new_id(),
                invoice.id,
                invoice.subscription_id,
                position,
                *_line_arguments(line),
                tx.now,
            )
            for position, line in enumerate(lines)
        ],
    )


def _line_arguments(line: Line) -> tuple[object, ...]:
    return (
        line.kind.value,
        line.price_id,
        line.metric_id,
        line.period.start,
        line.period.end,
        line.description,
        line.quantity,
        line.unit_price,
        line.amount,
        line.cumulative_quantity,
        line.cumulative_amount,
        line.price_revision,
        line.group_value,
    )


async def load(tx: Transaction, invoice_id: UUID, *, for_update: bool = False) -> Invoice | None:
    """One invoice with its lines."""
    row = await tx.fetchrow(SELECT + (" FOR UPDATE" if for_update else ""), invoice_id)
    return None if row is None else (await _with_lines(tx, [row]))[0]


async def load_draft_of_period(
    tx: Transaction, subscription_id: SubscriptionId, period: Period
) -> Invoice | None:
    """The draft of a subscription's period, locked."""
    row = await tx.fetchrow(SELECT_DRAFT_OF_PERIOD, subscription_id, period.start)
    return None if row is None else (await _with_lines(tx, [row]))[0]


async def list_drafts(
    tx: Transaction, window: Period, *, after: InvoiceId | None, limit: int
) -> list[InvoiceId]:
    """The next drafts, by id, whose periods overlap a window."""
    rows = await tx.fetch(SELECT_DRAFTS, window.start, window.end, after, limit)
    return [InvoiceId(row["id"]) for row in rows]


async def list_page(
    tx: Transaction,
    request: PageRequest,
    *,
    customer_id: CustomerId | None,
    status: InvoiceStatus | None,
) -> Page[Invoice]:
    """Invoices that match, newest first."""
    matching = (customer_id, status and status.value)
    rows = await tx.fetch(SELECT_PAGE, *matching, request.limit, request.offset)
    total = await tx.fetchval(COUNT, *matching)
    return Page(await _with_lines(tx, rows), total, request.offset)


async def sum_billed(
    tx: Transaction, subscription_id: SubscriptionId, period: Period
) -> BilledGroups:
    """What live invoices charge for each price and group value in a period."""
    billed: dict[PriceId, dict[str, Billed]] = {}
    for row in await tx.fetch(SUM_BILLED, subscription_id, period.start, _LIVE):
        groups = billed.setdefault(PriceId(row["price_id"]), {})
        groups[row["group_value"]] = Billed(row["quantity"], row["amount"])
    return billed


async def load_billed_prices(
    tx: Transaction,
    price_ids: Sequence[PriceId],
    subscription_id: SubscriptionId,
    period: Period,
) -> list[tuple[PriceId, MetricId, str]]:
    """How lines called prices that were billed in a period, with their metrics."""
    rows = await tx.fetch(SELECT_BILLED_PRICES, price_ids, subscription_id, period.start)
    return [
        (
            PriceId(row["price_id"]),
            MetricId(row["metric_id"]),
            undescribed(row["description"], row["group_value"]),
        )
        for row in rows
    ]


async def sum_credit(tx: Transaction, customer_id: CustomerId, currency: str) -> Decimal:
    """What live invoices carried forward and no live one has brought in yet."""
    return await tx.fetchval(SUM_CREDIT, customer_id, currency, _LIVE)


async def finalize(tx: Transaction, invoice_id: InvoiceId, status: InvoiceStatus) -> None:
    """Number a locked and filled draft; it never changes again."""
    number = await tx.fetchval(NEXT_NUMBER)
    await tx.execute(FINALIZE, invoice_id, status.value, number, tx.now)


async def void(tx: Transaction, invoice_id: InvoiceId) -> None:
    """Take a locked invoice's amounts back."""
    await tx.execute(VOID, invoice_id, tx.now)


async def delete(tx: Transaction, invoice_id: InvoiceId) -> None:
    """Remove a draft with its lines."""
    await tx.execute(DELETE, invoice_id)


async def count_unpaid(tx: Transaction, customer_id: CustomerId) -> int:
    """How many invoices a customer still owes."""
    return await tx.fetchval(COUNT_UNPAID, customer_id, _UNPAID)


async def _with_lines(tx: Transaction, rows: Sequence[asyncpg.Record]) -> list[Invoice]:
    lines: dict[UUID, list[StoredLine]] = {row["id"]: [] for row in rows}
    for line_row in await tx.fetch(SELECT_LINES, list(lines)):
        lines[line_row["invoice_id"]].append(_line(line_row))
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
    )
    return StoredLine(LineItemId(row["id"]), InvoiceId(row["invoice_id"]), line, row["created_at"])


def _invoice(row: asyncpg.Record, lines: tuple[StoredLine, ...]) -> Invoice:
    return Invoice(
        id=InvoiceId(row["id"]),
        customer_id=CustomerId(row["customer_id"]),
        subscription_id=SubscriptionId(row["subscription_id"]),
        kind=InvoiceKind(row["kind"]),
        status=InvoiceStatus(row["status"]),
        number=row["number"],
        currency=row["currency"],
        totals=Totals(
            subtotal=row["subtotal"],
            vat_enabled=row["vat_enabled"],
            vat_rate=row["vat_rate"],
            vat_amount=row["vat_amount"],
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
    )

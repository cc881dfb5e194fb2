"""The SQL of invoices and their lines; that of their states after a draft is `states_store`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.catalog import PlanType
from monigo.core.ids import CustomerId, InvoiceId, LineItemId, SubscriptionId
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import Period
from monigo.infra.db import Transaction, joined
from monigo.infra.ids import new_id
from monigo.invoicing.rules import UNPAID
from monigo.invoicing.terms import freeze
from monigo.invoicing.types import (
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    Line,
    LineKind,
    Reckoned,
    StoredLine,
    Totals,
)

# The counters that number them, each without a gap.
NUMBERED_AS = {PlanType.COLLECTION: "invoice", PlanType.PAYOUT: "bill"}

COLUMNS = """
    id, customer_id, subscription_id, plan_type, kind, status, number, currency, subtotal,
    vat_enabled, vat_rate, vat_amount, wht_rate, wht_amount, total, period_start, period_end,
    created_at, updated_at, finalized_at, paid_at, voided_at, due_date, paid_reference,
    amount_paid, wallet_paid
"""

# A draft that is made anew keeps its id; its lines go with it.
DELETE_DRAFTS = """
    DELETE FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[]) AND status = 'draft'
"""

INSERT_DRAFTS = """
    INSERT INTO invoices (
        org_id, is_test, id, customer_id, subscription_id, plan_type, kind, status, currency,
        subtotal, vat_enabled, vat_rate, vat_amount, wht_rate, wht_amount, total, period_start,
        period_end, terms, has_credit, billing_mode, rounded_off, paid_reference, created_at,
        updated_at
    )
    SELECT $1, $2, draft.id, draft.customer_id, draft.subscription_id, draft.plan_type, draft.kind,
        'draft', draft.currency, draft.subtotal, draft.vat_enabled, draft.vat_rate,
        draft.vat_amount, draft.wht_rate, draft.wht_amount, draft.total, draft.period_start,
        draft.period_end, draft.terms, draft.has_credit, draft.billing_mode, draft.rounded_off, '',
        draft.created_at, $20
    FROM unnest(
        $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[],
        string_to_array($9, ',')::numeric[], $10::boolean[],
        string_to_array($11, ',')::numeric[], string_to_array($12, ',')::numeric[],
        string_to_array($13, ',')::numeric[], string_to_array($14, ',')::numeric[],
        string_to_array($15, ',')::numeric[], $16::timestamptz[], $17::timestamptz[],
        $18::jsonb[], $19::boolean[], $21::timestamptz[], $22::text[],
        string_to_array($23, ',')::numeric[]
    ) AS draft (
        id, customer_id, subscription_id, plan_type, kind, currency, subtotal, vat_enabled,
        vat_rate, vat_amount, wht_rate, wht_amount, total, period_start, period_end, terms,
        has_credit, created_at, billing_mode, rounded_off
    )
    RETURNING 1
"""

SELECT = f"""
    SELECT {COLUMNS} FROM invoices WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

SELECT_DRAFTS_OF_PERIODS = """
    SELECT invoice.subscription_id, invoice.period_start, invoice.id, invoice.created_at
    FROM unnest($3::uuid[], $4::timestamptz[]) AS asked (subscription_id, period_start)
    JOIN invoices AS invoice ON invoice.org_id = $1 AND invoice.is_test = $2
        AND invoice.subscription_id = asked.subscription_id
        AND invoice.period_start = asked.period_start AND invoice.status = 'draft'
"""

# A period all of whose invoices were voided after it had been closed. Told by its start: an end or
# a new plan may have cut it after its first invoice.
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
"""

SELECT_PAGE = f"""
    SELECT {COLUMNS} {MATCHING}
    ORDER BY created_at DESC, id DESC
    LIMIT $6 OFFSET $7
"""

COUNT = f"SELECT count(*) {MATCHING}"

INSERT_LINES = """
    INSERT INTO invoice_line_items (
        org_id, is_test, id, invoice_id, subscription_id, position, kind, price_id, metric_id,
        period_start, period_end, description, quantity, unit_price, amount, cumulative_quantity,
        cumulative_amount, price_revision, group_value, event_count, first_event_at,
        last_event_at, whole_quantity, uncounted_events, created_at
    )
    SELECT $1, $2, line.*, $25
    FROM unnest(
        $3::uuid[], $4::uuid[], $5::uuid[], $6::integer[], $7::text[], $8::uuid[], $9::uuid[],
        $10::timestamptz[], $11::timestamptz[], $12::text[],
        string_to_array($13, ',')::numeric[], string_to_array($14, ',')::numeric[],
        string_to_array($15, ',')::numeric[], string_to_array($16, ',')::numeric[],
        string_to_array($17, ',')::numeric[], $18::integer[], $19::text[], $20::bigint[],
        $21::timestamptz[], $22::timestamptz[], string_to_array($23, ',')::numeric[],
        $24::bigint[]
    ) AS line
    RETURNING 1
"""

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

_UNPAID = [status.value for status in UNPAID]


async def write_drafts(tx: Transaction, reckoned: Sequence[Reckoned]) -> None:
    """Store drafts with their lines and terms, in place of those that have their ids."""
    ids = [item.wanted.id for item in reckoned]
    await tx.execute(DELETE_DRAFTS, ids)
    subscriptions = [item.wanted.subscription for item in reckoned]
    totals = [item.totals for item in reckoned]
    await tx.execute(
        INSERT_DRAFTS,
        ids,
        [subscription.customer_id for subscription in subscriptions],
        [subscription.id for subscription in subscriptions],
        [subscription.plan_type.value for subscription in subscriptions],
        [item.wanted.kind.value for item in reckoned],
        [item.currency for item in reckoned],
        joined(one.subtotal for one in totals),
        [one.vat_enabled for one in totals],
        joined(one.vat_rate for one in totals),
        joined(one.vat_amount for one in totals),
        joined(one.wht_rate for one in totals),
        joined(one.wht_amount for one in totals),
        joined(one.total for one in totals),
        [item.wanted.period.start for item in reckoned],
        [item.wanted.period.end for item in reckoned],
        [freeze(item) for item in reckoned],
        [any(line.kind is LineKind.CREDIT for line in item.lines) for item in reckoned],
        tx.now,
        [item.wanted.created_at for item in reckoned],
        [item.billing_mode.value for item in reckoned],
        joined(item.rounded_off for item in reckoned),
    )
    await _insert_lines(tx, reckoned)


async def _insert_lines(tx: Transaction, reckoned: Sequence[Reckoned]) -> None:
    placed = [
        (item.wanted, position, line)
        for item in reckoned
        for position, line in enumerate(item.lines)
    ]
    lines = [line for _, _, line in placed]
    await tx.execute(
        INSERT_LINES,
        [new_id() for _ in placed],
        [wanted.id for wanted, _, _ in placed],
        [wanted.subscription.id for wanted, _, _ in placed],
        [position for _, position, _ in placed],
        [line.kind.value for line in lines],
        [line.price_id for line in lines],
        [line.metric_id for line in lines],
        [line.period.start for line in lines],
        [line.period.end for line in lines],
        [line.description for line in lines],
        joined(line.quantity for line in lines),
        joined(line.unit_price for line in lines),
        joined(line.amount for line in lines),
        joined(line.cumulative_quantity for line in lines),
        joined(line.cumulative_amount for line in lines),
        [line.price_revision for line in lines],
        [line.group_value for line in lines],
        [line.event_count for line in lines],
        [line.first_event_at for line in lines],
        [line.last_event_at for line in lines],
        joined(line.whole_quantity for line in lines),
        [line.uncounted_events for line in lines],
        tx.now,
    )


async def load(tx: Transaction, invoice_id: UUID, *, for_update: bool = False) -> Invoice | None:
    """One invoice with its lines."""
    row = await tx.fetchrow(SELECT + (" FOR UPDATE" if for_update else ""), invoice_id)
    return None if row is None else (await _with_lines(tx, [row]))[0]


async def load_drafts_of_periods(
    tx: Transaction, periods: Sequence[tuple[SubscriptionId, Period]]
) -> dict[tuple[SubscriptionId, datetime], tuple[InvoiceId, datetime]]:
    """The id and creation of each period's draft, where it has one; keyed by the period's start."""
    rows = await tx.fetch(
        SELECT_DRAFTS_OF_PERIODS,
        [subscription_id for subscription_id, _ in periods],
        [period.start for _, period in periods],
    )
    return {
        (SubscriptionId(row["subscription_id"]), row["period_start"]): (
            InvoiceId(row["id"]),
            row["created_at"],
        )
        for row in rows
    }


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
    *,
    customer_id: CustomerId | None,
    status: InvoiceStatus | None,
    plan_type: PlanType,
) -> Page[Invoice]:
    """Invoices that match, newest first."""
    matching = (customer_id, status and status.value, plan_type.value)
    found: list[Invoice] = []
    async for rows in tx.pieces(SELECT_PAGE, *matching, request.limit, request.offset):
        found += await _with_lines(tx, rows)
    return Page(found, await tx.fetchval(COUNT, *matching), request.offset)


async def delete(tx: Transaction, invoice_id: InvoiceId) -> None:
    """Remove a draft with its lines."""
    await tx.execute(DELETE, invoice_id)


async def count_unpaid(tx: Transaction, customer_id: CustomerId) -> int:
    """How many invoices a customer still owes."""
    return await tx.fetchval(COUNT_UNPAID, customer_id, _UNPAID)


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
    )

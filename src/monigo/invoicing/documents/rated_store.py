"""The SQL that stores rated invoices: as drafts, or final at once.

A draft that is there is written where it is, so that what points at it or at a line stays. Lines
come before their invoices, because no line joins a final one (`keep_final_lines`).
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from monigo.catalog import PlanType
from monigo.core.ids import InvoiceId, LineItemId, SubscriptionId
from monigo.core.periods import Period
from monigo.infra.db import Transaction, joined
from monigo.infra.ids import new_id
from monigo.invoicing.documents import store
from monigo.invoicing.documents.charges_store import encode_parts
from monigo.invoicing.documents.rules import due_at, matched_lines
from monigo.invoicing.rating import serialize_terms
from monigo.invoicing.types import InvoiceStatus, Line, LineKind, RatedInvoice, Settlement

# One that is there keeps its creation, and whatever is not recomputed. That a final one does not
# change is kept by `invoices_final_immutable`. What has a number is final with it.
WRITE = """
    INSERT INTO invoices (
        org_id, is_test, id, customer_id, subscription_id, plan_type, kind, status, currency,
        subtotal, vat_enabled, vat_rate, vat_amount, wht_rate, wht_amount, total, period_start,
        period_end, terms, has_credit, billing_mode, rounded_off, number, finalized_at, paid_at,
        amount_paid, wallet_paid, wallet_parts, paid_reference, due_date, is_booked, created_at,
        updated_at
    )
    SELECT $1, $2, rated.id, rated.customer_id, rated.subscription_id, rated.plan_type, rated.kind,
        rated.status, rated.currency, rated.subtotal, rated.vat_enabled, rated.vat_rate,
        rated.vat_amount, rated.wht_rate, rated.wht_amount, rated.total, rated.period_start,
        rated.period_end, rated.terms, rated.has_credit, rated.billing_mode, rated.rounded_off,
        rated.number, CASE WHEN rated.number IS NOT NULL THEN $3::timestamptz END, rated.paid_at,
        rated.taken, CASE WHEN rated.reference IS NULL THEN rated.taken ELSE 0 END,
        coalesce(rated.parts, '[]'), coalesce(rated.reference, ''), rated.due_date,
        rated.number IS NOT NULL, $3, $3
    FROM unnest(
        $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[],
        string_to_array($11, ',')::numeric[], $12::boolean[],
        string_to_array($13, ',')::numeric[], string_to_array($14, ',')::numeric[],
        string_to_array($15, ',')::numeric[], string_to_array($16, ',')::numeric[],
        string_to_array($17, ',')::numeric[], $18::timestamptz[], $19::timestamptz[],
        $20::jsonb[], $21::boolean[], $22::text[], string_to_array($23, ',')::numeric[],
        $24::bigint[], $25::timestamptz[], string_to_array($26, ',')::numeric[], $27::jsonb[],
        $28::text[], $29::timestamptz[]
    ) AS rated (
        id, customer_id, subscription_id, plan_type, kind, status, currency, subtotal, vat_enabled,
        vat_rate, vat_amount, wht_rate, wht_amount, total, period_start, period_end, terms,
        has_credit, billing_mode, rounded_off, number, paid_at, taken, parts, reference,
        due_date
    )
    ON CONFLICT (org_id, is_test, id) DO UPDATE SET
        kind = excluded.kind, status = excluded.status, currency = excluded.currency,
        subtotal = excluded.subtotal, vat_enabled = excluded.vat_enabled,
        vat_rate = excluded.vat_rate, vat_amount = excluded.vat_amount,
        wht_rate = excluded.wht_rate, wht_amount = excluded.wht_amount, total = excluded.total,
        period_end = excluded.period_end, terms = excluded.terms,
        has_credit = excluded.has_credit, billing_mode = excluded.billing_mode,
        rounded_off = excluded.rounded_off, number = excluded.number,
        finalized_at = excluded.finalized_at, paid_at = excluded.paid_at,
        amount_paid = excluded.amount_paid, wallet_paid = excluded.wallet_paid,
        wallet_parts = excluded.wallet_parts, paid_reference = excluded.paid_reference,
        due_date = coalesce(excluded.due_date, invoices.due_date), is_booked = excluded.is_booked,
        updated_at = excluded.updated_at
"""

# A line that is there keeps its creation, and its key: what it bills, of which period.
WRITE_LINES = """
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
    ON CONFLICT (org_id, is_test, id) DO UPDATE SET
        position = excluded.position, period_end = excluded.period_end,
        description = excluded.description, quantity = excluded.quantity,
        unit_price = excluded.unit_price, amount = excluded.amount,
        cumulative_quantity = excluded.cumulative_quantity,
        cumulative_amount = excluded.cumulative_amount, price_revision = excluded.price_revision,
        event_count = excluded.event_count, first_event_at = excluded.first_event_at,
        last_event_at = excluded.last_event_at, whole_quantity = excluded.whole_quantity,
        uncounted_events = excluded.uncounted_events
"""

# No two lines have one position, so that those that move first leave theirs.
LEAVE_POSITIONS = """
    UPDATE invoice_line_items SET position = -1 - position
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

DELETE_LINES = """
    DELETE FROM invoice_line_items WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

SELECT_DRAFTS_OF_PERIODS = """
    SELECT invoice.subscription_id, invoice.period_start, invoice.id
    FROM unnest($3::uuid[], $4::timestamptz[]) AS asked (subscription_id, period_start)
    JOIN invoices AS invoice ON invoice.org_id = $1 AND invoice.is_test = $2
        AND invoice.subscription_id = asked.subscription_id
        AND invoice.period_start = asked.period_start AND invoice.status = 'draft'
"""


# A status with its number, the time of a payment, and what was paid, by which parts or reference.
_State = tuple[str, int | None, datetime | None, Decimal, str | None, str | None]
_AS_DRAFT: _State = (InvoiceStatus.DRAFT.value, None, None, Decimal(0), None, None)


class _Placed(Struct, frozen=True):
    """A line at its position in an invoice, under its id."""

    id: LineItemId
    invoice: RatedInvoice
    position: int
    line: Line


async def write_drafts(tx: Transaction, rated: Sequence[RatedInvoice]) -> None:
    """Store drafts with their lines and terms; those that are there change in place."""
    await write_lines(tx, rated)
    await _write(tx, rated, [_AS_DRAFT] * len(rated))


async def write_final(
    tx: Transaction, rated: Sequence[RatedInvoice], settlements: Sequence[Settlement]
) -> None:
    """Store invoices, whose lines are written, as a settlement each makes them: final for ever."""
    await _write(tx, rated, [_state(one) for one in settlements])


async def write_lines(tx: Transaction, rated: Sequence[RatedInvoice]) -> None:
    """Store the lines of invoices that are drafts, or are written after them in `tx`.

    A line keeps its id as long as the draft bills the same: a price or fee, period and value.
    """
    await _write_lines(tx, await _make_room(tx, rated))


async def _write(tx: Transaction, rated: Sequence[RatedInvoice], states: Sequence[_State]) -> None:
    if not rated:
        return
    subscriptions = [item.wanted.subscription for item in rated]
    totals = [item.totals for item in rated]
    statuses, numbers, paid_at, taken, parts, references = zip(*states, strict=True)
    await tx.execute(
        WRITE,
        tx.now,
        [item.id for item in rated],
        [subscription.customer_id for subscription in subscriptions],
        [subscription.id for subscription in subscriptions],
        [subscription.plan_type.value for subscription in subscriptions],
        [item.wanted.kind.value for item in rated],
        statuses,
        [item.currency for item in rated],
        joined(one.subtotal for one in totals),
        [one.vat_enabled for one in totals],
        joined(one.vat_rate for one in totals),
        joined(one.vat_amount for one in totals),
        joined(one.wht_rate for one in totals),
        joined(one.wht_amount for one in totals),
        joined(one.total for one in totals),
        [item.wanted.period.start for item in rated],
        [item.wanted.period.end for item in rated],
        [serialize_terms(item) for item in rated],
        [any(line.kind is LineKind.CREDIT for line in item.lines) for item in rated],
        [item.billing_mode.value for item in rated],
        joined(item.rounded_off for item in rated),
        numbers,
        paid_at,
        joined(taken),
        parts,
        references,
        _due_dates(tx, rated, numbers),
    )


def _due_dates(
    tx: Transaction, rated: Sequence[RatedInvoice], numbers: Sequence[int | None]
) -> list[datetime | None]:
    """When those are due that become final; drafts and bills have no due date."""
    terms = [(item.payment_terms_days, item.wanted.subscription.timezone) for item in rated]
    due = {one: due_at(tx.now, *one) for one in set(terms)}
    return [
        due[one] if number is not None and item.plan_type is PlanType.COLLECTION else None
        for item, one, number in zip(rated, terms, numbers, strict=True)
    ]


def _state(settlement: Settlement) -> _State:
    return (
        settlement.status.value,
        settlement.number,
        settlement.paid_at,
        settlement.taken,
        None if settlement.parts is None else encode_parts(settlement.parts),
        settlement.reference,
    )


async def _make_room(tx: Transaction, rated: Sequence[RatedInvoice]) -> list[_Placed]:
    """The lines to be written: new ones, and those that change; what is billed no more goes."""
    known_ids = [item.id for item in rated if not item.wanted.is_new]
    stored = await store.load_lines(tx, known_ids) if known_ids else {}
    placed: list[_Placed] = []
    moved: list[LineItemId] = []
    gone: list[LineItemId] = []
    for item in rated:
        before = stored.get(item.id, [])
        positions = {one.id: position for position, one in enumerate(before)}
        for position, (line, known) in enumerate(matched_lines(before, item.lines)):
            if known is None:
                placed.append(_Placed(LineItemId(new_id()), item, position, line))
                continue
            is_moved = positions.pop(known.id) != position
            if is_moved:
                moved.append(known.id)
            if is_moved or known.line != line:
                placed.append(_Placed(known.id, item, position, line))
        gone += positions
    if gone:
        await tx.execute(DELETE_LINES, gone)
    if moved:
        await tx.execute(LEAVE_POSITIONS, moved)
    return placed


async def _write_lines(tx: Transaction, placed: Sequence[_Placed]) -> None:
    if not placed:
        return
    lines = [one.line for one in placed]
    await tx.execute(
        WRITE_LINES,
        [one.id for one in placed],
        [one.invoice.id for one in placed],
        [one.invoice.wanted.subscription.id for one in placed],
        [one.position for one in placed],
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


async def load_drafts_of_periods(
    tx: Transaction, periods: Sequence[tuple[SubscriptionId, Period]]
) -> dict[tuple[SubscriptionId, datetime], InvoiceId]:
    """Each period's draft, where it has one; keyed by the period's start."""
    rows = await tx.fetch(
        SELECT_DRAFTS_OF_PERIODS,
        [subscription_id for subscription_id, _ in periods],
        [period.start for _, period in periods],
    )
    return {
        (SubscriptionId(row["subscription_id"]), row["period_start"]): InvoiceId(row["id"])
        for row in rows
    }

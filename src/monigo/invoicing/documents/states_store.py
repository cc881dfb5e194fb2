"""The SQL of what becomes of invoices: numbered and final, paid, voided."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from monigo.catalog import PlanType
from monigo.core.ids import InvoiceId
from monigo.infra.db import Transaction, joined
from monigo.invoicing.documents.charges_store import encode_parts
from monigo.invoicing.documents.store import NUMBERED_AS
from monigo.invoicing.types import Settlement

# Taken last in the finalizing transaction, which holds the row until it commits: no gaps.
TAKE_NUMBERS = """
    INSERT INTO counters (org_id, is_test, name, value) VALUES ($1, $2, $3, $4)
    ON CONFLICT (org_id, is_test, name) DO UPDATE SET value = counters.value + excluded.value
    RETURNING value
"""

# What a final invoice becomes by a payment. What has no reference was paid by a wallet, by `parts`.
SETTLE = """
    UPDATE invoices AS invoice
    SET status = settled.status, updated_at = $5, paid_at = settled.paid_at,
        collection_reason = CASE
            WHEN settled.status = 'paid' THEN '' ELSE invoice.collection_reason
        END,
        next_collection_at = CASE
            WHEN settled.status <> 'paid' THEN invoice.next_collection_at
        END,
        amount_paid = invoice.amount_paid + settled.taken,
        wallet_paid = invoice.wallet_paid
            + CASE WHEN settled.reference IS NULL THEN settled.taken ELSE 0 END,
        wallet_parts = coalesce(settled.parts, invoice.wallet_parts),
        paid_reference = coalesce(settled.reference, invoice.paid_reference)
    FROM unnest(
        $3::uuid[], $4::text[], $6::timestamptz[], string_to_array($7, ',')::numeric[],
        $8::jsonb[], $9::text[]
    ) AS settled (id, status, paid_at, taken, parts, reference)
    WHERE invoice.org_id = $1 AND invoice.is_test = $2 AND invoice.id = settled.id
"""

# What wallets paid of an invoice that is not paid is taken back.
REVERT_PAYMENTS = """
    UPDATE invoices
    SET amount_paid = amount_paid - wallet_paid, wallet_paid = 0, wallet_parts = '[]',
        updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

FAIL_PAYMENTS = """
    UPDATE invoices SET status = 'payment_failed', updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

END_COLLECTION = """
    UPDATE invoices SET status = 'uncollectible', updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

NOTE_COLLECTION = """
    UPDATE invoices SET collection_reason = noted.reason, next_collection_at = noted.at
    FROM unnest($3::uuid[], $4::text[], $5::timestamptz[]) AS noted (id, reason, at)
    WHERE invoices.org_id = $1 AND invoices.is_test = $2 AND invoices.id = noted.id
"""

NOTE_REFUND = """
    UPDATE invoices
    SET amount_refunded = $4, amount_disputed = $5, amount_reversed = amount_reversed + $6,
        updated_at = $7
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

# Of bills: what arrived at their payees, which pays those of which nothing is left.
PAY_OUT = """
    UPDATE invoices AS bill
    SET amount_paid = bill.amount_paid + paid.amount, updated_at = $5::timestamptz,
        status = CASE WHEN bill.amount_paid + paid.amount = bill.total THEN 'paid'
            ELSE bill.status END,
        paid_at = CASE WHEN bill.amount_paid + paid.amount = bill.total THEN $5::timestamptz END,
        paid_reference = paid.reference
    FROM unnest($3::uuid[], string_to_array($4, ',')::numeric[], $6::text[])
        AS paid (id, amount, reference)
    WHERE bill.org_id = $1 AND bill.is_test = $2 AND bill.id = paid.id
        AND bill.plan_type = 'payout'
"""

FAIL_PAYOUTS = """
    UPDATE invoices SET status = 'payment_failed', updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[]) AND plan_type = 'payout'
"""

REOPEN = """
    UPDATE invoices AS bill
    SET amount_paid = bill.amount_paid - back.amount, status = 'payment_failed', paid_at = NULL,
        updated_at = $5
    FROM unnest($3::uuid[], string_to_array($4, ',')::numeric[]) AS back (id, amount)
    WHERE bill.org_id = $1 AND bill.is_test = $2 AND bill.id = back.id
        AND bill.plan_type = 'payout'
"""

# Times can be equal while a test clock stands still; the order is that of the numbers.
VOID = """
    UPDATE invoices SET status = 'void', voided_at = $4, updated_at = $4,
        amount_paid = 0, wallet_paid = 0, wallet_parts = '[]', collection_reason = '',
        next_collection_at = NULL, voided_after = coalesce(
            (
                SELECT value FROM counters WHERE org_id = $1 AND is_test = $2
                    AND name = CASE WHEN plan_type = 'collection' THEN 'invoice' ELSE 'bill' END
            ),
            0
        )
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""


async def take_numbers(tx: Transaction, plan_type: PlanType, count: int) -> range:
    """The next numbers of one plan type's documents; others wait for them until the commit."""
    last = await tx.fetchval(TAKE_NUMBERS, NUMBERED_AS[plan_type], count)
    return range(last - count + 1, last + 1)


async def settle(tx: Transaction, settlements: Sequence[Settlement]) -> None:
    """Store what payments make of locked final invoices."""
    if not settlements:
        return
    await tx.execute(
        SETTLE,
        [one.invoice_id for one in settlements],
        [one.status.value for one in settlements],
        tx.now,
        [one.paid_at for one in settlements],
        joined(one.taken for one in settlements),
        [None if one.parts is None else encode_parts(one.parts) for one in settlements],
        [one.reference for one in settlements],
    )


async def revert_payments(tx: Transaction, invoice_id: InvoiceId) -> None:
    """Have it that wallets paid nothing of a locked invoice that is not paid."""
    await tx.execute(REVERT_PAYMENTS, invoice_id, tx.now)


async def fail_payments(tx: Transaction, invoice_ids: Sequence[InvoiceId]) -> None:
    """Store that tries to collect locked invoices failed."""
    if invoice_ids:
        await tx.execute(FAIL_PAYMENTS, invoice_ids, tx.now)


async def end_collection(tx: Transaction, invoice_id: InvoiceId) -> None:
    """Store that a locked invoice is uncollectible."""
    await tx.execute(END_COLLECTION, invoice_id, tx.now)


async def note_collection(
    tx: Transaction, notes: Mapping[InvoiceId, tuple[str, datetime | None]]
) -> None:
    """Store why invoices are not paid yet, and when each is tried next."""
    if notes:
        reasons, instants = zip(*notes.values(), strict=True)
        await tx.execute(NOTE_COLLECTION, list(notes), reasons, instants)


async def note_refund(
    tx: Transaction,
    invoice_id: InvoiceId,
    *,
    refunded: Decimal,
    disputed: Decimal,
    taken_back: Decimal,
) -> None:
    """Store what has gone back of what was paid, and add to what was taken back of it."""
    await tx.execute(NOTE_REFUND, invoice_id, refunded, disputed, taken_back, tx.now)


async def pay_out(tx: Transaction, paid: Mapping[InvoiceId, tuple[Decimal, str]]) -> None:
    """Store what arrived at the payees of locked bills, and under which reference."""
    if paid:
        amounts, references = zip(*paid.values(), strict=True)
        await tx.execute(PAY_OUT, list(paid), joined(amounts), tx.now, references)


async def fail_payouts(tx: Transaction, bill_ids: Sequence[InvoiceId]) -> None:
    """Store that a transfer of each of these locked bills failed."""
    if bill_ids:
        await tx.execute(FAIL_PAYOUTS, bill_ids, tx.now)


async def reopen(tx: Transaction, back: Mapping[InvoiceId, Decimal]) -> None:
    """Store what came back of what had arrived at the payees of locked bills."""
    if back:
        await tx.execute(REOPEN, list(back), joined(back.values()), tx.now)


async def void(tx: Transaction, invoice_id: InvoiceId) -> None:
    """Take a locked invoice's amounts back; nothing was paid of it any more."""
    await tx.execute(VOID, invoice_id, tx.now)

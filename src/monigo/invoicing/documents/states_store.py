"""The SQL of what becomes of invoices: numbered and final, paid, voided."""

from collections.abc import Sequence

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

# Times can be equal while a test clock stands still; the order is that of the numbers.
VOID = """
    UPDATE invoices SET status = 'void', voided_at = $4, updated_at = $4,
        voided_after = coalesce(
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


async def void(tx: Transaction, invoice_id: InvoiceId) -> None:
    """Take a locked invoice's amounts back."""
    await tx.execute(VOID, invoice_id, tx.now)

"""The SQL of what becomes of invoices: numbered and final, paid elsewhere, voided."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from monigo.catalog import PlanType
from monigo.core.ids import InvoiceId
from monigo.infra.db import Transaction, joined
from monigo.invoicing.charges_store import Parts, encode_parts
from monigo.invoicing.store import NUMBERED_AS
from monigo.invoicing.types import InvoiceStatus

# Taken last in the finalizing transaction, which holds the row until it commits: no gaps.
TAKE_NUMBERS = """
    INSERT INTO counters (org_id, is_test, name, value) VALUES ($1, $2, $3, $4)
    ON CONFLICT (org_id, is_test, name) DO UPDATE SET value = counters.value + excluded.value
    RETURNING value
"""

FINALIZE = """
    UPDATE invoices AS invoice
    SET status = final.status, number = final.number, finalized_at = $6, updated_at = $6,
        paid_at = CASE WHEN final.status = 'paid' THEN $6::timestamptz END,
        wallet_paid = final.wallet_paid, wallet_parts = final.wallet_parts
    FROM unnest(
        $3::uuid[], $4::text[], $5::bigint[], string_to_array($7, ',')::numeric[], $8::jsonb[]
    ) AS final (id, status, number, wallet_paid, wallet_parts)
    WHERE invoice.org_id = $1 AND invoice.is_test = $2 AND invoice.id = final.id
"""

MARK_PAID = """
    UPDATE invoices SET status = 'paid', paid_at = $4, paid_reference = $5, updated_at = $6
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

# Times can be the same while a test clock stands still; numbers tell what came first.
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


class Final(Struct, frozen=True):
    """A draft that becomes final, and what a wallet paid of it, by its sources."""

    invoice_id: InvoiceId
    status: InvoiceStatus
    paid: Decimal
    parts: Parts


async def finalize(
    tx: Transaction, plan_type: PlanType, finals: Sequence[Final]
) -> dict[InvoiceId, int]:
    """Number drafts of one plan type, in their order; they never change again. Their numbers."""
    if not finals:
        return {}
    last = await tx.fetchval(TAKE_NUMBERS, NUMBERED_AS[plan_type], len(finals))
    ids = [final.invoice_id for final in finals]
    numbers = range(last - len(finals) + 1, last + 1)
    await tx.execute(
        FINALIZE,
        ids,
        [final.status.value for final in finals],
        list(numbers),
        tx.now,
        joined(final.paid for final in finals),
        [encode_parts(final.parts) for final in finals],
    )
    return dict(zip(ids, numbers, strict=True))


async def mark_paid(
    tx: Transaction, invoice_id: InvoiceId, *, reference: str, paid_at: datetime
) -> None:
    """Note that a locked invoice's money was received elsewhere."""
    await tx.execute(MARK_PAID, invoice_id, paid_at, reference, tx.now)


async def void(tx: Transaction, invoice_id: InvoiceId) -> None:
    """Take a locked invoice's amounts back."""
    await tx.execute(VOID, invoice_id, tx.now)

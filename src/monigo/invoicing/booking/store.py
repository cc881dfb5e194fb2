"""The SQL of documents that come into the books."""

from collections.abc import Sequence

from monigo.core.ids import InvoiceId
from monigo.infra.db import Transaction

SET_BOOKED = """
    UPDATE invoices SET is_booked = true
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[]) AND NOT is_booked
    RETURNING id
"""


async def set_booked(tx: Transaction, invoice_ids: Sequence[InvoiceId]) -> set[InvoiceId]:
    """Record that final documents are in the books; those of which it was not recorded before."""
    return {InvoiceId(row["id"]) for row in await tx.fetch(SET_BOOKED, invoice_ids)}

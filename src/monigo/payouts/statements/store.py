"""The SQL of payees' statements, which is read from the books."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.books import PAYOUT
from monigo.core.ids import CustomerId
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.payouts.statements.types import WithheldTax

# Whatever changes what a payee is owed, or has on the way: between both accounts nothing
# changes. `owed` is what is owed after it, in its currency.
SELECT_PIECE = f"""
    WITH own AS (
        SELECT id FROM ledger_accounts
        WHERE org_id = $1 AND is_test = $2 AND customer_id = $3
            AND kind IN ('payable', 'payouts_in_flight')
    ), moved AS (
        SELECT transfer.id, transfer.created_at, transfer.entry_type, transfer.currency,
            transfer.reference_type, transfer.reference_id,
            CASE WHEN gives.id IS NULL THEN transfer.amount ELSE -transfer.amount END AS change
        FROM ledger_transfers AS transfer
        LEFT JOIN own AS gives ON gives.id = transfer.from_account_id
        LEFT JOIN own AS takes ON takes.id = transfer.to_account_id
        WHERE transfer.org_id = $1 AND transfer.is_test = $2
            AND (gives.id IS NULL) <> (takes.id IS NULL)
            AND (transfer.from_account_id IN (SELECT id FROM own)
                OR transfer.to_account_id IN (SELECT id FROM own))
    )
    SELECT moved.id, moved.created_at, moved.entry_type, moved.currency, moved.change, moved.owed,
        bill.number, sent.reference, sent.provider, sent.rail_id, sent.last4
    FROM (
        SELECT id, created_at, entry_type, currency, reference_type, reference_id, change,
            sum(change) OVER (PARTITION BY currency ORDER BY created_at, id) AS owed
        FROM moved
    ) AS moved
    LEFT JOIN invoices AS bill ON bill.org_id = $1 AND bill.is_test = $2
        AND moved.reference_type <> '{PAYOUT}' AND bill.id = moved.reference_id::uuid
    LEFT JOIN transfers AS sent ON sent.org_id = $1 AND sent.is_test = $2
        AND moved.reference_type = '{PAYOUT}' AND sent.id = moved.reference_id::uuid
    WHERE $4::timestamptz IS NULL OR (moved.created_at, moved.id) > ($4, $5::uuid)
    ORDER BY moved.created_at, moved.id
    LIMIT $6
"""

_WITHHELD = """
    FROM invoices AS bill
    WHERE bill.org_id = $1 AND bill.is_test = $2 AND bill.plan_type = 'payout'
        AND bill.status IN ('finalized', 'payment_failed', 'paid')
        AND bill.finalized_at >= $3 AND bill.finalized_at < $4
"""

SELECT_WITHHELD = f"""
    SELECT tax.customer_id, tax.currency, tax.bills, tax.subtotal, tax.withheld, tax.paid,
        customer.name
    FROM (
        SELECT bill.customer_id, bill.currency, count(*) AS bills, sum(bill.subtotal) AS subtotal,
            sum(bill.wht_amount) AS withheld, sum(bill.amount_paid) AS paid
        {_WITHHELD}
        GROUP BY bill.customer_id, bill.currency
    ) AS tax
    JOIN customers AS customer ON customer.org_id = $1 AND customer.is_test = $2
        AND customer.id = tax.customer_id
    ORDER BY tax.customer_id, tax.currency
    LIMIT $5 OFFSET $6
"""

COUNT_WITHHELD = f"SELECT count(DISTINCT (bill.customer_id, bill.currency)) {_WITHHELD}"


async def load_piece(
    tx: Transaction, customer_id: CustomerId, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[asyncpg.Record]:
    """The next changes of what a payee is owed, oldest first."""
    created_at, transfer_id = after or (None, None)
    return await tx.fetch(SELECT_PIECE, customer_id, created_at, transfer_id, limit)


async def list_withheld(tx: Transaction, year: Period, request: PageRequest) -> Page[WithheldTax]:
    """What was withheld of each payee's bills in each currency."""
    span = (year.start, year.end)
    rows = await tx.fetch(SELECT_WITHHELD, *span, request.limit, request.offset)
    found = [
        WithheldTax(
            customer_id=CustomerId(row["customer_id"]),
            customer_name=row["name"],
            currency=row["currency"],
            bills=row["bills"],
            subtotal=row["subtotal"],
            withheld=row["withheld"],
            paid=row["paid"],
        )
        for row in rows
    ]
    return Page(found, await tx.fetchval(COUNT_WITHHELD, *span), request.offset)

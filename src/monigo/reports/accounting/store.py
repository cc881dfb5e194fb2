"""The SQL of what customers owe.

`invoices_receivable`, `payments_uncovered` and `payout_parts_in_excess` have it.
"""

from monigo.core.ids import CustomerId
from monigo.core.paging import Page, PageRequest
from monigo.infra.db import Transaction
from monigo.reports.accounting.types import Debt

# Invoices, where what has no due date is due as it becomes final; what providers took back; and
# what payees have beside what was owed to them.
_OWED = """
    FROM (
        SELECT customer_id, currency, total - amount_paid AS amount,
            coalesce(due_date, finalized_at) AS due_at, 1 AS invoices, 0 AS taken_back,
            0 AS paid_twice
        FROM invoices
        WHERE org_id = $1 AND is_test = $2 AND plan_type = 'collection'
            AND status IN ('finalized', 'payment_failed')
        UNION ALL
        SELECT customer_id, currency, uncovered, uncovered_at, 0, uncovered, 0
        FROM payments
        WHERE org_id = $1 AND is_test = $2 AND uncovered > 0
        UNION ALL
        SELECT leg.customer_id, leg.currency, part.amount, sent.settled_at, 0, 0, part.amount
        FROM payout_parts AS part
        JOIN payout_legs AS leg ON leg.org_id = $1 AND leg.is_test = $2 AND leg.id = part.leg_id
        JOIN transfers AS sent ON sent.org_id = $1 AND sent.is_test = $2
            AND sent.id = part.transfer_id
        WHERE part.org_id = $1 AND part.is_test = $2 AND part.is_excess
    ) AS owed
"""

SELECT_DEBTS = f"""
    SELECT owed.customer_id, owed.currency, sum(owed.invoices) AS invoices,
        sum(owed.amount) AS amount, sum(owed.taken_back) AS taken_back,
        sum(owed.paid_twice) AS paid_twice,
        min(owed.due_at) AS oldest_due_at,
        coalesce(sum(owed.amount) FILTER (WHERE owed.due_at > $3), 0) AS not_yet_due,
        coalesce(
            sum(owed.amount) FILTER (
                WHERE owed.due_at <= $3 AND owed.due_at > $3 - interval '30 days'
            ), 0
        ) AS up_to_30_days,
        coalesce(
            sum(owed.amount) FILTER (
                WHERE owed.due_at <= $3 - interval '30 days'
                    AND owed.due_at > $3 - interval '60 days'
            ), 0
        ) AS up_to_60_days,
        coalesce(
            sum(owed.amount) FILTER (
                WHERE owed.due_at <= $3 - interval '60 days'
                    AND owed.due_at > $3 - interval '90 days'
            ), 0
        ) AS up_to_90_days,
        coalesce(
            sum(owed.amount) FILTER (WHERE owed.due_at <= $3 - interval '90 days'), 0
        ) AS over_90_days
    {_OWED}
    GROUP BY owed.customer_id, owed.currency
    ORDER BY oldest_due_at, owed.customer_id, owed.currency
    LIMIT $4 OFFSET $5
"""

COUNT_DEBTS = f"""
    SELECT count(DISTINCT (owed.customer_id, owed.currency))
    {_OWED}
"""


async def list_debts(tx: Transaction, request: PageRequest) -> Page[Debt]:
    """What each customer owes in each currency, those who owe longest first."""
    debts = [
        Debt(
            customer_id=CustomerId(row["customer_id"]),
            currency=row["currency"],
            invoices=row["invoices"],
            amount=row["amount"],
            taken_back=row["taken_back"],
            paid_twice=row["paid_twice"],
            not_yet_due=row["not_yet_due"],
            up_to_30_days=row["up_to_30_days"],
            up_to_60_days=row["up_to_60_days"],
            up_to_90_days=row["up_to_90_days"],
            over_90_days=row["over_90_days"],
            oldest_due_at=row["oldest_due_at"],
        )
        async for rows in tx.pieces(SELECT_DEBTS, tx.now, request.limit, request.offset)
        for row in rows
    ]
    return Page(debts, await tx.fetchval(COUNT_DEBTS), request.offset)

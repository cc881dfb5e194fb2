"""The SQL of explanations: what an invoice was computed from, as it stood at that moment.

The order is that of the numbers: an invoice took into account those with a smaller number that were
not void yet, that is, were voided after its own number had been given. A draft comes after all of
them.
"""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from monigo.core.ids import InvoiceId
from monigo.infra.db import Transaction
from monigo.invoicing.explain.types import BilledBefore, RoundedBefore
from monigo.invoicing.rules import invoice_number
from monigo.invoicing.types import Invoice, Line

# Beyond every number.
_DRAFT_NUMBER = 2**63 - 1

SELECT_TERMS = """
    SELECT terms::text AS terms FROM invoices WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

# As `SUM_BILLED` of billed_store, but invoice by invoice and as of a number: what was voided after
# its own period had been closed is waived, so it counted as billed.
SELECT_BILLED_BEFORE = """
    SELECT asked.ordinal, invoice.id, invoice.number, line.quantity, line.amount
    FROM unnest($5::bigint[], $6::uuid[], $7::timestamptz[], $8::text[], $9::boolean[])
        AS asked (ordinal, price_id, period_start, group_value, is_adjustment)
    JOIN invoice_line_items AS line ON line.org_id = $1 AND line.is_test = $2
        AND line.subscription_id = $3 AND line.period_start = asked.period_start
        AND line.price_id IS NOT DISTINCT FROM asked.price_id
        AND line.group_value = asked.group_value AND line.kind IN ('usage', 'fee')
    JOIN invoices AS invoice ON invoice.org_id = $1 AND invoice.is_test = $2
        AND invoice.id = line.invoice_id AND invoice.number < $4
    LEFT JOIN invoices AS closing ON closing.org_id = $1 AND closing.is_test = $2
        AND closing.subscription_id = $3 AND closing.period_start = asked.period_start
        AND closing.kind = 'closing' AND closing.number < $4
        AND (closing.voided_after IS NULL OR closing.voided_after >= $4) AND asked.is_adjustment
    WHERE invoice.voided_after IS NULL OR invoice.voided_after >= $4
        OR invoice.period_start = asked.period_start AND invoice.voided_after >= closing.number
    ORDER BY asked.ordinal, invoice.number
"""

SUM_CREDIT_BEFORE = """
    SELECT coalesce(-sum(line.amount), 0)
    FROM invoices AS invoice
    JOIN invoice_line_items AS line ON line.org_id = $1 AND line.is_test = $2
        AND line.invoice_id = invoice.id AND line.kind = 'credit'
    WHERE invoice.org_id = $1 AND invoice.is_test = $2 AND invoice.has_credit
        AND invoice.customer_id = $3 AND invoice.currency = $4 AND invoice.plan_type = $5
        AND invoice.number < $6
        AND (invoice.voided_after IS NULL OR invoice.voided_after >= $6)
"""


SUM_ROUNDED_BEFORE = """
    SELECT count(*) AS invoices, coalesce(sum(subtotal), 0) AS subtotals,
        coalesce(sum(rounded_off), 0) AS rounding
    FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND subscription_id = $4
        AND number < $5 AND rounded_off IS NOT NULL
        AND (voided_after IS NULL OR voided_after >= $5)
"""


class AskedLine(Struct, frozen=True):
    """A line of which the earlier ones are asked for; it may adjust a closed period."""

    line: Line
    is_adjustment: bool


async def load_terms(tx: Transaction, invoice_id: InvoiceId) -> str:
    """The terms that were frozen with an invoice."""
    return await tx.fetchval(SELECT_TERMS, invoice_id)


async def load_billed_before(
    tx: Transaction, invoice: Invoice, asked: Sequence[AskedLine]
) -> list[tuple[BilledBefore, ...]]:
    """For each line, what earlier invoices had charged for its price, period and group value."""
    rows = await tx.fetch(
        SELECT_BILLED_BEFORE,
        invoice.subscription_id,
        _number(invoice),
        list(range(len(asked))),
        [item.line.price_id for item in asked],
        [item.line.period.start for item in asked],
        [item.line.group_value for item in asked],
        [item.is_adjustment for item in asked],
    )
    before: list[list[BilledBefore]] = [[] for _ in asked]
    for row in rows:
        before[row["ordinal"]].append(
            BilledBefore(
                invoice_id=InvoiceId(row["id"]),
                number=invoice_number(row["number"], invoice.plan_type),
                quantity=row["quantity"],
                amount=row["amount"],
            )
        )
    return [tuple(items) for items in before]


async def sum_credit_before(tx: Transaction, invoice: Invoice) -> Decimal:
    """What earlier invoices had carried forward for the customer and none had brought in; ≤ 0."""
    return await tx.fetchval(
        SUM_CREDIT_BEFORE,
        invoice.customer_id,
        invoice.currency,
        invoice.plan_type.value,
        _number(invoice),
    )


async def sum_rounded_before(tx: Transaction, invoice: Invoice) -> RoundedBefore:
    """What the subscription's earlier invoices, live then, came to and left by rounding."""
    row = await tx.fetchrow(
        SUM_ROUNDED_BEFORE, invoice.customer_id, invoice.subscription_id, _number(invoice)
    )
    if row is None:
        raise AssertionError("a sum has a row")
    return RoundedBefore(row["invoices"], row["subtotals"], row["rounding"])


def _number(invoice: Invoice) -> int:
    return _DRAFT_NUMBER if invoice.number is None else invoice.number

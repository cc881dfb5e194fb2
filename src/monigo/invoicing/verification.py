"""Verification: each invoice is computed again from its lines, and the numbers are counted."""

from decimal import Decimal
from uuid import UUID

import asyncpg

from monigo.core.money import format_decimal
from monigo.core.tax import subtotal, tax_amount
from monigo.core.verification import DIFFERENCES_MAX, Difference, Verification
from monigo.infra.database import Transaction
from monigo.invoicing import verify_store
from monigo.invoicing.rules import invoice_number

INVOICES_A_PAGE = 10_000


async def verify(tx: Transaction) -> Verification:
    """Compare each invoice's totals with its lines, and look for gaps in the numbers."""
    differences: list[Difference] = []
    looked_at = 0
    after: UUID | None = None
    while rows := await verify_store.load_sums(tx, after=after, limit=INVOICES_A_PAGE):
        looked_at += len(rows)
        after = rows[-1]["id"]
        if len(differences) < DIFFERENCES_MAX:
            differences += [found for row in rows for found in _of_invoice(row)]
    return Verification(
        {"invoices": looked_at}, [*differences[:DIFFERENCES_MAX], *await _of_numbers(tx)]
    )


def _of_invoice(row: asyncpg.Record) -> list[Difference]:
    """What is wrong with one invoice's totals, by the sum of its lines."""
    due = subtotal([row["line_amount"]], row["currency"])
    vat = tax_amount(due, row["vat_rate"], row["currency"]) if row["vat_enabled"] else Decimal(0)
    computed = {"subtotal": due, "vat_amount": vat, "total": due + vat}
    return [
        Difference(
            f"invoice {name}",
            str(row["id"]),
            format_decimal(row[name]),
            format_decimal(amount),
        )
        for name, amount in computed.items()
        if row[name] != amount
    ]


async def _of_numbers(tx: Transaction) -> list[Difference]:
    differences = [
        Difference("invoice number", f"{invoice_number(first)} to {invoice_number(last)}", None, "")
        for first, last in await verify_store.list_gaps(tx, DIFFERENCES_MAX)
    ]
    counted, taken = await verify_store.last_number(tx)
    if counted != taken:
        differences.append(Difference("last invoice number", "counter", str(counted), str(taken)))
    return differences

"""Verification: invoices are compared with their lines, their numbers, and what wallets paid."""

from decimal import Decimal
from uuid import UUID

import asyncpg

from monigo.catalog import PlanType
from monigo.core.money import format_decimal
from monigo.core.tax import subtotal, tax_amount
from monigo.core.verification import DIFFERENCES_MAX, Difference, Verification
from monigo.infra.database import Transaction
from monigo.invoicing import verify_store
from monigo.invoicing.rules import invoice_number
from monigo.invoicing.store import NUMBERED_AS
from monigo.invoicing.wallet_payments import INVOICE, PERIOD

INVOICES_A_PAGE = 10_000
PAID_BY_WALLETS = {INVOICE: "payment of an invoice", PERIOD: "payment of a period"}


async def verify(tx: Transaction) -> Verification:
    """Compare each invoice's totals with its lines and payments; look for gaps in the numbers."""
    differences: list[Difference] = []
    looked_at = 0
    after: UUID | None = None
    while rows := await verify_store.load_sums(tx, after=after, limit=INVOICES_A_PAGE):
        looked_at += len(rows)
        after = rows[-1]["id"]
        if len(differences) < DIFFERENCES_MAX:
            differences += [found for row in rows for found in _of_invoice(row)]
    numbers = [found for plan_type in PlanType for found in await _of_numbers(tx, plan_type)]
    payments = await _of_payments(tx)
    return Verification(
        {"invoices": looked_at}, [*differences[:DIFFERENCES_MAX], *numbers, *payments]
    )


def _of_invoice(row: asyncpg.Record) -> list[Difference]:
    """What is wrong with one invoice's totals, by the sum of its lines."""
    due = subtotal([row["line_amount"]], row["currency"])
    vat = tax_amount(due, row["vat_rate"], row["currency"]) if row["vat_enabled"] else Decimal(0)
    wht = tax_amount(due, row["wht_rate"], row["currency"])
    computed = {
        "subtotal": due,
        "vat_amount": vat,
        "wht_amount": wht,
        "total": due + vat - wht,
    }
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


async def _of_payments(tx: Transaction) -> list[Difference]:
    """Where wallets paid otherwise than invoices and running periods say.

    The database adds up both sides by itself, so that only differences come here.
    """
    return [
        Difference(PAID_BY_WALLETS[payer_type], payer, stored, computed)
        for payer_type, payer, stored, computed in await verify_store.list_unmatched_payments(
            tx, DIFFERENCES_MAX
        )
    ]


async def _of_numbers(tx: Transaction, plan_type: PlanType) -> list[Difference]:
    what = NUMBERED_AS[plan_type]
    differences = [
        Difference(
            f"{what} number",
            f"{invoice_number(first, plan_type)} to {invoice_number(last, plan_type)}",
            None,
            "",
        )
        for first, last in await verify_store.list_gaps(tx, plan_type, DIFFERENCES_MAX)
    ]
    counted, taken = await verify_store.last_number(tx, plan_type)
    if counted != taken:
        differences.append(Difference(f"last {what} number", "counter", str(counted), str(taken)))
    return differences

"""Verification: invoices are compared with lines, numbers, each other, and what wallets paid."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import asyncpg

from monigo.catalog import PlanType
from monigo.core.money import format_decimal, minor_unit_places
from monigo.core.tax import subtotal, tax_amount
from monigo.core.verification import DIFFERENCES_MAX, Difference, Verification
from monigo.infra.db import Transaction
from monigo.invoicing import verify_store
from monigo.invoicing.booking import compare_books
from monigo.invoicing.documents import INVOICE, NUMBERED_AS, PERIOD, compare_sources
from monigo.invoicing.rating import is_rounded
from monigo.invoicing.rules import invoice_number

INVOICES_A_PAGE = 10_000
PAID_BY_WALLETS = {INVOICE: "payment of an invoice", PERIOD: "payment of a period"}


async def verify(tx: Transaction) -> Verification:
    """Compare invoices with their lines, payments, numbers, and what rounding carried to them."""
    differences: list[Difference] = []
    looked_at = 0
    currencies: set[str] = set()
    after: UUID | None = None
    while rows := await verify_store.load_sums(tx, after=after, limit=INVOICES_A_PAGE):
        looked_at += len(rows)
        after = rows[-1]["id"]
        currencies |= {row["currency"] for row in rows}
        if len(differences) < DIFFERENCES_MAX:
            for row in rows:
                differences += [*_of_invoice(row), *_of_payment(row)]
    numbers = [found for plan_type in PlanType for found in await _of_numbers(tx, plan_type)]
    rounding = await _of_rounding(tx, currencies)
    periods = await _of_periods(tx)
    return Verification(
        {"invoices": looked_at},
        [
            *differences[:DIFFERENCES_MAX],
            *numbers,
            *rounding,
            *periods,
            *await compare_sources(tx),
            *await compare_books(tx),
        ],
    )


def _of_invoice(row: asyncpg.Record) -> list[Difference]:
    """What is wrong with one invoice's totals, by the sum of its lines."""
    exact = row["line_amount"]
    due = subtotal([exact], row["currency"])
    if row["rounded_off"] is not None and is_rounded(row["subtotal"], exact, row["currency"]):
        # Which way a half is rounded depends on the subscription's other invoices: see
        # `_of_rounding`.
        due = row["subtotal"]
    vat = tax_amount(due, row["vat_rate"], row["currency"]) if row["vat_enabled"] else Decimal(0)
    wht = tax_amount(due, row["wht_rate"], row["currency"])
    computed = {
        "subtotal": due,
        "vat_amount": vat,
        "wht_amount": wht,
        "total": due + vat - wht,
    }
    if row["rounded_off"] is not None:
        computed["rounded_off"] = exact - row["rounding"] - due
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


async def _of_rounding(tx: Transaction, currencies: Iterable[str]) -> list[Difference]:
    """Whether what rounding took off or added came with the subscription's next invoice."""
    places = {currency: minor_unit_places(currency) for currency in currencies}
    differences: list[Difference] = []
    for row in await verify_store.list_wrongly_rounded(tx, places, DIFFERENCES_MAX):
        what, stored, computed = "subtotal after rounding", row["subtotal"], row["computed"]
        if row["rounding"] != row["carried"]:
            what, stored, computed = "rounding carried", row["rounding"], row["carried"]
        recorded = format_decimal(stored), format_decimal(computed)
        differences.append(Difference(f"invoice {what}", str(row["id"]), *recorded))
    return differences


def _of_payment(row: asyncpg.Record) -> list[Difference]:
    """Compare what a wallet paid with the invoice, unless its period is compared as a whole."""
    if row["is_part_of_period"]:
        return []
    return _unlike(INVOICE, str(row["id"]), row["recorded"], row["taken"])


async def _of_periods(tx: Transaction) -> list[Difference]:
    """Compare what wallets paid with realtime periods; report payments without a period, too."""
    differences: list[Difference] = []
    after: tuple[UUID, datetime] | None = None
    while rows := await verify_store.load_periods(tx, after=after, limit=INVOICES_A_PAGE):
        after = rows[-1]["subscription_id"], rows[-1]["period_start"]
        if len(differences) < DIFFERENCES_MAX:
            for row in rows:
                differences += _unlike(PERIOD, row["name"], row["recorded"], row["taken"])
    for row in await verify_store.list_paid_for_nothing(tx, DIFFERENCES_MAX):
        differences += _unlike(row["reference_type"], row["reference_id"], None, row["taken"])
    return differences[:DIFFERENCES_MAX]


def _unlike(
    reference_type: str, subject: str, recorded: Decimal | None, taken: Decimal
) -> list[Difference]:
    if recorded == taken:
        return []
    stored = None if recorded is None else format_decimal(recorded)
    return [Difference(PAID_BY_WALLETS[reference_type], subject, stored, format_decimal(taken))]


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

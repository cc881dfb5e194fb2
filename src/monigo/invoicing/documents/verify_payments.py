"""Verification of payments by their sources: each paid what it may, and had back what it paid."""

from uuid import UUID

from monigo import wallets
from monigo.core.ids import InvoiceId
from monigo.core.money import format_decimal
from monigo.core.verification import DIFFERENCES_MAX, Difference
from monigo.infra.db import Transaction
from monigo.invoicing.documents import store, verify_payments_store
from monigo.invoicing.documents.charges_store import decode_parts
from monigo.invoicing.documents.payment_rules import divide, shares_of

INVOICES_A_PAGE = 1_000


async def compare_sources(tx: Transaction) -> list[Difference]:
    """Where a source paid what it may not, or had back what another one paid, or not at all."""
    differences = [
        Difference(
            "payment by its source",
            f"{row['target']} {row['grant_id'] or 'money'}",
            format_decimal(row["recorded"]),
            format_decimal(row["taken"]),
        )
        for row in await verify_payments_store.list_sources(tx, DIFFERENCES_MAX)
    ]
    differences += [
        Difference("payment for no invoice", row["name"], format_decimal(row["charged"]), "0")
        for row in await verify_payments_store.list_for_no_invoice(tx, DIFFERENCES_MAX)
    ]
    differences += [
        Difference(
            "credit for another metric"
            if row["is_of_other_metric"]
            else "credit for a period after it",
            f"{row['reference_id']} {row['grant_id']}",
            format_decimal(row["amount"]),
            "0",
        )
        for row in await verify_payments_store.list_misused(tx, DIFFERENCES_MAX)
    ]
    return [*differences, *await _beyond_lines(tx)][:DIFFERENCES_MAX]


async def _beyond_lines(tx: Transaction) -> list[Difference]:
    """What limited grants paid of invoices beyond their metrics' lines."""
    differences: list[Difference] = []
    after: UUID | None = None
    while rows := await verify_payments_store.load_paid_by_credits(
        tx, after=after, limit=INVOICES_A_PAGE
    ):
        after = rows[-1]["id"]
        paid = {InvoiceId(row["id"]): decode_parts(row["parts"]) for row in rows}
        limits = await wallets.metrics_of_grants(
            tx, {part.grant_id for parts in paid.values() for part in parts if part.grant_id}
        )
        lines = await store.load_lines(tx, list(paid))
        for row in rows:
            known = [stored.line for stored in lines[row["id"]]]
            shares = shares_of(known, row["total"], row["currency"])
            parts = paid[InvoiceId(row["id"])]
            differences += [
                Difference(
                    "credit beyond its lines",
                    f"{row['id']} {part.grant_id}",
                    format_decimal(part.amount),
                    "0",
                )
                for part in divide(parts, shares, row["total"], limits).excess
            ]
        if len(differences) >= DIFFERENCES_MAX:
            break
    return differences

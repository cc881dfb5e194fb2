"""Verification of the books: they have of each invoice, bill and customer what these say."""

from monigo.core.money import format_decimal
from monigo.core.verification import DIFFERENCES_MAX, Difference
from monigo.infra.db import Transaction
from monigo.invoicing.booking import verify_store


async def compare_books(tx: Transaction) -> list[Difference]:
    """Where receivables, bad debts, taxes, payables and payments are not those of the documents."""
    return [
        Difference(
            row["what"],
            row["subject"],
            None if row["stored"] is None else format_decimal(row["stored"]),
            None if row["computed"] is None else format_decimal(row["computed"]),
        )
        for row in await verify_store.compare(tx, DIFFERENCES_MAX)
    ]

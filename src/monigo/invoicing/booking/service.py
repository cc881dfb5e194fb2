"""Brings final invoices and bills into the books that were final before there were any."""

from collections.abc import Sequence

from monigo import books
from monigo.infra.db import Transaction
from monigo.invoicing.booking import rules, store
from monigo.invoicing.types import Invoice, InvoiceStatus


async def bring_in(tx: Transaction, documents: Sequence[Invoice]) -> None:
    """Book those locked final documents that are not in the books, with what was paid so far.

    Their customers are locked. Whatever changes final documents calls it first. A document that
    was read before it was brought in is not booked twice.
    """
    missing = [
        one
        for one in documents
        if not one.is_booked and one.status not in {InvoiceStatus.DRAFT, InvoiceStatus.VOID}
    ]
    if missing:
        booked = await store.set_booked(tx, [one.id for one in missing])
        made = [rules.brought_in(one) for one in missing if one.id in booked]
        await books.post(tx, [booking for bookings in made for booking in bookings])

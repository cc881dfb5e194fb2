"""Settlement: the one way in which an invoice or a bill becomes paid, wholly or in part.

An invoice becomes final with its first settlement, which may be of nothing; it need not have been a
draft before. Whatever pays comes here: wallets and credits as an invoice becomes final or later,
and money that was received at a provider or elsewhere.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from monigo import books
from monigo.books import Booking
from monigo.catalog import PlanType
from monigo.core.errors import ensure
from monigo.core.money import Money
from monigo.infra.db import Transaction
from monigo.invoicing import booking, events
from monigo.invoicing.documents import rated_store, states_store
from monigo.invoicing.documents.charges_store import Parts
from monigo.invoicing.documents.payment_rules import merged, sum_of
from monigo.invoicing.documents.rules import settled
from monigo.invoicing.types import Invoice, InvoiceStatus, RatedInvoice, Settled, Settlement


class ByWallet(Struct, frozen=True):
    """What a wallet and its credits pay now, by source, and what they had paid before."""

    parts: Parts = ()
    before: Parts = ()


class Received(Struct, frozen=True):
    """Money that came in: at a provider, or elsewhere under the merchant's own reference."""

    amount: Money
    reference: str
    at: datetime
    is_by_provider: bool = False


class InvoicePayment(Struct, frozen=True):
    """What is paid at once of a locked final invoice, or of one that is rated and becomes final."""

    document: Invoice | RatedInvoice
    source: ByWallet | Received


async def settle(tx: Transaction, payments: Sequence[InvoicePayment]) -> list[Settled]:
    """Take payments for invoices and bills, each for another one, and report what becomes of them.

    Stored documents are locked. Rated ones are stored final and numbered, in their order. An excess
    over the amount due is returned, and the caller gives it to the customer; a wallet pays at most
    the amount due. The number of statements is constant, however many payments there are.
    """
    found = [_settled(payment) for payment in payments]
    changed = [
        (payment, one)
        for payment, one in zip(payments, found, strict=True)
        if one.taken or payment.document.status is InvoiceStatus.DRAFT
    ]
    if not changed:
        return found
    documents = [payment.document for payment, _ in changed]
    await booking.bring_in(tx, [one for one in documents if isinstance(one, Invoice)])
    rated = [one for one in documents if isinstance(one, RatedInvoice)]
    await rated_store.write_lines(tx, rated)
    numbers = await _numbers(tx, documents)
    settlements = [
        _settlement(tx, payment, one, number)
        for (payment, one), number in zip(changed, numbers, strict=True)
    ]
    by_id = {one.invoice_id: one for one in settlements}
    await rated_store.write_final(tx, rated, [by_id.pop(one.id) for one in rated])
    await states_store.settle(tx, list(by_id.values()))
    await books.post(tx, [made for change in changed for made in _bookings(*change)])
    await events.emit_settled(tx, documents, settlements)
    return found


async def end_collection(tx: Transaction, invoice: Invoice) -> None:
    """Give up what is due of a locked invoice: it is uncollectible."""
    await booking.bring_in(tx, [invoice])
    await states_store.end_collection(tx, invoice.id)
    await books.post(tx, [booking.written_off(invoice)])


def _settled(payment: InvoicePayment) -> Settled:
    document, source = payment.document, payment.source
    if isinstance(source, Received):
        return settled(document.status, due=document.due, payment=source.amount)
    paid = Money(sum_of(source.parts), document.currency)
    found = settled(document.status, due=document.due, payment=paid)
    ensure(not found.excess, "a wallet pays at most what is due")
    return found


def _settlement(
    tx: Transaction, payment: InvoicePayment, found: Settled, number: int
) -> Settlement:
    source = payment.source
    is_received = isinstance(source, Received)
    paid_at = source.at if is_received else tx.now
    return Settlement(
        invoice_id=payment.document.id,
        number=number,
        status=found.status,
        paid_at=paid_at if found.status is InvoiceStatus.PAID else None,
        taken=found.taken.amount,
        parts=None if is_received else merged(source.before, source.parts),
        reference=source.reference if is_received else None,
    )


def _bookings(payment: InvoicePayment, found: Settled) -> list[Booking]:
    """What a payment makes of the books; a wallet's payment of what is final is its movement's."""
    document, source = payment.document, payment.source
    taken = found.taken.amount
    is_received = isinstance(source, Received)
    bookings: list[Booking] = []
    if document.status is InvoiceStatus.DRAFT:
        paid = Decimal(0) if is_received else taken
        bookings.append(booking.finalized(document, paid=paid))
    if is_received:
        bookings += booking.received(
            document, taken, source.reference, is_by_provider=source.is_by_provider
        )
    return bookings


async def _numbers(tx: Transaction, documents: Sequence[Invoice | RatedInvoice]) -> list[int]:
    """The numbers of documents, where they are drafts the next ones of their plan types."""
    taken = {
        plan_type: iter(await states_store.take_numbers(tx, plan_type, count))
        for plan_type in PlanType
        if (count := sum(one.plan_type is plan_type for one in documents if one.number is None))
    }
    return [next(taken[one.plan_type]) if one.number is None else one.number for one in documents]

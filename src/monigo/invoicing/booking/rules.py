"""Pure rules of booking: what becomes of an invoice or a bill, as bookings of its customer."""

from decimal import Decimal

from monigo import books
from monigo.books import Booking, Subject
from monigo.catalog import PlanType
from monigo.core.money import EXACT
from monigo.invoicing.types import Invoice, InvoiceStatus, RatedInvoice

Document = Invoice | RatedInvoice


def finalized(document: Document, *, paid: Decimal) -> Booking:
    """One that becomes final, of which wallet and credits paid a part before."""
    subject, totals = subject_of(document), document.totals
    if document.plan_type is PlanType.PAYOUT:
        return books.bill_finalized(subject, net=totals.total, withheld=totals.wht_amount)
    return books.invoice_finalized(subject, total=totals.total, vat=totals.vat_amount, paid=paid)


def received(
    document: Document, amount: Decimal, reference: str, *, is_by_provider: bool
) -> list[Booking]:
    """What was paid of a final invoice at a provider, or else was received elsewhere.

    What had been written off of it is due again first.
    """
    subject = subject_of(document)
    make = books.payment_received if is_by_provider else books.received_elsewhere
    payment = make(subject, amount, reference=reference)
    is_written_off = document.status is InvoiceStatus.UNCOLLECTIBLE
    return [books.recovered(subject, amount), payment] if is_written_off else [payment]


def written_off(invoice: Invoice) -> Booking:
    """What is due of an invoice that becomes uncollectible."""
    return books.written_off(subject_of(invoice), invoice.amount_due)


def paid_back(invoice: Invoice) -> list[Booking]:
    """What wallet and credits had paid of an invoice, and have back, is due again."""
    subject = subject_of(invoice)
    bookings = [books.payment_taken_back(subject, invoice.wallet_paid)]
    if invoice.status is InvoiceStatus.UNCOLLECTIBLE:
        bookings.append(books.written_off(subject, invoice.wallet_paid))
    return bookings


def voided(document: Invoice) -> list[Booking]:
    """One that is voided, as it was before; a draft never was in the books."""
    subject, totals = subject_of(document), document.totals
    if document.number is None:
        return []
    if document.plan_type is PlanType.PAYOUT:
        return [books.bill_voided(subject, net=totals.total, withheld=totals.wht_amount)]
    void = books.invoice_voided(
        subject,
        total=totals.total,
        vat=totals.vat_amount,
        due=document.amount_due,
        refunded=EXACT.subtract(document.amount_refunded, document.amount_disputed),
    )
    if document.status is InvoiceStatus.UNCOLLECTIBLE:
        return [books.recovered(subject, document.amount_due), void]
    return [void]


def brought_in(document: Invoice) -> list[Booking]:
    """One that was final before there were books, as it stands now."""
    bookings = [finalized(document, paid=document.amount_paid)]
    if document.status is InvoiceStatus.UNCOLLECTIBLE:
        bookings.append(written_off(document))
    return bookings


def subject_of(document: Document) -> Subject:
    """Whose accounts an invoice or a bill moves."""
    customer_id = (
        document.wanted.subscription.customer_id
        if isinstance(document, RatedInvoice)
        else document.customer_id
    )
    return Subject(customer_id, document.currency, books.DOCUMENT, str(document.id))

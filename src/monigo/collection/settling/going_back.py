"""What follows from money that goes back: refunds, lost disputes, reversals; it commits with that.

The transaction that reports these facts holds the payment, and then locks the invoice. What of a
payment did not pay the invoice, or the invoice did not keep because it was voided, is in the
customer's wallet: it is taken from there, as far as it is there; the rest is a loss.
"""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from monigo import invoicing
from monigo.collection.settling import postings, wallet_parts
from monigo.core.ids import CustomerId, InvoiceId, PaymentId
from monigo.core.money import EXACT, Money
from monigo.infra.db import Transaction
from monigo.invoicing import Invoice, InvoiceStatus
from monigo.payments import charges, received, refunds
from monigo.payments.refunds import Destination

_NOTHING = Decimal(0)


class Owner(Struct, frozen=True):
    """Whose payment goes back, at which provider."""

    customer_id: CustomerId
    payment_id: PaymentId
    provider: str


async def note_refunds(tx: Transaction, made: Sequence[refunds.events.RefundCreated]) -> None:
    """Count what goes back of invoices' payments; what is to go to a wallet is there at once."""
    for one in made:
        if one.invoice_id is not None:
            invoice = await _count(tx, one.invoice_id)
            if one.destination is Destination.WALLET:
                await wallet_parts.refund(tx, one)
                await postings.post_refund_to_wallet(tx, one, invoice)


async def post_refunds(tx: Transaction, done: Sequence[refunds.events.RefundSucceeded]) -> None:
    """Book what went back at providers."""
    for one in done:
        if (
            one.invoice_id is None
            or one.payment_id is None
            or one.destination is not Destination.PROVIDER
        ):
            continue
        # It may have been taken for failed before.
        invoice = await _count(tx, one.invoice_id)
        booked = _NOTHING
        if invoice.status is not InvoiceStatus.VOID:
            payment = await charges.get_payment(tx, one.payment_id)
            booked = await postings.post_refund(tx, one, invoice, payment)
        # Of the wallet, or beyond what came.
        rest = Money(EXACT.subtract(one.counted, booked), one.currency)
        await _take_back(tx, Owner(invoice.customer_id, one.payment_id, one.provider), rest)


async def note_failed_refunds(
    tx: Transaction, failed: Sequence[refunds.events.RefundFailed]
) -> None:
    """Count what stays after all."""
    for one in failed:
        if one.invoice_id is not None:
            await _count(tx, one.invoice_id)


async def note_lost_disputes(tx: Transaction, lost: Sequence[refunds.events.DisputeLost]) -> None:
    """Count as refunded what payers' banks took back, and book it as lost."""
    for one in lost:
        if one.invoice_id is None or not one.amount:
            continue
        invoice = await invoicing.lock(tx, one.invoice_id)
        kept = _NOTHING
        if invoice.status is not InvoiceStatus.VOID:
            payment = await charges.get_payment(tx, one.payment_id)
            gone = await refunds.gone_back(tx, invoice.id, payment.id)
            kept = min(one.amount, EXACT.subtract(payment.to_invoice, gone.of_payment))
            await refunds.note_dispute(tx, one, kept)
            await _count(tx, invoice.id)
        await _lose(tx, one, of_invoice=kept)


async def note_reversals(
    tx: Transaction, reversed_: Sequence[charges.events.PaymentReversed]
) -> None:
    """Note what providers took back of invoices' payments, and book it as lost."""
    for one in reversed_:
        if one.purpose is not charges.Purpose.INVOICE or one.invoice_id is None:
            continue
        invoice = await invoicing.lock(tx, one.invoice_id)
        kept = _NOTHING
        if invoice.status is not InvoiceStatus.VOID:
            kept = max(EXACT.subtract(one.amount, one.to_wallet), _NOTHING)
            kept = min(kept, invoicing.refundable(invoice).amount)
            await invoicing.note_refund(tx, invoice.id, taken_back=kept)
        await _lose(tx, one, of_invoice=kept)


async def _count(tx: Transaction, invoice_id: InvoiceId) -> Invoice:
    """Note what has gone back of an invoice so far; of a void one nothing is noted any more."""
    invoice = await invoicing.lock(tx, invoice_id)
    if invoice.status is InvoiceStatus.VOID:
        return invoice
    gone = await refunds.gone_back(tx, invoice.id)
    of_payments = await received.refunded_of_invoice(tx, invoice.id)
    return await invoicing.note_refund(
        tx,
        invoice.id,
        refunded=EXACT.add(gone.to_sources, of_payments),
        disputed=gone.by_disputes,
    )


async def _lose(
    tx: Transaction,
    one: refunds.events.DisputeLost | charges.events.PaymentReversed,
    *,
    of_invoice: Decimal,
) -> None:
    """Book what is lost of a payment: what the invoice kept, and what no wallet has any more."""
    kept = Money(of_invoice, one.currency)
    rest = Money(one.amount, one.currency) - kept
    owner = Owner(one.customer_id, one.payment_id, one.provider)
    await _note_loss(tx, owner, kept)
    await _take_back(tx, owner, rest)


async def _take_back(tx: Transaction, owner: Owner, money: Money) -> None:
    """Take from a locked customer's wallet what went back of it; what is not there is lost."""
    if money:
        taken = await wallet_parts.take_back(tx, owner.customer_id, money, owner.payment_id)
        await _note_loss(tx, owner, money - taken)


async def _note_loss(tx: Transaction, owner: Owner, lost: Money) -> None:
    """Note with a payment what its customer owes of it by now, and book that as lost."""
    await received.note_uncovered(tx, owner.payment_id, lost.amount)
    await postings.post_loss(
        tx,
        owner.customer_id,
        lost.amount,
        currency=lost.currency,
        reference_id=str(owner.payment_id),
        provider=owner.provider,
    )

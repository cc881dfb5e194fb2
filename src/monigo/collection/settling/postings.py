"""What payments are in the books, beside what invoices and wallets book of themselves."""

from collections.abc import Sequence
from decimal import Decimal

from monigo import books
from monigo.books import Subject
from monigo.core.ids import CustomerId
from monigo.core.money import EXACT
from monigo.infra.db import Transaction
from monigo.invoicing import Invoice
from monigo.payments import refunds
from monigo.payments.received import Payment, PaymentReceived

PAYMENT = "payment"
_NOTHING = Decimal(0)


async def post_fees(tx: Transaction, received: Sequence[PaymentReceived]) -> None:
    """Book what providers kept of payments of locked customers, as far as merchants bear it."""
    fees = [(one, EXACT.subtract(one.fee, one.fee_by_payer)) for one in received]
    await books.post(
        tx,
        [
            books.provider_fee(
                Subject(one.customer_id, one.currency, PAYMENT, str(one.payment_id)),
                fee,
                provider=one.provider,
            )
            for one, fee in fees
            if fee > 0
        ],
    )


async def post_refund(
    tx: Transaction, done: refunds.events.RefundSucceeded, invoice: Invoice, payment: Payment
) -> Decimal:
    """Book what a provider sent back of a locked invoice that is not void; how much of it that is.

    What of the payment did not pay the invoice is not booked here.
    """
    gone = await refunds.gone_back(tx, invoice.id, payment.id)
    amount = max(min(done.counted, EXACT.subtract(payment.to_invoice, gone.of_payment)), _NOTHING)
    booking = books.charge_refunded(
        _subject(invoice),
        amount,
        refunded_before=gone.by_refunds,
        total=invoice.totals.total,
        vat=invoice.totals.vat_amount,
        provider=done.provider,
    )
    await books.post(tx, [booking] if amount else [])
    await refunds.note_refund(tx, done.refund_id, amount)
    return amount


async def post_refund_to_wallet(
    tx: Transaction, made: refunds.events.RefundCreated, invoice: Invoice
) -> None:
    """Book the VAT of what a locked invoice's wallet and credits got back."""
    gone = await refunds.gone_back(tx, invoice.id)
    booking = books.refunded_to_wallet(
        _subject(invoice),
        made.amount,
        refunded_before=gone.by_refunds,
        total=invoice.totals.total,
        vat=invoice.totals.vat_amount,
    )
    await books.post(tx, [booking])
    await refunds.note_refund(tx, made.refund_id, made.amount)


def _subject(invoice: Invoice) -> Subject:
    return Subject(invoice.customer_id, invoice.currency, books.DOCUMENT, str(invoice.id))


async def post_loss(
    tx: Transaction,
    customer_id: CustomerId,
    amount: Decimal,
    *,
    currency: str,
    reference_id: str,
    provider: str,
) -> None:
    """Book what a provider took back of a locked customer's payment for good."""
    if amount > 0:
        subject = Subject(customer_id, currency, PAYMENT, reference_id)
        await books.post(tx, [books.lost(subject, amount, provider=provider)])

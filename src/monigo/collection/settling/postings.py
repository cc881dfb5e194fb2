"""What payments are in the books, beside what invoices and wallets book of themselves."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import reduce

from monigo import books
from monigo.books import Subject
from monigo.core.ids import CustomerId, RefundId
from monigo.core.money import EXACT
from monigo.infra.db import Transaction
from monigo.invoicing import Invoice
from monigo.payments import refunds
from monigo.payments.received import Payment, PaymentReceived
from monigo.payments.refunds import Refund, RefundState

PAYMENT = "payment"


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
    others = await _others(tx, done.refund_id, invoice)
    of_payment = _sum_of(one for one in others if one.payment_id == payment.id)
    before = _sum_of(others)
    left = min(
        EXACT.subtract(payment.to_invoice, of_payment), EXACT.subtract(invoice.totals.total, before)
    )
    amount = max(min(done.amount, left), Decimal(0))
    booking = books.charge_refunded(
        _subject(invoice),
        amount,
        refunded_before=before,
        total=invoice.totals.total,
        vat=invoice.totals.vat_amount,
        provider=done.provider,
    )
    await books.post(tx, [booking] if amount else [])
    return amount


async def post_refund_to_wallet(
    tx: Transaction, made: refunds.events.RefundCreated, invoice: Invoice
) -> None:
    """Book the VAT of what a locked invoice's wallet and credits got back."""
    booking = books.refunded_to_wallet(
        _subject(invoice),
        made.amount,
        refunded_before=_sum_of(await _others(tx, made.refund_id, invoice)),
        total=invoice.totals.total,
        vat=invoice.totals.vat_amount,
    )
    await books.post(tx, [booking])


async def _others(tx: Transaction, refund_id: RefundId, invoice: Invoice) -> list[Refund]:
    """The other refunds of an invoice that are booked."""
    known = await refunds.refunds_of(tx, invoice.id)
    return [one for one in known if one.id != refund_id and one.state is RefundState.SUCCEEDED]


def _sum_of(known: Iterable[Refund]) -> Decimal:
    return reduce(EXACT.add, (one.amount.amount for one in known), Decimal(0))


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

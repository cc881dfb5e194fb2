"""The facts of money that came in."""

from datetime import datetime
from decimal import Decimal

from monigo.core.ids import (
    ChargeId,
    ConnectionId,
    CustomerId,
    InvoiceId,
    PaymentId,
    TopUpId,
    WalletId,
)
from monigo.infra.outbox import Fact
from monigo.payments.received.types import PaymentKind, Purpose


class PaymentFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a payment; `reference` is ours, of the charge that asked."""

    subject = "payment"
    subject_field = "payment_id"
    payment_id: PaymentId
    kind: PaymentKind
    purpose: Purpose
    charge_id: ChargeId | None
    customer_id: CustomerId
    connection_id: ConnectionId
    provider: str
    provider_id: str
    reference: str
    invoice_id: InvoiceId | None
    wallet_id: WalletId | None
    currency: str
    amount: Decimal


class PaymentReceived(PaymentFact, frozen=True, kw_only=True):
    """Money came in, for what its ids name. `amount` is what the customer is credited.

    It may be another amount, and in another currency, than a charge asked for (`asked_amount`).
    """

    top_up_id: TopUpId | None

    fee: Decimal
    fee_by_payer: Decimal
    asked_amount: Decimal | None
    asked_currency: str
    is_by_person: bool
    received_at: datetime


class PaymentReversed(PaymentFact, frozen=True, kw_only=True):
    """The provider took money back, from where it went; `amount` had not gone back before."""

    to_invoice: Decimal
    to_wallet: Decimal

"""The facts of refunds and disputes."""

from decimal import Decimal

from monigo.core.ids import (
    ChargeId,
    ConnectionId,
    CustomerId,
    InvoiceId,
    PaymentId,
    RefundId,
)
from monigo.infra.outbox import Fact
from monigo.payments.refunds.types import Destination


class RefundFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a refund."""

    subject = "refund"
    subject_field = "refund_id"
    refund_id: RefundId
    payment_id: PaymentId | None
    charge_id: ChargeId | None
    invoice_id: InvoiceId | None
    customer_id: CustomerId | None
    provider: str
    reference: str
    destination: Destination
    currency: str
    amount: Decimal
    reason: str


class RefundCreated(RefundFact, frozen=True, kw_only=True):
    """Money is to go back; until it failed it counts as gone."""


class RefundSucceeded(RefundFact, frozen=True, kw_only=True):
    """Money went back.

    `counted` is less than the amount where a dispute or a reversal may have taken the same money.
    """

    counted: Decimal


class RefundFailed(RefundFact, frozen=True, kw_only=True):
    """Money stayed that was to go back."""

    code: str
    failure: str


class DisputeFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a payment that its payer disputes."""

    subject = "payment"
    subject_field = "payment_id"
    payment_id: PaymentId
    charge_id: ChargeId | None
    invoice_id: InvoiceId | None
    customer_id: CustomerId
    connection_id: ConnectionId
    provider: str
    provider_id: str
    currency: str
    amount: Decimal


class DisputeOpened(DisputeFact, frozen=True, kw_only=True):
    """A payer disputes a payment."""


class DisputeLost(DisputeFact, frozen=True, kw_only=True):
    """The money went back to the payer; `amount` is what had not gone back before."""


class DisputeWon(DisputeFact, frozen=True, kw_only=True):
    """The money stays."""

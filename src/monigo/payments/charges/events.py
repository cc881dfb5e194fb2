"""The facts of charges; those of the money that came are of its own room."""

from decimal import Decimal

from monigo.core.ids import (
    ChargeId,
    ConnectionId,
    CustomerId,
    InvoiceId,
    PaymentMethodId,
    TopUpId,
    WalletId,
)
from monigo.infra.outbox import Fact
from monigo.payments.charges.types import ChargeKind, OwnCode
from monigo.payments.received import PaymentReceived, PaymentReversed, Purpose

__all__ = [
    "ChargeFact",
    "ChargeFailed",
    "ChargeNeedsAction",
    "PaymentReceived",
    "PaymentReversed",
    "is_failed_payment",
]


class ChargeFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a charge."""

    subject = "charge"
    subject_field = "charge_id"
    charge_id: ChargeId
    kind: ChargeKind
    purpose: Purpose
    customer_id: CustomerId
    connection_id: ConnectionId
    provider: str
    method_id: PaymentMethodId | None
    reference: str
    invoice_id: InvoiceId | None
    wallet_id: WalletId | None
    top_up_id: TopUpId | None
    currency: str
    amount: Decimal


class ChargeFailed(ChargeFact, frozen=True, kw_only=True):
    """A charge failed; `reason` is in the provider's words."""

    code: str
    reason: str
    is_final: bool


def is_failed_payment(failed: ChargeFailed) -> bool:
    """Whether a customer's money was to be had and was not.

    It was not tried where a link expired or another charge took the place of one.
    """
    return failed.kind is ChargeKind.PULL and failed.code != OwnCode.SUPERSEDED


class ChargeNeedsAction(ChargeFact, frozen=True, kw_only=True):
    """A pull waits for its customer, who is to confirm it at the link."""

    url: str

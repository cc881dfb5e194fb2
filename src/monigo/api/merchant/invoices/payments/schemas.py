"""Payments of invoices on the wire."""

from collections.abc import Sequence
from typing import Annotated, Self

from msgspec import Meta
from pydantic import Field

from monigo.api.kernel.changes import Changes
from monigo.api.kernel.wire.incoming import Amount, Id, Incoming, Name, Text
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Money, Outgoing
from monigo.collection import WantedLink, WantedRefund
from monigo.core.ids import (
    ChargeId,
    CustomerId,
    InvoiceId,
    OrganizationId,
    PaymentMethodId,
    RefundId,
)
from monigo.core.money import format_money
from monigo.infra.db import Transaction
from monigo.payments.charges import Charge, ChargeKind, ChargeState, Purpose
from monigo.payments.refunds import Destination, Refund, RefundState

URL_LENGTH_MAX = 2_000
# How each state is written in the contract's words; `state` has the exact one.
_STATUSES = {
    ChargeState.SUCCEEDED: "succeeded",
    ChargeState.FAILED: "failed",
    ChargeState.REVERSED: "reversed",
    RefundState.SUCCEEDED: "succeeded",
    RefundState.FAILED: "failed",
}
Status = Annotated[
    str, Meta(description="pending, succeeded, failed or reversed", examples=["pending"])
]


class LinkIn(Incoming):
    """How an invoice is to be paid; without a provider by the currency's usual connection."""

    provider: Name | None = Field(default=None, examples=["paystack"])
    save_method: bool | None = Field(
        default=None, description="keep the card that pays, to charge it again"
    )
    return_url: Text | None = Field(
        default=None,
        max_length=URL_LENGTH_MAX,
        description="where the payer goes after the payment",
        examples=["https://shop.example/thanks"],
    )

    def wanted(self, usual_url: str) -> WantedLink:
        """What is asked for; `usual_url` is where payers go that are sent nowhere else."""
        return WantedLink(
            self.provider or None, self.save_method or False, self.return_url or usual_url
        )


class SetupIn(LinkIn):
    """Where a customer's payment method is set up, in which currency."""

    currency: Name | None = Field(default=None, examples=["NGN"])


class RefundIn(Incoming):
    """What is to go back of an invoice; without an amount all that is left of its payments."""

    amount: Amount | None = None
    reason: Text = Field(examples=["the ride was canceled"])
    transaction_id: Id | None = Field(
        default=None,
        description="whose payment goes back; without it the newest first, then the others",
    )
    to: Destination | None = Field(
        default=None,
        description="`wallet` returns what wallet and credits paid; usually the provider's",
    )

    def wanted(self) -> WantedRefund:
        """What is asked for."""
        return WantedRefund(
            self.amount, self.reason, self.transaction_id, self.to is Destination.WALLET
        )


class InvoiceTransactionOut(Outgoing, frozen=True):
    """One try to take money from a customer."""

    id: ChargeId
    org_id: OrganizationId
    invoice_id: InvoiceId | None
    customer_id: CustomerId
    kind: ChargeKind
    purpose: Purpose
    amount: Money
    currency: str
    status: Status
    state: ChargeState
    provider: str
    reference: Annotated[str, Meta(description="ours, by which the provider knows it")]
    provider_transaction_id: str
    payment_method_id: PaymentMethodId | None
    authorization_url: Annotated[
        str | None, Meta(description="where the customer pays, or confirms the payment")
    ]
    error_code: str | None
    error_message: Annotated[str | None, Meta(description="in the provider's words")]
    expires_at: Instant | None
    settled_at: Instant | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, charge: Charge) -> Self:
        """The wire form."""
        failure = charge.failure
        return cls(
            id=charge.id,
            org_id=tx.org_id,
            invoice_id=charge.invoice_id,
            customer_id=charge.customer_id,
            kind=charge.kind,
            purpose=charge.purpose,
            amount=format_money(charge.amount.amount),
            currency=charge.amount.currency,
            status=_STATUSES.get(charge.state, "pending"),
            state=charge.state,
            provider=charge.provider,
            reference=charge.reference,
            provider_transaction_id=charge.provider_id,
            payment_method_id=charge.method_id,
            authorization_url=charge.url if charge.is_live and charge.url else None,
            error_code=failure.code if failure else None,
            error_message=(failure.reason or failure.code) if failure else None,
            expires_at=charge.expires_at,
            settled_at=charge.settled_at,
            created_at=charge.created_at,
            updated_at=charge.settled_at or charge.asked_at or charge.created_at,
        )


TRANSACTION = Changes("transaction", Charge, InvoiceTransactionOut.of)


class InvoiceTransactionList(ListEnvelope, frozen=True):
    """An invoice's transactions, newest first."""

    transactions: list[InvoiceTransactionOut]


class InvoiceTransactionEnvelope(Outgoing, frozen=True):
    """One transaction."""

    transaction: InvoiceTransactionOut


class InitiatedOut(Outgoing, frozen=True):
    """A payment that was begun, and where the customer goes on with it."""

    transaction: InvoiceTransactionOut
    authorization_url: str | None
    reference: str
    provider: str

    @classmethod
    def of(cls, tx: Transaction, charge: Charge) -> Self:
        """The wire form."""
        shown = InvoiceTransactionOut.of(tx, charge)
        return cls(shown, shown.authorization_url, shown.reference, shown.provider)


class RefundOut(Outgoing, frozen=True):
    """Money that goes back."""

    id: RefundId
    org_id: OrganizationId
    invoice_id: InvoiceId | None
    transaction_id: ChargeId | None
    amount: Money
    currency: str
    status: Status
    state: RefundState
    reason: str
    to: Destination
    provider: str
    reference: str
    error_message: str | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, refund: Refund) -> Self:
        """The wire form."""
        return cls(
            id=refund.id,
            org_id=tx.org_id,
            invoice_id=refund.invoice_id,
            transaction_id=refund.charge_id,
            amount=format_money(refund.amount.amount),
            currency=refund.amount.currency,
            status=_STATUSES.get(refund.state, "pending"),
            state=refund.state,
            reason=refund.reason,
            to=refund.destination,
            provider=refund.provider,
            reference=refund.reference,
            error_message=(refund.failure_reason or refund.failure_code) or None,
            created_at=refund.created_at,
            updated_at=refund.settled_at or refund.asked_at or refund.created_at,
        )


class RefundEnvelope(Outgoing, frozen=True):
    """What goes back: of the newest payment, and of each that it takes."""

    refund: Annotated[RefundOut, Meta(description="that of the newest payment")]
    refunds: Annotated[list[RefundOut], Meta(description="all of them, one for each payment")]

    @classmethod
    def of(cls, tx: Transaction, made: Sequence[Refund]) -> Self:
        """The wire form."""
        shown = [RefundOut.of(tx, refund) for refund in made]
        return cls(refund=shown[0], refunds=shown)

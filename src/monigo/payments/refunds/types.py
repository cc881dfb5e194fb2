"""Refunds: money that goes back; disputes: money that payers ask their banks for."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from monigo.core.ids import (
    ChargeId,
    ConnectionId,
    CustomerId,
    DisputeId,
    InvoiceId,
    PaymentId,
    RefundId,
)
from monigo.core.money import Money


class RefundState(StrEnum):
    """How far a refund has come; as those of charges."""

    CREATED = "created"
    SUBMITTED = "submitted"
    PENDING = "pending"
    UNKNOWN = "unknown"
    NEEDS_ACTION = "needs_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


SETTLED = frozenset({RefundState.SUCCEEDED, RefundState.FAILED})


class Destination(StrEnum):
    """Where money goes back to: by the provider to the payer, or into the customer's wallet."""

    PROVIDER = "provider"
    WALLET = "wallet"


class Refund(Struct, frozen=True, kw_only=True):
    """Money that goes back for a payment, or for what an invoice's wallet and credits paid.

    What fits nothing goes back without a customer.
    `created_at` and `settled_at` are instants of the tenant's time, the others of real time.
    """

    id: RefundId
    payment_id: PaymentId | None = None
    charge_id: ChargeId | None = None
    invoice_id: InvoiceId | None = None
    customer_id: CustomerId | None
    connection_id: ConnectionId | None = None
    provider: str = ""
    attempt: int
    reference: str
    amount: Money
    reason: str
    destination: Destination
    actor: str
    state: RefundState = RefundState.CREATED
    failure_code: str | None = None
    failure_reason: str = ""
    provider_id: str = ""
    created_at: datetime
    submitted_at: datetime | None = None
    settled_at: datetime | None = None
    asked: int = 0
    asked_at: datetime | None = None
    first_not_found_at: datetime | None = None
    needs_person_at: datetime | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    note: str = ""

    @property
    def is_live(self) -> bool:
        """Whether its end is open."""
        return self.state not in SETTLED


class NewRefund(Struct, frozen=True, kw_only=True):
    """What is to go back. Without a payment it is what an invoice's wallet and credits paid."""

    amount: Money
    reason: str
    destination: Destination
    payment_id: PaymentId | None = None
    invoice_id: InvoiceId | None = None
    customer_id: CustomerId | None = None


class GoneBack(Struct, frozen=True, kw_only=True):
    """What has gone back of what an invoice took, once it is certain.

    `by_refunds` has what went back to its wallet and credits, `to_sources`, too; `of_payment` is
    what went back of one of its payments.
    """

    by_refunds: Decimal
    by_disputes: Decimal
    to_sources: Decimal
    of_payment: Decimal


class ResolvedAs(StrEnum):
    """What a person says of a transaction that nothing is known of."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Resolvable(Struct, frozen=True, kw_only=True):
    """A charge, refund or transfer, as far as a person decides of it; `kind` says which it is."""

    id: UUID
    kind: str
    invoice_id: InvoiceId | None = None
    bill_id: InvoiceId | None = None
    customer_id: CustomerId | None
    amount: Money
    provider: str
    reference: str
    provider_id: str
    state: str
    failure_code: str
    failure_reason: str
    note: str
    resolved_at: datetime | None
    created_at: datetime


class DisputeState(StrEnum):
    """Whether a payer got the money back by their bank."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class Dispute(Struct, frozen=True, kw_only=True):
    """A payment that its payer disputes; `lost_amount` is what went back of it."""

    id: DisputeId
    payment_id: PaymentId
    connection_id: ConnectionId
    provider_id: str
    amount: Money
    lost_amount: Decimal
    state: DisputeState
    reason: str
    opened_at: datetime
    settled_at: datetime | None = None

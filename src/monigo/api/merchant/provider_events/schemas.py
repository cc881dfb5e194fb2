"""Provider events on the wire."""

from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta
from pydantic import BeforeValidator, Field

from monigo.api.kernel.wire.incoming import Id, Incoming, Text, empty_as_none
from monigo.api.kernel.wire.outgoing import (
    Instant,
    ListEnvelope,
    Money,
    Outgoing,
)
from monigo.core.ids import ProviderEventId, RefundId
from monigo.core.money import Money as Amount
from monigo.core.money import format_money
from monigo.payments.events import EventState, ProviderEvent
from monigo.payments.refunds import Refund


class ProviderEventOut(Outgoing, frozen=True):
    """A webhook of a provider's, what it says of a payment, and what became of it."""

    id: ProviderEventId
    connection_id: UUID
    provider: Annotated[str, Meta(examples=["paystack"])]
    status: Annotated[
        EventState,
        Meta(
            description="parked and failed wait for a person, or for a row that it is about;"
            " foreign is about nothing of ours, and deleted after seven days"
        ),
    ]
    reason: Annotated[str, Meta(description="why it waits, or nothing follows from it")]
    kind: Annotated[str | None, Meta(examples=["charge"])]
    payment_status: Annotated[str | None, Meta(examples=["succeeded"])]
    reference: str
    provider_reference: Annotated[str, Meta(description="the provider's own id of the payment")]
    amount: Annotated[Money | None, Meta(description="without what the payer bore of the fee")]
    fee: Money | None
    currency: str | None
    account: Annotated[str, Meta(description="the last digits of the account that was paid into")]
    is_confirmed: Annotated[
        bool, Meta(description="proven by its signature, or by asking the provider")
    ]
    attempts: int
    invoice_id: UUID | None
    wallet_id: UUID | None
    refund_id: UUID | None
    occurred_at: Instant | None
    received_at: Instant
    handled_at: Instant | None

    @classmethod
    def of(cls, event: ProviderEvent) -> Self:
        """The wire form."""
        summary = event.summary
        return cls(
            id=event.id,
            connection_id=event.connection_id,
            provider=event.provider,
            status=event.state,
            reason=event.reason,
            kind=summary.kind,
            payment_status=summary.state,
            reference=summary.reference,
            provider_reference=summary.provider_id,
            amount=_text(summary.amount),
            fee=_text(summary.fee),
            currency=summary.amount.currency if summary.amount else None,
            account=summary.account,
            is_confirmed=summary.is_confirmed,
            attempts=event.tries,
            invoice_id=event.invoice_id,
            wallet_id=event.wallet_id,
            refund_id=event.refund_id,
            occurred_at=summary.occurred_at,
            received_at=event.received_at,
            handled_at=event.handled_at,
        )


class ProviderEventList(ListEnvelope, frozen=True):
    """Events, newest first."""

    events: list[ProviderEventOut]


class ProviderEventEnvelope(Outgoing, frozen=True):
    """One event."""

    event: ProviderEventOut


class EventRefundOut(Outgoing, frozen=True):
    """Money of an event that goes back to who paid it."""

    id: RefundId
    amount: Money
    currency: str
    status: Annotated[str, Meta(description="as of transactions", examples=["pending"])]
    reason: str
    provider: str
    reference: Annotated[str, Meta(description="ours, by which the provider was asked")]
    error_message: str | None
    created_at: Instant

    @classmethod
    def of(cls, refund: Refund) -> Self:
        """The wire form."""
        return cls(
            id=refund.id,
            amount=format_money(refund.amount.amount),
            currency=refund.amount.currency,
            status="pending" if refund.is_live else refund.state.value,
            reason=refund.reason,
            provider=refund.provider,
            reference=refund.reference,
            error_message=(refund.failure_reason or refund.failure_code) or None,
            created_at=refund.created_at,
        )


class EventRefundEnvelope(Outgoing, frozen=True):
    """An event, and the refund of its money."""

    event: ProviderEventOut
    refund: EventRefundOut


class RefundEventIn(Incoming):
    """Why an event's money goes back."""

    reason: Text = Field(examples=["paid into an account of nobody's"])


class MatchIn(Incoming):
    """What money is for that fits nothing: one of the two."""

    invoice_id: Annotated[Id | None, BeforeValidator(empty_as_none)] = Field(
        default=None, examples=["0190b6f2-0000-7000-8000-000000000001"]
    )
    wallet_id: Annotated[Id | None, BeforeValidator(empty_as_none)] = None


class IgnoreIn(Incoming):
    """Why nothing follows from an event."""

    reason: Text = Field(examples=["a colleague's test payment"])


def _text(amount: Amount | None) -> str | None:
    return None if amount is None else format_money(amount.amount)

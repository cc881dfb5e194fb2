"""Transactions on the wire, as far as a person decides of them."""

from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta
from pydantic import Field

from monigo.api.kernel.changes import Changes
from monigo.api.kernel.wire.incoming import Incoming, Name, Text
from monigo.api.kernel.wire.outgoing import Instant, Money, Outgoing
from monigo.core.ids import CustomerId, InvoiceId, OrganizationId
from monigo.core.money import format_money
from monigo.infra.db import Transaction
from monigo.payments.refunds import Resolvable, ResolvedAs

_SETTLED = frozenset({"succeeded", "failed", "reversed"})


class ResolveIn(Incoming):
    """What a person found out at the provider."""

    outcome: ResolvedAs = Field(examples=["succeeded"])
    provider_id: Name | None = Field(
        default=None, description="the provider's id of what succeeded", examples=["4099260516"]
    )
    note: Text = Field(description="how it was found out", examples=["seen on the dashboard"])


class ResolvedOut(Outgoing, frozen=True):
    """A transaction: money that was to come, to go back, or to go to a payee."""

    id: UUID
    org_id: OrganizationId
    kind: Annotated[str, Meta(description="pull, checkout, refund or transfer", examples=["pull"])]
    invoice_id: InvoiceId | None
    bill_id: InvoiceId | None
    customer_id: Annotated[
        CustomerId | None, Meta(description="null for money that fitted nothing, and goes back")
    ]
    amount: Money
    currency: str
    status: Annotated[
        str, Meta(description="pending, succeeded, failed or reversed", examples=["pending"])
    ]
    state: Annotated[str, Meta(description="the exact one", examples=["unknown"])]
    provider: str
    reference: str
    provider_id: str
    error_code: str | None
    error_message: str | None
    note: str
    resolved_at: Instant | None
    created_at: Instant

    @classmethod
    def of(cls, tx: Transaction, one: Resolvable) -> Self:
        """The wire form."""
        return cls(
            id=one.id,
            org_id=tx.org_id,
            kind=one.kind,
            invoice_id=one.invoice_id,
            bill_id=one.bill_id,
            customer_id=one.customer_id,
            amount=format_money(one.amount.amount),
            currency=one.amount.currency,
            status=one.state if one.state in _SETTLED else "pending",
            state=one.state,
            provider=one.provider,
            reference=one.reference,
            provider_id=one.provider_id,
            error_code=one.failure_code or None,
            error_message=one.failure_reason or None,
            note=one.note,
            resolved_at=one.resolved_at,
            created_at=one.created_at,
        )


class ResolvedEnvelope(Outgoing, frozen=True):
    """One transaction."""

    transaction: ResolvedOut


TRANSACTION = Changes("transaction", Resolvable, ResolvedOut.of)

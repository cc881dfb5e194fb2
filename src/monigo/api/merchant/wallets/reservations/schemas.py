"""Reservations on the wire."""

from typing import Self

from pydantic import Field

from monigo import wallets
from monigo.api.kernel.wire.incoming import Amount, Incoming, InstantIn, Metadata, Name, Text, Whole
from monigo.api.kernel.wire.outgoing import FreeForm, Instant, ListEnvelope, Money, Outgoing
from monigo.api.merchant.wallets.movements.schemas import BodyKey
from monigo.api.merchant.wallets.schemas import EntryOut, WalletOut
from monigo.core import money
from monigo.core.ids import OrganizationId, ReservationId, WalletId
from monigo.infra import json
from monigo.infra.db import Tenant
from monigo.wallets import Reservation, ReservationRequest, ReservationResult, ReservationStatus


class ReservationIn(Incoming):
    """Money to hold; for an hour, if no other time is given."""

    amount: Amount = Field(examples=["1500.000000"])
    currency: Name = Field(examples=["NGN"])
    idempotency_key: BodyKey = Field(examples=["checkout-1"])
    expires_in_seconds: Whole | None = Field(default=None, examples=[900])
    expires_at: InstantIn = None
    description: Text | None = None
    reference_type: Name | None = None
    reference_id: Name | None = None
    metadata: Metadata | None = None

    def request(self, wallet_id: WalletId) -> ReservationRequest:
        """The reservation that is asked for."""
        return ReservationRequest(
            wallet_id=wallet_id,
            amount=money.Money(self.amount, self.currency),
            idempotency_key=self.idempotency_key,
            expires_in_seconds=self.expires_in_seconds,
            expires_at=self.expires_at,
            **self.given("description", "reference_type", "reference_id", "metadata"),
        )


class CaptureIn(Incoming):
    """How much of a reservation to capture; all of it if not given."""

    amount: Amount | None = Field(default=None, examples=["900.000000"])


class ReservationOut(Outgoing, frozen=True):
    """Money held for a payment in flight."""

    id: ReservationId
    org_id: OrganizationId
    wallet_id: WalletId
    currency: str
    amount: Money
    captured_amount: Money
    status: ReservationStatus
    description: str
    reference_type: str
    reference_id: str
    metadata: FreeForm
    expires_at: Instant
    settled_at: Instant | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tenant: Tenant, reservation: Reservation) -> Self:
        """The wire form."""
        return cls(
            id=reservation.id,
            org_id=tenant.org_id,
            wallet_id=reservation.wallet_id,
            currency=reservation.currency,
            amount=money.format_money(reservation.amount),
            captured_amount=money.format_money(reservation.captured_amount),
            status=reservation.status,
            description=reservation.description,
            reference_type=reservation.reference_type,
            reference_id=reservation.reference_id,
            metadata=json.exact_floats(reservation.metadata),
            expires_at=reservation.expires_at,
            settled_at=reservation.settled_at,
            created_at=reservation.created_at,
            updated_at=reservation.updated_at,
        )


class ReservationEnvelope(Outgoing, frozen=True):
    """A reservation, its wallet, and the entries of what was done."""

    reservation: ReservationOut
    wallet: WalletOut
    ledger_entries: list[EntryOut]

    @classmethod
    def of(cls, tenant: Tenant, result: ReservationResult) -> Self:
        """The wire form."""
        return cls(
            reservation=ReservationOut.of(tenant, result.reservation),
            wallet=WalletOut.of(tenant, result.wallet),
            ledger_entries=[
                EntryOut.of(tenant, entry)
                for entry in wallets.entries_of(result.wallet, result.transfers)
            ],
        )


class ReservationList(ListEnvelope, frozen=True):
    """Reservations, newest first."""

    reservations: list[ReservationOut]

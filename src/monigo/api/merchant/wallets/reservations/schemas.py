"""Reservations on the wire."""

from typing import Self

from pydantic import Field

from monigo import wallets
from monigo.api.kernel.wire.fields import (
    Amount,
    Incoming,
    InstantIn,
    ListEnvelope,
    Metadata,
    Name,
    Outgoing,
    Text,
    Whole,
)
from monigo.api.merchant.wallets.movements.schemas import BodyKey
from monigo.api.merchant.wallets.schemas import EntryOut, ReservationOut, WalletOut
from monigo.core.ids import WalletId
from monigo.core.money import Money
from monigo.infra.db import Tenant
from monigo.wallets import ReservationRequest, ReservationResult


class ReservationIn(Incoming):
    """Money to hold; for an hour, if no other time is said."""

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
            amount=Money(self.amount, self.currency),
            idempotency_key=self.idempotency_key,
            expires_in_seconds=self.expires_in_seconds,
            expires_at=self.expires_at,
            **self.given("description", "reference_type", "reference_id", "metadata"),
        )


class CaptureIn(Incoming):
    """How much of a reservation to spend; all of it where nothing is said."""

    amount: Amount | None = Field(default=None, examples=["900.000000"])


class ReservationEnvelope(Outgoing):
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


class ReservationList(ListEnvelope):
    """Reservations, newest first."""

    reservations: list[ReservationOut]

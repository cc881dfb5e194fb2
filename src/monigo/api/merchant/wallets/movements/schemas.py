"""Movements of money on the wire."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from monigo import wallets
from monigo.api.kernel.wire.incoming import Amount, Incoming, Metadata, Name, Text
from monigo.api.kernel.wire.outgoing import Outgoing
from monigo.api.merchant.wallets.schemas import EntryOut, WalletOut
from monigo.core import money
from monigo.core.ids import WalletId
from monigo.infra.db import Tenant
from monigo.wallets import Direction, EntryType, Movement, MovementResult

BodyKey = Annotated[Name, StringConstraints(min_length=1)]


class MovementType(StrEnum):
    """Why a merchant moves money."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    USAGE = "usage"
    REFUND = "refund"
    ADJUSTMENT = "adjustment"


class DebitIn(Incoming):
    """Money to take from a wallet."""

    amount: Amount = Field(examples=["1500.000000"])
    currency: Name = Field(examples=["NGN"])
    entry_type: MovementType = Field(examples=["usage"])
    idempotency_key: BodyKey = Field(
        examples=["order-1"], description="unique in the wallet; a repeat gets the first answer"
    )
    description: Text | None = None
    reference_type: Name | None = None
    reference_id: Name | None = None
    metadata: Metadata | None = None

    def movement(self, wallet_id: WalletId, direction: Direction) -> Movement:
        """The movement that is asked for."""
        return Movement(
            wallet_id=wallet_id,
            direction=direction,
            amount=money.Money(self.amount, self.currency),
            entry_type=EntryType(self.entry_type.value),
            idempotency_key=self.idempotency_key,
            **self.given("description", "reference_type", "reference_id", "metadata"),
            **self.given("provider_id"),
        )


class CreditIn(DebitIn):
    """Money to put into a wallet."""

    entry_type: MovementType = Field(examples=["deposit"])
    provider_id: Name | None = Field(default=None, description="who received the money")


class MovementOut(Outgoing, frozen=True):
    """The wallet after a movement, and the movement's two sides."""

    wallet: WalletOut
    ledger_entries: list[EntryOut]

    @classmethod
    def of(cls, tenant: Tenant, result: MovementResult) -> Self:
        """The wire form."""
        return cls(
            wallet=WalletOut.of(tenant, result.wallet),
            ledger_entries=[
                EntryOut.of(tenant, entry)
                for entry in wallets.entries_of(result.wallet, result.transfers)
            ],
        )

"""Routes that move a wallet's money.

Here they are documented, and answer requests that carry an Idempotency-Key, whose record commits
with the effect. `movements_hot` answers all others, many at once.
"""

from enum import StrEnum
from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from monigo import wallets
from monigo.api.kernel.http.errors import INSUFFICIENT_RESPONSE
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.fields import Amount, Id, Incoming, Metadata, Name, Outgoing, Text
from monigo.api.merchant.wallets.schemas import EntryOut, WalletOut
from monigo.core.ids import WalletId
from monigo.core.permissions import Permission
from monigo.infra.db import Tenant
from monigo.wallets import Direction, EntryType, Movement, MovementResult

router = APIRouter(route_class=TenantRoute, tags=["wallets"])

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
            amount=self.amount,
            currency=self.currency,
            entry_type=EntryType(self.entry_type.value),
            idempotency_key=self.idempotency_key,
            **self.given("description", "reference_type", "reference_id", "metadata"),
            **self.given("provider_id"),
        )


class CreditIn(DebitIn):
    """Money to put into a wallet."""

    entry_type: MovementType = Field(examples=["deposit"])
    provider_id: Name | None = Field(default=None, description="who received the money")


class MovementOut(Outgoing):
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


@router.post("/wallets/{wallet_id}/credit", responses=INSUFFICIENT_RESPONSE)
@atomic(Permission.WALLETS_CREDIT)
async def credit_wallet(tx: Tx, wallet_id: Id, body: CreditIn) -> MovementOut:
    """Put money into a wallet; the same idempotency_key again returns the first answer."""
    movement = body.movement(WalletId(wallet_id), Direction.CREDIT)
    return MovementOut.of(tx.tenant, await wallets.move(tx, movement))


@router.post("/wallets/{wallet_id}/debit", responses=INSUFFICIENT_RESPONSE)
@atomic(Permission.WALLETS_DEBIT)
async def debit_wallet(tx: Tx, wallet_id: Id, body: DebitIn) -> MovementOut:
    """Take money from a wallet: all of the amount, or 402 and nothing."""
    movement = body.movement(WalletId(wallet_id), Direction.DEBIT)
    return MovementOut.of(tx.tenant, await wallets.move(tx, movement))

"""Routes of auto top-up: a wallet's rule, and what it asked for."""

from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import Field

from monigo import wallets
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.fields import (
    CANCELED,
    Amount,
    AmountOrZero,
    Id,
    Incoming,
    Instant,
    ListEnvelope,
    Message,
    Money,
    Outgoing,
    also_spelled,
)
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.core.ids import OrganizationId, TopUpId, WalletId
from monigo.core.permissions import Permission
from monigo.infra.db import Tenant
from monigo.wallets import AutoTopUp, TopUp, TopUpStatus

router = APIRouter(route_class=TenantRoute, tags=["wallets"])

StatusQuery = Annotated[TopUpStatus | None, also_spelled(CANCELED)]


class AutoTopUpIn(Incoming):
    """When a wallet asks for money, and for how much."""

    threshold: AmountOrZero = Field(
        examples=["500.000000"], description="asks when the balance is below it"
    )
    amount: Amount = Field(examples=["2000.000000"])
    monthly_limit: Amount | None = Field(
        default=None, examples=["10000.000000"], description="null: asks for as much as is needed"
    )


class AutoTopUpOut(Outgoing):
    """A wallet's rule."""

    wallet_id: WalletId
    threshold: Money
    amount: Money
    monthly_limit: Money | None

    @classmethod
    def of(cls, wallet_id: Id, rule: AutoTopUp) -> Self:
        """The wire form."""
        return cls(
            wallet_id=WalletId(wallet_id),
            threshold=rule.threshold,
            amount=rule.amount,
            monthly_limit=rule.monthly_limit,
        )


class AutoTopUpEnvelope(Outgoing):
    """One rule."""

    auto_top_up: AutoTopUpOut


class TopUpOut(Outgoing):
    """Money that a wallet's rule asked for."""

    id: TopUpId
    org_id: OrganizationId
    wallet_id: WalletId
    currency: str
    amount: Money
    deposited_amount: Money = Field(description="what deposits since then have brought of it")
    status: TopUpStatus
    settled_at: Instant | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tenant: Tenant, top_up: TopUp) -> Self:
        """The wire form."""
        return cls(
            id=top_up.id,
            org_id=tenant.org_id,
            wallet_id=top_up.wallet_id,
            currency=top_up.currency,
            amount=top_up.amount,
            deposited_amount=top_up.deposited_amount,
            status=top_up.status,
            settled_at=top_up.settled_at,
            created_at=top_up.created_at,
            updated_at=top_up.updated_at,
        )


class TopUpList(ListEnvelope):
    """Requests, newest first."""

    top_ups: list[TopUpOut]


@router.get("/wallets/{wallet_id}/auto-top-up")
@atomic(Permission.WALLETS_READ)
async def get_auto_top_up(tx: Tx, wallet_id: Id) -> AutoTopUpEnvelope:
    """Read a wallet's rule for topping up; 404 where it has none."""
    rule = await wallets.get_auto_top_up(tx, wallet_id)
    return AutoTopUpEnvelope(auto_top_up=AutoTopUpOut.of(wallet_id, rule))


@router.put("/wallets/{wallet_id}/auto-top-up")
@atomic(Permission.WALLETS_WRITE)
async def set_auto_top_up(tx: Tx, wallet_id: Id, body: AutoTopUpIn) -> AutoTopUpEnvelope:
    """Have a wallet ask for money when its balance is low, by an event and an open top-up."""
    wanted = AutoTopUp(body.threshold, body.amount, body.monthly_limit)
    rule = await wallets.set_auto_top_up(tx, wallet_id, wanted)
    return AutoTopUpEnvelope(auto_top_up=AutoTopUpOut.of(wallet_id, rule))


@router.delete("/wallets/{wallet_id}/auto-top-up")
@atomic(Permission.WALLETS_WRITE)
async def delete_auto_top_up(tx: Tx, wallet_id: Id) -> Message:
    """Have a wallet ask for nothing any more; what is open is canceled."""
    await wallets.delete_auto_top_up(tx, wallet_id)
    return Message(message="auto top-up deleted")


@router.get("/wallets/{wallet_id}/top-ups", response_model=TopUpList)
@atomic(Permission.WALLETS_READ)
async def list_top_ups(
    tx: Tx,
    wallet_id: Id,
    paging: Paging,
    status: Annotated[StatusQuery, Query()] = None,
) -> ListResponse:
    """List what a wallet's rule asked for, newest first."""
    page = await wallets.list_top_ups(tx, wallet_id, paging, status)
    return ListResponse("top_ups", page, lambda item: TopUpOut.of(tx.tenant, item))

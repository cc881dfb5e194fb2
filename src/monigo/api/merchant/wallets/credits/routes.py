"""Routes of credits: granted to a wallet, consumed before its money."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from monigo import wallets
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.fields import (
    Amount,
    Id,
    Incoming,
    InstantIn,
    ListEnvelope,
    Name,
    Outgoing,
    Text,
    Whole,
)
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.wallets.movements.routes import BodyKey
from monigo.api.merchant.wallets.schemas import CreditOut
from monigo.core.ids import MetricId, WalletId
from monigo.core.permissions import Permission
from monigo.wallets import GrantRequest

router = APIRouter(route_class=TenantRoute, tags=["wallets"])

# More than any plan has metrics; a restriction to more is none.
METRICS_MAX = 100


class GrantIn(Incoming):
    """Credit to give."""

    amount: Amount = Field(examples=["500.000000"])
    currency: Name = Field(examples=["NGN"])
    idempotency_key: BodyKey = Field(examples=["welcome-1"])
    priority: Annotated[Whole, Field(ge=0)] | None = Field(
        default=None, description="the lowest is consumed first; 0 where it is unset"
    )
    expires_at: InstantIn = None
    metric_ids: list[Id] | None = Field(
        default=None, max_length=METRICS_MAX, description="usage of these only; unset: of any"
    )
    description: Text | None = None

    def request(self, wallet_id: WalletId) -> GrantRequest:
        """The grant that is asked for."""
        return GrantRequest(
            wallet_id=wallet_id,
            amount=self.amount,
            currency=self.currency,
            idempotency_key=self.idempotency_key,
            priority=self.priority or 0,
            metric_ids=tuple(MetricId(one) for one in self.metric_ids or ()),
            expires_at=self.expires_at,
            description=self.description or "",
        )


class CreditEnvelope(Outgoing):
    """One grant."""

    credit: CreditOut


class CreditList(ListEnvelope):
    """Grants, newest first."""

    credits: list[CreditOut]


@router.post("/wallets/{wallet_id}/credits", status_code=201)
@atomic(Permission.WALLETS_GRANT)
async def grant_credit(tx: Tx, wallet_id: Id, body: GrantIn) -> CreditEnvelope:
    """Give a wallet credit that its customer's usage consumes before money."""
    granted = await wallets.grant(tx, body.request(WalletId(wallet_id)))
    return CreditEnvelope(credit=CreditOut.of(tx.tenant, granted))


@router.post("/wallets/{wallet_id}/credits/{grant_id}/revoke")
@atomic(Permission.WALLETS_GRANT)
async def revoke_credit(tx: Tx, wallet_id: Id, grant_id: Id) -> CreditEnvelope:
    """Take back what is left of a credit, for good. Takes no body."""
    revoked = await wallets.revoke(tx, wallet_id, grant_id)
    return CreditEnvelope(credit=CreditOut.of(tx.tenant, revoked))


@router.get("/wallets/{wallet_id}/credits", response_model=CreditList)
@atomic(Permission.WALLETS_READ)
async def list_credits(tx: Tx, wallet_id: Id, paging: Paging) -> ListResponse:
    """List a wallet's credits and what is left of them, newest first."""
    page = await wallets.list_credits(tx, wallet_id, paging)
    return ListResponse("credits", page, lambda item: CreditOut.of(tx.tenant, item))

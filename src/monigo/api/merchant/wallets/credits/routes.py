"""Routes of credits: granted to a wallet, consumed before its money."""

from fastapi import APIRouter

from monigo import wallets
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.wallets.credits.schemas import (
    CreditEnvelope,
    CreditList,
    CreditOut,
    GrantIn,
)
from monigo.core.access import Permission
from monigo.core.ids import WalletId
from monigo.wallets import CreditGrant

router = APIRouter(route_class=TenantRoute, tags=["wallets"])

CREDIT = Changes("credit", CreditGrant, lambda tx, grant: CreditOut.of(tx.tenant, grant))


@router.post("/wallets/{wallet_id}/credits", status_code=201)
@atomic(Permission.WALLETS_GRANT, changes=CREDIT)
async def grant_credit(tx: Tx, wallet_id: Id, body: GrantIn) -> CreditEnvelope:
    """Give a wallet credit that its customer's usage consumes before money."""
    granted = await wallets.grant(tx, body.request(WalletId(wallet_id)))
    return CreditEnvelope(credit=CreditOut.of(tx.tenant, granted))


@router.post("/wallets/{wallet_id}/credits/{grant_id}/revoke")
@atomic(Permission.WALLETS_GRANT, changes=CREDIT)
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

"""Routes of funding: how a wallet's customer pays into it."""

from fastapi import APIRouter

from monigo import collection
from monigo.api.kernel.routes.declarations import staged
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.merchant.wallets.funding.asking import (
    CHARGE,
    FundingIntent,
    funding_opened,
    open_funding,
)
from monigo.api.merchant.wallets.funding.schemas import FundIn, FundingOut
from monigo.core.access import Permission

router = APIRouter(route_class=TenantRoute, tags=["wallets"])


@router.post("/wallets/{wallet_id}/fund", response_model=FundingOut)
@staged(Permission.WALLETS_WRITE, changes=CHARGE, call=open_funding, record=funding_opened)
async def fund_wallet(tx: Tx, wallet_id: Id, body: FundIn) -> FundingIntent:
    """Make a link, or a session for the provider's widget, by which the customer pays in."""
    charge = await collection.funding.fund(tx, wallet_id, body.funding(), currency=body.currency)
    return FundingIntent(charge.id, body.inline)

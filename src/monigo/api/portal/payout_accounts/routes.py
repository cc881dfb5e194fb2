"""Routes of a customer's own payout accounts."""

from fastapi import APIRouter

from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import Tx
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.portal.paging import head_of
from monigo.api.portal.payout_accounts.schemas import (
    PortalPayoutAccountList,
    PortalPayoutAccountOut,
)
from monigo.api.portal.routing import PortalRoute, own_customer
from monigo.core.access import Permission
from monigo.core.paging import Page
from monigo.payments import payout_accounts

router = APIRouter(route_class=PortalRoute, tags=["portal"], prefix="/payout-accounts")


@router.get("", response_model=PortalPayoutAccountList)
@atomic(Permission.PORTAL_READ)
async def list_own_payout_accounts(tx: Tx) -> ListResponse:
    """List the accounts that the customer is paid to, oldest first."""
    found = await payout_accounts.list_of(tx, str(own_customer(tx)))
    page = Page(found, len(found), 0)
    return ListResponse("payout_accounts", page, PortalPayoutAccountOut.of, head=head_of(page))

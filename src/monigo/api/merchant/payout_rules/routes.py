"""Routes of payout rules, which are edited on their plans."""

from fastapi import APIRouter

from monigo import subscriptions
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.payout_rules.schemas import UnmatchedList, UnmatchedOut
from monigo.core.access import Permission

router = APIRouter(route_class=TenantRoute, tags=["plans"])


@router.get("/payout-rules/unmatched", response_model=UnmatchedList)
@atomic(Permission.BILLS_READ)
async def list_unmatched_amounts(tx: Tx, paging: Paging) -> ListResponse:
    """List events of the last 90 days that pay nobody by a payout rule, and why."""
    page = await subscriptions.list_unmatched(tx, paging)
    return ListResponse("unmatched", page, UnmatchedOut.of)

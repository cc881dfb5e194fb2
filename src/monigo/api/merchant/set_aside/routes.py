"""Routes of due work that failed and was set aside."""

from fastapi import APIRouter

from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.set_aside.schemas import SetAsideList, SetAsideOut
from monigo.core.access import Permission
from monigo.infra import agenda

router = APIRouter(route_class=TenantRoute, tags=["set aside"])


@router.get("/set-aside", response_model=SetAsideList)
@atomic(Permission.SET_ASIDE_READ)
async def list_set_aside(tx: Tx, paging: Paging) -> ListResponse:
    """List due work that failed, with the reasons."""
    page = await agenda.list_set_aside(tx, paging)
    return ListResponse("set_aside", page, SetAsideOut.of)

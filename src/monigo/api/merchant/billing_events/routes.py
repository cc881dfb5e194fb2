"""Routes of billing events."""

from typing import Annotated

from fastapi import APIRouter, Query

from monigo import webhooks
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import also_spelled
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.billing_events.schemas import BillingEventList, BillingEventOut
from monigo.core.access import Permission
from monigo.webhooks import EventType

router = APIRouter(route_class=TenantRoute, tags=["events"])

TypeQuery = Annotated[
    EventType | None, also_spelled({"subscription.cancelled": "subscription.canceled"})
]


@router.get("/billing-events", response_model=BillingEventList)
@atomic(Permission.BILLING_EVENTS_READ)
async def list_billing_events(
    tx: Tx,
    paging: Paging,
    event_type: Annotated[TypeQuery, Query(alias="type")] = None,
) -> ListResponse:
    """List what billing and wallets did in the last 90 days, newest first."""
    page = await webhooks.list_page(tx, paging, event_type)
    return ListResponse("events", page, lambda one: BillingEventOut.of(tx, one))

"""Routes of what happened: the facts that webhooks tell, in their order."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BeforeValidator

from monigo.api.fields import Instant, ListEnvelope, Outgoing, empty_as_none
from monigo.api.pagination import Paging, counts
from monigo.api.routing import TenantRoute, Tx
from monigo.infra import outbox
from monigo.infra.outbox import EventType

router = APIRouter(route_class=TenantRoute, tags=["events"])

TypeQuery = Annotated[EventType | None, BeforeValidator(empty_as_none)]


class BillingEventOut(Outgoing):
    """Something that happened."""

    id: UUID
    type: EventType
    data: dict[str, Any]
    created_at: Instant


class BillingEventList(ListEnvelope):
    """What happened, newest first."""

    events: list[BillingEventOut]


@router.get("/billing-events")
async def list_billing_events(
    tx: Tx,
    paging: Paging,
    event_type: Annotated[TypeQuery, Query(alias="type")] = None,
) -> BillingEventList:
    """List what billing and wallets did in the last 90 days, newest first."""
    page = await outbox.list_page(tx, paging, event_type)
    events = [
        BillingEventOut(
            id=item.id,
            type=item.event.type,
            data=dict(item.event.data),
            created_at=item.created_at,
        )
        for item in page.items
    ]
    return BillingEventList(events=events, **counts(page))

"""Routes of stored events: the explorer, its export, and what their properties are called."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from msgspec.structs import replace
from pydantic import BeforeValidator

from monigo import metering
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.csv_stream import CSV_RESPONSES, CsvStream, Marked
from monigo.api.kernel.wire.incoming import InstantIn, Name, empty_as_none
from monigo.api.kernel.wire.ranges import Range, range_start
from monigo.api.merchant.events.explorer.schemas import (
    EventList,
    EventOut,
    PropertyKeys,
    SortBy,
    SortOrder,
)
from monigo.bootstrap import Services
from monigo.core.access import Permission
from monigo.metering import EVENTS_A_PAGE_MAX, EventFilter, EventRequest

router = APIRouter(route_class=TenantRoute, tags=["events"])

EVENTS_A_PAGE = 50
CURSOR_LENGTH_MAX = 100


def _event_filter(
    customer_id: Annotated[Name | None, Query(description="id or external_id")] = None,
    event_name: Annotated[Name | None, Query()] = None,
    start: Annotated[InstantIn, Query(alias="from")] = None,
    end: Annotated[InstantIn, Query(alias="to")] = None,
) -> EventFilter:
    return EventFilter(customer_id or None, event_name or None, start, end)


def _order(
    sort_by: Annotated[SortBy | None, BeforeValidator(empty_as_none), Query()] = None,
    sort_order: Annotated[SortOrder | None, BeforeValidator(empty_as_none), Query()] = None,
) -> SortOrder:
    del sort_by  # There is one choice, and it has been checked.
    return sort_order or SortOrder.DESCENDING


Filter = Annotated[EventFilter, Depends(_event_filter)]
Order = Annotated[SortOrder, Depends(_order)]
Limit = Annotated[int, Query(ge=1, le=EVENTS_A_PAGE_MAX)]
Cursor = Annotated[str, Query(max_length=CURSOR_LENGTH_MAX)]
Number = Annotated[int, Query(ge=1, description="by number, instead of a cursor")]


@router.get("/events")
@atomic(Permission.EVENTS_READ)
async def list_events(
    tx: Tx,
    *,
    wanted: Filter,
    order: Order,
    limit: Limit = EVENTS_A_PAGE,
    cursor: Cursor = "",
    page: Number = 1,
) -> EventList:
    """List stored events, newest first.

    A customer's events come by their own `timestamp`. Without `customer_id` they come in the order
    in which they arrived, which late events make another one. Going on with `next_cursor` neither
    repeats nor skips an event, whatever is ingested meanwhile.
    """
    is_newest_first = order is SortOrder.DESCENDING
    request = EventRequest(wanted, limit, page, cursor, is_newest_first)
    found = await metering.list_events(tx, request)
    return EventList(
        events=[EventOut.of(tx, event) for event in found.events],
        count=len(found.events),
        next_cursor=found.next_cursor,
    )


@router.get(
    "/events/export",
    response_class=Response,  # Or errors would be documented as CSV, too.
    responses=CSV_RESPONSES,
)
@atomic(Permission.EVENTS_READ)
async def export_events(
    tx: Tx,
    request: Request,
    wanted: Filter,
    *,
    span: Range = "all",
    is_marked: Marked = False,
) -> CsvStream:
    """Stream stored events as CSV, in the order in which the list has them.

    Text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    services: Services = request.app.state.services
    since = await range_start(tx, span)
    if since is not None:
        wanted = replace(wanted, start=max(since, wanted.start or since))
    walk = await metering.plan_walk(tx, wanted, newest_first=True)
    # This transaction ends before the body is sent: the export opens its own ones.
    return CsvStream(
        metering.export_csv(services.database, tx.tenant, walk),
        name="events",
        is_marked=is_marked,
    )


@router.get("/metrics/event-property-keys")
@atomic(Permission.EVENTS_READ)
async def list_event_property_keys(
    tx: Tx, event_name: Annotated[Name, Query(min_length=1)]
) -> PropertyKeys:
    """List the properties of recent events of a name, for choosing what a metric looks at."""
    keys = await metering.property_keys(tx, event_name)
    return PropertyKeys(event_name=event_name, keys=keys, count=len(keys))

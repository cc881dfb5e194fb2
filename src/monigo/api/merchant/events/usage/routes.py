"""Routes of usage."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BeforeValidator

from monigo import metering, subscriptions
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import InstantIn, Name, empty_as_none
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.merchant.events.usage.schemas import PointOut, RollupList, RollupOut, SeriesOut
from monigo.core.access import Permission
from monigo.core.paging import Page
from monigo.metering import Granularity, SeriesRequest
from monigo.subscriptions import UsageFilter

router = APIRouter(route_class=TenantRoute, tags=["usage"])


@router.get("/usage", response_model=RollupList)
@atomic(Permission.USAGE_READ)
async def read_usage(
    tx: Tx,
    customer_id: Annotated[Name | None, Query()] = None,
    metric_id: Annotated[Name | None, Query()] = None,
    start: Annotated[InstantIn, Query(alias="from")] = None,
    end: Annotated[InstantIn, Query(alias="to")] = None,
) -> ListResponse:
    """Usage per customer, metric and billing period; by default of the periods that contain now.

    At most 10,000 periods are looked through; a wider question is refused, and asked in parts.
    """
    wanted = UsageFilter(customer_id or None, metric_id or None, start, end)
    rollups = await subscriptions.read_usage(tx, wanted)
    return ListResponse(
        "rollups",
        Page(rollups, len(rollups), 0),
        lambda item: RollupOut.of(tx, item),
        head={"count": len(rollups)},
    )


def _series_request(
    *,
    metric_id: Annotated[Name, Query(min_length=1)],
    customer_id: Annotated[Name | None, Query(description="unset: all, for count and sum")] = None,
    granularity: Annotated[Granularity | None, BeforeValidator(empty_as_none), Query()] = None,
    start: Annotated[InstantIn, Query(alias="from")] = None,
    end: Annotated[InstantIn, Query(alias="to")] = None,
    group_by: Annotated[Name, Query(description="a property")] = "",
) -> SeriesRequest:
    return SeriesRequest(
        metric_id, customer_id or None, granularity or Granularity.DAY, start, end, group_by
    )


@router.get("/usage/series")
@atomic(Permission.USAGE_READ)
async def read_usage_series(
    tx: Tx, request: Annotated[SeriesRequest, Depends(_series_request)]
) -> SeriesOut:
    """Usage of a metric hour by hour, day by day or month by month.

    Points are those of the organisation's time zone, cut at `from` and `to`. Beyond a hundred
    values of `group_by` the smallest are reported together as `other`.
    """
    series = await metering.read_series(tx, request)
    points = [PointOut.of(point) for point in series.points]
    return SeriesOut(
        metric_id=series.metric.id,
        customer_id=series.customer_id,
        aggregation=series.metric.definition.aggregation,
        granularity=request.granularity,
        group_by=request.group_by,
        timezone=series.timezone,
        points=points,
        count=len(points),
    )

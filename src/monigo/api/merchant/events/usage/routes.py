"""Routes of usage."""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from monigo import metering, subscriptions
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.fields import (
    Instant,
    InstantIn,
    Name,
    Outgoing,
    Uncounted,
    empty_as_none,
)
from monigo.api.kernel.wire.listing import ListResponse
from monigo.core.aggregation import Aggregation
from monigo.core.ids import CustomerId, MetricId, OrganizationId, derived_id
from monigo.core.paging import Page
from monigo.core.permissions import Permission
from monigo.infra import json
from monigo.infra.db import Transaction
from monigo.metering import Granularity, SeriesPoint, SeriesRequest
from monigo.subscriptions import UsageFilter, UsageRollup

router = APIRouter(route_class=TenantRoute, tags=["usage"])

# The contract wants a JSON number here; bills are made of the exact quantity behind it.
QuantityNumber = Annotated[
    Any,
    PlainSerializer(json.exact_floats, return_type=Any),
    WithJsonSchema({"type": "number", "examples": [12500]}),
]


class RollupOut(Outgoing):
    """One customer's usage of one metric in one billing period."""

    id: UUID
    org_id: OrganizationId
    customer_id: CustomerId
    metric_id: MetricId
    period_start: Instant
    period_end: Instant
    aggregation: Aggregation
    value: QuantityNumber = Field(description="all metered usage")
    billable_value: QuantityNumber = Field(description="without what was used while paused")
    event_count: int
    uncounted_events: Uncounted
    last_event_at: Instant | None
    is_test: bool
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, rollup: UsageRollup) -> Self:
        """The wire form, under an id that is the same at every reading."""
        start, last = rollup.period.start, rollup.usage.last_event_at
        key = (tx.org_id, tx.is_test, rollup.customer_id, rollup.metric_id, start.isoformat())
        return cls(
            id=derived_id("usage_rollup", *map(str, key)),
            org_id=tx.org_id,
            customer_id=rollup.customer_id,
            metric_id=rollup.metric_id,
            period_start=start,
            period_end=rollup.period.end,
            aggregation=Aggregation(rollup.aggregation),
            value=rollup.usage.quantity,
            billable_value=rollup.billable.quantity,
            event_count=rollup.usage.event_count,
            uncounted_events=rollup.usage.uncounted_events,
            last_event_at=last,
            is_test=tx.is_test,
            created_at=start,
            updated_at=last or start,
        )


class RollupList(Outgoing):
    """Rollups of the periods asked for."""

    rollups: list[RollupOut]
    count: int


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
        told={"count": len(rollups)},
    )


class PointOut(Outgoing):
    """Usage in one stretch of time."""

    start: Instant
    end: Instant
    value: QuantityNumber
    event_count: int
    groups: dict[str, QuantityNumber] | None = Field(
        description="the value for each value of `group_by`, if that was asked for"
    )

    @classmethod
    def of(cls, point: SeriesPoint) -> Self:
        """The wire form."""
        return cls(
            start=point.period.start,
            end=point.period.end,
            value=point.quantity,
            event_count=point.event_count,
            groups=None if point.groups is None else dict(point.groups),
        )


class SeriesOut(Outgoing):
    """A metric's usage over time, without a gap."""

    metric_id: MetricId
    customer_id: CustomerId | None
    aggregation: Aggregation
    granularity: Granularity
    group_by: str
    timezone: str
    points: list[PointOut]
    count: int


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
    values of `group_by` the smallest are told together as `other`.
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

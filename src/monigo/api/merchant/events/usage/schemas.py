"""Usage on the wire."""

from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta

from monigo.api.kernel.wire.outgoing import Instant, Number, Outgoing, Uncounted
from monigo.core.aggregation import Aggregation
from monigo.core.ids import CustomerId, MetricId, OrganizationId, derived_id
from monigo.infra import json
from monigo.infra.db import Transaction
from monigo.metering import Granularity, SeriesPoint
from monigo.subscriptions import UsageRollup

# Bills are made of the exact quantity behind it.
QuantityNumber = Annotated[Number, Meta(examples=[12500])]


class RollupOut(Outgoing, frozen=True):
    """One customer's usage of one metric in one billing period."""

    id: UUID
    org_id: OrganizationId
    customer_id: CustomerId
    metric_id: MetricId
    period_start: Instant
    period_end: Instant
    aggregation: Aggregation
    value: Annotated[QuantityNumber, Meta(description="all metered usage")]
    billable_value: Annotated[
        QuantityNumber, Meta(description="without what was used while paused")
    ]
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
            value=json.exact_floats(rollup.usage.quantity),
            billable_value=json.exact_floats(rollup.billable.quantity),
            event_count=rollup.usage.event_count,
            uncounted_events=rollup.usage.uncounted_events,
            last_event_at=last,
            is_test=tx.is_test,
            created_at=start,
            updated_at=last or start,
        )


class RollupList(Outgoing, frozen=True):
    """Rollups of the periods asked for."""

    rollups: list[RollupOut]
    count: int


class PointOut(Outgoing, frozen=True):
    """Usage in one stretch of time."""

    start: Instant
    end: Instant
    value: QuantityNumber
    event_count: int
    groups: Annotated[
        dict[str, QuantityNumber] | None,
        Meta(description="the value for each value of `group_by`, if that was asked for"),
    ]

    @classmethod
    def of(cls, point: SeriesPoint) -> Self:
        """The wire form."""
        return cls(
            start=point.period.start,
            end=point.period.end,
            value=json.exact_floats(point.quantity),
            event_count=point.event_count,
            groups=None if point.groups is None else json.exact_floats(dict(point.groups)),
        )


class SeriesOut(Outgoing, frozen=True):
    """A metric's usage over time, without a gap."""

    metric_id: MetricId
    customer_id: CustomerId | None
    aggregation: Aggregation
    granularity: Granularity
    group_by: str
    timezone: str
    points: list[PointOut]
    count: int

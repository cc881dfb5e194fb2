"""Usage events as they come in, and what is measured from them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct, field

from monigo.catalog import Metric
from monigo.core.ids import CustomerId, MetricId
from monigo.core.periods import Period
from monigo.metering.usage.points import Granularity


class UsageQuery(Struct, frozen=True):
    """What to measure: a customer's usage by one metric, in windows that don't overlap.

    In `event_windows` the events themselves are counted, not their buckets.
    """

    customer_id: CustomerId
    metric: Metric
    windows: Sequence[Period]
    event_windows: Sequence[Period] = ()


class LateQuery(Struct, frozen=True):
    """Asks from when on a customer's events before `closed_until` arrived after the last check.

    `looked_at` is by the machine's clock.
    """

    customer_id: CustomerId
    closed_until: datetime
    looked_at: datetime


class Usage(Struct, frozen=True):
    """A measured quantity and the events behind it. No events: quantity 0.

    `groups` splits the quantity by the value of the metric's `group_by`, if it has one. Where the
    metric is made of numbers, `uncounted_events` are those of its events that hold none.
    """

    quantity: Decimal
    event_count: int
    first_event_at: datetime | None
    last_event_at: datetime | None
    groups: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    uncounted_events: int = 0


class CustomerActivity(Struct, frozen=True):
    """A customer that had events counted by this metric in some span of time."""

    customer_id: CustomerId
    metric_id: MetricId


class SeriesRequest(Struct, frozen=True):
    """Which series is wanted; `group_by` empty means undivided."""

    metric: str
    customer: str | None
    granularity: Granularity
    start: datetime | None
    end: datetime | None
    group_by: str = ""


class SeriesPoint(Struct, frozen=True):
    """A metric's usage in one stretch of time; its `groups` if it was asked for them."""

    period: Period
    quantity: Decimal
    event_count: int
    groups: Mapping[str, Decimal] | None


class Series(Struct, frozen=True):
    """A metric's usage, point by point without a gap; of all customers where none is named."""

    metric: Metric
    customer_id: CustomerId | None
    timezone: str
    points: Sequence[SeriesPoint]

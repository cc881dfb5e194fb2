"""Usage events as they come in, and what is measured from them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct, field

from monigo.catalog import Metric
from monigo.core.ids import CustomerId, MetricId, ReplayJobId
from monigo.core.periods import Period
from monigo.metering.points import Granularity


class Event(msgspec.Struct):
    """An event as it comes in. `customer_id` may be an external_id, `properties` is raw JSON."""

    event_name: str
    customer_id: str
    idempotency_key: str
    timestamp: str | None = None
    properties: msgspec.Raw = msgspec.Raw(b"{}")


class IngestResult(Struct, frozen=True):
    """Idempotency keys in the batch's order: counted now, and counted before."""

    ingested: Sequence[str]
    duplicates: Sequence[str]


class UsageQuery(Struct, frozen=True):
    """What to measure: a customer's usage by one metric, in windows that don't overlap.

    In `event_windows` the events themselves are counted, whatever their buckets say.
    """

    customer_id: CustomerId
    metric: Metric
    windows: Sequence[Period]
    event_windows: Sequence[Period] = ()


class LateQuery(Struct, frozen=True):
    """Since when have a customer's events before `closed_until` come after the last look?

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


class ReplayStatus(StrEnum):
    """Where a replay stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


class ReplayRequest(Struct, frozen=True):
    """What to count anew: the events of a window, all or those of one name."""

    start: datetime
    end: datetime
    event_name: str
    dry_run: bool


class ReplayJob(Struct, frozen=True):
    """A replay as stored. One that a metric's definition began names the metric and its version.

    `report` is a dry run's result, as JSON.
    """

    id: ReplayJobId
    initiated_by: str
    status: ReplayStatus
    request: ReplayRequest
    metric_id: MetricId | None
    metric_version: int | None
    events_total: int
    events_replayed: int
    report: Any
    error_message: str
    started_at: datetime | None
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime


class UsageChange(Struct, frozen=True):
    """What a replay would change: one customer's usage by one metric over the whole window."""

    customer_id: CustomerId
    metric: Metric
    before: Decimal
    after: Decimal


class ReplayStep(Struct, frozen=True):
    """What one step of a replay did. `changes` are a dry run's."""

    is_last: bool
    changes: Sequence[UsageChange] = ()


class StoredEvent(Struct, frozen=True):
    """An event as stored. `id` is its hash, `properties` its JSON text."""

    id: UUID
    batch_id: UUID
    idempotency_key: str
    customer_id: CustomerId
    event_name: str
    occurred_at: datetime
    properties: str
    received_at: datetime


class EventFilter(Struct, frozen=True):
    """Which events are wanted: of whom, of which name, from when up to when; None means any."""

    customer: str | None = None
    event_name: str | None = None
    start: datetime | None = None
    end: datetime | None = None


class EventRequest(Struct, frozen=True):
    """Which page of a list of events: from a cursor on, or by number, counted from 1."""

    wanted: EventFilter
    limit: int
    page: int = 1
    cursor: str = ""
    newest_first: bool = True


class EventPage(Struct, frozen=True):
    """Some events, and the cursor of those that follow; empty at the end."""

    events: Sequence[StoredEvent]
    next_cursor: str


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

"""Replays: windows whose buckets are rebuilt."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from monigo.core.ids import MetricId, ReplayJobId
from monigo.metering.rollup import UsageChange


class ReplayStatus(StrEnum):
    """Where a replay stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


class ReplayRequest(Struct, frozen=True):
    """What to replay: the events of a window, all or those of one name."""

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


class ReplayStep(Struct, frozen=True):
    """What one step of a replay did. `changes` are a dry run's."""

    is_last: bool
    changes: Sequence[UsageChange] = ()

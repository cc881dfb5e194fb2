"""Timelines of subscriptions."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class TimelineEvent(StrEnum):
    """The kinds of timeline events."""

    CREATED = "created"
    PAUSED = "paused"
    RESUMED = "resumed"
    PLAN_CHANGED = "plan_changed"
    PLAN_CHANGE_SCHEDULED = "plan_change_scheduled"
    PLAN_CHANGE_WITHDRAWN = "plan_change_withdrawn"
    CANCEL_SCHEDULED = "cancel_scheduled"
    CANCEL_WITHDRAWN = "cancel_withdrawn"
    CANCELED = "canceled"


class TimelineEntry(Struct, frozen=True):
    """An event of a subscription's timeline; `detail` is the reason or the plan's id."""

    happened_at: datetime
    event: TimelineEvent
    detail: str

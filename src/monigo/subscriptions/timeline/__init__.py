"""Timelines: what happened to each subscription, in order; append-only."""

from monigo.subscriptions.timeline.store import append, load
from monigo.subscriptions.timeline.types import TimelineEntry, TimelineEvent

__all__ = ["TimelineEntry", "TimelineEvent", "append", "load"]

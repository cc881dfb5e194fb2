"""Retention: old events lose their properties, and keep the row by which their key stays known."""

from monigo.metering.retention.service import events_kept_from, forget_properties
from monigo.metering.retention.tasks import forget_old_events

__all__ = ["events_kept_from", "forget_old_events", "forget_properties"]

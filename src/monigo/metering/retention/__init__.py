"""Retention: old events lose their properties, and keep the row by which their key stays known."""

from monigo.metering.retention.service import events_kept_from, redact_events
from monigo.metering.retention.tasks import redaction_task

__all__ = ["events_kept_from", "redact_events", "redaction_task"]

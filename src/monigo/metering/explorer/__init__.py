"""The explorer: stored events, page by page or exported."""

from monigo.metering.explorer.export import export_csv
from monigo.metering.explorer.service import (
    EVENTS_A_PAGE_MAX,
    list_events,
    plan_walk,
    property_keys,
)
from monigo.metering.explorer.types import EventFilter, EventPage, EventRequest, StoredEvent

__all__ = [
    "EVENTS_A_PAGE_MAX",
    "EventFilter",
    "EventPage",
    "EventRequest",
    "StoredEvent",
    "export_csv",
    "list_events",
    "plan_walk",
    "property_keys",
]

"""Stored events, and how they are asked for."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from monigo.core.ids import CustomerId


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

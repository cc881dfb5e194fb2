"""Stored events on the wire."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, WithJsonSchema

from monigo.api.kernel.wire.fields import Instant, Outgoing
from monigo.core.ids import CustomerId, OrganizationId


class SortBy(StrEnum):
    """What events can be sorted by."""

    TIMESTAMP = "timestamp"


class SortOrder(StrEnum):
    """Which way."""

    ASCENDING = "asc"
    DESCENDING = "desc"


class EventOut(Outgoing):
    """An event as stored; it never changes."""

    id: UUID
    org_id: OrganizationId
    idempotency_key: str
    customer_id: CustomerId
    event_name: str
    timestamp: Instant
    properties: Annotated[Any, WithJsonSchema({"type": "object"})]
    received_at: Instant
    is_test: bool
    created_at: Instant


class EventList(Outgoing):
    """A page of events. It may hold fewer than asked for while `next_cursor` still leads on."""

    events: list[EventOut]
    count: int = Field(description="events in this answer")
    next_cursor: str = Field(description="opaque; empty at the end")


class PropertyKeys(Outgoing):
    """What the properties of recent events are called."""

    event_name: str
    keys: list[str]
    count: int

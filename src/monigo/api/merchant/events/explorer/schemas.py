"""Stored events on the wire."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta, Raw

from monigo.api.kernel.wire.outgoing import Instant, Outgoing
from monigo.core.ids import CustomerId, OrganizationId
from monigo.infra.db import Transaction
from monigo.metering import StoredEvent


class SortBy(StrEnum):
    """What events can be sorted by."""

    TIMESTAMP = "timestamp"


class SortOrder(StrEnum):
    """Which way."""

    ASCENDING = "asc"
    DESCENDING = "desc"


class EventOut(Outgoing, frozen=True):
    """An event as stored; it never changes."""

    id: UUID
    org_id: OrganizationId
    idempotency_key: str
    customer_id: CustomerId
    event_name: str
    timestamp: Instant
    properties: Annotated[Raw, Meta(extra_json_schema={"type": "object"})]
    received_at: Instant
    is_test: bool
    created_at: Instant

    @classmethod
    def of(cls, tx: Transaction, event: StoredEvent) -> Self:
        """The wire form. The properties' own text keeps their numbers exact."""
        return cls(
            id=event.id,
            org_id=tx.org_id,
            idempotency_key=event.idempotency_key,
            customer_id=event.customer_id,
            event_name=event.event_name,
            timestamp=event.occurred_at,
            properties=Raw(event.properties.encode()),
            received_at=event.received_at,
            is_test=tx.is_test,
            created_at=event.received_at,
        )


class EventList(Outgoing, frozen=True):
    """A page of events. It may hold fewer than asked for while `next_cursor` still leads on."""

    events: list[EventOut]
    count: Annotated[int, Meta(description="events in this answer")]
    next_cursor: Annotated[str, Meta(description="opaque; empty at the end")]


class PropertyKeys(Outgoing, frozen=True):
    """What the properties of recent events are called."""

    event_name: str
    keys: list[str]
    count: int

"""Billing events on the wire."""

from typing import Any, Self
from uuid import UUID

from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing
from monigo.webhooks import BillingEvent, EventType


class BillingEventOut(Outgoing, frozen=True):
    """Something that happened."""

    id: UUID
    type: EventType
    data: dict[str, Any]
    created_at: Instant

    @classmethod
    def of(cls, item: BillingEvent) -> Self:
        """The wire form."""
        return cls(id=item.id, type=item.type, data=dict(item.data), created_at=item.created_at)


class BillingEventList(ListEnvelope, frozen=True):
    """What happened, newest first."""

    events: list[BillingEventOut]

"""Billing events on the wire."""

from typing import Any, Self
from uuid import UUID

from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing
from monigo.core.ids import OrganizationId
from monigo.infra.db import Transaction
from monigo.webhooks import BillingEvent, EventType, body_of


class BillingEventOut(Outgoing, frozen=True):
    """Something that happened, as webhooks have it.

    `sequence` rises with each event of one object; `version` is that of the form of `data`.
    """

    id: UUID
    type: EventType
    version: int
    created_at: Instant
    org_id: OrganizationId
    is_test: bool
    sequence: int
    data: dict[str, Any]

    @classmethod
    def of(cls, tx: Transaction, item: BillingEvent) -> Self:
        """The wire form."""
        body = body_of(item, tx.tenant)
        return cls(
            id=body.id,
            type=item.type,
            version=body.version,
            created_at=body.created_at,
            org_id=body.org_id,
            is_test=body.is_test,
            sequence=body.sequence,
            data=dict(body.data),
        )


class BillingEventList(ListEnvelope, frozen=True):
    """What happened, newest first."""

    events: list[BillingEventOut]

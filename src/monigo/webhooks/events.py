"""What was published before facts were: kept as it was written then."""

from uuid import UUID

import msgspec

from monigo.infra.outbox import Fact
from monigo.webhooks.types import EventType


class EventKept(Fact, frozen=True, kw_only=True):
    """A billing event of a version that published no facts; nobody reports it any more."""

    subject = "billing event"
    subject_field = "event_id"
    event_id: UUID
    name: EventType
    data: msgspec.Raw

"""What a delivery is, and an attempt at it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from monigo.core.ids import WebhookDeliveryId, WebhookEndpointId


class DeliveryStatus(StrEnum):
    """Whether an endpoint took an event."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Attempt(Struct, frozen=True):
    """A request to an endpoint, and what came back; no status where nothing came."""

    number: int
    url: str
    request_headers: Mapping[str, str]
    response_status: int | None
    response_body: str
    error: str
    duration_ms: int
    attempted_at: datetime

    @property
    def is_success(self) -> bool:
        """Whether the endpoint took the event."""
        return self.error == ""


class Delivery(Struct, frozen=True):
    """An event on its way to an endpoint, or there; `history` is its attempts, the first first.

    A list has the last attempt only.
    """

    id: WebhookDeliveryId
    endpoint_id: WebhookEndpointId
    event_id: UUID
    event_type: str
    body: str
    retry_of: WebhookDeliveryId | None
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    history: Sequence[Attempt] = ()


class Letter(Struct, frozen=True):
    """A delivery that is due: what is sent, and the number of the attempt."""

    delivery_id: WebhookDeliveryId
    endpoint_id: WebhookEndpointId
    event_id: UUID
    body: str
    number: int


class Outcome(Struct, frozen=True):
    """What came of an attempt."""

    letter: Letter
    attempt: Attempt

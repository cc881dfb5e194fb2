"""What an endpoint is."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monigo.core.ids import WebhookEndpointId


class DisabledReason(StrEnum):
    """Why an endpoint gets no events."""

    NONE = ""
    BY_HAND = "by_hand"
    # It took nothing for three days.
    FAILING = "failing"
    DELETED = "deleted"


class Endpoint(Struct, frozen=True):
    """A merchant's URL that takes events of some types.

    `events` are names of types, or the beginnings of several followed by `*`. Until
    `previous_until` what is sent is also signed with the secret before. `failing_since` is the
    first failure after which nothing succeeded.
    """

    id: WebhookEndpointId
    url: str
    events: tuple[str, ...]
    is_enabled: bool
    disabled_reason: DisabledReason
    secret_ciphertext: bytes | None
    previous_ciphertext: bytes | None
    previous_until: datetime | None
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime


class EndpointChanges(Struct, frozen=True):
    """What is to be changed of an endpoint; None: it stays as it is."""

    url: str | None = None
    events: tuple[str, ...] | None = None
    is_enabled: bool | None = None
    secret: str | None = None


class Issued(Struct, frozen=True):
    """An endpoint together with its secret, which is shown once."""

    endpoint: Endpoint
    secret: str

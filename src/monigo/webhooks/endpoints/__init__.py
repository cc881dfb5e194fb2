"""Endpoints: where merchants take webhooks, which types of events, and the secrets that sign."""

from monigo.webhooks.endpoints.cipher import EndpointCipher
from monigo.webhooks.endpoints.rules import PREVIOUS_SECRET_VALID_FOR, signing_key, wants
from monigo.webhooks.endpoints.service import (
    NOTICE,
    SUBSCRIBER_NAME,
    change,
    create,
    delete,
    get,
    get_enabled,
    list_page,
    listening,
    load,
    note_outcomes,
    notice_task,
    random_secret,
    rotate,
    steps_taken,
)
from monigo.webhooks.endpoints.types import (
    DisabledReason,
    Endpoint,
    EndpointChanges,
    Issued,
)

__all__ = [
    "NOTICE",
    "PREVIOUS_SECRET_VALID_FOR",
    "SUBSCRIBER_NAME",
    "DisabledReason",
    "Endpoint",
    "EndpointChanges",
    "EndpointCipher",
    "Issued",
    "change",
    "create",
    "delete",
    "get",
    "get_enabled",
    "list_page",
    "listening",
    "load",
    "note_outcomes",
    "notice_task",
    "random_secret",
    "rotate",
    "signing_key",
    "steps_taken",
    "wants",
]

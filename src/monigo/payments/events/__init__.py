"""Provider events: webhooks as they came, verified, stored once, and worked off."""

from monigo.payments.events.forwarding import Forwarding
from monigo.payments.events.handling import Desk, EventWork
from monigo.payments.events.matching import Use, match
from monigo.payments.events.refunding import note_refund_failed, note_refunded, refund
from monigo.payments.events.rules import is_ours
from monigo.payments.events.service import (
    Inbox,
    get_event,
    ignore,
    list_of_connection,
    list_page,
    note_opened,
    replay,
)
from monigo.payments.events.tasks import FORGET, FORGET_FOREIGN, WAKE_PARKED
from monigo.payments.events.types import (
    Apply,
    ApplyCharges,
    EventState,
    ProviderEvent,
    Summary,
    Verdict,
)

__all__ = [
    "FORGET",
    "FORGET_FOREIGN",
    "WAKE_PARKED",
    "Apply",
    "ApplyCharges",
    "Desk",
    "EventState",
    "EventWork",
    "Forwarding",
    "Inbox",
    "ProviderEvent",
    "Summary",
    "Use",
    "Verdict",
    "get_event",
    "ignore",
    "is_ours",
    "list_of_connection",
    "list_page",
    "match",
    "note_opened",
    "note_refund_failed",
    "note_refunded",
    "refund",
    "replay",
]

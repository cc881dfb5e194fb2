"""Facts: domains report them in the transaction in which they happen; subscribers follow."""

from monigo.infra.facts import Fact, Recorded, Subscriber
from monigo.infra.outbox.delivery import catch_up, deliver_all
from monigo.infra.outbox.dispatcher import dispatch_facts
from monigo.infra.outbox.service import (
    FORGET,
    FORGET_PUBLISHED,
    KEPT_FOR,
    PUBLISHED_KEPT_FOR,
    emit,
    figures,
    forget,
    handled,
    listen,
    prepare,
    verify,
)
from monigo.infra.outbox.store import recorded_of

__all__ = [
    "FORGET",
    "FORGET_PUBLISHED",
    "KEPT_FOR",
    "PUBLISHED_KEPT_FOR",
    "Fact",
    "Recorded",
    "Subscriber",
    "catch_up",
    "deliver_all",
    "dispatch_facts",
    "emit",
    "figures",
    "forget",
    "handled",
    "listen",
    "prepare",
    "recorded_of",
    "verify",
]

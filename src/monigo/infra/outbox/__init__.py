"""Facts: domains report them in the transaction in which they happen; subscribers follow."""

from monigo.infra.facts import Fact, Recorded, Subscriber
from monigo.infra.outbox.delivery import catch_up, deliver_all
from monigo.infra.outbox.dispatcher import dispatch_facts
from monigo.infra.outbox.service import (
    FORGET,
    KEPT_FOR,
    emit,
    figures,
    forget,
    handled,
    prepare,
    verify,
)

__all__ = [
    "FORGET",
    "KEPT_FOR",
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
    "prepare",
    "verify",
]

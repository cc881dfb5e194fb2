"""Refunds and disputes: money that goes back, never more than came."""

from monigo.payments.refunds import events
from monigo.payments.refunds.calling import submit_refund
from monigo.payments.refunds.facts import apply_fact
from monigo.payments.refunds.resolving import resolve_transaction
from monigo.payments.refunds.service import (
    apply_outcome,
    create_refund,
    get_refund,
    gone_back,
    is_any_live_of_invoice,
    note_dispute,
    note_refund,
    refuse_connection_in_use,
    resolve,
)
from monigo.payments.refunds.tasks import ask_task
from monigo.payments.refunds.types import (
    Destination,
    Dispute,
    DisputeState,
    NewRefund,
    Refund,
    RefundState,
    Resolvable,
    ResolvedAs,
)

__all__ = [
    "Destination",
    "Dispute",
    "DisputeState",
    "NewRefund",
    "Refund",
    "RefundState",
    "Resolvable",
    "ResolvedAs",
    "apply_fact",
    "apply_outcome",
    "ask_task",
    "create_refund",
    "events",
    "get_refund",
    "gone_back",
    "is_any_live_of_invoice",
    "note_dispute",
    "note_refund",
    "refuse_connection_in_use",
    "resolve",
    "resolve_transaction",
    "submit_refund",
]

"""Settling: what follows from what became of payments of invoices."""

from monigo.collection.settling.going_back import (
    note_failed_refunds,
    note_lost_disputes,
    note_refunds,
    note_reversals,
    post_refunds,
)
from monigo.collection.settling.outcomes import (
    note_failures,
    note_needed_actions,
    note_new_methods,
    take_payments,
)
from monigo.collection.settling.postings import post_fees, post_loss

__all__ = [
    "note_failed_refunds",
    "note_failures",
    "note_lost_disputes",
    "note_needed_actions",
    "note_new_methods",
    "note_refunds",
    "note_reversals",
    "post_fees",
    "post_loss",
    "post_refunds",
    "take_payments",
]

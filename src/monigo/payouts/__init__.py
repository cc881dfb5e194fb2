"""Payouts: what is owed by final bills becomes transfers, or it is noted why not."""

from monigo.payouts import splits, statements
from monigo.payouts.guards import outdated_transfers, refuse_bill_in_flight
from monigo.payouts.service import (
    begin,
    forget_void,
    get_payouts,
    get_transaction,
    hold,
    initiate,
    list_transactions,
    look_again,
    note_activated,
    note_connections,
    release,
    retry,
    void,
)
from monigo.payouts.settling import (
    note_failed,
    note_fees,
    note_paid_twice,
    note_reversed,
    note_submitted,
    note_succeeded,
)
from monigo.payouts.splits import SPLITS_MAX, PlanSplits, Split
from monigo.payouts.statements import WithheldTax
from monigo.payouts.tasks import TASKS
from monigo.payouts.types import BillTransaction, Payout, PayoutState
from monigo.payouts.verification import verify

__all__ = [
    "SPLITS_MAX",
    "TASKS",
    "BillTransaction",
    "Payout",
    "PayoutState",
    "PlanSplits",
    "Split",
    "WithheldTax",
    "begin",
    "forget_void",
    "get_payouts",
    "get_transaction",
    "hold",
    "initiate",
    "list_transactions",
    "look_again",
    "note_activated",
    "note_connections",
    "note_failed",
    "note_fees",
    "note_paid_twice",
    "note_reversed",
    "note_submitted",
    "note_succeeded",
    "outdated_transfers",
    "refuse_bill_in_flight",
    "release",
    "retry",
    "splits",
    "statements",
    "verify",
    "void",
]

"""Reconciliation: providers' lists, compared with our rows every day."""

from monigo.payments.reconciliation.service import (
    LOOK_DAILY,
    Reconciliation,
    begin,
    list_page,
    schedule,
)
from monigo.payments.reconciliation.types import (
    Difference,
    DifferenceKind,
    Listed,
    ListedAs,
    Look,
    NextStep,
    ReconciliationRow,
)

__all__ = [
    "LOOK_DAILY",
    "Difference",
    "DifferenceKind",
    "Listed",
    "ListedAs",
    "Look",
    "NextStep",
    "Reconciliation",
    "ReconciliationRow",
    "begin",
    "list_page",
    "schedule",
]

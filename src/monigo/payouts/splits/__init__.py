"""Splits: what of a payout plan's bills goes to other accounts than the payee's."""

from monigo.payouts.splits.rules import SPLITS_MAX, split_up
from monigo.payouts.splits.service import get_splits, set_splits
from monigo.payouts.splits.store import load_of_bills as splits_of_bills
from monigo.payouts.splits.types import PlanSplits, Split

__all__ = [
    "SPLITS_MAX",
    "PlanSplits",
    "Split",
    "get_splits",
    "set_splits",
    "split_up",
    "splits_of_bills",
]

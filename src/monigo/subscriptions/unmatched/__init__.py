"""Unmatched amounts: events that pay nobody by a payout rule, and why."""

from monigo.subscriptions.unmatched.service import list_unmatched
from monigo.subscriptions.unmatched.types import Unmatched, UnmatchedReason

__all__ = ["Unmatched", "UnmatchedReason", "list_unmatched"]

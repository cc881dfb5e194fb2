"""Pauses: time that is metered but not billed."""

from monigo.subscriptions.pauses.service import (
    lift_pause,
    load_pauses,
    pause,
    pause_for_balance,
    resume,
    suspend,
)
from monigo.subscriptions.pauses.store import close_pause

__all__ = [
    "close_pause",
    "lift_pause",
    "load_pauses",
    "pause",
    "pause_for_balance",
    "resume",
    "suspend",
]

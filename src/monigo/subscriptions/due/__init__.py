"""When billing is to look at a subscription next: noted on the agenda as it changes."""

from monigo.subscriptions.due.service import (
    PERIOD_CLOSE,
    flag_unbilled,
    lock_due,
    lock_free,
    look_at,
    note_due,
    recheck,
    save,
    save_billed,
    wake,
)

__all__ = [
    "PERIOD_CLOSE",
    "flag_unbilled",
    "lock_due",
    "lock_free",
    "look_at",
    "note_due",
    "recheck",
    "save",
    "save_billed",
    "wake",
]

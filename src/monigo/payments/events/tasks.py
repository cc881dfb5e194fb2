"""Due work: parked events are woken; those of long ago are deleted, except what fits nothing."""

from collections.abc import Sequence

from monigo.infra.agenda import Entry, Slices, Task
from monigo.infra.db import Transaction
from monigo.payments.events import rules, store
from monigo.payments.events.service import EXPIRY, FOREIGN_EXPIRY, WAKE, wake_parked
from monigo.payments.events.types import OPEN, EventState

# A provider that sends one of these again finds its payment in our rows.
_SETTLED = sorted(set(EventState) - OPEN - {EventState.FOREIGN})


async def _forget_foreign(tx: Transaction, _entries: Sequence[Entry]) -> tuple[()]:
    before = tx.real_now - rules.FOREIGN_FOR
    await store.delete_before(tx, before, [EventState.FOREIGN])
    return ()


async def _forget(tx: Transaction, _entries: Sequence[Entry]) -> tuple[()]:
    await store.delete_before(tx, tx.real_now - rules.KEPT_FOR, _SETTLED)
    return ()


FORGET_FOREIGN = Task(FOREIGN_EXPIRY, Slices(_forget_foreign), concurrency=1, every_seconds=60)
FORGET = Task(EXPIRY, Slices(_forget), concurrency=1, every_seconds=60)
WAKE_PARKED = Task(WAKE, Slices(wake_parked), concurrency=1)

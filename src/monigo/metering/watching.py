"""Watched customers: whoever charges usage as it changes is told on the agenda."""

from collections.abc import Sequence
from uuid import UUID

from monigo.core.ids import CustomerId
from monigo.infra import agenda
from monigo.infra.agenda import Follows, Kind
from monigo.infra.db import Transaction
from monigo.metering import watch_store

# Of a watched customer: usage was folded that was not charged yet.
USAGE_CHANGED = Kind("usage_changed", Follows.REAL)


async def watch(tx: Transaction, customer_id: CustomerId) -> None:
    """Have a customer's changes of usage noted from now on; the present usage counts as one."""
    await watch_store.watch(tx, customer_id)
    await agenda.put(tx, USAGE_CHANGED, {customer_id: tx.real_now})


async def note_changed(tx: Transaction, batch_ids: Sequence[UUID]) -> None:
    """Note that the usage of watched customers changed by these batches."""
    changed = await watch_store.list_watched_of(tx, batch_ids)
    await agenda.put(tx, USAGE_CHANGED, dict.fromkeys(changed, tx.real_now))

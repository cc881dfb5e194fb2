"""Due work that folding causes: charging watched customers, and forgetting old events."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from monigo.core.ids import CustomerId
from monigo.infra import agenda
from monigo.infra.agenda import Follows, Kind
from monigo.infra.db import Transaction
from monigo.metering.rollup import watch_store

# Of a watched customer: usage was folded that was not charged yet.
USAGE_CHANGED = Kind("usage_changed", Follows.REAL)
# Of a tenant that has events: it is looked whether some are older than they are kept.
EVENT_RETENTION = Kind("event_retention", Follows.REAL)
LOOK_EVERY = timedelta(days=1)
# Of a tenant and a day on which it had events: it is looked whose usage has fallen.
USAGE_OF_DAY = Kind("usage_of_day", Follows.REAL)


async def watch(tx: Transaction, customer_id: CustomerId) -> None:
    """Have a customer's changes of usage noted from now on; the present usage counts as one."""
    await watch_store.watch(tx, customer_id)
    await agenda.put(tx, USAGE_CHANGED, {customer_id: tx.real_now})


async def note_changed(tx: Transaction, batch_ids: Sequence[UUID]) -> None:
    """Note that the usage of watched customers changed by these batches."""
    changed = await watch_store.list_watched_of(tx, batch_ids)
    await agenda.put(tx, USAGE_CHANGED, dict.fromkeys(changed, tx.real_now))


async def note_events(tx: Transaction) -> None:
    """Note that the tenant has events, some of which are to be forgotten one day."""
    await agenda.put_unless_there(tx, EVENT_RETENTION, tx.org_id, tx.real_now + LOOK_EVERY)
    await note_usage_of_day(tx)


async def note_usage_of_day(tx: Transaction) -> None:
    """Have it looked whose usage has fallen once the day, UTC, is over."""
    await agenda.put_for_span(tx, USAGE_OF_DAY, tx.real_now, span=LOOK_EVERY, after=timedelta())

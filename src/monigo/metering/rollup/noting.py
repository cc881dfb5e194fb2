"""Due work that folding causes: for watched customers, for watchers, and to forget old events."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from monigo.core.ids import CustomerId
from monigo.infra import agenda
from monigo.infra.agenda import Follows, Kind
from monigo.infra.db import Transaction
from monigo.metering.rollup import watch_store
from monigo.metering.rollup.types import TouchedUsage, Watcher

# Of a watched customer: usage was folded that was not charged yet.
USAGE_CHANGED = Kind("usage_changed", Follows.REAL)
# Of a tenant: something was folded that a watcher has not looked at.
USAGE_FOLDED = {
    Watcher.USAGE: Kind("watched_usage", Follows.REAL),
    Watcher.COST: Kind("watched_cost", Follows.REAL),
}
# Some 100,000 events at full load, which take a fraction of a second to look through.
BATCHES_A_LOOK = 100
# Of a tenant that has events: it is looked whether some are older than they are kept.
EVENT_RETENTION = Kind("event_retention", Follows.REAL)
LOOK_EVERY = timedelta(days=1)
# Of a tenant and a day on which it had events: it is looked whose usage has fallen.
USAGE_OF_DAY = Kind("usage_of_day", Follows.REAL)
# Of a day of the tenant's time on which events were folded: its usage is reported at 08:00, UTC.
DIGEST_OF_DAY = Kind("usage_digest_of_day", Follows.TENANT)
DIGEST_AFTER = timedelta(hours=8) - agenda.TRANSACTION_MAX
# What comes at a day's end is folded in the next one.
FOLD_LAG = timedelta(hours=1)


async def watch(tx: Transaction, customer_id: CustomerId) -> None:
    """Have a customer's changes of usage noted from now on; the present usage counts as one."""
    await watch_store.watch(tx, customer_id)
    await agenda.put(tx, USAGE_CHANGED, {customer_id: tx.real_now})


async def note_changed(tx: Transaction, batch_ids: Sequence[UUID]) -> None:
    """Note that the usage of watched customers changed by these batches, and keep for watchers."""
    has_customers, names = await watch_store.watching(tx)
    if has_customers:
        changed = await watch_store.list_watched_of(tx, batch_ids)
        await agenda.put(tx, USAGE_CHANGED, dict.fromkeys(changed, tx.real_now))
    if names:
        await watch_store.keep_batches(tx, names, batch_ids)
        for watcher in sorted(map(Watcher, names)):
            await agenda.put(tx, USAGE_FOLDED[watcher], {tx.org_id: tx.real_now})


async def watch_usage(tx: Transaction, watcher: Watcher, *, wanted: bool) -> None:
    """Have what is folded kept for a watcher, and put on the agenda; or not any more."""
    await watch_store.set_watcher(tx, watcher.value, wanted=wanted)


async def take_touched(tx: Transaction, watcher: Watcher) -> list[TouchedUsage]:
    """Take some of what was folded for a watcher: whose usage changed. Empty: nothing is left."""
    return await watch_store.take_touched(tx, watcher.value, BATCHES_A_LOOK)


async def note_events(tx: Transaction) -> None:
    """Note that the tenant has events, some of which are to be forgotten one day."""
    await agenda.put_unless_there(tx, EVENT_RETENTION, tx.org_id, tx.real_now + LOOK_EVERY)
    await note_usage_of_day(tx)
    for instant in (tx.now - FOLD_LAG, tx.now):
        await agenda.put_for_span(tx, DIGEST_OF_DAY, instant, span=LOOK_EVERY, after=DIGEST_AFTER)


async def note_usage_of_day(tx: Transaction) -> None:
    """Have it looked whose usage has fallen once the day, UTC, is over."""
    await agenda.put_for_span(tx, USAGE_OF_DAY, tx.real_now, span=LOOK_EVERY, after=timedelta())

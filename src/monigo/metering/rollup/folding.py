"""Folding: what was ingested is added to buckets of hours and days about once a second.

A batch leaves the queue in the transaction that adds it, so it is folded once, whatever crashes
and however many workers share the work; a batch that commits late is simply folded later.
"""

from datetime import timedelta

from monigo.core.errors import ensure
from monigo.infra.db import Database, Tenant, as_unavailable
from monigo.metering import ingest
from monigo.metering.rollup import store, volumes_store
from monigo.metering.rollup.noting import note_changed, note_events

# One round visits this many tenants; the next one reads again which have most to do.
TENANTS_A_ROUND = 1_000
# About 50,000 events at full load: half a second's work for one transaction.
BATCHES_A_FOLD = 50


async def fold_all(database: Database) -> int:
    """Fold everything that waits; the number of events that were folded.

    Raises:
        ExceptionGroup: what went wrong for some tenants, after the others were served.
    """
    folded = 0
    faults: list[Exception] = []
    async with database.lookups() as connection:
        tenants = await store.tenants_with_batches(connection, TENANTS_A_ROUND)
    for tenant in tenants:
        try:
            while count := await fold_some(database, tenant):
                folded += count
        except Exception as error:
            if as_unavailable(error) is not None:
                raise
            faults.append(error)
    if faults:
        raise ExceptionGroup("some tenants' events could not be folded", faults)
    return folded


async def fold_some(database: Database, tenant: Tenant) -> int:
    """Fold the tenant's oldest batches; the number of their events, 0 when none waits."""
    async with database.transaction(tenant) as tx:
        await store.lock_folding_shared(tx)
        taken = await store.take_batches(tx, BATCHES_A_FOLD)
        if not taken.ids:
            return 0
        seen, late = await store.count_events(tx, taken)
        ensure(seen == taken.event_count, "a batch's events are visible when the batch is")
        if late:
            await store.note_late(tx, taken)
        await store.fold(tx, taken)
        await note_changed(tx, taken.ids)
        await note_events(tx)
        await volumes_store.add_volumes(tx, taken.ids)
        await ingest.add_counts(tx, taken.by_month)
    return taken.event_count


async def fold_lag(database: Database) -> timedelta:
    """How long the oldest unfolded batch has waited."""
    async with database.lookups() as connection:
        return await store.lag(connection)

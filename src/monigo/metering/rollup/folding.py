"""Folding: what was ingested is added to buckets of hours and days about once a second.

A batch leaves the queue in the transaction that adds it, so it is folded once, whatever crashes
and however many workers share the work; a batch that commits late is simply folded later.
"""

from datetime import datetime, timedelta

from monigo.core.errors import ensure
from monigo.core.ids import CustomerId, MetricId
from monigo.infra.db import Database, Tenant, Transaction, as_unavailable
from monigo.metering import attribution, ingest
from monigo.metering.rollup import amounts_store, store, volumes_store
from monigo.metering.rollup.noting import note_changed, note_events
from monigo.metering.rollup.rebuild_store import Share
from monigo.metering.rules import floor_hour

# One round visits this many tenants; the next one reads again which have most to do.
TENANTS_A_ROUND = 1_000
# About 50,000 events at full load: half a second's work for one transaction.
BATCHES_A_FOLD = 50
# What a transaction folds before it reads: far more than waits, unless folding has fallen behind.
FOLDS_WITHIN_MAX = 20


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
        return await _fold(tx)


async def fold_waiting(tx: Transaction) -> None:
    """Fold what waits within a transaction that is about to read what payout rules come to.

    What an event is worth to whom it names is known once it is folded.
    """
    if not await attribution.has_rules(tx):
        return
    await store.lock_folding(tx)
    for _ in range(FOLDS_WITHIN_MAX):
        if not await _fold(tx):
            return


async def attribute_share(tx: Transaction, metric_id: MetricId, share: Share) -> None:
    """Work out what a share's folded events are worth by a new rule. Folding must be held."""
    async for amounts in attribution.of_customers(tx, metric_id, share.customer_ids, share.hours):
        await amounts_store.add(tx, amounts)


async def _fold(tx: Transaction) -> int:
    """Fold a few batches; the number of their events. Every fold takes its locks in this order."""
    taken = await store.take_batches(tx, BATCHES_A_FOLD)
    if not taken.ids:
        return 0
    seen, late = await store.count_events(tx, taken)
    ensure(seen == taken.event_count, "a batch's events are visible when the batch is")
    await store.fold(tx, taken)
    paid: set[tuple[CustomerId, datetime]] = set()
    async for amounts in attribution.of_batches(tx, taken.ids):
        await amounts_store.add(tx, amounts)
        paid |= amounts_store.late_days(amounts, floor_hour(tx.now))
    if late or paid:
        await store.note_late(tx, taken, paid)
    await note_changed(tx, taken.ids)
    await note_events(tx)
    await volumes_store.add_volumes(tx, taken.ids)
    await ingest.add_counts(tx, taken.by_month)
    return taken.event_count


async def fold_lag(database: Database) -> timedelta:
    """How long the oldest unfolded batch has waited."""
    async with database.lookups() as connection:
        return await store.lag(connection)

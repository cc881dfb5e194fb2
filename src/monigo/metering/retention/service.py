"""Retention: old events are redacted, which empties their properties and keeps their keys."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from monigo import tenancy
from monigo.core.ids import CustomerId
from monigo.core.periods import Period
from monigo.infra import queue
from monigo.infra.agenda import Claim
from monigo.infra.db import Database, Tenant, Transaction
from monigo.metering.retention import store
from monigo.metering.retention.rules import kept_from
from monigo.metering.rollup import LOOK_EVERY
from monigo.metering.rules import AGE_MAX, AHEAD, floor_hour
from monigo.metering.types import REPLAY

# Redaction stays behind the setting, so that a replay from its very edge finds its events.
MARGIN = timedelta(days=1)
# Small, because updated rows are locked until the transaction ends.
EVENTS_A_STEP = 5_000
CUSTOMERS_A_STEP = 500

# Since when the first period runs whose usage is still to be counted, for customers who have one; a
# draft's too.
OpenFrom = Callable[[Transaction, Sequence[CustomerId]], Awaitable[Mapping[CustomerId, datetime]]]


async def events_kept_from(tx: Transaction) -> datetime:
    """The instant from which the tenant's events can be counted again."""
    organization = await tenancy.get_organization(tx)
    by_setting = kept_from(organization.retention.raw_event_retention_days, tx.now)
    # What was redacted stays so, even if the setting now retains events for longer.
    by_loss = await store.load_kept_from(tx)
    return by_setting if by_loss is None else max(by_setting, by_loss)


async def look(
    database: Database, claim: Claim, _stop: asyncio.Event, *, open_from: OpenFrom
) -> None:
    """Redact the events that an organisation no longer retains; runs again after a day."""
    await redact_events(database, claim.tenant, open_from)
    async with database.transaction(claim.tenant) as tx:
        await claim.finish(tx, again_at=tx.real_now + LOOK_EVERY)


async def redact_events(database: Database, tenant: Tenant, open_from: OpenFrom) -> int:
    """Redact events older than the organisation retains them; returns how many.

    Only folded events are redacted, and none while a replay might need them. The events of a
    period that is still to be billed wait: the hours at its ends are counted from them.
    """
    async with database.transaction(tenant) as tx:
        window = await _due(tx)
    if window is None:
        return 0
    redacted = 0
    after: CustomerId | None = None
    while True:
        async with database.transaction(tenant) as tx:
            customer_ids = await store.list_customers(tx, after=after, limit=CUSTOMERS_A_STEP)
            if not customer_ids:
                await store.complete_redaction(tx, window.end)
                return redacted
            count = await _redact(tx, customer_ids, window, open_from)
        redacted += count
        if count < EVENTS_A_STEP:
            after = customer_ids[-1]


async def _redact(
    tx: Transaction, customer_ids: Sequence[CustomerId], window: Period, open_from: OpenFrom
) -> int:
    """Redact one step's events of these customers; fewer than a step where none is left."""
    waiting = await store.load_waiting(tx, customer_ids)
    opened = await open_from(tx, customer_ids)
    starts = {known: waiting.get(known, window.start) for known in customer_ids}
    ends = {
        known: max(start, min(window.end, opened.get(known, window.end)))
        for known, start in starts.items()
    }
    spans = {
        known: Period(start, ends[known]) for known, start in starts.items() if start < ends[known]
    }
    count = await store.redact(tx, spans, limit=EVENTS_A_STEP)
    if count < EVENTS_A_STEP:
        deferred = {known: end for known, end in ends.items() if end < window.end}
        if deferred:
            await store.put_waiting(tx, deferred)
        done = [known for known in waiting if known not in deferred]
        if done:
            await store.delete_waiting(tx, done)
    return count


async def _due(tx: Transaction) -> Period | None:
    """The window whose events are to be redacted, announced; None where there is none."""
    days = (await tenancy.get_organization(tx)).retention.raw_event_retention_days
    if days is None or await queue.list_unfinished(tx, REPLAY):
        return None
    until = floor_hour(kept_from(days, tx.now) - MARGIN)
    # Whatever is older came in by then, if it ever did. In test mode the times of events may go by
    # another clock than their arrival, so that any of them may be older.
    received_before = tx.real_now + AHEAD if tx.is_test else until + AGE_MAX
    if await store.has_unfolded(tx, received_before=received_before):
        return None
    first = kept_from(None, tx.now)
    await store.announce_redaction(tx, until, first=first)
    return await store.load(tx)

"""Use cases of billing events: a log, written by a subscriber to facts."""

from collections.abc import Sequence
from datetime import timedelta

from monigo.core.paging import Page, PageRequest
from monigo.core.verification import DIFFERENCES_MAX, Difference, Verification
from monigo.infra import agenda, outbox
from monigo.infra.agenda import Entry, Follows, Kind, Slices, Task
from monigo.infra.db import Transaction
from monigo.infra.facts import Recorded, Subscriber
from monigo.webhooks import store
from monigo.webhooks.projection import NAMES, project
from monigo.webhooks.types import BillingEvent, EventType

# Longer than anything that reads them may be away.
KEPT_FOR = timedelta(days=90)
# Of the events of a span of time.
EXPIRY = Kind("billing_event_expiry", Follows.TENANT)
EXPIRY_SPAN = timedelta(days=30)


async def record(tx: Transaction, facts: Sequence[Recorded]) -> None:
    """Add facts to the log."""
    await store.insert(tx, [project(recorded) for recorded in facts])
    latest = max(recorded.occurred_at for recorded in facts)
    await agenda.put_for_span(tx, EXPIRY, latest, span=EXPIRY_SPAN, after=KEPT_FOR)


BILLING_EVENTS = Subscriber("billing_events", tuple(NAMES), record)


async def list_page(
    tx: Transaction, request: PageRequest, event_type: EventType | None
) -> Page[BillingEvent]:
    """The log, newest first, with all that was committed before."""
    await outbox.catch_up(tx, BILLING_EVENTS)
    return await store.load_page(tx, request, event_type)


async def forget(tx: Transaction, _entries: Sequence[Entry]) -> tuple[()]:
    """Delete events of too long ago."""
    await store.delete_before(tx, tx.now - KEPT_FOR)
    return ()


FORGET = Task(EXPIRY, Slices(forget), concurrency=1, every_seconds=60)


async def verify(tx: Transaction) -> Verification:
    """Find facts that were handled, and left no event."""
    missing: list[Difference] = []
    looked_at = 0
    async for ids in outbox.handled(tx, BILLING_EVENTS):
        looked_at += len(ids)
        if len(missing) < DIFFERENCES_MAX:
            missing += [
                Difference("billing event", str(fact_id), None, "of a fact that was handled")
                for fact_id in await store.list_missing(tx, list(ids))
            ]
    return Verification({"billing events": looked_at}, missing[:DIFFERENCES_MAX])

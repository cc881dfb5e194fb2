"""How facts reach one subscriber: a slice of a tenant's subjects in one transaction.

A subscriber's effects commit with the removal of its deliveries. The worker that locks the first
delivery of a subject has all of that subject's, so that they stay in order with any number of
workers. Where a slice fails, each fact is tried alone; one that fails delays its own subject, and
no other.
"""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import asyncpg
from msgspec import Struct

from monigo.core.errors import DomainError
from monigo.infra.db import Database, Tenant, Transaction, as_unavailable
from monigo.infra.facts import Subscriber
from monigo.infra.logging import logger
from monigo.infra.outbox import store
from monigo.infra.outbox.types import BackOff, Delivery

log = logger(__name__)

# Shares out each query's cost, and is over soon.
SUBJECTS_MAX = 500
# So that one with a long queue neither fills a transaction nor holds up the others.
FACTS_OF_A_SUBJECT_MAX = 50
REASON_LENGTH_MAX = 500
BACK_OFF = BackOff()
# Before every id that there is.
FIRST = UUID(int=0)

# Others were at the same rows: nobody's fault, and over in a moment.
_CONTENTION = (
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.SerializationError,
)


class Slice(Struct, frozen=True):
    """What a look made of the next subjects: how many facts, and where the next look begins.

    `is_rest` says that some of them may have more facts than were handled at once.
    """

    handled: int
    after: UUID | None
    is_rest: bool


async def deliver_all(database: Database, subscriber: Subscriber, tenant: Tenant) -> None:
    """Have a subscriber handle all facts of a tenant that wait for it and are due.

    Raises:
        Exception: the database is away.
    """
    while await deliver_once(database, subscriber, tenant):
        continue


async def deliver_once(database: Database, subscriber: Subscriber, tenant: Tenant) -> int:
    """Go through the subjects once; how many facts were handled. More may have come meanwhile.

    Raises:
        Exception: the database is away.
    """
    handled, after = 0, FIRST
    while after is not None:
        done = await deliver_slice(database, subscriber, tenant, after)
        handled += done.handled
        after = done.after
    return handled


async def deliver_slice(
    database: Database, subscriber: Subscriber, tenant: Tenant, after: UUID = FIRST
) -> Slice:
    """Have a subscriber handle the facts of the next subjects.

    Raises:
        Exception: the database is away.
    """
    held: list[Delivery] = []
    following: UUID | None = None
    try:
        async with database.transaction(tenant) as tx:
            seen = await store.first_due(tx, subscriber.name, after=after, limit=SUBJECTS_MAX)
            following = None if seen.is_end else seen.last
            held = await store.lock(tx, subscriber.name, seen.due, is_waiting=False)
            counts = await _handle(tx, subscriber, held)
            is_rest = FACTS_OF_A_SUBJECT_MAX in counts.values()
            return Slice(counts.total(), following, is_rest)
    except Exception as error:
        if not held or _is_away(error):
            raise
        log.warning("facts tried one by one", subscriber=subscriber.name, reason=str(error))
    handled = 0
    for first in held:
        handled += await _deliver_alone(database, subscriber, tenant, first.subject_id)
    return Slice(handled, following, is_rest=handled > 0)


async def catch_up(tx: Transaction, subscriber: Subscriber) -> None:
    """Have a subscriber handle, in `tx`, what was committed before; what fails is left to others.

    For who reads what the subscriber keeps, and wants to find there what has just happened.
    """
    await tx.savepoint()
    try:
        while await _catch_up_once(tx, subscriber):
            continue
    except Exception as error:
        if _is_away(error):
            raise
        log.warning("facts left to the worker", subscriber=subscriber.name, reason=str(error))
        await tx.rollback_to_savepoint()


async def _catch_up_once(tx: Transaction, subscriber: Subscriber) -> bool:
    """Whether there was something to handle, be it that somebody else has just handled it."""
    after: UUID | None = FIRST
    found = False
    while after is not None:
        seen = await store.first_due(tx, subscriber.name, after=after, limit=SUBJECTS_MAX)
        after = None if seen.is_end else seen.last
        if seen.due:
            found = True
            held = await store.lock(tx, subscriber.name, seen.due, is_waiting=True)
            await _handle(tx, subscriber, held)
    return found


async def _deliver_alone(
    database: Database, subscriber: Subscriber, tenant: Tenant, subject_id: UUID
) -> int:
    """Handle one subject's facts, each in a transaction of its own, up to the first that fails."""
    handled = 0
    while handled < FACTS_OF_A_SUBJECT_MAX:
        first: Delivery | None = None
        try:
            async with database.transaction(tenant) as tx:
                first = await _locked_first(tx, subscriber, subject_id)
                if first is None:
                    break
                handled += (await _handle(tx, subscriber, [first], limit=1)).total()
        except _CONTENTION as error:
            log.warning("others are at it", subscriber=subscriber.name, reason=str(error))
            break
        except Exception as error:
            if first is None or _is_away(error):
                raise
            reason = _reason(error)
            log.exception(
                "fact not handled",
                subscriber=subscriber.name,
                subject_id=str(subject_id),
                position=first.position,
                reason=reason,
            )
            await _set_aside(database, subscriber, tenant, first, reason)
            break
    return handled


async def _locked_first(
    tx: Transaction, subscriber: Subscriber, subject_id: UUID
) -> Delivery | None:
    """A subject's first fact that is due, if nobody else is at it."""
    before = UUID(int=subject_id.int - 1)
    seen = await store.first_due(tx, subscriber.name, after=before, limit=1)
    due = [one for one in seen.due if one.subject_id == subject_id]
    held = await store.lock(tx, subscriber.name, due, is_waiting=False)
    return held[0] if held else None


async def _set_aside(
    database: Database, subscriber: Subscriber, tenant: Tenant, failed: Delivery, reason: str
) -> None:
    async with database.transaction(tenant) as tx:
        held = await store.lock(tx, subscriber.name, [failed], is_waiting=False)
        for one in held:
            pause = BACK_OFF.pause(one.attempts + 1)
            await store.set_aside(tx, subscriber.name, one, pause=pause, reason=reason)


async def _handle(
    tx: Transaction,
    subscriber: Subscriber,
    held: Sequence[Delivery],
    limit: int = FACTS_OF_A_SUBJECT_MAX,
) -> Counter[UUID]:
    """Handle the first facts of subjects whose first ones are locked; how many each had."""
    if not held:
        return Counter()
    subject_ids = [one.subject_id for one in held]
    waiting = await store.load(tx, subscriber, subject_ids, limit=limit)
    wanted = [recorded for _, _, recorded in waiting if recorded is not None]
    if wanted:
        await subscriber.handle(tx, wanted)
    marks = [(subject_id, position) for subject_id, position, _ in waiting]
    await store.delete_deliveries(tx, subscriber.name, marks)
    return Counter(subject_id for subject_id, _, _ in waiting)


def _reason(error: Exception) -> str:
    if isinstance(error, DomainError):
        return error.message[:REASON_LENGTH_MAX] or "refused"
    if isinstance(error, asyncpg.QueryCanceledError):
        return "took too long"
    return "internal error"


def _is_away(error: Exception) -> bool:
    """Whether the database is away or full, which is no fault of the subscriber."""
    is_own = isinstance(error, (*_CONTENTION, asyncpg.QueryCanceledError))
    return not is_own and as_unavailable(error) is not None

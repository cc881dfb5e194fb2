"""Works off what is due of one kind for one tenant: a slice, or a batch step by step.

A slice is one transaction: it locks entries that nobody else has, does their work and takes them
off the agenda, so that a killed worker leaves nothing half done and nothing is done twice. Where a
slice or a batch fails, each of its entries is tried alone, and one that fails is set aside with its
reason.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.core.errors import DomainError
from monigo.infra.agenda import store
from monigo.infra.agenda.claims import CLAIM_LASTS, HeldClaim, HeldClaims, set_aside
from monigo.infra.agenda.types import (
    Batches,
    ClaimLostError,
    Entry,
    Follows,
    Slices,
    Steps,
    Task,
)
from monigo.infra.db import ClockState, Database, Tenant, Transaction, as_unavailable
from monigo.infra.logging import logger

log = logger(__name__)

# As the table holds it; no reason of ours is longer.
REASON_LENGTH_MAX = 500

# Others were in the way; it is no fault of the work, and passes.
_CONTENTION = (
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)


async def work_off(
    database: Database, task: Task, tenant: Tenant, *, by_clock: bool = False
) -> None:
    """Do all that is due of one kind for a tenant, also what becomes due by it.

    `by_clock` is for the runner of the tenant's test clock, which alone runs what follows a clock
    that is on its way.

    Raises:
        Exception: the database is away.
    """
    stop = asyncio.Event()
    while await work_some(database, task, tenant, stop, by_clock=by_clock):
        continue


async def work_some(
    database: Database,
    task: Task,
    tenant: Tenant,
    stop: asyncio.Event,
    *,
    by_clock: bool = False,
) -> int:
    """Do some of what is due of one kind for a tenant; how many entries were seen to.

    Raises:
        Exception: the database is away.
    """
    match task.handler:
        case Slices() as slices:
            return await _work_slice(database, task, slices, tenant, by_clock=by_clock)
        case Steps() | Batches() as handler:
            return await _work_batch(database, task, handler, tenant, stop, by_clock=by_clock)


async def _work_slice(
    database: Database, task: Task, slices: Slices, tenant: Tenant, *, by_clock: bool
) -> int:
    entries: list[Entry] = []
    try:
        async with database.transaction(tenant) as tx:
            entries = await _locked(tx, task, slices.size, by_clock=by_clock)
            return await _done(tx, task, slices, entries)
    except Exception as error:
        if not entries or _is_away(error):
            raise
        log.warning("slice failed, trying one by one", kind=task.kind.name, reason=str(error))
    for entry in entries:
        await _work_alone(database, task, slices, tenant, entry, by_clock=by_clock)
    return len(entries)


async def _work_alone(
    database: Database,
    task: Task,
    slices: Slices,
    tenant: Tenant,
    entry: Entry,
    *,
    by_clock: bool,
) -> None:
    try:
        async with database.transaction(tenant) as tx:
            still = await _locked_again(tx, task, entry, by_clock=by_clock)
            await _done(tx, task, slices, [] if still is None else [still])
    except _CONTENTION as error:
        log.warning("others are at it", kind=task.kind.name, subject=entry.subject, why=str(error))
    except Exception as error:
        if _is_away(error):
            raise
        reason = _reason(error)
        log.exception("due work failed", kind=task.kind.name, subject=entry.subject, reason=reason)
        async with database.transaction(tenant) as tx:
            still = await _locked_again(tx, task, entry, by_clock=by_clock)
            if still is not None and still.version == entry.version:
                await set_aside(tx, task, still, reason)
                if slices.flag is not None:
                    await slices.flag(tx, entry.subject, reason)


async def _locked(tx: Transaction, task: Task, limit: int, *, by_clock: bool) -> list[Entry]:
    if not by_clock and not _may_run(tx, task):
        return []
    runs_by = None if by_clock else tx.real_now
    return await store.lock_due(
        tx, task.kind.name, by=task.kind.now(tx), runs_by=runs_by, limit=limit
    )


async def _locked_again(
    tx: Transaction, task: Task, entry: Entry, *, by_clock: bool
) -> Entry | None:
    """An entry that was seen before, locked, if it is still due and nobody else has it."""
    if not by_clock and not _may_run(tx, task):
        return None
    runs_by = None if by_clock else tx.real_now
    return await store.lock_one_due(
        tx, task.kind.name, entry.subject, by=task.kind.now(tx), runs_by=runs_by
    )


async def _done(tx: Transaction, task: Task, slices: Slices, entries: Sequence[Entry]) -> int:
    """Do the work of locked entries, and take them off the agenda; how many it was done for."""
    if not entries:
        return 0
    busy = set(await slices.work(tx, entries))
    done = [entry for entry in entries if entry.subject not in busy]
    await store.finish(tx, task.kind.name, done)
    return len(done)


async def _work_batch(
    database: Database,
    task: Task,
    handler: Steps | Batches,
    tenant: Tenant,
    stop: asyncio.Event,
    *,
    only: UUID | None = None,
    by_clock: bool,
) -> int:
    """Claim entries and work on them in several transactions; how many were finished."""
    size = handler.size if isinstance(handler, Batches) else 1
    entries, until = await _claimed(database, task, tenant, size, only=only, by_clock=by_clock)
    if not entries:
        return 0
    held = HeldClaims(task, tenant, entries, until)
    reason: str | None = None
    alone: list[UUID] = []
    finished = 0
    try:
        async with held.renewing(database):
            match handler:
                case Batches(work=work):
                    await work(database, held, stop)
                case Steps(work=steps):
                    await steps(database, HeldClaim(held), stop)
        finished = held.count_finished
        if finished == len(entries):
            return finished
    except ClaimLostError as error:
        log.warning("claim lost", subject=str(error))
    except _CONTENTION as error:
        log.warning("others are at it", kind=task.kind.name, why=str(error))
    except Exception as error:
        if _is_away(error):
            raise
        if len(entries) > 1:
            log.warning("batch failed, trying one by one", kind=task.kind.name, reason=str(error))
            alone = [entry.subject for entry in entries]
        else:
            reason, subject = _reason(error), entries[0].subject
            log.exception("due work failed", kind=task.kind.name, subject=subject, reason=reason)
    await held.give_up(database, reason)
    for subject in alone:
        finished += await _work_batch(
            database, task, handler, tenant, stop, only=subject, by_clock=by_clock
        )
    return finished


async def _claimed(
    database: Database,
    task: Task,
    tenant: Tenant,
    size: int,
    *,
    only: UUID | None,
    by_clock: bool,
) -> tuple[list[Entry], datetime]:
    async with database.transaction(tenant) as tx:
        until = tx.real_now + CLAIM_LASTS
        if not by_clock and not _may_run(tx, task):
            return [], until
        entries = await store.claim(
            tx,
            task.kind.name,
            by=task.kind.now(tx),
            runs_by=None if by_clock else tx.real_now,
            until=until,
            only=only,
            limit=size,
        )
    return entries, until


def _may_run(tx: Transaction, task: Task) -> bool:
    """Whether workers may run this now: what follows a clock on its way is its runner's to run."""
    return task.kind.follows is Follows.REAL or tx.clock is not ClockState.MOVES


def _reason(error: Exception) -> str:
    if isinstance(error, DomainError):
        faults = "; ".join(f"{field} {fault}" for field, fault in error.fields.items())
        return f"{error.message}{': ' if faults else ''}{faults}"[:REASON_LENGTH_MAX]
    if isinstance(error, asyncpg.QueryCanceledError):
        return "took too long"
    return "internal error"


def _is_away(error: Exception) -> bool:
    """Whether the database is away or full, which is no fault of the work."""
    is_own = isinstance(error, (*_CONTENTION, asyncpg.QueryCanceledError))
    return not is_own and as_unavailable(error) is not None

"""Works off what is due of one kind for one tenant: a slice, or one entry step by step.

A slice is one transaction: it locks entries that nobody else has, does their work and takes them
off the agenda, so that a killed worker leaves nothing half done and nothing is done twice. Where a
slice fails, each of its entries is tried alone, and one that fails is set aside with its reason.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from monigo.core.errors import DomainError
from monigo.infra.agenda import store
from monigo.infra.agenda.service import runs_at
from monigo.infra.agenda.types import ClaimLostError, Entry, Follows, Slices, Steps, Task
from monigo.infra.db import ClockState, Database, Tenant, Transaction, as_unavailable
from monigo.infra.logging import logger

log = logger(__name__)

# Work whose process died is taken over after this long.
CLAIM_LASTS = timedelta(seconds=15)
# Several times while a claim lasts.
RENEW_SECONDS = 4
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
        case Steps() as steps:
            return await _work_steps(database, task, steps, tenant, stop, by_clock=by_clock)


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
                await _set_aside(tx, task, still, reason)
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


async def _set_aside(tx: Transaction, task: Task, entry: Entry, reason: str) -> None:
    pause = task.back_off.pause(entry.attempts + 1)
    due_at = None if pause is None else task.kind.now(tx) + pause
    await store.set_aside(
        tx,
        task.kind.name,
        entry,
        due_at=due_at,
        runs_at=None if due_at is None else runs_at(tx, task.kind, due_at),
        reason=reason,
    )


class _Claim:
    """A claim of one entry, renewed while its process lives."""

    def __init__(self, task: Task, tenant: Tenant, entry: Entry, until: datetime) -> None:
        self._task = task
        self._tenant = tenant
        self._entry = entry
        self._until = until
        # The claim is renewed by one transaction and finished by another.
        self._lock = asyncio.Lock()
        self.is_finished = False

    @property
    def tenant(self) -> Tenant:
        return self._tenant

    @property
    def subject(self) -> UUID:
        return self._entry.subject

    async def finish(self, tx: Transaction, *, again_at: datetime | None = None) -> None:
        async with self._lock:
            held_version = await store.lock_claimed(tx, self._name, self.subject, held=self._until)
            if held_version is None:
                raise ClaimLostError(f"{self._name} {self.subject}")
            if again_at is None:
                await store.finish(tx, self._name, [self._entry])
            else:
                at = runs_at(tx, self._task.kind, again_at)
                await store.come_again(tx, self._name, self._entry, again_at, at)
            if held_version != self._entry.version:
                await store.release(tx, self._name, self.subject, held=self._until)
            self.is_finished = True

    async def renew(self, database: Database) -> None:
        """Hold the claim for longer, as long as its process lives."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            # Where the database is away, the work itself fails.
            with contextlib.suppress(Exception):
                async with self._lock, database.transaction(self._tenant) as tx:
                    until = tx.real_now + CLAIM_LASTS
                    if self.is_finished or not await store.renew(
                        tx, self._name, self.subject, held=self._until, until=until
                    ):
                        return
                self._until = until

    async def give_up(self, database: Database, reason: str | None) -> None:
        """Leave the entry to the next look, or set it aside where it failed."""
        async with database.transaction(self._tenant) as tx:
            version = await store.lock_claimed(tx, self._name, self.subject, held=self._until)
            if version is None:
                return
            if reason is not None and version == self._entry.version:
                await _set_aside(tx, self._task, self._entry, reason)
            else:
                await store.release(tx, self._name, self.subject, held=self._until)

    @property
    def _name(self) -> str:
        return self._task.kind.name


async def _work_steps(
    database: Database,
    task: Task,
    steps: Steps,
    tenant: Tenant,
    stop: asyncio.Event,
    *,
    by_clock: bool,
) -> int:
    claim = await _claimed(database, task, tenant, by_clock=by_clock)
    if claim is None:
        return 0
    reason: str | None = None
    try:
        async with _renewing(claim, database):
            await steps.work(database, claim, stop)
        if claim.is_finished:
            return 1
    except ClaimLostError:
        log.warning("claim lost", kind=task.kind.name, subject=claim.subject)
    except _CONTENTION as error:
        log.warning("others are at it", kind=task.kind.name, subject=claim.subject, why=str(error))
    except Exception as error:
        if _is_away(error):
            raise
        reason = _reason(error)
        log.exception("due work failed", kind=task.kind.name, subject=claim.subject, reason=reason)
    await claim.give_up(database, reason)
    return 0


async def _claimed(
    database: Database, task: Task, tenant: Tenant, *, by_clock: bool
) -> _Claim | None:
    async with database.transaction(tenant) as tx:
        if not by_clock and not _may_run(tx, task):
            return None
        until = tx.real_now + CLAIM_LASTS
        entry = await store.claim(
            tx,
            task.kind.name,
            by=task.kind.now(tx),
            runs_by=None if by_clock else tx.real_now,
            until=until,
        )
    return None if entry is None else _Claim(task, tenant, entry, until)


@asynccontextmanager
async def _renewing(claim: _Claim, database: Database) -> AsyncGenerator[None]:
    renewing = asyncio.create_task(claim.renew(database))
    try:
        yield
    finally:
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await renewing


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

"""Long jobs with progress: each kind has a table of its own, and all else in common.

A job's row has its task and its progress. The queue runs it, in steps that each commit, until it is
completed, failed or canceled. Until then the job is on the agenda, too, so that one that was lost
from the queue, as when the database failed at a bad moment, is enqueued again.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from msgspec import Struct

from monigo.core.access import system
from monigo.core.errors import DomainError
from monigo.core.verification import Difference, Verification
from monigo.infra import agenda
from monigo.infra.agenda import Entry, Follows, Kind, Slices, Task
from monigo.infra.db import Database, Tenant, Transaction, as_unavailable
from monigo.infra.logging import logger
from monigo.infra.queue import jobs_store
from monigo.infra.queue.lanes import Lane, TryLaterError, enqueue

log = logger(__name__)

# While the database, or another job of the tenant, is to be waited for.
WAIT_SECONDS = 2
# How often it is looked whether a job that has not ended is still in the queue.
WATCH_EVERY = timedelta(minutes=10)


class JobKind(Struct, frozen=True):
    """A kind of long jobs: the queue's name for it, and the table that has their rows."""

    name: str
    table: str

    @property
    def watch(self) -> Kind:
        """The look after a job that has not ended."""
        return Kind(f"{self.name}_watch", Follows.REAL)


# Takes a job to its end, step by step, or until the worker stops, by TryLaterError.
RunJob = Callable[[Database, Tenant, UUID, asyncio.Event], Awaitable[None]]


class LongJob(Struct, frozen=True):
    """How a kind of long jobs is run: `concurrency` at once, in all workers together.

    `waits_for` are the codes of errors that mean: the job can't begin yet.
    """

    kind: JobKind
    run: RunJob
    concurrency: int = 1
    waits_for: Collection[str] = ()

    def lane(self, database: Database) -> Lane:
        """The queue's lane of this kind."""
        return Lane(
            self.kind.name,
            self.concurrency,
            partial(run, self, database.acting_as(system(self.kind.name))),
        )

    def watch(self) -> Task:
        """Puts jobs back into the queue that fell out of it."""
        return Task(self.kind.watch, Slices(partial(requeue, self.kind)))


async def start(tx: Transaction, kind: JobKind, job_id: UUID) -> None:
    """Have a stored, pending job run; it commits with `tx`."""
    await enqueue(tx, kind.name, job_id)
    await agenda.put(tx, kind.watch, {job_id: tx.real_now + WATCH_EVERY})


async def list_unfinished(tx: Transaction, kind: JobKind) -> list[UUID]:
    """Jobs that are pending or under way, oldest first."""
    return await jobs_store.list_unfinished(tx, kind.table)


async def complete(tx: Transaction, kind: JobKind, job_id: UUID, report: Any) -> None:
    """Close a job that has come to its end, unless it was ended meanwhile."""
    await _end(tx, kind, job_id, "completed", report=report)


async def fail(tx: Transaction, kind: JobKind, job_id: UUID, message: str) -> None:
    """Close a job that can't go on, unless it has ended. What its steps did stays done."""
    await _end(tx, kind, job_id, "failed", error_message=message)


async def cancel(tx: Transaction, kind: JobKind, job_id: UUID) -> None:
    """Close a job that is not wanted any more, unless it has ended."""
    await _end(tx, kind, job_id, "canceled")


async def verify(tx: Transaction, kinds: Sequence[JobKind]) -> Verification:
    """Find jobs that have not ended, but nobody looks after."""
    counts: Counter[str] = Counter()
    found: list[Difference] = []
    for kind in kinds:
        unfinished = await jobs_store.list_unfinished(tx, kind.table)
        watched = await agenda.due_of(tx, kind.watch, unfinished)
        counts["unfinished jobs"] += len(unfinished)
        found += [
            Difference(f"due work of a {kind.name}", str(one), None, "present")
            for one in unfinished
            if one not in watched
        ]
    return Verification(counts, found)


async def requeue(kind: JobKind, tx: Transaction, entries: Sequence[Entry]) -> tuple[()]:
    """Enqueue jobs that have not ended once more, except those that are in the queue."""
    unfinished = await jobs_store.list_unfinished_of(
        tx, kind.table, [entry.subject for entry in entries]
    )
    for job_id in unfinished:
        await start(tx, kind, job_id)
    return ()


async def _end(
    tx: Transaction,
    kind: JobKind,
    job_id: UUID,
    status: str,
    *,
    error_message: str = "",
    report: Any = None,
) -> None:
    await jobs_store.end(
        tx, kind.table, job_id, status=status, error_message=error_message, report=report
    )
    await agenda.cancel(tx, kind.watch, [job_id])


async def run(
    job: LongJob, database: Database, tenant: Tenant, job_id: UUID, stop: asyncio.Event
) -> None:
    """Run one job; what goes wrong with it closes it.

    Raises:
        TryLaterError: it has to wait, the database is away, or the worker stops.
    """
    try:
        await job.run(database, tenant, job_id, stop)
    except TryLaterError:
        raise
    except Exception as error:
        waits = isinstance(error, DomainError) and error.code in job.waits_for
        if waits or as_unavailable(error) is not None:
            raise TryLaterError(WAIT_SECONDS) from error
        log.exception("job failed", kind=job.kind.name, job_id=str(job_id))
        reason = error.message if isinstance(error, DomainError) else "internal error"
        async with database.transaction(tenant) as tx:
            await fail(tx, job.kind, job_id, reason)

"""The worker: does due work, runs the queue's jobs and folds usage until it is stopped."""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct

from monigo import metering
from monigo.bootstrap import LONG_JOBS, Services
from monigo.core.access import system
from monigo.infra import outbox, queue
from monigo.infra.agenda import run_due_work
from monigo.infra.db import as_unavailable
from monigo.infra.logging import logger
from monigo.infra.waiting import stopped_within

log = logger(__name__)

# After a failure: long enough not to hammer a database that is away, short enough to be prompt.
RETRY_SECONDS = 5
# Reads add up what is not folded yet, so a longer pause costs them time, never exactness.
FOLD_INTERVAL_SECONDS = 0.5


class PeriodicJob(Struct, frozen=True):
    """Something to do again and again that is of no tenant, or of a stream."""

    name: str
    interval_seconds: float
    run: Callable[[Services], Awaitable[None]]


async def fold_usage(services: Services) -> None:
    """Add what was ingested since the last time to the buckets."""
    await metering.fold_all(services.database)


async def forget_queue_log(services: Services) -> None:
    """Delete what the queue wrote about jobs that ended long ago."""
    async with services.database.lookups() as connection:
        await queue.forget_log(connection)


JOBS = (
    PeriodicJob("fold_usage", FOLD_INTERVAL_SECONDS, fold_usage),
    PeriodicJob("forget_queue_log", 86_400, forget_queue_log),
)


async def run_worker(services: Services, stop: asyncio.Event) -> None:
    """Work until `stop` is set; what is running then is waited for."""
    database = services.database
    lanes = [job.lane(database) for job in LONG_JOBS]
    async with asyncio.TaskGroup() as group:
        group.create_task(run_due_work(database, services.tasks, slots=services.slices, stop=stop))
        group.create_task(queue.work(services.app_url, lanes, stop))
        group.create_task(outbox.dispatch_facts(database, services.app_url, stop))
        for job in JOBS:
            group.create_task(_repeat(services, job, stop))


async def _repeat(services: Services, job: PeriodicJob, stop: asyncio.Event) -> None:
    named = services.acting_as(system(job.name))
    while not stop.is_set():
        pause = job.interval_seconds
        try:
            await job.run(named)
        except Exception as error:
            # A job's failure must end neither the other jobs nor its own next try.
            pause = min(pause, RETRY_SECONDS)
            if as_unavailable(error) is None:
                log.exception("job failed", job=job.name)
            else:
                log.warning("job waits for the database", job=job.name, reason=str(error))
        await stopped_within(stop, pause)

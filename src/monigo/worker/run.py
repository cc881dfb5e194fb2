"""The worker: runs each periodic job at its interval until told to stop."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from msgspec import Struct

from monigo import invoicing, metering
from monigo.bootstrap import TASKS, Services
from monigo.infra import job_queue
from monigo.infra.agenda import run_due_work
from monigo.infra.database import as_unavailable
from monigo.infra.logging import logger
from monigo.infra.waiting import stopped_within
from monigo.worker.housekeeping import (
    forget_event_properties,
    forget_idempotency_records,
    forget_outbox_events,
    forget_queue_log,
)
from monigo.worker.metering import fold_usage
from monigo.worker.replays import requeue_replays, run_replay
from monigo.worker.simulations import requeue_simulations, run_simulation

log = logger(__name__)

# After a failure: long enough not to hammer a database that is away, short enough to be prompt.
RETRY_SECONDS = 5
# Reads add up what is not folded yet, so a longer pause costs them time, never exactness.
FOLD_INTERVAL_SECONDS = 0.5


class PeriodicJob(Struct, frozen=True):
    """Something to do again and again."""

    name: str
    interval_seconds: float
    run: Callable[[Services], Awaitable[None]]


JOBS = (
    PeriodicJob("fold_usage", FOLD_INTERVAL_SECONDS, fold_usage),
    PeriodicJob("forget_idempotency_records", 3600, forget_idempotency_records),
    PeriodicJob("forget_outbox_events", 86_400, forget_outbox_events),
    PeriodicJob("forget_event_properties", 86_400, forget_event_properties),
    PeriodicJob("forget_queue_log", 86_400, forget_queue_log),
    PeriodicJob("requeue_replays", 600, requeue_replays),
    PeriodicJob("requeue_simulations", 600, requeue_simulations),
)


async def run_worker(services: Services, stop: asyncio.Event) -> None:
    """Run all periodic jobs and the queue's until `stop` is set; what is running is waited for."""
    handlers = {
        metering.REPLAY: partial(run_replay, services),
        invoicing.SIMULATION: partial(run_simulation, services),
    }
    async with asyncio.TaskGroup() as group:
        group.create_task(run_due_work(services.database, TASKS, slots=services.slices, stop=stop))
        group.create_task(job_queue.work(services.app_url, handlers, stop))
        for job in JOBS:
            group.create_task(_repeat(services, job, stop))


async def _repeat(services: Services, job: PeriodicJob, stop: asyncio.Event) -> None:
    while not stop.is_set():
        pause = job.interval_seconds
        try:
            await job.run(services)
        except Exception as error:
            # A job's failure must end neither the other jobs nor its own next try.
            pause = min(pause, RETRY_SECONDS)
            if as_unavailable(error) is None:
                log.exception("job failed", job=job.name)
            else:
                log.warning("job waits for the database", job=job.name, reason=str(error))
        await stopped_within(stop, pause)

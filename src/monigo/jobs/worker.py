"""The worker: runs each periodic job at its interval until told to stop."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from msgspec import Struct

from monigo import invoicing, metering
from monigo.bootstrap import Services
from monigo.core.principals import system
from monigo.infra import job_queue, outbox
from monigo.infra.database import as_unavailable
from monigo.infra.logging import logger
from monigo.jobs.billing import charge_realtime, close_periods, wake_waiting
from monigo.jobs.housekeeping import (
    forget_event_properties,
    forget_facts,
    forget_idempotency_records,
    forget_queue_log,
)
from monigo.jobs.metering import fold_usage
from monigo.jobs.replays import requeue_replays, run_replay
from monigo.jobs.simulations import requeue_simulations, run_simulation
from monigo.jobs.test_clocks import keep_test_clocks
from monigo.jobs.wallets import expire_wallets

log = logger(__name__)

# After a failure: long enough not to hammer a database that is away, short enough to be prompt.
RETRY_SECONDS = 5
# Reads add up what is not folded yet, so a longer pause costs them time, never exactness.
FOLD_INTERVAL_SECONDS = 0.5
# How late after its end a period is closed at most, when nothing else is to be waited for.
CLOSE_INTERVAL_SECONDS = 1
# How much usage an empty wallet may get at most beyond its balance (behaviour page, Invoices).
CHARGE_INTERVAL_SECONDS = 5


class PeriodicJob(Struct, frozen=True):
    """Something to do again and again."""

    name: str
    interval_seconds: float
    run: Callable[[Services], Awaitable[None]]


JOBS = (
    PeriodicJob("fold_usage", FOLD_INTERVAL_SECONDS, fold_usage),
    PeriodicJob("wake_waiting", CLOSE_INTERVAL_SECONDS, wake_waiting),
    PeriodicJob("charge_realtime", CHARGE_INTERVAL_SECONDS, charge_realtime),
    PeriodicJob("close_periods", CLOSE_INTERVAL_SECONDS, close_periods),
    PeriodicJob("expire_wallets", 10, expire_wallets),
    PeriodicJob("forget_idempotency_records", 3600, forget_idempotency_records),
    PeriodicJob("forget_facts", 86_400, forget_facts),
    PeriodicJob("forget_event_properties", 86_400, forget_event_properties),
    PeriodicJob("forget_queue_log", 86_400, forget_queue_log),
    PeriodicJob("requeue_replays", 600, requeue_replays),
    PeriodicJob("requeue_simulations", 600, requeue_simulations),
    PeriodicJob("keep_test_clocks", 3, keep_test_clocks),
)


async def run_worker(services: Services, stop: asyncio.Event) -> None:
    """Run all periodic jobs and the queue's until `stop` is set; what is running is waited for."""
    handlers = {
        metering.REPLAY: partial(run_replay, services.acting_as(system(metering.REPLAY))),
        invoicing.SIMULATION: partial(
            run_simulation, services.acting_as(system(invoicing.SIMULATION))
        ),
    }
    async with asyncio.TaskGroup() as group:
        group.create_task(outbox.dispatch_facts(services.database, services.app_url, stop))
        group.create_task(job_queue.work(services.app_url, handlers, stop))
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
        try:
            async with asyncio.timeout(pause):
                await stop.wait()
        except TimeoutError:
            continue

"""The queue's lanes, on PgQueuer: jobs lie in the database and commit with what causes them.

A job's row holds ids only, because it is read before its tenant is known.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec
from pgqueuer.core.qm import QueueManager
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from monigo.core.ids import OrganizationId
from monigo.infra.db import OwnConnection, Tenant, Transaction, as_unavailable
from monigo.infra.logging import logger
from monigo.infra.waiting import stopped_within

log = logger(__name__)

# A job whose worker was killed is taken over after this long, seen at the next look: 25 seconds.
HEARTBEAT_TIMEOUT = timedelta(seconds=15)
# NOTIFY announces new jobs; polling finds retries, and jobs of workers that died.
LOOK_INTERVAL = timedelta(seconds=10)
# PgQueuer wants room for two jobs at least.
JOBS_AT_ONCE_MIN = 2
CONNECT_TIMEOUT_SECONDS = 10
# The first is for a restart of the database, the last so as not to hammer one that is away.
RECONNECT_SECONDS = 1
RECONNECT_SECONDS_MAX = 30

# Works on one job until it is done, or until the event is set because the worker stops.
Handler = Callable[[Tenant, UUID, asyncio.Event], Awaitable[None]]


class Lane(msgspec.Struct, frozen=True):
    """The jobs of one name, so many at once in all workers together; no lane waits for another."""

    name: str
    concurrency: int
    handler: Handler


class TryLaterError(Exception):
    """A job can't go on now; it stays in the queue and is tried again."""

    def __init__(self, after_seconds: int) -> None:
        super().__init__(f"try again in {after_seconds} s")
        self.after_seconds = after_seconds


class _Payload(msgspec.Struct):
    org_id: UUID
    is_test: bool
    job_id: UUID


async def enqueue(tx: Transaction, name: str, job_id: UUID) -> None:
    """Put a job of the tenant into the queue, unless it is there already; it commits with `tx`."""
    payload = msgspec.json.encode(_Payload(tx.org_id, tx.is_test, job_id))
    # The proxy of a pooled connection does all that the connection itself does.
    queries = Queries.from_asyncpg_connection(tx.connection)  # pyright: ignore[reportArgumentType]
    await queries.enqueue(name, payload, dedupe_key=f"{name}:{job_id}", on_conflict="skip")


async def work(app_url: str, lanes: Sequence[Lane], stop: asyncio.Event) -> None:
    """Work on the queue's jobs until `stop` is set, whatever becomes of the database meanwhile."""
    pause = RECONNECT_SECONDS
    while not stop.is_set():
        try:
            await _work_while_connected(app_url, lanes, stop)
            pause = RECONNECT_SECONDS
        except Exception as error:
            if as_unavailable(error) is None:
                log.exception("job queue failed")
            else:
                log.warning("job queue waits for the database", reason=str(error))
            pause = min(pause * 2, RECONNECT_SECONDS_MAX)
        await stopped_within(stop, pause)


async def _work_while_connected(app_url: str, lanes: Sequence[Lane], stop: asyncio.Event) -> None:
    connection: OwnConnection = await asyncpg.connect(
        app_url,
        timeout=CONNECT_TIMEOUT_SECONDS,
        command_timeout=CONNECT_TIMEOUT_SECONDS,
        server_settings={"application_name": "monigo job queue"},
    )
    manager = QueueManager(Queries.from_asyncpg_connection(connection))
    connection.add_termination_listener(lambda _connection: manager.shutdown.set())
    for lane in lanes:
        manager.entrypoint(lane.name, concurrency_limit=lane.concurrency, accepts_context=False)(
            _entrypoint(lane.handler, manager.shutdown)
        )
    at_once = max(JOBS_AT_ONCE_MIN, sum(lane.concurrency for lane in lanes))
    stopping = asyncio.create_task(_pass_on(stop, manager.shutdown))
    try:
        await manager.run(
            dequeue_timeout=LOOK_INTERVAL,
            batch_size=1,
            max_concurrent_tasks=at_once,
            shutdown_on_listener_failure=True,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            log_aggregation_interval=timedelta(0),
        )
    finally:
        # Jobs that run on after a failure end at their next step.
        manager.shutdown.set()
        stopping.cancel()
        connection.terminate()


def _entrypoint(handler: Handler, stop: asyncio.Event) -> Callable[[Job], Awaitable[None]]:
    async def run(job: Job) -> None:
        payload = msgspec.json.decode(job.payload or b"", type=_Payload)
        tenant = Tenant(OrganizationId(payload.org_id), payload.is_test)
        try:
            await handler(tenant, payload.job_id, stop)
        except TryLaterError as error:
            raise RetryRequested(timedelta(seconds=error.after_seconds), str(error)) from error

    return run


async def _pass_on(stop: asyncio.Event, shutdown: asyncio.Event) -> None:
    await stop.wait()
    shutdown.set()

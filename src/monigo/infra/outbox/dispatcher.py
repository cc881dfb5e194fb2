"""The dispatcher: looks whose facts wait for whom, and has them handled, tenants in turn.

Notifications of new facts wake it, and it polls now and then in case one was lost.
"""

import asyncio
import contextlib
from uuid import UUID

import asyncpg

from monigo.core.access import system
from monigo.infra.db import Database, OwnConnection, as_unavailable
from monigo.infra.logging import logger
from monigo.infra.outbox import store
from monigo.infra.outbox.delivery import FIRST, deliver_slice
from monigo.infra.outbox.store import CHANNEL, Waiting
from monigo.infra.registry import registry_of
from monigo.infra.waiting import stopped_within

log = logger(__name__)

# Between two looks, when no word comes: also how late a failed fact may be tried again.
LOOK_SECONDS = 2
# After a failure: long enough not to hammer a database that is away, short enough to be prompt.
RETRY_SECONDS = 5
CONNECT_TIMEOUT_SECONDS = 10
# One computes here while another is in the database.
TENANTS_AT_ONCE = 2


async def dispatch_facts(database: Database, url: str, stop: asyncio.Event) -> None:
    """Have subscribers handle facts until `stop` is set; what is under way then is waited for.

    `url` is the application role's, for the connection that listens.
    """
    woken = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_listen(url, woken, stop))
        group.create_task(_wake_at_end(woken, stop))
        dispatcher = _Dispatcher(database, group, stop)
        while not stop.is_set():
            woken.clear()
            pause = await dispatcher.look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await woken.wait()


async def _wake_at_end(woken: asyncio.Event, stop: asyncio.Event) -> None:
    await stop.wait()
    woken.set()


async def _listen(url: str, woken: asyncio.Event, stop: asyncio.Event) -> None:
    """Set `woken` at each notification, on a connection that is reopened when it breaks."""

    def wake(*_: object) -> None:
        woken.set()

    while not stop.is_set():
        connection: OwnConnection | None = None
        try:
            connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_SECONDS)
            await connection.add_listener(CHANNEL, wake)
            # For what was reported while nobody listened.
            woken.set()
            while not connection.is_closed() and not await stopped_within(stop, LOOK_SECONDS):
                continue
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("facts are looked for without being woken", reason=str(error))
            await stopped_within(stop, RETRY_SECONDS)
        finally:
            if connection is not None:
                connection.terminate()


class _Dispatcher:
    """Who is at whose facts; a tenant's for one subscriber are one task's at a time."""

    def __init__(
        self,
        database: Database,
        group: asyncio.TaskGroup,
        stop: asyncio.Event,
    ) -> None:
        self._database = database
        self._subscribers = registry_of(database).subscribers
        self._group = group
        self._stop = stop
        self._slots = asyncio.Semaphore(TENANTS_AT_ONCE)
        self._running: set[Waiting] = set()
        # Those for which there may be more than their task has seen.
        self._again: set[Waiting] = set()

    async def look(self) -> float:
        """Start the subscribers that have deliveries; returns the seconds until the next poll."""
        try:
            async with self._database.lookups() as connection:
                found = await store.tenants_waiting(connection, self._database.real_now())
        except Exception as error:
            if as_unavailable(error) is None:
                log.exception("facts not looked for")
            else:
                log.warning("facts wait for the database", reason=str(error))
            return RETRY_SECONDS
        for waiting in found:
            if waiting.subscriber not in self._subscribers:
                continue  # `verify` reports them.
            if waiting in self._running:
                self._again.add(waiting)
            else:
                self._running.add(waiting)
                self._group.create_task(self._deliver(waiting))
        return LOOK_SECONDS

    async def _deliver(self, waiting: Waiting) -> None:
        try:
            while await self._deliver_once(waiting):
                continue
        except Exception as error:
            if as_unavailable(error) is None:
                log.exception("facts not handled", subscriber=waiting.subscriber)
            else:
                log.warning("facts wait for the database", reason=str(error))
        finally:
            self._running.discard(waiting)
            self._again.discard(waiting)

    async def _deliver_once(self, waiting: Waiting) -> bool:
        """Go through a tenant's subjects once, slice by slice; whether to do so again.

        For facts that came meanwhile there is a word, and so a look, which says so.
        """
        self._again.discard(waiting)
        subscriber = self._subscribers[waiting.subscriber]
        database = self._database.acting_as(system(f"subscriber {subscriber.name}"))
        after: UUID | None = FIRST
        while after is not None and not self._stop.is_set():
            async with self._slots:
                done = await deliver_slice(database, subscriber, waiting.tenant, after)
            if done.is_rest:
                self._again.add(waiting)
            after = done.after
        return not self._stop.is_set() and waiting in self._again

"""The runner of due work: looks whose work is due, and works it off in lanes, tenants in turn.

Each kind has lanes of its own, so that none waits for another. A tenant's first slice comes before
the further slices of other tenants, which then take turns, a slice each.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from monigo.core.access import system
from monigo.infra.agenda import store
from monigo.infra.agenda.types import Slices, Task
from monigo.infra.agenda.work import work_some
from monigo.infra.db import Database, Tenant, as_unavailable
from monigo.infra.logging import logger
from monigo.infra.waiting import stopped_within

log = logger(__name__)

# Between two looks; a look is one question, however many tenants there are. A kind is asked for at
# the interval of its own.
LOOK_SECONDS = 0.25
# Where much is due a look takes longer: this many times as long passes until the next.
LOOKS_APART = 10
# After a failure: long enough not to hammer a database that is away, short enough to be prompt.
RETRY_SECONDS = 5


async def run_due_work(
    database: Database, tasks: Sequence[Task], *, slots: asyncio.Semaphore, stop: asyncio.Event
) -> None:
    """Work off what becomes due until `stop` is set; what is running then is waited for.

    `slots` are the slices that may be under way at once, of all kinds together.
    """
    async with asyncio.TaskGroup() as group:
        lanes = {task.kind.name: _Lanes(database, task, group, slots, stop) for task in tasks}
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            pause = LOOK_SECONDS
            try:
                await _look(database, lanes)
                pause = max(pause, LOOKS_APART * (loop.time() - began))
            except Exception as error:
                pause = RETRY_SECONDS
                if as_unavailable(error) is None:
                    log.exception("due work not looked for")
                else:
                    log.warning("due work waits for the database", reason=str(error))
            if await stopped_within(stop, pause):
                return


async def _look(database: Database, lanes: dict[str, "_Lanes"]) -> None:
    asking = {name for name, one in lanes.items() if one.is_asking()}
    if not asking:
        return
    async with database.lookups() as connection:
        found = await store.tenants_with_due(connection, database.real_now())
    tenants: defaultdict[str, list[Tenant]] = defaultdict(list)
    for tenant, name in found:
        if name in asking:
            tenants[name].append(tenant)
    for name, due in tenants.items():
        lanes[name].add(due)


class _Lanes:
    """The tenants that wait for one kind of work, and the lanes that do it."""

    def __init__(
        self,
        database: Database,
        task: Task,
        group: asyncio.TaskGroup,
        slots: asyncio.Semaphore,
        stop: asyncio.Event,
    ) -> None:
        self._database = database.acting_as(system(task.kind.name))
        self._task = task
        self._group = group
        self._slots = slots
        self._stop = stop
        # In the order of their turns.
        self._first: dict[Tenant, None] = {}
        self._more: dict[Tenant, None] = {}
        self._running = 0
        self._asks_at: float = 0

    def is_asking(self) -> bool:
        """Whether it is time to look for this kind again."""
        now = asyncio.get_running_loop().time()
        if now < self._asks_at:
            return False
        # A look that is late by a bit must not put off the next one by a whole interval.
        self._asks_at = now + self._task.every_seconds - LOOK_SECONDS / 2
        return True

    def add(self, tenants: Sequence[Tenant]) -> None:
        """Have these tenants' work done, each in its turn."""
        self._first |= dict.fromkeys(one for one in tenants if one not in self._more)
        self._open_lanes()

    def _open_lanes(self) -> None:
        # For more of the same one lane at a time: many would find nothing.
        further = len(self._first) or min(1, len(self._more))
        wanted = min(self._task.concurrency, self._running + further)
        while self._running < wanted and not self._stop.is_set():
            self._running += 1
            self._group.create_task(self._lane())

    async def _lane(self) -> None:
        try:
            while not self._stop.is_set() and (tenant := self._next()) is not None:
                if await self._work(tenant):
                    self._more[tenant] = None
                    self._open_lanes()
                else:
                    self._more.pop(tenant, None)
        finally:
            self._running -= 1

    def _next(self) -> Tenant | None:
        if self._first:
            tenant = next(iter(self._first))
            del self._first[tenant]
            return tenant
        if self._more:
            # To the end of the queue; other lanes may take on another slice meanwhile.
            tenant = next(iter(self._more))
            del self._more[tenant]
            self._more[tenant] = None
            return tenant
        return None

    async def _work(self, tenant: Tenant) -> bool:
        """Some of a tenant's work; whether there may be more."""
        try:
            match self._task.handler:
                case Slices(size=size):
                    async with self._slots:
                        count = await work_some(self._database, self._task, tenant, self._stop)
                    return count >= size
                case _:
                    return await work_some(self._database, self._task, tenant, self._stop) > 0
        except Exception as error:
            kind = self._task.kind.name
            if as_unavailable(error) is None:
                log.exception("due work not done", kind=kind, org_id=str(tenant.org_id))
            else:
                log.warning("due work waits for the database", kind=kind, reason=str(error))
            return False

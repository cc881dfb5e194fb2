"""Kinds of due work for tests, and how work is put on the agenda and done."""

import asyncio
from uuid import uuid4

from msgspec.structs import replace

from monigo.core.errors import invalid
from monigo.infra import agenda
from monigo.infra.agenda import Follows, Kind, Slices, Steps, Task
from monigo.infra.agenda.work import work_some

ENTRIES = """
    SELECT subject, due_at, runs_at, version, attempts, claimed_until, reason FROM agenda
    WHERE org_id = $1 AND is_test = $2 AND kind = $3 ORDER BY due_at, subject
"""


class Diary:
    """A kind of work that notes when it was done for whom, and fails or waits as it is told."""

    def __init__(self, follows=Follows.TENANT, **options):
        slices = {name: options.pop(name) for name in ("size", "flag") if name in options}
        self.kind = Kind(f"diary_{uuid4().hex}", follows)
        self.task = Task(self.kind, Slices(self.work, **slices), **options)
        self.done = []
        self.slices = []
        self.failing = set()
        self.busy = set()
        self.following = {}

    async def work(self, tx, entries):
        subjects = [entry.subject for entry in entries]
        self.slices.append(subjects)
        if self.failing & set(subjects):
            raise invalid({"subject": "is at fault"})
        again = {one: self.following[one] for one in subjects if one in self.following}
        await agenda.put(tx, self.kind, {one: tx.now + pause for one, pause in again.items()})
        for one in again:
            del self.following[one]
        self.done += [(tx.now, one) for one in subjects if one not in self.busy]
        return self.busy & set(subjects)

    def doing(self, work):
        """The task with another way to work."""
        return replace(self.task, handler=replace(self.task.handler, work=work))

    @property
    def subjects(self):
        return [subject for _, subject in self.done]

    @property
    def instants(self):
        return [instant for instant, _ in self.done]


class Stepper:
    """A kind of work that takes several transactions, as its test says."""

    def __init__(self, steps, follows=Follows.REAL, handler=Steps):
        self.kind = Kind(f"stepper_{uuid4().hex}", follows)
        self.task = Task(self.kind, handler(steps))


async def _put(database, tenant, kind, due):
    async with database.transaction(tenant) as tx:
        await agenda.put(tx, kind, due)


def put(backend, tenant, kind, *instants):
    """Put new subjects on the agenda, due at these instants; the subjects."""
    subjects = [uuid4() for _ in instants]
    put_again(backend, tenant, kind, dict(zip(subjects, instants, strict=True)))
    return subjects


def put_again(backend, tenant, kind, due):
    backend.run(_put(backend.services.database, tenant, kind, due))


def work(backend, tenant, task, **options):
    """Do all that is due now."""
    backend.run(agenda.work_off(backend.services.database, task, tenant, **options))


def entries(backend, tenant, kind):
    """What the agenda holds of a kind, earliest first."""
    return backend.sql(ENTRIES, tenant.org_id, tenant.is_test, kind.name)


def waiting(backend, tenant, kind):
    """The subjects that the agenda holds of a kind."""
    return [row["subject"] for row in entries(backend, tenant, kind)]


async def run_until(backend, tasks, is_done, slots=4, seconds=10):
    """A worker's runner, stopped as soon as something is true."""
    stop = asyncio.Event()
    running = asyncio.create_task(
        agenda.run_due_work(
            backend.services.database, tasks, slots=asyncio.Semaphore(slots), stop=stop
        )
    )
    async with asyncio.timeout(seconds):
        while not is_done() and not running.done():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
        stop.set()
        await running


def do(api, *tasks):
    """What the workers do next for a tenant: all that is due of these kinds, in turn."""
    for task in tasks:
        work(api.backend, api.tenant, task)


def work_slice(api, task):
    """One slice of what is due of a kind; how many entries it saw to."""
    database = api.backend.services.database
    return api.backend.run(work_some(database, task, api.tenant, asyncio.Event()))


def pass_until_due(api, kind):
    """Let the time go by until all that waits of a kind is due; how much that is."""
    waiting = entries(api.backend, api.tenant, kind)
    now = api.backend.services.database.real_now()
    waits = [(row["due_at"] - now).total_seconds() for row in waiting]
    api.backend.clock.advance(seconds=max([0, *waits]) + 1)
    return len(waiting)

"""Due work of every registered kind: what fails for one organisation stops no other's."""

import asyncio
from uuid import uuid4

import pytest
from msgspec.structs import replace

from monigo import invoicing, metering, wallets
from monigo.bootstrap import TASKS
from monigo.infra import agenda
from monigo.infra.agenda import Batches, Slices, Steps
from support.agenda import do, entries, put, run_until, waiting
from support.api import Api
from support.verification import faults
from support.wallets import balance, charge, grant, left, plan_of, use

START = "2027-01-01T00:00:00Z"
EXPIRE_CREDITS = next(task for task in TASKS if task.kind == wallets.CREDIT_EXPIRY)


class Story:
    """A registered kind with a handler that fails for one tenant, and notes what it does else."""

    def __init__(self, backend, task, at_fault):
        self.backend = backend
        self.at_fault = at_fault
        self.done = []
        self.is_slow = False
        match task.handler:
            case Slices() as slices:
                handler = replace(slices, work=self.slice, flag=None)
            case Steps():
                handler = Steps(self.steps)
            case Batches() as batches:
                handler = replace(batches, work=self.batch)
        # Of a name that no worker looks for, so that only this story's handler has its entries.
        kind = replace(task.kind, name=f"{task.kind.name}_{uuid4().hex}")
        self.task = replace(task, kind=kind, handler=handler, every_seconds=1)
        self.kind = kind

    async def slice(self, tx, seen):
        await self._do(tx.tenant, [entry.subject for entry in seen])
        return ()

    async def steps(self, database, claim, _stop):
        await self._do(claim.tenant, [claim.subject])
        async with database.transaction(claim.tenant) as tx:
            await claim.finish(tx)

    async def batch(self, database, claims, _stop):
        await self._do(claims.tenant, claims.subjects)
        async with database.transaction(claims.tenant) as tx:
            await claims.finish(tx)

    async def _do(self, tenant, subjects):
        if tenant == self.at_fault:
            raise ValueError("at fault")
        if self.is_slow:
            await asyncio.sleep(0.05)
        self.done += subjects


@pytest.fixture(params=TASKS, ids=[task.kind.name for task in TASKS])
def story(request, api, backend):
    return Story(backend, request.param, api.tenant)


@pytest.fixture
def other(backend):
    with Api.of_new_organization(backend) as client:
        yield client.tenant


def test_what_fails_for_one_tenant_is_listed_and_the_others_is_done(api, backend, story, other):
    (failing,) = put(backend, api.tenant, story.kind, backend.clock.now())
    (sound,) = put(backend, other, story.kind, backend.clock.now())

    def is_done():
        return story.done and entries(backend, api.tenant, story.kind)[0]["attempts"]

    backend.run(run_until_in_thread(backend, story, is_done))

    (entry,) = entries(backend, api.tenant, story.kind)
    assert story.done == [sound]
    assert (entry["subject"], entry["reason"]) == (failing, "internal error")
    assert entry["due_at"] > backend.clock.now()


async def run_until_in_thread(backend, story, is_done):
    """Ask the database in another thread, for this one is the server's."""
    told = []

    async def ask():
        while not told:
            if await asyncio.to_thread(is_done):
                told.append(True)
            await asyncio.sleep(0.02)

    asking = asyncio.create_task(ask())
    await run_until(backend, [story.task], lambda: told)
    await asking


def test_what_is_put_anew_while_it_is_done_is_done_again(backend, story, other):
    (subject,) = put(backend, other, story.kind, backend.clock.now())
    story.is_slow = True
    database = backend.services.database

    async def put_meanwhile():
        working = asyncio.create_task(agenda.work_off(database, story.task, other))
        await asyncio.sleep(0.02)
        async with database.transaction(other) as tx:
            await agenda.put(tx, story.kind, {subject: story.kind.now(tx)})
        await working
        await agenda.work_off(database, story.task, other)

    backend.run(put_meanwhile())

    assert set(story.done) == {subject}
    assert len(story.done) <= 2
    assert waiting(backend, other, story.kind) == []


def test_two_workers_do_nothing_twice(backend, story, other):
    subjects = put(backend, other, story.kind, *[backend.clock.now()] * 5)
    story.is_slow = True

    async def together():
        database = backend.services.database
        await asyncio.gather(*(agenda.work_off(database, story.task, other) for _ in range(3)))
        await agenda.work_off(database, story.task, other)

    backend.run(together())

    assert sorted(story.done) == sorted(subjects)


def test_what_was_interrupted_is_done_by_the_next(backend, story, other):
    (subject,) = put(backend, other, story.kind, backend.clock.now())
    story.is_slow = True
    database = backend.services.database

    async def kill_the_first():
        first = asyncio.create_task(agenda.work_off(database, story.task, other))
        await asyncio.sleep(0.02)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        backend.clock.advance(seconds=20)
        await agenda.work_off(database, story.task, other)

    backend.run(kill_the_first())

    assert (story.done, waiting(backend, other, story.kind)) == ([subject], [])


def test_every_kind_has_a_name_of_its_own():
    names = [task.kind.name for task in TASKS]

    assert len(set(names)) == len(names)


def realtime_merchant(api):
    """Two realtime customers with 1,000 each; their wallets and the first one's subscription."""
    assert api.post("/v1/test-clock/advance", json={"to": START}, timeout=60).status_code == 200
    plan_id, _ = plan_of(api, "realtime", "a")
    held = []
    for name in ("c1", "c2"):
        api.customer(name)
        wallet = api.wallet(name, funds="1000")
        held.append((wallet, api.subscribe(name, plan_id, start_date=START)))
    (first, subscription), (second, _) = held
    return first, second, subscription


def test_a_realtime_subscription_that_cannot_be_charged_stops_no_other(api, backend, clock):
    with Api.of_new_organization(backend) as other:
        theirs = realtime_merchant(other)
        use(other, "a", 70, "c1")
        use(other, "a", 70, "c2")
        first, second, subscription = realtime_merchant(api)
        # Of 18 digits, as a unit is; two of them are more than an amount can hold.
        use(api, "a", 999999999999999999, "c1")
        use(api, "a", 999999999999999999, "c1")
        use(api, "a", 50, "c2")
        backend.run(metering.fold_all(backend.services.database))

        do(api, invoicing.CHARGE)
        do(other, invoicing.CHARGE)

        path = f"/v1/subscriptions/{subscription['id']}"
        flagged = api.get(path).json()["subscription"]
        assert (flagged["status"], "exceeds" in flagged["billing_error"]) == ("active", True)
        assert (balance(api, first), balance(api, second)) == ("1000", "950")
        assert [balance(other, wallet) for wallet in theirs[:2]] == ["930", "930"]
        assert faults(backend, other.tenant) == []

    # It is tried again later, and is charged once it can be.
    use(api, "a", -999999999999999999, "c1")
    use(api, "a", -999999999999999939, "c1")
    charge(api)
    before = balance(api, first)
    clock("2027-01-01T00:02:00Z")
    tried = api.get(path).json()["subscription"]["billing_error"]
    use(api, "a", 5, "c1")
    charge(api)

    assert (before, tried, balance(api, first)) == ("1000", "", "935")
    assert faults(backend, api.tenant) == []


def test_credits_and_reservations_of_all_tenants_expire(api, backend):
    wallets_of = {}
    with Api.of_new_organization(backend) as other:
        for one in (api, other):
            one.customer()
            wallets_of[one] = one.wallet(funds="10")
            grant(one, wallets_of[one], "5", expires_at="2026-06-16T13:00:00Z")
        backend.clock.advance(hours=2)

        for one in (api, other):
            do(one, wallets.EXPIRE_RESERVATIONS, EXPIRE_CREDITS)

        assert [left(one, wallet) for one, wallet in wallets_of.items()] == [["0"], ["0"]]

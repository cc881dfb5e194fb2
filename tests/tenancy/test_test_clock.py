"""Test time stands still until it is advanced, and lets everything on its way happen once."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from monigo import tenancy
from monigo.core.errors import DomainError
from monigo.infra.database import STATEMENT_TIMEOUT_SECONDS, Tenant
from monigo.tenancy import test_clock
from monigo.tenancy.test_clock import STEPS_AT_ONE_INSTANT_MAX

DAY = timedelta(days=1)


class Diary:
    """Work that is due at given instants, and notes at which time of the tenant it was done."""

    def __init__(self, *due):
        self.due = sorted(due)
        self.done = []

    async def next_due(self, _tx):
        return self.due[0] if self.due else None

    async def run(self, database, tenant):
        async with database.transaction(tenant) as tx:
            self.done.append(tx.now)
            self.due = [instant for instant in self.due if instant > tx.now]


class Failing(Diary):
    async def run(self, _database, _tenant):
        raise ValueError("a fault of ours")


class NeverDone(Diary):
    async def run(self, _database, tenant):
        self.done.append(tenant)


class Slow(Diary):
    """Work that one runner at a time can do: a second one finds nothing that is not held."""

    def __init__(self, seconds, *due):
        super().__init__(*due)
        self.seconds = seconds
        self.is_held = False
        self.begun = asyncio.Event()
        self.runs = 0

    async def run(self, database, tenant):
        self.runs += 1
        if self.is_held:
            return
        self.is_held = True
        self.begun.set()
        await asyncio.sleep(self.seconds)
        await super().run(database, tenant)
        self.is_held = False


class HeldByOthers(Diary):
    """Work that others hold for so many runs."""

    def __init__(self, runs, *due):
        super().__init__(*due)
        self.runs_left = runs

    async def run(self, database, tenant):
        self.runs_left -= 1
        if self.runs_left < 0:
            await super().run(database, tenant)


class Unreadable(Diary):
    async def next_due(self, _tx):
        raise ValueError("a fault of ours")


class FollowUp(Diary):
    """Its work makes work for another one at the same instant."""

    def __init__(self, other, *due):
        super().__init__(*due)
        self.other = other

    async def run(self, database, tenant):
        self.other.due = [self.due[0], *self.other.due]
        await super().run(database, tenant)


@pytest.fixture
def database(backend):
    return backend.services.database


@pytest.fixture
def start(api, backend):
    """An instant at which the tenant's clock was set and stands."""
    to = backend.clock.now() + DAY
    send(api, to)
    backend.run(tenancy.advance(backend.services.database, api.tenant, ()))
    return to


async def now_of(database, tenant):
    async with database.transaction(tenant) as tx:
        return tx.now, tx.real_now


async def now_of_snapshot(database, tenant):
    async with database.snapshot(tenant) as tx:
        return tx.now


async def started(database, tenant, to):
    async with database.transaction(tenant) as tx:
        return await tenancy.start_advance(tx, to)


async def reading(database, tenant):
    async with database.transaction(tenant) as tx:
        return await tenancy.read_test_clock(tx)


async def advanced_by_two(database, tenant, work):
    runners = (tenancy.advance(database, tenant, work) for _ in range(2))
    await asyncio.gather(*runners)


def send(api, to):
    return api.backend.run(started(api.backend.services.database, api.tenant, to))


def read(api):
    return api.backend.run(reading(api.backend.services.database, api.tenant))


def advance(api, *work):
    api.backend.run(tenancy.advance(api.backend.services.database, api.tenant, work))


def test_test_time_is_real_until_the_clock_is_set(api, backend, database):
    now, real_now = backend.run(now_of(database, api.tenant))

    assert now == real_now


def test_a_set_clock_stands_still_in_transactions_and_snapshots(api, backend, database, start):
    now, real_now = backend.run(now_of(database, api.tenant))

    assert (now, backend.run(now_of_snapshot(database, api.tenant))) == (start, start)
    assert real_now < start


def test_live_time_stays_real(api, backend, database, start):
    now, real_now = backend.run(now_of(database, Tenant(api.org_id, is_test=False)))

    assert now == real_now < start


def test_work_on_the_way_is_done_at_its_instants_in_order(api, start):
    early, late = Diary(start + DAY, start + 3 * DAY), Diary(start + 2 * DAY, start + 9 * DAY)
    send(api, start + 4 * DAY)

    advance(api, late, early)

    assert early.done == [start + DAY, start + 3 * DAY]
    assert late.done == [start + 2 * DAY]
    assert read(api).now == start + 4 * DAY


def test_what_is_overdue_is_done_before_the_clock_moves(api, start):
    diary = Diary(start - DAY)
    send(api, start + DAY)

    advance(api, diary)

    assert diary.done == [start]


def test_what_is_due_at_the_target_is_done(api, start):
    diary = Diary(start + DAY)
    send(api, start + DAY)

    advance(api, diary)

    assert diary.done == [start + DAY]


def test_work_made_by_other_work_at_its_instant_is_done_there(api, start):
    made = Diary()
    send(api, start + 2 * DAY)

    advance(api, made, FollowUp(made, start + DAY))

    assert made.done == [start + DAY]


def test_an_interrupted_advance_goes_on_where_it_was(api, backend, database, start):
    diary = Diary(start + DAY, start + 2 * DAY)
    send(api, start + 3 * DAY)
    more = backend.run(tenancy.advance_some(database, api.tenant, (diary,)))
    on_the_way = read(api)

    advance(api, diary)

    assert (more, on_the_way.now, on_the_way.status) == (True, start + DAY, "advancing")
    assert diary.done == [start + DAY, start + 2 * DAY]


def test_two_runners_at_once_arrive_together_and_never_go_back(api, backend, database, start):
    diary = Diary(*(start + hours * timedelta(hours=1) for hours in range(1, 20)))
    send(api, start + DAY)

    backend.run(advanced_by_two(database, api.tenant, (diary,)))

    assert diary.done == sorted(diary.done)
    assert (diary.due, read(api).now, read(api).status) == ([], start + DAY, "ready")


def test_of_two_runners_one_works_and_the_other_waits(api, backend, database, start):
    slow = Slow(2, start + timedelta(hours=1), start + timedelta(hours=2))
    send(api, start + DAY)

    backend.run(advanced_by_two(database, api.tenant, (slow,)))

    assert (read(api).now, read(api).status, read(api).failure) == (start + DAY, "ready", "")
    assert slow.done == [start + timedelta(hours=1), start + timedelta(hours=2)]
    assert slow.runs == 2


async def renewed(database, tenant, clock):
    """Return when a runner has said that it is alive, by the present time."""
    until = clock.now()
    while until <= clock.now() + test_clock.LEFT_BEHIND_AFTER - timedelta(seconds=5):
        async with database.transaction(tenant) as tx:
            until = await tx.connection.fetchval("SELECT runner_until FROM test_clocks")


def test_the_worker_leaves_a_clock_whose_runner_is_alive(
    api, backend, database, start, monkeypatch
):
    monkeypatch.setattr(test_clock, "RENEW_SECONDS", 0.05)
    slow = Slow(3, start + timedelta(hours=1))
    send(api, start + DAY)

    async def beside_the_worker():
        advancing = asyncio.create_task(tenancy.advance(database, api.tenant, (slow,)))
        await slow.begun.wait()
        backend.clock.advance(seconds=9)
        await renewed(database, api.tenant, backend.clock)
        backend.clock.advance(seconds=9)
        await tenancy.keep_up(database, api.tenant, (slow,))
        while_slow = slow.runs
        await advancing
        return while_slow

    assert backend.run(beside_the_worker()) == 1
    assert (slow.runs, read(api).now, read(api).status) == (1, start + DAY, "ready")


def test_a_runner_that_died_is_followed_by_the_next_after_ten_seconds(
    api, backend, database, start
):
    diary = Diary(start + DAY)
    send(api, start + 2 * DAY)
    backend.sql(
        "UPDATE test_clocks SET runner_id = gen_random_uuid(), runner_until = $2, steps = 99"
        " WHERE org_id = $1",
        api.org_id,
        backend.clock.now() + timedelta(seconds=10),
    )
    backend.clock.advance(seconds=9)
    backend.run(tenancy.keep_up(database, api.tenant, (diary,)))
    waiting = read(api).status
    backend.clock.advance(seconds=1)

    backend.run(tenancy.keep_up(database, api.tenant, (diary,)))

    assert (waiting, read(api).status, diary.done) == ("advancing", "ready", [start + DAY])


def test_what_others_hold_for_a_while_is_waited_for(api, start, monkeypatch):
    monkeypatch.setattr(test_clock, "HELD_SECONDS", 0.001)
    held = HeldByOthers(STEPS_AT_ONE_INSTANT_MAX - 1, start + DAY)
    send(api, start + 2 * DAY)

    advance(api, held)

    assert (read(api).status, held.done) == ("ready", [start + DAY])


def test_others_are_given_time_to_let_go():
    pauses = STEPS_AT_ONE_INSTANT_MAX - test_clock.PROMPT_STEPS

    assert pauses * test_clock.HELD_SECONDS > STATEMENT_TIMEOUT_SECONDS


def test_a_clock_that_can_not_find_what_is_due_says_so(api, start):
    send(api, start + 2 * DAY)

    advance(api, Unreadable())

    assert (read(api).now, read(api).status) == (start, "failed")
    assert read(api).failure == "internal error"


def test_work_that_stays_due_stops_the_clock(api, start, monkeypatch):
    monkeypatch.setattr(test_clock, "HELD_SECONDS", 0)
    stubborn = NeverDone(start + DAY)
    send(api, start + 2 * DAY)

    advance(api, stubborn)

    stopped = read(api)
    assert (stopped.now, stopped.status) == (start + DAY, "failed")
    assert "stays due" in stopped.failure
    assert len(stubborn.done) == STEPS_AT_ONE_INSTANT_MAX


def test_a_fault_stops_the_clock_and_advancing_tries_again(api, start):
    send(api, start + 2 * DAY)
    advance(api, Failing(start + DAY))
    stopped = read(api)
    diary = Diary(start + DAY)

    send(api, start + 2 * DAY)
    advance(api, diary)

    assert (stopped.status, stopped.failure) == ("failed", "internal error")
    assert diary.done == [start + DAY]
    assert (read(api).now, read(api).status) == (start + 2 * DAY, "ready")


def test_the_worker_takes_on_a_clock_that_nobody_moves(api, backend, database, start):
    diary = Diary(start + DAY)
    send(api, start + 2 * DAY)
    backend.run(tenancy.keep_up(database, api.tenant, (diary,)))
    waiting = read(api).status
    backend.clock.advance(seconds=10)

    backend.run(tenancy.keep_up(database, api.tenant, (diary,)))

    assert (waiting, read(api).status, diary.done) == ("advancing", "ready", [start + DAY])


def test_the_worker_does_what_becomes_due_where_the_clock_stands(api, backend, database, start):
    diary = Diary(start, start + DAY)

    backend.run(tenancy.keep_up(database, api.tenant, (diary,)))

    assert diary.done == [start]


@pytest.mark.usefixtures("start")
def test_workers_find_the_tenants_whose_clock_is_set(api, backend, database):
    tenants = backend.run(tenancy.tenants_with_test_clock(database))

    assert api.tenant in tenants


def test_a_clock_on_its_way_is_not_sent_elsewhere(api, start):
    send(api, start + DAY)

    with pytest.raises(DomainError, match="on its way"):
        send(api, start + 2 * DAY)


@pytest.mark.usefixtures("start")
def test_the_database_refuses_a_clock_that_goes_back(api, backend):
    with pytest.raises(asyncpg.CheckViolationError, match="does not go back"):
        backend.sql(
            "UPDATE test_clocks SET now_at = now_at - interval '1 second' WHERE org_id = $1",
            api.org_id,
        )


@pytest.mark.usefixtures("start")
@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("target_at = now_at - interval '1 second'", "test_clocks_target_lies_ahead"),
        ("now_at = NULL, target_at = now()", "test_clocks_target_lies_ahead"),
        ("target_at = now_at, failure = 'x'", "test_clocks_failed_stands_still"),
        ("steps = -1", "test_clocks_counts_not_negative"),
        ("runner_id = gen_random_uuid()", "test_clocks_runner_is_whole"),
        ("runner_until = now()", "test_clocks_runner_is_whole"),
    ],
)
def test_the_database_refuses_a_clock_in_two_minds(api, backend, change, constraint):
    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        backend.sql(f"UPDATE test_clocks SET {change} WHERE org_id = $1", api.org_id)

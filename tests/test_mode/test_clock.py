"""Test time stands still until it is advanced, and lets everything on its way happen once."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from monigo import test_mode
from monigo.bootstrap import TASKS
from monigo.core.errors import DomainError
from monigo.infra import agenda
from monigo.infra.agenda import Follows
from monigo.infra.db import Tenant
from monigo.infra.db.database import STATEMENT_TIMEOUT_SECONDS
from monigo.test_mode import clock as test_clock
from monigo.test_mode.clock import STEPS_AT_ONE_INSTANT_MAX
from support.agenda import Diary, entries, put, work

DAY = timedelta(days=1)


class Slow(Diary):
    """Work that takes its time."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds
        self.begun = asyncio.Event()

    async def work(self, tx, entries):
        self.begun.set()
        await asyncio.sleep(self.seconds)
        return await super().work(tx, entries)


class HeldByOthers(Diary):
    """Work that others hold for so many tries."""

    def __init__(self, tries):
        super().__init__()
        self.tries_left = tries

    async def work(self, tx, entries):
        self.tries_left -= 1
        if self.tries_left >= 0:
            return [entry.subject for entry in entries]
        return await super().work(tx, entries)


class FollowUp(Diary):
    """Its work makes work of another kind at the same instant."""

    def __init__(self, other):
        super().__init__()
        self.other = other

    async def work(self, tx, entries):
        await agenda.put(tx, self.other.kind, {uuid4(): entry.due_at for entry in entries})
        return await super().work(tx, entries)


@pytest.fixture
def database(backend):
    return backend.services.database


@pytest.fixture
def start(api, backend):
    """An instant at which the tenant's clock was set and stands."""
    to = backend.clock.now() + DAY
    send(api, to)
    backend.run(test_mode.advance(backend.services.database, api.tenant, TASKS))
    return to


async def now_of(database, tenant):
    async with database.transaction(tenant) as tx:
        return tx.now, tx.real_now


async def now_of_snapshot(database, tenant):
    async with database.snapshot(tenant) as tx:
        return tx.now


async def started(database, tenant, to):
    async with database.transaction(tenant) as tx:
        return await test_mode.start_advance(tx, to)


async def reading(database, tenant):
    async with database.transaction(tenant) as tx:
        return await test_mode.read_test_clock(tx)


async def advanced_by_two(database, tenant, *diaries):
    tasks = [diary.task for diary in diaries]
    await asyncio.gather(*(test_mode.advance(database, tenant, tasks) for _ in range(2)))


def send(api, to):
    return api.backend.run(started(api.backend.services.database, api.tenant, to))


def read(api):
    return api.backend.run(reading(api.backend.services.database, api.tenant))


def advance(api, *diaries):
    tasks = [diary.task for diary in diaries]
    api.backend.run(test_mode.advance(api.backend.services.database, api.tenant, tasks))


def look(api, *diaries):
    """What a worker does that finds a clock on the agenda."""
    task = test_mode.keep_clocks([diary.task for diary in diaries])
    api.backend.run(agenda.work_off(api.backend.services.database, task, api.tenant))


def due(api, diary, *instants):
    """Put work on the agenda, due at these instants."""
    return put(api.backend, api.tenant, diary.kind, *instants)


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
    early, late = Diary(), Diary()
    due(api, early, start + DAY, start + 3 * DAY)
    due(api, late, start + 2 * DAY, start + 9 * DAY)
    send(api, start + 4 * DAY)

    advance(api, late, early)

    assert early.instants == [start + DAY, start + 3 * DAY]
    assert late.instants == [start + 2 * DAY]
    assert read(api).now == start + 4 * DAY


def test_at_one_instant_kinds_are_worked_off_in_their_order(api, start):
    told = []

    class Told(Diary):
        async def work(self, tx, entries):
            told.append(self)
            return await super().work(tx, entries)

    kinds = [Told() for _ in range(3)]
    for diary in reversed(kinds):
        due(api, diary, start + DAY)
    send(api, start + 2 * DAY)

    advance(api, *kinds)

    assert told == kinds


def test_what_is_overdue_is_done_before_the_clock_moves(api, start):
    diary = Diary()
    due(api, diary, start - DAY)
    send(api, start + DAY)

    advance(api, diary)

    assert diary.instants == [start]


def test_what_is_due_at_the_target_is_done(api, start):
    diary = Diary()
    due(api, diary, start + DAY)
    send(api, start + DAY)

    advance(api, diary)

    assert diary.instants == [start + DAY]


def test_work_made_by_other_work_at_its_instant_is_done_there(api, start):
    made = Diary()
    maker = FollowUp(made)
    due(api, maker, start + DAY)
    send(api, start + 2 * DAY)

    advance(api, made, maker)

    assert made.instants == [start + DAY]


def test_an_interrupted_advance_goes_on_where_it_was(api, backend, database, start):
    diary = Diary()
    due(api, diary, start + DAY, start + 2 * DAY)
    send(api, start + 3 * DAY)
    more = backend.run(test_mode.advance_some(database, api.tenant, (diary.task,)))
    on_the_way = read(api)

    advance(api, diary)

    assert (more, on_the_way.now, on_the_way.status) == (True, start + DAY, "advancing")
    assert diary.instants == [start + DAY, start + 2 * DAY]


def test_two_runners_at_once_arrive_together_and_never_go_back(api, backend, database, start):
    diary = Diary()
    due(api, diary, *(start + hours * timedelta(hours=1) for hours in range(1, 20)))
    send(api, start + DAY)

    backend.run(advanced_by_two(database, api.tenant, diary))

    assert diary.instants == sorted(diary.instants)
    assert len(diary.done) == 19
    assert (read(api).now, read(api).status) == (start + DAY, "ready")


def test_of_two_runners_one_works_and_the_other_waits(api, backend, database, start):
    slow = Slow(2)
    due(api, slow, start + timedelta(hours=1), start + timedelta(hours=2))
    send(api, start + DAY)

    backend.run(advanced_by_two(database, api.tenant, slow))

    assert (read(api).now, read(api).status, read(api).failure) == (start + DAY, "ready", "")
    assert slow.instants == [start + timedelta(hours=1), start + timedelta(hours=2)]


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
    slow = Slow(3)
    due(api, slow, start + timedelta(hours=1))
    send(api, start + DAY)

    async def beside_the_worker():
        advancing = asyncio.create_task(test_mode.advance(database, api.tenant, (slow.task,)))
        await slow.begun.wait()
        backend.clock.advance(seconds=9)
        await renewed(database, api.tenant, backend.clock)
        backend.clock.advance(seconds=9)
        task = test_mode.keep_clocks((slow.task,))
        await agenda.work_off(database, task, api.tenant)
        on_its_way = await reading(database, api.tenant)
        await advancing
        return on_its_way.status

    assert backend.run(beside_the_worker()) == "advancing"
    assert (len(slow.slices), read(api).now, read(api).status) == (1, start + DAY, "ready")


def test_a_runner_that_died_is_followed_by_the_next_after_ten_seconds(api, backend, start):
    diary = Diary()
    due(api, diary, start + DAY)
    send(api, start + 2 * DAY)
    backend.sql(
        "UPDATE test_clocks SET runner_id = gen_random_uuid(), runner_until = $2, steps = 99"
        " WHERE org_id = $1",
        api.org_id,
        backend.clock.now() + timedelta(seconds=10),
    )
    backend.clock.advance(seconds=9)
    look(api, diary)
    waiting = read(api).status
    backend.clock.advance(seconds=1)

    look(api, diary)

    assert (waiting, read(api).status, diary.instants) == ("advancing", "ready", [start + DAY])


def test_what_others_hold_for_a_while_is_waited_for(api, start, monkeypatch):
    monkeypatch.setattr(test_clock, "HELD_SECONDS", 0.001)
    held = HeldByOthers(STEPS_AT_ONE_INSTANT_MAX - 1)
    due(api, held, start + DAY)
    send(api, start + 2 * DAY)

    advance(api, held)

    assert (read(api).status, held.instants) == ("ready", [start + DAY])


def test_others_are_given_time_to_let_go():
    pauses = STEPS_AT_ONE_INSTANT_MAX - test_clock.PROMPT_STEPS

    assert pauses * test_clock.HELD_SECONDS > STATEMENT_TIMEOUT_SECONDS


def test_a_clock_that_can_not_find_what_is_due_says_so(api, start, monkeypatch):
    async def fail(*_):
        raise ValueError("a fault of ours")

    monkeypatch.setattr(agenda, "next_due", fail)
    send(api, start + 2 * DAY)

    advance(api)

    assert (read(api).now, read(api).status) == (start, "failed")
    assert read(api).failure == "internal error"


def test_work_that_stays_due_stops_the_clock(api, start, monkeypatch):
    monkeypatch.setattr(test_clock, "HELD_SECONDS", 0)
    stubborn = HeldByOthers(1_000)
    due(api, stubborn, start + DAY)
    send(api, start + 2 * DAY)

    advance(api, stubborn)

    stopped = read(api)
    assert (stopped.now, stopped.status) == (start + DAY, "failed")
    assert "stays due" in stopped.failure
    assert 1_000 - stubborn.tries_left == STEPS_AT_ONE_INSTANT_MAX


def test_a_clock_that_stopped_leaves_what_is_due_to_the_workers(api, backend, start, monkeypatch):
    monkeypatch.setattr(test_clock, "HELD_SECONDS", 0)
    stubborn = HeldByOthers(STEPS_AT_ONE_INSTANT_MAX)
    due(api, stubborn, start + DAY, start + 3 * DAY)
    send(api, start + 2 * DAY)
    advance(api, stubborn)

    work(backend, api.tenant, stubborn.task)

    assert (read(api).status, stubborn.instants) == ("failed", [start + DAY])


def test_a_fault_is_set_aside_on_the_way_and_tried_again_by_the_clock(api, backend, start):
    diary = Diary()
    (failing,) = due(api, diary, start + DAY)
    (sound,) = due(api, diary, start + 2 * DAY)
    diary.failing.add(failing)
    send(api, start + 2 * DAY)
    advance(api, diary)
    arrived = read(api)
    tries = len([one for one in diary.slices if failing in one])
    diary.failing.clear()

    send(api, start + 4 * DAY)
    advance(api, diary)

    assert (arrived.now, arrived.status) == (start + 2 * DAY, "ready")
    assert tries > 3
    assert diary.subjects == [sound, failing]
    assert entries(backend, api.tenant, diary.kind) == []


def test_the_worker_takes_on_a_clock_that_nobody_moves(api, backend, start):
    diary = Diary()
    due(api, diary, start + DAY)
    send(api, start + 2 * DAY)
    look(api, diary)
    waiting = read(api).status
    backend.clock.advance(seconds=10)

    look(api, diary)

    assert (waiting, read(api).status, diary.instants) == ("advancing", "ready", [start + DAY])
    assert entries(backend, api.tenant, test_clock.TEST_CLOCK) == []


def test_the_worker_goes_round_by_round_with_a_long_way(api, backend, start, monkeypatch):
    monkeypatch.setattr(test_clock, "STEPS_A_ROUND", 2)
    diary = Diary()
    due(api, diary, *(start + hours * timedelta(hours=1) for hours in range(1, 8)))
    send(api, start + DAY)
    backend.clock.advance(seconds=10)

    look(api, diary)

    assert (len(diary.done), read(api).status) == (7, "ready")


def test_workers_do_what_is_due_where_the_clock_stands(api, backend, start):
    diary = Diary()
    due(api, diary, start - DAY, start, start + DAY)
    (_, _, later) = entries(backend, api.tenant, diary.kind)

    work(backend, api.tenant, diary.task)

    assert diary.instants == [start, start]
    assert later["runs_at"].year == 9999


def test_workers_leave_what_follows_a_clock_on_its_way_to_its_runner(api, backend, start):
    following, real = Diary(), Diary(Follows.REAL)
    due(api, following, start)
    due(api, real, backend.clock.now())
    send(api, start + 2 * DAY)

    for diary in (following, real):
        due(api, diary, start - DAY if diary is following else backend.clock.now())
        work(backend, api.tenant, diary.task)
    on_the_way = list(following.done)
    advance(api, following, real)

    assert (on_the_way, len(real.done)) == ([], 2)
    assert following.instants == [start, start]


def test_what_was_put_before_the_clock_was_set_waits_for_it(api, backend):
    diary = Diary()
    now = backend.clock.stand_still()
    due(api, diary, now + timedelta(hours=1), now + 3 * DAY)
    send(api, now + DAY)
    advance(api, diary)
    at_first = list(diary.instants)
    backend.clock.advance(days=4)

    work(backend, api.tenant, diary.task)

    assert at_first == diary.instants == [now + timedelta(hours=1)]


def test_nothing_is_put_behind_the_back_of_a_moving_clock(api, backend, database, start):
    diary = Diary()
    late = uuid4()

    async def put_while_it_moves():
        async with database.transaction(api.tenant) as tx:
            await agenda.put(tx, diary.kind, {late: start + DAY})
            moving = asyncio.create_task(test_mode.advance(database, api.tenant, (diary.task,)))
            await asyncio.sleep(0.3)
            assert not moving.done()
        await moving

    send(api, start + 2 * DAY)
    backend.run(put_while_it_moves())

    assert diary.done == [(start + DAY, late)]


def test_a_clock_on_its_way_is_not_sent_elsewhere(api, start):
    send(api, start + DAY)

    with pytest.raises(DomainError, match="on its way"):
        send(api, start + 2 * DAY)


def test_of_two_that_send_a_clock_at_once_one_is_refused(api, backend, start):
    database = backend.services.database

    async def send_in_turn():
        async with database.transaction(api.tenant) as second:
            async with database.transaction(api.tenant) as first:
                await test_mode.start_advance(first, start + DAY)
                # It has seen a clock that stands, and waits for the row of it.
                other = asyncio.create_task(test_mode.start_advance(second, start + 2 * DAY))
                await asyncio.sleep(0.3)
                assert not other.done()
            await other

    with pytest.raises(DomainError, match="on its way"):
        backend.run(send_in_turn())

    assert backend.sql("SELECT target_at FROM test_clocks WHERE org_id = $1", api.org_id) == [
        (start + DAY,)
    ]


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

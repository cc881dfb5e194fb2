"""The agenda: what is due is done once and in time, and what fails stops nothing else."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from monigo.core.paging import PageRequest
from monigo.infra import agenda
from monigo.infra.agenda import BackOff, Follows
from monigo.infra.agenda.work import work_some
from support.agenda import Diary, entries, put, put_again, waiting, work
from support.api import Api

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def tenant(api):
    return api.tenant


@pytest.fixture
def now(tenant, backend):
    """The present instant, which stays; the clock goes on when the tenant's test is over."""
    assert tenant
    return backend.clock.stand_still()


@pytest.fixture
def database(backend):
    return backend.services.database


async def set_aside(database, tenant):
    async with database.transaction(tenant) as tx:
        return (await agenda.list_set_aside(tx, PageRequest())).items


def test_what_is_due_is_done_once_and_leaves_the_agenda(backend, tenant, now):
    diary = Diary()
    early, late, future = put(backend, tenant, diary.kind, now - HOUR, now, now + HOUR)

    for _ in range(2):
        work(backend, tenant, diary.task)

    assert diary.subjects == [early, late]
    assert waiting(backend, tenant, diary.kind) == [future]


def test_a_slice_is_as_large_as_its_kind_says(backend, tenant, now):
    diary = Diary(size=2)
    put(backend, tenant, diary.kind, *[now] * 5)

    work(backend, tenant, diary.task)

    assert [len(one) for one in diary.slices] == [2, 2, 1]


def test_what_is_put_anew_replaces_what_was_there(backend, tenant, now):
    diary = Diary()
    (subject,) = put(backend, tenant, diary.kind, now)

    (before,) = entries(backend, tenant, diary.kind)
    put_again(backend, tenant, diary.kind, {subject: now + HOUR})
    work(backend, tenant, diary.task)

    (after,) = entries(backend, tenant, diary.kind)
    assert (diary.done, after["due_at"]) == ([], now + HOUR)
    assert after["version"] != before["version"]


def test_what_is_put_unless_it_is_there_stays_as_it_was(backend, database, tenant, now):
    diary = Diary()
    (subject,) = put(backend, tenant, diary.kind, now + HOUR)

    async def put_more():
        async with database.transaction(tenant) as tx:
            await agenda.put_unless_there(tx, diary.kind, subject, now)

    backend.run(put_more())

    (entry,) = entries(backend, tenant, diary.kind)
    assert entry["due_at"] == now + HOUR


def test_what_is_canceled_is_not_done(backend, database, tenant, now):
    diary = Diary()
    gone, kept = put(backend, tenant, diary.kind, now, now)

    async def cancel():
        async with database.transaction(tenant) as tx:
            await agenda.cancel(tx, diary.kind, [gone])

    backend.run(cancel())
    work(backend, tenant, diary.task)

    assert diary.subjects == [kept]


def test_what_a_transaction_puts_that_fails_never_was(backend, database, tenant, now):
    diary = Diary()

    async def put_and_fail():
        async with database.transaction(tenant) as tx:
            await agenda.put(tx, diary.kind, {uuid4(): now})
            raise ConnectionError("failed")

    with pytest.raises(ConnectionError):
        backend.run(put_and_fail())

    assert waiting(backend, tenant, diary.kind) == []


def test_work_may_put_itself_on_the_agenda_again(backend, tenant, now):
    diary = Diary()
    (subject,) = put(backend, tenant, diary.kind, now)
    diary.following[subject] = HOUR

    work(backend, tenant, diary.task)

    (entry,) = entries(backend, tenant, diary.kind)
    assert (diary.subjects, entry["due_at"]) == ([subject], now + HOUR)


def test_work_may_cancel_itself_and_put_itself_again(backend, tenant, now):
    diary = Diary()
    (subject,) = put(backend, tenant, diary.kind, now)

    async def cancel_and_put(tx, seen):
        await agenda.cancel(tx, diary.kind, [subject])
        await agenda.put(tx, diary.kind, {subject: now + HOUR})
        return await diary.work(tx, seen)

    work(backend, tenant, diary.doing(cancel_and_put))

    (entry,) = entries(backend, tenant, diary.kind)
    assert (diary.subjects, entry["due_at"]) == ([subject], now + HOUR)


def test_what_others_are_at_stays_due(backend, tenant, now):
    diary = Diary()
    held, free = put(backend, tenant, diary.kind, now, now)
    diary.busy.add(held)
    work(backend, tenant, diary.task)
    at_first = set(diary.subjects)
    diary.busy.clear()

    work(backend, tenant, diary.task)

    assert (at_first, diary.subjects) == ({free}, [free, held])


def test_one_that_fails_is_set_aside_and_stops_no_other(backend, database, tenant, now):
    flagged = []

    async def flag(_tx, subject, reason):
        flagged.append((subject, reason))

    diary = Diary(flag=flag)
    subjects = put(backend, tenant, diary.kind, now, now, now)
    failing = subjects[1]
    diary.failing.add(failing)

    work(backend, tenant, diary.task)

    told = backend.run(set_aside(database, tenant))
    assert set(diary.subjects) == set(subjects) - {failing}
    assert [(one.kind, one.subject, one.attempts, one.due_at) for one in told] == [
        (diary.kind.name, failing, 1, now + MINUTE)
    ]
    assert flagged == [(failing, told[0].reason)] != [(failing, "")]


def test_a_fault_of_ours_is_not_told_in_its_own_words(backend, database, tenant, now):
    diary = Diary()
    put(backend, tenant, diary.kind, now)
    diary.failing = None  # Nothing can be looked up in it.

    work(backend, tenant, diary.task)

    assert [one.reason for one in backend.run(set_aside(database, tenant))] == ["internal error"]


def test_what_failed_is_tried_again_ever_later_and_then_no_more(backend, tenant, now):
    diary = Diary(back_off=BackOff(first=MINUTE, most=3 * MINUTE, attempts_max=4))
    (failing,) = put(backend, tenant, diary.kind, now)
    diary.failing.add(failing)
    tried = []
    for minute in range(30):
        before = len(diary.slices)
        work(backend, tenant, diary.task)
        tried += [minute] * (len(diary.slices) > before)
        backend.clock.advance(minutes=1)

    (entry,) = entries(backend, tenant, diary.kind)
    assert tried == [0, 1, 3, 6]
    assert (entry["attempts"], entry["due_at"].year) == (4, 9999)


def test_what_failed_is_due_afresh_when_it_is_put_anew(backend, database, tenant, now):
    diary = Diary()
    (failing,) = put(backend, tenant, diary.kind, now)
    diary.failing.add(failing)
    work(backend, tenant, diary.task)
    diary.failing.clear()

    put_again(backend, tenant, diary.kind, {failing: now})
    told = backend.run(set_aside(database, tenant))
    work(backend, tenant, diary.task)

    assert (told, diary.subjects) == ([], [failing])


def test_what_is_put_anew_while_it_is_worked_on_is_done_again(backend, database, tenant, now):
    diary = Diary()
    (subject,) = put(backend, tenant, diary.kind, now)

    async def beside():
        begun, may_end = asyncio.Event(), asyncio.Event()

        async def slowly(tx, seen):
            begun.set()
            await may_end.wait()
            return await diary.work(tx, seen)

        working = asyncio.create_task(agenda.work_off(database, diary.doing(slowly), tenant))
        await begun.wait()
        putting = asyncio.create_task(_put(database, tenant, diary.kind, {subject: now}))
        await asyncio.sleep(0.05)
        may_end.set()
        await asyncio.gather(working, putting)

    backend.run(beside())
    work(backend, tenant, diary.task)

    assert (diary.subjects, waiting(backend, tenant, diary.kind)) == ([subject] * 2, [])


async def _put(database, tenant, kind, due):
    async with database.transaction(tenant) as tx:
        await agenda.put(tx, kind, due)


def test_what_is_put_anew_as_it_fails_is_not_set_aside(backend, database, tenant, now):
    diary = Diary()
    (subject,) = put(backend, tenant, diary.kind, now)
    calls, putting = [], []

    async def fail(_tx, _entries):
        calls.append(subject)
        if len(calls) == 2:  # alone
            putting.append(asyncio.create_task(_put(database, tenant, diary.kind, {subject: now})))
            await asyncio.sleep(0.05)
        raise ValueError("at fault")

    async def fail_beside():
        await work_some(database, diary.doing(fail), tenant, asyncio.Event())
        await asyncio.gather(*putting)

    backend.run(fail_beside())

    (entry,) = entries(backend, tenant, diary.kind)
    assert (len(calls), entry["attempts"], entry["due_at"]) == (2, 0, now)


def test_two_workers_do_nothing_twice(backend, database, tenant, now):
    diary = Diary(size=3)
    subjects = put(backend, tenant, diary.kind, *[now] * 60)

    async def together():
        await asyncio.gather(*(agenda.work_off(database, diary.task, tenant) for _ in range(4)))

    backend.run(together())

    assert sorted(diary.subjects) == sorted(subjects)


def test_a_worker_that_dies_leaves_nothing_half(backend, database, tenant, now):
    diary = Diary()
    (subject,) = put(backend, tenant, diary.kind, now)
    follow_up = Diary()

    async def die(tx, _entries):
        await agenda.put(tx, follow_up.kind, {uuid4(): now})
        await tx.connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
        backend.run(agenda.work_off(database, diary.doing(die), tenant))
    halves = waiting(backend, tenant, follow_up.kind)
    work(backend, tenant, diary.task)

    assert (halves, diary.subjects) == ([], [subject])


def test_others_locks_are_waited_for_and_nothing_is_set_aside(backend, database, tenant, now):
    diary = Diary()
    held, free = put(backend, tenant, diary.kind, now, now)

    async def locked_out(tx, seen):
        if held in {entry.subject for entry in seen}:
            raise asyncpg.LockNotAvailableError("canceling statement due to lock timeout")
        return await diary.work(tx, seen)

    async def once():
        stop = asyncio.Event()
        await work_some(database, diary.doing(locked_out), tenant, stop)

    backend.run(once())
    (entry,) = entries(backend, tenant, diary.kind)

    assert diary.subjects == [free]
    assert (entry["subject"], entry["attempts"], entry["due_at"]) == (held, 0, now)


def test_a_statement_that_takes_too_long_is_a_fault_of_its_entry(backend, database, tenant, now):
    diary = Diary()
    slow, quick = put(backend, tenant, diary.kind, now, now)

    async def work_slowly(tx, seen):
        if slow in {entry.subject for entry in seen}:
            raise asyncpg.QueryCanceledError("canceling statement due to statement timeout")
        return await diary.work(tx, seen)

    backend.run(agenda.work_off(database, diary.doing(work_slowly), tenant))

    (told,) = backend.run(set_aside(database, tenant))
    assert diary.subjects == [quick]
    assert (told.subject, told.reason) == (slow, "took too long")


def test_a_database_that_is_away_sets_nothing_aside(backend, database, tenant, now):
    diary = Diary()
    put(backend, tenant, diary.kind, now)

    async def away(_tx, _entries):
        raise asyncpg.CannotConnectNowError("the database system is starting up")

    with pytest.raises(asyncpg.CannotConnectNowError):
        backend.run(agenda.work_off(database, diary.doing(away), tenant))

    assert backend.run(set_aside(database, tenant)) == []


@pytest.mark.parametrize("follows", Follows)
def test_live_work_goes_by_real_time(backend, api, now, follows):
    diary = Diary(follows)
    with Api.of(backend, api.org_id, is_test=False) as live:
        put(backend, live.tenant, diary.kind, now + HOUR)
        (entry,) = entries(backend, live.tenant, diary.kind)
        work(backend, live.tenant, diary.task)
        at_first = list(diary.done)
        backend.clock.advance(hours=1)
        work(backend, live.tenant, diary.task)

    assert (entry["runs_at"], at_first, diary.instants) == (now + HOUR, [], [now + HOUR])


def test_a_tenant_sees_only_its_own_agenda(backend, api, now):
    diary = Diary()
    (own,) = put(backend, api.tenant, diary.kind, now)
    with Api.of_new_organization(backend) as other:
        put(backend, other.tenant, diary.kind, now)

    work(backend, api.tenant, diary.task)

    assert diary.subjects == [own]


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("version = 0", "agenda_version_positive"),
        ("attempts = -1, reason = 'x'", "agenda_attempts_not_negative"),
        ("attempts = 1", "agenda_set_aside_says_why"),
        ("reason = 'x'", "agenda_set_aside_says_why"),
        ("attempts = 1, reason = repeat('x', 501)", "agenda_reason_is_short"),
        ("due_at = 'infinity'", "agenda_never_due_never_runs"),
    ],
)
def test_the_database_refuses_an_entry_in_two_minds(backend, tenant, now, change, constraint):
    put(backend, tenant, Diary().kind, now)

    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        backend.sql(f"UPDATE agenda SET {change} WHERE org_id = $1", tenant.org_id)

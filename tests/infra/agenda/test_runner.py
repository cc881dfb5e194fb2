"""The worker's runner: it finds whose work is due, serves tenants in turn, and forgets none."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from monigo.infra import agenda
from monigo.infra.agenda import store
from support.agenda import Diary, entries, put, run_until, waiting
from support.api import Api

HOUR = timedelta(hours=1)


@pytest.fixture
def two(backend, api):
    """Two tenants, in an order of their own."""
    with Api.of_new_organization(backend) as other:
        yield api.tenant, other.tenant


@pytest.fixture
def now(backend):
    return backend.clock.now()


def test_due_work_of_all_tenants_is_found_and_done(backend, two, now):
    diary = Diary()
    subjects = [put(backend, tenant, diary.kind, now)[0] for tenant in two]
    later = [put(backend, tenant, diary.kind, now + HOUR)[0] for tenant in two]

    backend.run(run_until(backend, [diary.task], lambda: len(diary.done) == 2))

    assert sorted(diary.subjects) == sorted(subjects)
    assert sorted(one for each in two for one in waiting(backend, each, diary.kind)) == sorted(
        later
    )


def test_what_fails_in_one_organisation_stops_no_other(backend, two, now):
    diary, other = Diary(), Diary()
    at_fault, sound = two
    (failing,) = put(backend, at_fault, diary.kind, now - HOUR)
    (own,) = put(backend, at_fault, other.kind, now)
    (theirs,) = put(backend, sound, diary.kind, now)
    diary.failing.add(failing)

    def is_done():
        return theirs in diary.subjects and own in other.subjects

    backend.run(run_until(backend, [diary.task, other.task], is_done))

    (entry,) = entries(backend, at_fault, diary.kind)
    assert (entry["subject"], entry["attempts"], entry["reason"] != "") == (failing, 1, True)


def test_a_tenant_with_much_lets_the_others_have_their_turn(backend, two, now):
    much, little = two
    diary = Diary(size=1, concurrency=1)
    many = put(backend, much, diary.kind, *[now - HOUR] * 8)
    few = put(backend, little, diary.kind, now, now)

    backend.run(run_until(backend, [diary.task], lambda: len(diary.done) == 10))

    places = sorted(diary.subjects.index(one) for one in few)
    assert set(diary.subjects) == {*many, *few}
    assert places[0] <= 1
    assert places[1] <= 4


def test_one_kind_does_not_wait_for_another(backend, two, now):
    slow, quick = Diary(concurrency=1), Diary()
    ended = asyncio.Event()

    async def wait_for_the_other(_tx, _entries):
        await asyncio.wait_for(ended.wait(), 5)
        return ()

    put(backend, two[0], slow.kind, now)
    put(backend, two[0], quick.kind, now)

    def is_done():
        if quick.done:
            ended.set()
        return ended.is_set()

    tasks = [slow.doing(wait_for_the_other), quick.task]
    backend.run(run_until(backend, tasks, is_done))

    assert len(quick.done) == 1


def test_slices_of_all_kinds_together_share_the_slots(backend, two, now):
    under_way, most = [], set()
    diaries = [Diary(size=1, concurrency=4) for _ in range(2)]

    def busy(diary):
        async def work(tx, seen):
            under_way.append(diary)
            most.add(len(under_way))
            await asyncio.sleep(0.01)
            under_way.remove(diary)
            return await diary.work(tx, seen)

        return diary.doing(work)

    for diary in diaries:
        put(backend, two[0], diary.kind, *[now] * 12)

    def is_done():
        return sum(len(diary.done) for diary in diaries) == 24

    backend.run(run_until(backend, [busy(diary) for diary in diaries], is_done, slots=3))

    assert max(most) == 3


def test_lanes_of_a_kind_are_no_more_than_it_says(backend, two, now):
    under_way, most = [], set()
    diary = Diary(size=1, concurrency=2)

    async def work(tx, seen):
        under_way.append(seen)
        most.add(len(under_way))
        await asyncio.sleep(0.01)
        under_way.remove(seen)
        return await diary.work(tx, seen)

    put(backend, two[0], diary.kind, *[now] * 12)

    backend.run(run_until(backend, [diary.doing(work)], lambda: len(diary.done) == 12))

    assert max(most) == 2


def test_a_kind_is_looked_for_no_more_often_than_it_says(backend, two, now):
    seldom, often = Diary(every_seconds=3600), Diary(every_seconds=1)
    put(backend, two[0], seldom.kind, now)
    put(backend, two[0], often.kind, now)

    async def put_more(tx, seen):
        if not often.done:
            await agenda.put(tx, often.kind, {uuid4(): now})
            await agenda.put(tx, seldom.kind, {uuid4(): now})
        return await often.work(tx, seen)

    backend.run(run_until(backend, [seldom.task, often.doing(put_more)], lambda: often.done[1:]))

    # What came before the one look is done with it.
    assert len(seldom.slices) == 1


def test_a_database_that_is_away_is_waited_for(backend, two, now, monkeypatch):
    monkeypatch.setattr("monigo.infra.agenda.runner.RETRY_SECONDS", 0.01)
    diary = Diary()
    put(backend, two[0], diary.kind, now)
    asked, found = [], store.tenants_with_due

    async def away_at_first(connection, instant):
        asked.append(instant)
        if len(asked) == 1:
            raise asyncpg.CannotConnectNowError("the database system is starting up")
        return await found(connection, instant)

    monkeypatch.setattr(store, "tenants_with_due", away_at_first)

    backend.run(run_until(backend, [diary.task], lambda: diary.done))

    assert len(asked) == 2


def test_a_stopping_worker_finishes_its_slice_and_begins_no_other(backend, two, now):
    diary = Diary(size=1, concurrency=1)
    begun = []

    async def work(tx, seen):
        begun.append(seen)
        await asyncio.sleep(0.2)
        return await diary.work(tx, seen)

    put(backend, two[0], diary.kind, *[now] * 5)

    backend.run(run_until(backend, [diary.doing(work)], lambda: begun))

    assert len(diary.done) == len(begun) == 1

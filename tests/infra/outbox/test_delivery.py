"""Delivery: a subscriber gets each fact once and in order, and holds up nobody but its subject."""

import asyncio

import pytest

from monigo.bootstrap import REGISTRY
from monigo.cli.verification import verify_tenant
from monigo.infra import outbox
from monigo.infra.facts import Subscriber
from monigo.infra.ids import new_id
from monigo.infra.outbox import delivery
from support.api import Api
from support.facts import (
    Diary,
    database_with,
    deliver,
    deliveries,
    noted,
    report,
    sample,
    written,
)


@pytest.fixture
def tenant(api):
    return api.tenant


@pytest.fixture
def small_slices(monkeypatch):
    monkeypatch.setattr(delivery, "SUBJECTS_MAX", 2)
    monkeypatch.setattr(delivery, "FACTS_OF_A_SUBJECT_MAX", 2)


@pytest.mark.usefixtures("small_slices")
def test_a_subscriber_gets_each_fact_once_a_subjects_in_order(backend, tenant):
    diary = Diary()
    things = [new_id() for _ in range(5)]
    facts = [
        fact
        for place in range(5)
        for thing in things
        for fact in noted(f"{things.index(thing)}{place}", thing_id=thing)
    ]
    report(backend, tenant, facts, diary.subscriber)

    deliver(backend, tenant, diary.subscriber)
    deliver(backend, tenant, diary.subscriber)

    by_thing = [[text for text in diary.entries if text[0] == str(one)] for one in range(5)]
    assert by_thing == [[f"{one}{place}" for place in range(5)] for one in range(5)]
    assert deliveries(backend, tenant) == []


@pytest.mark.usefixtures("small_slices")
def test_several_workers_share_the_facts_and_keep_their_order(backend, tenant):
    diary = Diary()
    things = [new_id() for _ in range(6)]
    facts = [
        fact
        for thing in things
        for fact in noted(*[f"{things.index(thing)}{place}" for place in range(6)], thing_id=thing)
    ]
    report(backend, tenant, facts, diary.subscriber)

    deliver(backend, tenant, diary.subscriber, workers=4)

    by_thing = [[text for text in diary.entries if text[0] == str(one)] for one in range(6)]
    assert by_thing == [[f"{one}{place}" for place in range(6)] for one in range(6)]
    assert len(written(backend, tenant)) == 36


def test_each_subscriber_gets_the_facts_for_itself(backend, tenant):
    one, other = Diary("one"), Diary("other")
    report(backend, tenant, noted("a"), one.subscriber, other.subscriber)

    deliver(backend, tenant, one.subscriber)

    assert (one.entries, other.entries) == (["a"], [])
    assert [row[0] for row in deliveries(backend, tenant)] == ["other"]


def test_what_fails_leaves_nothing_and_is_tried_again_later(backend, tenant):
    diary = Diary(fails_at={"bad"})
    report(backend, tenant, noted("good", "bad", "after"), diary.subscriber)

    deliver(backend, tenant, diary.subscriber)
    deliver(backend, tenant, diary.subscriber)

    assert written(backend, tenant) == ["diary.good"]
    assert deliveries(backend, tenant) == [
        ("diary", 2, 1, "internal error"),
        ("diary", 3, 0, ""),
    ]
    diary.fails_at.clear()
    backend.clock.advance(minutes=1)
    deliver(backend, tenant, diary.subscriber)
    assert diary.entries == ["good", "bad", "after"]
    assert deliveries(backend, tenant) == []


def test_each_failure_waits_longer_than_the_one_before(backend, tenant):
    diary = Diary(fails_at={"bad"})
    report(backend, tenant, noted("bad"), diary.subscriber)

    pauses = []
    for _ in range(4):
        deliver(backend, tenant, diary.subscriber)
        (row,) = backend.sql(
            "SELECT runs_at, attempts FROM outbox_deliveries WHERE org_id = $1", tenant.org_id
        )
        pauses.append(row["runs_at"] - backend.clock.now())
        backend.clock.advance(seconds=pauses[-1].total_seconds() + 1)

    seconds = [round(pause.total_seconds(), -1) for pause in pauses]
    assert row["attempts"] == 4
    assert pauses == sorted(pauses)
    assert seconds[-1] == 40


@pytest.mark.parametrize("name", REGISTRY.subscribers)
def test_a_failing_subscriber_holds_up_one_subject_and_nobody_else(backend, tenant, name):
    """For each subscriber of the product: as it fails at one fact, all others get through."""
    known = REGISTRY.subscribers[name]
    poison, sound = sample(known.facts[0]), sample(known.facts[0])

    async def fail(tx, facts):
        if any(recorded.fact == poison for recorded in facts):
            raise ValueError(name)
        await known.handle(tx, facts)

    failing = Subscriber(name, known.facts, fail)
    other = Diary()
    watcher = Subscriber("watcher", known.facts, other_handle(other))
    report(backend, tenant, [poison, sound, poison], failing, watcher)

    deliver(backend, tenant, failing)
    deliver(backend, tenant, watcher)

    assert [row[:3] for row in deliveries(backend, tenant)] == [(name, 1, 1), (name, 2, 0)]
    assert len(other.entries) == 3


def other_handle(diary):
    async def handle(_tx, facts):
        diary.entries += [recorded.id for recorded in facts]

    return handle


def test_facts_that_a_subscriber_wants_no_more_are_dropped(backend, tenant):
    diary = Diary()
    report(backend, tenant, noted("a"), diary.subscriber)

    deliver(backend, tenant, Subscriber("diary", (), diary.write))

    assert diary.entries == []
    assert deliveries(backend, tenant) == []


def test_who_reads_what_a_subscriber_keeps_finds_what_was_committed_before(backend, tenant):
    diary = Diary()
    report(backend, tenant, noted("a", "b"), diary.subscriber)

    async def read():
        async with (
            database_with(backend, diary.subscriber) as database,
            database.transaction(tenant) as tx,
        ):
            await outbox.catch_up(tx, diary.subscriber)

    backend.run(read())

    assert diary.entries == ["a", "b"]
    assert deliveries(backend, tenant) == []


def test_a_reader_waits_for_who_is_at_it_and_handles_nothing_twice(backend, tenant):
    diary = Diary()
    report(backend, tenant, noted("a", "b"), diary.subscriber)

    async def slow(tx, facts):
        await diary.write(tx, facts)
        await asyncio.sleep(0.2)

    slow_one = Subscriber("diary", diary.subscriber.facts, slow)

    async def run():
        async with database_with(backend, slow_one) as database:
            worker = asyncio.create_task(outbox.deliver_all(database, slow_one, tenant))
            await asyncio.sleep(0.1)
            async with database.transaction(tenant) as tx:
                await outbox.catch_up(tx, slow_one)
                seen = await tx.fetchval(
                    "SELECT count(*) FROM agenda"
                    " WHERE org_id = $1 AND is_test = $2 AND kind LIKE 'diary.%'"
                )
            await worker
            return seen

    assert backend.run(run()) == 2
    assert diary.entries == ["a", "b"]


def test_a_reader_leaves_what_fails_to_the_worker(backend, tenant):
    diary = Diary(fails_at={"bad"})
    report(backend, tenant, noted("bad"), diary.subscriber)

    async def read():
        async with (
            database_with(backend, diary.subscriber) as database,
            database.transaction(tenant) as tx,
        ):
            await outbox.catch_up(tx, diary.subscriber)
            return await tx.fetchval("SELECT $1::uuid IS NOT NULL AND $2::boolean")

    assert backend.run(read())
    assert written(backend, tenant) == []
    assert deliveries(backend, tenant) == [("diary", 1, 0, "")]


def test_a_tenants_facts_are_handled_in_its_own_transactions(backend, tenant):
    diary, seen = Diary(), []
    with Api.of_new_organization(backend) as other:
        report(backend, other.tenant, noted("theirs"), diary.subscriber)
    report(backend, tenant, noted("ours"), diary.subscriber)

    async def look(tx, facts):
        seen.extend((tx.tenant, recorded.fact.text) for recorded in facts)

    deliver(backend, tenant, Subscriber("diary", diary.subscriber.facts, look))

    assert seen == [(tenant, "ours")]


def test_verify_sees_what_does_not_reach_its_subscriber(backend, tenant):
    failing, gone = Diary("audit log", fails_at={"bad"}), Diary("gone")
    report(backend, tenant, noted("bad"), failing.subscriber, gone.subscriber)
    deliver(backend, tenant, failing.subscriber)

    found = _differences(backend, tenant, "fact that does not reach its subscriber")

    assert [(one.subject.partition(" Noted ")[0], one.computed) for one in found] == [
        ("audit log", "internal error"),
        ("gone", ""),
    ]


def _differences(backend, tenant, what):
    verified = backend.run(verify_tenant(backend.services.database, tenant))
    return [found for one in verified for found in one.differences if found.what == what]

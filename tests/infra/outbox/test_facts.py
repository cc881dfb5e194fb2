"""Facts: there with what they report, in the order in which it was committed."""

import asyncio
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from monigo.bootstrap import REGISTRY
from monigo.core.errors import DomainError, ErrorKind, InvariantError
from monigo.infra import outbox
from monigo.infra.db import Database
from monigo.infra.facts import Fact, Subscriber
from monigo.infra.ids import new_id
from support.facts import (
    Diary,
    Noted,
    Unheard,
    database_with,
    deliver,
    deliveries,
    noted,
    report,
    sample,
    written,
)
from support.locks import wait_until_blocked

STORED = """
    SELECT payload->>'text' AS text, position FROM outbox_facts
    WHERE org_id = $1 AND is_test = $2 AND subject = 'thing' ORDER BY subject_id, position
"""


def fact_types(base=Fact):
    """The facts of all domains that bootstrap puts together."""
    for found in base.__subclasses__():
        yield from fact_types(found)
        if found.__module__.startswith("monigo.") and not found.__name__.endswith("Fact"):
            yield found


FACT_TYPES = sorted(fact_types(), key=lambda found: found.__name__)


@pytest.fixture
def tenant(api):
    return api.tenant


def stored(backend, tenant):
    return [tuple(row) for row in backend.sql(STORED, tenant.org_id, tenant.is_test)]


def test_a_fact_is_there_if_and_only_if_its_transaction_commits(backend, tenant):
    async def roll_back(database):
        async with database.transaction(tenant) as tx:
            await outbox.emit(tx, noted("never"))
            raise ZeroDivisionError

    async def run():
        async with database_with(backend, Diary().subscriber) as database:
            with pytest.raises(ZeroDivisionError):
                await roll_back(database)

    backend.run(run())
    report(backend, tenant, noted("kept"), Diary().subscriber)

    assert stored(backend, tenant) == [("kept", 1)]
    assert len(deliveries(backend, tenant)) == 1


def test_the_positions_of_a_subject_follow_each_other(backend, tenant):
    first, second = new_id(), new_id()

    async def run():
        async with database_with(backend) as database:
            for _ in range(2):
                async with database.transaction(tenant) as tx:
                    one, two = noted("a", "b", thing_id=first)
                    (other,) = noted("c", thing_id=second)
                    await outbox.emit(tx, [one, other, two])

    backend.run(run())

    assert stored(backend, tenant) == [
        ("a", 1),
        ("b", 2),
        ("a", 3),
        ("b", 4),
        ("c", 1),
        ("c", 2),
    ]


def test_facts_that_nobody_wants_wait_for_nobody(backend, tenant):
    diary = Diary()
    report(backend, tenant, [Unheard(thing_id=new_id(), text="so what")], diary.subscriber)

    assert stored(backend, tenant) == [("so what", 1)]
    assert deliveries(backend, tenant) == []


def test_two_transactions_on_a_subject_report_in_the_order_of_their_commits(backend, tenant):
    """The second one began first, and so its id and its instant are older."""
    diary, thing_id = Diary(), new_id()

    async def act(database, text, begun, may_lock):
        async with database.transaction(tenant) as tx:
            begun.set()
            await may_lock.wait()
            # What holding the subject's row does.
            await tx.connection.execute("SELECT pg_advisory_xact_lock(5)")
            await asyncio.sleep(0.05)
            await outbox.emit(tx, noted(text, thing_id=thing_id))

    async def run():
        async with database_with(backend, diary.subscriber) as database:
            early_begun, late_begun = asyncio.Event(), asyncio.Event()
            late_may, early_may = asyncio.Event(), asyncio.Event()
            early = asyncio.create_task(act(database, "committed last", early_begun, early_may))
            await early_begun.wait()
            late = asyncio.create_task(act(database, "committed first", late_begun, late_may))
            await late_begun.wait()
            late_may.set()
            await asyncio.sleep(0.02)
            early_may.set()
            await asyncio.gather(early, late)

    backend.run(run())
    deliver(backend, tenant, diary.subscriber)

    assert diary.entries == ["committed first", "committed last"]


def test_without_the_subjects_lock_the_second_is_refused_and_changes_nothing(backend, tenant):
    (fact,) = noted("first")
    (rival,) = noted("second", thing_id=fact.thing_id)

    async def second(database):
        async with database.transaction(tenant) as tx:
            await outbox.emit(tx, [rival])

    async def run():
        async with database_with(backend) as database:
            async with database.transaction(tenant) as tx:
                await outbox.emit(tx, [fact])
                waiting = asyncio.create_task(second(database))
                await asyncio.to_thread(wait_until_blocked, backend)
            with pytest.raises(DomainError) as refused:
                await waiting
            return refused.value.kind

    assert backend.run(run()) is ErrorKind.UNAVAILABLE
    assert stored(backend, tenant) == [("first", 1)]


def test_without_a_registry_nobody_guesses_who_wants_a_fact(backend, tenant):
    async def run():
        database = await Database.connect(backend.app_url, clock=backend.clock, pool_size=2)
        try:
            async with database.transaction(tenant) as tx:
                await outbox.emit(tx, noted("to whom"))
        finally:
            await database.close()

    with pytest.raises(InvariantError):
        backend.run(run())

    assert stored(backend, tenant) == []


def test_a_reaction_commits_with_its_fact_or_refuses_it(backend, tenant):
    seen = []

    async def react(_tx, facts):
        seen.extend(fact.text for fact in facts)
        if "refused" in seen:
            raise DomainError(ErrorKind.CONFLICT, "no", "no")

    async def run():
        async with database_with(backend, reactions={Noted: (react,)}) as database:
            async with database.transaction(tenant) as tx:
                await outbox.emit(tx, noted("one", "two"))
            async with database.transaction(tenant) as tx:
                await outbox.emit(tx, noted("refused"))

    with pytest.raises(DomainError):
        backend.run(run())

    assert seen == ["one", "two", "refused"]
    assert [text for text, _ in stored(backend, tenant)] == ["one", "two"]


@pytest.mark.parametrize("fact_type", FACT_TYPES, ids=lambda one: one.__name__)
def test_every_fact_comes_back_as_it_was_stored(fact_type):
    fact = sample(fact_type)

    assert msgspec.json.decode(msgspec.json.encode(fact), type=fact_type) == fact
    assert fact.subject
    assert isinstance(fact.subject_id, UUID)


def test_facts_are_forgotten_when_all_have_them_and_they_are_old(backend, tenant):
    diary = Diary()
    report(backend, tenant, noted("handled"), diary.subscriber)
    deliver(backend, tenant, diary.subscriber)
    report(backend, tenant, noted("waits"), diary.subscriber)
    backend.sql(
        "UPDATE outbox_facts SET occurred_at = occurred_at - $2::interval WHERE org_id = $1",
        tenant.org_id,
        outbox.KEPT_FOR + timedelta(days=1),
    )
    report(backend, tenant, noted("young"))

    async def run():
        async with backend.services.database.transaction(tenant) as tx:
            await outbox.FORGET.handler.work(tx, [])

    backend.run(run())

    assert sorted(text for text, _ in stored(backend, tenant)) == ["waits", "young"]
    assert written(backend, tenant) == ["diary.handled"]


def test_each_subscriber_of_the_product_wants_facts_that_some_domain_reports():
    wanted = {found for one in REGISTRY.subscribers.values() for found in one.facts}

    assert wanted <= set(FACT_TYPES)


def test_two_subscribers_of_one_name_are_refused():
    twin = Subscriber("diary", (Noted,), Diary().write)

    with pytest.raises(InvariantError):
        type(REGISTRY)(guards={}, reactions={}, subscribers=(Diary().subscriber, twin))

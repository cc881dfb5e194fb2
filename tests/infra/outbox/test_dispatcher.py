"""The dispatcher: woken by who reports facts, and looking by itself when no word comes."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from monigo.infra import outbox
from monigo.infra.outbox import dispatcher
from support.facts import Diary, database_with, deliveries, noted

# Longer than a busy machine takes, shorter than a look that nobody hastened.
SOON_SECONDS = 20
NEVER_SECONDS = 600


@pytest.fixture
def tenant(api):
    return api.tenant


@asynccontextmanager
async def dispatching(database, url, workers=1):
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(outbox.dispatch_facts(database, url, stop))
        yield
        stop.set()


async def until(condition, seconds=SOON_SECONDS):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - a diary has no event to wait for
            await asyncio.sleep(0.01)


async def report(database, tenant, *texts):
    async with database.transaction(tenant) as tx:
        await outbox.emit(tx, noted(*texts))


def test_facts_are_handled_as_soon_as_they_are_committed(backend, tenant, monkeypatch):
    monkeypatch.setattr(dispatcher, "LOOK_SECONDS", NEVER_SECONDS)
    diary = Diary("woken")

    async def run():
        async with (
            database_with(backend, diary.subscriber) as database,
            dispatching(database, backend.app_url),
        ):
            await asyncio.sleep(0.5)
            for text in ("a", "b"):
                await report(database, tenant, text)
                await until(lambda text=text: text in diary.entries)

    backend.run(run())

    assert diary.entries == ["a", "b"]


def test_without_a_word_they_are_found_by_looking(backend, tenant, monkeypatch):
    monkeypatch.setattr(dispatcher, "LOOK_SECONDS", 0.1)
    diary = Diary("looking")

    async def run():
        async with (
            database_with(backend, diary.subscriber) as database,
            dispatching(database, "postgresql://nobody@127.0.0.1:1/nowhere"),
        ):
            await report(database, tenant, "a")
            await until(lambda: diary.entries == ["a"])

    backend.run(run())


def test_who_listens_listens_again_when_the_connection_was_cut(backend, tenant, monkeypatch):
    monkeypatch.setattr(dispatcher, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr(dispatcher, "LOOK_SECONDS", 0.2)
    diary = Diary("cut")

    async def run():
        async with (
            database_with(backend, diary.subscriber) as database,
            dispatching(database, backend.app_url),
        ):
            await asyncio.sleep(0.3)
            await asyncio.to_thread(
                backend.sql,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query ILIKE 'LISTEN%' AND datname = current_database()",
            )
            await report(database, tenant, "a")
            await until(lambda: diary.entries == ["a"])

    backend.run(run())


def test_several_dispatchers_handle_each_fact_once(backend, tenant):
    diary = Diary("several")

    async def run():
        async with (
            database_with(backend, diary.subscriber) as database,
            dispatching(database, backend.app_url, workers=3),
        ):
            for place in range(20):
                await report(database, tenant, f"{place}a", f"{place}b")
            await until(lambda: len(diary.entries) >= 40)

    backend.run(run())

    assert len(diary.entries) == len(set(diary.entries)) == 40
    assert deliveries(backend, tenant) == []

"""Connections are lent, kept at hand and given back, and nobody waits for one that rests."""

import asyncio

import asyncpg
import pytest

from monigo.infra.db import Database

SIZE = 4


@pytest.fixture
def lend(backend):
    """Runs a use of a pool of four connections of its own."""

    def run(use):
        async def call():
            database = await Database.connect(
                backend.services.app_url, clock=backend.clock, pool_size=SIZE
            )
            try:
                return await use(database)
            finally:
                await database.close()

        return backend.run(call())

    return run


async def process_of(database):
    async with database.lookups() as connection:
        return await connection.fetchval("SELECT pg_backend_pid()")


def test_uses_one_after_the_other_share_a_connection(lend):
    async def use(database):
        return {await process_of(database) for _ in range(5)}

    assert len(lend(use)) == 1


def test_uses_at_the_same_time_have_one_each(lend):
    async def use(database):
        together = asyncio.Barrier(SIZE)

        async def one():
            async with database.lookups() as connection:
                await together.wait()
                return await connection.fetchval("SELECT pg_backend_pid()")

        return await asyncio.gather(*(one() for _ in range(SIZE)))

    assert len(set(lend(use))) == SIZE


def test_whoever_waits_gets_the_next_that_comes_free(lend):
    """It is not kept from the pool then."""

    async def use(database):
        free = [asyncio.Event() for _ in range(SIZE)]

        async def hold(event):
            async with database.lookups():
                await event.wait()

        holders = [asyncio.create_task(hold(event)) for event in free]
        await asyncio.sleep(0.1)
        waiting = [asyncio.create_task(process_of(database)) for _ in range(3)]
        await asyncio.sleep(0.1)
        free[0].set()
        got = await asyncio.wait_for(asyncio.gather(*waiting), 5)
        for event in free:
            event.set()
        await asyncio.gather(*holders)
        return got

    assert len(set(lend(use))) == 1


def test_one_who_gives_up_waiting_keeps_nothing_from_the_others(lend):
    async def use(database):
        async with database.lookups(), database.lookups(), database.lookups(), database.lookups():
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(process_of(database), 0.1)
        return [await process_of(database) for _ in range(3)]

    assert len(set(lend(use))) == 1


def test_a_connection_that_was_cut_while_it_rested_is_replaced(lend, backend):
    async def use(database):
        first = await process_of(database)
        backend_sql = asyncio.to_thread(
            backend.sql, "SELECT pg_terminate_backend($1::integer, 5000)", first
        )
        await backend_sql
        await asyncio.sleep(0.1)
        return first, await process_of(database)

    first, second = lend(use)

    assert first != second


def test_one_that_breaks_in_use_is_not_kept(lend):
    async def use(database):
        async with database.lookups() as connection:
            first = await connection.fetchval("SELECT pg_backend_pid()")
            with pytest.raises(asyncpg.PostgresConnectionError):
                await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return first, await process_of(database)

    first, second = lend(use)

    assert first != second


def test_closing_closes_those_that_rest(lend, backend):
    used = lend(process_of)

    query = "SELECT count(*) AS n FROM pg_stat_activity WHERE pid = $1"
    assert backend.sql(query, used)[0]["n"] == 0

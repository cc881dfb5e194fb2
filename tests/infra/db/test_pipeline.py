"""Whole transactions in one round trip: bound to their tenant, done as a whole or not at all."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from monigo.core.errors import ErrorKind
from monigo.infra.db import Argument, Database, as_unavailable

BIND = "SELECT current_setting('app.org_id'), current_setting('app.is_test'), $1::uuid, $2::boolean"
NOTE = """
    INSERT INTO customer_changes (org_id, is_test, version) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING RETURNING version
"""
ECHO = """
    SELECT $1::uuid IS NOT NULL, $2::boolean, $3::text, $4::bigint, $5::timestamptz,
        $6::timestamptz, $7::uuid[], $8::timestamptz[]
"""


@pytest.fixture
def database(backend):
    """A database of its own with two connections, of which none is kept."""
    opened = backend.run(
        Database.connect(backend.services.app_url, clock=backend.clock, pool_size=2)
    )
    yield opened
    backend.run(opened.close())


@pytest.fixture
def keeping(backend):
    """As `database`, with connections enough to keep one."""
    opened = backend.run(
        Database.connect(backend.services.app_url, clock=backend.clock, pool_size=4)
    )
    yield opened
    backend.run(opened.close())


def versions(backend, tenant):
    rows = backend.sql(
        "SELECT version FROM customer_changes WHERE org_id = $1 AND is_test = $2",
        tenant.org_id,
        tenant.is_test,
    )
    return [row["version"] for row in rows]


def test_a_statement_is_bound_to_its_tenant_and_its_connection_to_none_afterwards(
    api, backend, database
):
    async def run():
        answer = await database.at_once(api.tenant, BIND)
        async with database.lookups() as connection:
            left = await connection.fetchval("SELECT current_setting('app.org_id', true)")
        return answer, left

    answer, left = backend.run(run())

    org_id = str(api.org_id)
    assert answer.rows == [(org_id, "true", org_id, "t")]
    assert answer.tag == "SELECT 1"
    assert not left


def test_what_is_done_is_committed_once_it_is_answered(api, backend, keeping):
    answer = backend.run(keeping.at_once(api.tenant, NOTE, Argument.integer(7)))

    assert answer.rows == [("7",)]
    assert versions(backend, api.tenant) == [7]


def test_another_tenant_s_rows_are_neither_seen_nor_made(api, backend, keeping):
    other = uuid4()
    make_for_other = """
        INSERT INTO customer_changes (org_id, is_test, version)
        SELECT $3, $2, 1 FROM unnest(ARRAY[$1::uuid]) RETURNING version
    """
    backend.run(keeping.at_once(api.tenant, NOTE, Argument.integer(7)))

    seen = backend.run(
        keeping.at_once(
            api.tenant,
            "SELECT count(*) FROM customer_changes WHERE org_id <> $1 OR is_test <> $2",
        )
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        backend.run(keeping.at_once(api.tenant, make_for_other, Argument.uuid(other)))

    assert seen.rows == [("0",)]


def test_a_statement_that_fails_leaves_nothing_and_spoils_nothing(api, backend, keeping):
    fails = """
        WITH made AS (
            INSERT INTO customer_changes (org_id, is_test, version) VALUES ($1, $2, $3)
            RETURNING version
        )
        SELECT 1 / (version - version) FROM made
    """

    for _ in range(2):
        with pytest.raises(asyncpg.DivisionByZeroError):
            backend.run(keeping.at_once(api.tenant, fails, Argument.integer(1)))

    assert versions(backend, api.tenant) == []
    backend.run(keeping.at_once(api.tenant, NOTE, Argument.integer(2)))
    assert versions(backend, api.tenant) == [2]


def test_a_violation_names_its_constraint(api, backend, keeping):
    twice = """
        INSERT INTO customer_changes (org_id, is_test, version)
        VALUES ($1, $2, $3), ($1, $2, $3)
    """

    with pytest.raises(asyncpg.UniqueViolationError) as raised:
        backend.run(keeping.at_once(api.tenant, twice, Argument.integer(1)))

    assert raised.value.constraint_name == "customer_changes_pkey"


def test_arguments_of_all_kinds_arrive_as_they_are(api, backend, keeping):
    at = datetime(1969, 7, 20, 20, 17, 40, 123456, tzinfo=UTC)
    ids = [UUID(int=number) for number in (1, 2)]
    answer = backend.run(
        keeping.at_once(
            api.tenant,
            ECHO,
            Argument.text("\x01\U0001f984'\\".encode()),
            Argument.integer(-(2**63)),
            Argument.instant(at),
            Argument.instant(None),
            Argument.uuids([known.bytes for known in ids]),
            Argument.instants([]),
        )
    )

    ((_, *told),) = answer.rows
    assert told == [
        *("t", "\x01\U0001f984'\\", str(-(2**63)), "1969-07-20 20:17:40.123456+00", None),
        "{" + ",".join(map(str, ids)) + "}",
        "{}",
    ]


def test_a_long_answer_is_put_together(api, backend, keeping):
    many = "SELECT $1::uuid, $2::boolean, repeat('x', 1000) FROM generate_series(1, 2000)"

    answer = backend.run(keeping.at_once(api.tenant, many))

    assert {len(row[2]) for row in answer.rows} == {1000}
    assert len(answer.rows) == 2_000


def test_a_statement_is_prepared_once_whoever_has_had_its_connection(api, backend, database):
    async def run():
        for _ in range(3):
            await database.at_once(api.tenant, BIND)
            async with database.lookups() as connection:
                rows = await connection.fetch(
                    "SELECT statement FROM pg_prepared_statements WHERE statement = $1", BIND
                )
        return len(rows)

    assert backend.run(run()) == 1


def test_a_caller_who_goes_away_leaves_no_answer_to_the_next(api, backend, keeping):
    slow = "SELECT pg_sleep(0.3)::text, $1::uuid, $2::boolean"

    async def run():
        waiting = asyncio.create_task(keeping.at_once(api.tenant, slow))
        await asyncio.sleep(0.1)
        waiting.cancel()
        await asyncio.wait([waiting])
        return [await keeping.at_once(api.tenant, BIND) for _ in range(3)]

    answers = backend.run(run())

    assert {answer.rows[0][0] for answer in answers} == {str(api.org_id)}


def test_a_connection_that_the_server_ends_is_told_and_replaced(api, backend, keeping):
    name_me = "SELECT pg_backend_pid(), $1::uuid, $2::boolean"
    slow = "SELECT pg_sleep(20)::text, $1::uuid, $2::boolean"

    async def run():
        ((pid, *_),) = (await keeping.at_once(api.tenant, name_me)).rows
        waiting = asyncio.create_task(keeping.at_once(api.tenant, slow))
        await asyncio.sleep(0.1)
        return int(pid), waiting

    pid, waiting = backend.run(run())
    backend.sql("SELECT pg_terminate_backend($1)", pid)

    async def outcome():
        await asyncio.wait([waiting])
        return waiting.exception(), await keeping.at_once(api.tenant, BIND)

    error, answer = backend.run(outcome())
    assert as_unavailable(error).kind is ErrorKind.UNAVAILABLE
    assert answer.rows[0][0] == str(api.org_id)


def test_an_idle_connection_that_the_server_ended_is_not_used(api, backend, keeping):
    name_me = "SELECT pg_backend_pid(), $1::uuid, $2::boolean"
    ((first, *_),) = backend.run(keeping.at_once(api.tenant, name_me)).rows

    backend.sql("SELECT pg_terminate_backend($1)", int(first))
    backend.run(asyncio.sleep(0.2))
    ((second, *_),) = backend.run(keeping.at_once(api.tenant, name_me)).rows

    assert first != second


def test_many_at_once_each_get_their_own_answer(api, backend, keeping):
    echo = "SELECT $3::bigint, $1::uuid, $2::boolean"

    async def run():
        return await asyncio.gather(
            *(keeping.at_once(api.tenant, echo, Argument.integer(n)) for n in range(100))
        )

    assert [answer.rows[0][0] for answer in backend.run(run())] == [str(n) for n in range(100)]

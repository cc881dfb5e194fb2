"""A database of the schema before is brought over whole, or refused with what to do."""

import asyncio
import json

import asyncpg
import pytest

from monigo.cli.verification import verify_all
from monigo.infra.db import MigrationError, migrate
from monigo.infra.db.schema import sql_files
from monigo.infra.db.schema.sql_files import SchemaFile
from support.api import Api
from support.backend import start_backend
from support.databases import database_from_before, execute, fresh_database

NOTES = """
    CREATE TABLE schema_migrations (
        version integer CONSTRAINT schema_migrations_pkey PRIMARY KEY,
        checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
    )
"""
# The newest time of the organisation whose test clock was advanced.
CLOCK = "SELECT org_id, now_at FROM test_clocks"
A_MONTH_LATER = "2027-02-12T00:00:00Z"
INVOICES = "SELECT count(*) FROM invoices WHERE org_id = $1"
# Merchants' events of the organisation, as they were kept then.
EVENTS = """
    SELECT jsonb_agg(jsonb_build_array(id, type, data) ORDER BY id DESC)::text FROM outbox_events
    WHERE org_id = (SELECT org_id FROM test_clocks) AND is_test
"""


async def asked(url, query, *arguments):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchrow(query, *arguments)
    finally:
        await connection.close()


@pytest.fixture
def brought_over(owner_url, tmp_path):
    """A server on a database that was brought over, and the organisation that used its clock."""
    with database_from_before(owner_url) as url:
        (events,) = asyncio.run(asked(url, EVENTS))
        backend = start_backend(url, tmp_path)
        organization, _ = asyncio.run(asked(url, CLOCK))
        yield backend, organization, json.loads(events)
        backend.stop()


def differences(backend):
    return backend.run(verify_all(backend.services)).as_lines()[:-1]


def test_nothing_differs_after_it_and_a_month_goes_on(brought_over):
    backend, organization, events = brought_over
    after = differences(backend)
    (invoices,) = asyncio.run(asked(backend.owner_url, INVOICES, organization))

    with Api.of(backend, organization, is_test=True) as api:
        kept = api.get("/v1/billing-events").json()["events"]
        advanced = api.post("/v1/test-clock/advance", json={"to": A_MONTH_LATER})

    assert after == []
    assert [[one["id"], one["type"], one["data"]] for one in kept] == events
    assert events
    assert (advanced.status_code, advanced.json()["status"]) == (200, "ready"), advanced.text
    assert asyncio.run(asked(backend.owner_url, INVOICES, organization))[0] > invoices
    assert differences(backend) == []


def with_migrations(url, checksums):
    """Note these migrations as applied, in an otherwise empty database."""
    rows = ", ".join(f"({version}, '{checksum}')" for version, checksum in checksums.items())
    asyncio.run(execute(url, NOTES))
    asyncio.run(execute(url, f"INSERT INTO schema_migrations (version, checksum) VALUES {rows}"))


def refusal(url):
    with pytest.raises(MigrationError) as refused:
        asyncio.run(migrate(url, None))
    return str(refused.value)


@pytest.mark.parametrize("newest", [1, 24])
def test_an_older_one_is_to_be_brought_to_its_last_migration_first(owner_url, newest):
    before = sql_files.checksums_before()
    with fresh_database(owner_url) as url:
        with_migrations(url, {version: before[version] for version in range(1, newest + 1)})

        assert "start the Monigo that has its migration 25 on it first" in refusal(url)


@pytest.mark.parametrize("newest", [26, 41, 43])
def test_one_of_a_time_between_is_refused(owner_url, newest):
    later = dict.fromkeys(range(26, newest + 1), "later")
    with fresh_database(owner_url) as url:
        with_migrations(url, sql_files.checksums_before() | later)

        assert f"has migration {newest} of the schema before, but only migration 25" in refusal(url)


def test_one_that_was_changed_is_not_taken_for_the_schema_before(owner_url):
    changed = sql_files.checksums_before() | {7: "changed"}
    with fresh_database(owner_url) as url:
        with_migrations(url, changed)

        assert "only migration 25 can be brought over" in refusal(url)


def test_a_step_that_fails_leaves_the_database_as_it_was(owner_url, monkeypatch):
    steps = [*sql_files.bringing_over(), SchemaFile("9999_fails.sql", "SELECT 1/0;")]
    with database_from_before(owner_url) as url:
        with monkeypatch.context() as patch:
            patch.setattr(sql_files, "bringing_over", lambda: steps)
            with pytest.raises(asyncpg.DivisionByZeroError):
                asyncio.run(migrate(url, None))
        version, tables = asyncio.run(
            asked(
                url,
                "SELECT (SELECT max(version) FROM schema_migrations), to_regclass('agenda')::text",
            )
        )
        asyncio.run(migrate(url, None))
        (present,) = asyncio.run(asked(url, "SELECT max(version) FROM schema_migrations"))

    assert (version, tables) == (25, None)
    assert present == sql_files.migrations()[-1].version

"""Functions, triggers and views follow their files."""

import asyncio
from contextlib import contextmanager

import asyncpg
import pytest

from monigo.infra.db import MigrationError, app_url, migrate, require_present_schema
from monigo.infra.db.schema import sql_files
from monigo.infra.db.schema.sql_files import SchemaFile
from support.databases import fresh_database

OURS = sql_files.functions()
TABLES = sql_files.migrations()

ONE = "CREATE OR REPLACE FUNCTION extra() RETURNS integer LANGUAGE sql RETURN 1;"
TWO = ONE.replace("RETURN 1", "RETURN 2")
GRANTED = """
    CREATE OR REPLACE FUNCTION extra(a integer) RETURNS integer LANGUAGE sql RETURN a;
    REVOKE ALL ON FUNCTION extra FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION extra TO monigo_app;
"""
TRIGGER = """
    CREATE OR REPLACE FUNCTION extra() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RETURN NULL;
    END
    $$;
    CREATE OR REPLACE TRIGGER extra AFTER INSERT ON counters EXECUTE FUNCTION extra();
"""
VIEW = """
    CREATE OR REPLACE FUNCTION extra() RETURNS integer LANGUAGE sql RETURN 1;
    CREATE OR REPLACE VIEW extra_view AS SELECT extra() AS one;
"""
MADE = """
    SELECT proname || '(' || pg_get_function_identity_arguments(oid) || ')' FROM pg_proc
    WHERE proname LIKE 'extra%' AND pronamespace = 'public'::regnamespace
    UNION ALL SELECT tgname FROM pg_trigger WHERE tgname LIKE 'extra%'
    UNION ALL SELECT relname FROM pg_class WHERE relname LIKE 'extra%'
    ORDER BY 1
"""
NOTED = "SELECT name, applied_at FROM schema_functions"


@pytest.fixture
def database(owner_url):
    """A database of the present schema."""
    with fresh_database(owner_url) as url:
        asyncio.run(migrate(url, None))
        yield url


@contextmanager
def files(monkeypatch, functions=OURS, migrations=TABLES):
    """A program with these files."""
    with monkeypatch.context() as patch:
        patch.setattr(sql_files, "functions", lambda: list(functions))
        patch.setattr(sql_files, "migrations", lambda: list(migrations))
        yield


def brought(monkeypatch, url, *extra, **others):
    """Bring the database to our schema and one more file of functions, if any."""
    more = [SchemaFile(f"zz_{number}.sql", text) for number, text in enumerate(extra)]
    with files(monkeypatch, [*OURS, *more], **others):
        asyncio.run(migrate(url, None))


def found(url, query=MADE):
    async def run():
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return asyncio.run(run())


def made(url):
    return [name for (name,) in found(url)]


def test_a_changed_file_is_applied_and_no_other(database, monkeypatch):
    brought(monkeypatch, database, ONE)
    before = dict(found(database, NOTED))

    brought(monkeypatch, database, TWO)

    after = dict(found(database, NOTED))
    assert found(database, "SELECT extra()") == [(2,)]
    assert {name for name in after if after[name] != before[name]} == {"zz_0.sql"}


@pytest.mark.parametrize("text", [ONE, TRIGGER, VIEW])
def test_what_no_file_makes_any_more_is_dropped(database, monkeypatch, text):
    brought(monkeypatch, database, text)
    there = made(database)

    brought(monkeypatch, database)

    assert there
    assert made(database) == []
    assert "zz_0.sql" not in dict(found(database, NOTED))


def test_what_moves_to_another_file_stays(database, monkeypatch):
    brought(monkeypatch, database, ONE, "SELECT 1;")

    brought(monkeypatch, database, "SELECT 2;", ONE)

    assert made(database) == ["extra()"]


def test_a_function_of_other_arguments_takes_the_place_of_the_old_one(database, monkeypatch):
    brought(monkeypatch, database, GRANTED)

    brought(monkeypatch, database, GRANTED.replace("a integer", "a integer, b integer"))

    assert made(database) == ["extra(a integer, b integer)"]


def test_a_function_of_another_result_is_refused_unless_dropped_first(database, monkeypatch):
    other = ONE.replace("integer", "bigint")
    brought(monkeypatch, database, ONE)

    with pytest.raises(MigrationError, match=r"zz_0.sql.* let a DROP … IF EXISTS stand before it"):
        brought(monkeypatch, database, other)
    unchanged = found(database, "SELECT pg_typeof(extra())::text")
    brought(monkeypatch, database, f"DROP FUNCTION IF EXISTS extra; {other}")

    assert unchanged == [("integer",)]
    assert found(database, "SELECT pg_typeof(extra())::text") == [("bigint",)]


def test_a_function_that_is_needed_is_not_dropped(database, monkeypatch):
    needing = SchemaFile("9999_needing.sql", "CREATE VIEW needing AS SELECT extra();")
    brought(monkeypatch, database, ONE)
    brought(monkeypatch, database, ONE, migrations=[*TABLES, needing])

    with pytest.raises(MigrationError, match=r"needed: FUNCTION .*extra.*needing"):
        brought(monkeypatch, database, migrations=[*TABLES, needing])

    assert made(database) == ["extra()"]


def test_what_a_migration_dropped_is_made_again(database, monkeypatch):
    dropping = SchemaFile("9999_dropping.sql", "DROP VIEW extra_view; DROP FUNCTION extra;")
    brought(monkeypatch, database, VIEW)

    brought(monkeypatch, database, VIEW, migrations=[*TABLES, dropping])

    assert made(database) == ["extra()", "extra_view"]


@pytest.mark.parametrize("extra", [[], [SchemaFile("zz_0.sql", TWO)]])
def test_a_program_with_other_functions_does_not_start(database, monkeypatch, extra):
    brought(monkeypatch, database, ONE)

    with (
        files(monkeypatch, [*OURS, *extra]),
        pytest.raises(MigrationError, match=r"zz_0.sql.*run `monigo migrate`"),
    ):
        asyncio.run(require_present_schema(app_url(database, None)))


def test_a_program_with_another_migration_does_not_start(database, monkeypatch):
    other = [*TABLES[:-1], SchemaFile(TABLES[-1].name, "-- changed")]

    with (
        files(monkeypatch, migrations=other),
        pytest.raises(MigrationError, match=rf"{TABLES[-1].name}.*run `monigo migrate`"),
    ):
        asyncio.run(require_present_schema(app_url(database, None)))


def test_a_migration_that_was_changed_after_it_was_applied_is_refused(database, monkeypatch):
    other = [*TABLES[:-1], SchemaFile(TABLES[-1].name, "-- changed")]

    with pytest.raises(MigrationError, match=f"{TABLES[-1].name} was changed after it was applied"):
        brought(monkeypatch, database, migrations=other)


def test_a_migration_is_applied_whole_or_not_at_all(database, monkeypatch):
    halfway = SchemaFile("9999_halfway.sql", "CREATE TABLE extra_table (id uuid); SELECT 1/0;")

    with pytest.raises(asyncpg.DivisionByZeroError):
        brought(monkeypatch, database, migrations=[*TABLES, halfway])

    assert made(database) == []


def test_a_change_that_would_hold_up_others_gives_up_and_changes_nothing(database, monkeypatch):
    monkeypatch.setattr(sql_files, "_LIMITS", ("SET LOCAL lock_timeout = '100ms'",))

    async def wait_in_vain():
        reader = await asyncpg.connect(database)
        try:
            async with reader.transaction():
                await reader.fetch("SELECT name FROM counters")
                with pytest.raises(asyncpg.LockNotAvailableError):
                    await migrate(database, None)
        finally:
            await reader.close()

    waiting = SchemaFile("9999_waiting.sql", "CREATE TABLE extra (); DROP TABLE counters;")
    with files(monkeypatch, migrations=[*TABLES, waiting]):
        asyncio.run(wait_in_vain())

    assert made(database) == []


def test_each_change_of_the_schema_sets_how_long_it_may_wait(database):
    async def settings():
        connection = await asyncpg.connect(database)
        try:
            async with sql_files.change(connection):
                return [
                    await connection.fetchval(f"SHOW {name}")
                    for name in ("lock_timeout", "statement_timeout", "search_path")
                ]
        finally:
            await connection.close()

    assert asyncio.run(settings()) == ["10s", "15min", "public, pg_temp"]

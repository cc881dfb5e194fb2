"""Functions, triggers and views: replaced whenever their file has changed.

The database notes of each file its checksum and what it made, so that what no file makes any more
is dropped.
"""

import asyncpg

from monigo.infra.db.connections import Connection, OwnConnection
from monigo.infra.db.schema import sql_files
from monigo.infra.db.schema.sql_files import MigrationError, SchemaFile
from monigo.infra.logging import logger

log = logger(__name__)

FUNCTIONS_TABLE = """
    CREATE TABLE IF NOT EXISTS schema_functions (
        name text CONSTRAINT schema_functions_pkey PRIMARY KEY,
        checksum text NOT NULL, made text[] NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""
SELECT_CHECKSUMS = "SELECT name, checksum FROM schema_functions"
# No file has this checksum.
MARK_STALE = "UPDATE schema_functions SET checksum = ''"

SELECT_MADE = "SELECT name, made FROM schema_functions"
NOTE = """
    INSERT INTO schema_functions (name, checksum, made) VALUES ($1, $2, $3)
    ON CONFLICT (name) DO UPDATE
    SET checksum = excluded.checksum, made = excluded.made, applied_at = now()
"""
FORGET = "DELETE FROM schema_functions WHERE name = ANY ($1)"
# The objects that this transaction has created or replaced, as DROP names them.
MADE_NOW = """
    SELECT known.type || ' ' || known.identity AS made
    FROM (
        SELECT 'pg_proc'::regclass AS class, oid FROM pg_proc
        WHERE xmin = pg_current_xact_id()::xid AND pronamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'pg_trigger'::regclass, oid FROM pg_trigger
        WHERE xmin = pg_current_xact_id()::xid AND NOT tgisinternal
        UNION ALL
        SELECT 'pg_class'::regclass, ev_class FROM pg_rewrite
        WHERE xmin = pg_current_xact_id()::xid
    ) AS changed
    CROSS JOIN LATERAL pg_identify_object(class, oid, 0) AS known
"""


async def stale_functions(connection: Connection | OwnConnection) -> list[SchemaFile]:
    """The files that are not what the database was given, and, empty, those that it was in vain."""
    rows = await connection.fetch(SELECT_CHECKSUMS)
    noted = {row["name"]: row["checksum"] for row in rows}
    files = sql_files.functions()
    gone = noted.keys() - {file.name for file in files}
    return [file for file in files if noted.get(file.name) != file.checksum] + [
        SchemaFile(name, "") for name in sorted(gone)
    ]


async def apply_functions(connection: OwnConnection) -> None:
    """Replace the objects of files that have changed, and drop those that are in no file any more.

    Raises:
        MigrationError: the database can't replace one, or needs what is to be dropped.
    """
    stale = await stale_functions(connection)
    if not stale:
        return
    async with sql_files.change(connection):
        rows = await connection.fetch(SELECT_MADE)
        noted = {row["name"]: set(row["made"]) for row in rows}
        names = [file.name for file in stale]
        kept = {made for name in noted.keys() - set(names) for made in noted[name]}
        old = {made for name in names for made in noted.get(name, ())}
        await connection.execute(FORGET, names)
        made = await _make(connection, stale, old)
        await _drop(connection, old - made - kept)
    log.info("functions applied", files=names)


async def _make(connection: OwnConnection, files: list[SchemaFile], old: set[str]) -> set[str]:
    """Run the files in order; returns the objects that each made."""
    made: set[str] = set()
    for file in files:
        before = made
        for statement in file.statements():
            try:
                await connection.execute(statement)
            except (
                asyncpg.InvalidFunctionDefinitionError,
                asyncpg.InvalidTableDefinitionError,
            ) as error:
                raise MigrationError(
                    f"{file.name}: {error.args[0]}; let a DROP … IF EXISTS stand before it"
                ) from error
            made = {row["made"] for row in await connection.fetch(MADE_NOW)}
            # One of other arguments would have a GRANT by its name alone mean either.
            names = {_bare(one) for one in made}
            await _drop(connection, {one for one in old - made if _bare(one) in names})
        if file.text:
            await connection.execute(NOTE, file.name, file.checksum, sorted(made - before))
    return made


def _bare(made: str) -> str:
    """The kind and name of a function, without its arguments."""
    return made.partition("(")[0]


async def _drop(connection: OwnConnection, gone: set[str]) -> None:
    """Drop triggers, then views, then functions, which may need each other, at once."""
    functions = sorted(one for one in gone if one.startswith("function "))
    drops = [one.replace(" ", " IF EXISTS ", 1) for one in sorted(gone - set(functions))]
    if functions:
        drops.append("FUNCTION IF EXISTS " + ", ".join(one.split(" ", 1)[1] for one in functions))
    for drop in drops:
        try:
            await connection.execute(f"DROP {drop}")
        except asyncpg.DependentObjectsStillExistError as error:
            raise MigrationError(
                f"no file makes it any more, but it is needed: {drop}: {error.detail}"
            ) from error

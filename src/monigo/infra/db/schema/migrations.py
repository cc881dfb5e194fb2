"""Migrates a database to the present schema, and checks whether it has that.

`db/migrations` are applied once each, in the order of their numbers; then `db/functions`, whichever
have changed since. A file is one transaction, its statements are sent one by one.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

import asyncpg

from monigo.infra.db.connections import Connection, OwnConnection
from monigo.infra.db.schema import sql_files
from monigo.infra.db.schema.bring_over import bring_over, is_from_before
from monigo.infra.db.schema.functions import (
    FUNCTIONS_TABLE,
    MARK_STALE,
    apply_functions,
    stale_functions,
)
from monigo.infra.db.schema.roles import (
    APP_ROLE,
    app_url,
    bar_planting,
    ensure_role,
    refuse_powerful,
)
from monigo.infra.db.schema.sql_files import MigrationError, SchemaFile
from monigo.infra.logging import logger

log = logger(__name__)

# Any fixed number: processes that start at once queue up behind it.
MIGRATION_LOCK = 0x6D6F6E69676F

MIGRATIONS_TABLE = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version integer CONSTRAINT schema_migrations_pkey PRIMARY KEY,
        checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
    )
"""
SELECT_APPLIED = "SELECT version, checksum FROM schema_migrations"
NOTE_APPLIED = "INSERT INTO schema_migrations (version, checksum) VALUES ($1, $2)"


async def migrate(owner_url: str, app_password: str | None) -> str:
    """Apply what is missing and return the application role's URL. Safe to run at once anywhere.

    Raises:
        MigrationError: an applied migration was changed, or the database is newer than this code.
    """
    role_url = app_url(owner_url, app_password)
    connection = await asyncpg.connect(owner_url, command_timeout=None)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        await ensure_role(connection, role_url)
        await bar_planting(connection)
        await _make_notes(connection)
        applied = await _applied(connection)
        if is_from_before(applied):
            await bring_over(connection)
            applied = await _applied(connection)
        await _apply_missing(connection, applied)
        await apply_functions(connection)
    finally:
        await connection.close()  # Releases the lock, too.
    return role_url


async def require_present_schema(role_url: str) -> None:
    """Refuse a database that is not at this program's schema; asked as the application's role.

    Raises:
        MigrationError: the schema is older or newer, or the role could bypass row-level security.
    """
    connection = await asyncpg.connect(role_url)
    try:
        await refuse_powerful(connection, await connection.fetchval("SELECT current_user"))
        await check_schema(connection)
    finally:
        await connection.close()


async def check_schema(connection: Connection | OwnConnection) -> None:
    """Refuse a connection to a database that is not at this program's schema.

    Raises:
        MigrationError: the schema is older or newer.
    """
    try:
        applied = await _applied(connection)
        stale = await stale_functions(connection)
    except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
        applied, stale = {}, sql_files.functions()
    known = sql_files.migrations()
    _refuse_newer(applied.keys() - {file.version for file in known})
    missing = [file for file in known if applied.get(file.version) != file.checksum]
    if missing or stale:
        raise MigrationError(
            f"the database has another schema than this program ({_listed([*missing, *stale])}):"
            " run `monigo migrate` with the owner's MONIGO_DATABASE_URL first"
        )


async def _make_notes(connection: OwnConnection) -> None:
    for table in (MIGRATIONS_TABLE, FUNCTIONS_TABLE):
        await connection.execute(table)
    # The application's processes ask whether the schema is theirs.
    await connection.execute(f"GRANT SELECT ON schema_migrations, schema_functions TO {APP_ROLE}")


async def _applied(connection: Connection | OwnConnection) -> dict[int, str]:
    rows = await connection.fetch(SELECT_APPLIED)
    return {row["version"]: row["checksum"] for row in rows}


async def _apply_missing(connection: OwnConnection, applied: dict[int, str]) -> None:
    files = sql_files.migrations()
    _refuse_newer(applied.keys() - {file.version for file in files})
    for file in files:
        if file.version not in applied:
            async with sql_files.change(connection):
                await sql_files.run(connection, file)
                await connection.execute(NOTE_APPLIED, file.version, file.checksum)
                # What a migration dropped with a table or column is made again.
                await connection.execute(MARK_STALE)
            log.info("migration applied", migration=file.name)
        elif applied[file.version] != file.checksum:
            raise MigrationError(f"migration {file.name} was changed after it was applied")


def _refuse_newer(unknown: AbstractSet[int]) -> None:
    if unknown:
        raise MigrationError(
            f"the database is newer than this program: it has migration {sorted(unknown)}"
        )


def _listed(files: Iterable[SchemaFile]) -> str:
    return ", ".join(file.name for file in files)

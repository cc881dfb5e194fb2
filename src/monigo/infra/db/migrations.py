"""Brings a database to the present schema, and makes the role that the application uses."""

import contextlib
import hashlib
import hmac
import re
from collections.abc import Set as AbstractSet
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from monigo.infra.db.connections import OwnConnection
from monigo.infra.logging import logger

log = logger(__name__)

APP_ROLE = "monigo_app"
# Any fixed number: processes that start at once queue up behind it.
MIGRATION_LOCK = 0x6D6F6E69676F
# A migration that must wait longer than this for a table gives up rather than block everyone.
MIGRATION_LOCK_TIMEOUT = "10s"
MIGRATION_STATEMENT_TIMEOUT = "15min"

SELECT_APPLIED = "SELECT version, checksum FROM schema_migrations"
# Whoever owns a table is not held to its policies either.
MAY_BYPASS = """
    SELECT rolsuper OR rolbypassrls OR EXISTS (
        SELECT 1 FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relowner = pg_roles.oid
    )
    FROM pg_roles WHERE rolname = $1
"""
MAY_MAKE_TEMPORARY = "SELECT has_database_privilege($1, current_database(), 'TEMPORARY')"
MAY_MAKE_ANYTHING = "SELECT has_schema_privilege($1, 'public', 'CREATE')"

_PACKAGED = Path(__file__).parents[2] / "migrations"
_CHECKED_OUT = Path(__file__).parents[4] / "db" / "migrations"


class MigrationError(Exception):
    """The database can't be brought to the present schema; the message says why."""


def migration_files() -> list[Path]:
    """The numbered SQL files in order, from the wheel or the checkout."""
    directory = _PACKAGED if _PACKAGED.is_dir() else _CHECKED_OUT
    files = sorted(directory.glob("[0-9]*.sql"))
    if not files:
        raise MigrationError(f"no migrations in {directory}")
    return files


def app_url(owner_url: str, app_password: str | None) -> str:
    """The URL of the application's role on the owner's database.

    Unless set, the role's password is derived from the owner's, so that every process that is
    given the same owner URL finds the same one.

    Raises:
        MigrationError: neither a password for the role nor one to derive it from.
    """
    parts = urlsplit(owner_url)
    if app_password is None:
        if not parts.password:
            raise MigrationError(
                "MONIGO_DATABASE_URL holds no password: set MONIGO_APP_PASSWORD for the role"
                f" {APP_ROLE} (any value will do where the server trusts local connections)"
            )
        app_password = hmac.new(
            parts.password.encode(), APP_ROLE.encode(), hashlib.sha256
        ).hexdigest()
    address = parts.netloc.rpartition("@")[2]
    netloc = f"{APP_ROLE}:{quote(app_password, safe='')}@{address}"
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))


async def migrate(owner_url: str, app_password: str | None) -> str:
    """Apply what is missing and return the application role's URL. Safe to run at once anywhere.

    Raises:
        MigrationError: an applied migration was changed, or the database is newer than this code.
    """
    role_url = app_url(owner_url, app_password)
    connection = await asyncpg.connect(owner_url, command_timeout=None)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        await _ensure_role(connection, role_url)
        await _bar_planting(connection)
        await _apply_missing(connection)
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
        await _refuse_powerful(connection, await connection.fetchval("SELECT current_user"))
        try:
            rows = await connection.fetch(SELECT_APPLIED)
        except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
            rows = []
    finally:
        await connection.close()
    applied, known = (
        {row["version"] for row in rows},
        {_version(path) for path in migration_files()},
    )
    if applied - known:
        raise MigrationError(_newer(applied - known))
    if known - applied:
        raise MigrationError(
            "the database has an older schema than this program: run `monigo migrate` with the"
            " owner's MONIGO_DATABASE_URL first"
        )


async def _ensure_role(connection: OwnConnection, role_url: str) -> None:
    # Role statements take no parameters; the server itself quotes the literal.
    password = await connection.fetchval(
        "SELECT quote_literal($1::text)", urlsplit(role_url).password or ""
    )
    exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", APP_ROLE)
    if not exists:
        # A role belongs to the whole server, on which another database may be migrated just now.
        with contextlib.suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
            await connection.execute(f"CREATE ROLE {APP_ROLE} LOGIN PASSWORD {password}")
    if not await _can_connect(role_url):
        await connection.execute(f"ALTER ROLE {APP_ROLE} LOGIN PASSWORD {password}")
    await _refuse_powerful(connection, APP_ROLE)


async def _refuse_powerful(connection: OwnConnection, role: str) -> None:
    if await connection.fetchval(MAY_BYPASS, role) is not False:
        raise MigrationError(f"the role {role} must not be able to bypass row-level security")


async def _bar_planting(connection: OwnConnection) -> None:
    """Keep the application's role from making tables or functions that pass for ours.

    At every start, because a database that was restored elsewhere has its makers' usual rights.
    """
    database = await connection.fetchval("SELECT quote_ident(current_database())")
    for right, statement in (
        (MAY_MAKE_TEMPORARY, f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC, {APP_ROLE}"),
        (MAY_MAKE_ANYTHING, f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {APP_ROLE}"),
    ):
        if not await connection.fetchval(right, APP_ROLE):
            continue
        with contextlib.suppress(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
        if await connection.fetchval(right, APP_ROLE):
            log.warning("the database's owner should run this", statement=statement)


async def _can_connect(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        return False
    await connection.close()
    return True


async def _apply_missing(connection: OwnConnection) -> None:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations ("
        " version integer CONSTRAINT schema_migrations_pkey PRIMARY KEY,"
        " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    # The application's processes ask whether the schema is theirs.
    await connection.execute(f"GRANT SELECT ON schema_migrations TO {APP_ROLE}")
    rows = await connection.fetch(SELECT_APPLIED)
    applied = {row["version"]: row["checksum"] for row in rows}
    files = {_version(path): path for path in migration_files()}
    if unknown := applied.keys() - files.keys():
        raise MigrationError(_newer(unknown))
    for version, path in files.items():
        text = path.read_text()
        checksum = hashlib.sha256(text.encode()).hexdigest()
        if version in applied:
            if applied[version] != checksum:
                raise MigrationError(f"migration {path.name} was changed after it was applied")
            continue
        async with connection.transaction():
            await connection.execute(
                f"SET LOCAL lock_timeout = '{MIGRATION_LOCK_TIMEOUT}';"
                f" SET LOCAL statement_timeout = '{MIGRATION_STATEMENT_TIMEOUT}'"
            )
            await connection.execute(text)
            await connection.execute(
                "INSERT INTO schema_migrations (version, checksum) VALUES ($1, $2)",
                version,
                checksum,
            )
        log.info("migration applied", migration=path.name)


def _newer(unknown: AbstractSet[int]) -> str:
    return f"the database is newer than this program: it has migration {sorted(unknown)}"


def _version(path: Path) -> int:
    match = re.match(r"(\d{4})_[a-z0-9_]+\.sql$", path.name)
    if match is None:
        raise MigrationError(f"{path.name} is not named like 0001_what_it_does.sql")
    return int(match[1])

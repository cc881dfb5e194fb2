"""The role that the application uses: its URL, its password, and what it may never do."""

import contextlib
import hashlib
import hmac
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from monigo.infra.db.connections import OwnConnection
from monigo.infra.db.schema.sql_files import MigrationError
from monigo.infra.logging import logger

log = logger(__name__)

APP_ROLE = "monigo_app"

# A table's owner is exempt from its policies, too.
MAY_BYPASS = """
    SELECT rolsuper OR rolbypassrls OR EXISTS (
        SELECT 1 FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relowner = pg_roles.oid
    )
    FROM pg_roles WHERE rolname = $1
"""
MAY_MAKE_TEMPORARY = "SELECT has_database_privilege($1, current_database(), 'TEMPORARY')"
MAY_MAKE_ANYTHING = "SELECT has_schema_privilege($1, 'public', 'CREATE')"


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


async def ensure_role(connection: OwnConnection, role_url: str) -> None:
    """Make the role, with the password of its URL, where it is not there yet.

    Raises:
        MigrationError: it could bypass row-level security.
    """
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
    await refuse_powerful(connection, APP_ROLE)


async def refuse_powerful(connection: OwnConnection, role: str) -> None:
    """Raise MigrationError where a role could bypass row-level security."""
    if await connection.fetchval(MAY_BYPASS, role) is not False:
        raise MigrationError(f"the role {role} must not be able to bypass row-level security")


async def bar_planting(connection: OwnConnection) -> None:
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

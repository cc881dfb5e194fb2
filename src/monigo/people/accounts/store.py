"""All SQL of accounts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.core.errors import DomainError, conflict
from monigo.core.ids import UserId
from monigo.infra.db import Transaction, violations_as
from monigo.people.accounts.types import Credentials, Registration
from monigo.people.types import User

USER_COLUMNS = "id, email, full_name, created_at, updated_at"

SELECT_BY_EMAIL = f"SELECT {USER_COLUMNS}, password_hash FROM users WHERE email = $1"

SELECT_USER = f"SELECT {USER_COLUMNS} FROM users WHERE id = $1"

LOCK_CREDENTIALS = f"SELECT {USER_COLUMNS}, password_hash FROM users WHERE id = $1 FOR UPDATE"

INSERT_USER = """
    INSERT INTO users (id, email, full_name, password_hash, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $5)
"""

UPDATE_FULL_NAME = f"""
    UPDATE users SET full_name = $2, updated_at = $3 WHERE id = $1 RETURNING {USER_COLUMNS}
"""

REPLACE_HASH = "UPDATE users SET password_hash = $2, updated_at = $3 WHERE id = $1"

LIST_USERS = f"""
    SELECT {USER_COLUMNS}, admin.user_id IS NOT NULL AS is_platform_admin
    FROM users LEFT JOIN (SELECT user_id FROM platform_admins) AS admin ON admin.user_id = users.id
    ORDER BY created_at, id LIMIT $1
"""

INSERT_PLATFORM_ADMIN = """
    INSERT INTO platform_admins (user_id, created_at) VALUES ($1, $2)
    ON CONFLICT (user_id) DO NOTHING
"""

INSERT_REGISTRATION = """
    INSERT INTO registrations (id, email, full_name, password_hash, address_hash, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)
"""

REGISTRATION_COLUMNS = "id, email, full_name, password_hash, address_hash"

SELECT_LATEST_REGISTRATION = f"""
    SELECT {REGISTRATION_COLUMNS} FROM registrations WHERE email = $1
    ORDER BY address_hash = ANY ($2::bytea[]) DESC, created_at DESC, id DESC LIMIT 1
"""

SELECT_REGISTRATION = f"SELECT {REGISTRATION_COLUMNS} FROM registrations WHERE id = $1"

DELETE_OLD_REGISTRATIONS = """
    DELETE FROM registrations
    WHERE id IN (SELECT id FROM registrations WHERE created_at < $1 LIMIT $2)
    RETURNING 1
"""


async def find(tx: Transaction, email: str) -> Credentials | None:
    """The person with an e-mail."""
    return _credentials(await tx.connection.fetchrow(SELECT_BY_EMAIL, email))


async def load(tx: Transaction, user_id: UserId) -> User | None:
    """A person."""
    row = await tx.connection.fetchrow(SELECT_USER, user_id)
    return None if row is None else User(**dict(row))


async def lock(tx: Transaction, user_id: UserId) -> Credentials | None:
    """A person, held until the transaction ends."""
    return _credentials(await tx.connection.fetchrow(LOCK_CREDENTIALS, user_id))


async def insert(tx: Transaction, credentials: Credentials) -> None:
    """Store a new person.

    Raises:
        DomainError: conflict, where somebody has the e-mail.
    """
    user = credentials.user
    with violations_as({"users_email_unique": email_taken}):
        await tx.connection.execute(
            INSERT_USER,
            user.id,
            user.email,
            user.full_name,
            credentials.password_hash,
            user.created_at,
        )


async def rename(tx: Transaction, user_id: UserId, full_name: str) -> User | None:
    """Store another name of a person."""
    row = await tx.connection.fetchrow(UPDATE_FULL_NAME, user_id, full_name, tx.real_now)
    return None if row is None else User(**dict(row))


async def set_password(tx: Transaction, user_id: UserId, password_hash: str) -> None:
    """Store another password of a person."""
    await tx.connection.execute(REPLACE_HASH, user_id, password_hash, tx.real_now)


async def first_users(tx: Transaction, limit: int) -> list[tuple[User, bool]]:
    """People, those of the longest standing first, and whether they are platform admins."""
    found: list[tuple[User, bool]] = []
    for row in await tx.connection.fetch(LIST_USERS, limit):
        values = dict(row)
        is_platform_admin = values.pop("is_platform_admin")
        found.append((User(**values), is_platform_admin))
    return found


async def insert_platform_admin(tx: Transaction, user_id: UserId) -> None:
    """Store that a person runs the platform."""
    await tx.connection.execute(INSERT_PLATFORM_ADMIN, user_id, tx.real_now)


async def insert_registration(tx: Transaction, registration: Registration) -> None:
    """Store that somebody wants to register."""
    await tx.connection.execute(
        INSERT_REGISTRATION,
        registration.id,
        registration.email,
        registration.full_name,
        registration.password_hash,
        registration.address_hash,
        tx.real_now,
    )


async def latest_registration(
    tx: Transaction, email: str, address_hashes: Sequence[bytes]
) -> Registration | None:
    """The last one who wanted to register an e-mail, from this address rather than from others."""
    row = await tx.connection.fetchrow(SELECT_LATEST_REGISTRATION, email, list(address_hashes))
    return None if row is None else Registration(**dict(row))


async def registration(tx: Transaction, registration_id: UUID) -> Registration | None:
    """One who wanted to register."""
    row = await tx.connection.fetchrow(SELECT_REGISTRATION, registration_id)
    return None if row is None else Registration(**dict(row))


async def delete_registrations_before(tx: Transaction, instant: datetime, limit: int) -> int:
    """Forget some who wanted to register before an instant; how many."""
    return len(await tx.connection.fetch(DELETE_OLD_REGISTRATIONS, instant, limit))


def email_taken() -> DomainError:
    """The refusal of an e-mail that a person has shown to be theirs."""
    return conflict("email_taken", "an account with this e-mail exists")


def _credentials(row: asyncpg.Record | None) -> Credentials | None:
    if row is None:
        return None
    values = dict(row)
    password_hash = values.pop("password_hash")
    return Credentials(User(**values), password_hash)

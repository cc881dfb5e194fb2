"""All SQL of passkeys, and of what they are asked to sign for a session."""

from datetime import datetime
from enum import StrEnum

import asyncpg

from monigo.core.errors import DomainError, conflict
from monigo.core.ids import PasskeyId, SessionId, UserId
from monigo.infra.db import Transaction, violations_as
from monigo.people.second_factor.types import Passkey

PASSKEY_COLUMNS = """
    id, user_id, name, credential_id, public_key, sign_count, created_at, last_used_at
"""

INSERT_PASSKEY = f"INSERT INTO passkeys ({PASSKEY_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"

SELECT_PASSKEYS = f"""
    SELECT {PASSKEY_COLUMNS} FROM passkeys WHERE user_id = $1 ORDER BY created_at, id
"""

LOCK_PASSKEY = f"""
    SELECT {PASSKEY_COLUMNS} FROM passkeys WHERE user_id = $1 AND credential_id = $2 FOR UPDATE
"""

USE_PASSKEY = "UPDATE passkeys SET sign_count = $2, last_used_at = $3 WHERE id = $1"

RENAME_PASSKEY = f"""
    UPDATE passkeys SET name = $3 WHERE user_id = $1 AND id = $2 RETURNING {PASSKEY_COLUMNS}
"""

DELETE_PASSKEY = "DELETE FROM passkeys WHERE user_id = $1 AND id = $2 RETURNING 1"

DELETE_PASSKEYS = "DELETE FROM passkeys WHERE user_id = $1"

PUT_CHALLENGE = """
    INSERT INTO passkey_challenges (session_id, purpose, challenge, expires_at)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (session_id, purpose) DO UPDATE SET challenge = $3, expires_at = $4
"""

TAKE_CHALLENGE = """
    DELETE FROM passkey_challenges WHERE session_id = $1 AND purpose = $2
    RETURNING challenge, expires_at
"""


class Purpose(StrEnum):
    """What a session wants signed."""

    REGISTER = "register"
    REAUTHENTICATE = "reauthenticate"


async def insert(tx: Transaction, passkey: Passkey) -> None:
    """Store a new passkey.

    Raises:
        DomainError: conflict, where it is somebody's already.
    """
    with violations_as({"passkeys_credential_unique": already_a_passkey}):
        await tx.connection.execute(
            INSERT_PASSKEY,
            passkey.id,
            passkey.user_id,
            passkey.name,
            passkey.credential_id,
            passkey.public_key,
            passkey.sign_count,
            passkey.created_at,
            passkey.last_used_at,
        )


async def of_user(tx: Transaction, user_id: UserId) -> list[Passkey]:
    """A person's passkeys, in the order in which they were made."""
    return [Passkey(**dict(row)) for row in await tx.connection.fetch(SELECT_PASSKEYS, user_id)]


async def lock(tx: Transaction, user_id: UserId, credential_id: bytes) -> Passkey | None:
    """A person's passkey of a credential, held until the transaction ends."""
    return _passkey(await tx.connection.fetchrow(LOCK_PASSKEY, user_id, credential_id))


async def use(tx: Transaction, passkey_id: PasskeyId, sign_count: int) -> None:
    """Note that a passkey has signed."""
    await tx.connection.execute(USE_PASSKEY, passkey_id, sign_count, tx.real_now)


async def rename(
    tx: Transaction, user_id: UserId, passkey_id: PasskeyId, name: str
) -> Passkey | None:
    """Store another name of a person's passkey."""
    return _passkey(await tx.connection.fetchrow(RENAME_PASSKEY, user_id, passkey_id, name))


async def delete(tx: Transaction, user_id: UserId, passkey_id: PasskeyId) -> bool:
    """Forget a person's passkey; False where there is none such."""
    return bool(await tx.connection.fetchval(DELETE_PASSKEY, user_id, passkey_id))


async def delete_all(tx: Transaction, user_id: UserId) -> None:
    """Forget a person's passkeys."""
    await tx.connection.execute(DELETE_PASSKEYS, user_id)


async def put_challenge(
    tx: Transaction,
    session_id: SessionId,
    purpose: Purpose,
    challenge: bytes,
    expires_at: datetime,
) -> None:
    """Store what is to be signed for a session, instead of what was before."""
    await tx.connection.execute(PUT_CHALLENGE, session_id, purpose.value, challenge, expires_at)


async def take_challenge(tx: Transaction, session_id: SessionId, purpose: Purpose) -> bytes | None:
    """What was to be signed for a session, once; None where there is nothing, or not any more."""
    row = await tx.connection.fetchrow(TAKE_CHALLENGE, session_id, purpose.value)
    return None if row is None or row["expires_at"] <= tx.real_now else row["challenge"]


def already_a_passkey() -> DomainError:
    """The refusal of a credential that is registered."""
    return conflict("passkey_exists", "this passkey is registered already")


def _passkey(row: asyncpg.Record | None) -> Passkey | None:
    return None if row is None else Passkey(**dict(row))

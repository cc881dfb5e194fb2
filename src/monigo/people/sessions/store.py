"""All SQL of sessions, and of the keys that sign access tokens."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.core.ids import SessionId, UserId
from monigo.infra.db import Transaction
from monigo.people.sessions.types import Session

SESSION_COLUMNS = """
    id, user_id, salt, generation, recent_rotations, user_agent, address, created_at, last_seen_at,
    authenticated_at, second_factor_at, expires_at, ended_at
"""

INSERT_SESSION = f"""
    INSERT INTO sessions ({SESSION_COLUMNS}, rotated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $8)
"""

LOCK_SESSION = f"SELECT {SESSION_COLUMNS} FROM sessions WHERE id = $1 FOR UPDATE"

SELECT_SESSIONS = f"""
    SELECT {SESSION_COLUMNS} FROM sessions
    WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2
    ORDER BY last_seen_at DESC, id DESC
"""

ROTATE_SESSION = """
    UPDATE sessions
    SET generation = $2, recent_rotations = $3, rotated_at = $4, last_seen_at = $4, expires_at = $5,
        address = $6, user_agent = $7
    WHERE id = $1
"""

AUTHENTICATE_SESSION = """
    UPDATE sessions
    SET authenticated_at = $2,
        second_factor_at = CASE WHEN $3 THEN $2 ELSE second_factor_at END
    WHERE id = $1
"""

END_SESSION = """
    UPDATE sessions SET ended_at = $3
    WHERE user_id = $1 AND id = $2 AND ended_at IS NULL AND expires_at > $3
    RETURNING 1
"""

END_OTHERS = """
    UPDATE sessions SET ended_at = $3
    WHERE user_id = $1 AND ended_at IS NULL AND ($2::uuid IS NULL OR id <> $2)
    RETURNING 1
"""

# Whether a person was signed in on such a device before; one that never was has no old one.
SELECT_DEVICES = "SELECT DISTINCT user_agent FROM sessions WHERE user_id = $1"

DELETE_OLD = """
    DELETE FROM sessions
    WHERE id IN (SELECT id FROM sessions WHERE expires_at < $1 LIMIT $2)
    RETURNING 1
"""

SELECT_SIGNING_KEYS = (
    "SELECT id, ciphertext, created_at FROM signing_keys ORDER BY created_at DESC, id"
)

INSERT_SIGNING_KEY = "INSERT INTO signing_keys (id, ciphertext, created_at) VALUES ($1, $2, $3)"

DELETE_SIGNING_KEYS = "DELETE FROM signing_keys WHERE id = ANY ($1::uuid[])"

SESSION_MEMBERSHIP = """
    SELECT role, name, authenticated_at, is_suspended, lacks_second_factor
    FROM session_membership($1, $2, $3, $4, $5)
"""
LOCKED_SESSION_MEMBERSHIP = """
    SELECT role, name, authenticated_at, is_suspended, lacks_second_factor
    FROM locked_session_membership($1, $2, $3, $4, $5)
"""


async def insert(tx: Transaction, session: Session) -> None:
    """Store a new session."""
    await tx.connection.execute(
        INSERT_SESSION,
        session.id,
        session.user_id,
        session.salt,
        session.generation,
        list(session.recent_rotations),
        session.user_agent,
        session.address,
        session.created_at,
        session.last_seen_at,
        session.authenticated_at,
        session.second_factor_at,
        session.expires_at,
        session.ended_at,
    )


async def lock(tx: Transaction, session_id: SessionId) -> Session | None:
    """A session, held until the transaction ends."""
    row = await tx.connection.fetchrow(LOCK_SESSION, session_id)
    return None if row is None else _session(row)


async def open_of_user(tx: Transaction, user_id: UserId) -> list[Session]:
    """A person's sessions that count, the one used last first."""
    rows = await tx.connection.fetch(SELECT_SESSIONS, user_id, tx.real_now)
    return [_session(row) for row in rows]


async def rotate(tx: Transaction, session: Session) -> None:
    """Store that another refresh token of a session counts now."""
    await tx.connection.execute(
        ROTATE_SESSION,
        session.id,
        session.generation,
        list(session.recent_rotations),
        session.last_seen_at,
        session.expires_at,
        session.address,
        session.user_agent,
    )


async def authenticate(tx: Transaction, session_id: SessionId, *, by_second_factor: bool) -> None:
    """Note that the person has just proved who they are."""
    await tx.connection.execute(AUTHENTICATE_SESSION, session_id, tx.real_now, by_second_factor)


async def end(tx: Transaction, user_id: UserId, session_id: SessionId) -> bool:
    """End one of a person's sessions; whether it counted until now."""
    return bool(await tx.connection.fetchval(END_SESSION, user_id, session_id, tx.real_now))


async def end_others(tx: Transaction, user_id: UserId, but: SessionId | None) -> int:
    """End all of a person's sessions but one, or really all; how many there were."""
    return len(await tx.connection.fetch(END_OTHERS, user_id, but, tx.real_now))


async def devices(tx: Transaction, user_id: UserId) -> list[str]:
    """The User-Agents of the devices on which a person was signed in lately."""
    rows = await tx.connection.fetch(SELECT_DEVICES, user_id)
    return [row["user_agent"] for row in rows]


async def delete_before(tx: Transaction, instant: datetime, limit: int) -> int:
    """Forget some of the sessions that ended before an instant; how many."""
    return len(await tx.connection.fetch(DELETE_OLD, instant, limit))


async def signing_keys(tx: Transaction) -> list[asyncpg.Record]:
    """The encrypted keys of access tokens, the newest first."""
    return await tx.connection.fetch(SELECT_SIGNING_KEYS)


async def insert_signing_key(tx: Transaction, key_id: UUID, ciphertext: bytes) -> None:
    """Store a new key."""
    await tx.connection.execute(INSERT_SIGNING_KEY, key_id, ciphertext, tx.real_now)


async def delete_signing_keys(tx: Transaction, key_ids: Sequence[UUID]) -> None:
    """Forget keys whose tokens have all run out."""
    await tx.connection.execute(DELETE_SIGNING_KEYS, list(key_ids))


async def session_membership(
    tx: Transaction, *, user_id: UserId, session_id: SessionId, is_locked: bool = False
) -> asyncpg.Record | None:
    """A person's role in the transaction's organisation, their name, and when they proved it.

    None where the session doesn't count; the role is null for who is no member. A second factor is
    lacking where the organisation requires one and the person has none. Where it `is_locked`,
    neither ends before the transaction does.
    """
    query = LOCKED_SESSION_MEMBERSHIP if is_locked else SESSION_MEMBERSHIP
    return await tx.fetchrow(query, session_id, user_id, tx.real_now)


def _session(row: asyncpg.Record) -> Session:
    values = dict(row)
    values["recent_rotations"] = tuple(values["recent_rotations"])
    return Session(**values)

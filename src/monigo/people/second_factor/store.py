"""All SQL of second factors, and of log-ins that wait for one."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.core.ids import UserId
from monigo.infra.db import Transaction
from monigo.people.second_factor.types import App, Challenge, State

PUT_APP = """
    INSERT INTO authenticator_apps (user_id, ciphertext, last_step, created_at)
    VALUES ($1, $2, 0, $3)
    ON CONFLICT (user_id) DO UPDATE SET ciphertext = $2, last_step = 0, created_at = $3
    WHERE authenticator_apps.confirmed_at IS NULL
    RETURNING 1
"""

LOCK_APP = """
    SELECT user_id, ciphertext, last_step, confirmed_at FROM authenticator_apps WHERE user_id = $1
    FOR UPDATE
"""

USE_STEP = """
    UPDATE authenticator_apps SET last_step = $2, confirmed_at = coalesce(confirmed_at, $3)
    WHERE user_id = $1
"""

DELETE_APP = "DELETE FROM authenticator_apps WHERE user_id = $1"

INSERT_RECOVERY_CODES = """
    INSERT INTO recovery_codes (user_id, code_hash) SELECT $1, code_hash
    FROM unnest($2::bytea[]) AS code_hash
    ON CONFLICT DO NOTHING
"""

DELETE_RECOVERY_CODES = "DELETE FROM recovery_codes WHERE user_id = $1"

USE_RECOVERY_CODE = """
    DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = ANY ($2::bytea[]) RETURNING 1
"""

SELECT_STATE = """
    SELECT
        EXISTS (
            SELECT 1 FROM authenticator_apps WHERE user_id = $1 AND confirmed_at IS NOT NULL
        ) OR EXISTS (SELECT 1 FROM passkeys WHERE user_id = $1) AS is_on,
        (SELECT count(*) FROM recovery_codes WHERE user_id = $1) AS recovery_codes_left
"""


CHALLENGE_COLUMNS = """
    id, token_hash, passkey_challenge, user_id, failed_attempts, created_at, expires_at
"""

INSERT_CHALLENGE = f"""
    INSERT INTO sign_in_challenges ({CHALLENGE_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

LOCK_CHALLENGE = f"""
    SELECT {CHALLENGE_COLUMNS} FROM sign_in_challenges
    WHERE token_hash = ANY ($1::bytea[]) AND ended_at IS NULL AND expires_at > $2
    FOR UPDATE
"""

END_CHALLENGE = "UPDATE sign_in_challenges SET ended_at = $2 WHERE id = $1"

COUNT_WRONG = """
    UPDATE sign_in_challenges SET failed_attempts = failed_attempts + 1, ended_at = $2 WHERE id = $1
"""

END_CHALLENGES_OF_USER = """
    UPDATE sign_in_challenges SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL
"""

DELETE_OLD_CHALLENGES = """
    DELETE FROM sign_in_challenges
    WHERE id IN (SELECT id FROM sign_in_challenges WHERE expires_at < $1 LIMIT $2)
    RETURNING 1
"""


async def put_app(tx: Transaction, user_id: UserId, ciphertext: bytes) -> bool:
    """Store an app that is to be confirmed; False where a confirmed one is there."""
    return bool(await tx.connection.fetchval(PUT_APP, user_id, ciphertext, tx.real_now))


async def lock_app(tx: Transaction, user_id: UserId) -> App | None:
    """A person's app, held until the transaction ends."""
    row = await tx.connection.fetchrow(LOCK_APP, user_id)
    return None if row is None else App(**dict(row))


async def use_step(tx: Transaction, user_id: UserId, step: int) -> None:
    """Note up to which step of time codes were used; the first confirms the app."""
    await tx.connection.execute(USE_STEP, user_id, step, tx.real_now)


async def delete_app(tx: Transaction, user_id: UserId) -> None:
    """Forget a person's app."""
    await tx.connection.execute(DELETE_APP, user_id)


async def delete_recovery_codes(tx: Transaction, user_id: UserId) -> None:
    """Forget a person's recovery codes."""
    await tx.connection.execute(DELETE_RECOVERY_CODES, user_id)


async def replace_recovery_codes(tx: Transaction, user_id: UserId, hashes: Sequence[bytes]) -> None:
    """Store new recovery codes instead of those there are."""
    await tx.connection.execute(DELETE_RECOVERY_CODES, user_id)
    await tx.connection.execute(INSERT_RECOVERY_CODES, user_id, list(hashes))


async def use_recovery_code(tx: Transaction, user_id: UserId, hashes: Sequence[bytes]) -> bool:
    """Use up a recovery code; False where none has these hashes."""
    return bool(await tx.connection.fetchval(USE_RECOVERY_CODE, user_id, list(hashes)))


async def state(tx: Transaction, user_id: UserId) -> State:
    """Whether a person has a second factor."""
    row = await tx.connection.fetchrow(SELECT_STATE, user_id)
    return State(**dict(row or {}))


async def insert_challenge(tx: Transaction, challenge: Challenge) -> None:
    """Store that a second factor is asked for."""
    await tx.connection.execute(
        INSERT_CHALLENGE,
        challenge.id,
        challenge.token_hash,
        challenge.passkey_challenge,
        challenge.user_id,
        challenge.failed_attempts,
        challenge.created_at,
        challenge.expires_at,
    )


async def lock_challenge(tx: Transaction, hashes: Sequence[bytes]) -> Challenge | None:
    """The open challenge whose token has one of these hashes, locked."""
    row: asyncpg.Record | None = await tx.connection.fetchrow(
        LOCK_CHALLENGE, list(hashes), tx.real_now
    )
    return None if row is None else Challenge(**dict(row))


async def end_challenge(tx: Transaction, challenge_id: UUID) -> None:
    """Note that a challenge is over."""
    await tx.connection.execute(END_CHALLENGE, challenge_id, tx.real_now)


async def count_wrong(tx: Transaction, challenge_id: UUID, *, is_last: bool) -> None:
    """Count a wrong code, which ends the challenge if it is the last one."""
    await tx.connection.execute(COUNT_WRONG, challenge_id, tx.real_now if is_last else None)


async def end_challenges(tx: Transaction, user_id: UserId) -> None:
    """End all challenges of a person."""
    await tx.connection.execute(END_CHALLENGES_OF_USER, user_id, tx.real_now)


async def delete_old_challenges(tx: Transaction, instant: datetime, limit: int) -> int:
    """Forget some of the challenges that ran out before an instant; how many."""
    return len(await tx.connection.fetch(DELETE_OLD_CHALLENGES, instant, limit))

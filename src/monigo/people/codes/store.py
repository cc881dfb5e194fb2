"""All SQL of codes that are mailed."""

from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.core.ids import UserId
from monigo.infra.db import Transaction
from monigo.people.codes.rules import Purpose
from monigo.people.codes.types import Code, Recent

CODE_COLUMNS = """
    id, email, purpose, is_link, code_hash, registration_id, user_id, address_hash, failed_attempts,
    created_at, expires_at
"""

INSERT_CODE = f"""
    INSERT INTO email_codes ({CODE_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""

SELECT_RECENT = """
    SELECT
        (SELECT count(*) FROM email_codes
            WHERE email = $1 AND created_at > $3 AND purpose <> 'set_password') AS of_email,
        (SELECT count(*) FROM email_codes
            WHERE address_hash = $2 AND created_at > $3 AND purpose <> 'set_password')
            AS of_address,
        (SELECT coalesce(sum(failed_attempts), 0) FROM email_codes
            WHERE email = $1 AND created_at > $4) AS failed_attempts_today
"""

SELECT_OPEN = f"""
    SELECT {CODE_COLUMNS} FROM email_codes
    WHERE email = $1 AND purpose = $2 AND ended_at IS NULL
    FOR UPDATE
"""

SELECT_OPEN_BY_HASH = f"""
    SELECT {CODE_COLUMNS} FROM email_codes
    WHERE code_hash = ANY ($1::bytea[]) AND purpose = $2 AND ended_at IS NULL
    FOR UPDATE
"""

END_CODES = """
    UPDATE email_codes SET ended_at = $3
    WHERE email = $1 AND purpose = ANY ($2::text[]) AND ended_at IS NULL
"""

COUNT_WRONG = """
    UPDATE email_codes SET failed_attempts = failed_attempts + 1, ended_at = $2 WHERE id = $1
"""

DELETE_OLD = """
    DELETE FROM email_codes
    WHERE id IN (SELECT id FROM email_codes WHERE created_at < $1 LIMIT $2)
    RETURNING 1
"""


async def insert(tx: Transaction, code: Code) -> None:
    """Store a code."""
    await tx.connection.execute(
        INSERT_CODE,
        code.id,
        code.email,
        code.purpose.value,
        code.is_link,
        code.code_hash,
        code.registration_id,
        code.user_id,
        code.address_hash,
        code.failed_attempts,
        code.created_at,
        code.expires_at,
    )


async def recent(
    tx: Transaction, *, email: str, address_hash: bytes, hour_ago: datetime, day_ago: datetime
) -> Recent:
    """The codes sent lately to an e-mail, and on requests from an address."""
    row = await tx.connection.fetchrow(SELECT_RECENT, email, address_hash, hour_ago, day_ago)
    return Recent(**dict(row or {}))


async def lock_open(tx: Transaction, email: str, purpose: Purpose) -> Code | None:
    """The one code of an e-mail and purpose that still counts, if it has not expired."""
    return _code(await tx.connection.fetchrow(SELECT_OPEN, email, purpose.value))


async def lock_open_by_hash(tx: Transaction, hashes: list[bytes], purpose: Purpose) -> Code | None:
    """The open code with one of these hashes, locked."""
    return _code(await tx.connection.fetchrow(SELECT_OPEN_BY_HASH, hashes, purpose.value))


async def end(tx: Transaction, email: str, *purposes: Purpose) -> None:
    """End what counts of an e-mail's codes for these purposes."""
    await tx.connection.execute(END_CODES, email, [one.value for one in purposes], tx.real_now)


async def count_wrong(tx: Transaction, code_id: UUID, *, is_last: bool) -> None:
    """Count a wrong try, which ends the code if it is the last one."""
    await tx.connection.execute(COUNT_WRONG, code_id, tx.real_now if is_last else None)


async def delete_before(tx: Transaction, instant: datetime, limit: int) -> int:
    """Forget some of the codes of before an instant; how many."""
    return len(await tx.connection.fetch(DELETE_OLD, instant, limit))


def _code(row: asyncpg.Record | None) -> Code | None:
    if row is None:
        return None
    values = dict(row)
    values["purpose"] = Purpose(values["purpose"])
    values["user_id"] = values["user_id"] and UserId(values["user_id"])
    return Code(**values)

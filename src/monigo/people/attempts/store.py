"""All SQL of attempts to sign in."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from monigo.infra.db import Transaction
from monigo.people.attempts.rules import DAY, TRUSTED_FOR, WINDOW, Failures

# Hashes under former keys of the installation count, too.
SELECT_FAILURES = """
    SELECT
        count(*) FILTER (
            WHERE NOT succeeded AND attempted_at > $3
                AND email_hash = ANY ($1) AND address_hash = ANY ($2)
        ) AS of_email_and_address,
        min(attempted_at) FILTER (
            WHERE NOT succeeded AND attempted_at > $3
                AND email_hash = ANY ($1) AND address_hash = ANY ($2)
        ) AS first_of_email_and_address,
        count(*) FILTER (
            WHERE NOT succeeded AND attempted_at > $3 AND address_hash = ANY ($2)
        ) AS of_address,
        min(attempted_at) FILTER (
            WHERE NOT succeeded AND attempted_at > $3 AND address_hash = ANY ($2)
        ) AS first_of_address,
        count(*) FILTER (
            WHERE NOT succeeded AND attempted_at > $4 AND email_hash = ANY ($1)
        ) AS of_email,
        min(attempted_at) FILTER (
            WHERE NOT succeeded AND attempted_at > $4 AND email_hash = ANY ($1)
        ) AS first_of_email,
        count(*) FILTER (
            WHERE succeeded AND email_hash = ANY ($1) AND address_hash = ANY ($2)
        ) > 0 AS is_trusted
    FROM sign_in_attempts
    WHERE attempted_at > $5 AND (email_hash = ANY ($1::bytea[]) OR address_hash = ANY ($2::bytea[]))
"""

INSERT_ATTEMPT = """
    INSERT INTO sign_in_attempts (id, email_hash, address_hash, succeeded, attempted_at)
    VALUES ($1, $2, $3, false, $4)
"""

SUCCEED = "UPDATE sign_in_attempts SET succeeded = true WHERE id = $1"

DELETE_OLD = """
    DELETE FROM sign_in_attempts
    WHERE id IN (
        SELECT id FROM sign_in_attempts
        WHERE attempted_at < $1 AND (NOT succeeded OR attempted_at < $2)
        LIMIT $3
    )
    RETURNING 1
"""


async def failures(
    tx: Transaction, *, email_hashes: Sequence[bytes], address_hashes: Sequence[bytes]
) -> Failures:
    """How often an e-mail, an address and both together failed of late."""
    now = tx.real_now
    row = await tx.connection.fetchrow(
        SELECT_FAILURES,
        list(email_hashes),
        list(address_hashes),
        now - WINDOW,
        now - DAY,
        now - TRUSTED_FOR,
    )
    return Failures(**dict(row or {}))


async def insert_attempt(
    tx: Transaction, attempt_id: UUID, *, email_hash: bytes, address_hash: bytes
) -> None:
    """Record an attempt, as failed until it succeeds."""
    await tx.connection.execute(INSERT_ATTEMPT, attempt_id, email_hash, address_hash, tx.real_now)


async def succeed(tx: Transaction, attempt_id: UUID) -> None:
    """Record that an attempt succeeded."""
    await tx.connection.execute(SUCCEED, attempt_id)


async def delete_old(
    tx: Transaction, *, failed_before: datetime, at_all_before: datetime, limit: int
) -> int:
    """Forget some of the failures of before an instant, and successes of long ago; how many."""
    return len(await tx.connection.fetch(DELETE_OLD, failed_before, at_all_before, limit))

"""The SQL of requests that carried an Idempotency-Key."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from monigo.infra import json
from monigo.infra.db import Transaction

# Ends with the transaction, also when the process dies: nothing is left behind to lapse.
TRY_LOCK = "SELECT pg_try_advisory_xact_lock($1)"

SELECT = """
    SELECT body_hash, status, response_body, intent FROM idempotency_records
    WHERE org_id = $1 AND is_test = $2 AND request_key = $3 AND created_at >= $4
"""

# It replaces one that is too old to be given.
KEEP = """
    INSERT INTO idempotency_records (
        org_id, is_test, request_key, body_hash, status, response_body, created_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (org_id, is_test, request_key) DO UPDATE
    SET body_hash = excluded.body_hash, status = excluded.status,
        response_body = excluded.response_body, created_at = excluded.created_at,
        intent = NULL, claimed_by = NULL, claimed_until = NULL
"""

# It replaces one that is too old to be repeated, and no other.
INSERT_CLAIM = """
    INSERT INTO idempotency_records (
        org_id, is_test, request_key, body_hash, intent, claimed_by, claimed_until, created_at
    ) VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8)
    ON CONFLICT (org_id, is_test, request_key) DO UPDATE
    SET body_hash = excluded.body_hash, status = NULL, response_body = NULL,
        intent = excluded.intent, claimed_by = excluded.claimed_by,
        claimed_until = excluded.claimed_until, created_at = excluded.created_at
    WHERE idempotency_records.created_at < $9
    RETURNING true
"""

# Released, or its holder was silent for too long.
TAKE_OVER = """
    UPDATE idempotency_records SET claimed_by = $4, claimed_until = $5
    WHERE org_id = $1 AND is_test = $2 AND request_key = $3 AND status IS NULL
        AND (claimed_by IS NULL OR claimed_until <= $6)
    RETURNING true
"""

RENEW = """
    UPDATE idempotency_records SET claimed_until = $5
    WHERE org_id = $1 AND is_test = $2 AND request_key = $3 AND claimed_by = $4
"""

LOCK_CLAIM = """
    SELECT true FROM idempotency_records
    WHERE org_id = $1 AND is_test = $2 AND request_key = $3 AND claimed_by = $4
    FOR UPDATE
"""

ANSWER_CLAIM = """
    UPDATE idempotency_records
    SET status = $5, response_body = $6, intent = NULL, claimed_by = NULL, claimed_until = NULL
    WHERE org_id = $1 AND is_test = $2 AND request_key = $3 AND claimed_by = $4
    RETURNING true
"""

RELEASE = """
    UPDATE idempotency_records SET claimed_by = NULL, claimed_until = NULL
    WHERE org_id = $1 AND is_test = $2 AND request_key = $3 AND claimed_by = $4
"""

DELETE_CLAIM = """
    DELETE FROM idempotency_records
    WHERE org_id = $1 AND is_test = $2 AND request_key = $3 AND claimed_by = $4
"""

DELETE_OLD = """
    DELETE FROM idempotency_records WHERE org_id = $1 AND is_test = $2 AND created_at < $3
"""


class Record(Struct, frozen=True):
    """What is known of a request: its answer, or its intent as long as it has none."""

    body_hash: bytes
    status: int | None
    response_body: bytes | None
    intent: Any


async def try_lock(tx: Transaction, request_key: bytes) -> bool:
    """Whether no other transaction is at this request; if so, none will be until ours ends."""
    number = int.from_bytes(request_key[:8], "big", signed=True)
    return await tx.connection.fetchval(TRY_LOCK, number)


async def load(tx: Transaction, request_key: bytes, *, since: datetime) -> Record | None:
    """The record of a request, unless it is older than `since`."""
    row = await tx.fetchrow(SELECT, request_key, since)
    if row is None:
        return None
    intent = None if row["intent"] is None else json.decode(row["intent"])
    return Record(row["body_hash"], row["status"], row["response_body"], intent)


async def keep(
    tx: Transaction, request_key: bytes, body_hash: bytes, status: int, response_body: bytes
) -> None:
    """Keep the answer to a request that was done in this transaction."""
    await tx.execute(KEEP, request_key, body_hash, status, response_body, tx.real_now)


async def insert_claim(
    tx: Transaction,
    request_key: bytes,
    body_hash: bytes,
    intent: Any,
    holder_id: UUID,
    *,
    until: datetime,
    forgotten_before: datetime,
) -> bool:
    """Claim a request with its intent; False where a record of it counts still."""
    written = json.encode(intent)
    row = (request_key, body_hash, written, holder_id, until, tx.real_now, forgotten_before)
    return await tx.fetchval(INSERT_CLAIM, *row) is not None


async def take_over(
    tx: Transaction, request_key: bytes, holder_id: UUID, *, until: datetime
) -> bool:
    """Claim a request that is neither answered nor claimed; False where it is either."""
    return await tx.fetchval(TAKE_OVER, request_key, holder_id, until, tx.real_now) is not None


async def renew(tx: Transaction, request_key: bytes, holder_id: UUID, *, until: datetime) -> None:
    """Prolong a claim, if it is still the holder's."""
    await tx.execute(RENEW, request_key, holder_id, until)


async def lock_claim(tx: Transaction, request_key: bytes, holder_id: UUID) -> bool:
    """Whether a claim is the holder's; if so, it stays so until the transaction ends."""
    return await tx.fetchval(LOCK_CLAIM, request_key, holder_id) is not None


async def answer_claim(
    tx: Transaction, request_key: bytes, holder_id: UUID, status: int, response_body: bytes
) -> bool:
    """Keep the answer to a claimed request; False where the claim is not the holder's."""
    row = (request_key, holder_id, status, response_body)
    return await tx.fetchval(ANSWER_CLAIM, *row) is not None


async def release(tx: Transaction, request_key: bytes, holder_id: UUID) -> None:
    """Give up a claim, if it is still the holder's."""
    await tx.execute(RELEASE, request_key, holder_id)


async def delete_claim(tx: Transaction, request_key: bytes, holder_id: UUID) -> None:
    """Forget a claimed request, if the claim is still the holder's."""
    await tx.execute(DELETE_CLAIM, request_key, holder_id)


async def delete(tx: Transaction, *, before: datetime) -> None:
    """Delete the records older than `before`."""
    await tx.execute(DELETE_OLD, before)

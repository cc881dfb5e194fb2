"""The store of answers to requests that carried an Idempotency-Key."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from monigo.infra import agenda
from monigo.infra.agenda import Entry, Follows, Kind, Slices, Task
from monigo.infra.database import Transaction

# How long a repeated request gets its first answer.
KEPT_FOR = timedelta(hours=24)

# Of the answers that were kept within a span of time.
EXPIRY = Kind("idempotency_expiry", Follows.REAL)
EXPIRY_SPAN = timedelta(hours=1)

# Ends with the transaction, also when the process dies: nothing is left behind to lapse.
TRY_LOCK = "SELECT pg_try_advisory_xact_lock($1)"

SELECT = """
    SELECT body_hash, status, response_body FROM idempotency_records
    WHERE org_id = $1 AND is_test = $2 AND request_key = $3 AND created_at >= $4
"""

UPSERT = """
    INSERT INTO idempotency_records (
        org_id, is_test, request_key, body_hash, status, response_body, created_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (org_id, is_test, request_key) DO UPDATE
    SET body_hash = excluded.body_hash, status = excluded.status,
        response_body = excluded.response_body, created_at = excluded.created_at
"""

DELETE_OLD = """
    DELETE FROM idempotency_records WHERE org_id = $1 AND is_test = $2 AND created_at < $3
"""


class Kept(Struct, frozen=True):
    """An answer as it was given, and the hash of the body it answered."""

    body_hash: bytes
    status: int
    response_body: bytes


async def try_lock(tx: Transaction, request_key: bytes) -> bool:
    """Whether no other transaction is at this request; if so, none will be until ours ends."""
    number = int.from_bytes(request_key[:8], "big", signed=True)
    return await tx.connection.fetchval(TRY_LOCK, number)


async def load(tx: Transaction, request_key: bytes, *, since: datetime) -> Kept | None:
    """The answer kept for a request, unless it is older than `since`."""
    row = await tx.fetchrow(SELECT, request_key, since)
    return None if row is None else Kept(row["body_hash"], row["status"], row["response_body"])


async def store(tx: Transaction, request_key: bytes, kept: Kept) -> None:
    """Keep an answer; it replaces one that is too old to be given."""
    await tx.execute(
        UPSERT, request_key, kept.body_hash, kept.status, kept.response_body, tx.real_now
    )
    await agenda.put_for_span(tx, EXPIRY, tx.real_now, span=EXPIRY_SPAN, after=KEPT_FOR)


async def forget(tx: Transaction, _entries: Sequence[Entry] = ()) -> tuple[()]:
    """Delete the answers that nobody gets any more."""
    await tx.execute(DELETE_OLD, tx.real_now - KEPT_FOR)
    return ()


FORGET = Task(EXPIRY, Slices(forget), concurrency=1, every_seconds=60)

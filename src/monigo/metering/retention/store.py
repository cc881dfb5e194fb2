"""The SQL that redacts old events, and records up to when they are redacted."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from monigo.core.ids import CustomerId
from monigo.core.periods import Period
from monigo.infra.db import Transaction

SELECT_RETENTION = """
    SELECT kept_from, redacted_until FROM event_retention WHERE org_id = $1 AND is_test = $2
"""

PUT_KEPT_FROM = """
    INSERT INTO event_retention (org_id, is_test, kept_from, redacted_until)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (org_id, is_test)
    DO UPDATE SET kept_from = greatest(event_retention.kept_from, excluded.kept_from)
"""

PUT_REDACTED_UNTIL = """
    UPDATE event_retention SET redacted_until = $3
    WHERE org_id = $1 AND is_test = $2 AND redacted_until < $3
"""

SELECT_CUSTOMERS = """
    SELECT id FROM customers
    WHERE org_id = $1 AND is_test = $2 AND ($3::uuid IS NULL OR id > $3)
    ORDER BY id
    LIMIT $4
"""

REDACT = """
    UPDATE usage_events SET properties = '{}'
    WHERE org_id = $1 AND is_test = $2 AND dedup = ANY (ARRAY (
        SELECT event.dedup
        FROM unnest($3::uuid[], $4::timestamptz[], $5::timestamptz[])
            AS span (customer_id, start_at, end_at)
        JOIN usage_events AS event ON event.org_id = $1 AND event.is_test = $2
            AND event.customer_id = span.customer_id
            AND event.occurred_at >= span.start_at AND event.occurred_at < span.end_at
            AND event.properties <> '{}'
        LIMIT $6
    ))
"""

SELECT_WAITING = """
    SELECT customer_id, redacted_until FROM waiting_retentions
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[])
"""

PUT_WAITING = """
    INSERT INTO waiting_retentions (org_id, is_test, customer_id, redacted_until)
    SELECT $1, $2, customer_id, redacted_until
    FROM unnest($3::uuid[], $4::timestamptz[]) AS waiting (customer_id, redacted_until)
    ON CONFLICT (org_id, is_test, customer_id)
        DO UPDATE SET redacted_until = excluded.redacted_until
"""

DELETE_WAITING = """
    DELETE FROM waiting_retentions
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[])
"""

HAS_UNFOLDED = """
    SELECT EXISTS (
        SELECT 1 FROM unfolded_batches
        WHERE org_id = $1 AND is_test = $2 AND received_at < $3
    )
"""


async def load(tx: Transaction) -> Period | None:
    """The window whose events are being redacted; None where no redaction is unfinished."""
    row = await tx.fetchrow(SELECT_RETENTION)
    if row is None or row["redacted_until"] >= row["kept_from"]:
        return None
    return Period(row["redacted_until"], row["kept_from"])


async def load_kept_from(tx: Transaction) -> datetime | None:
    """The instant from which no event is redacted; None where none ever was."""
    row = await tx.fetchrow(SELECT_RETENTION)
    return None if row is None else row["kept_from"]


async def announce_redaction(tx: Transaction, kept_from: datetime, *, first: datetime) -> None:
    """Record that events before `kept_from` are about to be redacted; `first`: the oldest event."""
    await tx.execute(PUT_KEPT_FROM, kept_from, first)


async def complete_redaction(tx: Transaction, until: datetime) -> None:
    """Record that all older events are redacted."""
    await tx.execute(PUT_REDACTED_UNTIL, until)


async def list_customers(
    tx: Transaction, *, after: CustomerId | None, limit: int
) -> list[CustomerId]:
    """The next customers, deleted ones included."""
    return [CustomerId(row["id"]) for row in await tx.fetch(SELECT_CUSTOMERS, after, limit)]


async def redact(tx: Transaction, spans: Mapping[CustomerId, Period], *, limit: int) -> int:
    """Redact at most `limit` events in the customers' spans; returns how many were."""
    starts = [span.start for span in spans.values()]
    ends = [span.end for span in spans.values()]
    tag = await tx.execute(REDACT, list(spans), starts, ends, limit)
    return int(tag.rpartition(" ")[2])


async def load_waiting(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> dict[CustomerId, datetime]:
    """The start of the events that wait for redaction, for each of the customers who has some."""
    rows = await tx.fetch(SELECT_WAITING, customer_ids)
    return {CustomerId(row["customer_id"]): row["redacted_until"] for row in rows}


async def put_waiting(tx: Transaction, waiting: Mapping[CustomerId, datetime]) -> None:
    """Record from when on old events of customers wait for redaction."""
    await tx.execute(PUT_WAITING, list(waiting), list(waiting.values()))


async def delete_waiting(tx: Transaction, customer_ids: Sequence[CustomerId]) -> None:
    """Record that no old events of these customers wait any more."""
    await tx.execute(DELETE_WAITING, customer_ids)


async def has_unfolded(tx: Transaction, *, received_before: datetime) -> bool:
    """Whether a batch that came in before waits to be folded."""
    return await tx.fetchval(HAS_UNFOLDED, received_before)

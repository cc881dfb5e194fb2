"""The SQL that counts the events of calendar months."""

from collections.abc import Iterable, Mapping
from datetime import date

from asyncpg.pgproto import pgproto

from monigo.infra.db import Transaction

# One statement, so that a batch that is being folded is counted on one side or the other.
SELECT_COUNT = """
    SELECT (
        coalesce((
            SELECT event_count FROM event_counts
            WHERE org_id = $1 AND is_test = $2 AND month = $3::date
        ), 0) + coalesce((
            SELECT sum(event_count) FROM unfolded_batches
            WHERE org_id = $1 AND is_test = $2
                AND received_at >= $3::date::timestamp AT TIME ZONE 'UTC'
        ), 0)
    )::bigint
"""

# Taken last in the fold's transaction, because all folds of a tenant meet in this row.
ADD_COUNTS = """
    INSERT INTO event_counts (org_id, is_test, month, event_count)
    SELECT $1, $2, count.month, count.event_count
    FROM unnest($3::date[], $4::bigint[]) AS count (month, event_count)
    ORDER BY count.month
    ON CONFLICT (org_id, is_test, month)
    DO UPDATE SET event_count = event_counts.event_count + excluded.event_count
"""

SELECT_KNOWN = """
    SELECT dedup FROM usage_events
    WHERE org_id = $1 AND is_test = $2 AND dedup = ANY ($3::uuid[])
"""


async def count_events(tx: Transaction, month: date) -> int:
    """How many events were taken in a month, folded or not."""
    return await tx.fetchval(SELECT_COUNT, month)


async def add_counts(tx: Transaction, counts: Mapping[date, int]) -> None:
    """Add to the months' counts."""
    await tx.execute(ADD_COUNTS, list(counts.keys()), list(counts.values()))


async def known_hashes(tx: Transaction, hashes: Iterable[bytes]) -> set[bytes]:
    """Those of the hashes that events are stored under."""
    rows = await tx.fetch(SELECT_KNOWN, [pgproto.UUID(dedup) for dedup in hashes])
    return {row["dedup"].bytes for row in rows}

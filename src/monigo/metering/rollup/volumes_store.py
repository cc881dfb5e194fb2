"""The SQL that counts events by when they happened, whatever metrics count them."""

from collections.abc import Sequence
from uuid import UUID

from monigo.core.periods import Period
from monigo.infra.db import Transaction

# In one order, because all folds of a tenant meet in these rows.
ADD_VOLUMES = """
    INSERT INTO event_volumes (org_id, is_test, since, event_count)
    SELECT $1, $2, date_bin('15 minutes', occurred_at, '2000-01-01 00:00Z') AS since, count(*)
    FROM usage_events
    WHERE org_id = $1 AND is_test = $2 AND batch_id = ANY ($3::uuid[])
    GROUP BY since
    ORDER BY since
    ON CONFLICT (org_id, is_test, since)
    DO UPDATE SET event_count = event_volumes.event_count + excluded.event_count
"""

# One statement, so that a batch that is being folded is counted on one side or the other.
COUNT_EVENTS = """
    SELECT (
        coalesce((
            SELECT sum(volume.event_count) FROM event_volumes AS volume
            WHERE volume.org_id = $1 AND volume.is_test = $2
                AND volume.since >= span.start_at AND volume.since < span.end_at
        ), 0) + (
            SELECT count(*) FROM unfolded_batches AS batch
            CROSS JOIN LATERAL (
                SELECT occurred_at FROM usage_events
                WHERE org_id = $1 AND is_test = $2 AND batch_id = batch.batch_id
                OFFSET 0
            ) AS event
            WHERE batch.org_id = $1 AND batch.is_test = $2
                AND event.occurred_at >= span.start_at AND event.occurred_at < span.end_at
        )
    )::bigint AS event_count
    FROM unnest($3::timestamptz[], $4::timestamptz[])
        WITH ORDINALITY AS span (start_at, end_at, place)
    ORDER BY span.place
"""


async def add_volumes(tx: Transaction, batch_ids: Sequence[UUID]) -> None:
    """Add the events of taken batches to the counts of when they happened."""
    await tx.execute(ADD_VOLUMES, batch_ids)


async def count_events(tx: Transaction, spans: Sequence[Period]) -> list[int]:
    """How many events happened in each of the spans, which begin and end at quarters of an hour."""
    starts, ends = [span.start for span in spans], [span.end for span in spans]
    rows = await tx.fetch(COUNT_EVENTS, starts, ends)
    return [row["event_count"] for row in rows]

"""The SQL of events that came late: after a period that they belong to may have been closed."""

from collections.abc import Sequence
from datetime import datetime

from monigo.infra.db import Transaction
from monigo.metering.usage.types import LateQuery

# Ways to have come late: folded since then for an earlier hour than the present one (a mark),
# not folded yet, or received within the very hour in which the last closed period ended.
SELECT_LATE_FROM = """
    WITH asked AS (
        SELECT ordinal, customer_id, closed_until, looked_at
        FROM unnest($3::bigint[], $4::uuid[], $5::timestamptz[], $6::timestamptz[])
            AS asked (ordinal, customer_id, closed_until, looked_at)
    )
    SELECT ordinal, min(late_from) AS late_from
    FROM (
        SELECT asked.ordinal, mark.day AS late_from
        FROM asked
        JOIN late_usage AS mark ON mark.org_id = $1 AND mark.is_test = $2
            AND mark.customer_id = asked.customer_id AND mark.day < asked.closed_until
            AND mark.last_received_at >= asked.looked_at
        UNION ALL
        SELECT asked.ordinal, event.occurred_at
        FROM asked
        JOIN usage_events AS event ON event.org_id = $1 AND event.is_test = $2
            AND event.customer_id = asked.customer_id
            AND event.occurred_at >= date_trunc('hour', asked.closed_until, 'UTC')
            AND event.occurred_at < asked.closed_until
        WHERE event.received_at >= asked.looked_at
        UNION ALL
        SELECT asked.ordinal, worth.occurred_at
        FROM asked
        JOIN attributed_amounts AS worth ON worth.org_id = $1 AND worth.is_test = $2
            AND worth.customer_id = asked.customer_id
            AND worth.occurred_at >= date_trunc('hour', asked.closed_until, 'UTC')
            AND worth.occurred_at < asked.closed_until
        WHERE worth.attributed_at >= asked.looked_at
        UNION ALL
        SELECT asked.ordinal, event.occurred_at
        FROM unfolded_batches AS batch
        CROSS JOIN LATERAL (
            SELECT customer_id, occurred_at FROM usage_events
            WHERE org_id = $1 AND is_test = $2 AND batch_id = batch.batch_id
            OFFSET 0
        ) AS event
        JOIN asked ON asked.customer_id = event.customer_id
            AND event.occurred_at < asked.closed_until
        WHERE batch.org_id = $1 AND batch.is_test = $2
    ) AS late
    GROUP BY ordinal
"""


async def late_from(tx: Transaction, queries: Sequence[LateQuery]) -> list[datetime | None]:
    """For each question the earliest event that may have come late, if any; never a later one."""
    rows = await tx.fetch(
        SELECT_LATE_FROM,
        list(range(len(queries))),
        [query.customer_id for query in queries],
        [query.closed_until for query in queries],
        [query.looked_at for query in queries],
    )
    found = {row["ordinal"]: row["late_from"] for row in rows}
    return [found.get(ordinal) for ordinal in range(len(queries))]

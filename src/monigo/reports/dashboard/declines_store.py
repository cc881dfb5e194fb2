"""The SQL that finds customers whose usage fell, a share of them at a time."""

from datetime import datetime

from monigo.core.ids import CustomerId
from monigo.infra.db import Transaction

SELECT_CUSTOMERS = """
    SELECT id FROM customers
    WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL AND ($3::uuid IS NULL OR id > $3)
    ORDER BY id
    LIMIT $4
"""

# One look at the buckets' key for each customer and metric: OFFSET 0 keeps the planner from
# reading all buckets into a hash instead. The span begins at $4, its last days at $5;
# it ends at $6.
NOTE_DECLINES = """
    INSERT INTO usage_declines (
        org_id, is_test, customer_id, recent_events, usual_events, noted_at
    )
    SELECT $1, $2, customer_id, recent_events, usual_events, $7
    FROM (
        SELECT customer.id AS customer_id,
            coalesce(sum(day.event_count) FILTER (WHERE day.day >= $5), 0) AS recent_events,
            sum(day.event_count) FILTER (WHERE day.day < $5) / 4.0 AS usual_events
        FROM unnest($3::uuid[]) AS customer (id)
        CROSS JOIN (
            SELECT id, version FROM metrics
            WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL
        ) AS metric
        CROSS JOIN LATERAL (
            SELECT bucket.day, bucket.event_count FROM usage_days AS bucket
            WHERE bucket.org_id = $1 AND bucket.is_test = $2
                AND bucket.customer_id = customer.id AND bucket.metric_id = metric.id
                AND bucket.metric_version = metric.version
                AND bucket.day >= $4 AND bucket.day < $6
            OFFSET 0
        ) AS day
        GROUP BY customer.id
    ) AS counted
    WHERE usual_events >= $8 AND 2 * recent_events < usual_events
    ORDER BY customer_id
    ON CONFLICT (org_id, is_test, customer_id) DO UPDATE
    SET recent_events = excluded.recent_events, usual_events = excluded.usual_events,
        noted_at = excluded.noted_at
"""

DELETE_BEFORE = "DELETE FROM usage_declines WHERE org_id = $1 AND is_test = $2 AND noted_at < $3"

# Whether any customer had events of late, so that it is worth another look tomorrow.
SELECT_HAS_EVENTS = """
    SELECT EXISTS (
        SELECT 1 FROM event_volumes WHERE org_id = $1 AND is_test = $2 AND since >= $3
    )
"""


async def customers_after(
    tx: Transaction, after: CustomerId | None, limit: int
) -> list[CustomerId]:
    """The next customers in the order of their ids."""
    rows = await tx.fetch(SELECT_CUSTOMERS, after, limit)
    return [CustomerId(row["id"]) for row in rows]


async def note_declines(
    tx: Transaction,
    customer_ids: list[CustomerId],
    *,
    since: datetime,
    recent: datetime,
    until: datetime,
    noted_at: datetime,
    least: int,
) -> None:
    """Store which of these customers had less than half of a usual week in the last days."""
    await tx.execute(NOTE_DECLINES, customer_ids, since, recent, until, noted_at, least)


async def forget_before(tx: Transaction, noted_at: datetime) -> None:
    """Forget those who were noted before this look, and not again."""
    await tx.execute(DELETE_BEFORE, noted_at)


async def has_events(tx: Transaction, since: datetime) -> bool:
    """Whether the tenant had events since an instant."""
    return await tx.fetchval(SELECT_HAS_EVENTS, since)

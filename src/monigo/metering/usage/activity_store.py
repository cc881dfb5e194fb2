"""The SQL that finds customers who may have had usage in a span of time."""

from collections.abc import AsyncGenerator, Sequence

from monigo.core.ids import CustomerId, MetricId
from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.metering.usage.types import CustomerActivity

# Customers are found through the buckets' key, one look-up for each customer and metric: OFFSET 0
# keeps the planner from reading all buckets into a hash instead.
SELECT_ACTIVITY = """
    WITH metric AS (
        SELECT id, version, event_name, rollups_from, customer_property <> '' AS is_rule
        FROM metrics
        WHERE org_id = $1 AND is_test = $2 AND id = ANY ($5::uuid[])
    )
    SELECT customer.id AS customer_id, metric.id AS metric_id
    FROM customers AS customer
    CROSS JOIN metric
    WHERE customer.org_id = $1 AND customer.is_test = $2 AND ($6::uuid IS NULL OR customer.id = $6)
        AND (
            EXISTS (
                SELECT 1 FROM usage_hours AS bucket
                WHERE bucket.org_id = $1 AND bucket.is_test = $2
                    AND bucket.customer_id = customer.id AND bucket.metric_id = metric.id
                    AND bucket.metric_version = metric.version
                    AND bucket.hour > $3::timestamptz - interval '1 hour' AND bucket.hour < $4
                OFFSET 0
            )
            OR metric.rollups_from > $3 AND metric.is_rule AND EXISTS (
                SELECT 1 FROM attributed_amounts AS worth
                WHERE worth.org_id = $1 AND worth.is_test = $2
                    AND worth.customer_id = customer.id AND worth.metric_id = metric.id
                    AND worth.occurred_at >= $3 AND worth.occurred_at < $4
                OFFSET 0
            )
            OR metric.rollups_from > $3 AND NOT metric.is_rule AND EXISTS (
                SELECT 1 FROM usage_events AS event
                WHERE event.org_id = $1 AND event.is_test = $2
                    AND event.customer_id = customer.id AND event.event_name = metric.event_name
                    AND event.occurred_at >= $3 AND event.occurred_at < $4
                OFFSET 0
            )
        )
    UNION
    SELECT event.customer_id, metric.id
    FROM unfolded_batches AS batch
    CROSS JOIN LATERAL (
        SELECT customer_id, event_name FROM usage_events
        WHERE org_id = $1 AND is_test = $2 AND batch_id = batch.batch_id
        OFFSET 0
    ) AS event
    JOIN metric ON metric.event_name = event.event_name AND NOT metric.is_rule
    WHERE batch.org_id = $1 AND batch.is_test = $2
        AND ($6::uuid IS NULL OR event.customer_id = $6)
    ORDER BY customer_id, metric_id
    LIMIT $7
"""


async def list_activity(
    tx: Transaction,
    *,
    span: Period,
    metric_ids: Sequence[MetricId],
    customer_id: CustomerId | None,
    limit: int,
) -> AsyncGenerator[list[CustomerActivity]]:
    """Who may have had events counted by these metrics in a span, at most `limit` pairs.

    They come a few at a time, as the database finds them.
    """
    asked = (span.start, span.end, metric_ids, customer_id, limit)
    async for rows in tx.pieces(SELECT_ACTIVITY, *asked):
        yield [
            CustomerActivity(CustomerId(row["customer_id"]), MetricId(row["metric_id"]))
            for row in rows
        ]

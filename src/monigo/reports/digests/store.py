"""The SQL of digests: how far each has come, and what buckets hold of its period."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from monigo.core.ids import CustomerId, MetricId
from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.metering import quantity_of
from monigo.reports.digests.types import CustomerUsage, MetricUsage, Progress, Span

BEGIN = """
    INSERT INTO usage_digests (org_id, is_test, span, period_start) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING
"""

LOCK = """
    SELECT after_customer_id, done_at FROM usage_digests
    WHERE org_id = $1 AND is_test = $2 AND span = $3 AND period_start = $4
    FOR UPDATE
"""

GO_ON = """
    UPDATE usage_digests SET after_customer_id = $5
    WHERE org_id = $1 AND is_test = $2 AND span = $3 AND period_start = $4
"""

END = """
    UPDATE usage_digests SET done_at = $5
    WHERE org_id = $1 AND is_test = $2 AND span = $3 AND period_start = $4
"""

FORGET = "DELETE FROM usage_digests WHERE org_id = $1 AND is_test = $2 AND period_start < $3"

DELETE_TOTALS = """
    DELETE FROM usage_digest_totals
    WHERE org_id = $1 AND is_test = $2 AND span = $3 AND period_start = $4
"""

SELECT_CUSTOMERS = """
    SELECT id FROM customers
    WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL AND ($3::uuid IS NULL OR id > $3)
    ORDER BY id
    LIMIT $4
"""

# Of the whole days from $4 to $5. OFFSET 0 has each customer's buckets looked up by their key.
SELECT_USAGE = """
    SELECT customer.id AS customer_id, metric.id AS metric_id, metric.name, metric.aggregation,
        1 AS customers, held.event_count::bigint AS event_count,
        held.number_count::bigint AS number_count, held.number_sum, held.number_min,
        held.number_max,
        CASE WHEN metric.aggregation = 'unique' THEN (
            SELECT count(DISTINCT value) FROM usage_hour_values
            WHERE org_id = $1 AND is_test = $2 AND customer_id = customer.id
                AND metric_id = metric.id AND metric_version = metric.version
                AND hour >= $4 AND hour < $5
        ) ELSE 0 END AS distinct_count
    FROM unnest($3::uuid[]) AS customer (id)
    CROSS JOIN (
        SELECT id, version, name, aggregation FROM metrics
        WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL AND customer_property = ''
    ) AS metric
    CROSS JOIN LATERAL (
        SELECT sum(event_count) AS event_count, sum(number_count) AS number_count,
            sum(number_sum) AS number_sum, min(number_min) AS number_min,
            max(number_max) AS number_max
        FROM (
            SELECT event_count, number_count, number_sum, number_min, number_max
            FROM usage_days
            WHERE org_id = $1 AND is_test = $2 AND customer_id = customer.id
                AND metric_id = metric.id AND metric_version = metric.version
                AND day >= $4 AND day < $5
            OFFSET 0
        ) AS bucket
    ) AS held
    WHERE held.event_count > 0
    ORDER BY customer.id, metric.name, metric.id
"""

ADD_TOTALS = f"""
    INSERT INTO usage_digest_totals AS total (
        org_id, is_test, span, period_start, metric_id, customers, event_count, number_count,
        number_sum, number_min, number_max, distinct_count
    )
    SELECT $1, $2, $6, $4, metric_id, count(*), sum(event_count), sum(number_count),
        sum(number_sum), min(number_min), max(number_max), sum(distinct_count)
    FROM ({SELECT_USAGE}) AS used
    GROUP BY metric_id
    ON CONFLICT (org_id, is_test, span, period_start, metric_id) DO UPDATE
    SET customers = total.customers + excluded.customers,
        event_count = total.event_count + excluded.event_count,
        number_count = total.number_count + excluded.number_count,
        number_sum = total.number_sum + excluded.number_sum,
        number_min = least(total.number_min, excluded.number_min),
        number_max = greatest(total.number_max, excluded.number_max),
        distinct_count = total.distinct_count + excluded.distinct_count
"""

SELECT_TOTALS = """
    SELECT total.metric_id, metric.name, metric.aggregation, total.customers, total.event_count,
        total.number_count, total.number_sum, total.number_min, total.number_max,
        total.distinct_count
    FROM usage_digest_totals AS total
    JOIN metrics AS metric ON metric.org_id = $1 AND metric.is_test = $2
        AND metric.id = total.metric_id
    WHERE total.org_id = $1 AND total.is_test = $2 AND total.span = $3
        AND total.period_start = $4
    ORDER BY metric.name, metric.id
"""


async def lock(tx: Transaction, span: Span, period: Period) -> Progress:
    """How far a digest has come, which others leave alone until the transaction ends."""
    await tx.execute(BEGIN, span.value, period.start)
    row = await tx.fetchrow(LOCK, span.value, period.start)
    if row is None:
        return Progress(None, is_done=True)
    after = row["after_customer_id"] and CustomerId(row["after_customer_id"])
    return Progress(after, is_done=row["done_at"] is not None)


async def customers_after(
    tx: Transaction, after: CustomerId | None, limit: int
) -> list[CustomerId]:
    """The next customers in the order of their ids."""
    rows = await tx.fetch(SELECT_CUSTOMERS, after, limit)
    return [CustomerId(row["id"]) for row in rows]


async def list_usage(
    tx: Transaction, customer_ids: Sequence[CustomerId], period: Period
) -> list[CustomerUsage]:
    """What of these customers used anything, by their ids."""
    found: dict[CustomerId, list[MetricUsage]] = {}
    for row in await tx.fetch(SELECT_USAGE, customer_ids, period.start, period.end):
        found.setdefault(CustomerId(row["customer_id"]), []).append(_metric_usage(row))
    return [CustomerUsage(one, tuple(metrics)) for one, metrics in found.items()]


async def go_on(
    tx: Transaction, span: Span, period: Period, customer_ids: Sequence[CustomerId]
) -> None:
    """Add what these customers used to the totals, and note that they have had their turn."""
    await tx.execute(ADD_TOTALS, customer_ids, period.start, period.end, span.value)
    await tx.execute(GO_ON, span.value, period.start, customer_ids[-1])


async def end(tx: Transaction, span: Span, period: Period) -> list[MetricUsage]:
    """Note that a digest is done; what all customers together used, by metric."""
    rows = await tx.fetch(SELECT_TOTALS, span.value, period.start)
    await tx.execute(DELETE_TOTALS, span.value, period.start)
    await tx.execute(END, span.value, period.start, tx.now)
    return [_metric_usage(row) for row in rows]


async def forget_before(tx: Transaction, instant: datetime) -> None:
    """Forget digests of periods that began before an instant."""
    await tx.execute(FORGET, instant)


def _metric_usage(row: asyncpg.Record) -> MetricUsage:
    return MetricUsage(
        metric_id=MetricId(row["metric_id"]),
        name=row["name"],
        aggregation=row["aggregation"],
        quantity=quantity_of(row),
        event_count=row["event_count"],
        customers=row["customers"],
    )

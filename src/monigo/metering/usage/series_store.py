"""The SQL that reads usage as a series of points, exactly, in one statement and so one snapshot.

As when usage is measured, whole hours come from the buckets, and from events come what is not
folded yet, and the hours that hold a boundary between points.
"""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from monigo.core.ids import CustomerId, MetricId
from monigo.infra.db import Transaction

# Events that one answer may count by themselves: two or three seconds' work.
EVENTS_COUNTED_MAX = 500_000
# Values of a property that a chart can still distinguish; the rest is one `other`.
GROUPS_MAX = 100

# $5 are the boundaries of the points; $6 the hours that hold one inside; $7 the property by which
# to group. Without a customer ($4) all of them are added up.
SELECT_SERIES = f"""
    WITH metric AS (
        SELECT metric.id, metric.version, metric.event_name, metric.aggregation,
            metric.aggregation_property, metric.filters, metric.group_by, bounds.starts_at,
            bounds.ends_at, metric.customer_property <> '' AS is_rule,
            -- From here on buckets are read, but in broken hours; by another property never.
            CASE WHEN $7::text IN ('', metric.group_by) THEN least(
                bounds.ends_at,
                date_trunc(
                    'hour',
                    greatest(bounds.starts_at, metric.rollups_from) + interval '59:59.999999',
                    'UTC'
                )
            ) ELSE bounds.ends_at END AS whole_from
        FROM metrics AS metric, (
            SELECT $5::timestamptz[] AS points, ($5::timestamptz[])[1] AS starts_at,
                ($5::timestamptz[])[cardinality($5::timestamptz[])] AS ends_at
        ) AS bounds
        WHERE metric.org_id = $1 AND metric.is_test = $2 AND metric.id = $3
    ),
    customer AS (
        SELECT id FROM customers
        WHERE org_id = $1 AND is_test = $2 AND ($4::uuid IS NULL OR id = $4)
    ),
    broken_hour AS (SELECT hour FROM unnest($6::timestamptz[]) AS hour),
    broken AS (
        SELECT starts_at, whole_from AS ends_at FROM metric WHERE starts_at < whole_from
        UNION ALL
        SELECT broken_hour.hour, least(broken_hour.hour + interval '1 hour', metric.ends_at)
        FROM broken_hour, metric
        WHERE broken_hour.hour >= metric.whole_from AND broken_hour.hour < metric.ends_at
    ),
    counted AS (
        SELECT width_bucket(event.occurred_at, $5::timestamptz[]) AS point,
            event_group(event.properties, $7) AS group_value,
            CASE WHEN metric.aggregation NOT IN ('count', 'unique')
                THEN event_number(event.properties, metric.aggregation_property)
            END AS number,
            CASE WHEN metric.aggregation = 'unique'
                THEN event_value(event.properties, metric.aggregation_property)
            END AS value,
            metric.filters = '[]' OR event_matches(event.properties, metric.filters) AS is_counted
        FROM (
            SELECT event.occurred_at, event.properties
            FROM broken
            CROSS JOIN metric
            CROSS JOIN customer
            CROSS JOIN LATERAL (
                SELECT event.occurred_at, event.properties
                FROM usage_events AS event
                WHERE event.org_id = $1 AND event.is_test = $2
                    AND event.customer_id = customer.id AND event.event_name = metric.event_name
                    AND event.occurred_at >= broken.starts_at
                    AND event.occurred_at < broken.ends_at AND NOT metric.is_rule
                -- Keeps the planner from reading all of a customer's events for each broken hour.
                OFFSET 0
            ) AS event
            UNION ALL
            SELECT event.occurred_at, event.properties
            FROM metric
            CROSS JOIN unfolded_batches AS batch
            JOIN usage_events AS event ON event.org_id = $1 AND event.is_test = $2
                AND event.batch_id = batch.batch_id AND event.event_name = metric.event_name
                AND NOT metric.is_rule
                AND event.occurred_at >= metric.whole_from
                AND event.occurred_at < metric.ends_at
            WHERE batch.org_id = $1 AND batch.is_test = $2
                AND ($4::uuid IS NULL OR event.customer_id = $4)
                AND NOT EXISTS (
                    SELECT 1 FROM broken_hour
                    WHERE broken_hour.hour = date_trunc('hour', event.occurred_at, 'UTC')
                )
            LIMIT {EVENTS_COUNTED_MAX + 1}
        ) AS event
        CROSS JOIN metric
        UNION ALL
        SELECT width_bucket(worth.occurred_at, $5::timestamptz[]), '', worth.amount, NULL, true
        FROM (
            SELECT worth.occurred_at, worth.amount
            FROM broken
            CROSS JOIN metric
            CROSS JOIN customer
            JOIN attributed_amounts AS worth ON worth.org_id = $1 AND worth.is_test = $2
                AND worth.customer_id = customer.id AND worth.metric_id = metric.id
                AND worth.occurred_at >= broken.starts_at AND worth.occurred_at < broken.ends_at
            WHERE metric.is_rule
            LIMIT {EVENTS_COUNTED_MAX + 1}
        ) AS worth
    ),
    bucket AS (
        SELECT width_bucket(bucket.hour, $5::timestamptz[]) AS point,
            CASE WHEN $7 = '' THEN '' ELSE bucket.group_value END AS group_value,
            bucket.event_count, bucket.number_count, bucket.number_sum, bucket.number_min,
            bucket.number_max
        FROM metric
        CROSS JOIN customer
        JOIN usage_hours AS bucket ON bucket.org_id = $1 AND bucket.is_test = $2
            AND bucket.customer_id = customer.id AND bucket.metric_id = metric.id
            AND bucket.metric_version = metric.version AND bucket.hour >= metric.whole_from
            AND bucket.hour < metric.ends_at
        WHERE NOT EXISTS (SELECT 1 FROM broken_hour WHERE broken_hour.hour = bucket.hour)
    ),
    distinct_value AS (
        SELECT point, count(DISTINCT value) AS distinct_count
        FROM (
            SELECT point, value FROM counted WHERE is_counted AND value IS NOT NULL
            UNION ALL
            SELECT width_bucket(known.hour, $5::timestamptz[]), known.value
            FROM metric
            CROSS JOIN customer
            JOIN usage_hour_values AS known ON known.org_id = $1 AND known.is_test = $2
                AND known.customer_id = customer.id AND known.metric_id = metric.id
                AND known.metric_version = metric.version AND known.hour >= metric.whole_from
                AND known.hour < metric.ends_at AND metric.aggregation = 'unique'
            WHERE NOT EXISTS (SELECT 1 FROM broken_hour WHERE broken_hour.hour = known.hour)
        ) AS value
        GROUP BY point
    ),
    part AS (
        SELECT point, group_value, sum(event_count)::bigint AS event_count,
            sum(number_count)::bigint AS number_count, sum(number_sum) AS number_sum,
            min(number_min) AS number_min, max(number_max) AS number_max
        FROM (
            SELECT point, group_value, event_count, number_count, number_sum, number_min,
                number_max
            FROM bucket
            UNION ALL
            SELECT point, group_value, count(*), count(number), coalesce(sum(number), 0),
                min(number), max(number)
            FROM counted
            WHERE is_counted
            GROUP BY point, group_value
        ) AS piece
        GROUP BY point, group_value
    ),
    ranked AS (
        SELECT part.group_value, row_number() OVER (
            ORDER BY abs(
                CASE metric.aggregation
                    WHEN 'count' THEN sum(part.event_count) ELSE sum(part.number_sum)
                END
            ) DESC, part.group_value
        ) AS rank
        FROM part CROSS JOIN metric
        GROUP BY part.group_value, metric.aggregation
    )
    SELECT part.point, metric.aggregation, ranked.rank > {GROUPS_MAX} AS is_other,
        CASE WHEN ranked.rank <= {GROUPS_MAX} THEN part.group_value ELSE '' END AS group_value,
        sum(part.event_count)::bigint AS event_count,
        sum(part.number_count)::bigint AS number_count, sum(part.number_sum) AS number_sum,
        min(part.number_min) AS number_min, max(part.number_max) AS number_max,
        max(distinct_value.distinct_count) AS distinct_count,
        (SELECT count(*) FROM counted) AS counted_count
    FROM part
    CROSS JOIN metric
    JOIN ranked ON ranked.group_value = part.group_value
    LEFT JOIN distinct_value ON distinct_value.point = part.point
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 3, 4
"""


async def load_series(
    tx: Transaction,
    *,
    metric_id: MetricId,
    customer_id: CustomerId | None,
    bounds: Sequence[datetime],
    broken_hours: Sequence[datetime],
    group_by: str,
) -> list[asyncpg.Record]:
    """The sums of each point (counted from 1) and value that has events."""
    return await tx.fetch(SELECT_SERIES, metric_id, customer_id, bounds, broken_hours, group_by)

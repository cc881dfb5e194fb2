"""The SQL that reads usage exactly: buckets, what is not folded yet, and broken hours.

All three come in one statement and so from one snapshot: an event is in exactly one of them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import reduce
from typing import Any

import asyncpg
from msgspec.structs import asdict

from monigo.catalog import MetricDefinition
from monigo.core.aggregation import Aggregation, round_average
from monigo.core.ids import CustomerId, MetricId
from monigo.core.money import EXACT
from monigo.core.periods import Period
from monigo.infra import json
from monigo.infra.database import Transaction
from monigo.metering.replay_rules import AHEAD, whole_hours
from monigo.metering.types import CustomerActivity, Usage, UsageQuery

# Each definition comes with the question, as it may be an earlier one, frozen with a closed period.
# Buckets are used only while they are its very version's, so that an edit meanwhile can't mix two
# definitions. Each span carries its whole question, so that nothing big is joined by ordinal: the
# planner can't know how many questions come, and would compare each with each. OFFSET 0 keeps the
# few unfolded batches what is looked through first, rather than all events of a customer. Buckets
# of metrics without `group_by` are summed up as they are read, rather than carried on and sorted.
MEASURE = """
    WITH definition AS (
        SELECT asked.*,
            CASE WHEN metric.version = asked.version
                THEN metric.rollups_from ELSE 'infinity'
            END AS rollups_from
        FROM unnest(
            $9::bigint[], $10::uuid[], $11::integer[], $12::text[], $13::text[], $14::text[],
            $15::jsonb[], $16::text[]
        ) AS asked (
            ordinal, metric_id, version, event_name, aggregation, aggregation_property, filters,
            group_by
        )
        JOIN metrics AS metric ON metric.org_id = $1 AND metric.is_test = $2
            AND metric.id = asked.metric_id
    ),
    span AS (
        SELECT asked.ordinal, asked.customer_id, asked.starts_at, asked.ends_at,
            definition.metric_id, definition.version, definition.event_name,
            definition.aggregation, definition.aggregation_property, definition.filters,
            definition.group_by,
            date_bin(
                '1 hour',
                greatest(
                    asked.starts_at,
                    definition.rollups_from,
                    CASE WHEN asked.is_raw THEN 'infinity'::timestamptz END
                ) + interval '59:59.999999',
                'epoch'
            ) AS first_hour,
            date_bin('1 hour', asked.ends_at, 'epoch') AS last_hour
        FROM unnest(
            $3::bigint[], $4::uuid[], $5::bigint[], $6::timestamptz[], $7::timestamptz[],
            $8::boolean[]
        ) AS asked (ordinal, customer_id, definition, starts_at, ends_at, is_raw)
        JOIN definition ON definition.ordinal = asked.definition
    ),
    hours AS (
        SELECT ordinal, customer_id, metric_id, version, event_name, aggregation,
            aggregation_property, filters, group_by, first_hour AS starts_at, last_hour AS ends_at
        FROM span
        WHERE first_hour < last_hour
    ),
    broken AS (
        SELECT span.ordinal, span.customer_id, span.event_name, span.aggregation,
            span.aggregation_property, span.filters, span.group_by, edge.starts_at, edge.ends_at
        FROM span
        CROSS JOIN LATERAL (
            VALUES
                (span.starts_at, least(span.first_hour, span.ends_at)),
                (greatest(span.last_hour, span.first_hour), span.ends_at)
        ) AS edge (starts_at, ends_at)
        WHERE edge.starts_at < edge.ends_at
    ),
    raw_event AS (
        SELECT broken.ordinal, broken.aggregation, broken.aggregation_property, broken.filters,
            broken.group_by, event.occurred_at, event.properties
        FROM broken
        JOIN usage_events AS event ON event.org_id = $1 AND event.is_test = $2
            AND event.customer_id = broken.customer_id AND event.event_name = broken.event_name
            AND event.occurred_at >= broken.starts_at AND event.occurred_at < broken.ends_at
        UNION ALL
        SELECT hours.ordinal, hours.aggregation, hours.aggregation_property, hours.filters,
            hours.group_by, event.occurred_at, event.properties
        FROM unfolded_batches AS batch
        CROSS JOIN LATERAL (
            SELECT customer_id, event_name, occurred_at, properties FROM usage_events
            WHERE org_id = $1 AND is_test = $2 AND batch_id = batch.batch_id
            OFFSET 0
        ) AS event
        JOIN hours ON hours.customer_id = event.customer_id
            AND hours.event_name = event.event_name
            AND event.occurred_at >= hours.starts_at AND event.occurred_at < hours.ends_at
        WHERE batch.org_id = $1 AND batch.is_test = $2
    ),
    counted AS MATERIALIZED (
        SELECT ordinal, aggregation, occurred_at, event_group(properties, group_by) AS group_value,
            event_number(properties, aggregation_property) AS number,
            CASE WHEN aggregation = 'unique'
                THEN event_value(properties, aggregation_property)
            END AS value
        FROM raw_event
        WHERE filters = '[]' OR event_matches(properties, filters)
    ),
    distinct_value AS (
        SELECT ordinal, aggregation, count(DISTINCT value) AS distinct_count
        FROM (
            SELECT ordinal, aggregation, value FROM counted WHERE value IS NOT NULL
            UNION ALL
            SELECT hours.ordinal, hours.aggregation, known.value
            FROM hours
            JOIN usage_bucket_values AS known ON known.org_id = $1 AND known.is_test = $2
                AND known.customer_id = hours.customer_id AND known.metric_id = hours.metric_id
                AND known.metric_version = hours.version
                AND known.hour >= hours.starts_at AND known.hour < hours.ends_at
            WHERE hours.aggregation = 'unique'
        ) AS value
        GROUP BY ordinal, aggregation
    ),
    part AS (
        SELECT hours.ordinal, hours.aggregation, '' AS group_value, bucket.event_count,
            bucket.number_count, bucket.number_sum, bucket.number_min, bucket.number_max,
            bucket.first_event_at, bucket.last_event_at, NULL::bigint AS distinct_count
        FROM hours
        CROSS JOIN LATERAL (
            SELECT sum(event_count) AS event_count, sum(number_count) AS number_count,
                sum(number_sum) AS number_sum, min(number_min) AS number_min,
                max(number_max) AS number_max, min(first_event_at) AS first_event_at,
                max(last_event_at) AS last_event_at
            FROM usage_buckets
            WHERE org_id = $1 AND is_test = $2 AND customer_id = hours.customer_id
                AND metric_id = hours.metric_id AND metric_version = hours.version
                AND hour >= hours.starts_at AND hour < hours.ends_at
        ) AS bucket
        WHERE hours.group_by = '' AND bucket.event_count > 0
        UNION ALL
        SELECT hours.ordinal, hours.aggregation, bucket.group_value, bucket.event_count,
            bucket.number_count, bucket.number_sum, bucket.number_min, bucket.number_max,
            bucket.first_event_at, bucket.last_event_at, NULL::bigint AS distinct_count
        FROM hours
        JOIN usage_buckets AS bucket ON bucket.org_id = $1 AND bucket.is_test = $2
            AND bucket.customer_id = hours.customer_id AND bucket.metric_id = hours.metric_id
            AND bucket.metric_version = hours.version
            AND bucket.hour >= hours.starts_at AND bucket.hour < hours.ends_at
        WHERE hours.group_by <> ''
        UNION ALL
        SELECT ordinal, aggregation, group_value, count(*), count(number),
            coalesce(sum(number), 0), min(number), max(number), min(occurred_at),
            max(occurred_at), NULL
        FROM counted
        GROUP BY ordinal, aggregation, group_value
        UNION ALL
        SELECT ordinal, aggregation, '', 0, 0, 0, NULL, NULL, NULL, NULL, distinct_count
        FROM distinct_value
    )
    SELECT ordinal, aggregation, group_value, sum(event_count)::bigint AS event_count,
        sum(number_count)::bigint AS number_count, sum(number_sum) AS number_sum,
        min(number_min) AS number_min, max(number_max) AS number_max,
        min(first_event_at) AS first_event_at, max(last_event_at) AS last_event_at,
        max(distinct_count) AS distinct_count
    FROM part
    GROUP BY ordinal, aggregation, group_value
    ORDER BY ordinal, group_value
"""

# Customers are found through the buckets' key, one look-up for each customer and metric: OFFSET 0
# keeps the planner from reading all buckets into a hash instead.
SELECT_ACTIVITY = """
    WITH metric AS (
        SELECT id, version, event_name, rollups_from FROM metrics
        WHERE org_id = $1 AND is_test = $2 AND id = ANY ($5::uuid[])
    )
    SELECT customer.id AS customer_id, metric.id AS metric_id
    FROM customers AS customer
    CROSS JOIN metric
    WHERE customer.org_id = $1 AND customer.is_test = $2 AND ($6::uuid IS NULL OR customer.id = $6)
        AND (
            EXISTS (
                SELECT 1 FROM usage_buckets AS bucket
                WHERE bucket.org_id = $1 AND bucket.is_test = $2
                    AND bucket.customer_id = customer.id AND bucket.metric_id = metric.id
                    AND bucket.metric_version = metric.version
                    AND bucket.hour > $3::timestamptz - interval '1 hour' AND bucket.hour < $4
                OFFSET 0
            )
            OR metric.rollups_from > $3 AND EXISTS (
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
    JOIN metric ON metric.event_name = event.event_name
    WHERE batch.org_id = $1 AND batch.is_test = $2
        AND ($6::uuid IS NULL OR event.customer_id = $6)
    ORDER BY customer_id, metric_id
    LIMIT $7
"""


# Where each aggregation finds its quantity; an average has to be reckoned.
_QUANTITIES = {
    Aggregation.COUNT: "event_count",
    Aggregation.SUM: "number_sum",
    Aggregation.MAX: "number_max",
    Aggregation.MINIMUM: "number_min",
    Aggregation.UNIQUE: "distinct_count",
}


async def measure(tx: Transaction, queries: Sequence[UsageQuery]) -> list[Usage]:
    """The usage behind each query, in their order, all of one snapshot."""
    spans = [
        (ordinal, query, window, is_raw)
        for ordinal, query in enumerate(queries, start=1)
        for windows, is_raw in ((query.windows, False), (query.event_windows, True))
        for window in windows
    ]
    if not spans:
        return [_usage(query, []) for query in queries]
    horizon = whole_hours(tx.now, tx.now + AHEAD).end
    metrics = {(query.metric.id, query.metric.version): query.metric for query in queries}
    number = {key: ordinal for ordinal, key in enumerate(metrics)}
    rows = await tx.fetch(
        MEASURE,
        [ordinal for ordinal, _, _, _ in spans],
        [query.customer_id for _, query, _, _ in spans],
        [number[query.metric.id, query.metric.version] for _, query, _, _ in spans],
        [window.start for _, _, window, _ in spans],
        [_end(window, horizon) for _, _, window, _ in spans],
        [is_raw for _, _, _, is_raw in spans],
        list(number.values()),
        [metric.id for metric in metrics.values()],
        [metric.version for metric in metrics.values()],
        *_definition_columns([metric.definition for metric in metrics.values()]),
    )
    by_ordinal: dict[int, list[asyncpg.Record]] = {}
    for row in rows:
        by_ordinal.setdefault(row["ordinal"], []).append(row)
    return [
        _usage(query, by_ordinal.get(ordinal, [])) for ordinal, query in enumerate(queries, start=1)
    ]


def _end(window: Period, horizon: datetime) -> datetime:
    """Where to stop looking: no event lies beyond `horizon`, a full hour, so none of its edge."""
    return min(window.end, horizon) if window.start < horizon else window.end


def _definition_columns(definitions: Sequence[MetricDefinition]) -> tuple[list[str], ...]:
    return (
        [definition.event_name for definition in definitions],
        [definition.aggregation.value for definition in definitions],
        [definition.aggregation_property for definition in definitions],
        [json.encode([asdict(item) for item in definition.filters]) for definition in definitions],
        [definition.group_by for definition in definitions],
    )


async def list_activity(
    tx: Transaction,
    *,
    span: Period,
    metric_ids: Sequence[MetricId],
    customer_id: CustomerId | None,
    limit: int,
) -> list[CustomerActivity]:
    """Who may have had events counted by these metrics in a span, at most `limit` pairs."""
    rows = await tx.fetch(SELECT_ACTIVITY, span.start, span.end, metric_ids, customer_id, limit)
    return [
        CustomerActivity(CustomerId(row["customer_id"]), MetricId(row["metric_id"])) for row in rows
    ]


def _usage(query: UsageQuery, rows: Sequence[asyncpg.Record]) -> Usage:
    """One query's usage from its groups, of which there is one unless the metric has `group_by`."""
    if not rows:
        return Usage(Decimal(0), 0, None, None)
    if not query.metric.definition.group_by:
        (row,) = rows
        first, last = row["first_event_at"], row["last_event_at"]
        return Usage(quantity_of(row), row["event_count"], first, last)
    quantities = {row["group_value"]: quantity_of(row) for row in rows}
    return Usage(
        quantity=reduce(EXACT.add, quantities.values()),
        event_count=sum(row["event_count"] for row in rows),
        first_event_at=min(row["first_event_at"] for row in rows),
        last_event_at=max(row["last_event_at"] for row in rows),
        groups=quantities,
    )


def quantity_of(row: asyncpg.Record | Mapping[str, Any]) -> Decimal:
    """The quantity that an aggregation makes of its sums."""
    column = _QUANTITIES.get(row["aggregation"])
    if column is not None:
        return Decimal(row[column] or 0)
    count = row["number_count"]
    return round_average(row["number_sum"], count) if count else Decimal(0)

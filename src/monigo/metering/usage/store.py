"""The SQL that reads usage exactly: buckets, what is not folded yet, and broken hours.

Buckets are of days, and of hours where a day is broken. All comes in one statement and so from one
snapshot: an event is in exactly one of them.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import reduce
from typing import Any

import asyncpg
from msgspec import Struct
from msgspec.structs import asdict

from monigo.catalog import Metric, MetricDefinition
from monigo.core.ids import MetricId
from monigo.core.money import EXACT
from monigo.core.periods import Period
from monigo.infra import json
from monigo.infra.db import Transaction
from monigo.metering.rules import AHEAD, quantity_of, uncounted_of, whole_days, whole_hours
from monigo.metering.usage.types import Usage, UsageQuery

# What buckets of a `{table}` hold; those of metrics without `group_by` are summed up as they are
# read, rather than carried on and sorted, and no column is that the aggregation doesn't need.
_OF_BUCKETS = """
        SELECT piece.ordinal, piece.aggregation, '' AS group_value, bucket.event_count,
            bucket.number_count, bucket.number_sum, bucket.number_min, bucket.number_max,
            bucket.first_event_at, bucket.last_event_at, NULL::bigint AS distinct_count
        FROM piece
        CROSS JOIN LATERAL (
            SELECT sum(event_count) AS event_count,
                sum(number_count) FILTER (WHERE piece.adds_up OR piece.compares) AS number_count,
                sum(number_sum) FILTER (WHERE piece.adds_up) AS number_sum,
                min(number_min) FILTER (WHERE piece.compares) AS number_min,
                max(number_max) FILTER (WHERE piece.compares) AS number_max,
                min(first_event_at) AS first_event_at, max(last_event_at) AS last_event_at
            FROM {table}
            WHERE org_id = $1 AND is_test = $2 AND customer_id = piece.customer_id
                AND metric_id = piece.metric_id AND metric_version = piece.version
                AND {begin} >= piece.starts_at AND {begin} < piece.ends_at
        ) AS bucket
        WHERE piece.unit = '{begin}' AND piece.group_by = '' AND bucket.event_count > 0
        UNION ALL
        SELECT piece.ordinal, piece.aggregation, bucket.group_value, bucket.event_count,
            bucket.number_count, bucket.number_sum, bucket.number_min, bucket.number_max,
            bucket.first_event_at, bucket.last_event_at, NULL
        FROM piece
        JOIN {table} AS bucket ON bucket.org_id = $1 AND bucket.is_test = $2
            AND bucket.customer_id = piece.customer_id AND bucket.metric_id = piece.metric_id
            AND bucket.metric_version = piece.version
            AND bucket.{begin} >= piece.starts_at AND bucket.{begin} < piece.ends_at
        WHERE piece.unit = '{begin}' AND piece.group_by <> ''
"""
_OF_HOURS = _OF_BUCKETS.format(table="usage_hours", begin="hour")
_OF_DAYS = _OF_BUCKETS.format(table="usage_days", begin="day")

# Each definition comes with the question, as it may be an earlier one, frozen with a closed period.
# Buckets are used only while they are its very version's, so that an edit meanwhile can't mix two
# definitions. A question asks for all definitions of a set, for the price of being passed once.
# Each span carries all of it, so that nothing big is joined by ordinal: the planner can't know how
# many questions come, and would compare each with each. Sub-selects hide from it even the length of
# the arrays, or it would plan for each anew, which takes as long as many a reading.
ASKED = """
    definition AS (
        SELECT asked.set_number, asked.place, asked.metric_id, asked.version, asked.event_name,
            asked.aggregation, asked.aggregation_property, asked.filters, asked.group_by,
            asked.aggregation IN ('sum', 'average') AS adds_up,
            asked.aggregation IN ('minimum', 'max') AS compares,
            metric.customer_property <> '' AS is_rule,
            CASE WHEN metric.version = asked.version
                THEN metric.rollups_from ELSE 'infinity'
            END AS rollups_from
        FROM unnest(
            (SELECT $9::bigint[]), (SELECT $10::bigint[]), (SELECT $11::uuid[]),
            (SELECT $12::integer[]), (SELECT $13::text[]), (SELECT $14::text[]),
            (SELECT $15::text[]), (SELECT $16::jsonb[]), (SELECT $17::text[])
        ) AS asked (
            set_number, place, metric_id, version, event_name, aggregation, aggregation_property,
            filters, group_by
        )
        JOIN metrics AS metric ON metric.org_id = $1 AND metric.is_test = $2
            AND metric.id = asked.metric_id
    ),
    span AS (
        SELECT asked.first_ordinal + definition.place AS ordinal, asked.customer_id,
            asked.starts_at, asked.ends_at, definition.metric_id, definition.version,
            definition.event_name, definition.aggregation, definition.aggregation_property,
            definition.filters, definition.group_by, definition.adds_up, definition.compares,
            definition.is_rule,
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
            (SELECT $3::bigint[]), (SELECT $4::uuid[]), (SELECT $5::bigint[]),
            (SELECT $6::timestamptz[]), (SELECT $7::timestamptz[]), (SELECT $8::boolean[])
        ) AS asked (first_ordinal, customer_id, set_number, starts_at, ends_at, is_raw)
        JOIN definition ON definition.set_number = asked.set_number
    ),
    broken AS (
        SELECT span.ordinal, span.customer_id, span.metric_id, span.event_name, span.aggregation,
            span.aggregation_property, span.filters, span.group_by, span.is_rule, edge.starts_at,
            edge.ends_at
        FROM span
        CROSS JOIN LATERAL (
            VALUES
                (span.starts_at, least(span.first_hour, span.ends_at)),
                (greatest(span.last_hour, span.first_hour), span.ends_at)
        ) AS edge (starts_at, ends_at)
        WHERE edge.starts_at < edge.ends_at
    )
"""

# OFFSET 0 keeps the few unfolded batches what is looked through first, rather than all events of a
# customer.
MEASURE = f"""
    WITH {ASKED},
    hours AS (
        SELECT ordinal, customer_id, metric_id, version, event_name, aggregation,
            aggregation_property, filters, group_by, adds_up, compares, is_rule,
            first_hour AS starts_at, last_hour AS ends_at
        FROM span
        WHERE first_hour < last_hour
    ),
    piece AS (
        SELECT hours.ordinal, hours.customer_id, hours.metric_id, hours.version,
            hours.aggregation, hours.group_by, hours.adds_up, hours.compares, cut.unit,
            cut.starts_at, cut.ends_at
        FROM hours
        CROSS JOIN LATERAL (
            SELECT date_bin('1 day', hours.starts_at + interval '23 hours', 'epoch') AS first,
                date_bin('1 day', hours.ends_at, 'epoch') AS last
        ) AS day
        CROSS JOIN LATERAL (
            VALUES
                ('hour', hours.starts_at, least(day.first, hours.ends_at)),
                ('day', day.first, day.last),
                ('hour', greatest(day.last, day.first), hours.ends_at)
        ) AS cut (unit, starts_at, ends_at)
        WHERE cut.starts_at < cut.ends_at
    ),
    raw_event AS (
        SELECT broken.ordinal, broken.aggregation, broken.aggregation_property, broken.filters,
            broken.group_by, event.occurred_at, event.properties
        FROM broken
        JOIN usage_events AS event ON event.org_id = $1 AND event.is_test = $2
            AND event.customer_id = broken.customer_id AND event.event_name = broken.event_name
            AND event.occurred_at >= broken.starts_at AND event.occurred_at < broken.ends_at
        WHERE NOT broken.is_rule
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
            AND hours.event_name = event.event_name AND NOT hours.is_rule
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
        UNION ALL
        SELECT broken.ordinal, broken.aggregation, worth.occurred_at, '', worth.amount, NULL
        FROM broken
        JOIN attributed_amounts AS worth ON worth.org_id = $1 AND worth.is_test = $2
            AND worth.customer_id = broken.customer_id AND worth.metric_id = broken.metric_id
            AND worth.occurred_at >= broken.starts_at AND worth.occurred_at < broken.ends_at
        WHERE broken.is_rule
    ),
    distinct_value AS (
        SELECT ordinal, aggregation, count(DISTINCT value) AS distinct_count
        FROM (
            SELECT ordinal, aggregation, value FROM counted WHERE value IS NOT NULL
            UNION ALL
            SELECT hours.ordinal, hours.aggregation, known.value
            FROM hours
            JOIN usage_hour_values AS known ON known.org_id = $1 AND known.is_test = $2
                AND known.customer_id = hours.customer_id AND known.metric_id = hours.metric_id
                AND known.metric_version = hours.version
                AND known.hour >= hours.starts_at AND known.hour < hours.ends_at
            WHERE hours.aggregation = 'unique'
        ) AS value
        GROUP BY ordinal, aggregation
    ),
    part AS (
        {_OF_HOURS} UNION ALL {_OF_DAYS} UNION ALL
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


class _Question(Struct, frozen=True):
    """Queries that follow each other and differ by their metric only; the ordinal of the first."""

    first_ordinal: int
    query: UsageQuery
    set_number: int


async def measure(tx: Transaction, queries: Sequence[UsageQuery]) -> list[Usage]:
    """The usage behind each query, in their order, all of one snapshot."""
    arguments = asked_arguments(queries, tx.now)
    if arguments is None:
        return [_usage(query, []) for query in queries]
    by_ordinal: dict[int, list[asyncpg.Record]] = {}
    for row in await tx.fetch(MEASURE, *arguments):
        by_ordinal.setdefault(row["ordinal"], []).append(row)
    return [_usage(query, by_ordinal.get(ordinal, [])) for ordinal, query in enumerate(queries)]


def asked_arguments(queries: Sequence[UsageQuery], now: datetime) -> tuple[list[Any], ...] | None:
    """What `ASKED` takes; None where nothing is asked for."""
    questions, sets = _questions(queries)
    spans = [
        (question, window, is_raw)
        for question in questions
        for windows, is_raw in (
            (question.query.windows, False),
            (question.query.event_windows, True),
        )
        for window in windows
    ]
    if not spans:
        return None
    ends = _Ends(now)
    asked = [
        (number, place, metric)
        for number, metrics in enumerate(sets)
        for place, metric in enumerate(metrics)
    ]
    return (
        [question.first_ordinal for question, _, _ in spans],
        [question.query.customer_id for question, _, _ in spans],
        [question.set_number for question, _, _ in spans],
        [window.start for _, window, _ in spans],
        [ends.of(window) for _, window, _ in spans],
        [is_raw for _, _, is_raw in spans],
        [number for number, _, _ in asked],
        [place for _, place, _ in asked],
        [metric.id for _, _, metric in asked],
        [metric.version for _, _, metric in asked],
        *_definition_columns([metric.definition for _, _, metric in asked]),
    )


def _questions(
    queries: Sequence[UsageQuery],
) -> tuple[list[_Question], list[tuple[Metric, ...]]]:
    """Queries put together as far as they ask alike, and the sets of metrics that they ask for."""
    questions: list[_Question] = []
    sets: list[tuple[Metric, ...]] = []
    numbers: dict[tuple[tuple[MetricId, int], ...], int] = {}
    first = 0
    for ordinal, query in enumerate(queries, start=1):
        if ordinal < len(queries) and _asks_alike(query, queries[ordinal]):
            continue
        metrics = tuple(one.metric for one in queries[first:ordinal])
        key = tuple((metric.id, metric.version) for metric in metrics)
        number = numbers.get(key)
        if number is None:
            number = numbers[key] = len(sets)
            sets.append(metrics)
        questions.append(_Question(first, query, number))
        first = ordinal
    return questions, sets


def _asks_alike(one: UsageQuery, other: UsageQuery) -> bool:
    return (
        one.customer_id == other.customer_id
        and one.windows == other.windows
        and one.event_windows == other.event_windows
    )


class _Ends:
    """Where to stop looking, as no event lies beyond a horizon: with an hour or a day, if possible.

    So neither the events of a last broken hour are asked for nor the hours of a last broken day.
    """

    def __init__(self, now: datetime) -> None:
        self._hour = whole_hours(now, now + AHEAD).end
        self._day = whole_days(now, self._hour).end

    def of(self, window: Period) -> datetime:
        """The end of the part of a window that can have events."""
        if window.end >= self._day > window.start:
            return self._day
        return min(window.end, self._hour) if window.start < self._hour else window.end


def _definition_columns(definitions: Sequence[MetricDefinition]) -> tuple[list[str], ...]:
    return (
        [definition.event_name for definition in definitions],
        [definition.aggregation.value for definition in definitions],
        [definition.aggregation_property for definition in definitions],
        [json.encode([asdict(item) for item in definition.filters]) for definition in definitions],
        [definition.group_by for definition in definitions],
    )


def _usage(query: UsageQuery, rows: Sequence[asyncpg.Record]) -> Usage:
    """One query's usage from its groups, of which there is one unless the metric has `group_by`."""
    if not rows:
        return Usage(Decimal(0), 0, None, None)
    if not query.metric.definition.group_by:
        (row,) = rows
        return Usage(
            quantity=quantity_of(row),
            event_count=row["event_count"],
            first_event_at=row["first_event_at"],
            last_event_at=row["last_event_at"],
            uncounted_events=uncounted_of(row),
        )
    quantities = {row["group_value"]: quantity_of(row) for row in rows}
    return Usage(
        quantity=reduce(EXACT.add, quantities.values()),
        event_count=sum(row["event_count"] for row in rows),
        first_event_at=min(row["first_event_at"] for row in rows),
        last_event_at=max(row["last_event_at"] for row in rows),
        groups=quantities,
        uncounted_events=sum(map(uncounted_of, rows)),
    )

"""The SQL that rebuilds buckets from stored events, some customers and hours at a time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
from msgspec import Struct

from monigo import catalog
from monigo.core.ids import CustomerId, MetricId
from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.metering.rollup.store import (
    ADD_VALUES,
    ATTRIBUTED,
    COUNTED,
    INSERT_DAYS,
    INSERT_HOURS,
    SUMMED,
)
from monigo.metering.rollup.types import UsageChange
from monigo.metering.rules import quantity_of, whole_days

# A step's statements are planned for the very customers of the step. What they sort fits into
# memory, and compiling them takes longer than running them. A whole tenant's count and one step may
# take longer than a request's statement.
SET_UP_STEP = """
    SET LOCAL plan_cache_mode = force_custom_plan;
    SET LOCAL enable_seqscan = off;
    SET LOCAL jit = off;
    SET LOCAL work_mem = '128MB';
    SET LOCAL statement_timeout = '5min'
"""
# Many customers' events lie mixed on the same pages: find them all in the index first, then read
# each page once and in order, rather than page by page for each event.
SET_UP_BUILD = "SET LOCAL enable_indexscan = off"
SET_UP_COUNT = "SET LOCAL statement_timeout = '5min'"

# The metrics that count events of a name, or '' for any; or one of them. Asked once for a step, so
# that all of it is of the same metrics, though one be edited or deleted meanwhile.
SELECT_CONCERNED = """
    SELECT id FROM metrics
    WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL
        AND ($3 = '' OR event_name = $3) AND ($4::uuid IS NULL OR id = $4)
"""

COUNT_EVENTS = """
    SELECT count(*) FROM usage_events
    WHERE org_id = $1 AND is_test = $2 AND occurred_at >= $3 AND occurred_at < $4
        AND ($5 = '' OR event_name = $5)
"""

HAS_EVENTS = """
    SELECT EXISTS (
        SELECT 1 FROM usage_events WHERE org_id = $1 AND is_test = $2
    )
"""

# Nobody's events are counted further than they matter.
COUNT_BY_CUSTOMER = """
    SELECT customer.id, counted.event_count, counted.matching_count
    FROM (
        SELECT id FROM customers
        WHERE org_id = $1 AND is_test = $2 AND ($3::uuid IS NULL OR id > $3)
        ORDER BY id
        LIMIT $4
    ) AS customer
    CROSS JOIN LATERAL (
        SELECT count(*) AS event_count,
            count(*) FILTER (WHERE $7 = '' OR event_name = $7) AS matching_count
        FROM (
            SELECT event.event_name FROM usage_events AS event
            WHERE event.org_id = $1 AND event.is_test = $2 AND event.customer_id = customer.id
                AND event.occurred_at >= $5 AND event.occurred_at < $6
            LIMIT $8
        ) AS event
    ) AS counted
    ORDER BY customer.id
"""

COUNT_OF_CUSTOMER = """
    SELECT count(*) FROM usage_events
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND occurred_at >= $4
        AND occurred_at < $5 AND ($6 = '' OR event_name = $6)
"""

# The end of the hour in which a customer's events become too many for one step.
SELECT_CUT = """
    SELECT date_trunc('hour', occurred_at, 'UTC') + interval '1 hour'
    FROM usage_events
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND occurred_at >= $4
        AND occurred_at < $5
    ORDER BY occurred_at
    OFFSET $6
    LIMIT 1
"""

# Older versions' buckets go, too: nobody reads them any more.
DELETE_HOURS = """
    DELETE FROM usage_hours
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[])
        AND metric_id = ANY ($6::uuid[])
        AND hour >= $4 AND hour < $5
"""

# Days are summed up from their hours, of which a step may have built some only; whole days here.
DELETE_DAYS = """
    DELETE FROM usage_days
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[])
        AND metric_id = ANY ($6::uuid[])
        AND day >= $4 AND day < $5
"""
_HOURS_OF_DAYS = """
    SELECT customer_id, metric_id, metric_version, hour, group_value, event_count, number_count,
        number_sum, number_min, number_max, first_event_at, last_event_at
    FROM usage_hours
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[])
        AND metric_id = ANY ($6::uuid[])
        AND hour >= $4 AND hour < $5
"""
BUILD_DAYS = INSERT_DAYS.format(hours=f"({_HOURS_OF_DAYS}) AS hours") + " RETURNING 1"

DELETE_VALUES = """
    DELETE FROM usage_hour_values
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[])
        AND metric_id = ANY ($6::uuid[])
        AND hour >= $4 AND hour < $5
"""

# What still waits to be folded stays out: it will be added to the new buckets.
_OF_STEP = COUNTED.format(
    chosen="""event.customer_id = ANY ($3::uuid[])
        AND event.occurred_at >= $4 AND event.occurred_at < $5
        AND metric.id = ANY ($6::uuid[])
        AND event.batch_id <> ALL (ARRAY (
            SELECT batch.batch_id FROM unfolded_batches AS batch
            WHERE batch.org_id = $1 AND batch.is_test = $2
        ))"""
)
_ATTRIBUTED_OF_STEP = ATTRIBUTED.format(
    chosen="""event.customer_id = ANY ($3::uuid[])
        AND event.occurred_at >= $4 AND event.occurred_at < $5
        AND metric.id = ANY ($6::uuid[])"""
)
_ALL_OF_STEP = f"(({_OF_STEP}) UNION ALL ({_ATTRIBUTED_OF_STEP}))"
# Into the room that was made before, where nothing can be in the way.
BUILD_HOURS = (
    INSERT_HOURS.format(summed=f"({SUMMED.format(counted=_ALL_OF_STEP)}) AS summed")
    + " RETURNING 1"
)
BUILD_VALUES = ADD_VALUES.format(counted=_OF_STEP)

HAS_UNIQUE_METRIC = """
    SELECT EXISTS (
        SELECT 1 FROM metrics
        WHERE org_id = $1 AND is_test = $2 AND aggregation = 'unique' AND id = ANY ($3::uuid[])
    )
"""

# Hours that are read from events anyway can't change, so they stay out on both sides. One
# statement, so one snapshot: what is folded meanwhile is on both sides or on none.
COMPARE = f"""
    WITH metric AS MATERIALIZED (
        SELECT metric.id, metric.version, metric.aggregation,
            greatest(metric.rollups_from, $4) AS starts_at
        FROM metrics AS metric
        WHERE metric.org_id = $1 AND metric.is_test = $2 AND metric.id = ANY ($6::uuid[])
    ),
    bucket AS (
        SELECT bucket.customer_id, bucket.metric_id, sum(bucket.event_count)::bigint AS event_count,
            sum(bucket.number_count)::bigint AS number_count, sum(bucket.number_sum) AS number_sum,
            min(bucket.number_min) AS number_min, max(bucket.number_max) AS number_max
        FROM metric
        JOIN usage_hours AS bucket ON bucket.org_id = $1 AND bucket.is_test = $2
            AND bucket.metric_id = metric.id AND bucket.metric_version = metric.version
            AND bucket.customer_id = ANY ($3::uuid[])
            AND bucket.hour >= metric.starts_at AND bucket.hour < $5
        GROUP BY bucket.customer_id, bucket.metric_id
    ),
    known AS (
        SELECT known.customer_id, known.metric_id, count(DISTINCT known.value) AS distinct_count
        FROM metric
        JOIN usage_hour_values AS known ON known.org_id = $1 AND known.is_test = $2
            AND known.metric_id = metric.id AND known.metric_version = metric.version
            AND known.customer_id = ANY ($3::uuid[])
            AND known.hour >= metric.starts_at AND known.hour < $5
        GROUP BY known.customer_id, known.metric_id
    ),
    counted AS (
        SELECT counted.customer_id, counted.metric_id, count(*) AS event_count,
            count(counted.number) AS number_count, coalesce(sum(counted.number), 0) AS number_sum,
            min(counted.number) AS number_min, max(counted.number) AS number_max,
            count(DISTINCT counted.value) AS distinct_count
        FROM {_ALL_OF_STEP} AS counted
        JOIN metric ON metric.id = counted.metric_id AND counted.hour >= metric.starts_at
        GROUP BY counted.customer_id, counted.metric_id
    )
    SELECT coalesce(bucket.customer_id, counted.customer_id) AS customer_id, metric.id AS metric_id,
        metric.aggregation, bucket.event_count AS event_count_before,
        bucket.number_count AS number_count_before, bucket.number_sum AS number_sum_before,
        bucket.number_min AS number_min_before, bucket.number_max AS number_max_before,
        known.distinct_count AS distinct_count_before, counted.event_count AS event_count_after,
        counted.number_count AS number_count_after, counted.number_sum AS number_sum_after,
        counted.number_min AS number_min_after, counted.number_max AS number_max_after,
        counted.distinct_count AS distinct_count_after
    FROM bucket
    FULL JOIN counted ON counted.customer_id = bucket.customer_id
        AND counted.metric_id = bucket.metric_id
    JOIN metric ON metric.id = coalesce(bucket.metric_id, counted.metric_id)
    LEFT JOIN known ON known.customer_id = bucket.customer_id
        AND known.metric_id = bucket.metric_id
    ORDER BY 1, 2
"""
_SUMS = ("event_count", "number_count", "number_sum", "number_min", "number_max", "distinct_count")


class Selection(Struct, frozen=True):
    """Which buckets are rebuilt: whole hours, the events' name ('' is any), the metric."""

    hours: Period
    event_name: str
    metric_id: MetricId | None


class Share(Struct, frozen=True):
    """Customers in the order of their ids, whose events of some hours are counted in one step.

    `next_hour` is where the only customer of a share goes on, when its events are too many.
    """

    customer_ids: Sequence[CustomerId]
    hours: Period
    event_count: int
    next_hour: datetime | None = None


async def set_up_rebuild(tx: Transaction) -> None:
    """Plan and limit this transaction's statements as a step of a replay needs it."""
    await tx.connection.execute(SET_UP_STEP)


async def count_selected(tx: Transaction, selection: Selection) -> int:
    """How many stored events a selection holds."""
    await tx.connection.execute(SET_UP_COUNT)
    return await tx.fetchval(
        COUNT_EVENTS, selection.hours.start, selection.hours.end, selection.event_name
    )


async def has_events(tx: Transaction) -> bool:
    """Whether the tenant has ever had an event."""
    return await tx.fetchval(HAS_EVENTS)


async def next_share(
    tx: Transaction,
    selection: Selection,
    *,
    after: CustomerId | None,
    from_hour: datetime | None,
    customers_max: int,
    events_max: int,
) -> Share:
    """The customers that follow one, as many as have about `events_max` events; empty at the end.

    `from_hour` is where the first of them goes on, which then is alone.
    """
    hours = Period(from_hour, selection.hours.end) if from_hour else selection.hours
    limit = 1 if from_hour else customers_max
    name = selection.event_name
    rows = await tx.fetch(
        COUNT_BY_CUSTOMER, after, limit, hours.start, hours.end, name, events_max + 1
    )
    taken: list[asyncpg.Record] = []
    size = 0
    for row in rows:
        if taken and size + row["event_count"] > events_max:
            break
        taken.append(row)
        size += row["event_count"]
    share = Share(
        [CustomerId(row["id"]) for row in taken],
        hours,
        sum(row["matching_count"] for row in taken),
    )
    return await _cut(tx, share, selection, events_max) if size > events_max else share


async def _cut(tx: Transaction, share: Share, selection: Selection, events_max: int) -> Share:
    """The first hours of a share whose only customer has too many events for one step."""
    hours, customer_id = share.hours, share.customer_ids[0]
    cut = await tx.fetchval(SELECT_CUT, customer_id, hours.start, hours.end, events_max)
    if cut is None or cut >= hours.end:
        return share
    count = await tx.fetchval(
        COUNT_OF_CUSTOMER, customer_id, hours.start, cut, selection.event_name
    )
    return Share(share.customer_ids, Period(hours.start, cut), count, next_hour=cut)


async def concerned_metrics(tx: Transaction, selection: Selection) -> list[MetricId]:
    """The metrics that count a selection's events, as they are now."""
    rows = await tx.fetch(SELECT_CONCERNED, selection.event_name, selection.metric_id)
    return [MetricId(row["id"]) for row in rows]


async def rebuild(tx: Transaction, selection: Selection, share: Share) -> None:
    """Replace a share's buckets by what its folded events are under today's metrics.

    Folding must be held, so that a batch is either folded or not for all of it.
    """
    metric_ids = await concerned_metrics(tx, selection)
    arguments = _arguments(share, share.hours, metric_ids)
    of_days = _arguments(share, whole_days(share.hours.start, share.hours.end), metric_ids)
    await tx.execute(DELETE_HOURS, *arguments)
    await tx.execute(DELETE_DAYS, *of_days)
    await tx.execute(DELETE_VALUES, *arguments)
    await tx.connection.execute(SET_UP_BUILD)
    await tx.execute(BUILD_HOURS, *arguments)
    await tx.execute(BUILD_DAYS, *of_days)
    if await tx.fetchval(HAS_UNIQUE_METRIC, metric_ids):
        await tx.execute(BUILD_VALUES, *arguments)


async def compare(tx: Transaction, selection: Selection, share: Share) -> list[UsageChange]:
    """What rebuilding a share would change, customer by customer, over all its hours."""
    metric_ids = await concerned_metrics(tx, selection)
    rows = await tx.fetch(COMPARE, *_arguments(share, share.hours, metric_ids))
    changed = [row for row in rows if _quantity(row, "before") != _quantity(row, "after")]
    metrics = await catalog.get_metrics(tx, {MetricId(row["metric_id"]) for row in changed})
    return [
        UsageChange(
            customer_id=CustomerId(row["customer_id"]),
            metric=metrics[MetricId(row["metric_id"])],
            before=_quantity(row, "before"),
            after=_quantity(row, "after"),
        )
        for row in changed
    ]


def _arguments(share: Share, window: Period, metric_ids: Sequence[MetricId]) -> tuple[Any, ...]:
    return share.customer_ids, window.start, window.end, metric_ids


def _quantity(row: asyncpg.Record, side: str) -> Any:
    sums = {name: row[f"{name}_{side}"] or 0 for name in _SUMS}
    return quantity_of({"aggregation": row["aggregation"], **sums})

"""The SQL that folds events into buckets of hours and days, batch by batch."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from msgspec import Struct

from monigo.core.ids import CustomerId, OrganizationId
from monigo.infra.db import Connection, Tenant, Transaction
from monigo.metering.rules import first_of_month, floor_hour

# Folds of a tenant share the lock; rebuilding buckets needs it exclusively.
SHARE_FOLDING = (
    "SELECT pg_advisory_xact_lock_shared(hashtextextended($1::uuid::text || $2::boolean::text, 7))"
)
LOCK_FOLDING = (
    "SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text || $2::boolean::text, 7))"
)

SELECT_TENANTS = "SELECT org_id, is_test FROM tenants_with_unfolded_batches($1)"

SELECT_LAG = "SELECT now() - oldest FROM oldest_unfolded_at() AS oldest"

TAKE_BATCHES = """
    DELETE FROM unfolded_batches
    WHERE org_id = $1 AND is_test = $2 AND batch_id IN (
        SELECT batch_id FROM unfolded_batches
        WHERE org_id = $1 AND is_test = $2
        ORDER BY batch_id
        LIMIT $3
        FOR UPDATE SKIP LOCKED
    )
    RETURNING batch_id, event_count, received_at
"""

# What events become, whichever way they are `{chosen}`. Each OFFSET 0 keeps the planner from
# merging this into what is around it, which would read a property and work its number out four
# times.
COUNTED = """
    SELECT customer_id, metric_id, metric_version, hour, occurred_at, group_value,
        json_number(held) AS number, value
    FROM (
        SELECT event.customer_id, metric.id AS metric_id, metric.version AS metric_version,
            date_bin('1 hour', event.occurred_at, '2000-01-01 00:00Z') AS hour, event.occurred_at,
            event_group(event.properties, metric.group_by) AS group_value,
            CASE WHEN metric.aggregation NOT IN ('count', 'unique')
                THEN event.properties -> metric.aggregation_property
            END AS held,
            CASE WHEN metric.aggregation = 'unique'
                THEN event_value(event.properties, metric.aggregation_property)
            END AS value
        FROM usage_events AS event
        JOIN metrics AS metric ON metric.org_id = $1 AND metric.is_test = $2
            AND metric.event_name = event.event_name AND metric.customer_property = ''
            AND metric.deleted_at IS NULL
        WHERE event.org_id = $1 AND event.is_test = $2 AND {chosen}
            AND (metric.filters = '[]' OR event_matches(event.properties, metric.filters))
        OFFSET 0
    ) AS read
    OFFSET 0
"""

# The same of what events are worth by payout rules, in the columns of COUNTED.
ATTRIBUTED = """
    SELECT event.customer_id, metric.id AS metric_id, metric.version AS metric_version,
        date_bin('1 hour', event.occurred_at, '2000-01-01 00:00Z') AS hour, event.occurred_at,
        '' AS group_value, event.amount AS number, NULL::uuid AS value
    FROM attributed_amounts AS event
    JOIN metrics AS metric ON metric.org_id = $1 AND metric.is_test = $2
        AND metric.id = event.metric_id AND metric.deleted_at IS NULL
    WHERE event.org_id = $1 AND event.is_test = $2 AND event.customer_id IS NOT NULL AND {chosen}
"""

# What hour buckets hold of what was `{counted}`.
SUMMED = """
    SELECT customer_id, metric_id, metric_version, hour, group_value, count(*) AS event_count,
        count(number) AS number_count, coalesce(sum(number), 0) AS number_sum,
        min(number) AS number_min, max(number) AS number_max,
        min(occurred_at) AS first_event_at, max(occurred_at) AS last_event_at
    FROM ({counted}) AS counted
    GROUP BY customer_id, metric_id, metric_version, hour, group_value
"""

# Sorted, so that two folds that touch the same buckets take their locks in one order.
INSERT_HOURS = """
    INSERT INTO usage_hours AS bucket (
        org_id, is_test, customer_id, metric_id, metric_version, hour, group_value, event_count,
        number_count, number_sum, number_min, number_max, first_event_at, last_event_at
    )
    SELECT $1, $2, customer_id, metric_id, metric_version, hour, group_value, event_count,
        number_count, number_sum, number_min, number_max, first_event_at, last_event_at
    FROM {summed}
    ORDER BY customer_id, metric_id, metric_version, hour, group_value
"""
INSERT_DAYS = """
    INSERT INTO usage_days AS bucket (
        org_id, is_test, customer_id, metric_id, metric_version, day, group_value, event_count,
        number_count, number_sum, number_min, number_max, first_event_at, last_event_at
    )
    SELECT $1, $2, customer_id, metric_id, metric_version,
        date_bin('1 day', hour, '2000-01-01 00:00Z') AS day, group_value, sum(event_count),
        sum(number_count), sum(number_sum), min(number_min), max(number_max), min(first_event_at),
        max(last_event_at)
    FROM {hours}
    GROUP BY customer_id, metric_id, metric_version, day, group_value
    ORDER BY customer_id, metric_id, metric_version, day, group_value
"""

ADDING = """
    ON CONFLICT (org_id, is_test, customer_id, metric_id, metric_version, {begin}, group_value)
    DO UPDATE SET
        event_count = bucket.event_count + excluded.event_count,
        number_count = bucket.number_count + excluded.number_count,
        number_sum = bucket.number_sum + excluded.number_sum,
        number_min = least(bucket.number_min, excluded.number_min),
        number_max = greatest(bucket.number_max, excluded.number_max),
        first_event_at = least(bucket.first_event_at, excluded.first_event_at),
        last_event_at = greatest(bucket.last_event_at, excluded.last_event_at)
"""

ADD_VALUES = """
    INSERT INTO usage_hour_values (
        org_id, is_test, customer_id, metric_id, metric_version, hour, value
    )
    SELECT DISTINCT $1::uuid, $2::boolean, customer_id, metric_id, metric_version, hour, value
    FROM ({counted}) AS counted
    WHERE value IS NOT NULL
    ORDER BY customer_id, metric_id, metric_version, hour, value
    ON CONFLICT DO NOTHING
"""

_OF_BATCHES = COUNTED.format(chosen="event.batch_id = ANY ($3::uuid[])")
# In one statement, so that the events are read once. Every fold adds to days and hours in the same
# order, so that none of them waits for each other.
FOLD_BATCHES = f"""
    WITH summed AS MATERIALIZED ({SUMMED.format(counted=_OF_BATCHES)}),
    folded AS (
        {INSERT_HOURS.format(summed="summed")} {ADDING.format(begin="hour")}
    )
    {INSERT_DAYS.format(hours="summed")} {ADDING.format(begin="day")}
"""
FOLD_VALUES_OF_BATCHES = ADD_VALUES.format(counted=_OF_BATCHES)

COUNT_EVENTS_OF_BATCHES = """
    SELECT count(*) AS event_count, count(*) FILTER (WHERE occurred_at < $4) AS late_count
    FROM usage_events
    WHERE org_id = $1 AND is_test = $2 AND batch_id = ANY ($3::uuid[])
"""

# The period close looks at these days again, if it has closed them.
NOTE_LATE = """
    INSERT INTO late_usage (org_id, is_test, customer_id, day, last_received_at)
    SELECT $1, $2, customer_id, day, $5
    FROM (
        SELECT customer_id, date_trunc('day', occurred_at, 'UTC') AS day
        FROM usage_events
        WHERE org_id = $1 AND is_test = $2 AND batch_id = ANY ($3::uuid[]) AND occurred_at < $4
        UNION ALL
        SELECT customer_id, day
        FROM unnest($6::uuid[], $7::timestamptz[]) AS paid (customer_id, day)
    ) AS late
    GROUP BY customer_id, day
    ORDER BY customer_id, day
    ON CONFLICT (org_id, is_test, customer_id, day)
    DO UPDATE SET last_received_at = excluded.last_received_at
"""

HAS_UNIQUE_METRIC = """
    SELECT EXISTS (
        SELECT 1 FROM metrics
        WHERE org_id = $1 AND is_test = $2 AND aggregation = 'unique' AND deleted_at IS NULL
    )
"""


class TakenBatches(Struct, frozen=True):
    """Batches taken out of the queue by this transaction, and how many events they hold.

    `by_month` splits the events by the month in which they were taken in.
    """

    ids: list[UUID]
    event_count: int
    by_month: Mapping[date, int]


async def tenants_with_batches(connection: Connection, limit: int) -> list[Tenant]:
    """Tenants that have something to fold."""
    rows = await connection.fetch(SELECT_TENANTS, limit)
    return [Tenant(OrganizationId(row["org_id"]), row["is_test"]) for row in rows]


async def lag(connection: Connection) -> timedelta:
    """How long the oldest batch has waited; nothing when none waits."""
    return await connection.fetchval(SELECT_LAG) or timedelta()


async def lock_folding_shared(tx: Transaction) -> None:
    """Keep buckets from being rebuilt until the transaction ends."""
    await tx.execute(SHARE_FOLDING)


async def lock_folding(tx: Transaction) -> None:
    """Wait for the folds under way, and keep others from starting until the transaction ends."""
    await tx.execute(LOCK_FOLDING)


async def take_batches(tx: Transaction, limit: int) -> TakenBatches:
    """Take the oldest batches that nobody else is folding."""
    rows = await tx.fetch(TAKE_BATCHES, limit)
    by_month: dict[date, int] = {}
    for row in rows:
        month = first_of_month(row["received_at"])
        by_month[month] = by_month.get(month, 0) + row["event_count"]
    return TakenBatches([row["batch_id"] for row in rows], sum(by_month.values()), by_month)


async def fold(tx: Transaction, taken: TakenBatches) -> None:
    """Add the events of taken batches to the buckets of every metric that counts them."""
    await tx.execute(FOLD_BATCHES, taken.ids)
    if await tx.fetchval(HAS_UNIQUE_METRIC):
        await tx.execute(FOLD_VALUES_OF_BATCHES, taken.ids)


async def count_events(tx: Transaction, taken: TakenBatches) -> tuple[int, int]:
    """How many events of the batches can be seen, and how many belong to an earlier hour."""
    row = await tx.fetchrow(COUNT_EVENTS_OF_BATCHES, taken.ids, floor_hour(tx.now))
    return (row["event_count"], row["late_count"]) if row else (0, 0)


async def note_late(
    tx: Transaction, taken: TakenBatches, paid: Collection[tuple[CustomerId, datetime]]
) -> None:
    """Note whose usage of which days has changed after its hour; `paid`: by payout rules."""
    customer_ids = [customer_id for customer_id, _ in paid]
    days = [day for _, day in paid]
    await tx.execute(NOTE_LATE, taken.ids, floor_hour(tx.now), tx.real_now, customer_ids, days)

"""The SQL that compares what is kept of events with the events themselves."""

from monigo.core.verification import DIFFERENCES_MAX, Difference
from monigo.infra.db import Transaction
from monigo.metering.rollup.store import ATTRIBUTED, COUNTED

# From here on the buckets of a metric's version are whole, and the events keep their properties.
_WHOLE = """
    greatest(metric.rollups_from, coalesce((
        SELECT kept_from FROM event_retention WHERE org_id = $1 AND is_test = $2
    ), '-infinity'))
"""

_FOLDED = """
    event.batch_id <> ALL (ARRAY (
        SELECT batch.batch_id FROM unfolded_batches AS batch
        WHERE batch.org_id = $1 AND batch.is_test = $2
    ))
"""

_COUNTED = COUNTED.format(chosen=f"event.occurred_at >= {_WHOLE} AND {_FOLDED}")
_ATTRIBUTED = ATTRIBUTED.format(chosen=f"event.occurred_at >= {_WHOLE}")

# Both sides have each subject as JSON, in which numbers are equal whatever their zeros.
_DIFFERENCES = """
    WITH computed AS ({computed}), stored AS ({stored})
    SELECT coalesce(stored.subject, computed.subject)::text AS subject,
        stored.facts::text AS stored, computed.facts::text AS computed
    FROM computed
    FULL JOIN stored ON stored.subject = computed.subject
    WHERE stored.facts IS DISTINCT FROM computed.facts
    ORDER BY 1
    LIMIT $3
"""

_BUCKET = """
    jsonb_build_object(
        'customer_id', customer_id, 'metric_id', metric_id, 'hour', hour, 'group', group_value
    ) AS subject
"""

COMPARE_BUCKETS = _DIFFERENCES.format(
    computed=f"""
        SELECT {_BUCKET}, jsonb_build_object(
            'events', count(*), 'numbers', count(number), 'sum', coalesce(sum(number), 0),
            'min', min(number), 'max', max(number), 'first', min(occurred_at),
            'last', max(occurred_at)
        ) AS facts
        FROM (({_COUNTED}) UNION ALL ({_ATTRIBUTED})) AS counted
        GROUP BY customer_id, metric_id, hour, group_value
    """,
    stored=f"""
        SELECT {_BUCKET}, jsonb_build_object(
            'events', bucket.event_count, 'numbers', bucket.number_count,
            'sum', bucket.number_sum, 'min', bucket.number_min, 'max', bucket.number_max,
            'first', bucket.first_event_at, 'last', bucket.last_event_at
        ) AS facts
        FROM usage_hours AS bucket
        JOIN metrics AS metric ON metric.org_id = $1 AND metric.is_test = $2
            AND metric.id = bucket.metric_id AND metric.version = bucket.metric_version
            AND metric.deleted_at IS NULL
        WHERE bucket.org_id = $1 AND bucket.is_test = $2 AND bucket.hour >= {_WHOLE}
    """,
)

_DAY = """
    jsonb_build_object(
        'customer_id', customer_id, 'metric_id', metric_id, 'version', metric_version, 'day', day,
        'group', group_value
    ) AS subject
"""

# Of all hours that there are, so of earlier versions, too.
COMPARE_DAYS = _DIFFERENCES.format(
    computed=f"""
        SELECT {_DAY}, jsonb_build_object(
            'events', sum(event_count), 'numbers', sum(number_count), 'sum', sum(number_sum),
            'min', min(number_min), 'max', max(number_max), 'first', min(first_event_at),
            'last', max(last_event_at)
        ) AS facts
        FROM (
            SELECT customer_id, metric_id, metric_version, date_trunc('day', hour, 'UTC') AS day,
                group_value, event_count, number_count, number_sum, number_min, number_max,
                first_event_at, last_event_at
            FROM usage_hours
            WHERE org_id = $1 AND is_test = $2
        ) AS bucket
        GROUP BY customer_id, metric_id, metric_version, day, group_value
    """,
    stored=f"""
        SELECT {_DAY}, jsonb_build_object(
            'events', event_count, 'numbers', number_count, 'sum', number_sum,
            'min', number_min, 'max', number_max, 'first', first_event_at, 'last', last_event_at
        ) AS facts
        FROM usage_days
        WHERE org_id = $1 AND is_test = $2
    """,
)

_VALUES = "jsonb_agg(value ORDER BY value) AS facts"

COMPARE_VALUES = _DIFFERENCES.format(
    computed=f"""
        SELECT {_BUCKET}, {_VALUES}
        FROM (
            SELECT DISTINCT customer_id, metric_id, hour, '' AS group_value, value
            FROM ({_COUNTED}) AS counted
            WHERE value IS NOT NULL
        ) AS counted
        GROUP BY customer_id, metric_id, hour, group_value
    """,
    stored=f"""
        SELECT {_BUCKET}, {_VALUES}
        FROM (
            SELECT known.customer_id, known.metric_id, known.hour, '' AS group_value, known.value
            FROM usage_hour_values AS known
            JOIN metrics AS metric ON metric.org_id = $1 AND metric.is_test = $2
                AND metric.id = known.metric_id AND metric.version = known.metric_version
                AND metric.deleted_at IS NULL
            WHERE known.org_id = $1 AND known.is_test = $2 AND known.hour >= {_WHOLE}
        ) AS known
        GROUP BY customer_id, metric_id, hour, group_value
    """,
)

COMPARE_COUNTS = _DIFFERENCES.format(
    computed=f"""
        SELECT jsonb_build_object('month', date_trunc('month', received_at, 'UTC')::date)
            AS subject, to_jsonb(count(*)) AS facts
        FROM usage_events AS event
        WHERE org_id = $1 AND is_test = $2 AND {_FOLDED}
        GROUP BY date_trunc('month', received_at, 'UTC')
    """,
    stored="""
        SELECT jsonb_build_object('month', month) AS subject, to_jsonb(event_count) AS facts
        FROM event_counts
        WHERE org_id = $1 AND is_test = $2
    """,
)

COMPARE_VOLUMES = _DIFFERENCES.format(
    computed=f"""
        SELECT jsonb_build_object('since', since) AS subject, to_jsonb(count(*)) AS facts
        FROM (
            SELECT date_bin('15 minutes', occurred_at, '2000-01-01 00:00Z') AS since
            FROM usage_events AS event
            WHERE org_id = $1 AND is_test = $2 AND {_FOLDED}
        ) AS event
        GROUP BY since
    """,
    stored="""
        SELECT jsonb_build_object('since', since) AS subject, to_jsonb(event_count) AS facts
        FROM event_volumes
        WHERE org_id = $1 AND is_test = $2
    """,
)

COMPARE_BATCHES = _DIFFERENCES.format(
    computed="""
        SELECT jsonb_build_object('batch_id', batch.batch_id) AS subject,
            to_jsonb(count(event.dedup)) AS facts
        FROM unfolded_batches AS batch
        LEFT JOIN usage_events AS event ON event.org_id = $1 AND event.is_test = $2
            AND event.batch_id = batch.batch_id
        WHERE batch.org_id = $1 AND batch.is_test = $2
        GROUP BY batch.batch_id
    """,
    stored="""
        SELECT jsonb_build_object('batch_id', batch_id) AS subject, to_jsonb(event_count) AS facts
        FROM unfolded_batches
        WHERE org_id = $1 AND is_test = $2
    """,
)

COMPARISONS = {
    "bucket": COMPARE_BUCKETS,
    "day of buckets": COMPARE_DAYS,
    "distinct values": COMPARE_VALUES,
    "event count of a month": COMPARE_COUNTS,
    "event count of a quarter of an hour": COMPARE_VOLUMES,
    "events of a batch": COMPARE_BATCHES,
}

COUNT = """
    SELECT (SELECT count(*) FROM usage_events WHERE org_id = $1 AND is_test = $2) AS events,
        (SELECT count(*) FROM usage_hours WHERE org_id = $1 AND is_test = $2) AS buckets
"""


async def compare(tx: Transaction) -> list[Difference]:
    """Where buckets, days, distinct values, counts and batches are not what the events say."""
    return [
        Difference(what, row["subject"], row["stored"], row["computed"])
        for what, comparison in COMPARISONS.items()
        for row in await tx.fetch(comparison, DIFFERENCES_MAX)
    ]


async def count(tx: Transaction) -> dict[str, int]:
    """How many events and buckets there are."""
    row = await tx.fetchrow(COUNT)
    return dict(row or {})

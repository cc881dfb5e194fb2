"""The SQL that stores what events are worth by payout rules, and adds it to the buckets.

A row of `attributed_amounts` whose customer is known is in the buckets of its rule: both come in
one statement.
"""

from collections.abc import Sequence
from datetime import datetime

from monigo.core.ids import CustomerId
from monigo.infra.db import Transaction
from monigo.metering.attribution import Amounts
from monigo.metering.rollup.store import ADDING, INSERT_DAYS, INSERT_HOURS
from monigo.metering.rules import AGE_MAX

# What buckets get of the rows in `{rows}`; those of hidden rules are read one by one.
_SUMMED = """
    SELECT customer_id, metric.id AS metric_id, metric.version AS metric_version,
        date_bin('1 hour', occurred_at, '2000-01-01 00:00Z') AS hour, '' AS group_value,
        count(*) AS event_count, count(amount) AS number_count,
        coalesce(sum(amount), 0) AS number_sum, min(amount) AS number_min,
        max(amount) AS number_max, min(occurred_at) AS first_event_at,
        max(occurred_at) AS last_event_at
    FROM {rows}
    JOIN metrics AS metric ON metric.org_id = $1 AND metric.is_test = $2
        AND metric.id = {rows}.metric_id AND metric.deleted_at IS NULL
    WHERE customer_id IS NOT NULL
    GROUP BY customer_id, metric.id, metric.version, hour
"""

_ADDED_TO_BUCKETS = f"""
    summed AS MATERIALIZED ({{summed}}),
    folded AS (
        {INSERT_HOURS.format(summed="summed")} {ADDING.format(begin="hour")}
    )
    {INSERT_DAYS.format(hours="summed")} {ADDING.format(begin="day")}
"""

# An event is worth something by a rule once, however often it is worked out.
ADD_AMOUNTS = f"""
    WITH attributed AS (
        INSERT INTO attributed_amounts (
            org_id, is_test, metric_id, dedup, customer_id, recipient, occurred_at, attributed_at,
            amount, fault
        )
        SELECT $1, $2, $3, dedup, customer_id, recipient, occurred_at, $4, amount, fault
        FROM unnest(
            $5::uuid[], $6::uuid[], $7::text[], $8::timestamptz[], $9::numeric[], $10::text[]
        ) AS found (dedup, customer_id, recipient, occurred_at, amount, fault)
        ON CONFLICT (org_id, is_test, metric_id, dedup) DO NOTHING
        RETURNING metric_id, customer_id, occurred_at, amount
    ),
    {_ADDED_TO_BUCKETS.format(summed=_SUMMED.format(rows="attributed"))}
"""

# What waited for a recipient who is a customer by now: some of it, the oldest first.
ATTRIBUTE_WAITING = f"""
    WITH waiting AS (
        SELECT metric_id, dedup FROM attributed_amounts
        WHERE org_id = $1 AND is_test = $2 AND customer_id IS NULL
            AND recipient = ANY ($4::text[]) AND occurred_at >= $5
        ORDER BY occurred_at
        LIMIT $7
        FOR UPDATE
    ),
    attributed AS (
        UPDATE attributed_amounts AS amount
        SET customer_id = $3, recipient = '', attributed_at = $6
        FROM waiting
        WHERE amount.org_id = $1 AND amount.is_test = $2 AND amount.metric_id = waiting.metric_id
            AND amount.dedup = waiting.dedup
        RETURNING amount.metric_id, amount.customer_id, amount.occurred_at, amount.amount
    ),
    noted AS (
        INSERT INTO late_usage (org_id, is_test, customer_id, day, last_received_at)
        SELECT $1, $2, customer_id, date_trunc('day', occurred_at, 'UTC') AS day, $6
        FROM attributed
        GROUP BY customer_id, day
        ORDER BY customer_id, day
        ON CONFLICT (org_id, is_test, customer_id, day)
        DO UPDATE SET last_received_at = excluded.last_received_at
    ),
    {_ADDED_TO_BUCKETS.format(summed=_SUMMED.format(rows="attributed"))}
"""

COUNT_WAITING = """
    SELECT count(*) FROM attributed_amounts
    WHERE org_id = $1 AND is_test = $2 AND customer_id IS NULL AND recipient = ANY ($3::text[])
        AND occurred_at >= $4
"""


async def add(tx: Transaction, found: Amounts) -> None:
    """Store amounts that are not stored yet, and add them to their customers' buckets."""
    if not found.dedups:
        return
    await tx.execute(
        ADD_AMOUNTS,
        found.metric_id,
        tx.real_now,
        found.dedups,
        found.customer_ids,
        found.recipients,
        found.occurred,
        found.amounts,
        found.faults,
    )


async def attribute_waiting(
    tx: Transaction, customer_id: CustomerId, references: Sequence[str], *, limit: int
) -> bool:
    """Give a customer what waited for its id or external_id; whether some is left.

    What is older than an event may be stays unmatched. Folding must be held.
    """
    oldest = tx.now - AGE_MAX
    await tx.execute(ATTRIBUTE_WAITING, customer_id, references, oldest, tx.real_now, limit)
    return await tx.fetchval(COUNT_WAITING, references, oldest) > 0


def late_days(found: Amounts, before: datetime) -> set[tuple[CustomerId, datetime]]:
    """Whose amounts of which days belong to an hour before this one."""
    return {
        (customer_id, at.replace(hour=0, minute=0, second=0, microsecond=0))
        for customer_id, at in zip(found.customer_ids, found.occurred, strict=True)
        if customer_id is not None and at < before
    }

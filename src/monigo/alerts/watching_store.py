"""The SQL of what is looked at: which subscriptions and wallets, and which of them can wait."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from monigo.alerts.types import Alert, AlertScope, AlertType
from monigo.core.ids import AlertId, CustomerId, SubscriptionId, WalletId
from monigo.infra.db import Transaction
from monigo.metering import TouchedUsage

DELETE_OTHERS = """
    DELETE FROM alert_watches AS watch USING alerts AS alert
    WHERE watch.org_id = $1 AND watch.is_test = $2 AND watch.subscription_id = ANY ($3::uuid[])
        AND alert.org_id = $1 AND alert.is_test = $2 AND alert.id = watch.alert_id
        AND alert.type = ANY ($4::text[])
        AND NOT EXISTS (
            SELECT 1 FROM unnest($5::uuid[], $6::uuid[]) AS kept (alert_id, subscription_id)
            WHERE kept.alert_id = watch.alert_id AND kept.subscription_id = watch.subscription_id
        )
"""

SAVE = """
    INSERT INTO alert_watches AS watch (
        org_id, is_test, alert_id, subscription_id, customer_id, period_start, period_end,
        next_threshold
    )
    SELECT $1, $2, alert_id, subscription_id, customer_id, period_start, period_end, next_threshold
    FROM unnest(
        $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::timestamptz[], $8::numeric[]
    ) AS new (alert_id, subscription_id, customer_id, period_start, period_end, next_threshold)
    ON CONFLICT (org_id, is_test, alert_id, subscription_id) DO UPDATE
    SET period_start = excluded.period_start, period_end = excluded.period_end,
        next_threshold = excluded.next_threshold
    WHERE (watch.period_start, watch.period_end, watch.next_threshold) IS DISTINCT FROM
        (excluded.period_start, excluded.period_end, excluded.next_threshold)
"""

DELETE_OF_ALERT = """
    DELETE FROM alert_watches WHERE org_id = $1 AND is_test = $2 AND alert_id = $3
"""

# Whose usage may have reached a threshold. The buckets of the days in which the period lies are at
# least what it has: no part of them that is left out can be more than `most`. Buckets that are not
# complete decide nothing, and what came late for an earlier period is looked at whatever it is.
# OFFSET 0 has the buckets of each customer looked up by their key.
SELECT_NEAR = """
    SELECT DISTINCT watch.subscription_id
    FROM unnest($3::uuid[], $4::text[], $5::timestamptz[])
        AS touched (customer_id, event_name, first_at)
    JOIN alert_watches AS watch ON watch.org_id = $1 AND watch.is_test = $2
        AND watch.customer_id = touched.customer_id
    JOIN alerts AS alert ON alert.org_id = $1 AND alert.is_test = $2 AND alert.id = watch.alert_id
        AND alert.type = 'usage_exceeded'
    JOIN metrics AS metric ON metric.org_id = $1 AND metric.is_test = $2
        AND metric.id = alert.metric_id AND metric.event_name = touched.event_name
    CROSS JOIN LATERAL (
        SELECT sum(bucket.event_count) AS event_count,
            sum(
                CASE WHEN bucket.number_min >= 0 THEN bucket.number_sum
                ELSE greatest(bucket.number_max, 0) * bucket.number_count END
            ) AS most,
            max(bucket.number_max) AS highest
        FROM (
            SELECT event_count, number_count, number_sum, number_min, number_max
            FROM usage_days
            WHERE org_id = $1 AND is_test = $2 AND customer_id = watch.customer_id
                AND metric_id = metric.id AND metric_version = metric.version
                AND day >= date_bin('1 day', watch.period_start, '2000-01-01 00:00Z')
                AND day < watch.period_end
            OFFSET 0
        ) AS bucket
    ) AS held
    WHERE touched.first_at < watch.period_start
        OR watch.next_threshold IS NOT NULL AND (
            metric.rollups_from > watch.period_start
            OR watch.next_threshold <= CASE
                WHEN metric.aggregation IN ('count', 'unique') THEN held.event_count
                WHEN metric.aggregation = 'sum' THEN held.most
                ELSE held.highest
            END
        )
"""

SELECT_COSTLY = """
    SELECT DISTINCT watch.subscription_id
    FROM alert_watches AS watch
    JOIN alerts AS alert ON alert.org_id = $1 AND alert.is_test = $2 AND alert.id = watch.alert_id
        AND alert.type = 'cost_exceeded'
    WHERE watch.org_id = $1 AND watch.is_test = $2 AND watch.customer_id = ANY ($3::uuid[])
        AND watch.next_threshold IS NOT NULL
"""

SELECT_SUBSCRIPTIONS = """
    SELECT id FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND status <> 'canceled' AND deleted_at IS NULL
        AND ($3::uuid IS NULL OR plan_id = $3) AND ($4::uuid IS NULL OR id = $4)
        AND ($5::uuid IS NULL OR customer_id = $5) AND ($6::uuid IS NULL OR id > $6)
    ORDER BY id
    LIMIT $7
"""

SELECT_WALLETS = """
    SELECT id FROM wallets
    WHERE org_id = $1 AND is_test = $2 AND ($6::text = '' OR currency = $6)
        AND ($7::uuid IS NULL OR id > $7) AND (
            customer_id = $5
            OR customer_id IN (
                SELECT customer_id FROM subscriptions
                WHERE org_id = $1 AND is_test = $2 AND status <> 'canceled'
                    AND deleted_at IS NULL AND (plan_id = $3 OR id = $4)
            )
        )
    ORDER BY id
    LIMIT $8
"""

# By which plans and subscriptions alerts may be of these wallets' customers.
SELECT_SCOPES_OF_CUSTOMERS = """
    SELECT id, customer_id, plan_id FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[])
        AND status <> 'canceled' AND deleted_at IS NULL
"""


class Watch(Struct, frozen=True):
    """What of a subscription can wait until its next threshold; None: all were reached."""

    alert_id: AlertId
    subscription_id: SubscriptionId
    customer_id: CustomerId
    period_start: datetime
    period_end: datetime
    next_threshold: Decimal | None


async def save(
    tx: Transaction,
    subscription_ids: Collection[SubscriptionId],
    types: Collection[AlertType],
    watches: Sequence[Watch],
) -> None:
    """Store the watches of these subscriptions by alerts of these types in place of others."""
    alert_ids = [one.alert_id for one in watches]
    ids = [one.subscription_id for one in watches]
    names = [one.value for one in types]
    await tx.execute(DELETE_OTHERS, list(subscription_ids), names, alert_ids, ids)
    if watches:
        await tx.execute(
            SAVE,
            alert_ids,
            ids,
            [one.customer_id for one in watches],
            [one.period_start for one in watches],
            [one.period_end for one in watches],
            [one.next_threshold for one in watches],
        )


async def forget(tx: Transaction, alert_id: AlertId) -> None:
    """Delete the watches of an alert."""
    await tx.execute(DELETE_OF_ALERT, alert_id)


async def near(tx: Transaction, touched: Sequence[TouchedUsage]) -> list[SubscriptionId]:
    """The subscriptions whose usage may have reached a threshold by what was folded."""
    rows = await tx.fetch(
        SELECT_NEAR,
        [one.customer_id for one in touched],
        [one.event_name for one in touched],
        [one.first_at for one in touched],
    )
    return [SubscriptionId(row["subscription_id"]) for row in rows]


async def costly(tx: Transaction, customer_ids: Collection[CustomerId]) -> list[SubscriptionId]:
    """These customers' subscriptions whose cost has a threshold to reach."""
    rows = await tx.fetch(SELECT_COSTLY, list(customer_ids))
    return [SubscriptionId(row["subscription_id"]) for row in rows]


async def list_subscriptions(
    tx: Transaction, alert: Alert, *, after: UUID | None, limit: int
) -> list[SubscriptionId]:
    """The next subscriptions in an alert's scope, by id."""
    rows = await tx.fetch(SELECT_SUBSCRIPTIONS, *_scope_ids(alert), after, limit)
    return [SubscriptionId(row["id"]) for row in rows]


async def list_wallets(
    tx: Transaction, alert: Alert, *, after: UUID | None, limit: int
) -> list[WalletId]:
    """The next wallets in an alert's scope, by id."""
    rows = await tx.fetch(SELECT_WALLETS, *_scope_ids(alert), alert.currency, after, limit)
    return [WalletId(row["id"]) for row in rows]


async def scopes_of(
    tx: Transaction, customer_ids: Collection[CustomerId]
) -> dict[CustomerId, set[UUID]]:
    """The customers' own ids, and those of their subscriptions and of the plans they are on."""
    found: dict[CustomerId, set[UUID]] = {one: {one} for one in customer_ids}
    for row in await tx.fetch(SELECT_SCOPES_OF_CUSTOMERS, list(found)):
        found[CustomerId(row["customer_id"])] |= {row["id"], row["plan_id"]}
    return found


def _scope_ids(alert: Alert) -> tuple[UUID | None, UUID | None, UUID | None]:
    """The id of the plan, the subscription or the customer; None for the other two."""
    plan, subscription, customer = (
        alert.scope_id if alert.scope is scope else None
        for scope in (AlertScope.PLAN, AlertScope.SUBSCRIPTION, AlertScope.CUSTOMER)
    )
    return plan, subscription, customer

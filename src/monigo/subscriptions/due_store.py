"""All SQL of what is due, whom a realtime charge concerns, and of the timelines.

`due_subscriptions` is a local table of ids: a function of the owner's tells whose work is due.
"""

from collections.abc import Sequence
from datetime import datetime

from monigo.core.ids import CustomerId, OrganizationId, SubscriptionId
from monigo.core.periods import Period
from monigo.infra.database import Connection, Tenant, Transaction
from monigo.subscriptions.types import Due, Happening, TimelineEntry

PUT_DUE = """
    INSERT INTO due_subscriptions (org_id, is_test, subscription_id, due_at, attempts)
    SELECT $1, $2, due.subscription_id, due.due_at, due.attempts
    FROM unnest($3::uuid[], $4::timestamptz[], $5::integer[])
        AS due (subscription_id, due_at, attempts)
    ORDER BY due.subscription_id
    ON CONFLICT (org_id, is_test, subscription_id)
        DO UPDATE SET due_at = excluded.due_at, attempts = excluded.attempts
"""

PUT_WAITING_DUE = """
    INSERT INTO due_subscriptions (org_id, is_test, subscription_id, due_at, attempts)
    SELECT $1, $2, id, $5, 0 FROM subscriptions
    WHERE org_id = $1 AND is_test = $2
        AND (
            customer_id = ANY ($3::uuid[]) AND pause_reason = 'insufficient_balance'
            OR id = ANY ($4::uuid[])
        )
    ORDER BY id
    ON CONFLICT (org_id, is_test, subscription_id)
        DO UPDATE SET due_at = excluded.due_at, attempts = 0
"""

DELETE_DUE = """
    DELETE FROM due_subscriptions
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = ANY ($3::uuid[])
"""

# Whoever else works on a slice keeps it; a crash gives it back.
CLAIM_DUE = """
    SELECT subscription_id, due_at, attempts FROM due_subscriptions
    WHERE org_id = $1 AND is_test = $2 AND due_at <= $3
        AND ($5::uuid[] = '{}' OR subscription_id = ANY ($5))
    ORDER BY due_at, subscription_id
    LIMIT $4
    FOR UPDATE SKIP LOCKED
"""

SELECT_NEXT_DUE = """
    SELECT min(due_at) FROM due_subscriptions WHERE org_id = $1 AND is_test = $2
"""

SELECT_TENANTS_WITH_DUE = "SELECT org_id, is_test FROM tenants_with_due_subscriptions($1)"

SELECT_ACTIVE_OF_CUSTOMERS = """
    SELECT id, customer_id FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[]) AND status = 'active'
"""

INSERT_TIMELINE = """
    INSERT INTO subscription_timeline (
        org_id, is_test, subscription_id, position, happened_at, happening, detail
    )
    SELECT $1, $2, $3, coalesce(max(position), 0) + 1, $4, $5, $6
    FROM subscription_timeline
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = $3
    RETURNING 1
"""

SELECT_TIMELINE = """
    SELECT happened_at, happening, detail FROM subscription_timeline
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = $3
    ORDER BY position
"""

# The closed periods in which something may have changed by a replay are looked at again. One that
# ended as it began has none.
RECHECK = """
    UPDATE subscriptions
    SET recheck_from = least(recheck_from, $3)
    WHERE org_id = $1 AND is_test = $2 AND start_date < $4
        AND closed_until > greatest(start_date, $3)
    RETURNING id, status = 'canceled' AS has_ended
"""


async def put_due(tx: Transaction, due: Sequence[Due]) -> None:
    """Note when something is to be done for subscriptions, instead of what was noted before."""
    await tx.execute(
        PUT_DUE,
        [item.subscription_id for item in due],
        [item.due_at for item in due],
        [item.attempts for item in due],
    )


async def put_waiting_due(
    tx: Transaction, customer_ids: Sequence[CustomerId], also: Sequence[SubscriptionId]
) -> None:
    """Make due now what waits for these customers' balances, and some others."""
    await tx.execute(PUT_WAITING_DUE, customer_ids, also, tx.now)


async def delete_due(tx: Transaction, subscription_ids: Sequence[SubscriptionId]) -> None:
    """Note that nothing is to be done for these."""
    await tx.execute(DELETE_DUE, subscription_ids)


async def claim_due(tx: Transaction, limit: int, only: Sequence[SubscriptionId]) -> list[Due]:
    """Some of what is due now, earliest first, held until the transaction ends.

    `only`, unless empty, are those to choose from.
    """
    rows = await tx.fetch(CLAIM_DUE, tx.now, limit, only)
    return [
        Due(SubscriptionId(row["subscription_id"]), row["due_at"], row["attempts"]) for row in rows
    ]


async def next_due_at(tx: Transaction) -> datetime | None:
    """When the tenant's next subscription is due."""
    return await tx.fetchval(SELECT_NEXT_DUE)


async def tenants_with_due(connection: Connection, now: datetime) -> list[Tenant]:
    """The tenants that have something due at `now`."""
    rows = await connection.fetch(SELECT_TENANTS_WITH_DUE, now)
    return [Tenant(OrganizationId(row["org_id"]), row["is_test"]) for row in rows]


async def list_active_of_customers(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> dict[SubscriptionId, CustomerId]:
    """The active subscriptions of these customers, each with its customer."""
    rows = await tx.fetch(SELECT_ACTIVE_OF_CUSTOMERS, customer_ids)
    return {SubscriptionId(row["id"]): CustomerId(row["customer_id"]) for row in rows}


async def append_to_timeline(
    tx: Transaction, subscription_id: SubscriptionId, happening: Happening, detail: str
) -> None:
    """Tell what happens to a locked or new subscription now."""
    await tx.execute(INSERT_TIMELINE, subscription_id, tx.now, happening.value, detail)


async def load_timeline(tx: Transaction, subscription_id: SubscriptionId) -> list[TimelineEntry]:
    """What happened to a subscription, in order."""
    rows = await tx.fetch(SELECT_TIMELINE, subscription_id)
    return [
        TimelineEntry(row["happened_at"], Happening(row["happening"]), row["detail"])
        for row in rows
    ]


async def mark_for_recheck(tx: Transaction, window: Period) -> list[SubscriptionId]:
    """Have closed periods that overlap a window looked at again; the ended ones among them."""
    rows = await tx.fetch(RECHECK, window.start, window.end)
    return [SubscriptionId(row["id"]) for row in rows if row["has_ended"]]

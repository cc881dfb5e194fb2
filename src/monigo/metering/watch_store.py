"""The SQL of watched customers: whose usage changed since it was last charged."""

from collections.abc import Sequence
from uuid import UUID

from monigo.core.ids import CustomerId, OrganizationId
from monigo.infra.database import Connection, Tenant, Transaction

WATCH = """
    INSERT INTO watched_customers (org_id, is_test, customer_id, changed_at, charged_at)
    VALUES ($1, $2, $3, $4, '-infinity')
    ON CONFLICT (org_id, is_test, customer_id) DO UPDATE SET changed_at = excluded.changed_at
"""

HAS_WATCHED = """
    SELECT EXISTS (SELECT 1 FROM watched_customers WHERE org_id = $1 AND is_test = $2)
"""

# Locked in one order, so that two folds which touch the same customers wait for each other.
NOTE_CHANGED = """
    WITH locked AS (
        SELECT customer_id FROM watched_customers
        WHERE org_id = $1 AND is_test = $2 AND customer_id IN (
            SELECT customer_id FROM usage_events
            WHERE org_id = $1 AND is_test = $2 AND batch_id = ANY ($3::uuid[])
        )
        ORDER BY customer_id
        FOR UPDATE
    )
    UPDATE watched_customers AS watched SET changed_at = $4
    FROM locked
    WHERE watched.org_id = $1 AND watched.is_test = $2
        AND watched.customer_id = locked.customer_id
"""

TAKE_CHANGED = """
    SELECT customer_id FROM watched_customers
    WHERE org_id = $1 AND is_test = $2 AND changed_at > charged_at
    ORDER BY customer_id
    LIMIT $3
    FOR UPDATE SKIP LOCKED
"""

NOTE_CHARGED = """
    UPDATE watched_customers SET charged_at = greatest(charged_at, $4)
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[])
"""

SELECT_TENANTS = "SELECT org_id, is_test FROM tenants_with_changed_customers()"


async def watch(tx: Transaction, customer_id: CustomerId) -> None:
    """Have a customer's changes of usage noted from now on; the present usage counts as one."""
    await tx.execute(WATCH, customer_id, tx.real_now)


async def note_changed(tx: Transaction, batch_ids: Sequence[UUID]) -> None:
    """Note that the usage of watched customers changed by these batches."""
    if await tx.fetchval(HAS_WATCHED):
        await tx.execute(NOTE_CHANGED, batch_ids, tx.real_now)


async def take_changed(tx: Transaction, limit: int) -> list[CustomerId]:
    """Some customers whose usage changed, held until the transaction ends."""
    return [CustomerId(row["customer_id"]) for row in await tx.fetch(TAKE_CHANGED, limit)]


async def note_charged(tx: Transaction, customer_ids: Sequence[CustomerId]) -> None:
    """Note that all that had changed before this transaction has been charged."""
    await tx.execute(NOTE_CHARGED, customer_ids, tx.real_now)


async def tenants_with_changes(connection: Connection) -> list[Tenant]:
    """The tenants with watched customers whose usage changed."""
    rows = await connection.fetch(SELECT_TENANTS)
    return [Tenant(OrganizationId(row["org_id"]), row["is_test"]) for row in rows]

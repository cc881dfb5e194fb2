"""The SQL of watched usage: of customers who are charged as it changes, and for watchers.

Customers in billing mode realtime are watched one by one; a watcher gets all batches of the tenant.
"""

from collections.abc import Sequence
from uuid import UUID

from monigo.core.ids import CustomerId
from monigo.infra.db import Transaction
from monigo.metering.rollup.types import TouchedUsage

WATCH = """
    INSERT INTO watched_customers (org_id, is_test, customer_id) VALUES ($1, $2, $3)
    ON CONFLICT (org_id, is_test, customer_id) DO NOTHING
"""

# In one statement, for most tenants have neither.
SELECT_WATCHING = """
    SELECT EXISTS (
            SELECT 1 FROM watched_customers WHERE org_id = $1 AND is_test = $2
        ) AS has_customers,
        ARRAY(
            SELECT watcher FROM usage_watchers WHERE org_id = $1 AND is_test = $2
        ) AS watchers
"""

ADD_WATCHER = """
    INSERT INTO usage_watchers (org_id, is_test, watcher) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING
"""

REMOVE_WATCHER = """
    DELETE FROM usage_watchers WHERE org_id = $1 AND is_test = $2 AND watcher = $3
"""

KEEP_BATCHES = """
    INSERT INTO watched_batches (org_id, is_test, watcher, batch_id)
    SELECT $1, $2, watcher, batch_id
    FROM unnest($3::text[]) AS known (watcher)
    CROSS JOIN unnest($4::uuid[]) AS folded (batch_id)
    ON CONFLICT DO NOTHING
"""

# What is taken is gone with the transaction that looked at it.
TAKE_TOUCHED = """
    WITH taken AS (
        DELETE FROM watched_batches
        WHERE org_id = $1 AND is_test = $2 AND watcher = $3 AND batch_id IN (
            SELECT batch_id FROM watched_batches
            WHERE org_id = $1 AND is_test = $2 AND watcher = $3
            ORDER BY batch_id
            LIMIT $4
            FOR UPDATE SKIP LOCKED
        )
        RETURNING batch_id
    )
    SELECT event.customer_id, event.event_name, min(event.occurred_at) AS first_at
    FROM usage_events AS event
    WHERE event.org_id = $1 AND event.is_test = $2
        AND event.batch_id IN (SELECT batch_id FROM taken)
    GROUP BY event.customer_id, event.event_name
"""

SELECT_WATCHED_OF = """
    SELECT customer_id FROM watched_customers
    WHERE org_id = $1 AND is_test = $2 AND customer_id IN (
        SELECT customer_id FROM usage_events
        WHERE org_id = $1 AND is_test = $2 AND batch_id = ANY ($3::uuid[])
    )
"""


async def watch(tx: Transaction, customer_id: CustomerId) -> None:
    """Watch a customer from now on."""
    await tx.execute(WATCH, customer_id)


async def list_watched_of(tx: Transaction, batch_ids: Sequence[UUID]) -> list[CustomerId]:
    """The watched customers of whom these batches have events."""
    return [CustomerId(row["customer_id"]) for row in await tx.fetch(SELECT_WATCHED_OF, batch_ids)]


async def watching(tx: Transaction) -> tuple[bool, list[str]]:
    """Whether any customer is watched; and who else wants to know of batches."""
    row = await tx.fetchrow(SELECT_WATCHING)
    return (row["has_customers"], row["watchers"]) if row else (False, [])


async def set_watcher(tx: Transaction, watcher: str, *, wanted: bool) -> None:
    """Keep batches for a watcher from now on, or not any more."""
    await tx.execute(ADD_WATCHER if wanted else REMOVE_WATCHER, watcher)


async def keep_batches(tx: Transaction, watchers: Sequence[str], batch_ids: Sequence[UUID]) -> None:
    """Keep folded batches for these watchers."""
    await tx.execute(KEEP_BATCHES, watchers, batch_ids)


async def take_touched(tx: Transaction, watcher: str, limit: int) -> list[TouchedUsage]:
    """Take a watcher's oldest batches; whose usage they changed. Empty where none is left."""
    return [
        TouchedUsage(CustomerId(row["customer_id"]), row["event_name"], row["first_at"])
        for row in await tx.fetch(TAKE_TOUCHED, watcher, limit)
    ]

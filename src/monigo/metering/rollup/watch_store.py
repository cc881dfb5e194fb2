"""The SQL of watched customers, whose usage is charged as it changes (billing mode realtime)."""

from collections.abc import Sequence
from uuid import UUID

from monigo.core.ids import CustomerId
from monigo.infra.db import Transaction

WATCH = """
    INSERT INTO watched_customers (org_id, is_test, customer_id) VALUES ($1, $2, $3)
    ON CONFLICT (org_id, is_test, customer_id) DO NOTHING
"""

HAS_WATCHED = """
    SELECT EXISTS (SELECT 1 FROM watched_customers WHERE org_id = $1 AND is_test = $2)
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
    if not await tx.fetchval(HAS_WATCHED):
        return []
    return [CustomerId(row["customer_id"]) for row in await tx.fetch(SELECT_WATCHED_OF, batch_ids)]

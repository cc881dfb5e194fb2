"""All SQL of billing events."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from monigo.core.paging import Page, PageRequest
from monigo.infra import json
from monigo.infra.db import Transaction
from monigo.webhooks.types import BillingEvent, EventType

INSERT = """
    INSERT INTO billing_events (org_id, is_test, id, type, data, created_at)
    SELECT $1, $2, event.id, event.type, event.data, event.created_at
    FROM unnest($3::uuid[], $4::text[], $5::jsonb[], $6::timestamptz[])
        AS event (id, type, data, created_at)
    RETURNING 1
"""

MATCHING = """
    FROM billing_events
    WHERE org_id = $1 AND is_test = $2 AND ($3::text IS NULL OR type = $3)
"""

# Ids rise with time.
SELECT_PAGE = f"""
    SELECT id, type, data::text AS data, created_at {MATCHING}
    ORDER BY id DESC
    LIMIT $4 OFFSET $5
"""

COUNT = f"SELECT count(*) {MATCHING}"

DELETE_BEFORE = """
    DELETE FROM billing_events WHERE org_id = $1 AND is_test = $2 AND created_at < $3
"""

SELECT_MISSING = """
    SELECT known.id FROM unnest($3::uuid[]) AS known (id)
    WHERE NOT EXISTS (
        SELECT 1 FROM billing_events
        WHERE org_id = $1 AND is_test = $2 AND billing_events.id = known.id
    )
    ORDER BY known.id
"""


async def insert(tx: Transaction, events: Sequence[BillingEvent]) -> None:
    """Store events."""
    await tx.fetch(
        INSERT,
        [event.id for event in events],
        [event.type.value for event in events],
        [json.encode(event.data) for event in events],
        [event.created_at for event in events],
    )


async def load_page(
    tx: Transaction, request: PageRequest, event_type: EventType | None
) -> Page[BillingEvent]:
    """Events that match, newest first."""
    name = event_type and event_type.value
    found = [
        BillingEvent(row["id"], EventType(row["type"]), json.decode(row["data"]), row["created_at"])
        async for rows in tx.pieces(SELECT_PAGE, name, request.limit, request.offset)
        for row in rows
    ]
    return Page(found, await tx.fetchval(COUNT, name), request.offset)


async def delete_before(tx: Transaction, instant: datetime) -> None:
    """Delete events older than an instant."""
    await tx.execute(DELETE_BEFORE, instant)


async def list_missing(tx: Transaction, ids: Sequence[UUID]) -> list[UUID]:
    """Those of the ids that no event has."""
    return [row["id"] for row in await tx.fetch(SELECT_MISSING, ids)]

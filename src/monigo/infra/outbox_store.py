"""The SQL of the outbox."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from monigo.core.paging import PageRequest
from monigo.infra import json
from monigo.infra.database import Transaction
from monigo.infra.ids import new_id

INSERT = """
    INSERT INTO outbox_events (org_id, is_test, id, type, data, created_at)
    SELECT $1, $2, event.id, event.type, event.data, $6
    FROM unnest($3::uuid[], $4::text[], $5::jsonb[]) AS event (id, type, data)
    RETURNING 1
"""

MATCHING = """
    FROM outbox_events
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
    DELETE FROM outbox_events WHERE org_id = $1 AND is_test = $2 AND created_at < $3
"""


async def insert(tx: Transaction, events: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Store events, in their order."""
    await tx.execute(
        INSERT,
        [new_id() for _ in events],
        [name for name, _ in events],
        [json.encode(data) for _, data in events],
        tx.now,
    )


async def load_page(
    tx: Transaction, request: PageRequest, name: str | None
) -> tuple[list[tuple[UUID, str, Any, datetime]], int]:
    """Events that match, newest first, and how many there are in all."""
    found = [
        (row["id"], row["type"], json.decode(row["data"]), row["created_at"])
        async for rows in tx.pieces(SELECT_PAGE, name, request.limit, request.offset)
        for row in rows
    ]
    return found, await tx.fetchval(COUNT, name)


async def delete_before(tx: Transaction, instant: datetime) -> None:
    """Delete events older than an instant."""
    await tx.execute(DELETE_BEFORE, instant)

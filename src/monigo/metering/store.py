"""All SQL of usage events."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec
from asyncpg.pgproto import pgproto

from monigo.core.ids import CustomerId
from monigo.infra.database import Transaction
from monigo.metering.types import Event

# The arrays come sorted by hash, so that overlapping batches take row locks in one order.
# The batch that the fold will find counts what was new.
INSERT_EVENTS = """
    WITH inserted AS (
        INSERT INTO usage_events (
            org_id, is_test, batch_id, received_at, dedup, idempotency_key, customer_id,
            event_name, occurred_at, properties
        )
        SELECT $1, $2, $3, $4, event.dedup, event.idempotency_key, event.customer_id,
            event.event_name, event.occurred_at, event.properties
        FROM unnest(
            $5::uuid[], $6::text[], $7::uuid[], $8::text[], $9::timestamptz[], $10::jsonb[]
        ) AS event (dedup, idempotency_key, customer_id, event_name, occurred_at, properties)
        ON CONFLICT (org_id, dedup) DO NOTHING
        RETURNING 1
    )
    INSERT INTO unfolded_batches (org_id, is_test, batch_id, event_count, received_at)
    SELECT $1, $2, $3, count(*), $4 FROM inserted HAVING count(*) > 0
    RETURNING event_count
"""

SELECT_STORED = """
    SELECT dedup FROM usage_events WHERE org_id = $1 AND is_test = $2 AND batch_id = $3
"""


@dataclass(slots=True)
class EventColumns:
    """Valid events, column by column, as they are sent to the database."""

    hashes: list[bytes] = field(default_factory=list[bytes])
    events: list[Event] = field(default_factory=list[Event])
    customer_ids: list[CustomerId] = field(default_factory=list[CustomerId])
    times: list[datetime] = field(default_factory=list[datetime])


async def insert_events(tx: Transaction, rows: EventColumns, *, batch_id: UUID) -> set[bytes]:
    """Store events as one batch; the hashes of those that were new, each once."""
    order = _first_of_each(rows.hashes)
    events = rows.events
    count = await tx.fetchval(
        INSERT_EVENTS,
        batch_id,
        tx.real_now,
        [pgproto.UUID(rows.hashes[at]) for at in order],
        [events[at].idempotency_key for at in order],
        [rows.customer_ids[at] for at in order],
        [events[at].event_name for at in order],
        [rows.times[at] for at in order],
        [_json_text(events[at].properties) for at in order],
    )
    if count is None:
        return set()
    if count == len(order):
        return set(rows.hashes)
    return {row["dedup"].bytes for row in await tx.fetch(SELECT_STORED, batch_id)}


def _first_of_each(hashes: Sequence[bytes]) -> list[int]:
    """The positions of the first event with each hash, sorted by the hash."""
    # Filled from behind, so that the first one stays.
    first = dict(zip(reversed(hashes), range(len(hashes) - 1, -1, -1), strict=True))
    return [first[dedup] for dedup in sorted(first)]


def _json_text(properties: msgspec.Raw) -> str:
    text = bytes(properties).decode()
    return "{}" if text == "null" else text

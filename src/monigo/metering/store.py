"""All SQL of usage events."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from uuid import UUID

from asyncpg.pgproto import pgproto

from monigo.core.errors import ensure
from monigo.core.ids import CustomerId
from monigo.infra.db import Transaction
from monigo.metering.types import Event

# What is sent for the events, column by column; texts are joined, because the driver encodes an
# array's elements one by one. They come sorted by hash, so that overlapping batches take row locks
# in one order.
_INSERT = """
        INSERT INTO usage_events (
            org_id, is_test, batch_id, received_at, dedup, idempotency_key, customer_id,
            event_name, occurred_at, properties
        )
        SELECT $1, $2, $3, $4, event.dedup, event.idempotency_key, event.customer_id,
            event.event_name, event.occurred_at::timestamptz, event.properties::jsonb
        FROM ROWS FROM (
            unnest($5::uuid[]), unnest($6::uuid[]), string_to_table($7, $11),
            string_to_table($8, $11), string_to_table($9, $11), string_to_table($10, $11)
        ) AS event (
            dedup, customer_id, idempotency_key, event_name, occurred_at, properties
        )
"""

# Fails where any of the events is a repeat.
INSERT_NEW_EVENTS = f"""
    WITH batch AS (
        INSERT INTO unfolded_batches (org_id, is_test, batch_id, event_count, received_at)
        VALUES ($1, $2, $3, $12, $4)
    )
    {_INSERT}
    RETURNING 1
"""

# The batch that the fold will find counts what was new.
INSERT_EVENTS = f"""
    WITH inserted AS (
        {_INSERT}
        ON CONFLICT (org_id, dedup) DO NOTHING
        RETURNING 1
    )
    INSERT INTO unfolded_batches (org_id, is_test, batch_id, event_count, received_at)
    SELECT $1, $2, $3, count(*), $4 FROM inserted HAVING count(*) > 0
    RETURNING event_count
"""

# Between the joined texts. Where one holds it, an unguessable separator takes its place.
SEPARATOR = "\x1f"
UNGUESSABLE_BYTES = 16

SELECT_STORED = """
    SELECT dedup FROM usage_events WHERE org_id = $1 AND is_test = $2 AND batch_id = $3
"""


@dataclass(slots=True)
class EventColumns:
    """Valid events, column by column, as they are sent to the database."""

    hashes: list[bytes] = field(default_factory=list[bytes])
    events: list[Event] = field(default_factory=list[Event])
    customer_ids: list[CustomerId] = field(default_factory=list[CustomerId])
    times: list[str] = field(default_factory=list[str])


async def insert_new_events(tx: Transaction, rows: EventColumns, *, batch_id: UUID) -> set[bytes]:
    """Store events as one batch, which costs a third less if none was stored before; their hashes.

    Raises:
        UniqueViolationError: one was; the transaction has failed.
    """
    order = _first_of_each(rows.hashes)
    tag = await tx.execute(
        INSERT_NEW_EVENTS, batch_id, tx.real_now, *_in_order(rows, order), len(order)
    )
    ensure(tag == f"INSERT 0 {len(order)}", "a batch counts what it stored")
    return set(rows.hashes)


async def insert_events(tx: Transaction, rows: EventColumns, *, batch_id: UUID) -> set[bytes]:
    """Store events as one batch; the hashes of those that were new, each once."""
    order = _first_of_each(rows.hashes)
    count = await tx.fetchval(INSERT_EVENTS, batch_id, tx.real_now, *_in_order(rows, order))
    if count is None:
        return set()
    if count == len(order):
        return set(rows.hashes)
    return {row["dedup"].bytes for row in await tx.fetch(SELECT_STORED, batch_id)}


def _in_order(rows: EventColumns, order: Sequence[int]) -> tuple[object, ...]:
    """The arguments that hold the columns of the events at these positions."""
    events = [rows.events[at] for at in order]
    times = [rows.times[at] for at in order]
    separator = SEPARATOR
    joined = _joined(events, times, separator)
    while any(text.count(separator) != len(order) - 1 for text in joined):
        separator = token_hex(UNGUESSABLE_BYTES)
        joined = _joined(events, times, separator)
    return (
        [pgproto.UUID(rows.hashes[at]) for at in order],
        [rows.customer_ids[at] for at in order],
        *joined,
        separator,
    )


def _joined(events: Sequence[Event], times: Sequence[str], separator: str) -> list[str]:
    return [
        separator.join([event.idempotency_key for event in events]),
        separator.join([event.event_name for event in events]),
        separator.join(times),
        # Bytes yet, which join without becoming a text each.
        separator.encode().join([event.properties for event in events]).decode(),
    ]


def _first_of_each(hashes: Sequence[bytes]) -> list[int]:
    """The positions of the first event with each hash, sorted by the hash."""
    # Filled from behind, so that the first one stays.
    first = dict(zip(reversed(hashes), range(len(hashes) - 1, -1, -1), strict=True))
    return [first[dedup] for dedup in sorted(first)]

"""The SQL that reads stored events, a bounded number of them at a time.

Events of one customer are read by their own time, on the index of customer and time. Events of all
customers are read in the order in which they arrived, batch by batch (a batch's id is a UUIDv7), on
the index that folding uses: a further index by time would slow down every ingestion.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
from msgspec import Struct

from monigo.core.ids import CustomerId
from monigo.infra.db import Transaction
from monigo.metering.explorer.types import StoredEvent

# What one statement may look at, most of which a filter may leave out: about a second's work.
EXAMINED_MAX = 100_000
# A sample of an event's properties: enough to find also those that are seldom set.
SAMPLE_MAX = 1_000
# More names than any form can offer.
KEYS_MAX = 1_000

FIRST_INSTANT = datetime(1, 1, 1, tzinfo=UTC)
LAST_INSTANT = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
FIRST_ID, LAST_ID = UUID(int=0), UUID(int=2**128 - 1)
_TICK = timedelta(microseconds=1)

COLUMNS = """
    dedup, batch_id, idempotency_key, customer_id, event_name, occurred_at, properties, received_at
"""

BY_TIME_DOWN = "ORDER BY occurred_at DESC, dedup DESC"
BY_TIME_UP = "ORDER BY occurred_at, dedup"
BY_ARRIVAL_DOWN = "ORDER BY batch_id DESC, dedup DESC"
BY_ARRIVAL_UP = "ORDER BY batch_id, dedup"

# The bounds are narrowed to the position ($3, $4), so that the index leads straight to it.
OF_CUSTOMER_DOWN = f"""
    SELECT {COLUMNS} FROM usage_events
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $5 AND occurred_at >= $6
        AND occurred_at < $7 AND (occurred_at, dedup) < ($3::timestamptz, $4::uuid)
    {BY_TIME_DOWN}
    LIMIT {EXAMINED_MAX}
"""

OF_CUSTOMER_UP = f"""
    SELECT {COLUMNS} FROM usage_events
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $5 AND occurred_at >= $6
        AND occurred_at < $7 AND (occurred_at, dedup) > ($3::timestamptz, $4::uuid)
    {BY_TIME_UP}
    LIMIT {EXAMINED_MAX}
"""

OF_ALL_DOWN = f"""
    SELECT {COLUMNS} FROM usage_events
    WHERE org_id = $1 AND is_test = $2 AND batch_id <= $3::uuid
        AND (batch_id, dedup) < ($3::uuid, $4::uuid)
    {BY_ARRIVAL_DOWN}
    LIMIT {EXAMINED_MAX}
"""

OF_ALL_UP = f"""
    SELECT {COLUMNS} FROM usage_events
    WHERE org_id = $1 AND is_test = $2 AND batch_id >= $3::uuid
        AND (batch_id, dedup) > ($3::uuid, $4::uuid)
    {BY_ARRIVAL_UP}
    LIMIT {EXAMINED_MAX}
"""

READ_OF_CUSTOMER = """
    SELECT {columns} FROM ({examined}) AS examined
    WHERE ($8::text IS NULL OR event_name = $8)
    {order}
    LIMIT $9 OFFSET $10
"""

READ_OF_ALL = """
    SELECT {columns} FROM ({examined}) AS examined
    WHERE occurred_at >= $5 AND occurred_at < $6 AND ($7::text IS NULL OR event_name = $7)
    {order}
    LIMIT $8 OFFSET $9
"""

LAST_EXAMINED = """
    SELECT {columns} FROM ({examined}) AS examined
    {order}
    LIMIT 1 OFFSET {skipped}
"""

SELECT_PROPERTY_KEYS = f"""
    SELECT DISTINCT key
    FROM (
        SELECT properties
        FROM (
            SELECT event_name, properties FROM usage_events
            WHERE org_id = $1 AND is_test = $2
            ORDER BY batch_id DESC
            LIMIT {EXAMINED_MAX}
        ) AS recent
        WHERE event_name = $3
        LIMIT {SAMPLE_MAX}
    ) AS sample, jsonb_object_keys(sample.properties) AS key
    ORDER BY key
    LIMIT {KEYS_MAX}
"""


class Position(Struct, frozen=True):
    """A position right behind an event: its time, or the batch that it came in, and its hash."""

    key: datetime | UUID
    dedup: UUID


class Walk(Struct, frozen=True):
    """Which events to go through, and which way: a customer's by time, all by arrival."""

    customer_id: CustomerId | None
    event_name: str | None
    start: datetime
    end: datetime
    newest_first: bool

    @property
    def is_by_arrival(self) -> bool:
        """Whether the order is that of arrival."""
        return self.customer_id is None

    def behind(self, event: StoredEvent) -> Position:
        """The position from which the walk goes on after an event."""
        return Position(event.batch_id if self.is_by_arrival else event.occurred_at, event.id)


def _statement(walk: Walk, template: str) -> str:
    examined, order = {
        (False, True): (OF_CUSTOMER_DOWN, BY_TIME_DOWN),
        (False, False): (OF_CUSTOMER_UP, BY_TIME_UP),
        (True, True): (OF_ALL_DOWN, BY_ARRIVAL_DOWN),
        (True, False): (OF_ALL_UP, BY_ARRIVAL_UP),
    }[walk.is_by_arrival, walk.newest_first]
    return template.format(
        columns=COLUMNS, examined=examined, order=order, skipped=EXAMINED_MAX - 1
    )


async def read(
    tx: Transaction, walk: Walk, after: Position | None, *, limit: int, offset: int
) -> list[StoredEvent]:
    """The next events of a walk that match, among those that one statement looks at."""
    bounds = (walk.start, walk.end) if walk.is_by_arrival else ()
    rows = await tx.fetch(
        _statement(walk, READ_OF_ALL if walk.is_by_arrival else READ_OF_CUSTOMER),
        *_position_arguments(walk, after),
        *bounds,
        walk.event_name,
        limit,
        offset,
    )
    return [_event(row) for row in rows]


async def last_examined(tx: Transaction, walk: Walk, after: Position | None) -> StoredEvent | None:
    """The last event that `read` looks at, matching or not; None if it reads up to the end."""
    row = await tx.fetchrow(_statement(walk, LAST_EXAMINED), *_position_arguments(walk, after))
    return None if row is None else _event(row)


async def property_keys(tx: Transaction, event_name: str) -> list[str]:
    """The names of properties in a sample of the events that came last."""
    return [row["key"] for row in await tx.fetch(SELECT_PROPERTY_KEYS, event_name)]


def _position_arguments(walk: Walk, after: Position | None) -> Sequence[object]:
    start, end = walk.start, walk.end
    if walk.is_by_arrival:
        after = after or Position(
            *((LAST_ID, LAST_ID) if walk.newest_first else (FIRST_ID, FIRST_ID))
        )
        return (after.key, after.dedup)
    if after is None:
        after = (
            Position(LAST_INSTANT, LAST_ID)
            if walk.newest_first
            else Position(FIRST_INSTANT, FIRST_ID)
        )
    elif isinstance(after.key, datetime):
        if not walk.newest_first:
            start = max(start, after.key)
        elif after.key < end:
            end = after.key + _TICK
    return (after.key, after.dedup, walk.customer_id, start, end)


def _event(row: asyncpg.Record) -> StoredEvent:
    return StoredEvent(
        id=UUID(int=row["dedup"].int),
        batch_id=UUID(int=row["batch_id"].int),
        idempotency_key=row["idempotency_key"],
        customer_id=CustomerId(row["customer_id"]),
        event_name=row["event_name"],
        occurred_at=row["occurred_at"],
        properties=row["properties"],
        received_at=row["received_at"],
    )

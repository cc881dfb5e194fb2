"""All SQL of usage events."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from uuid import UUID

from monigo.core.errors import ensure
from monigo.core.ids import ApiKeyId, CustomerId
from monigo.infra.db import Argument, Database
from monigo.metering.ingest.basis import Basis
from monigo.metering.ingest.types import Event

# Whether what is known of the tenant still holds: nothing that it rests on has changed.
_STILL_HOLDS = """
    (
        SELECT count(*)
        FROM ROWS FROM (
            unnest($13::uuid[]), unnest($14::timestamptz[]), string_to_table($15, ',')
        ) AS known (id, expires_at, scopes)
        JOIN api_keys AS key ON key.id = known.id
            AND coalesce(key.expires_at, 'infinity') = known.expires_at
            AND array_to_string(key.scopes, ' ') = known.scopes
        WHERE key.org_id = $1 AND key.id = ANY ($13) AND key.is_test_mode = $2
            AND key.revoked_at IS NULL AND key.disabled_at IS NULL
    ) = cardinality($13)
    AND (SELECT suspended_at IS NULL FROM organizations WHERE org_id = $1)
    AND coalesce((
        SELECT version FROM customer_changes WHERE org_id = $1 AND is_test = $2
    ), 0) = $16
    AND (NOT $2 OR (
        coalesce((SELECT resets FROM test_clocks WHERE org_id = $1), 0) = $17
        AND (SELECT now_at FROM test_clocks WHERE org_id = $1) IS NOT DISTINCT FROM $18
    ))
"""

# What is sent for the events, column by column; texts are joined, because the database takes an
# array's elements apart one by one. They come sorted by hash, so that overlapping batches take row
# locks in one order.
_INSERT = """
        INSERT INTO usage_events (
            org_id, is_test, batch_id, received_at, dedup, idempotency_key, customer_id,
            event_name, occurred_at, properties
        )
        SELECT $1, $2, $3, $4, event.dedup, event.idempotency_key, event.customer_id,
            event.event_name, event.occurred_at::timestamptz, event.properties::jsonb
        FROM basis
        CROSS JOIN ROWS FROM (
            unnest($5::uuid[]), unnest($6::uuid[]), string_to_table($7, $11),
            string_to_table($8, $11), string_to_table($9, $11), string_to_table($10, $11)
        ) AS event (
            dedup, customer_id, idempotency_key, event_name, occurred_at, properties
        )
"""

# Fails where any of the events is a repeat.
INSERT_NEW_EVENTS = f"""
    WITH basis AS MATERIALIZED (
        SELECT 1 WHERE {_STILL_HOLDS}
    ), batch AS (
        INSERT INTO unfolded_batches (org_id, is_test, batch_id, event_count, received_at)
        SELECT $1, $2, $3, $12, $4 FROM basis
        RETURNING 1
    )
    {_INSERT}
"""

# The batch, which the fold reads, counts the new events. Where some were repeats the result has the
# new ones' hashes, joined; where the basis has changed it is empty.
INSERT_EVENTS = f"""
    WITH basis AS MATERIALIZED (
        SELECT 1 WHERE {_STILL_HOLDS}
    ), inserted AS (
        {_INSERT}
        ON CONFLICT (org_id, dedup) DO NOTHING
        RETURNING dedup
    ), batch AS (
        INSERT INTO unfolded_batches (org_id, is_test, batch_id, event_count, received_at)
        SELECT $1, $2, $3, count(*), $4 FROM inserted HAVING count(*) > 0
        RETURNING 1
    )
    SELECT count(*) AS new_events,
        CASE WHEN count(*) < $12 THEN encode(string_agg(uuid_send(dedup), ''), 'hex') END
    FROM inserted
    HAVING EXISTS (SELECT 1 FROM basis)
"""

# Between the joined texts. Where one holds it, an unguessable separator takes its place.
SEPARATOR = "\x1f"
UNGUESSABLE_BYTES = 16
HASH_BYTES = 16


@dataclass(slots=True)
class EventColumns:
    """Valid events, column by column, as they are sent to the database, and their keys."""

    hashes: list[bytes] = field(default_factory=list[bytes])
    events: list[Event] = field(default_factory=list[Event])
    customer_ids: list[CustomerId] = field(default_factory=list[CustomerId])
    times: list[str] = field(default_factory=list[str])
    api_key_ids: set[ApiKeyId] = field(default_factory=set[ApiKeyId])


async def insert_new_events(
    database: Database, basis: Basis, rows: EventColumns, *, batch_id: UUID, received_at: datetime
) -> set[bytes] | None:
    """Store events as one batch, which costs a third less if none was stored before; their hashes.

    None where nothing was stored, because the basis no longer holds.

    Raises:
        UniqueViolationError: one was stored before; nothing was stored now.
    """
    order = _first_of_each(rows.hashes)
    arguments = _arguments(basis, rows, order, batch_id, received_at)
    answer = await database.at_once(basis.tenant, INSERT_NEW_EVENTS, *arguments)
    if answer.tag == "INSERT 0 0":
        return None
    ensure(answer.tag == f"INSERT 0 {len(order)}", "a batch counts what it stored")
    return set(rows.hashes)


async def insert_events(
    database: Database, basis: Basis, rows: EventColumns, *, batch_id: UUID, received_at: datetime
) -> set[bytes] | None:
    """Store events as one batch; the hashes of those that were new, each once.

    None where nothing was stored, because the basis no longer holds.
    """
    order = _first_of_each(rows.hashes)
    arguments = _arguments(basis, rows, order, batch_id, received_at)
    answer = await database.at_once(basis.tenant, INSERT_EVENTS, *arguments)
    if not answer.rows:
        return None
    ((count, new),) = answer.rows
    if count == str(len(order)):
        return set(rows.hashes)
    joined = bytes.fromhex(new or "")
    return {joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)}


def _arguments(
    basis: Basis,
    rows: EventColumns,
    order: Sequence[int],
    batch_id: UUID,
    received_at: datetime,
) -> tuple[Argument, ...]:
    """The arguments for the events at these positions, and what they are stored on."""
    keys = [basis.keys[api_key_id] for api_key_id in rows.api_key_ids]
    return (
        Argument.uuid(batch_id),
        Argument.instant(received_at),
        Argument.uuids([rows.hashes[at] for at in order]),
        Argument.uuids([rows.customer_ids[at].bytes for at in order]),
        *_texts(rows, order),
        Argument.integer(len(order)),
        Argument.uuids([key.id.bytes for key in keys]),
        Argument.instants([key.expires_at for key in keys]),
        Argument.text(",".join([" ".join(key.scopes) for key in keys]).encode()),
        Argument.integer(basis.customers_version),
        Argument.integer(basis.resets),
        Argument.instant(basis.test_now),
    )


def _texts(rows: EventColumns, order: Sequence[int]) -> list[Argument]:
    """The text columns of the events at these positions, joined, and what joins them."""
    events = [rows.events[at] for at in order]
    times = [rows.times[at] for at in order]
    separator = SEPARATOR
    joined = _joined(events, times, separator)
    while any(column.count(separator.encode()) != len(order) - 1 for column in joined):
        separator = token_hex(UNGUESSABLE_BYTES)
        joined = _joined(events, times, separator)
    return [Argument.text(column) for column in (*joined, separator.encode())]


def _joined(events: Sequence[Event], times: Sequence[str], separator: str) -> list[bytes]:
    return [
        separator.join([event.idempotency_key for event in events]).encode(),
        separator.join([event.event_name for event in events]).encode(),
        separator.join(times).encode(),
        # Bytes yet, which join without becoming a text each.
        separator.encode().join([event.properties for event in events]),
    ]


def _first_of_each(hashes: Sequence[bytes]) -> list[int]:
    """The positions of the first event with each hash, sorted by the hash."""
    # Filled from behind, so that the first one stays.
    first = dict(zip(reversed(hashes), range(len(hashes) - 1, -1, -1), strict=True))
    return [first[dedup] for dedup in sorted(first)]

"""All SQL of the calls that were made with connections' keys."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from monigo.core.ids import ConnectionId, ProviderCallId
from monigo.core.paging import Page, PageRequest
from monigo.infra.db import Transaction
from monigo.payments.connections.types import ProviderCall

INSERT_CALLS = """
    INSERT INTO provider_calls (
        org_id, is_test, id, connection_id, verb, method, path, reference, status, fault,
        milliseconds, sent, received, called_at
    )
    SELECT $1, $2, call.id, $3, call.verb, call.method, call.path, call.reference, call.status,
        call.fault, call.milliseconds, call.sent, call.received, $14
    FROM unnest(
        $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::integer[], $10::text[],
        $11::integer[], $12::text[], $13::text[]
    ) AS call (
        id, verb, method, path, reference, status, fault, milliseconds, sent, received
    )
    RETURNING 1
"""

SELECT_CALLS = """
    SELECT id, connection_id, verb, method, path, reference, status, fault, milliseconds, sent,
        received, called_at
    FROM provider_calls
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3
    ORDER BY id DESC
    LIMIT $4 OFFSET $5
"""

COUNT_CALLS = """
    SELECT count(*) FROM provider_calls
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3
"""

DELETE_CALLS_BEFORE = """
    DELETE FROM provider_calls WHERE org_id = $1 AND is_test = $2 AND called_at < $3
"""


async def insert_calls(
    tx: Transaction, connection_id: ConnectionId, calls: Sequence[ProviderCall]
) -> None:
    """Store calls, all of them made just now."""
    names = ("verb", "method", "path", "reference", "status", "fault", "milliseconds")
    columns = [
        [getattr(call, name) for call in calls] for name in ("id", *names, "sent", "received")
    ]
    await tx.fetch(INSERT_CALLS, connection_id, *columns, tx.real_now)


async def list_calls(
    tx: Transaction, connection_id: ConnectionId, request: PageRequest
) -> Page[ProviderCall]:
    """A connection's calls of the transaction's mode, newest first."""
    pages = tx.pieces(SELECT_CALLS, connection_id, request.limit, request.offset)
    found = [_call(row) async for rows in pages for row in rows]
    return Page(found, await tx.fetchval(COUNT_CALLS, connection_id), request.offset)


async def delete_calls_before(tx: Transaction, instant: datetime) -> None:
    """Delete older calls."""
    await tx.execute(DELETE_CALLS_BEFORE, instant)


def _call(row: asyncpg.Record) -> ProviderCall:
    values = dict(row)
    call_id, connection_id = values.pop("id"), values.pop("connection_id")
    return ProviderCall(
        id=ProviderCallId(call_id), connection_id=ConnectionId(connection_id), **values
    )

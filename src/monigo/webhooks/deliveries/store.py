"""All SQL of deliveries and their attempts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.core.ids import WebhookDeliveryId, WebhookEndpointId
from monigo.core.paging import Page, PageRequest
from monigo.infra import json
from monigo.infra.db import Transaction
from monigo.webhooks.deliveries.types import Attempt, Delivery, DeliveryStatus, Letter, Outcome

COLUMNS = """
    delivery.id, delivery.endpoint_id, delivery.event_id, delivery.event_type, delivery.body,
    delivery.retry_of, delivery.status, delivery.attempts, delivery.next_attempt_at,
    delivery.created_at, delivery.ended_at
"""

ATTEMPT = """
    attempt.number, attempt.url, attempt.request_headers::text AS request_headers,
    attempt.response_status, attempt.response_body, attempt.error, attempt.duration_ms,
    attempt.attempted_at
"""

# An event goes to an endpoint once, however often it is handled.
INSERT = """
    INSERT INTO webhook_deliveries (
        org_id, is_test, id, endpoint_id, event_id, event_type, body, retry_of, status, attempts,
        next_attempt_at, created_at
    )
    SELECT $1, $2, made.id, made.endpoint_id, made.event_id, made.event_type, made.body,
        made.retry_of, 'pending', 0, $9, $9
    FROM unnest(
        $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::uuid[]
    ) AS made (id, endpoint_id, event_id, event_type, body, retry_of)
    ON CONFLICT (org_id, is_test, endpoint_id, event_id) WHERE retry_of IS NULL DO NOTHING
"""

# The index has each endpoint's in this order.
SELECT_DUE = """
    SELECT due.id, due.endpoint_id, due.event_id, due.body, due.attempts
    FROM unnest($3::uuid[]) AS claimed (endpoint_id)
    CROSS JOIN LATERAL (
        SELECT id, endpoint_id, event_id, body, attempts FROM webhook_deliveries AS delivery
        WHERE delivery.org_id = $1 AND delivery.is_test = $2
            AND delivery.endpoint_id = claimed.endpoint_id AND delivery.status = 'pending'
            AND delivery.next_attempt_at <= $4
        ORDER BY next_attempt_at, id
        LIMIT $5
    ) AS due
"""

SELECT_NEXT = """
    SELECT claimed.endpoint_id, next.next_attempt_at
    FROM unnest($3::uuid[]) AS claimed (endpoint_id)
    CROSS JOIN LATERAL (
        SELECT next_attempt_at FROM webhook_deliveries AS delivery
        WHERE delivery.org_id = $1 AND delivery.is_test = $2
            AND delivery.endpoint_id = claimed.endpoint_id AND delivery.status = 'pending'
        ORDER BY next_attempt_at
        LIMIT 1
    ) AS next
"""

# What somebody else recorded meanwhile, after a claim was lost, stays as it is.
INSERT_ATTEMPTS = """
    INSERT INTO webhook_attempts (
        org_id, is_test, delivery_id, number, url, request_headers, response_status, response_body,
        error, duration_ms, attempted_at
    )
    SELECT $1, $2, made.delivery_id, made.number, made.url, made.request_headers::jsonb,
        made.response_status, made.response_body, made.error, made.duration_ms, made.attempted_at
    FROM unnest(
        $3::uuid[], $4::integer[], $5::text[], $6::text[], $7::integer[], $8::text[], $9::text[],
        $10::integer[], $11::timestamptz[]
    ) AS made (
        delivery_id, number, url, request_headers, response_status, response_body, error,
        duration_ms, attempted_at
    )
    ON CONFLICT (org_id, is_test, delivery_id, number) DO NOTHING
"""

UPDATE = """
    UPDATE webhook_deliveries AS delivery
    SET status = made.status, attempts = made.number, next_attempt_at = made.next_attempt_at,
        ended_at = CASE WHEN made.next_attempt_at IS NULL THEN $7::timestamptz END
    FROM unnest($3::uuid[], $4::integer[], $5::text[], $6::timestamptz[])
        AS made (id, number, status, next_attempt_at)
    WHERE delivery.org_id = $1 AND delivery.is_test = $2 AND delivery.id = made.id
        AND delivery.status = 'pending' AND delivery.attempts = made.number - 1
"""

BRING_FORWARD = """
    UPDATE webhook_deliveries SET next_attempt_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND status = 'pending'
    RETURNING id
"""

# Of endpoints that get no more events.
GIVE_UP = """
    UPDATE webhook_deliveries
    SET status = 'failed', next_attempt_at = NULL, ended_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = ANY (ARRAY (
        SELECT id FROM webhook_deliveries
        WHERE org_id = $1 AND is_test = $2 AND endpoint_id = ANY ($3::uuid[])
            AND status = 'pending' AND next_attempt_at <= $4
        LIMIT $5
        FOR UPDATE
    ))
"""

SELECT_ONE = f"""
    SELECT {COLUMNS} FROM webhook_deliveries AS delivery
    WHERE delivery.org_id = $1 AND delivery.is_test = $2 AND delivery.id = $3
"""

SELECT_ATTEMPTS = f"""
    SELECT {ATTEMPT} FROM webhook_attempts AS attempt
    WHERE attempt.org_id = $1 AND attempt.is_test = $2 AND attempt.delivery_id = $3
    ORDER BY attempt.number
"""

# Ids rise with time. A list shows the last attempt of each.
SELECT_PAGE = f"""
    SELECT {COLUMNS}, {ATTEMPT}
    FROM webhook_deliveries AS delivery
    LEFT JOIN webhook_attempts AS attempt
        ON attempt.org_id = $1 AND attempt.is_test = $2 AND attempt.delivery_id = delivery.id
        AND attempt.number = delivery.attempts
    WHERE delivery.org_id = $1 AND delivery.is_test = $2
        AND ($3::uuid IS NULL OR delivery.endpoint_id = $3)
    ORDER BY delivery.id DESC
    LIMIT $4 OFFSET $5
"""

COUNT = """
    SELECT count(*) FROM webhook_deliveries
    WHERE org_id = $1 AND is_test = $2 AND ($3::uuid IS NULL OR endpoint_id = $3)
"""

DELETE_BEFORE = """
    DELETE FROM webhook_deliveries
    WHERE org_id = $1 AND is_test = $2 AND id = ANY (ARRAY (
        SELECT id FROM webhook_deliveries
        WHERE org_id = $1 AND is_test = $2 AND created_at < $3
        ORDER BY created_at
        LIMIT $4
    ))
    RETURNING 1
"""

DELETE_ENDPOINTS = """
    DELETE FROM webhook_endpoints AS endpoint
    WHERE endpoint.org_id = $1 AND endpoint.is_test = $2 AND endpoint.deleted_at < $3
        AND NOT EXISTS (
            SELECT 1 FROM webhook_deliveries AS delivery
            WHERE delivery.org_id = $1 AND delivery.is_test = $2
                AND delivery.endpoint_id = endpoint.id
        )
"""


async def insert(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Store new deliveries that are due at once; an event's first one to an endpoint stays one."""
    if deliveries:
        await tx.execute(
            INSERT,
            [one.id for one in deliveries],
            [one.endpoint_id for one in deliveries],
            [one.event_id for one in deliveries],
            [one.event_type for one in deliveries],
            [one.body for one in deliveries],
            [one.retry_of for one in deliveries],
            tx.real_now,
        )


async def load_due(tx: Transaction, endpoint_ids: Sequence[UUID], limit: int) -> list[Letter]:
    """What is due of endpoints, so many of each, the longest due first."""
    return [
        Letter(
            WebhookDeliveryId(row["id"]),
            WebhookEndpointId(row["endpoint_id"]),
            row["event_id"],
            row["body"],
            row["attempts"] + 1,
        )
        for row in await tx.fetch(SELECT_DUE, endpoint_ids, tx.real_now, limit)
    ]


async def next_due(tx: Transaction, endpoint_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When the next attempt at each endpoint is due; those without one are absent."""
    rows = await tx.fetch(SELECT_NEXT, endpoint_ids)
    return {row["endpoint_id"]: row["next_attempt_at"] for row in rows}


async def record(
    tx: Transaction, outcomes: Sequence[tuple[Outcome, DeliveryStatus, datetime | None]]
) -> None:
    """Store attempts, what has become of their deliveries, and when the next ones are due."""
    ids = [one.letter.delivery_id for one, _, _ in outcomes]
    attempts = [one.attempt for one, _, _ in outcomes]
    numbers = [one.number for one in attempts]
    await tx.execute(
        INSERT_ATTEMPTS,
        ids,
        numbers,
        [one.url for one in attempts],
        [json.encode(dict(one.request_headers)) for one in attempts],
        [one.response_status for one in attempts],
        [one.response_body for one in attempts],
        [one.error for one in attempts],
        [one.duration_ms for one in attempts],
        [one.attempted_at for one in attempts],
    )
    statuses = [status.value for _, status, _ in outcomes]
    again_at = [at for _, _, at in outcomes]
    await tx.execute(UPDATE, ids, numbers, statuses, again_at, tx.real_now)


async def bring_forward(tx: Transaction, delivery_id: WebhookDeliveryId) -> bool:
    """Have a pending delivery tried at once; False where it is pending no more."""
    return await tx.fetchval(BRING_FORWARD, delivery_id, tx.real_now) is not None


async def give_up(tx: Transaction, endpoint_ids: Sequence[UUID], limit: int) -> None:
    """Let what is due of endpoints have failed, at most so many."""
    await tx.execute(GIVE_UP, endpoint_ids, tx.real_now, limit)


async def load(tx: Transaction, delivery_id: UUID) -> Delivery | None:
    """A delivery with all its attempts."""
    row = await tx.fetchrow(SELECT_ONE, delivery_id)
    if row is None:
        return None
    attempts = [_attempt(one) for one in await tx.fetch(SELECT_ATTEMPTS, delivery_id)]
    return _delivery(row, attempts)


async def load_page(
    tx: Transaction, endpoint_id: UUID | None, request: PageRequest
) -> Page[Delivery]:
    """Deliveries, of all endpoints or of one, newest first, each with its last attempt."""
    found = [
        _delivery(row, [] if row["number"] is None else [_attempt(row)])
        async for rows in tx.pieces(SELECT_PAGE, endpoint_id, request.limit, request.offset)
        for row in rows
    ]
    return Page(found, await tx.fetchval(COUNT, endpoint_id), request.offset)


async def delete_before(tx: Transaction, instant: datetime, limit: int) -> int:
    """Delete deliveries of before an instant with their attempts; how many, at most the limit."""
    return len(await tx.fetch(DELETE_BEFORE, instant, limit))


async def delete_endpoints_before(tx: Transaction, instant: datetime) -> None:
    """Delete what is left of endpoints that were deleted before an instant and have no log."""
    await tx.execute(DELETE_ENDPOINTS, instant)


def _delivery(row: asyncpg.Record, history: Sequence[Attempt]) -> Delivery:
    return Delivery(
        id=WebhookDeliveryId(row["id"]),
        endpoint_id=WebhookEndpointId(row["endpoint_id"]),
        event_id=row["event_id"],
        event_type=row["event_type"],
        body=row["body"],
        retry_of=row["retry_of"],
        status=DeliveryStatus(row["status"]),
        attempts=row["attempts"],
        next_attempt_at=row["next_attempt_at"],
        created_at=row["created_at"],
        ended_at=row["ended_at"],
        history=history,
    )


def _attempt(row: asyncpg.Record) -> Attempt:
    return Attempt(
        number=row["number"],
        url=row["url"],
        request_headers=json.decode(row["request_headers"]),
        response_status=row["response_status"],
        response_body=row["response_body"],
        error=row["error"],
        duration_ms=row["duration_ms"],
        attempted_at=row["attempted_at"],
    )

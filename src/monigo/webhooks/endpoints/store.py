"""All SQL of endpoints."""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg

from monigo.core.ids import WebhookEndpointId
from monigo.core.paging import Page, PageRequest
from monigo.infra.db import RowLock, Transaction
from monigo.webhooks.endpoints.types import DisabledReason, Endpoint

COLUMNS = """
    id, url, events, is_enabled, disabled_reason, secret_ciphertext, previous_ciphertext,
    previous_until, failing_since, created_at, updated_at
"""

SELECT_ENDPOINTS = f"""
    SELECT {COLUMNS} FROM webhook_endpoints
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[]) AND deleted_at IS NULL
    ORDER BY id
"""

SELECT_PAGE = f"""
    SELECT {COLUMNS} FROM webhook_endpoints
    WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL
    ORDER BY id DESC
    LIMIT $3 OFFSET $4
"""

SELECT_ENABLED = f"""
    SELECT {COLUMNS} FROM webhook_endpoints
    WHERE org_id = $1 AND is_test = $2 AND is_enabled
    ORDER BY id
"""

COUNT_ENDPOINTS = """
    SELECT count(*) FROM webhook_endpoints
    WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL
"""

INSERT_ENDPOINT = """
    INSERT INTO webhook_endpoints (
        org_id, is_test, id, url, events, is_enabled, disabled_reason, secret_ciphertext,
        previous_ciphertext, previous_until, failing_since, created_at, updated_at
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""

UPDATE_ENDPOINT = """
    UPDATE webhook_endpoints
    SET url = $4, events = $5, is_enabled = $6, disabled_reason = $7, secret_ciphertext = $8,
        previous_ciphertext = $9, previous_until = $10, failing_since = $11, updated_at = $12
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

DELETE_ENDPOINT = """
    UPDATE webhook_endpoints
    SET is_enabled = false, disabled_reason = 'deleted', secret_ciphertext = NULL,
        previous_ciphertext = NULL, previous_until = NULL, deleted_at = $4, updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""


async def load(
    tx: Transaction, ids: Collection[UUID], lock: RowLock = RowLock.NONE
) -> dict[UUID, Endpoint]:
    """Those of the endpoints that are not deleted."""
    rows = await tx.fetch(f"{SELECT_ENDPOINTS} {lock}", list(ids))
    return {row["id"]: _endpoint(row) for row in rows}


async def load_page(tx: Transaction, request: PageRequest) -> Page[Endpoint]:
    """The endpoints, newest first."""
    rows = await tx.fetch(SELECT_PAGE, request.limit, request.offset)
    return Page([_endpoint(row) for row in rows], await count(tx), request.offset)


async def load_enabled(tx: Transaction) -> list[Endpoint]:
    """The endpoints that get events."""
    return [_endpoint(row) for row in await tx.fetch(SELECT_ENABLED)]


async def count(tx: Transaction) -> int:
    """How many endpoints there are."""
    return await tx.fetchval(COUNT_ENDPOINTS)


async def insert(tx: Transaction, endpoint: Endpoint) -> None:
    """Store a new endpoint."""
    await tx.execute(
        INSERT_ENDPOINT, endpoint.id, *_terms(endpoint), endpoint.created_at, endpoint.updated_at
    )


async def update(tx: Transaction, endpoints: Sequence[Endpoint]) -> None:
    """Store locked endpoints as they are now."""
    for endpoint in endpoints:
        await tx.execute(UPDATE_ENDPOINT, endpoint.id, *_terms(endpoint), endpoint.updated_at)


async def hide(tx: Transaction, endpoint_id: WebhookEndpointId) -> None:
    """Delete a locked endpoint and its secrets; its log stays for its time."""
    await tx.execute(DELETE_ENDPOINT, endpoint_id, tx.real_now)


def _terms(endpoint: Endpoint) -> tuple[object, ...]:
    return (
        endpoint.url,
        list(endpoint.events),
        endpoint.is_enabled,
        endpoint.disabled_reason.value,
        endpoint.secret_ciphertext,
        endpoint.previous_ciphertext,
        endpoint.previous_until,
        endpoint.failing_since,
    )


def _endpoint(row: asyncpg.Record) -> Endpoint:
    return Endpoint(
        id=WebhookEndpointId(row["id"]),
        url=row["url"],
        events=tuple(row["events"]),
        is_enabled=row["is_enabled"],
        disabled_reason=DisabledReason(row["disabled_reason"]),
        secret_ciphertext=row["secret_ciphertext"],
        previous_ciphertext=row["previous_ciphertext"],
        previous_until=row["previous_until"],
        failing_since=row["failing_since"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )

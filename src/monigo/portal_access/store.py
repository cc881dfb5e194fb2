"""All SQL of portal tokens."""

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from monigo.core.ids import CustomerId, OrganizationId, PortalTokenId
from monigo.core.paging import Page, PageRequest
from monigo.infra.db import Connection, Tenant, Transaction
from monigo.portal_access.types import Access, PortalToken, TokenKind, TokenReference

COLUMNS = """
    id, customer_id, kind, access, label, secret_ciphertext, expires_at, revoked_at, last_used_at,
    created_at, updated_at
"""

SELECT_BY_HASH = "SELECT org_id, is_test, token_id FROM find_portal_token($1)"

SELECT = f"""
    SELECT {COLUMNS} FROM portal_tokens WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

LOCK = f"{SELECT} FOR UPDATE"

SELECT_PAGE = f"""
    SELECT {COLUMNS} FROM portal_tokens
    WHERE org_id = $1 AND is_test = $2 AND kind = 'link' AND revoked_at IS NULL
        AND ($3::uuid IS NULL OR customer_id = $3)
    ORDER BY created_at DESC, id DESC
    LIMIT $4 OFFSET $5
"""

COUNT = """
    SELECT count(*) FROM portal_tokens
    WHERE org_id = $1 AND is_test = $2 AND kind = 'link' AND revoked_at IS NULL
        AND ($3::uuid IS NULL OR customer_id = $3)
"""

INSERT = """
    INSERT INTO portal_tokens (
        org_id, is_test, id, customer_id, kind, access, label, secret_ciphertext, expires_at,
        created_at, updated_at
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
    RETURNING id
"""

INSERT_LOOKUP = """
    INSERT INTO portal_token_lookups (org_id, is_test, token_hash, token_id)
    VALUES ($1, $2, $3, $4)
    RETURNING token_id
"""

REVOKE = """
    UPDATE portal_tokens SET revoked_at = $4, updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

# Of two requests at once one writes it down, and nobody waits.
NOTE_USE = """
    UPDATE portal_tokens SET last_used_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id IN (
        SELECT id FROM portal_tokens
        WHERE org_id = $1 AND is_test = $2 AND id = $3
            AND (last_used_at IS NULL OR last_used_at < $5)
        FOR UPDATE SKIP LOCKED
    )
"""

FORGET_SESSIONS = """
    DELETE FROM portal_tokens
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND kind = 'session'
        AND expires_at < $4
    RETURNING id
"""

FORGET_LOOKUPS = """
    DELETE FROM portal_token_lookups
    WHERE org_id = $1 AND is_test = $2 AND token_id = ANY ($3::uuid[])
"""


async def find(connection: Connection, token_hash: bytes) -> TokenReference | None:
    """The tenant and token that a secret's hash belongs to."""
    row = await connection.fetchrow(SELECT_BY_HASH, token_hash)
    if row is None:
        return None
    tenant = Tenant(OrganizationId(row["org_id"]), row["is_test"])
    return TokenReference(tenant, PortalTokenId(row["token_id"]))


async def load(tx: Transaction, token_id: UUID, *, for_update: bool = False) -> PortalToken | None:
    """A token, whatever became of it."""
    row = await tx.fetchrow(LOCK if for_update else SELECT, token_id)
    return None if row is None else _token(row)


async def list_page(
    tx: Transaction, request: PageRequest, customer_id: CustomerId | None
) -> Page[PortalToken]:
    """Links that were not revoked, newest first; of one customer, if one is given."""
    rows = await tx.fetch(SELECT_PAGE, customer_id, request.limit, request.offset)
    total = await tx.fetchval(COUNT, customer_id)
    return Page([_token(row) for row in rows], total, request.offset)


async def count_links(tx: Transaction, customer_id: CustomerId) -> int:
    """How many links a customer has that were not revoked."""
    return await tx.fetchval(COUNT, customer_id)


async def insert(tx: Transaction, token: PortalToken, token_hash: bytes) -> None:
    """Store a new token, and by what it is found."""
    await tx.fetchval(
        INSERT,
        token.id,
        token.customer_id,
        token.kind.value,
        token.access.value,
        token.label,
        token.secret_ciphertext,
        token.expires_at,
        token.created_at,
    )
    await tx.fetchval(INSERT_LOOKUP, token_hash, token.id)


async def revoke(tx: Transaction, token_id: PortalTokenId, at: datetime) -> None:
    """End a token."""
    await tx.execute(REVOKE, token_id, at)


async def note_use(
    tx: Transaction, token_id: PortalTokenId, now: datetime, *, unless_within: timedelta
) -> None:
    """Note that a token was used, unless that was noted just before."""
    await tx.execute(NOTE_USE, token_id, now, now - unless_within)


async def forget_sessions(tx: Transaction, customer_id: CustomerId, before: datetime) -> None:
    """Remove a customer's sessions that ended before an instant."""
    gone = [row["id"] for row in await tx.fetch(FORGET_SESSIONS, customer_id, before)]
    if gone:
        await tx.execute(FORGET_LOOKUPS, gone)


def _token(row: asyncpg.Record) -> PortalToken:
    return PortalToken(
        id=PortalTokenId(row["id"]),
        customer_id=CustomerId(row["customer_id"]),
        kind=TokenKind(row["kind"]),
        access=Access(row["access"]),
        label=row["label"],
        secret_ciphertext=row["secret_ciphertext"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )

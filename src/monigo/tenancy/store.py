"""All SQL of organisations and API keys."""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg
from msgspec.structs import replace

from monigo.core.access import Scope
from monigo.core.ids import ApiKeyId, OrganizationId
from monigo.infra import json
from monigo.infra.db import ClockState, Connection, Tenant, Transaction
from monigo.tenancy.settings import (
    LimitSettings,
    read_access,
    read_billing,
    read_collection,
    read_limits,
    read_mails,
    read_payouts,
    read_retention,
)
from monigo.tenancy.types import (
    ApiKey,
    KeyReference,
    Organization,
)

INSERT_ORGANIZATION = """
    INSERT INTO organizations (
        org_id, name, country, created_at, updated_at, billing, retention, limits, access,
        collection, payouts, mails
    ) VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10, $11)
"""

SELECT_ORGANIZATION = """
    SELECT org_id, name, country, created_at, updated_at, billing, retention, limits, access,
        collection, payouts, mails, suspended_at
    FROM organizations
    WHERE org_id = $1
"""

UPDATE_ORGANIZATION = """
    UPDATE organizations
    SET name = $2, country = $3, updated_at = $4, billing = $5, retention = $6, limits = $7,
        access = $8, collection = $9, payouts = $10, mails = $11
    WHERE org_id = $1
"""

SUSPEND_ORGANIZATION = """
    UPDATE organizations SET suspended_at = $2, updated_at = $3 WHERE org_id = $1
"""

SELECT_LIMITS = "SELECT limits FROM organizations WHERE org_id = $1"

KEY_COLUMNS = """
    id, org_id, name, key_prefix, scopes, is_test_mode, expires_at, revoked_at, disabled_at,
    last_used_at, created_at, updated_at,
    (SELECT suspended_at IS NOT NULL FROM organizations WHERE org_id = $1) AS is_suspended
"""

INSERT_KEY = """
    INSERT INTO api_keys (
        id, org_id, name, key_prefix, scopes, is_test_mode, expires_at, created_at, updated_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
"""

SELECT_KEYS_BY_ID = (
    f"SELECT {KEY_COLUMNS} FROM api_keys WHERE org_id = $1 AND id = ANY ($2::uuid[])"
)

SELECT_KEYS = f"""
    SELECT {KEY_COLUMNS} FROM api_keys WHERE org_id = $1 ORDER BY created_at DESC, id DESC
"""

REVOKE_KEY = f"""
    UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3), updated_at = $3
    WHERE org_id = $1 AND id = $2
    RETURNING {KEY_COLUMNS}
"""

SET_KEY_DISABLED = f"""
    UPDATE api_keys SET disabled_at = $3, updated_at = $4
    WHERE org_id = $1 AND id = $2
    RETURNING {KEY_COLUMNS}
"""

# Never earlier, in whatever order processes report; and only of valid keys.
NOTE_KEYS_USED = """
    UPDATE api_keys SET last_used_at = used.at
    FROM (SELECT id, at FROM unnest($2::uuid[], $3::timestamptz[]) AS each (id, at)) AS used
    WHERE api_keys.org_id = $1 AND api_keys.id = used.id
        AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < used.at)
        AND api_keys.revoked_at IS NULL AND api_keys.disabled_at IS NULL
        AND (api_keys.expires_at IS NULL OR api_keys.expires_at > used.at)
"""

SELECT_KEY_BY_HASH = "SELECT org_id, is_test, api_key_id FROM find_api_key($1)"


async def insert_organization(tx: Transaction, organization: Organization) -> None:
    """Store a new organisation, and its id where work across organisations finds it."""
    await tx.connection.execute(INSERT_ORGANIZATION, *_arguments(organization))
    await tx.connection.execute("INSERT INTO tenant_lookups (org_id) VALUES ($1)", tx.org_id)


async def update_organization(tx: Transaction, organization: Organization) -> None:
    """Store the changed settings."""
    await tx.connection.execute(UPDATE_ORGANIZATION, *_arguments(organization))


async def set_suspended(tx: Transaction, suspended_at: datetime | None) -> None:
    """Suspend the transaction's own organisation, or end that."""
    await tx.connection.execute(SUSPEND_ORGANIZATION, tx.org_id, suspended_at, tx.real_now)


def _arguments(organization: Organization) -> tuple[object, ...]:
    return (
        organization.id,
        organization.name,
        organization.country,
        organization.updated_at,
        json.encode(organization.billing),
        json.encode(organization.retention),
        json.encode(organization.limits),
        json.encode(organization.access),
        json.encode(organization.collection),
        json.encode(organization.payouts),
        json.encode(organization.mails),
    )


async def load_organization(tx: Transaction, *, for_update: bool = False) -> Organization | None:
    """The transaction's own organisation; its settings are checked as they are read."""
    query = SELECT_ORGANIZATION + (" FOR UPDATE" if for_update else "")
    row = await tx.connection.fetchrow(query, tx.org_id)
    if row is None:
        return None
    return Organization(
        id=OrganizationId(row["org_id"]),
        name=row["name"],
        country=row["country"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        billing=read_billing(row["billing"]),
        retention=read_retention(row["retention"]),
        limits=read_limits(row["limits"]),
        access=read_access(row["access"]),
        collection=read_collection(row["collection"]),
        payouts=read_payouts(row["payouts"]),
        mails=read_mails(row["mails"]),
        suspended_at=row["suspended_at"],
    )


async def load_limits(tx: Transaction) -> LimitSettings | None:
    """How much the transaction's own organisation may send."""
    stored = await tx.connection.fetchval(SELECT_LIMITS, tx.org_id)
    return None if stored is None else read_limits(stored)


async def insert_key(tx: Transaction, key: ApiKey, key_hash: bytes) -> None:
    """Store a key and the hash that finds it."""
    await tx.connection.execute(
        INSERT_KEY,
        key.id,
        key.org_id,
        key.name,
        key.key_prefix,
        [scope.value for scope in key.scopes],
        key.is_test_mode,
        key.expires_at,
        key.created_at,
    )
    await tx.connection.execute(
        "INSERT INTO api_key_lookups (key_hash, org_id, is_test, api_key_id)"
        " VALUES ($1, $2, $3, $4)",
        key_hash,
        key.org_id,
        key.is_test_mode,
        key.id,
    )


async def load_keys(tx: Transaction, api_key_ids: Collection[ApiKeyId]) -> dict[ApiKeyId, ApiKey]:
    """Keys of the organisation by id; unknown ones are absent."""
    rows = await tx.connection.fetch(SELECT_KEYS_BY_ID, tx.org_id, list(api_key_ids))
    return {ApiKeyId(row["id"]): _key(row) for row in rows}


async def list_keys(tx: Transaction) -> list[ApiKey]:
    """The organisation's keys of both modes, newest first."""
    return [_key(row) for row in await tx.connection.fetch(SELECT_KEYS, tx.org_id)]


async def revoke_key(tx: Transaction, api_key_id: ApiKeyId) -> ApiKey | None:
    """Set the time of revocation, once."""
    row = await tx.connection.fetchrow(REVOKE_KEY, tx.org_id, api_key_id, tx.real_now)
    return None if row is None else _key(row)


async def set_key_disabled(
    tx: Transaction, api_key_id: ApiKeyId, disabled_at: datetime | None
) -> ApiKey | None:
    """Switch a key off, or on again."""
    row = await tx.connection.fetchrow(
        SET_KEY_DISABLED, tx.org_id, api_key_id, disabled_at, tx.real_now
    )
    return None if row is None else _key(row)


async def note_keys_used(tx: Transaction, used: Mapping[ApiKeyId, datetime]) -> None:
    """Store when keys were last used."""
    await tx.connection.execute(NOTE_KEYS_USED, tx.org_id, list(used), list(used.values()))


@asynccontextmanager
async def bound_to(tx: Transaction, tenant: Tenant) -> AsyncGenerator[Transaction]:
    """The same transaction, which sees this tenant's rows inside the block, by real time."""
    if tenant == tx.tenant:
        yield tx
        return
    await tx.connection.execute(_binding(tenant))
    yield replace(tx, tenant=tenant, now=tx.real_now, resets=0, clock=ClockState.UNSET)
    # Not after a failure, which ends the transaction.
    await tx.connection.execute(_binding(tx.tenant))


def _binding(tenant: Tenant) -> str:
    mode = "true" if tenant.is_test else "false"
    return f"SET LOCAL app.org_id = '{tenant.org_id}'; SET LOCAL app.is_test = '{mode}'"


async def find_key(connection: Connection, key_hash: bytes) -> KeyReference | None:
    """The tenant and key that a secret's hash belongs to."""
    row = await connection.fetchrow(SELECT_KEY_BY_HASH, key_hash)
    if row is None:
        return None
    tenant = Tenant(OrganizationId(row["org_id"]), row["is_test"])
    return KeyReference(tenant, ApiKeyId(row["api_key_id"]))


def _key(row: asyncpg.Record) -> ApiKey:
    values = dict(row)
    values["scopes"] = tuple(Scope(scope) for scope in values["scopes"])
    return ApiKey(**values)

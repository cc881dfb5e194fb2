"""All SQL of connections and their credentials."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from monigo.core.ids import ConnectionId
from monigo.core.money import Money, format_money
from monigo.infra import json
from monigo.infra.db import RowLock, Transaction
from monigo.payments.connections.types import (
    Connection,
    Credentials,
    FeeBearer,
    Health,
    HealthState,
    Purpose,
    Witness,
)
from monigo.providers.port import Kind, ProviderName

# A provider that answers is noted this often, so that its calls don't wait for each other's notes.
NOTED_EVERY = timedelta(seconds=30)

COLUMNS = """
    id, provider, label, is_enabled, is_test_mode, supported_currencies, channels, fee_bearer,
    provider_options::text AS provider_options, forward_url, created_at, updated_at
"""

SELECT_CONNECTION = f"""
    SELECT {COLUMNS} FROM payment_connections
    WHERE org_id = $1 AND $2::boolean IS NOT NULL AND id = $3 AND deleted_at IS NULL
"""

SELECT_CONNECTIONS = f"""
    SELECT {COLUMNS} FROM payment_connections
    WHERE org_id = $1 AND $2::boolean IS NOT NULL AND deleted_at IS NULL
        AND ($3::text IS NULL OR provider = $3)
    ORDER BY created_at DESC, id DESC
"""

COUNT_CONNECTIONS = """
    SELECT count(*) FROM payment_connections
    WHERE org_id = $1 AND $2::boolean IS NOT NULL AND deleted_at IS NULL
"""

INSERT_CONNECTION = """
    INSERT INTO payment_connections (
        org_id, id, provider, label, is_enabled, is_test_mode, supported_currencies, channels,
        fee_bearer, provider_options, forward_url, created_at, updated_at
    )
    SELECT $1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13 WHERE $2::boolean IS NOT NULL
    RETURNING 1
"""

UPDATE_CONNECTION = """
    UPDATE payment_connections
    SET label = $4, is_enabled = $5, is_test_mode = $6, supported_currencies = $7, channels = $8,
        fee_bearer = $9, provider_options = $10, forward_url = $11, updated_at = $12
    WHERE org_id = $1 AND $2::boolean IS NOT NULL AND id = $3
"""

DELETE_CONNECTION = """
    UPDATE payment_connections SET is_enabled = false, deleted_at = $4, updated_at = $4
    WHERE org_id = $1 AND $2::boolean IS NOT NULL AND id = $3
"""

SELECT_DEFAULTS = """
    SELECT connection_id, purpose, currency FROM payment_defaults
    WHERE org_id = $1 AND $2::boolean IS NOT NULL
    ORDER BY purpose, currency
"""

# Of two at once the second takes over; where it is to have what is free, it leaves the first's.
TAKE_DEFAULTS = """
    INSERT INTO payment_defaults (org_id, purpose, currency, connection_id)
    SELECT $1, wanted.purpose, wanted.currency, $3
    FROM unnest($4::text[], $5::text[]) AS wanted (purpose, currency)
    WHERE $2::boolean IS NOT NULL
    ORDER BY wanted.purpose, wanted.currency
    ON CONFLICT (org_id, purpose, currency) DO UPDATE SET connection_id = excluded.connection_id
"""

TAKE_FREE_DEFAULTS = """
    INSERT INTO payment_defaults (org_id, purpose, currency, connection_id)
    SELECT $1, wanted.purpose, wanted.currency, $3
    FROM unnest($4::text[], $5::text[]) AS wanted (purpose, currency)
    WHERE $2::boolean IS NOT NULL
    ORDER BY wanted.purpose, wanted.currency
    ON CONFLICT (org_id, purpose, currency) DO NOTHING
"""

DELETE_DEFAULTS = """
    DELETE FROM payment_defaults
    WHERE org_id = $1 AND $2::boolean IS NOT NULL AND connection_id = $3
        AND ($4::text IS NULL OR purpose = $4) AND NOT currency = ANY ($5::text[])
"""

CREDENTIALS = """
    connection_id, is_test, keys_ciphertext, public_key, contract_code, source_account_number,
    has_webhook_secret, previous_ciphertext, previous_until, known_kind, known_reference,
    health_state, last_success_at, last_error, last_error_at, otp_on,
    balance::text AS balance, balance_at, webhook_last_at
"""

SELECT_CREDENTIALS = f"""
    SELECT {CREDENTIALS} FROM payment_credentials
    WHERE org_id = $1 AND is_test = $2 AND connection_id = ANY ($3::uuid[])
        AND keys_ciphertext IS NOT NULL
    ORDER BY connection_id
"""

PUT_CREDENTIALS = """
    INSERT INTO payment_credentials AS known (
        org_id, is_test, connection_id, keys_ciphertext, public_key, contract_code,
        source_account_number, has_webhook_secret, previous_ciphertext, previous_until,
        known_kind, known_reference, health_state, last_error, created_at, updated_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', '', 'unchecked', '', $11, $11)
    ON CONFLICT (org_id, is_test, connection_id) DO UPDATE
    SET keys_ciphertext = excluded.keys_ciphertext, public_key = excluded.public_key,
        contract_code = excluded.contract_code,
        source_account_number = excluded.source_account_number,
        has_webhook_secret = excluded.has_webhook_secret,
        previous_ciphertext = excluded.previous_ciphertext,
        previous_until = excluded.previous_until, updated_at = excluded.updated_at
"""

RENEW_CIPHERTEXTS = """
    UPDATE payment_credentials SET keys_ciphertext = $5, previous_ciphertext = $6
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND keys_ciphertext = $4
"""

FORGET_CREDENTIALS = """
    UPDATE payment_credentials
    SET keys_ciphertext = NULL, previous_ciphertext = NULL, previous_until = NULL, updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3
"""

# What is null of a note is left as it was; a note that repeats the last one is not written.
NOTE_HEALTH = """
    UPDATE payment_credentials
    SET health_state = $4, last_success_at = coalesce($5, last_success_at),
        last_error = CASE WHEN $6 = '' THEN last_error ELSE $6 END,
        last_error_at = coalesce($7, last_error_at), otp_on = coalesce($8, otp_on),
        balance = coalesce($9, balance), balance_at = coalesce($10, balance_at),
        known_kind = CASE WHEN known_kind = '' THEN $11 ELSE known_kind END,
        known_reference = CASE WHEN known_kind = '' THEN $12 ELSE known_reference END
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3
        AND (
            health_state <> $4 OR $9::jsonb IS NOT NULL
            OR otp_on IS DISTINCT FROM coalesce($8, otp_on)
            OR last_success_at < $5::timestamptz - $13::interval
            OR last_error_at < $7::timestamptz - $13::interval
            OR (known_kind = '' AND $11 <> '')
        )
"""

NOTE_WEBHOOK = """
    UPDATE payment_credentials SET webhook_last_at = $4::timestamptz
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3
        AND (webhook_last_at IS NULL OR webhook_last_at < $4::timestamptz - $5::interval)
"""


async def load(
    tx: Transaction, connection_id: UUID, lock: RowLock = RowLock.NONE
) -> Connection | None:
    """A connection without its credentials."""
    row = await tx.fetchrow(f"{SELECT_CONNECTION} {lock}", connection_id)
    return None if row is None else _connection(row, await _defaults(tx))


async def list_all(tx: Transaction, provider: str | None = None) -> list[Connection]:
    """The connections of the organisation, newest first, without their credentials."""
    rows = await tx.fetch(SELECT_CONNECTIONS, provider)
    defaults = await _defaults(tx) if rows else {}
    return [_connection(row, defaults) for row in rows]


async def count(tx: Transaction) -> int:
    """How many connections the organisation has."""
    return await tx.fetchval(COUNT_CONNECTIONS)


async def insert(tx: Transaction, connection: Connection) -> None:
    """Store a new connection."""
    await tx.fetch(
        INSERT_CONNECTION,
        connection.id,
        connection.provider.value,
        *_terms(connection),
        connection.created_at,
    )


async def update(tx: Transaction, connection: Connection) -> None:
    """Store the terms of a locked connection."""
    await tx.execute(UPDATE_CONNECTION, connection.id, *_terms(connection), connection.updated_at)


async def hide(tx: Transaction, connection_id: ConnectionId) -> None:
    """Delete softly, and let others be the default of its currencies."""
    await tx.execute(DELETE_CONNECTION, connection_id, tx.real_now)
    await tx.execute(DELETE_DEFAULTS, connection_id, None, [])


async def put_defaults(
    tx: Transaction,
    connection_id: ConnectionId,
    default_for: Mapping[Purpose, Sequence[str]],
    *,
    only_free: bool,
) -> None:
    """Make a connection the default of currencies, or of those only that have none."""
    wanted = [(purpose.value, code) for purpose, codes in default_for.items() for code in codes]
    query = TAKE_FREE_DEFAULTS if only_free else TAKE_DEFAULTS
    if wanted:
        purposes, codes = zip(*sorted({*wanted}), strict=True)
        await tx.execute(query, connection_id, list(purposes), list(codes))


async def leave_defaults(
    tx: Transaction, connection_id: ConnectionId, purpose: Purpose, but: Sequence[str]
) -> None:
    """Let a connection be the default of these currencies only, for a purpose."""
    await tx.execute(DELETE_DEFAULTS, connection_id, purpose.value, list(but))


async def load_credentials(
    tx: Transaction, ids: Sequence[UUID], lock: RowLock = RowLock.NONE
) -> dict[ConnectionId, Credentials]:
    """What connections have of the transaction's mode."""
    rows = await tx.fetch(f"{SELECT_CREDENTIALS} {lock}", ids)
    return {ConnectionId(row["connection_id"]): _credentials(row) for row in rows}


async def put_credentials(
    tx: Transaction, connection_id: ConnectionId, credentials: Credentials
) -> None:
    """Store what a connection has of the transaction's mode, which the provider has accepted."""
    await tx.execute(
        PUT_CREDENTIALS,
        connection_id,
        credentials.keys_ciphertext,
        credentials.public_key,
        credentials.contract_code,
        credentials.source_account_number,
        credentials.has_webhook_secret,
        credentials.previous_ciphertext,
        credentials.previous_until,
        tx.real_now,
    )


async def renew_ciphertexts(
    tx: Transaction,
    connection_id: ConnectionId,
    *,
    before: bytes,
    keys: bytes,
    previous: bytes | None,
) -> None:
    """Store the same keys under another key of the installation, unless they changed meanwhile."""
    await tx.execute(RENEW_CIPHERTEXTS, connection_id, before, keys, previous)


async def forget_credentials(tx: Transaction, connection_id: ConnectionId) -> None:
    """Delete the keys of the transaction's mode."""
    await tx.execute(FORGET_CREDENTIALS, connection_id, tx.real_now)


async def note_health(
    tx: Transaction, connection_id: ConnectionId, health: Health, witness: Witness | None
) -> None:
    """Note how the provider answered, and what proves whose keys they are."""
    await tx.execute(
        NOTE_HEALTH,
        connection_id,
        health.state.value,
        health.last_success_at,
        health.last_error,
        health.last_error_at,
        health.otp_on,
        None if health.balance is None else json.encode(_balance_json(health.balance)),
        health.balance_at,
        witness.kind.value if witness else "",
        witness.reference if witness else "",
        NOTED_EVERY,
    )


async def note_webhook(tx: Transaction, connection_id: ConnectionId, at: datetime) -> None:
    """Note that a webhook came."""
    await tx.execute(NOTE_WEBHOOK, connection_id, at, NOTED_EVERY)


async def _defaults(tx: Transaction) -> dict[UUID, dict[Purpose, tuple[str, ...]]]:
    found: dict[UUID, dict[Purpose, tuple[str, ...]]] = {}
    for row in await tx.fetch(SELECT_DEFAULTS):
        of_one = found.setdefault(row["connection_id"], {})
        purpose = Purpose(row["purpose"])
        of_one[purpose] = (*of_one.get(purpose, ()), row["currency"])
    return found


def _terms(connection: Connection) -> tuple[object, ...]:
    return (
        connection.label,
        connection.is_enabled,
        connection.is_test_mode,
        list(connection.supported_currencies),
        list(connection.channels),
        connection.fee_bearer.value,
        json.encode(dict(connection.provider_options)),
        connection.forward_url,
    )


def _connection(
    row: asyncpg.Record, defaults: Mapping[UUID, Mapping[Purpose, tuple[str, ...]]]
) -> Connection:
    return Connection(
        id=ConnectionId(row["id"]),
        provider=ProviderName(row["provider"]),
        label=row["label"],
        is_enabled=row["is_enabled"],
        is_test_mode=row["is_test_mode"],
        supported_currencies=tuple(row["supported_currencies"]),
        default_for={
            purpose: (defaults.get(row["id"]) or {}).get(purpose, ()) for purpose in Purpose
        },
        channels=tuple(row["channels"]),
        fee_bearer=FeeBearer(row["fee_bearer"]),
        provider_options=json.decode(row["provider_options"]),
        forward_url=row["forward_url"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _credentials(row: asyncpg.Record) -> Credentials:
    is_known = row["known_kind"] != ""
    return Credentials(
        is_test=row["is_test"],
        keys_ciphertext=row["keys_ciphertext"],
        public_key=row["public_key"],
        contract_code=row["contract_code"],
        source_account_number=row["source_account_number"],
        has_webhook_secret=row["has_webhook_secret"],
        previous_ciphertext=row["previous_ciphertext"],
        previous_until=row["previous_until"],
        witness=Witness(Kind(row["known_kind"]), row["known_reference"]) if is_known else None,
        health=Health(
            state=HealthState(row["health_state"]),
            last_success_at=row["last_success_at"],
            last_error=row["last_error"],
            last_error_at=row["last_error_at"],
            otp_on=row["otp_on"],
            balance=_balance(row["balance"]),
            balance_at=row["balance_at"],
            webhook_last_at=row["webhook_last_at"],
        ),
    )


def _balance_json(balance: Sequence[Money]) -> dict[str, str]:
    return {one.currency: format_money(one.amount) for one in balance}


def _balance(text: str | None) -> tuple[Money, ...] | None:
    if text is None:
        return None
    stored: dict[str, Any] = json.decode(text)
    return tuple(Money(Decimal(amount), currency) for currency, amount in stored.items())

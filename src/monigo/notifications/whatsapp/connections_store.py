"""All SQL of connections to WhatsApp, of what goes by it, and of who wants no messages."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg

from monigo.core.ids import WhatsAppConnectionId
from monigo.infra.db import RowLock, Transaction
from monigo.notifications.whatsapp.types import Connection, Health

# Health that did not change is noted once in this time, so that few messages write it.
NOTED_EVERY = timedelta(minutes=1)

SELECT_CONNECTION = """
    SELECT id, phone_number_id, business_account_id, display_number, verified_name,
        secrets_ciphertext, health_state, last_success_at, last_error, last_error_at,
        webhook_last_at, connected_at, updated_at
    FROM whatsapp_connections
    WHERE org_id = $1 AND is_test = $2
"""

# The number stays the same; its token and secrets may be new ones.
PUT_CONNECTION = """
    INSERT INTO whatsapp_connections (
        org_id, is_test, id, phone_number_id, business_account_id, display_number, verified_name,
        secrets_ciphertext, health_state, last_success_at, last_error, connected_at, updated_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'healthy', $9, '', $9, $9)
    ON CONFLICT (org_id, is_test) DO UPDATE
    SET business_account_id = excluded.business_account_id,
        display_number = excluded.display_number, verified_name = excluded.verified_name,
        secrets_ciphertext = excluded.secrets_ciphertext, health_state = 'healthy',
        last_success_at = excluded.last_success_at, last_error = '', last_error_at = NULL,
        updated_at = excluded.updated_at
    WHERE whatsapp_connections.phone_number_id = excluded.phone_number_id
    RETURNING 1
"""

DELETE_CONNECTION = """
    DELETE FROM whatsapp_connections WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

RENEW_SECRETS = """
    UPDATE whatsapp_connections SET secrets_ciphertext = $5
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND secrets_ciphertext = $4
"""

NOTE_SUCCESS = """
    UPDATE whatsapp_connections SET health_state = 'healthy', last_success_at = $4::timestamptz
    WHERE org_id = $1 AND is_test = $2 AND id = $3
        AND (
            health_state <> 'healthy' OR last_success_at IS NULL
            OR last_success_at < $4::timestamptz - $5::interval
        )
"""

NOTE_FAULT = """
    UPDATE whatsapp_connections
    SET health_state = 'failing', last_error = $5, last_error_at = $4::timestamptz
    WHERE org_id = $1 AND is_test = $2 AND id = $3
        AND (
            health_state <> 'failing' OR last_error <> $5
            OR last_error_at < $4::timestamptz - $6::interval
        )
"""

NOTE_WEBHOOK = """
    UPDATE whatsapp_connections SET webhook_last_at = $4::timestamptz
    WHERE org_id = $1 AND is_test = $2 AND id = $3
        AND (webhook_last_at IS NULL OR webhook_last_at < $4::timestamptz - $5::interval)
"""

SELECT_NOTICES = """
    SELECT notices FROM whatsapp_settings WHERE org_id = $1 AND is_test = $2
"""

# The row is there from now on, so that it can be locked.
ENSURE_NOTICES = """
    INSERT INTO whatsapp_settings (org_id, is_test, notices, updated_at)
    VALUES ($1, $2, '{}', $3)
    ON CONFLICT (org_id, is_test) DO NOTHING
"""

UPDATE_NOTICES = """
    UPDATE whatsapp_settings SET notices = $3, updated_at = $4 WHERE org_id = $1 AND is_test = $2
"""

# Of two texts the later one counts, in whatever order they come; at one instant the wish for none.
NOTE_WISHES = """
    INSERT INTO whatsapp_opt_outs (org_id, is_test, phone, is_out, said_at)
    SELECT $1, $2, wish.phone, wish.is_out, wish.said_at
    FROM unnest($3::text[], $4::boolean[], $5::timestamptz[]) AS wish (phone, is_out, said_at)
    ORDER BY wish.phone
    ON CONFLICT (org_id, is_test, phone) DO UPDATE
    SET is_out = excluded.is_out, said_at = excluded.said_at
    WHERE whatsapp_opt_outs.said_at < excluded.said_at
        OR (whatsapp_opt_outs.said_at = excluded.said_at AND excluded.is_out)
    RETURNING 1
"""

SELECT_OUT = """
    SELECT phone FROM whatsapp_opt_outs
    WHERE org_id = $1 AND is_test = $2 AND phone = ANY ($3::text[]) AND is_out
"""


async def load(tx: Transaction, lock: RowLock = RowLock.NONE) -> Connection | None:
    """The connection of the transaction's mode."""
    row = await tx.fetchrow(f"{SELECT_CONNECTION} {lock}")
    return None if row is None else _connection(row)


async def put(
    tx: Transaction,
    connection_id: WhatsAppConnectionId,
    *,
    ids: tuple[str, str],
    shown: tuple[str, str],
    secrets_ciphertext: bytes,
) -> bool:
    """Store a connection, or new secrets of the same number; False where another one is there.

    `ids` are those of the number and of its account; `shown` is how it is written, and its name.
    """
    found = await tx.fetch(
        PUT_CONNECTION, connection_id, *ids, *shown, secrets_ciphertext, tx.real_now
    )
    return bool(found)


async def delete(tx: Transaction, connection_id: WhatsAppConnectionId) -> None:
    """Forget a connection and its secrets."""
    await tx.execute(DELETE_CONNECTION, connection_id)


async def renew_secrets(
    tx: Transaction, connection_id: WhatsAppConnectionId, *, before: bytes, after: bytes
) -> None:
    """Store the same secrets under another key, unless they changed meanwhile."""
    await tx.execute(RENEW_SECRETS, connection_id, before, after)


async def note_success(tx: Transaction, connection_id: WhatsAppConnectionId) -> None:
    """Note that WhatsApp took a message."""
    await tx.execute(NOTE_SUCCESS, connection_id, tx.real_now, NOTED_EVERY)


async def note_fault(tx: Transaction, connection_id: WhatsAppConnectionId, reason: str) -> None:
    """Note why WhatsApp takes nothing until somebody mends it."""
    await tx.execute(NOTE_FAULT, connection_id, tx.real_now, reason, NOTED_EVERY)


async def note_webhook(tx: Transaction, connection_id: WhatsAppConnectionId) -> None:
    """Note that a webhook came."""
    await tx.execute(NOTE_WEBHOOK, connection_id, tx.real_now, NOTED_EVERY)


async def load_notices(tx: Transaction, lock: RowLock = RowLock.NONE) -> str | None:
    """The stored settings, as JSON; None where nobody set any."""
    if lock is not RowLock.NONE:
        await tx.execute(ENSURE_NOTICES, tx.real_now)
    return await tx.fetchval(f"{SELECT_NOTICES} {lock}")


async def update_notices(tx: Transaction, notices: str) -> None:
    """Store settings that were loaded with a lock."""
    await tx.execute(UPDATE_NOTICES, notices, tx.real_now)


async def note_wishes(tx: Transaction, wishes: Mapping[str, tuple[bool, datetime]]) -> None:
    """Note what the owners of phones said last: whether they want no messages, and when."""
    if wishes:
        phones = sorted(wishes)
        said = [wishes[phone] for phone in phones]
        await tx.fetch(NOTE_WISHES, phones, [one[0] for one in said], [one[1] for one in said])


async def opted_out(tx: Transaction, phones: Sequence[str]) -> set[str]:
    """Those of these phones whose owners want no messages."""
    return {row["phone"] for row in await tx.fetch(SELECT_OUT, phones)}


def _connection(row: asyncpg.Record) -> Connection:
    values = dict(row)
    return Connection(
        id=WhatsAppConnectionId(values.pop("id")),
        health=Health(values.pop("health_state")),
        **values,
    )

"""All SQL of WhatsApp messages."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from monigo.core.ids import CustomerId, WhatsAppMessageId
from monigo.core.paging import Page, PageRequest
from monigo.infra.db import RowLock, Transaction
from monigo.notifications.occasions import Occasion
from monigo.notifications.whatsapp.types import Message, MessageStatus

COLUMNS = """
    id, fact_id, customer_id, type, occasion::text AS occasion, status, phone, template, language,
    parameters, attempts, whatsapp_id, error_code, reason, created_at, sending_at, accepted_at,
    sent_at, delivered_at, read_at, failed_at, fell_back_at
"""

# A fact that was handled before has its message already.
INSERT_MESSAGES = """
    INSERT INTO whatsapp_messages (
        org_id, is_test, id, fact_id, customer_id, type, occasion, status, phone, template,
        language, parameters, attempts, whatsapp_id, reason, created_at
    )
    SELECT $1, $2, message.id, message.fact_id, message.customer_id, message.type,
        message.occasion::jsonb, 'waiting', '', '', '', '{}', 0, '', '', $8
    FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[])
        AS message (id, fact_id, customer_id, type, occasion)
    ON CONFLICT (org_id, is_test, fact_id) DO NOTHING
    RETURNING id
"""

SELECT_MESSAGES = f"""
    SELECT {COLUMNS} FROM whatsapp_messages
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
    ORDER BY id
"""

# WhatsApp's id is known of some, of others only ours.
SELECT_REPORTED = f"""
    SELECT {COLUMNS} FROM whatsapp_messages
    WHERE org_id = $1 AND is_test = $2
        AND (
            id = ANY ($3::uuid[])
            OR (whatsapp_id = ANY ($4::text[]) AND whatsapp_id <> '')
        )
    ORDER BY id
    {RowLock.CHANGE}
"""

UPDATE_MESSAGES = """
    UPDATE whatsapp_messages AS message
    SET status = changed.status, whatsapp_id = changed.whatsapp_id,
        error_code = changed.error_code, reason = changed.reason, attempts = changed.attempts,
        sending_at = changed.sending_at, accepted_at = changed.accepted_at,
        sent_at = changed.sent_at, delivered_at = changed.delivered_at,
        read_at = changed.read_at, failed_at = changed.failed_at,
        fell_back_at = changed.fell_back_at
    FROM unnest(
        $3::uuid[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::integer[],
        $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[],
        $13::timestamptz[], $14::timestamptz[], $15::timestamptz[]
    ) AS changed (
        id, status, whatsapp_id, error_code, reason, attempts, sending_at, accepted_at, sent_at,
        delivered_at, read_at, failed_at, fell_back_at
    )
    WHERE message.org_id = $1 AND message.is_test = $2 AND message.id = changed.id
"""

ADDRESS_MESSAGE = """
    UPDATE whatsapp_messages
    SET status = 'sending', phone = $4, template = $5, language = $6, parameters = $7,
        attempts = attempts + 1, sending_at = $8
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

# The newest first; ids rise with time.
SELECT_PAGE = f"""
    SELECT {COLUMNS} FROM whatsapp_messages
    WHERE org_id = $1 AND is_test = $2
    ORDER BY id DESC
    LIMIT $3 OFFSET $4
"""

COUNT = "SELECT count(*) FROM whatsapp_messages WHERE org_id = $1 AND is_test = $2"

COUNT_OF_CUSTOMERS = """
    SELECT customer_id, count(*) AS written FROM whatsapp_messages
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[]) AND created_at > $4
    GROUP BY customer_id
"""

DELETE_BEFORE = """
    DELETE FROM whatsapp_messages WHERE org_id = $1 AND is_test = $2 AND created_at < $3
"""

_CHANGED = (
    *("status", "whatsapp_id", "error_code", "reason", "attempts", "sending_at", "accepted_at"),
    *("sent_at", "delivered_at", "read_at", "failed_at", "fell_back_at"),
)


async def insert(tx: Transaction, messages: Sequence[Message]) -> set[UUID]:
    """Store new messages, waiting; the ids of those that are stored."""
    rows = await tx.fetch(
        INSERT_MESSAGES,
        [one.id for one in messages],
        [one.fact_id for one in messages],
        [one.customer_id for one in messages],
        [one.type for one in messages],
        [
            None if one.occasion is None else msgspec.json.encode(one.occasion).decode()
            for one in messages
        ],
        tx.real_now,
    )
    return {row["id"] for row in rows}


async def load(tx: Transaction, message_id: UUID, lock: RowLock = RowLock.NONE) -> Message | None:
    """A message."""
    found = await load_many(tx, [message_id], lock)
    return found[0] if found else None


async def load_many(
    tx: Transaction, ids: Sequence[UUID], lock: RowLock = RowLock.NONE
) -> list[Message]:
    """Messages by id."""
    return [_message(row) for row in await tx.fetch(f"{SELECT_MESSAGES} {lock}", ids)]


async def lock_reported(
    tx: Transaction, ids: Sequence[UUID], whatsapp_ids: Sequence[str]
) -> list[Message]:
    """Messages by our ids or WhatsApp's, locked."""
    return [_message(row) for row in await tx.fetch(SELECT_REPORTED, ids, whatsapp_ids)]


async def update(tx: Transaction, messages: Sequence[Message]) -> None:
    """Store what is known of locked messages."""
    if messages:
        columns = [[getattr(one, name) for one in messages] for name in _CHANGED]
        await tx.execute(UPDATE_MESSAGES, [one.id for one in messages], *columns)


async def address(tx: Transaction, message: Message) -> None:
    """Store to whom and in which words a locked message is sent now."""
    await tx.execute(
        ADDRESS_MESSAGE,
        message.id,
        message.phone,
        message.template,
        message.language,
        list(message.parameters),
        message.sending_at,
    )


async def list_page(tx: Transaction, request: PageRequest) -> Page[Message]:
    """Messages, newest first."""
    pages = tx.pieces(SELECT_PAGE, request.limit, request.offset)
    found = [_message(row) async for rows in pages for row in rows]
    return Page(found, await tx.fetchval(COUNT), request.offset)


async def count_since(
    tx: Transaction, customer_ids: Sequence[CustomerId], since: datetime
) -> dict[CustomerId, int]:
    """How many messages customers were written to since then."""
    rows = await tx.fetch(COUNT_OF_CUSTOMERS, customer_ids, since)
    return {CustomerId(row["customer_id"]): row["written"] for row in rows}


async def delete_before(tx: Transaction, instant: datetime) -> None:
    """Delete older messages."""
    await tx.execute(DELETE_BEFORE, instant)


def _message(row: asyncpg.Record) -> Message:
    values = dict(row)
    occasion = values.pop("occasion")
    return Message(
        id=WhatsAppMessageId(values.pop("id")),
        customer_id=CustomerId(values.pop("customer_id")),
        status=MessageStatus(values.pop("status")),
        parameters=tuple(values.pop("parameters")),
        occasion=None if occasion is None else msgspec.json.decode(occasion, type=Occasion),
        **values,
    )

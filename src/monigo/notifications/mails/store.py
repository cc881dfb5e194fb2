"""All SQL of mails to customers, and of addresses that get none."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from monigo.core.ids import CustomerId, CustomerMailId, MailSuppressionId
from monigo.core.paging import Page, PageRequest
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.notifications.mails.types import (
    CustomerMail,
    MailStatus,
    NotSent,
    Suppression,
    SuppressionReason,
)
from monigo.notifications.occasions import Occasion
from monigo.tenancy import MailType

COLUMNS = """
    id, customer_id, type, occasion::text AS occasion, status, reason, recipient, locale, subject,
    created_at, send_at, settled_at
"""

# A fact that comes again makes no other mail.
INSERT = """
    INSERT INTO customer_mails (
        org_id, is_test, id, fact_id, customer_id, type, occasion, status, reason, created_at,
        send_at, settled_at
    )
    SELECT $1, $2, made.id, made.fact_id, made.customer_id, made.type, made.occasion::jsonb,
        made.status, made.reason, $3::timestamptz, made.send_at,
        CASE WHEN made.status = 'not_sent' THEN $3::timestamptz END
    FROM unnest(
        $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[],
        $11::timestamptz[]
    ) AS made (id, fact_id, customer_id, type, occasion, status, reason, send_at)
    ON CONFLICT ON CONSTRAINT customer_mails_once_for_a_fact DO NOTHING
    RETURNING id, send_at, status
"""

SELECT_LAST = """
    SELECT wanted.customer_id, last.send_at
    FROM unnest($3::uuid[]) AS wanted (customer_id)
    CROSS JOIN LATERAL (
        SELECT send_at FROM customer_mails AS mail
        WHERE mail.org_id = $1 AND mail.is_test = $2 AND mail.customer_id = wanted.customer_id
            AND mail.status <> 'not_sent' AND mail.send_at > $4
        ORDER BY send_at DESC
        LIMIT $5
    ) AS last
    ORDER BY last.send_at
"""

LOCK_WAITING = f"""
    SELECT {COLUMNS} FROM customer_mails
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[]) AND status = 'waiting'
    ORDER BY send_at, id
    FOR UPDATE
"""

UPDATE_MADE = """
    UPDATE customer_mails
    SET status = 'sending', recipient = $4, locale = $5, subject = $6
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

UPDATE_HELD_BACK = """
    UPDATE customer_mails AS mail
    SET status = 'not_sent', reason = held.reason, settled_at = $3
    FROM unnest($4::uuid[], $5::text[]) AS held (id, reason)
    WHERE mail.org_id = $1 AND mail.is_test = $2 AND mail.id = held.id
"""

UPDATE_SETTLED = """
    UPDATE customer_mails SET status = $4, reason = $5, settled_at = $6
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND status = 'sending'
    RETURNING recipient
"""

MATCHING = """
    FROM customer_mails
    WHERE org_id = $1 AND is_test = $2
        AND ($3::uuid IS NULL OR customer_id = $3)
        AND ($4::text IS NULL OR status = $4)
"""

SELECT_PAGE = f"""
    SELECT {COLUMNS} {MATCHING}
    ORDER BY created_at DESC, id DESC
    LIMIT $5 OFFSET $6
"""

COUNT = f"SELECT count(*) {MATCHING}"

DELETE_BEFORE = """
    DELETE FROM customer_mails
    WHERE org_id = $1 AND is_test = $2 AND created_at < $3 AND status IN ('sent', 'not_sent')
"""

INSERT_SUPPRESSION = """
    INSERT INTO mail_suppressions (org_id, is_test, id, address, reason, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT ON CONSTRAINT mail_suppressions_once_for_a_reason DO NOTHING
"""

SELECT_SUPPRESSED = """
    SELECT address, reason FROM mail_suppressions
    WHERE org_id = $1 AND is_test = $2 AND address = ANY ($3::text[])
"""

SELECT_SUPPRESSIONS = """
    SELECT id, address, reason, created_at FROM mail_suppressions
    WHERE org_id = $1 AND is_test = $2
    ORDER BY created_at DESC, id DESC
    LIMIT $3 OFFSET $4
"""

COUNT_SUPPRESSIONS = """
    SELECT count(*) FROM mail_suppressions WHERE org_id = $1 AND is_test = $2
"""

DELETE_SUPPRESSION = """
    DELETE FROM mail_suppressions WHERE org_id = $1 AND is_test = $2 AND id = $3
    RETURNING id, address, reason, created_at
"""


class NewMail(msgspec.Struct, frozen=True):
    """A mail to be written down; without a time to send it, one beyond the customer's limit."""

    fact_id: UUID
    occasion: Occasion
    send_at: datetime | None


async def insert(tx: Transaction, mails: Sequence[NewMail]) -> dict[CustomerMailId, datetime]:
    """Write mails down, once for each fact; when those that are new are to be made."""
    rows = await tx.fetch(
        INSERT,
        tx.real_now,
        [new_id() for _ in mails],
        [mail.fact_id for mail in mails],
        [mail.occasion.customer_id for mail in mails],
        [mail.occasion.type.value for mail in mails],
        [msgspec.json.encode(mail.occasion).decode() for mail in mails],
        [(MailStatus.WAITING if mail.send_at else MailStatus.NOT_SENT).value for mail in mails],
        ["" if mail.send_at else NotSent.LIMIT.value for mail in mails],
        [mail.send_at or tx.real_now for mail in mails],
    )
    return {
        CustomerMailId(row["id"]): row["send_at"]
        for row in rows
        if row["status"] == MailStatus.WAITING
    }


async def load_last(
    tx: Transaction, customer_ids: Sequence[CustomerId], *, since: datetime, limit: int
) -> defaultdict[CustomerId, list[datetime]]:
    """When each customer's last mails were or are to be sent, ascending; `limit` of each."""
    last: defaultdict[CustomerId, list[datetime]] = defaultdict(list)
    for row in await tx.fetch(SELECT_LAST, customer_ids, since, limit):
        last[CustomerId(row["customer_id"])].append(row["send_at"])
    return last


async def lock_waiting(tx: Transaction, mail_ids: Sequence[UUID]) -> list[CustomerMail]:
    """Those of these mails that wait to be made, in their order, locked."""
    return [_mail(row) for row in await tx.fetch(LOCK_WAITING, mail_ids)]


async def note_made(
    tx: Transaction, mail_id: CustomerMailId, *, recipient: str, locale: str, subject: str
) -> None:
    """Note that a mail was handed over to be sent."""
    await tx.execute(UPDATE_MADE, mail_id, recipient, locale, subject)


async def note_held_back(tx: Transaction, reasons: Mapping[CustomerMailId, NotSent]) -> None:
    """Note why mails are not made."""
    if reasons:
        values = [reason.value for reason in reasons.values()]
        await tx.execute(UPDATE_HELD_BACK, tx.real_now, list(reasons), values)


async def settle(tx: Transaction, mail_id: UUID, status: MailStatus, reason: str) -> str | None:
    """Note how a mail ended; to whom it went, None for a mail that is no customer's."""
    return await tx.fetchval(UPDATE_SETTLED, mail_id, status.value, reason, tx.real_now)


async def list_page(
    tx: Transaction,
    request: PageRequest,
    *,
    customer_id: CustomerId | None,
    status: MailStatus | None,
) -> Page[CustomerMail]:
    """Mails that match, newest first."""
    matching = customer_id, None if status is None else status.value
    rows = await tx.fetch(SELECT_PAGE, *matching, request.limit, request.offset)
    return Page([_mail(row) for row in rows], await tx.fetchval(COUNT, *matching), request.offset)


async def delete_before(tx: Transaction, instant: datetime) -> None:
    """Delete mails of before that have ended."""
    await tx.execute(DELETE_BEFORE, instant)


async def suppress(tx: Transaction, address: str, reason: SuppressionReason) -> None:
    """Note that an address gets no mails; once for each reason."""
    values = (MailSuppressionId(new_id()), address, reason.value, tx.real_now)
    await tx.execute(INSERT_SUPPRESSION, *values)


async def load_suppressed(
    tx: Transaction, addresses: Iterable[str]
) -> Mapping[str, Collection[SuppressionReason]]:
    """Why some of these addresses get no mails; the others are absent."""
    found: defaultdict[str, set[SuppressionReason]] = defaultdict(set)
    for row in await tx.fetch(SELECT_SUPPRESSED, list(addresses)):
        found[row["address"]].add(SuppressionReason(row["reason"]))
    return found


async def list_suppressions(tx: Transaction, request: PageRequest) -> Page[Suppression]:
    """Addresses that get no mails, newest first."""
    rows = await tx.fetch(SELECT_SUPPRESSIONS, request.limit, request.offset)
    found = [_suppression(row) for row in rows]
    return Page(found, await tx.fetchval(COUNT_SUPPRESSIONS), request.offset)


async def delete_suppression(tx: Transaction, suppression_id: UUID) -> Suppression | None:
    """Let an address get mails again."""
    row = await tx.fetchrow(DELETE_SUPPRESSION, suppression_id)
    return None if row is None else _suppression(row)


def _mail(row: asyncpg.Record) -> CustomerMail:
    values = dict(row)
    values["type"] = MailType(row["type"])
    values["occasion"] = msgspec.json.decode(row["occasion"], type=Occasion)
    values["status"] = MailStatus(row["status"])
    return CustomerMail(**values)


def _suppression(row: asyncpg.Record) -> Suppression:
    return Suppression(
        MailSuppressionId(row["id"]),
        row["address"],
        SuppressionReason(row["reason"]),
        row["created_at"],
    )

"""All SQL of provider events."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal

import asyncpg
from msgspec import Struct

from monigo.core.ids import ConnectionId, InvoiceId, ProviderEventId, RefundId, WalletId
from monigo.core.money import Money
from monigo.core.paging import Page, PageRequest
from monigo.infra.db import Transaction
from monigo.payments.events.types import OPEN, EventState, ProviderEvent, Summary
from monigo.providers.port import Kind, State

COLUMNS = """
    id, connection_id, provider, is_proven, state, reason, tries, kind, payment_state, reference,
    provider_id, rail_id, currency, amount, fee, fee_by_payer, occurred_at, account, is_confirmed,
    invoice_id, wallet_id, refund_id, received_at, handled_at
"""

# Nothing where the same bytes came before.
INSERT = """
    INSERT INTO provider_events (
        org_id, is_test, id, connection_id, provider, body_hash, letter_ciphertext, is_proven,
        state, reason, tries, kind, payment_state, reference, provider_id, rail_id, currency,
        account, is_confirmed, received_at
    )
    VALUES (
        $1, $2, $3, $4, $5, $6, $7, $8, 'received', '', 0, '', '', '', '', '', '', '', false, $9
    )
    ON CONFLICT (org_id, is_test, connection_id, body_hash) DO NOTHING
    RETURNING 1
"""

SELECT = f"SELECT {COLUMNS} FROM provider_events WHERE org_id = $1 AND is_test = $2 AND id = $3"

LOCK = f"""
    SELECT {COLUMNS} FROM provider_events
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
    ORDER BY id
    FOR UPDATE
"""

SELECT_LETTERS = """
    SELECT id, letter_ciphertext FROM provider_events
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

UPDATE = """
    UPDATE provider_events AS event
    SET state = made.state, reason = made.reason, tries = made.tries, kind = made.kind,
        payment_state = made.payment_state, reference = made.reference,
        provider_id = made.provider_id, rail_id = made.rail_id, currency = made.currency,
        amount = made.amount, fee = made.fee, fee_by_payer = made.fee_by_payer,
        occurred_at = made.occurred_at, account = made.account, is_confirmed = made.is_confirmed,
        invoice_id = made.invoice_id, wallet_id = made.wallet_id,
        refund_id = made.refund_id, handled_at = made.handled_at
    FROM unnest(
        $3::uuid[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::text[], $9::text[],
        $10::text[], $11::text[], $12::text[], $13::numeric[], $14::numeric[], $15::numeric[],
        $16::timestamptz[], $17::text[], $18::boolean[], $19::uuid[], $20::uuid[],
        $21::uuid[], $22::timestamptz[]
    ) AS made (
        id, state, reason, tries, kind, payment_state, reference, provider_id, rail_id, currency,
        amount, fee, fee_by_payer, occurred_at, account, is_confirmed, invoice_id, wallet_id,
        refund_id, handled_at
    )
    WHERE event.org_id = $1 AND event.is_test = $2 AND event.id = made.id
"""

# Only what is still open: another process may have handled it meanwhile.
FAIL = """
    UPDATE provider_events SET state = 'failed', reason = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND state = ANY ($5)
"""

MATCHING = """
    FROM provider_events
    WHERE org_id = $1 AND is_test = $2 AND ($3::uuid IS NULL OR connection_id = $3)
        AND ($4::text[] IS NULL OR state = ANY ($4))
"""

# Ids rise with time.
SELECT_PAGE = f"SELECT {COLUMNS} {MATCHING} ORDER BY id DESC LIMIT $5 OFFSET $6"

COUNT = f"SELECT count(*) {MATCHING}"

# Of one connection, so many at most.
SELECT_PARKED = """
    SELECT id, is_proven FROM provider_events
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND state = 'parked'
    ORDER BY id DESC
    LIMIT $4
"""

LOCK_OF_REFUND = f"""
    SELECT {COLUMNS} FROM provider_events
    WHERE org_id = $1 AND is_test = $2 AND refund_id = $3
    ORDER BY id
    FOR UPDATE
"""

# What waits, and says that the same money came.
LOCK_WAITING_OF_PAYMENT = f"""
    SELECT {COLUMNS} FROM provider_events
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND provider_id = $4
        AND state IN ('parked', 'failed') AND kind IN ('charge', 'deposit')
        AND payment_state = 'succeeded' AND provider_id <> ''
    ORDER BY id
    FOR UPDATE
"""

DELETE_BEFORE = """
    DELETE FROM provider_events
    WHERE org_id = $1 AND is_test = $2 AND received_at < $3 AND state = ANY ($4)
"""


class Arrival(Struct, frozen=True):
    """A webhook that is to be stored."""

    id: ProviderEventId
    connection_id: ConnectionId
    provider: str
    body_hash: bytes
    letter_ciphertext: bytes
    is_proven: bool
    received_at: datetime


async def insert_once(tx: Transaction, arrival: Arrival) -> bool:
    """Store a webhook; False where the same bytes came to the same connection before."""
    stored = await tx.fetchval(
        INSERT,
        arrival.id,
        arrival.connection_id,
        arrival.provider,
        arrival.body_hash,
        arrival.letter_ciphertext,
        arrival.is_proven,
        arrival.received_at,
    )
    return stored is not None


async def load(tx: Transaction, event_id: ProviderEventId) -> ProviderEvent | None:
    """An event, if there is one."""
    row = await tx.fetchrow(SELECT, event_id)
    return None if row is None else _event(row)


async def lock(tx: Transaction, event_id: ProviderEventId) -> ProviderEvent | None:
    """An event, if there is one, which stays as it is until the transaction ends."""
    return next(iter(await lock_all(tx, [event_id])), None)


async def lock_all(tx: Transaction, event_ids: Collection[ProviderEventId]) -> list[ProviderEvent]:
    """As `lock`, for several, in the order of their ids."""
    return [_event(row) for row in await tx.fetch(LOCK, list(event_ids))]


async def load_letters(
    tx: Transaction, event_ids: Collection[ProviderEventId]
) -> dict[ProviderEventId, bytes]:
    """The ciphertexts of what came."""
    rows = await tx.fetch(SELECT_LETTERS, list(event_ids))
    return {ProviderEventId(row["id"]): row["letter_ciphertext"] for row in rows}


async def update(tx: Transaction, events: Sequence[ProviderEvent]) -> None:
    """Write what became of events."""
    summaries = [one.summary for one in events]
    await tx.execute(
        UPDATE,
        [one.id for one in events],
        [one.state.value for one in events],
        [one.reason for one in events],
        [one.tries for one in events],
        [one.kind or "" for one in summaries],
        [one.state or "" for one in summaries],
        [one.reference for one in summaries],
        [one.provider_id for one in summaries],
        [one.rail_id for one in summaries],
        [_currency(one) for one in summaries],
        [_number(one.amount) for one in summaries],
        [_number(one.fee) for one in summaries],
        [_number(one.fee_by_payer) for one in summaries],
        [one.occurred_at for one in summaries],
        [one.account for one in summaries],
        [one.is_confirmed for one in summaries],
        [one.invoice_id for one in events],
        [one.wallet_id for one in events],
        [one.refund_id for one in events],
        [one.handled_at for one in events],
    )


async def fail(tx: Transaction, event_id: ProviderEventId, reason: str) -> None:
    """Note that an event could not be worked off, for an error of ours."""
    await tx.execute(FAIL, event_id, reason, [state.value for state in OPEN])


async def load_page(
    tx: Transaction,
    request: PageRequest,
    connection_id: ConnectionId | None,
    states: Sequence[EventState] | None,
) -> Page[ProviderEvent]:
    """Events that match, newest first."""
    names = None if states is None else [state.value for state in states]
    found = [
        _event(row)
        async for rows in tx.pieces(
            SELECT_PAGE, connection_id, names, request.limit, request.offset
        )
        for row in rows
    ]
    return Page(found, await tx.fetchval(COUNT, connection_id, names), request.offset)


async def list_parked(
    tx: Transaction, connection_id: ConnectionId, limit: int
) -> list[tuple[ProviderEventId, bool]]:
    """The newest parked events of a connection, and whether each is proven."""
    rows = await tx.fetch(SELECT_PARKED, connection_id, limit)
    return [(ProviderEventId(row["id"]), row["is_proven"]) for row in rows]


async def lock_of_refund(tx: Transaction, refund_id: RefundId) -> list[ProviderEvent]:
    """The events whose money goes back by a refund, locked."""
    return [_event(row) for row in await tx.fetch(LOCK_OF_REFUND, refund_id)]


async def lock_waiting_of_payment(
    tx: Transaction, connection_id: ConnectionId, provider_id: str
) -> list[ProviderEvent]:
    """The events that wait and say that a payment came, locked."""
    rows = await tx.fetch(LOCK_WAITING_OF_PAYMENT, connection_id, provider_id)
    return [_event(row) for row in rows]


async def delete_before(tx: Transaction, instant: datetime, states: Sequence[EventState]) -> None:
    """Delete events in these states that came before an instant."""
    await tx.execute(DELETE_BEFORE, instant, [state.value for state in states])


def _currency(summary: Summary) -> str:
    amounts = (summary.amount, summary.fee, summary.fee_by_payer)
    return next((one.currency for one in amounts if one is not None), "")


def _number(money: Money | None) -> Decimal | None:
    # Nought is a fee, too.
    return None if money is None else money.amount


def _event(row: asyncpg.Record) -> ProviderEvent:
    currency = row["currency"]
    amount, fee, fee_by_payer = (
        None if row[name] is None else Money(row[name], currency)
        for name in ("amount", "fee", "fee_by_payer")
    )
    summary = Summary(
        kind=Kind(row["kind"]) if row["kind"] else None,
        state=State(row["payment_state"]) if row["payment_state"] else None,
        reference=row["reference"],
        provider_id=row["provider_id"],
        rail_id=row["rail_id"],
        amount=amount,
        fee=fee,
        fee_by_payer=fee_by_payer,
        occurred_at=row["occurred_at"],
        account=row["account"],
        is_confirmed=row["is_confirmed"],
    )
    return ProviderEvent(
        id=ProviderEventId(row["id"]),
        connection_id=ConnectionId(row["connection_id"]),
        provider=row["provider"],
        is_proven=row["is_proven"],
        state=EventState(row["state"]),
        reason=row["reason"],
        summary=summary,
        tries=row["tries"],
        received_at=row["received_at"],
        handled_at=row["handled_at"],
        invoice_id=None if row["invoice_id"] is None else InvoiceId(row["invoice_id"]),
        wallet_id=None if row["wallet_id"] is None else WalletId(row["wallet_id"]),
        refund_id=None if row["refund_id"] is None else RefundId(row["refund_id"]),
    )

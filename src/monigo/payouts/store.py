"""The SQL of payouts: how far each final bill has come, its legs, and what was sent by when."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import asyncpg

from monigo.core.ids import (
    CustomerId,
    InvoiceId,
    PayoutAccountId,
    PayoutLegId,
    PayoutTransferId,
)
from monigo.core.money import Money
from monigo.infra.db import Transaction, joined
from monigo.payouts.types import Batch, BillPart, Hold, Leg, LegState, Part, Payout, PayoutState

COLUMNS = """
    bill_id, customer_id, currency, state, reason, hold_reason, held_by, held_at, initiated_by,
    initiated_at, created_at, updated_at
"""

SELECT = f"""
    SELECT {COLUMNS} FROM payouts
    WHERE org_id = $1 AND is_test = $2 AND bill_id = ANY ($3::uuid[])
"""

# What the payees of these bills have beside them, that waits to be carried.
SELECT_SMALL = """
    SELECT DISTINCT small.bill_id
    FROM payouts AS wanted
    JOIN payouts AS small ON small.org_id = $1 AND small.is_test = $2
        AND small.customer_id = wanted.customer_id AND small.currency = wanted.currency
        AND small.state = 'below_minimum' AND small.held_at IS NULL
    WHERE wanted.org_id = $1 AND wanted.is_test = $2 AND wanted.bill_id = ANY ($3::uuid[])
    ORDER BY small.bill_id
    LIMIT $4
"""

# Also those that are due: they may be found to lack something at this moment.
SELECT_BLOCKED = """
    SELECT bill_id FROM payouts
    WHERE org_id = $1 AND is_test = $2 AND state IN ('due', 'blocked')
        AND ($3::uuid[] IS NULL OR customer_id = ANY ($3))
    ORDER BY bill_id
    LIMIT $4
"""

INSERT = """
    INSERT INTO payouts (
        org_id, is_test, bill_id, customer_id, currency, state, reason, hold_reason, created_at,
        updated_at
    )
    SELECT $1, $2, one.bill_id, one.customer_id, one.currency, 'due', '', '', $6, $6
    FROM unnest($3::uuid[], $4::uuid[], $5::text[]) AS one (bill_id, customer_id, currency)
    RETURNING bill_id
"""

UPDATE = """
    UPDATE payouts
    SET state = one.state, reason = one.reason, hold_reason = one.hold_reason,
        held_by = one.held_by, held_at = one.held_at, initiated_by = one.initiated_by,
        initiated_at = one.initiated_at, updated_at = $11
    FROM unnest(
        $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::text[],
        $10::timestamptz[]
    ) AS one (
        bill_id, state, reason, hold_reason, held_by, held_at, initiated_by, initiated_at
    )
    WHERE payouts.org_id = $1 AND payouts.is_test = $2 AND payouts.bill_id = one.bill_id
"""

LEG_COLUMNS = """
    id, bill_id, position, customer_id, to_account_id, payee_id, currency, amount, state,
    is_in_flight, transfer_id, failure_code, failure_reason, created_at, sent_at, settled_at
"""

SELECT_LEGS = f"""
    SELECT {LEG_COLUMNS} FROM payout_legs
    WHERE org_id = $1 AND is_test = $2 AND bill_id = ANY ($3::uuid[])
    ORDER BY bill_id, position
"""

SELECT_BILLS_OF_LEGS = """
    SELECT DISTINCT bill_id FROM payout_legs
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

INSERT_LEGS = """
    INSERT INTO payout_legs (
        org_id, is_test, id, bill_id, position, customer_id, to_account_id, currency, amount,
        state, is_in_flight, failure_code, failure_reason, created_at
    )
    SELECT $1, $2, one.id, one.bill_id, one.position, one.customer_id, one.account_id,
        one.currency, one.amount, 'owed', false, '', '', $10
    FROM unnest(
        $3::uuid[], $4::uuid[], $5::integer[], $6::uuid[], $7::uuid[], $8::text[],
        string_to_array($9, ',')::numeric[]
    ) AS one (id, bill_id, position, customer_id, account_id, currency, amount)
    RETURNING id
"""

UPDATE_LEGS = """
    UPDATE payout_legs
    SET state = one.state, is_in_flight = one.is_in_flight, transfer_id = one.transfer_id,
        payee_id = one.payee_id, failure_code = one.failure_code,
        failure_reason = one.failure_reason, sent_at = one.sent_at, settled_at = one.settled_at
    FROM unnest(
        $3::uuid[], $4::text[], $5::boolean[], $6::uuid[], $7::uuid[], $8::text[], $9::text[],
        $10::timestamptz[], $11::timestamptz[]
    ) AS one (
        id, state, is_in_flight, transfer_id, payee_id, failure_code, failure_reason, sent_at,
        settled_at
    )
    WHERE payout_legs.org_id = $1 AND payout_legs.is_test = $2 AND payout_legs.id = one.id
"""

# Newest first, as their ids are.
SELECT_PARTS_OF_BILL = """
    SELECT part.transfer_id, sum(part.amount) AS amount, bool_or(part.is_excess) AS is_excess
    FROM payout_legs AS leg
    JOIN payout_parts AS part ON part.org_id = $1 AND part.is_test = $2 AND part.leg_id = leg.id
    WHERE leg.org_id = $1 AND leg.is_test = $2 AND leg.bill_id = $3
    GROUP BY part.transfer_id
    ORDER BY part.transfer_id DESC
"""

SELECT_PARTS = """
    SELECT transfer_id, leg_id, amount, is_excess FROM payout_parts
    WHERE org_id = $1 AND is_test = $2 AND transfer_id = ANY ($3::uuid[])
    ORDER BY transfer_id, leg_id
"""

SELECT_PARTS_OF_LEGS = """
    SELECT transfer_id, leg_id, amount, is_excess FROM payout_parts
    WHERE org_id = $1 AND is_test = $2 AND leg_id = ANY ($3::uuid[])
    ORDER BY leg_id, transfer_id
"""

INSERT_PARTS = """
    INSERT INTO payout_parts (org_id, is_test, transfer_id, leg_id, amount, is_excess)
    SELECT $1, $2, one.transfer_id, one.leg_id, one.amount, false
    FROM unnest($3::uuid[], $4::uuid[], string_to_array($5, ',')::numeric[])
        AS one (transfer_id, leg_id, amount)
    RETURNING leg_id
"""

MARK_EXCESS = """
    UPDATE payout_parts SET is_excess = one.is_excess
    FROM unnest($3::uuid[], $4::uuid[], $5::boolean[]) AS one (transfer_id, leg_id, is_excess)
    WHERE payout_parts.org_id = $1 AND payout_parts.is_test = $2
        AND payout_parts.transfer_id = one.transfer_id AND payout_parts.leg_id = one.leg_id
"""

# Who has had money at an account of theirs.
SELECT_PAID_BEFORE = """
    SELECT DISTINCT payee_id FROM payout_legs
    WHERE org_id = $1 AND is_test = $2 AND payee_id = ANY ($3::uuid[]) AND sent_at IS NOT NULL
        AND state = 'paid'
"""

SUM_SENT = """
    SELECT payee_id, sum(amount) AS amount FROM payout_legs
    WHERE org_id = $1 AND is_test = $2 AND payee_id = ANY ($3::uuid[]) AND sent_at >= $4
        AND currency = $5 AND state IN ('sending', 'paid')
    GROUP BY payee_id
"""

# Locks what is sent in an hour, so that two don't count upon the same room.
OPEN_BATCH = """
    INSERT INTO payout_batches (org_id, is_test, currency, hour, amount)
    VALUES ($1, $2, $3, date_trunc('hour', $4::timestamptz, 'UTC'), $5::numeric)
    ON CONFLICT (org_id, is_test, currency, hour)
        DO UPDATE SET amount = payout_batches.amount + excluded.amount
    RETURNING amount
"""

SELECT_LARGEST = """
    SELECT max(amount) FROM payout_batches
    WHERE org_id = $1 AND is_test = $2 AND currency = $3 AND amount > 0
        AND hour < date_trunc('hour', $4::timestamptz, 'UTC') AND hour >= $5
"""


async def load(tx: Transaction, bill_ids: Collection[UUID]) -> dict[InvoiceId, Payout]:
    """How far the payouts of these bills have come; bills without any are absent."""
    rows = await tx.fetch(SELECT, list(bill_ids))
    return {InvoiceId(row["bill_id"]): _payout(row) for row in rows}


async def small_beside(tx: Transaction, bill_ids: Collection[UUID], limit: int) -> list[InvoiceId]:
    """Bills of the same payees and currencies that wait to be carried by another payout."""
    rows = await tx.fetch(SELECT_SMALL, list(bill_ids), limit)
    return [InvoiceId(row["bill_id"]) for row in rows]


async def blocked_of(
    tx: Transaction, customer_ids: Collection[CustomerId] | None, limit: int
) -> list[InvoiceId]:
    """Bills that lack something without which nothing can be sent or may; None: of all."""
    wanted = None if customer_ids is None else list(customer_ids)
    rows = await tx.fetch(SELECT_BLOCKED, wanted, limit)
    return [InvoiceId(row["bill_id"]) for row in rows]


async def insert(tx: Transaction, bills: Sequence[tuple[InvoiceId, CustomerId, str]]) -> None:
    """Begin the payouts of bills."""
    bill_ids, customer_ids, currencies = zip(*bills, strict=True)
    await tx.execute(INSERT, bill_ids, customer_ids, currencies, tx.now)


async def update(tx: Transaction, payouts: Collection[Payout]) -> None:
    """Store changed payouts of locked bills."""
    if payouts:
        await tx.execute(
            UPDATE,
            [one.bill_id for one in payouts],
            [one.state.value for one in payouts],
            [one.reason[:500] for one in payouts],
            [one.hold.reason if one.hold else "" for one in payouts],
            [one.hold.by if one.hold else None for one in payouts],
            [one.hold.at if one.hold else None for one in payouts],
            [one.initiated_by for one in payouts],
            [one.initiated_at for one in payouts],
            tx.now,
        )


async def load_legs(tx: Transaction, bill_ids: Collection[UUID]) -> dict[InvoiceId, list[Leg]]:
    """The legs of each bill, in their order; bills without any are absent."""
    legs: dict[InvoiceId, list[Leg]] = {}
    for row in await tx.fetch(SELECT_LEGS, list(bill_ids)):
        legs.setdefault(InvoiceId(row["bill_id"]), []).append(_leg(row))
    return legs


async def bills_of_legs(tx: Transaction, leg_ids: Collection[PayoutLegId]) -> list[InvoiceId]:
    """The bills that these legs are of."""
    rows = await tx.fetch(SELECT_BILLS_OF_LEGS, list(leg_ids))
    return [InvoiceId(row["bill_id"]) for row in rows]


async def insert_legs(tx: Transaction, legs: Sequence[Leg]) -> None:
    """Store new legs of locked bills."""
    if legs:
        await tx.execute(
            INSERT_LEGS,
            [one.id for one in legs],
            [one.bill_id for one in legs],
            [one.position for one in legs],
            [one.customer_id for one in legs],
            [one.to_account_id for one in legs],
            [one.amount.currency for one in legs],
            joined(one.amount.amount for one in legs),
            tx.now,
        )


async def update_legs(tx: Transaction, legs: Collection[Leg]) -> None:
    """Store changed legs of locked bills."""
    if legs:
        await tx.execute(
            UPDATE_LEGS,
            [one.id for one in legs],
            [one.state.value for one in legs],
            [one.is_in_flight for one in legs],
            [one.transfer_id for one in legs],
            [one.payee_id for one in legs],
            [one.failure_code for one in legs],
            [one.failure_reason for one in legs],
            [one.sent_at for one in legs],
            [one.settled_at for one in legs],
        )


async def load_parts(
    tx: Transaction, transfer_ids: Collection[UUID]
) -> dict[PayoutTransferId, list[Part]]:
    """What each of these transfers pays."""
    parts: dict[PayoutTransferId, list[Part]] = {}
    for row in await tx.fetch(SELECT_PARTS, list(transfer_ids)):
        parts.setdefault(PayoutTransferId(row["transfer_id"]), []).append(_part(row))
    return parts


async def parts_of_legs(
    tx: Transaction, leg_ids: Collection[PayoutLegId]
) -> dict[PayoutLegId, list[Part]]:
    """What transfers pay or were to pay of each of these legs, the earliest first."""
    parts: dict[PayoutLegId, list[Part]] = {}
    for row in await tx.fetch(SELECT_PARTS_OF_LEGS, list(leg_ids)):
        parts.setdefault(PayoutLegId(row["leg_id"]), []).append(_part(row))
    return parts


async def parts_of(tx: Transaction, bill_id: UUID) -> list[BillPart]:
    """What each transfer was to pay of a bill, newest first."""
    return [
        BillPart(PayoutTransferId(row["transfer_id"]), row["amount"], row["is_excess"])
        for row in await tx.fetch(SELECT_PARTS_OF_BILL, bill_id)
    ]


async def insert_parts(tx: Transaction, parts: Sequence[Part]) -> None:
    """Store what new transfers pay."""
    if parts:
        await tx.execute(
            INSERT_PARTS,
            [one.transfer_id for one in parts],
            [one.leg_id for one in parts],
            joined(one.amount for one in parts),
        )


async def mark_excess(tx: Transaction, parts: Sequence[Part]) -> None:
    """Store which parts the payees have beside what was owed."""
    if parts:
        await tx.execute(
            MARK_EXCESS,
            [one.transfer_id for one in parts],
            [one.leg_id for one in parts],
            [one.is_excess for one in parts],
        )


async def paid_before(tx: Transaction, payee_ids: Collection[CustomerId]) -> set[CustomerId]:
    """Those of these payees who have had money before."""
    rows = await tx.fetch(SELECT_PAID_BEFORE, list(payee_ids))
    return {CustomerId(row["payee_id"]) for row in rows}


async def sent_since(
    tx: Transaction, payee_ids: Iterable[CustomerId], since: datetime, currency: str
) -> Mapping[CustomerId, Decimal]:
    """What was sent to payees in a currency since an instant; nothing, where one is absent."""
    rows = await tx.fetch(SUM_SENT, list(payee_ids), since, currency)
    return {CustomerId(row["payee_id"]): row["amount"] for row in rows}


async def open_batch(tx: Transaction, currency: str, earliest: datetime) -> Batch:
    """What is sent in a currency in this hour, locked; and at most in one before it."""
    sent = await tx.fetchval(OPEN_BATCH, currency, tx.now, Decimal(0))
    return Batch(sent, await tx.fetchval(SELECT_LARGEST, currency, tx.now, earliest))


async def add_to_batch(tx: Transaction, amount: Money) -> None:
    """Count what is sent to what is sent in this hour."""
    await tx.fetchval(OPEN_BATCH, amount.currency, tx.now, amount.amount)


def _payout(row: asyncpg.Record) -> Payout:
    hold = None
    if row["held_at"] is not None:
        hold = Hold(row["hold_reason"], row["held_by"], row["held_at"])
    return Payout(
        bill_id=InvoiceId(row["bill_id"]),
        customer_id=CustomerId(row["customer_id"]),
        currency=row["currency"],
        state=PayoutState(row["state"]),
        reason=row["reason"],
        hold=hold,
        initiated_by=row["initiated_by"],
        initiated_at=row["initiated_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _part(row: asyncpg.Record) -> Part:
    transfer_id, leg_id = PayoutTransferId(row["transfer_id"]), PayoutLegId(row["leg_id"])
    return Part(transfer_id, leg_id, row["amount"], row["is_excess"])


def _leg(row: asyncpg.Record) -> Leg:
    return Leg(
        id=PayoutLegId(row["id"]),
        bill_id=InvoiceId(row["bill_id"]),
        position=row["position"],
        customer_id=CustomerId(row["customer_id"]),
        to_account_id=row["to_account_id"] and PayoutAccountId(row["to_account_id"]),
        amount=Money(row["amount"], row["currency"]),
        state=LegState(row["state"]),
        is_in_flight=row["is_in_flight"],
        transfer_id=row["transfer_id"] and PayoutTransferId(row["transfer_id"]),
        payee_id=row["payee_id"] and CustomerId(row["payee_id"]),
        failure_code=row["failure_code"],
        failure_reason=row["failure_reason"],
        created_at=row["created_at"],
        sent_at=row["sent_at"],
        settled_at=row["settled_at"],
    )

"""All SQL of reconciliation; of charges, payments and transfers it only reads."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from monigo.core.ids import ConnectionId, ReconciliationRowId
from monigo.core.money import Money
from monigo.core.paging import Page, PageRequest
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.payments.reconciliation.types import (
    Difference,
    DifferenceKind,
    ListedAs,
    Look,
    NextStep,
    OurCharge,
    OurPayment,
    Ours,
    OurTransfer,
    ReconciliationRow,
)

SELECT_CHARGES = """
    SELECT id, reference, state, settled_at IS NULL AS is_live, currency, amount
    FROM charges
    WHERE org_id = $1 AND is_test = $2 AND reference = ANY ($4) AND connection_id = $3
"""

PAYMENTS = """
    SELECT payment.id, payment.provider_id, coalesce(charge.reference, '') AS reference,
        payment.currency, payment.amount, payment.reversed,
        coalesce(payment.occurred_at, charge.submitted_at) AS at
    FROM payments AS payment
    LEFT JOIN charges AS charge
        ON charge.org_id = payment.org_id AND charge.is_test = payment.is_test
            AND charge.id = payment.charge_id
    WHERE payment.org_id = $1 AND payment.is_test = $2 AND payment.connection_id = $3
"""

SELECT_PAYMENTS = f"{PAYMENTS} AND payment.provider_id = ANY ($4)"

# Of a span, a few at a time, by the provider's id. A list has nothing that was begun before it.
SELECT_SPAN = f"""
    {PAYMENTS}
        AND coalesce(payment.occurred_at, charge.submitted_at) >= $4
        AND coalesce(payment.occurred_at, charge.submitted_at) < $5
        AND coalesce(charge.submitted_at, payment.occurred_at) >= $4
        AND payment.provider_id > $6
    ORDER BY payment.provider_id
    LIMIT $7
"""

TRANSFERS = """
    SELECT reference, provider_id, state, settled_at IS NULL AS is_live, currency, amount,
        fee IS NOT NULL AS has_fee, coalesce(submitted_at, created_at) AS at
    FROM transfers
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3
"""

SELECT_TRANSFERS = f"{TRANSFERS} AND reference = ANY ($4)"

# Paid ones of a span, a few at a time.
SELECT_TRANSFERS_SPAN = f"""
    {TRANSFERS}
        AND state = 'succeeded' AND submitted_at >= $4 AND submitted_at < $5 AND reference > $6
    ORDER BY reference
    LIMIT $7
"""

HAS_TRANSFERS = """
    SELECT EXISTS (
        SELECT FROM transfers WHERE org_id = $1 AND is_test = $2 AND connection_id = $3
            AND sent_at >= $4
    )
"""

UPSERT = """
    INSERT INTO reconciliation_rows (
        org_id, is_test, id, connection_id, kind, subject, reference, provider_id, our_state,
        our_amount, our_currency, their_state, their_amount, their_currency, next_step, reason,
        occurred_at, found_at, seen_at, settled_at, listed_as
    )
    VALUES (
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18, $19,
        $20
    )
    ON CONFLICT (org_id, is_test, connection_id, kind, subject) DO UPDATE
    SET our_state = excluded.our_state, our_amount = excluded.our_amount,
        our_currency = excluded.our_currency, their_state = excluded.their_state,
        their_amount = excluded.their_amount, their_currency = excluded.their_currency,
        next_step = excluded.next_step, reason = excluded.reason, seen_at = excluded.seen_at,
        settled_at = excluded.settled_at
"""

# What a whole look over their time did not find again.
SETTLE_UNSEEN = """
    UPDATE reconciliation_rows SET settled_at = $6
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3 AND settled_at IS NULL
        AND occurred_at >= $4 AND seen_at < $5 AND listed_as = $7
"""

MATCHING = """
    FROM reconciliation_rows
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3
        AND ($4::boolean IS NULL OR (settled_at IS NULL) = $4)
"""

SELECT_PAGE = f"""
    SELECT id, connection_id, kind, subject, reference, provider_id, our_state, our_amount,
        our_currency, their_state, their_amount, their_currency, next_step, reason, occurred_at,
        found_at, seen_at, settled_at, listed_as
    {MATCHING}
    ORDER BY id DESC
    LIMIT $5 OFFSET $6
"""

COUNT = f"SELECT count(*) {MATCHING}"

SAVE_LOOK = """
    INSERT INTO reconciliation_looks (
        org_id, is_test, connection_id, since, until, listed, finished_at
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (org_id, is_test, connection_id) DO UPDATE
    SET since = excluded.since, until = excluded.until, listed = excluded.listed,
        finished_at = excluded.finished_at
"""

SELECT_LOOK = """
    SELECT since, until, listed, finished_at FROM reconciliation_looks
    WHERE org_id = $1 AND is_test = $2 AND connection_id = $3
"""

SELECT_CONNECTIONS = """
    SELECT connection_id FROM payment_credentials
    WHERE org_id = $1 AND is_test = $2 AND keys_ciphertext IS NOT NULL
    ORDER BY connection_id
"""


async def load_ours(
    tx: Transaction,
    connection_id: ConnectionId,
    references: Sequence[str],
    provider_ids: Sequence[str],
) -> Ours:
    """What we have under these references, and of these ids of the provider's."""
    charges = await tx.fetch(SELECT_CHARGES, connection_id, references)
    payments = await tx.fetch(SELECT_PAYMENTS, connection_id, provider_ids)
    return Ours(
        {row["reference"]: _charge(row) for row in charges},
        {row["provider_id"]: _payment(row) for row in payments},
    )


async def payments_of_span(
    tx: Transaction,
    connection_id: ConnectionId,
    since: datetime,
    until: datetime,
    *,
    after: str,
    limit: int,
) -> list[OurPayment]:
    """The next payments of a span of real time, in the order of the provider's ids."""
    rows = await tx.fetch(SELECT_SPAN, connection_id, since, until, after, limit)
    return [_payment(row) for row in rows]


async def our_transfers(
    tx: Transaction, connection_id: ConnectionId, references: Sequence[str]
) -> dict[str, OurTransfer]:
    """The transfers that we have under these references."""
    rows = await tx.fetch(SELECT_TRANSFERS, connection_id, references)
    return {row["reference"]: _transfer(row) for row in rows}


async def transfers_of_span(
    tx: Transaction,
    connection_id: ConnectionId,
    since: datetime,
    until: datetime,
    *,
    after: str,
    limit: int,
) -> list[OurTransfer]:
    """The next transfers that were paid and sent first in a span, in the order of references."""
    rows = await tx.fetch(SELECT_TRANSFERS_SPAN, connection_id, since, until, after, limit)
    return [_transfer(row) for row in rows]


async def has_transfers(tx: Transaction, connection_id: ConnectionId, since: datetime) -> bool:
    """Whether anything was sent through a connection since then."""
    return bool(await tx.fetchval(HAS_TRANSFERS, connection_id, since))


async def save(
    tx: Transaction,
    connection_id: ConnectionId,
    difference: Difference,
    settled_at: datetime | None,
) -> None:
    """Note a difference, or see it again."""
    ours, theirs = difference.our_amount, difference.their_amount
    await tx.execute(
        UPSERT,
        new_id(),
        connection_id,
        difference.kind.value,
        difference.subject,
        difference.reference,
        difference.provider_id,
        difference.our_state,
        None if ours is None else ours.amount,
        "" if ours is None else ours.currency,
        difference.their_state,
        None if theirs is None else theirs.amount,
        "" if theirs is None else theirs.currency,
        difference.next_step.value,
        difference.reason,
        difference.occurred_at,
        tx.real_now,
        settled_at,
        difference.listed_as.value,
    )


async def settle_unseen(
    tx: Transaction,
    connection_id: ConnectionId,
    listed_as: ListedAs,
    *,
    since: datetime,
    before: datetime,
) -> None:
    """Settle differences of a list since an instant that were last seen before another."""
    await tx.execute(SETTLE_UNSEEN, connection_id, since, before, tx.real_now, listed_as.value)


async def load_page(
    tx: Transaction, connection_id: ConnectionId, request: PageRequest, *, is_open: bool | None
) -> Page[ReconciliationRow]:
    """Differences, newest first."""
    rows = await tx.fetch(SELECT_PAGE, connection_id, is_open, request.limit, request.offset)
    total = await tx.fetchval(COUNT, connection_id, is_open)
    return Page([_row(row) for row in rows], total, request.offset)


async def save_look(tx: Transaction, connection_id: ConnectionId, look: Look) -> None:
    """Note a whole look at a connection's list."""
    await tx.execute(SAVE_LOOK, connection_id, look.since, look.until, look.rows, look.finished_at)


async def load_look(tx: Transaction, connection_id: ConnectionId) -> Look | None:
    """The last whole look at a connection's list."""
    row = await tx.fetchrow(SELECT_LOOK, connection_id)
    return None if row is None else Look(*row)


async def connections_with_keys(tx: Transaction) -> list[ConnectionId]:
    """The connections that have keys of the transaction's mode."""
    return [ConnectionId(row["connection_id"]) for row in await tx.fetch(SELECT_CONNECTIONS)]


def _charge(row: asyncpg.Record) -> OurCharge:
    amount = Money(row["amount"], row["currency"])
    return OurCharge(row["id"], row["reference"], row["state"], row["is_live"], amount)


def _payment(row: asyncpg.Record) -> OurPayment:
    return OurPayment(
        row["id"],
        row["provider_id"],
        row["reference"],
        Money(row["amount"], row["currency"]),
        row["reversed"],
        row["at"],
    )


def _transfer(row: asyncpg.Record) -> OurTransfer:
    return OurTransfer(
        row["reference"],
        row["provider_id"],
        row["state"],
        row["is_live"],
        Money(row["amount"], row["currency"]),
        row["has_fee"],
        row["at"],
    )


def _money(amount: object, currency: str) -> Money | None:
    return None if amount is None else Money(amount, currency)  # pyright: ignore[reportArgumentType] - numeric


def _row(row: asyncpg.Record) -> ReconciliationRow:
    difference = Difference(
        kind=DifferenceKind(row["kind"]),
        listed_as=ListedAs(row["listed_as"]),
        subject=row["subject"],
        reference=row["reference"],
        provider_id=row["provider_id"],
        our_state=row["our_state"],
        our_amount=_money(row["our_amount"], row["our_currency"]),
        their_state=row["their_state"],
        their_amount=_money(row["their_amount"], row["their_currency"]),
        next_step=NextStep(row["next_step"]),
        reason=row["reason"],
        occurred_at=row["occurred_at"],
    )
    return ReconciliationRow(
        id=ReconciliationRowId(row["id"]),
        connection_id=ConnectionId(row["connection_id"]),
        difference=difference,
        found_at=row["found_at"],
        seen_at=row["seen_at"],
        settled_at=row["settled_at"],
    )

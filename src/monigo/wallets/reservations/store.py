"""The SQL of reservations."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import asyncpg

from monigo.core.ids import ReservationId, WalletId
from monigo.core.paging import Page, PageRequest
from monigo.infra import json
from monigo.infra.db import Transaction
from monigo.wallets.reservations.types import Reservation, ReservationStatus

COLUMNS = """
    id, wallet_id, currency, amount, captured_amount, status, description, reference_type,
    reference_id, metadata, expires_at, created_at, updated_at, settled_at
"""

INSERT = """
    INSERT INTO wallet_reservations (
        org_id, is_test, id, wallet_id, currency, amount, captured_amount, status, description,
        reference_type, reference_id, metadata, expires_at, created_at, updated_at
    ) VALUES ($1, $2, $3, $4, $5, $6, 0, 'open', $7, $8, $9, $10, $11, $12, $12)
"""

SELECT = f"""
    SELECT {COLUMNS} FROM wallet_reservations
    WHERE org_id = $1 AND is_test = $2 AND wallet_id = $3 AND id = $4
"""

SELECT_PAGE = f"""
    SELECT {COLUMNS} FROM wallet_reservations
    WHERE org_id = $1 AND is_test = $2 AND wallet_id = $3
    ORDER BY created_at DESC, id DESC
    LIMIT $4 OFFSET $5
"""

COUNT = """
    SELECT count(*) FROM wallet_reservations
    WHERE org_id = $1 AND is_test = $2 AND wallet_id = $3
"""

SELECT_WALLETS = """
    SELECT id, wallet_id FROM wallet_reservations
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

SETTLE = f"""
    UPDATE wallet_reservations
    SET status = $4, captured_amount = $5, updated_at = $6, settled_at = $6
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[]) AND status = 'open'
    RETURNING {COLUMNS}
"""


async def insert(tx: Transaction, reservation: Reservation) -> None:
    """Store a new, open reservation."""
    await tx.execute(
        INSERT,
        reservation.id,
        reservation.wallet_id,
        reservation.currency,
        reservation.amount,
        reservation.description,
        reservation.reference_type,
        reservation.reference_id,
        json.encode(reservation.metadata),
        reservation.expires_at,
        tx.now,
    )


async def load(tx: Transaction, wallet_id: UUID, reservation_id: UUID) -> Reservation | None:
    """A wallet's reservation."""
    row = await tx.fetchrow(SELECT, wallet_id, reservation_id)
    return None if row is None else _reservation(row)


async def list_page(tx: Transaction, wallet_id: UUID, request: PageRequest) -> Page[Reservation]:
    """A wallet's reservations, newest first."""
    pages = tx.pieces(SELECT_PAGE, wallet_id, request.limit, request.offset)
    found = [_reservation(row) async for rows in pages for row in rows]
    total = await tx.fetchval(COUNT, wallet_id)
    return Page(found, total, request.offset)


async def wallets_of(tx: Transaction, reservation_ids: Sequence[UUID]) -> dict[UUID, WalletId]:
    """The wallets of reservations."""
    rows = await tx.fetch(SELECT_WALLETS, reservation_ids)
    return {row["id"]: WalletId(row["wallet_id"]) for row in rows}


async def settle(
    tx: Transaction,
    reservation_ids: Sequence[UUID],
    status: ReservationStatus,
    captured: Decimal | None = None,
) -> list[Reservation]:
    """End those of these reservations that are still open; returns them as they are now."""
    rows = await tx.fetch(SETTLE, reservation_ids, status.value, captured or Decimal(0), tx.now)
    return [_reservation(row) for row in rows]


def _reservation(row: asyncpg.Record) -> Reservation:
    return Reservation(
        id=ReservationId(row["id"]),
        wallet_id=WalletId(row["wallet_id"]),
        currency=row["currency"],
        amount=row["amount"],
        captured_amount=row["captured_amount"],
        status=ReservationStatus(row["status"]),
        description=row["description"],
        reference_type=row["reference_type"],
        reference_id=row["reference_id"],
        metadata=json.decode(row["metadata"]),
        expires_at=row["expires_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        settled_at=row["settled_at"],
    )

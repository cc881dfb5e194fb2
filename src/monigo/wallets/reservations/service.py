"""Reservations: money held for a payment in flight, then captured, released or expired.

What is held lies in the wallet's reserved account, so that nothing else can spend it. Every change
of a reservation is made while its wallet is locked.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from msgspec.structs import replace

from monigo.core.errors import ensure, invalid, not_found
from monigo.core.ids import ReservationId, TransactionId
from monigo.core.money import Money, format_money
from monigo.core.paging import Page, PageRequest
from monigo.core.times import format_instant
from monigo.infra import agenda
from monigo.infra.agenda import Entry
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.ledger import Direction, EntryType, KeptRequest, RequestKey
from monigo.wallets import due, movements, service
from monigo.wallets.movements import MovementBatch, content_hash, wallet_then
from monigo.wallets.reservations import store
from monigo.wallets.reservations.rules import check_capture, check_open
from monigo.wallets.reservations.types import (
    Reservation,
    ReservationRequest,
    ReservationResult,
    ReservationStatus,
)
from monigo.wallets.types import AskedFor, Movement, Wallet

# A checkout takes minutes; what nobody settles is not held for longer than a customer would wait.
USUAL_SECONDS = 3_600
# The longest that card networks hold an amount.
SECONDS_MAX = 30 * 86_400
REFERENCE = "reservation"


async def reserve(tx: Transaction, wanted: ReservationRequest) -> ReservationResult:
    """Hold part of a wallet's balance; a repeat gets the first answer.

    Raises:
        DomainError: not_found; invalid; insufficient; conflict, when the wallet is not active or
            the key was used for something else.
    """
    key, content = RequestKey(wanted.wallet_id, wanted.idempotency_key), _content(wanted)
    batch = await movements.lock(tx, [wanted.wallet_id], [key])
    wallet = batch.wallet(wanted.wallet_id)
    kept = batch.find_repeated(key, content)
    if kept is not None:
        return await _repeated(tx, wallet, kept)
    reservation = _new(tx, wanted)
    decided = batch.decide(
        replace(
            _whole(reservation, EntryType.RESERVATION),
            idempotency_key=wanted.idempotency_key,
            asked_for=AskedFor(content, {"reservation_id": str(reservation.id)}),
        )
    )
    await store.insert(tx, reservation)
    await agenda.put(tx, due.RESERVATION_EXPIRY, {reservation.id: reservation.expires_at})
    transfers = await batch.post()
    tx.changed(None, reservation)
    return ReservationResult(reservation, decided.wallet, transfers)


async def capture(
    tx: Transaction, wallet_id: UUID, reservation_id: UUID, amount: Decimal | None = None
) -> ReservationResult:
    """Spend what is held, or part of it; the rest becomes spendable again.

    Raises:
        DomainError: not_found; conflict, when it is settled or has expired, or the wallet is not
            active; invalid, when more is asked for than is held.
    """
    batch, reservation = await _locked(tx, wallet_id, reservation_id)
    captured = reservation.amount if amount is None else amount
    check_capture(reservation, captured, tx.now)
    release = replace(
        _whole(reservation, EntryType.RELEASE), transaction_id=TransactionId(new_id())
    )
    usage = replace(
        release,
        direction=Direction.DEBIT,
        amount=Money(captured, reservation.currency),
        entry_type=EntryType.USAGE,
        reference_type=reservation.reference_type or REFERENCE,
        reference_id=reservation.reference_id or str(reservation.id),
        # Only payments by billing have no key; captures have one, whatever they refer to.
        idempotency_key=str(reservation.id),
        is_key_remembered=False,
        metadata=reservation.metadata,
    )
    return await _settle(
        tx,
        batch,
        reservation,
        [release, usage],
        status=ReservationStatus.CAPTURED,
        captured=captured,
    )


async def release(tx: Transaction, wallet_id: UUID, reservation_id: UUID) -> ReservationResult:
    """Give up a reservation: what it holds becomes spendable again.

    Raises:
        DomainError: not_found; conflict, when it is settled.
    """
    batch, reservation = await _locked(tx, wallet_id, reservation_id)
    check_open(reservation)
    movement = _whole(reservation, EntryType.RELEASE)
    return await _settle(tx, batch, reservation, [movement], status=ReservationStatus.RELEASED)


async def list_reservations(
    tx: Transaction, wallet_id: UUID, request: PageRequest
) -> Page[Reservation]:
    """A wallet's reservations, newest first.

    Raises:
        DomainError: not_found.
    """
    wallet = await service.get(tx, wallet_id)
    return await store.list_page(tx, wallet.id, request)


async def expire_reservations(tx: Transaction, entries: Sequence[Entry]) -> set[UUID]:
    """Expire reservations: release what they hold. Reservations of locked wallets stay due.

    In a constant number of statements, however many wallets they belong to.
    """
    expired_ids = [entry.subject for entry in entries]
    wallet_ids = await store.wallets_of(tx, expired_ids)
    batch = await movements.lock_free(tx, set(wallet_ids.values()))
    free = [one for one, wallet_id in wallet_ids.items() if wallet_id in batch.wallets]
    # What was settled before we had the wallets is not open any more.
    for one in await store.settle(tx, free, ReservationStatus.EXPIRED):
        batch.decide(_whole(one, EntryType.RELEASE))
    await batch.post_unread()
    return set(wallet_ids) - set(free)


def _new(tx: Transaction, wanted: ReservationRequest) -> Reservation:
    expires_at = _expiry(wanted, tx.now)
    return Reservation(
        id=ReservationId(new_id()),
        wallet_id=wanted.wallet_id,
        currency=wanted.amount.currency,
        amount=wanted.amount.amount,
        captured_amount=Decimal(0),
        status=ReservationStatus.OPEN,
        description=wanted.description,
        reference_type=wanted.reference_type,
        reference_id=wanted.reference_id,
        metadata=wanted.metadata,
        expires_at=expires_at,
        created_at=tx.now,
        updated_at=tx.now,
        settled_at=None,
    )


def _expiry(wanted: ReservationRequest, now: datetime) -> datetime:
    latest = now + timedelta(seconds=SECONDS_MAX)
    if wanted.expires_at is None:
        seconds = wanted.expires_in_seconds
        seconds = USUAL_SECONDS if seconds is None else seconds
        if not 1 <= seconds <= SECONDS_MAX:
            raise invalid({"expires_in_seconds": f"must be from 1 to {SECONDS_MAX}"})
        return now + timedelta(seconds=seconds)
    if wanted.expires_in_seconds is not None:
        raise invalid({"expires_in_seconds": "can't be combined with expires_at"})
    if not now < wanted.expires_at <= latest:
        raise invalid({"expires_at": f"must lie ahead, by at most {SECONDS_MAX} seconds"})
    return wanted.expires_at


async def _repeated(tx: Transaction, wallet: Wallet, kept: KeptRequest) -> ReservationResult:
    """The first answer again: the reservation as it was made, whatever became of it."""
    made = await store.load(tx, wallet.id, UUID(kept.result["reservation_id"]))
    if made is None:
        raise not_found("reservation")
    then = replace(
        made,
        status=ReservationStatus.OPEN,
        captured_amount=Decimal(0),
        updated_at=made.created_at,
        settled_at=None,
    )
    return ReservationResult(then, wallet_then(wallet, kept.result), kept.transfers)


async def _locked(
    tx: Transaction, wallet_id: UUID, reservation_id: UUID
) -> tuple[MovementBatch, Reservation]:
    """A reservation and its wallet, locked."""
    batch = await movements.lock(tx, [wallet_id])
    wallet = batch.wallet(wallet_id)
    reservation = await store.load(tx, wallet.id, reservation_id)
    if reservation is None:
        raise not_found("reservation")
    return batch, reservation


async def _settle(
    tx: Transaction,
    batch: MovementBatch,
    reservation: Reservation,
    steps: Sequence[Movement],
    *,
    status: ReservationStatus,
    captured: Decimal = Decimal(0),
) -> ReservationResult:
    """End a reservation by the movements that it takes."""
    for step in steps:
        batch.decide(step)
    settled = await store.settle(tx, [reservation.id], status, captured)
    ensure(len(settled) == 1, "an open reservation of a locked wallet can be settled")
    await agenda.cancel(tx, due.RESERVATION_EXPIRY, [reservation.id])
    transfers = await batch.post()
    tx.changed(reservation, settled[0])
    return ReservationResult(settled[0], batch.wallet(reservation.wallet_id), transfers)


def _whole(reservation: Reservation, entry_type: EntryType) -> Movement:
    """The whole amount into what is held, or back out of it."""
    is_holding = entry_type is EntryType.RESERVATION
    return Movement(
        wallet_id=reservation.wallet_id,
        direction=Direction.DEBIT if is_holding else Direction.CREDIT,
        amount=Money(reservation.amount, reservation.currency),
        entry_type=entry_type,
        description=reservation.description,
        reference_type=REFERENCE,
        reference_id=str(reservation.id),
    )


def _content(wanted: ReservationRequest) -> bytes:
    expires_at = wanted.expires_at
    return content_hash(
        "reserve",
        {
            "amount": format_money(wanted.amount.amount),
            "currency": wanted.amount.currency,
            "expires_at": None if expires_at is None else format_instant(expires_at),
            "expires_in_seconds": wanted.expires_in_seconds,
            "description": wanted.description,
            "reference_type": wanted.reference_type,
            "reference_id": wanted.reference_id,
            "metadata": wanted.metadata,
        },
    )

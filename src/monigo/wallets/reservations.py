"""Reservations: money held for a payment in flight, then captured, released or expired.

What is held lies in the wallet's reserved account, so that nothing else can spend it. Every change
of a reservation is made while its wallet is locked.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from msgspec.structs import replace

from monigo import ledger
from monigo.core.errors import ensure, invalid, not_found
from monigo.core.ids import ReservationId, TransactionId
from monigo.core.money import format_money
from monigo.core.paging import Page, PageRequest
from monigo.core.times import format_instant
from monigo.infra import agenda
from monigo.infra.agenda import Entry
from monigo.infra.database import Transaction
from monigo.infra.ids import new_id
from monigo.ledger import (
    EntryType,
    KeptRequest,
    Posting,
    Request,
    RequestKey,
)
from monigo.wallets import due, reservations_store, service, store, top_ups
from monigo.wallets.requests import (
    check_same,
    content_hash,
    wallet_facts,
    wallet_then,
)
from monigo.wallets.rules import (
    after_reserving,
    after_settling,
    check_capture,
    check_open,
    check_usable,
)
from monigo.wallets.types import (
    Reservation,
    ReservationRequest,
    ReservationResult,
    ReservationStatus,
    Wallet,
)

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
    wallet = await service.hold(tx, wanted.wallet_id)
    key, content = RequestKey(wallet.id, wanted.idempotency_key), _content(wanted)
    kept = (await ledger.find_requests(tx, [key])).get(key)
    if kept is not None:
        check_same(kept, content)
        return await _repeated(tx, wallet, kept)
    check_usable(wallet, wanted.currency)
    reservation = _new(tx, wanted)
    held = replace(after_reserving(wallet, wanted.amount), updated_at=tx.now)
    posting = replace(
        _move(reservation, wallet, EntryType.RESERVATION), idempotency_key=wanted.idempotency_key
    )
    await reservations_store.insert(tx, reservation)
    await agenda.put(tx, due.RESERVATION_EXPIRY, {reservation.id: reservation.expires_at})
    facts = {**wallet_facts(held), "reservation_id": str(reservation.id)}
    request = Request(key, content, [posting.transaction_id], facts)
    (transfer,) = await ledger.post(tx, [posting], [request])
    return ReservationResult(reservation, held, [transfer])


async def capture(
    tx: Transaction, wallet_id: UUID, reservation_id: UUID, amount: Decimal | None = None
) -> ReservationResult:
    """Spend what is held, or part of it; the rest becomes spendable again.

    Raises:
        DomainError: not_found; conflict, when it is settled or has expired, or the wallet is not
            active; invalid, when more is asked for than is held.
    """
    wallet, reservation = await _held(tx, wallet_id, reservation_id)
    captured = reservation.amount if amount is None else amount
    check_capture(reservation, captured, tx.now)
    check_usable(wallet, reservation.currency)
    release = _move(reservation, wallet, EntryType.RELEASE)
    usage = replace(
        release,
        from_account_id=wallet.accounts.money,
        to_account_id=wallet.accounts.revenue,  # as counter_kind says of usage
        amount=captured,
        entry_type=EntryType.USAGE,
        description=reservation.description,
        reference_type=reservation.reference_type or REFERENCE,
        reference_id=reservation.reference_id or str(reservation.id),
        # Only what billing takes by itself has no key, whatever a reservation refers to.
        idempotency_key=str(reservation.id),
        metadata=reservation.metadata,
    )
    result = await _settled(
        tx,
        wallet,
        reservation,
        status=ReservationStatus.CAPTURED,
        postings=[release, usage],
        captured=captured,
    )
    await top_ups.ask_where_low(tx, [result.wallet])
    return result


async def release(tx: Transaction, wallet_id: UUID, reservation_id: UUID) -> ReservationResult:
    """Give up a reservation: what it holds becomes spendable again.

    Raises:
        DomainError: not_found; conflict, when it is settled.
    """
    wallet, reservation = await _held(tx, wallet_id, reservation_id)
    check_open(reservation)
    posting = _move(reservation, wallet, EntryType.RELEASE)
    return await _settled(
        tx, wallet, reservation, status=ReservationStatus.RELEASED, postings=[posting]
    )


async def list_reservations(
    tx: Transaction, wallet_id: UUID, request: PageRequest
) -> Page[Reservation]:
    """A wallet's reservations, newest first.

    Raises:
        DomainError: not_found.
    """
    wallet = await service.get(tx, wallet_id)
    return await reservations_store.list_page(tx, wallet.id, request)


async def expire_reservations(tx: Transaction, entries: Sequence[Entry]) -> set[UUID]:
    """Give back what expired reservations hold; those whose wallets somebody else has stay due.

    In a constant number of statements, however many wallets they belong to.
    """
    expired_ids = [entry.subject for entry in entries]
    wallet_ids = await reservations_store.wallets_of(tx, expired_ids)
    wallets = await store.lock_free(tx, set(wallet_ids.values()))
    free = [one for one, wallet_id in wallet_ids.items() if wallet_id in wallets]
    # What was settled before we had the wallets is not open any more.
    expired = await reservations_store.settle(tx, free, ReservationStatus.EXPIRED)
    await ledger.move(
        tx,
        [_move(one, wallets[one.wallet_id], EntryType.RELEASE) for one in expired],
    )
    await due.note_credited(tx, [wallets[one.wallet_id] for one in expired])
    return set(wallet_ids) - set(free)


def _new(tx: Transaction, wanted: ReservationRequest) -> Reservation:
    expires_at = _expiry(wanted, tx.now)
    return Reservation(
        id=ReservationId(new_id()),
        wallet_id=wanted.wallet_id,
        currency=wanted.currency,
        amount=wanted.amount,
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
    made = await reservations_store.load(tx, wallet.id, UUID(kept.result["reservation_id"]))
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


async def _held(
    tx: Transaction, wallet_id: UUID, reservation_id: UUID
) -> tuple[Wallet, Reservation]:
    wallet = await service.hold(tx, wallet_id)
    reservation = await reservations_store.load(tx, wallet.id, reservation_id)
    if reservation is None:
        raise not_found("reservation")
    return wallet, reservation


async def _settled(
    tx: Transaction,
    wallet: Wallet,
    reservation: Reservation,
    *,
    status: ReservationStatus,
    postings: list[Posting],
    captured: Decimal = Decimal(0),
) -> ReservationResult:
    after = replace(after_settling(wallet, reservation, captured), updated_at=tx.now)
    settled = await reservations_store.settle(tx, [reservation.id], status, captured)
    ensure(len(settled) == 1, "an open reservation of a locked wallet can be settled")
    await agenda.cancel(tx, due.RESERVATION_EXPIRY, [reservation.id])
    transfers = await ledger.post(tx, postings)
    await due.note_credited(tx, [wallet])
    return ReservationResult(settled[0], after, transfers)


def _move(reservation: Reservation, wallet: Wallet, entry_type: EntryType) -> Posting:
    """The whole amount into the reserved account, or back out of it."""
    money, reserved = wallet.accounts.money, wallet.accounts.reserved
    is_holding = entry_type is EntryType.RESERVATION
    return Posting(
        transaction_id=TransactionId(new_id()),
        from_account_id=money if is_holding else reserved,
        to_account_id=reserved if is_holding else money,
        amount=reservation.amount,
        currency=reservation.currency,
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
            "amount": format_money(wanted.amount),
            "currency": wanted.currency,
            "expires_at": None if expires_at is None else format_instant(expires_at),
            "expires_in_seconds": wanted.expires_in_seconds,
            "description": wanted.description,
            "reference_type": wanted.reference_type,
            "reference_id": wanted.reference_id,
            "metadata": wanted.metadata,
        },
    )

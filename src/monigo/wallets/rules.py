"""What a wallet allows, as pure decisions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from msgspec.structs import replace

from monigo.core.errors import DomainError, ErrorKind, conflict, invalid
from monigo.core.ids import MetricId, derived_id
from monigo.core.money import EXACT, format_money
from monigo.ledger import AccountKind, Direction, EntryType, Posting, Transfer
from monigo.wallets.types import (
    AutoTopUp,
    Consumption,
    CreditGrant,
    Entry,
    Movement,
    Reservation,
    ReservationStatus,
    Wallet,
    WalletStatus,
)

# What moves between the customer and the world outside stands against the provider; what the
# merchant earns, gives back or corrects against its revenue. A refund goes out when it is debited,
# and is of usage when it is credited (behaviour page, Wallets and ledger).
_OUTSIDE = frozenset(
    {
        (Direction.CREDIT, EntryType.DEPOSIT),
        (Direction.DEBIT, EntryType.DEPOSIT),
        (Direction.CREDIT, EntryType.WITHDRAWAL),
        (Direction.DEBIT, EntryType.WITHDRAWAL),
        (Direction.DEBIT, EntryType.REFUND),
    }
)


def counter_kind(direction: Direction, entry_type: EntryType) -> AccountKind:
    """The merchant's account that a movement stands against."""
    is_outside = (direction, entry_type) in _OUTSIDE
    return AccountKind.PROVIDER if is_outside else AccountKind.REVENUE


def check_usable(wallet: Wallet, currency: str) -> None:
    """Whether money of this currency may move in a wallet.

    Raises:
        DomainError: invalid (another currency); conflict (not active).
    """
    if currency != wallet.currency:
        raise invalid({"currency": f"must be the wallet's own, {wallet.currency}"})
    if wallet.status is not WalletStatus.ACTIVE:
        raise conflict(f"wallet_{wallet.status}", f"the wallet is {wallet.status}")


def after_movement(wallet: Wallet, movement: Movement) -> Wallet:
    """The wallet after a movement that it allows.

    Raises:
        DomainError: as `check_usable`; insufficient.
    """
    check_usable(wallet, movement.currency)
    is_debit = movement.direction is Direction.DEBIT
    if is_debit and movement.amount > wallet.balance:
        raise insufficient(wallet)
    change = -movement.amount if is_debit else movement.amount
    return replace(wallet, balance=wallet.balance + change, entries=wallet.entries + 1)


def insufficient(wallet: Wallet) -> DomainError:
    """The refusal of what takes more than there is."""
    balance = f"{format_money(wallet.balance)} {wallet.currency}"
    return DomainError(
        ErrorKind.INSUFFICIENT, "insufficient_balance", f"the wallet's balance is {balance}"
    )


def after_reserving(wallet: Wallet, amount: Decimal) -> Wallet:
    """The wallet with part of its balance held.

    Raises:
        DomainError: insufficient.
    """
    if amount > wallet.balance:
        raise insufficient(wallet)
    return replace(
        wallet,
        balance=wallet.balance - amount,
        reserved_balance=wallet.reserved_balance + amount,
        entries=wallet.entries + 1,
    )


def check_capture(reservation: Reservation, amount: Decimal, now: datetime) -> None:
    """Whether so much of a reservation may be captured now.

    Raises:
        DomainError: conflict (settled, or expired); invalid (more than is held).
    """
    check_open(reservation)
    if reservation.expires_at <= now:
        raise conflict("reservation_expired", "the reservation has expired")
    if amount > reservation.amount:
        raise invalid({"amount": f"must be at most {format_money(reservation.amount)}"})


def after_settling(wallet: Wallet, reservation: Reservation, captured: Decimal) -> Wallet:
    """The wallet with a reservation's money spendable again, but for what was captured of it."""
    return replace(
        wallet,
        balance=wallet.balance + reservation.amount - captured,
        reserved_balance=wallet.reserved_balance - reservation.amount,
        entries=wallet.entries + (2 if captured else 1),
    )


def check_open(reservation: Reservation) -> None:
    """Whether a reservation still holds money.

    Raises:
        DomainError: conflict.
    """
    if reservation.status is not ReservationStatus.OPEN:
        raise conflict(
            f"reservation_{reservation.status}", f"the reservation is {reservation.status}"
        )


def check_auto_top_up(rule: AutoTopUp) -> None:
    """Whether a rule can ever ask for its amount.

    Raises:
        DomainError: invalid.
    """
    if rule.monthly_limit is not None and rule.monthly_limit < rule.amount:
        raise invalid(
            {"monthly_limit": f"must be at least the amount, {format_money(rule.amount)}"}
        )


def is_low(wallet: Wallet) -> bool:
    """Whether a wallet has less than its rule wants; never where it has none."""
    return (
        wallet.top_up_threshold is not None
        and wallet.balance < wallet.top_up_threshold
        and wallet.status is WalletStatus.ACTIVE
    )


def may_ask(rule: AutoTopUp, asked: Decimal) -> bool:
    """Whether a rule that asked for so much in this month may ask again."""
    return rule.monthly_limit is None or EXACT.add(asked, rule.amount) <= rule.monthly_limit


def entries_of(wallet: Wallet, transfers: Iterable[Transfer]) -> list[Entry]:
    """Both sides of each transfer of a wallet, the one that it takes from first."""
    return [
        entry_of(wallet, transfer, direction)
        for transfer in transfers
        for direction in (Direction.DEBIT, Direction.CREDIT)
    ]


def entry_of(wallet: Wallet, transfer: Transfer, direction: Direction) -> Entry:
    """One side of a transfer of a wallet."""
    posting: Posting = transfer.posting
    side = transfer.debit if direction is Direction.DEBIT else transfer.credit
    kind = _kind_of(wallet, side.account_id)
    is_customers = kind not in {AccountKind.PROVIDER, AccountKind.REVENUE}
    return Entry(
        id=entry_id(transfer.id, direction),
        transaction_id=posting.transaction_id,
        wallet_id=wallet.id if is_customers else None,
        account_id=side.account_id,
        account_type=kind,
        direction=direction,
        amount=posting.amount,
        currency=posting.currency,
        balance_before=side.balance_before,
        balance_after=side.balance_after,
        entry_type=posting.entry_type,
        description=posting.description,
        reference_type=posting.reference_type,
        reference_id=posting.reference_id,
        provider_id=posting.counterparty,
        idempotency_key=posting.idempotency_key,
        metadata=posting.metadata,
        created_at=transfer.created_at,
    )


def entry_id(transfer_id: UUID, direction: Direction) -> UUID:
    """The id of one side of a transfer; stable, because it is published."""
    return derived_id("ledger entry", str(transfer_id), direction.value)


def plan_consumption(
    grants: Sequence[CreditGrant], due: Mapping[MetricId | None, Decimal], now: datetime
) -> list[Consumption]:
    """Which grants pay how much of what is due, before money does.

    By priority, the lowest first, then the earliest expiry, then the oldest. A grant of named
    metrics pays for those alone, in the order in which they are due.
    """
    unpaid = dict(due)
    plan: list[Consumption] = []
    for grant in sorted(grants, key=_consumption_order):
        left = Decimal(0) if _has_expired(grant, now) else grant.remaining
        for metric_id, amount in unpaid.items():
            if grant.metric_ids and metric_id not in grant.metric_ids:
                continue
            paid = min(left, amount)
            if paid > 0:
                left -= paid
                unpaid[metric_id] = amount - paid
                plan.append(Consumption(grant.id, metric_id, paid))
    return plan


def _consumption_order(grant: CreditGrant) -> tuple[int, bool, datetime, datetime, UUID]:
    expires_at = grant.expires_at or grant.created_at
    return (grant.priority, grant.expires_at is None, expires_at, grant.created_at, grant.id)


def _has_expired(grant: CreditGrant, now: datetime) -> bool:
    return grant.expires_at is not None and grant.expires_at <= now


def _kind_of(wallet: Wallet, account_id: UUID) -> AccountKind:
    accounts = wallet.accounts
    if account_id == accounts.money:
        return AccountKind.CUSTOMER_WALLET
    if account_id == accounts.revenue:
        return AccountKind.REVENUE
    if account_id == accounts.provider:
        return AccountKind.PROVIDER
    return AccountKind.RESERVED if account_id == accounts.reserved else AccountKind.CREDIT_GRANT

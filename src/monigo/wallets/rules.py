"""What a wallet allows, as pure decisions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from uuid import UUID

from msgspec.structs import replace

from monigo.core.errors import DomainError, ErrorKind, conflict, ensure, invalid
from monigo.core.ids import LedgerAccountId, MetricId, derived_id
from monigo.core.money import EXACT, format_money, minor_unit_places
from monigo.core.permissions import Permission
from monigo.ledger import AccountKind, Direction, EntryType, Posting, Transfer
from monigo.wallets.types import (
    AutoTopUp,
    Consumption,
    CreditGrant,
    Entry,
    Movement,
    PaidPart,
    Reservation,
    ReservationStatus,
    Wallet,
    WalletAccounts,
    WalletStatus,
)

# As long as events are taken and subscriptions may begin in the past: what is still open by then,
# as under a pause that nobody lifts, is billed without the grant.
KEPT_AFTER_EXPIRY = timedelta(days=90)
LOOK_AGAIN_AFTER = timedelta(minutes=1)

# What a caller needs to move money in either direction.
MOVE_PERMISSIONS = {
    Direction.CREDIT: Permission.WALLETS_CREDIT,
    Direction.DEBIT: Permission.WALLETS_DEBIT,
}

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

# What goes back where it came from does so whatever the wallet's status.
_RETURNING = frozenset({EntryType.RELEASE, EntryType.CREDIT_EXPIRY, EntryType.CREDIT_REVOCATION})
# What is only set aside, or ends by itself, is no use that a top-up would make good.
_NO_USE = frozenset({EntryType.RESERVATION, EntryType.CREDIT_EXPIRY, EntryType.CREDIT_REVOCATION})


def counter_kind(direction: Direction, entry_type: EntryType) -> AccountKind:
    """The account that a movement stands against: what is held, or one of the merchant's two."""
    if entry_type in {EntryType.RESERVATION, EntryType.RELEASE}:
        return AccountKind.RESERVED
    is_outside = (direction, entry_type) in _OUTSIDE
    return AccountKind.PROVIDER if is_outside else AccountKind.REVENUE


def sides_of(
    accounts: WalletAccounts, movement: Movement
) -> tuple[LedgerAccountId, LedgerAccountId]:
    """The account that a movement takes from, and the one that it brings to."""
    match counter_kind(movement.direction, movement.entry_type):
        case AccountKind.RESERVED:
            counter = accounts.reserved
        case AccountKind.PROVIDER:
            counter = accounts.provider
        case _:
            counter = accounts.revenue
    own = movement.grant_account_id or accounts.money
    return (own, counter) if movement.direction is Direction.DEBIT else (counter, own)


def check_usable(wallet: Wallet, movement: Movement) -> None:
    """Whether a wallet's currency and status allow a movement.

    Raises:
        DomainError: invalid (another currency); conflict (not active).
    """
    if movement.amount.currency != wallet.currency:
        raise invalid({"currency": f"must be the wallet's own, {wallet.currency}"})
    if returns(movement):
        return
    match wallet.status:
        case WalletStatus.SUSPENDED:
            raise conflict("wallet_suspended", "the wallet is suspended")
        case WalletStatus.CLOSED:
            raise conflict("wallet_closed", "the wallet is closed")
        case WalletStatus.ACTIVE:
            return


def returns(movement: Movement) -> bool:
    """Whether a movement gives something back, as a suspended or closed wallet allows, too.

    What was held, what a grant has left, and a refund that billing makes by itself.
    """
    return movement.entry_type in _RETURNING or (
        movement.entry_type is EntryType.REFUND
        and movement.direction is Direction.CREDIT
        and not movement.idempotency_key
    )


def after_movement(wallet: Wallet, movement: Movement, now: datetime) -> Wallet:
    """The wallet after a movement that it allows.

    Raises:
        DomainError: as `check_usable`; insufficient.
    """
    check_usable(wallet, movement)
    if movement.grant_account_id is not None:
        return wallet
    is_debit = movement.direction is Direction.DEBIT
    amount = movement.amount.amount
    if is_debit and amount > wallet.balance:
        raise insufficient(wallet)
    change = -amount if is_debit else amount
    is_held = movement.entry_type in {EntryType.RESERVATION, EntryType.RELEASE}
    return replace(
        wallet,
        balance=wallet.balance + change,
        reserved_balance=wallet.reserved_balance - (change if is_held else 0),
        entries=wallet.entries + 1,
        updated_at=now,
    )


def is_use(movement: Movement) -> bool:
    """Whether a movement uses what a wallet has, so that its rule may have to ask for more."""
    return movement.direction is Direction.DEBIT and movement.entry_type not in _NO_USE


def is_deposit(movement: Movement) -> bool:
    """Whether a movement brings money that pays an open top-up."""
    return movement.entry_type is EntryType.DEPOSIT and movement.direction is Direction.CREDIT


def insufficient(wallet: Wallet) -> DomainError:
    """The refusal of what takes more than there is."""
    balance = f"{format_money(wallet.balance)} {wallet.currency}"
    return DomainError(
        ErrorKind.INSUFFICIENT, "insufficient_balance", f"the wallet's balance is {balance}"
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


def check_open(reservation: Reservation) -> None:
    """Whether a reservation still holds money.

    Raises:
        DomainError: conflict.
    """
    match reservation.status:
        case ReservationStatus.CAPTURED:
            raise conflict("reservation_captured", "the reservation is captured")
        case ReservationStatus.RELEASED:
            raise conflict("reservation_released", "the reservation is released")
        case ReservationStatus.EXPIRED:
            raise conflict("reservation_expired", "the reservation is expired")
        case ReservationStatus.OPEN:
            return


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
    grants: Sequence[CreditGrant],
    due: Mapping[MetricId | None, Decimal],
    instant: datetime,
    *,
    amount: Decimal | None = None,
) -> list[Consumption]:
    """Which grants pay how much of what is due, before money does; at most `amount` in all.

    By priority, the lowest first, then the earliest expiry, then the oldest. A grant of named
    metrics pays for those alone, in the order in which they are due. One that expired before
    `instant` (see `payable_at`) pays nothing.
    """
    unpaid = dict(due)
    rest = sum(due.values(), Decimal(0)) if amount is None else amount
    plan: list[Consumption] = []
    for grant in sorted(grants, key=_consumption_order):
        left = Decimal(0) if _has_expired(grant, instant) else grant.remaining
        for metric_id, owed in unpaid.items():
            if grant.metric_ids and metric_id not in grant.metric_ids:
                continue
            paid = min(left, owed, rest)
            if paid > 0:
                left -= paid
                rest -= paid
                unpaid[metric_id] = owed - paid
                plan.append(Consumption(grant.id, metric_id, paid))
    return plan


def payable_at(period_end: datetime, now: datetime) -> datetime:
    """The instant at which a grant must not have expired to pay for a period.

    It can pay while `expires_at >= min(period_end, now)` (behaviour page, Wallets and ledger).
    """
    return min(period_end, now)


def in_minor_units(plan: Sequence[Consumption], currency: str) -> list[Consumption]:
    """The plan, cut at its end to an amount that leaves a rest which can be paid in a currency."""
    planned = reduce(EXACT.add, (part.amount for part in plan), Decimal(0))
    beyond = EXACT.remainder(planned, Decimal(1).scaleb(-minor_unit_places(currency)))
    kept: list[Consumption] = []
    for part in reversed(plan):
        cut = min(beyond, part.amount)
        beyond -= cut
        if cut < part.amount:
            kept.append(replace(part, amount=EXACT.subtract(part.amount, cut)))
    return kept[::-1]


def parts_of(
    plan: Sequence[Consumption], due: Mapping[MetricId | None, Decimal], by_money: Decimal
) -> list[PaidPart]:
    """What grants paid by plan and money paid beside them, by metric.

    Money pays what credits leave of each metric, in the order in which they are due.
    """
    unpaid = dict(due)
    parts: list[PaidPart] = []
    for one in plan:
        parts.append(PaidPart(one.grant_id, one.metric_id, one.amount))
        unpaid[one.metric_id] -= one.amount
    for metric_id, owed in unpaid.items():
        paid = min(owed, by_money)
        if paid > 0:
            by_money -= paid
            parts.append(PaidPart(None, metric_id, paid))
    ensure(not by_money, "all that money pays is due for something")
    return parts


def check_can_revoke(grant: CreditGrant) -> None:
    """Raise conflict for a grant that is revoked already."""
    if grant.revoked_at is not None:
        raise conflict("credit_revoked", "the credit is revoked already")


def may_still_pay(grant: CreditGrant, period_end: datetime | None, now: datetime) -> bool:
    """Whether what an expired grant holds may pay an open period, the first of which ends then.

    Only for so long after its expiry (`KEPT_AFTER_EXPIRY`).
    """
    return (
        period_end is not None
        and grant.remaining > 0
        and grant.expires_at is not None
        and grant.expires_at >= period_end
        and now < grant.expires_at + KEPT_AFTER_EXPIRY
    )


def look_again_at(expires_at: datetime, now: datetime) -> datetime:
    """When to look again at an expired grant while a period that it may pay is open.

    Soon at first, then ever later, for a period may stay open as long as its subscription is
    paused; but not beyond `KEPT_AFTER_EXPIRY`.
    """
    waited = max(now - expires_at, LOOK_AGAIN_AFTER)
    return max(now + LOOK_AGAIN_AFTER, min(now + waited, expires_at + KEPT_AFTER_EXPIRY))


def _consumption_order(grant: CreditGrant) -> tuple[int, bool, datetime, datetime, UUID]:
    expires_at = grant.expires_at or grant.created_at
    return (grant.priority, grant.expires_at is None, expires_at, grant.created_at, grant.id)


def _has_expired(grant: CreditGrant, instant: datetime) -> bool:
    return grant.expires_at is not None and grant.expires_at < instant


def _kind_of(wallet: Wallet, account_id: UUID) -> AccountKind:
    accounts = wallet.accounts
    if account_id == accounts.money:
        return AccountKind.CUSTOMER_WALLET
    if account_id == accounts.revenue:
        return AccountKind.REVENUE
    if account_id == accounts.provider:
        return AccountKind.PROVIDER
    return AccountKind.RESERVED if account_id == accounts.reserved else AccountKind.CREDIT_GRANT

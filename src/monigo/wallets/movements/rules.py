"""Pure rules of movements: what a wallet allows, and between which accounts money moves."""

from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from monigo.core.access import Permission
from monigo.core.errors import DomainError, ErrorKind, conflict, invalid
from monigo.core.ids import LedgerAccountId
from monigo.core.money import format_money
from monigo.ledger import AccountKind, Direction, EntryType
from monigo.wallets.types import Movement, Wallet, WalletAccounts, WalletStatus

# What a caller needs to move money in either direction.
MOVE_PERMISSIONS = {
    Direction.CREDIT: Permission.WALLETS_CREDIT,
    Direction.DEBIT: Permission.WALLETS_DEBIT,
}

_NOTHING = Decimal(0)

# What moves between the customer and the world outside stands against the provider; what the
# merchant earns, refunds or corrects against its revenue. A refund goes out when it is debited, and
# is of usage when it is credited (behaviour page, Wallets and ledger).
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
# Reserving and expiring are no usage that a top-up should make up for.
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
    counter = movement.counter_account_id or counter
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
    """Whether a movement is of a kind that any wallet makes, whatever its status.

    Released reservations, the rest of a grant, refunds that billing makes, and what a provider has
    received or taken back: that has happened already.
    """
    if movement.entry_type in _RETURNING:
        return True
    is_refund = movement.entry_type is EntryType.REFUND and movement.direction is Direction.CREDIT
    is_ours = not movement.idempotency_key
    return is_ours and (is_refund or movement.entry_type is EntryType.DEPOSIT)


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
    is_reserving = movement.entry_type in {EntryType.RESERVATION, EntryType.RELEASE}
    balance = wallet.balance + change
    reserved = wallet.reserved_balance - (change if is_reserving else 0)
    return replace(
        wallet,
        balance=balance,
        reserved_balance=reserved,
        excess=_excess(wallet, change if movement.is_excess else _NOTHING, balance + reserved),
        entries=wallet.entries + 1,
        updated_at=now,
    )


def _excess(wallet: Wallet, change: Decimal, held: Decimal) -> Decimal:
    """What of a wallet's money is excess after a movement that leaves so much, held or not.

    Whatever does not ask for excess takes other money first.
    """
    return min(max(wallet.excess + change, _NOTHING), held)


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

"""What a wallet allows, as pure decisions."""

from collections.abc import Iterable
from uuid import UUID

from monigo.core.ids import derived_id
from monigo.ledger import AccountKind, Direction, Posting, Transfer
from monigo.wallets.types import Entry, Wallet


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


def _kind_of(wallet: Wallet, account_id: UUID) -> AccountKind:
    accounts = wallet.accounts
    if account_id == accounts.money:
        return AccountKind.CUSTOMER_WALLET
    if account_id == accounts.revenue:
        return AccountKind.REVENUE
    if account_id == accounts.provider:
        return AccountKind.PROVIDER
    return AccountKind.RESERVED if account_id == accounts.reserved else AccountKind.CREDIT_GRANT

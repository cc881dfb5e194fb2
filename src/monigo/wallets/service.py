"""Use cases of wallets: open, read, change their status."""

from collections.abc import Collection, Sequence
from uuid import UUID

from monigo import customers, ledger, tenancy
from monigo.core.errors import invalid, not_found
from monigo.core.ids import CustomerId, LedgerAccountId, WalletId
from monigo.core.paging import Page, PageRequest
from monigo.infra import outbox
from monigo.infra.db import RowLock, Transaction
from monigo.infra.ids import new_id
from monigo.ledger import AccountKind, Direction, NewAccount
from monigo.wallets import store
from monigo.wallets.events import WalletCreated
from monigo.wallets.rules import entry_of
from monigo.wallets.types import Entry, Wallet, WalletAccounts


async def get_or_create(tx: Transaction, customer: str, currency: str | None) -> Wallet:
    """The customer's wallet in a currency, or in the organisation's default one.

    Raises:
        DomainError: not_found (customer); invalid (currency).
    """
    if currency and not tenancy.is_currency(currency):
        raise invalid({"currency": "must be an ISO 4217 currency code such as NGN"})
    code = currency or (await tenancy.get_organization(tx)).billing.default_currency
    owner = await customers.get(tx, customer)
    found = await store.load_of_customer(tx, owner.id, code)
    if found is None:
        # Of two that create at once, the second waits here, and then finds the first one's.
        await customers.get(tx, owner.id, lock=RowLock.CHANGE)
        found = await store.load_of_customer(tx, owner.id, code)
    return found or await create_of_locked(tx, owner.id, code)


async def create_of_locked(tx: Transaction, customer_id: CustomerId, currency: str) -> Wallet:
    """Open a locked customer's wallet in a currency in which there is none."""
    kinds = (
        AccountKind.CUSTOMER_WALLET,
        AccountKind.RESERVED,
        AccountKind.PROVIDER,
        AccountKind.REVENUE,
    )
    opened = [NewAccount(LedgerAccountId(new_id()), kind, currency) for kind in kinds]
    await ledger.open_accounts(tx, opened)
    wallet_id = WalletId(new_id())
    accounts = WalletAccounts(*(account.id for account in opened))
    await store.insert(tx, wallet_id, customer_id, currency, accounts)
    fact = WalletCreated(wallet_id=wallet_id, customer_id=customer_id, currency=currency)
    await outbox.emit(tx, [fact])
    wallet = await get(tx, wallet_id)
    tx.changed(None, wallet)
    return wallet


async def get(tx: Transaction, wallet_id: UUID) -> Wallet:
    """A wallet as it stands.

    Raises:
        DomainError: not_found.
    """
    wallet = await store.load(tx, wallet_id)
    if wallet is None:
        raise not_found("wallet")
    return wallet


async def list_page(tx: Transaction, request: PageRequest) -> Page[Wallet]:
    """Wallets, newest first."""
    return await store.list_page(tx, request, None)


async def list_of_customer(tx: Transaction, customer: str, request: PageRequest) -> Page[Wallet]:
    """A customer's wallets, newest first.

    Raises:
        DomainError: not_found (customer).
    """
    owner = await customers.get(tx, customer)
    return await store.list_page(tx, request, owner.id)


async def list_entries(
    tx: Transaction, wallet_id: UUID, request: PageRequest, *, last: int | None = None
) -> Page[Entry]:
    """What moved a wallet's balance, newest first; from the `last`-th entry on where it is given.

    Entries are counted from the oldest, so that those which come meanwhile don't shift a page.

    Raises:
        DomainError: not_found.
    """
    wallet = await get(tx, wallet_id)
    last = min(last or wallet.entries, wallet.entries) - request.offset
    first = max(1, last - request.limit + 1)
    found = await read_entries(tx, wallet, first=first, last=last) if last > 0 else []
    return Page(found, wallet.entries, wallet.entries - last)


async def read_entries(tx: Transaction, wallet: Wallet, *, first: int, last: int) -> list[Entry]:
    """A wallet's entries by their place in its chain, from the last to the first."""
    money = wallet.accounts.money
    return [
        entry_of(
            wallet,
            transfer,
            Direction.DEBIT if transfer.debit.account_id == money else Direction.CREDIT,
        )
        for transfer in await ledger.entries(tx, money, first=first, last=last)
    ]


async def lock_wallet(tx: Transaction, wallet_id: UUID) -> Wallet:
    """A wallet, locked until the transaction ends.

    Raises:
        DomainError: not_found.
    """
    wallet = (await store.lock(tx, [wallet_id])).get(wallet_id)
    if wallet is None:
        raise not_found("wallet")
    return wallet


async def lock_owned(tx: Transaction, owners: Sequence[tuple[CustomerId, str]]) -> None:
    """Lock customers' wallets in currencies, in the order of their ids, before several uses."""
    await store.lock_of_owners(tx, set(owners))


async def watch_balances(tx: Transaction, *, wanted: bool) -> None:
    """Have wallets whose balance moves put on the agenda (`BALANCE_MOVED`), or not any more."""
    await store.set_watched(tx, wanted=wanted)


async def hold(tx: Transaction, wallet_ids: Collection[WalletId]) -> list[Wallet]:
    """Wallets as they stand, and stay until the transaction ends, in the order of their ids."""
    return await store.hold(tx, sorted(wallet_ids))

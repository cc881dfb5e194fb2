"""Use cases that change a wallet's status, and what follows from it."""

from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import replace

from monigo import customers
from monigo.core.errors import conflict
from monigo.core.ids import CustomerId
from monigo.customers import CustomerDeletion
from monigo.infra import outbox
from monigo.infra.db import Transaction
from monigo.wallets import due, store, top_ups
from monigo.wallets.events import WalletStatusChanged
from monigo.wallets.service import create_of_locked, lock_wallet
from monigo.wallets.types import Wallet, WalletStatus


async def set_status(tx: Transaction, wallet_id: UUID, status: WalletStatus) -> Wallet:
    """Suspend, close or reactivate a wallet. Credits in a closed one can't be consumed.

    Raises:
        DomainError: not_found; conflict, when it is to be closed with money in it, or its customer
            is deleted.
    """
    wallet = await lock_wallet(tx, wallet_id)
    if not await customers.resolve(tx, [str(wallet.customer_id)]):
        raise conflict("customer_deleted", "the wallet's customer is deleted")
    if status is WalletStatus.CLOSED and (wallet.balance or wallet.reserved_balance):
        raise conflict("wallet_not_empty", "a wallet with money in it can't be closed")
    if status is wallet.status:
        return wallet
    await _change_status(tx, [wallet], status)
    if status is WalletStatus.CLOSED:
        await top_ups.cancel(tx, [wallet.id])
    if status is WalletStatus.ACTIVE:
        # What it holds can pay again, and somebody may wait for it.
        await tx.send(*due.prepare_credited(tx, [wallet]))
    changed = replace(wallet, status=status, updated_at=tx.now)
    tx.changed(wallet, changed)
    return changed


async def open_of_locked(tx: Transaction, customer_id: CustomerId, currency: str) -> Wallet:
    """The wallet of a locked customer that takes money which has come, whatever it was before.

    It is opened if there is none or it was closed, for deleted customers, too; a suspended one
    stays so.
    """
    found = await store.load_of_customer(tx, customer_id, currency)
    if found is None:
        return await create_of_locked(tx, customer_id, currency)
    wallet = await lock_wallet(tx, found.id)
    if wallet.status is WalletStatus.CLOSED:
        await _change_status(tx, [wallet], WalletStatus.ACTIVE)
    return wallet


async def refuse_customer_with_money(tx: Transaction, asked: CustomerDeletion) -> None:
    """Raise conflict while a wallet of a customer that is to be deleted holds money.

    No money moves in its wallets until the transaction ends.
    """
    held = await store.lock(tx, await store.ids_of_customer(tx, asked.customer_id))
    if any(wallet.balance or wallet.reserved_balance for wallet in held.values()):
        raise conflict("customer_has_money", "the customer has money in a wallet")


async def close_wallets_of_customers(
    tx: Transaction, deleted: Sequence[customers.events.CustomerDeleted]
) -> None:
    """Close what deleted customers leave, so that no money comes in any more."""
    for one in deleted:
        held = await store.lock(tx, await store.ids_of_customer(tx, one.customer_id))
        open_ones = [wallet for wallet in held.values() if wallet.status is not WalletStatus.CLOSED]
        if open_ones:
            await _change_status(tx, open_ones, WalletStatus.CLOSED)
            await top_ups.cancel(tx, [wallet.id for wallet in open_ones])


async def _change_status(tx: Transaction, locked: Sequence[Wallet], status: WalletStatus) -> None:
    await store.update_status(tx, [wallet.id for wallet in locked], status)
    await outbox.emit(
        tx,
        [
            WalletStatusChanged(
                wallet_id=wallet.id,
                customer_id=wallet.customer_id,
                currency=wallet.currency,
                status=status,
            )
            for wallet in locked
        ],
    )

"""Auto top-up: when little is left in a wallet, its rule asks the merchant for money, once.

A rule makes an open request and a fact, and moves nothing. Any deposits pay the request: those that
collection pulls from the customer's card for it, and all others.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from uuid import UUID

from msgspec.structs import replace

from monigo import tenancy
from monigo.core.errors import conflict, not_found
from monigo.core.ids import TopUpId, WalletId
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import calendar_month
from monigo.infra import outbox
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.wallets import service
from monigo.wallets.events import WalletTopUpRequested
from monigo.wallets.top_ups import store
from monigo.wallets.top_ups.rules import check_auto_top_up, is_low, may_ask
from monigo.wallets.top_ups.types import AutoTopUp, TopUp, WalletRule
from monigo.wallets.types import TopUpStatus, Wallet, WalletStatus


async def get_auto_top_up(tx: Transaction, wallet_id: UUID) -> AutoTopUp:
    """A wallet's rule.

    Raises:
        DomainError: not_found (the wallet, or that it has a rule).
    """
    wallet = await service.get(tx, wallet_id)
    rule = await store.load_rule(tx, wallet.id)
    if rule is None:
        raise not_found("auto_top_up")
    return rule


async def set_auto_top_up(tx: Transaction, wallet_id: UUID, rule: AutoTopUp) -> AutoTopUp:
    """Give a wallet a rule, in place of the one that it has; a low wallet asks at once.

    What is open stays as it was asked for.

    Raises:
        DomainError: not_found; invalid (a limit below the amount); conflict, when it is closed.
    """
    wallet = await service.lock_wallet(tx, wallet_id)
    check_auto_top_up(rule)
    if wallet.status is WalletStatus.CLOSED:
        raise conflict("wallet_closed", "the wallet is closed")
    before = await store.load_rule(tx, wallet.id)
    await store.set_rule(tx, wallet.id, rule)
    known = None if before is None else WalletRule(wallet.id, before)
    tx.changed(known, WalletRule(wallet.id, rule))
    await ask_where_low(tx, [replace(wallet, top_up_threshold=rule.threshold)])
    return rule


async def delete_auto_top_up(tx: Transaction, wallet_id: UUID) -> None:
    """Take a wallet's rule away, and with it what is open.

    Raises:
        DomainError: not_found (the wallet, or that it has a rule).
    """
    wallet = await service.lock_wallet(tx, wallet_id)
    rule = await store.load_rule(tx, wallet.id)
    if rule is None:
        raise not_found("auto_top_up")
    await store.set_rule(tx, wallet.id, None)
    await store.cancel(tx, [wallet.id])
    tx.changed(WalletRule(wallet.id, rule), None)


async def list_top_ups(
    tx: Transaction, wallet_id: UUID, request: PageRequest, status: TopUpStatus | None = None
) -> Page[TopUp]:
    """What a wallet's rule asked for, newest first.

    Raises:
        DomainError: not_found.
    """
    wallet = await service.get(tx, wallet_id)
    return await store.list_page(tx, wallet.id, request, status)


async def get_top_up(tx: Transaction, top_up_id: UUID) -> TopUp:
    """A request for money.

    Raises:
        DomainError: not_found.
    """
    found = await store.load(tx, top_up_id)
    if found is None:
        raise not_found("top_up")
    return found


async def count_deposits(tx: Transaction, deposits: Mapping[WalletId, Decimal]) -> None:
    """Let what came into locked wallets with a rule pay what is open.

    A request is paid once the deposits since then come to its amount.
    """
    if deposits:
        await store.add_deposits(tx, deposits)


def low_of(wallets: Iterable[Wallet]) -> list[Wallet]:
    """Those wallets that have less than their rules want."""
    return [wallet for wallet in wallets if is_low(wallet)]


async def ask_where_low(tx: Transaction, wallets: Iterable[Wallet]) -> None:
    """Ask for money for those locked wallets that a transaction leaves below their threshold.

    Costs nothing while there are none. A wallet that waits already, or has asked for as much as its
    rule allows in this month of the organisation, asks for nothing.
    """
    low = {wallet.id: wallet for wallet in wallets if is_low(wallet)}
    rules = await store.load_rules_to_ask(tx, list(low)) if low else {}
    if not rules:
        return
    organization = await tenancy.get_organization(tx)
    month = calendar_month(tx.now, organization.billing.timezone)
    asked = await store.sum_asked_since(tx, list(rules), month.start)
    wanted = [
        _new(tx, low[wallet_id], rule)
        for wallet_id, rule in rules.items()
        if may_ask(rule, asked.get(wallet_id, Decimal(0)))
    ]
    if wanted:
        await store.insert(tx, wanted)
        await outbox.emit(tx, [_requested(one, low[one.wallet_id]) for one in wanted])


def _new(tx: Transaction, wallet: Wallet, rule: AutoTopUp) -> TopUp:
    return TopUp(
        id=TopUpId(new_id()),
        wallet_id=wallet.id,
        currency=wallet.currency,
        amount=rule.amount,
        deposited_amount=Decimal(0),
        status=TopUpStatus.OPEN,
        created_at=tx.now,
        updated_at=tx.now,
        settled_at=None,
    )


def _requested(top_up: TopUp, wallet: Wallet) -> WalletTopUpRequested:
    return WalletTopUpRequested(
        wallet_id=wallet.id,
        customer_id=wallet.customer_id,
        currency=top_up.currency,
        top_up_id=top_up.id,
        amount=top_up.amount,
        status=top_up.status,
        wallet_balance=wallet.balance,
        created_at=top_up.created_at,
    )

"""Use cases of virtual accounts: want one, record what the provider said of it, close it."""

from collections.abc import Sequence
from uuid import UUID

from monigo import customers
from monigo.core.errors import DomainError, ErrorKind, conflict, ensure, invalid, not_found
from monigo.core.ids import VirtualAccountId
from monigo.infra import agenda, outbox
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.payments.accounts import store
from monigo.payments.accounts.due import ACCOUNT_ASK, DEPOSIT_LIST
from monigo.payments.accounts.events import VirtualAccountClosed, VirtualAccountOpened
from monigo.payments.accounts.rules import (
    CALL_MAX,
    Change,
    Ended,
    Opened,
    Refused,
    Unsent,
    Unsure,
    ask_again_at,
    asks_by_itself,
    is_looked_up,
    is_under_way,
    list_again_at,
)
from monigo.payments.accounts.types import (
    UNSETTLED,
    AccountState,
    NewAccount,
    Request,
    VirtualAccount,
)
from monigo.payments.charges import reference_of
from monigo.payments.connections import ConnectionDeletion
from monigo.providers.port import Payer, Repeat, Verb
from monigo.providers.registry import adapter_of


async def want(tx: Transaction, wanted: NewAccount) -> VirtualAccount:
    """Intend an account for a wallet; the one that it has, or is about to have, if there is one.

    Nothing is asked of the provider yet: `open_at_provider` does, once `tx` has committed.

    Raises:
        DomainError: unsupported, by a provider without virtual accounts; invalid, in a currency
            that it has none in.
    """
    check_offered(wanted.provider, wanted.currency)
    known = await store.lock_live(tx, wanted.wallet_id, wanted.provider)
    if known is not None:
        return known
    attempt = await store.count_before(tx, wanted.wallet_id, wanted.provider) + 1
    kind = f"virtual_account {wanted.provider}"
    reference = reference_of(tx.tenant, kind, wanted.wallet_id, attempt)
    made = await store.insert(tx, VirtualAccountId(new_id()), wanted, reference)
    if made is None:  # Somebody else wanted it at the same time.
        made = await store.lock_live(tx, wanted.wallet_id, wanted.provider)
    if made is None:
        raise DomainError(ErrorKind.UNAVAILABLE, "retry", "please try again", retry_after_seconds=1)
    tx.changed(None, made)
    return made


def check_offered(provider: str, currency: str) -> None:
    """Whether a provider opens accounts in a currency.

    Raises:
        DomainError: unsupported, by a provider without virtual accounts; invalid, in a currency
            that it has none in.
    """
    capabilities = adapter_of(provider).capabilities
    if Verb.VIRTUAL_ACCOUNT not in capabilities.verbs:
        raise DomainError(
            ErrorKind.UNSUPPORTED,
            "not_supported_by_provider",
            f"{capabilities.title} has no virtual accounts",
        )
    if currency not in capabilities.virtual_accounts:
        raise invalid({"currency": f"{capabilities.title} opens no virtual accounts in {currency}"})


async def get(tx: Transaction, account_id: UUID) -> VirtualAccount:
    """An account as it stands.

    Raises:
        DomainError: not_found.
    """
    account = await store.load(tx, account_id)
    if account is None:
        raise not_found("virtual_account")
    return account


async def list_of_wallet(tx: Transaction, wallet_id: UUID) -> list[VirtualAccount]:
    """A wallet's accounts, newest first; those that the provider refused are none."""
    return await store.list_of_wallet(tx, wallet_id)


async def prepare(tx: Transaction, account_id: VirtualAccountId) -> Request | None:
    """What is to be asked about an account that is wanted; notes that it is. None where nothing is.

    Raises:
        DomainError: not_found, the account or its customer.
    """
    account = await _locked(tx, account_id)
    if account.state not in UNSETTLED or is_under_way(account, tx.real_now):
        return None
    is_question = is_looked_up(account, repeat_of(account.provider))
    account = await store.submit(tx, account_id) or account
    # What the process can't see through is asked about by another one.
    await agenda.put(tx, ACCOUNT_ASK, {account.id: tx.real_now + CALL_MAX})
    payer = await payer_of(tx, account)
    return Request(account=account, payer=payer, is_question=is_question)


async def payer_of(tx: Transaction, account: VirtualAccount) -> Payer:
    """Whom an account is for.

    Raises:
        DomainError: not_found, when the customer is deleted.
    """
    details = (await customers.get(tx, account.customer_id)).details
    return Payer(email=details.email, name=details.name, phone=details.phone)


async def record(tx: Transaction, account_id: VirtualAccountId, change: Change) -> VirtualAccount:
    """Write down what an answer makes of an account; what it can't change stays as it is.

    An account that the provider opened is open, whatever was thought of it before.

    Raises:
        DomainError: not_found.
    """
    account = await _locked(tx, account_id)
    match change:
        case Opened():
            return await _open(tx, account, change)
        case Refused():
            made = await store.fail(tx, account.id, change.field, change.reason)
            return made or account
        case Unsent():
            made = await store.set_unsettled(tx, account.id, AccountState.CREATED)
            return made or account
        case Unsure():
            return await _ask_again(tx, account)
        case Ended():
            return await _end(tx, account)


async def _open(tx: Transaction, account: VirtualAccount, change: Opened) -> VirtualAccount:
    opened = change.account
    other = await store.find_by_number(tx, account.connection_id, opened.account_number)
    if other is not None and other.id != account.id and other.closed_at is None:
        # Paystack gives all customers of one e-mail one account.
        reason = "the provider gives customers of this e-mail an account of another wallet"
        return await record(tx, account.id, Refused("customer.email", reason))
    made = await store.open_with(tx, account.id, opened)
    if made is None:
        return account
    await put_on_list(tx, made)
    await outbox.emit(
        tx,
        [
            VirtualAccountOpened(
                virtual_account_id=made.id,
                wallet_id=made.wallet_id,
                customer_id=made.customer_id,
                connection_id=made.connection_id,
                provider=made.provider,
                currency=made.currency,
            )
        ],
    )
    return made


async def _ask_again(tx: Transaction, account: VirtualAccount) -> VirtualAccount:
    if account.state is AccountState.CLOSING:
        made = await store.count_asked(tx, account.id) or account
    else:
        made = await store.set_unsettled(tx, account.id, AccountState.UNKNOWN) or account
    again_at = ask_again_at(account.asked, tx.real_now)
    if again_at is not None and asks_by_itself(made, repeat_of(made.provider)):
        await agenda.put(tx, ACCOUNT_ASK, {made.id: again_at})
    return made


async def _end(tx: Transaction, account: VirtualAccount) -> VirtualAccount:
    made = await store.close(tx, account.id)
    if made is None:
        return account
    fact = VirtualAccountClosed(
        virtual_account_id=made.id,
        wallet_id=made.wallet_id,
        customer_id=made.customer_id,
        connection_id=made.connection_id,
        provider=made.provider,
        currency=made.currency,
    )
    await outbox.emit(tx, [fact])
    return made


async def begin_closing(
    tx: Transaction, account_ids: Sequence[UUID], *, is_called: bool = False
) -> list[VirtualAccount]:
    """Have open accounts closed at their providers; where the caller calls them, by it."""
    begun: list[VirtualAccount] = []
    for account_id in sorted(account_ids):
        before = await store.load(tx, account_id, is_locked=True)
        made = None if before is None else await store.begin_closing(tx, before.id)
        if made is not None:
            tx.changed(before, made)
            begun.append(made)
    at = tx.real_now + CALL_MAX if is_called else tx.real_now
    await agenda.put(tx, ACCOUNT_ASK, {one.id: at for one in begun})
    return begun


async def close_of_wallets(tx: Transaction, wallet_ids: Sequence[UUID]) -> None:
    """Have the accounts of wallets closed that money is to come into no more."""
    await begin_closing(tx, await store.list_open(tx, wallet_ids))


async def put_on_list(tx: Transaction, account: VirtualAccount) -> None:
    """Have what came into an account listed when it is time for it."""
    again_at = list_again_at(account, tx.real_now)
    if again_at is not None:
        await agenda.put(tx, DEPOSIT_LIST, {account.id: again_at})


async def refuse_connection_with_accounts(tx: Transaction, asked: ConnectionDeletion) -> None:
    """Keep a connection while an account hangs on it that is not closed.

    Raises:
        DomainError: conflict.
    """
    if await store.is_connection_used(tx, asked.connection_id):
        raise conflict(
            "connection_has_virtual_accounts", "virtual accounts of the connection are open"
        )


def repeat_of(provider: str) -> Repeat:
    """What the same request for an account does once more at a provider."""
    return adapter_of(provider).capabilities.repeat[Verb.VIRTUAL_ACCOUNT]


async def _locked(tx: Transaction, account_id: UUID) -> VirtualAccount:
    account = await store.load(tx, account_id, is_locked=True)
    if account is None:
        raise not_found("virtual_account")
    ensure(account.reference, "an account was asked for under a reference")
    return account

"""Use cases of payout accounts: to have them, to change them, and to read their numbers."""

from collections.abc import Collection, Mapping
from uuid import UUID

from msgspec.structs import replace

from monigo import customers
from monigo.core.errors import conflict, not_found
from monigo.core.ids import CustomerId, PayoutAccountId
from monigo.infra import agenda, outbox
from monigo.infra.agenda import Follows, Kind
from monigo.infra.crypto import UnreadableSecretError, Vault
from monigo.infra.db import RowLock, Transaction
from monigo.infra.ids import new_id
from monigo.payments.payout_accounts import rules, store
from monigo.payments.payout_accounts.events import (
    PayoutAccountAdded,
    PayoutAccountChanged,
    PayoutAccountDeleted,
)
from monigo.payments.payout_accounts.types import (
    AccountChanges,
    AccountDetails,
    PayoutAccount,
    Resolution,
)

# Of accounts whose holder's name the provider is asked for.
RESOLVE = Kind("payout_account_resolve", Follows.REAL)
# A payee has a few; a leak of creations can't fill the table.
ACCOUNTS_MAX = 100
_NUMBERS = "payout account number"


async def add(
    tx: Transaction, vault: Vault, customer: str, wanted: AccountDetails
) -> PayoutAccount:
    """Give a payee another account; the first one in a currency is the default.

    Raises:
        DomainError: not_found, the customer; invalid, naming every field at fault; conflict, with
            too many accounts.
    """
    owner = await customers.get(tx, customer)
    details = rules.checked(wanted)
    present = await store.list_of_customer(tx, owner.id, ACCOUNTS_MAX, RowLock.CHANGE)
    if len(present) >= ACCOUNTS_MAX:
        raise conflict("too_many_payout_accounts", f"there are {ACCOUNTS_MAX} accounts already")
    known = _default_of(present, details.currency)
    if known is not None and details.is_default:
        await store.unset_default(tx, owner.id, details.currency)
    account_id = PayoutAccountId(new_id())
    account = PayoutAccount(
        id=account_id,
        customer_id=owner.id,
        account_name=details.account_name,
        method=details.method,
        bank_name=details.bank_name,
        bank_code=details.bank_code,
        number_ciphertext=_sealed(vault, account_id, details.number),
        last4=rules.last4_of(details.number),
        currency=details.currency,
        is_default=details.is_default or known is None,
        metadata=details.metadata,
        resolution=Resolution(),
        created_at=tx.now,
        updated_at=tx.now,
        changed_at=tx.now,
    )
    await store.insert(tx, account)
    tx.changed(None, account)
    await agenda.put(tx, RESOLVE, {account.id: tx.real_now})
    fact = PayoutAccountAdded(
        payout_account_id=account.id,
        customer_id=account.customer_id,
        currency=account.currency,
        is_default=account.is_default,
    )
    await outbox.emit(tx, [fact])
    return account


async def change(
    tx: Transaction, vault: Vault, customer: str, account_id: UUID, changes: AccountChanges
) -> PayoutAccount:
    """Change what is given of an account. What is under way is paid to the account as it was.

    Where money would go elsewhere, its holder's name is asked for anew.

    Raises:
        DomainError: not_found; invalid, naming every field at fault; conflict, for the default that
            is to be none.
    """
    accounts = await _locked(tx, customer)
    before = _own(accounts, account_id)
    present = details_of(vault, before)
    wanted = rules.checked(rules.changed(present, changes))
    if before.is_default and not wanted.is_default:
        raise conflict("payout_account_default", "make another account the default instead")
    is_other = rules.is_other_account(present, wanted)
    is_named_anew = is_other or wanted.account_name != before.account_name
    others = [one for one in accounts if one.id != before.id]
    known = _default_of(others, wanted.currency)
    is_default = wanted.is_default or known is None
    after = replace(
        before,
        account_name=wanted.account_name,
        method=wanted.method,
        bank_name=wanted.bank_name,
        bank_code=wanted.bank_code,
        number_ciphertext=_sealed(vault, before.id, wanted.number)
        if wanted.number != present.number
        else before.number_ciphertext,
        last4=rules.last4_of(wanted.number),
        currency=wanted.currency,
        is_default=is_default,
        metadata=wanted.metadata,
        resolution=Resolution() if is_named_anew else before.resolution,
    )
    if after == before:
        return before
    is_redirected = is_other or (is_default and not before.is_default)
    after = replace(
        after, updated_at=tx.now, changed_at=tx.now if is_redirected else before.changed_at
    )
    if is_default and known is not None:
        await store.unset_default(tx, before.customer_id, wanted.currency)
    await store.update(tx, after)
    tx.changed(before, after)
    if is_named_anew:
        await agenda.put(tx, RESOLVE, {after.id: tx.real_now})
    fact = PayoutAccountChanged(
        payout_account_id=after.id,
        customer_id=after.customer_id,
        currency=after.currency,
        is_default=after.is_default,
    )
    await outbox.emit(tx, [fact])
    return after


async def delete(tx: Transaction, customer: str, account_id: UUID) -> None:
    """Pay to an account no more; what is under way goes on.

    Raises:
        DomainError: not_found.
    """
    account = _own(await _locked(tx, customer), account_id)
    await store.delete(tx, account.id)
    await agenda.cancel(tx, RESOLVE, [account.id])
    tx.changed(account, None)
    fact = PayoutAccountDeleted(
        payout_account_id=account.id,
        customer_id=account.customer_id,
        currency=account.currency,
    )
    await outbox.emit(tx, [fact])


async def get(tx: Transaction, customer: str, account_id: UUID) -> PayoutAccount:
    """A customer's account.

    Raises:
        DomainError: not_found, also for another customer's.
    """
    owner = await customers.get(tx, customer)
    return _own(await store.list_of_customer(tx, owner.id, ACCOUNTS_MAX), account_id)


async def list_of(tx: Transaction, customer: str) -> list[PayoutAccount]:
    """A customer's accounts, oldest first.

    Raises:
        DomainError: not_found, the customer.
    """
    owner = await customers.get(tx, customer)
    return await store.list_of_customer(tx, owner.id, ACCOUNTS_MAX)


async def defaults_of(
    tx: Transaction, customer_ids: Collection[UUID], currency: str
) -> Mapping[CustomerId, PayoutAccount]:
    """The accounts that customers are paid to in a currency; absent where there is none."""
    return await store.defaults(tx, customer_ids, currency)


async def load(
    tx: Transaction, account_ids: Collection[UUID]
) -> Mapping[PayoutAccountId, PayoutAccount]:
    """These accounts; deleted ones are absent."""
    return await store.load(tx, account_ids)


def details_of(vault: Vault, account: PayoutAccount) -> AccountDetails:
    """An account as the merchant set it, with its number; empty, where its key is gone."""
    return AccountDetails(
        account_name=account.account_name,
        method=account.method,
        bank_name=account.bank_name,
        bank_code=account.bank_code,
        number=number_of(vault, account.id, account.number_ciphertext) or "",
        currency=account.currency,
        is_default=account.is_default,
        metadata=account.metadata,
    )


def number_of(vault: Vault, account_id: PayoutAccountId, ciphertext: bytes) -> str | None:
    """The number of an account, or of what was sent to it; None where its key is gone."""
    try:
        return vault.decrypt(_NUMBERS, ciphertext, context=account_id.bytes).decode()
    except UnreadableSecretError:
        return None


async def _locked(tx: Transaction, customer: str) -> list[PayoutAccount]:
    """All accounts of a customer, for one change may make another one no default."""
    owner = await customers.get(tx, customer)
    return await store.list_of_customer(tx, owner.id, ACCOUNTS_MAX, RowLock.CHANGE)


def _own(accounts: list[PayoutAccount], account_id: UUID) -> PayoutAccount:
    found = next((one for one in accounts if one.id == account_id), None)
    if found is None:
        raise not_found("payout_account")
    return found


def _default_of(accounts: list[PayoutAccount], currency: str) -> PayoutAccount | None:
    """The default account in a currency."""
    return next((one for one in accounts if one.is_default and one.currency == currency), None)


def _sealed(vault: Vault, account_id: PayoutAccountId, number: str) -> bytes:
    return vault.encrypt(_NUMBERS, number.encode(), context=account_id.bytes)

"""Deposits: money that came into virtual accounts by itself, each credited once.

A deposit is known by its connection and the provider's own id of it, never by a reference: all
that come into one account share theirs. A webhook, a list and a look-up of one deposit find its
row.
"""

from msgspec import Struct
from msgspec.structs import replace

from monigo.core.ids import ConnectionId
from monigo.infra.crypto import Vault
from monigo.infra.db import Transaction
from monigo.payments import charges
from monigo.payments.accounts import store
from monigo.payments.accounts.rules import Ended, Opened
from monigo.payments.accounts.service import put_on_list, record
from monigo.payments.accounts.types import AccountState, VirtualAccount
from monigo.payments.charges import Applied, AppliedState, PaymentKind, Purpose, Receipt
from monigo.providers.port import Fact, Kind, State


class Credited(Struct, frozen=True):
    """What was made of a deposit, and whether it had been received before."""

    applied: Applied
    is_known: bool = False


APPLIED = Applied(AppliedState.APPLIED)
UNKNOWN = Applied(AppliedState.UNKNOWN_REFERENCE)


async def apply_fact(
    tx: Transaction, vault: Vault, connection_id: ConnectionId, fact: Fact
) -> Applied:
    """Credit what a provider says came in, or note what it says of an account.

    What is a charge's is the charge's, though it came by bank transfer. Money that fits nothing is
    answered with the reason, and credits nothing.

    Raises:
        DomainError: what applying a charge's fact raises.
    """
    if fact.kind is Kind.VIRTUAL_ACCOUNT:
        return await _note_account(tx, connection_id, fact)
    account = await _account_of(tx, connection_id, fact)
    if account is not None:
        return (await credit(tx, account, fact)).applied
    if fact.reference:
        return await charges.apply_fact(tx, vault, connection_id, replace(fact, kind=Kind.CHARGE))
    if fact.state is State.REVERSED:
        return await _reverse(tx, connection_id, fact)
    # Without money and without a name of ours it is nobody's here.
    is_nothing = fact.state is not State.SUCCEEDED and fact.account_reference
    return Applied(AppliedState.IGNORED) if is_nothing else UNKNOWN


async def _account_of(
    tx: Transaction, connection_id: ConnectionId, fact: Fact
) -> VirtualAccount | None:
    """The account that money came into, by the first of its names that is given."""
    reference = fact.account_reference or fact.reference
    if reference:
        return await store.find_by_reference(tx, connection_id, reference)
    if fact.kind is not Kind.DEPOSIT:
        return None
    if fact.account_number:
        return await store.find_by_number(tx, connection_id, fact.account_number)
    return await store.find_by_owner(tx, connection_id, fact.customer)


async def credit(tx: Transaction, account: VirtualAccount, fact: Fact) -> Credited:
    """Receive a deposit into an account: all of it, for the fee is the merchant's.

    A payment that is known already stays as it was, and so does one that has not succeeded.
    """
    if fact.state is State.REVERSED:
        return Credited(await _reverse(tx, account.connection_id, fact), is_known=True)
    if fact.state is not State.SUCCEEDED:
        return Credited(Applied(AppliedState.IGNORED, "no money came in"))
    amount = fact.amount
    if not fact.provider_id or amount is None or amount.amount <= 0:
        return Credited(Applied(AppliedState.REFUSED, "the provider gave no id or amount"))
    if amount.currency != account.currency:
        reason = f"{amount.currency} came into an account in {account.currency}"
        return Credited(Applied(AppliedState.REFUSED, reason))
    for one in await charges.find_same(tx, account.connection_id, fact.provider_id, fact.rail_id):
        if one.provider_id != fact.provider_id and one.amount != amount:
            reason = f"the bank's receipt {fact.rail_id} is of another payment"
            return Credited(Applied(AppliedState.REFUSED, reason))
    received = await charges.receive(
        tx,
        Receipt(
            kind=PaymentKind.DEPOSIT,
            purpose=Purpose.WALLET,
            connection_id=account.connection_id,
            provider=account.provider,
            provider_id=fact.provider_id,
            rail_id=fact.rail_id,
            customer_id=account.customer_id,
            amount=amount,
            fee=fact.fee.amount if fact.fee else amount.amount * 0,
            fee_by_payer=fact.fee_by_payer.amount if fact.fee_by_payer else amount.amount * 0,
            occurred_at=fact.occurred_at,
            virtual_account_id=account.id,
            wallet_id=account.wallet_id,
        ),
    )
    if received is not None:
        await store.use(tx, account.id, tx.real_now)
        await put_on_list(tx, replace(account, last_used_at=tx.real_now))
    return Credited(APPLIED, is_known=received is None)


async def _reverse(tx: Transaction, connection_id: ConnectionId, fact: Fact) -> Applied:
    """Note that a provider took a deposit back; one that was never credited needs nothing."""
    for one in await charges.find_same(tx, connection_id, fact.provider_id):
        await charges.reverse(tx, one.id)
    return APPLIED


async def _note_account(tx: Transaction, connection_id: ConnectionId, fact: Fact) -> Applied:
    """What a provider says of an account that it opened, or closed, by itself."""
    reported = fact.account
    if reported is None:
        return Applied(AppliedState.IGNORED)
    known = await store.find_by_reference(tx, connection_id, reported.reference or fact.reference)
    known = known or await store.find_by_number(tx, connection_id, reported.account_number)
    if known is None:
        return UNKNOWN
    if known.state is AccountState.CLOSING and not reported.is_active:
        await record(tx, known.id, Ended())
    elif known.opened_at is None:
        await record(tx, known.id, Opened(reported))
    return APPLIED

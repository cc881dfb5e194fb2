"""What is asked of providers about virtual accounts, outside any transaction, and recorded."""

import asyncio

from monigo.core.ids import VirtualAccountId
from monigo.infra.agenda import Claim
from monigo.infra.db import Database, Tenant
from monigo.payments.accounts import deposits, service, store
from monigo.payments.accounts.rules import (
    Change,
    asks_by_itself,
    change_of,
    intent_of,
    is_absent,
    is_duplicate,
    list_again_at,
    listing_of,
)
from monigo.payments.accounts.types import (
    NO_IDENTITY,
    AccountState,
    Identity,
    Request,
    VirtualAccount,
)
from monigo.payments.connections import ProviderDesk
from monigo.providers.port import CloseVirtualAccount, Facts, Outcome, Succeeded

# Of what came into one account since it was listed last.
PAGES_MAX = 50


async def open_at_provider(
    desk: ProviderDesk,
    database: Database,
    tenant: Tenant,
    account_id: VirtualAccountId,
    identity: Identity | None,
) -> VirtualAccount:
    """Have a provider open an account that is wanted, or ask whether it has; as it is then.

    An account that somebody else asks for at this moment is left to them, and so is one that is
    settled. The proofs of identity are sent on, and not kept; None where nobody is there who has
    them, so that what the provider never got is not sent again.

    Raises:
        DomainError: not_found.
    """
    async with database.transaction(tenant) as tx:
        asked = await service.prepare(tx, account_id)
        if asked is None:
            return await service.get(tx, account_id)
    change = await _answered(desk, database, tenant, asked, identity)
    async with database.transaction(tenant) as tx:
        return await service.record(tx, account_id, change)


async def _answered(
    desk: ProviderDesk,
    database: Database,
    tenant: Tenant,
    asked: Request,
    identity: Identity | None,
) -> Change:
    """The provider's word: looked up where it may have the account, else asked to open it."""
    proofs = identity or NO_IDENTITY

    async def ask(*, is_question: bool) -> Outcome:
        intent = intent_of(asked.account, asked.payer, proofs, is_question=is_question)
        return await desk.ask(database, tenant, asked.account.connection_id, intent)

    is_question = asked.is_question
    outcome = await ask(is_question=is_question)
    if is_question and is_absent(outcome) and identity is not None:
        # It refuses a second one of the same reference, so that sending it again is safe.
        is_question, outcome = False, await ask(is_question=False)
    if not is_question and is_duplicate(outcome):
        is_question, outcome = True, await ask(is_question=True)
    return change_of(asked.account, outcome, proofs, is_question=is_question)


async def close_at_provider(
    desk: ProviderDesk, database: Database, tenant: Tenant, account_id: VirtualAccountId
) -> VirtualAccount:
    """Have a provider close an account that is to be closed; as it is then.

    Raises:
        DomainError: not_found.
    """
    async with database.transaction(tenant) as tx:
        account = await service.get(tx, account_id)
    if account.state is not AccountState.CLOSING:
        return account
    closing = CloseVirtualAccount(reference=account.reference, provider_id=account.provider_id)
    outcome = await desk.ask(database, tenant, account.connection_id, closing)
    change = change_of(account, outcome, NO_IDENTITY, is_question=False)
    async with database.transaction(tenant) as tx:
        return await service.record(tx, account_id, change)


async def ask_again(
    desk: ProviderDesk, database: Database, claim: Claim, _stop: asyncio.Event
) -> None:
    """Due work: ask about an account that is not settled, or have it closed."""
    account_id = VirtualAccountId(claim.subject)
    async with database.transaction(claim.tenant) as tx:
        account = await store.load(tx, account_id)
    if account is not None and account.state is AccountState.CLOSING:
        await close_at_provider(desk, database, claim.tenant, account_id)
    elif account is not None and asks_by_itself(account, service.repeat_of(account.provider)):
        await open_at_provider(desk, database, claim.tenant, account_id, None)
    async with database.transaction(claim.tenant) as tx:
        await claim.finish(tx)


async def list_deposits(
    desk: ProviderDesk, database: Database, claim: Claim, stop: asyncio.Event
) -> None:
    """Due work: credit what came into an account without a webhook, and list it again later.

    Lists are newest first: pages are read until one has a deposit that was known before. What can't
    be read now is read the next time.
    """
    async with database.transaction(claim.tenant) as tx:
        account = await store.load(tx, VirtualAccountId(claim.subject))
    page: int | None = 1 if account is not None and account.opened_at is not None else None
    while account is not None and page is not None and not stop.is_set():
        page = await _read_page(desk, database, claim.tenant, account, page)
    async with database.transaction(claim.tenant) as tx:
        known = await store.load(tx, VirtualAccountId(claim.subject))
        again_at = None if known is None else list_again_at(known, tx.real_now)
        await claim.finish(tx, again_at=again_at)


async def _read_page(
    desk: ProviderDesk, database: Database, tenant: Tenant, account: VirtualAccount, page: int
) -> int | None:
    """Apply a page of an account's deposits; the next page, None where what follows is known."""
    asked = listing_of(account, page)
    outcome = await desk.ask(database, tenant, account.connection_id, asked)
    if not (isinstance(outcome, Succeeded) and isinstance(outcome.result, Facts)):
        return None
    is_any_known = False
    for fact in outcome.result.facts:
        # One each, so that none that fits nothing keeps others from being credited.
        async with database.transaction(tenant) as tx:
            is_any_known |= (await deposits.credit(tx, account, fact)).is_known
    return None if is_any_known or page >= PAGES_MAX else outcome.result.next_page

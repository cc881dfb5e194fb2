"""Asks providers in whose name payout accounts are, and notes what they say."""

from typing import Protocol
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from monigo.core.errors import DomainError
from monigo.core.ids import PayoutAccountId
from monigo.infra import agenda, outbox
from monigo.infra.crypto import Vault
from monigo.infra.db import Database, RowLock, Tenant, Transaction
from monigo.payments import connections
from monigo.payments.connections import Purpose
from monigo.payments.payout_accounts import rules, store
from monigo.payments.payout_accounts.events import PayoutAccountResolved
from monigo.payments.payout_accounts.service import RESOLVE, number_of
from monigo.payments.payout_accounts.types import PayoutAccount, Resolution, ResolutionState
from monigo.providers.port import Failed, FailureCode, Intent, Outcome, Resolve
from monigo.providers.registry import adapter_of


class Desk(Protocol):
    """Asks providers, and has the vault in which numbers can be read."""

    @property
    def vault(self) -> Vault:
        """What numbers are encrypted by."""
        ...

    async def ask(
        self, database: Database, tenant: Tenant, connection_id: UUID, intent: Intent
    ) -> Outcome:
        """What came of an intent."""
        ...


class Asked(Struct, frozen=True):
    """An account as it was asked about, and the answer; None where nobody knows such names."""

    account: PayoutAccount
    answer: Outcome | None


async def ask_name(
    desk: Desk, database: Database, tenant: Tenant, account_id: PayoutAccountId
) -> Asked | None:
    """Ask in whose name an account is; None once it is deleted."""
    async with database.transaction(tenant) as tx:
        account = (await store.load(tx, [account_id])).get(account_id)
        connection = None
        if account is not None:
            currency = account.currency
            connection = await connections.pick(tx, currency=currency, purpose=Purpose.PAY_OUT)
    if account is None:
        return None
    if connection is None:
        said = f"no payment connection pays out {account.currency}"
        return Asked(account, Failed(code=FailureCode.NOT_SENT, reason=said, is_final=False))
    capabilities = adapter_of(connection.provider).capabilities
    if not rules.shows_names(capabilities, account.method, account.currency):
        return Asked(account, None)
    return Asked(account, await _asked(desk, database, tenant, connection.id, account))


async def _asked(
    desk: Desk, database: Database, tenant: Tenant, connection_id: UUID, account: PayoutAccount
) -> Outcome:
    number = number_of(desk.vault, account.id, account.number_ciphertext)
    if number is None:
        said = "the number of the account can't be read"
        return Failed(code=FailureCode.NOT_SENT, reason=said, is_final=False)
    intent = Resolve(code=account.bank_code, number=number)
    try:
        return await desk.ask(database, tenant, connection_id, intent)
    except DomainError as error:
        said = rules.faults_of(error.fields) or error.message
        return Failed(code=FailureCode.NOT_SENT, reason=said, is_final=False)


async def record_name(tx: Transaction, asked: Asked) -> PayoutAccount | None:
    """Note in whose name an account is; None once it is deleted.

    A name that differs forbids nothing, and an outage neither: that is for people to look at.
    """
    account, answer = asked.account, asked.answer
    before = (await store.load(tx, [account.id], RowLock.CHANGE)).get(account.id)
    if before is None:
        return None
    known = (before.number_ciphertext, before.bank_code, before.account_name)
    if known != (account.number_ciphertext, account.bank_code, account.account_name):
        # It was changed meanwhile, and is asked about anew.
        return before
    if answer is None:
        said = Resolution(state=ResolutionState.UNSUPPORTED, tries=before.resolution.tries + 1)
    else:
        said = rules.resolved(before.resolution, answer, before.account_name)
    is_open = said.state is ResolutionState.UNRESOLVED
    said = replace(said, at=None if is_open else tx.real_now)
    after = replace(before, resolution=said)
    await store.update(tx, after)
    tx.changed(before, after)
    wait = rules.wait_before(said.tries) if is_open else None
    if wait is not None:
        await agenda.put(tx, RESOLVE, {after.id: tx.real_now + wait})
    if not is_open and said.state is not before.resolution.state:
        fact = PayoutAccountResolved(
            payout_account_id=after.id,
            customer_id=after.customer_id,
            currency=after.currency,
            state=said.state,
        )
        await outbox.emit(tx, [fact])
    return after

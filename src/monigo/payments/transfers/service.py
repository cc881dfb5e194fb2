"""Use cases of transfers: to intend them, to read of them, and to decide what nobody knows."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from monigo.core.errors import conflict, not_found
from monigo.core.ids import InvoiceId, PayoutTransferId
from monigo.infra import agenda
from monigo.infra.db import RowLock, Transaction
from monigo.infra.ids import new_id
from monigo.payments import connections, payout_accounts
from monigo.payments.charges import CALL_LASTS, reference_of
from monigo.payments.connections import Connection, ConnectionDeletion, Purpose
from monigo.payments.payout_accounts import PayoutAccount
from monigo.payments.transfers import outcomes, rules, store
from monigo.payments.transfers.outcomes import ASK, SUBMIT
from monigo.payments.transfers.types import (
    Destination,
    NewTransfer,
    OwnCode,
    Resolution,
    Transfer,
    TransferState,
)
from monigo.providers.registry import adapter_of


async def create(tx: Transaction, wanted: Sequence[NewTransfer]) -> list[Transfer]:
    """Intend to pay legs of bills; nothing is sent before the transaction commits.

    What nobody waits for is sent by the agenda; so is the rest, should its process die. The legs
    are locked by the caller.

    Raises:
        DomainError: conflict, where a transfer of a leg is live or has paid it, an account is gone,
            or no connection pays out its currency to such an account.
    """
    if not wanted:
        return []
    accounts = await payout_accounts.load(tx, {one.payout_account_id for one in wanted})
    chosen = await _connections(tx, {one.amount.currency for one in wanted})
    # Locked, so that none of them is paid after all at this moment.
    known = await store.list_of_legs(tx, [one.leg_id for one in wanted], RowLock.CHANGE)
    before = {one.leg_id: one for one in sorted(known, key=lambda one: one.attempt)}
    refused = {one.leg_id for one in known if one.is_live or one.has_paid}
    made: list[Transfer] = []
    for one in wanted:
        last = before.get(one.leg_id)
        if one.leg_id in refused:
            raise conflict("payout_in_flight", "a transfer for it is under way, or was paid")
        account = accounts.get(one.payout_account_id)
        if account is None:
            raise conflict("payout_account_gone", "the payout account was deleted")
        connection = _usable(chosen.get(one.amount.currency), account, one)
        attempt = 1 if last is None else last.attempt + 1
        made.append(
            Transfer(
                id=PayoutTransferId(new_id()),
                leg_id=one.leg_id,
                bill_id=one.bill_id,
                customer_id=one.customer_id,
                to=_destination(account),
                connection_id=connection.id,
                provider=connection.provider,
                attempt=attempt,
                reference=reference_of(tx.tenant, "transfer", one.leg_id, attempt),
                amount=one.amount,
                narration=one.narration,
                actor=str(tx.principal),
                created_at=tx.now,
            )
        )
    await store.insert(tx, made)
    due: dict[PayoutTransferId, datetime] = {
        transfer.id: tx.real_now + CALL_LASTS if one.is_awaited else tx.real_now
        for transfer, one in zip(made, wanted, strict=True)
    }
    await agenda.put(tx, SUBMIT, due)
    return made


async def _connections(tx: Transaction, currencies: Collection[str]) -> dict[str, Connection]:
    found = {
        one: await connections.pick(tx, currency=one, purpose=Purpose.PAY_OUT)
        for one in sorted(currencies)
    }
    return {currency: one for currency, one in found.items() if one is not None}


def _usable(
    connection: Connection | None, account: PayoutAccount, wanted: NewTransfer
) -> Connection:
    currency = wanted.amount.currency
    if connection is None:
        raise conflict("no_payout_connection", f"no payment connection pays out {currency}")
    if account.currency != currency:
        raise conflict("payout_account_currency", f"the payout account is not in {currency}")
    methods = adapter_of(connection.provider).capabilities.pays_out.values()
    if not any(account.method in known for known in methods):
        said = f"{connection.label} pays out to no {account.method.value} account"
        raise conflict("payout_method_unsupported", said)
    return connection


def _destination(account: PayoutAccount) -> Destination:
    return Destination(
        payout_account_id=account.id,
        method=account.method,
        bank_code=account.bank_code,
        bank_name=account.bank_name,
        account_name=account.account_name,
        number_ciphertext=account.number_ciphertext,
        last4=account.last4,
    )


async def get_transfer(tx: Transaction, transfer_id: UUID) -> Transfer:
    """A transfer.

    Raises:
        DomainError: not_found.
    """
    found = await store.load(tx, [transfer_id])
    if not found:
        raise not_found("transaction")
    return found[PayoutTransferId(transfer_id)]


async def get_transfers(
    tx: Transaction, transfer_ids: Collection[UUID]
) -> Mapping[PayoutTransferId, Transfer]:
    """Those of these transfers that there are."""
    return await store.load(tx, transfer_ids)


async def is_in_flight(tx: Transaction, bill_ids: Collection[UUID]) -> frozenset[InvoiceId]:
    """The bills of which a payee may get something that has not been decided."""
    live = await store.list_live_of_bills(tx, bill_ids)
    return frozenset(one.bill_id for one in live if one.is_in_flight)


async def lock_of_legs(tx: Transaction, leg_ids: Collection[UUID]) -> list[Transfer]:
    """All transfers of legs, locked: before the bills are, which reactions to them lock."""
    return await store.list_of_legs(tx, leg_ids, RowLock.CHANGE)


async def stop_unsent(tx: Transaction, bill_ids: Collection[UUID], reason: str) -> list[Transfer]:
    """Send what was not sent of bills no more; the transfers that are in flight, locked.

    To be called before the bills are locked: transfers are locked first.
    """
    live = await store.list_live_of_bills(tx, bill_ids, RowLock.CHANGE)
    unsent = [one for one in live if not one.is_in_flight]
    stopped = [
        (one, rules.failed(one, OwnCode.STOPPED, reason, is_final=False, now=tx.now))
        for one in unsent
    ]
    await outcomes.save(tx, stopped)
    await agenda.cancel(tx, SUBMIT, [one.id for one in unsent])
    return [one for one in live if one.is_in_flight]


async def resolve(
    tx: Transaction,
    transfer_id: UUID,
    outcome: TransferState,
    *,
    provider_id: str = "",
    note: str = "",
) -> Transfer:
    """Take a person's word for a transfer of which the provider has said nothing definite.

    The provider's later word still wins, and a contradiction is noted.

    Raises:
        DomainError: not_found; conflict, where it is settled or was never sent.
    """
    found = await store.lock_legs_of(tx, [transfer_id])
    before = found.get(PayoutTransferId(transfer_id))
    if before is None:
        raise not_found("transaction")
    if not before.is_in_flight:
        said = f"the transaction is {before.state}" if before.is_live else "it is settled already"
        raise conflict("transaction_settled", said)
    said = Resolution(str(tx.principal), tx.real_now, outcome, note)
    known = replace(before, resolution=said, provider_id=provider_id or before.provider_id)
    if outcome is TransferState.SUCCEEDED:
        after = rules.succeeded(known, tx.now)
    else:
        after = rules.failed(known, OwnCode.RESOLVED, note, is_final=True, now=tx.now)
    saved = await outcomes.save(tx, [(before, after)])
    await agenda.cancel(tx, ASK, [before.id])
    return saved[before.id]


async def refuse_connection_in_use(tx: Transaction, question: ConnectionDeletion) -> None:
    """Keep a connection while a transfer of it is not final.

    Raises:
        DomainError: conflict.
    """
    if await store.is_any_live(tx, question.connection_id):
        raise conflict("connection_in_use", "transfers of the connection are not final")

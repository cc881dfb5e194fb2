"""Sends transfers, in bulk where a provider takes that, outside of any transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from monigo.core.errors import DomainError, ErrorKind
from monigo.core.ids import PayoutTransferId, TransferBatchId
from monigo.core.money import Money
from monigo.infra import agenda, registry
from monigo.infra.crypto import Vault
from monigo.infra.db import Database, Tenant, Transaction
from monigo.infra.ids import new_id
from monigo.payments import payout_accounts
from monigo.payments.charges import Desk, reference_of
from monigo.payments.transfers import outcomes, rules, store
from monigo.payments.transfers.outcomes import SUBMIT, Word
from monigo.payments.transfers.types import (
    OwnCode,
    Refusal,
    Transfer,
    TransferState,
    TransferSubmission,
)
from monigo.providers import port
from monigo.providers.port import (
    Batch,
    Cause,
    Failed,
    FailureCode,
    Outcome,
    Succeeded,
    Unknown,
)
from monigo.providers.registry import adapter_of

# Calls take longer at one time than at another: a turn is a bit more than what a provider wants.
TURN_MARGIN = timedelta(milliseconds=100)
# The provider's clock and ours differ.
SAME_MARGIN = timedelta(seconds=10)
_UNREADABLE = "the number of the account can't be read"


class Line(Struct, frozen=True):
    """Who asks providers for whom."""

    desk: Desk
    database: Database
    tenant: Tenant

    async def ask_each(self, asked: Sequence[tuple[Transfer, port.Intent]]) -> list[Outcome]:
        """What providers say of transfers, all asked at the same time."""
        if not asked:
            return []
        wanted = [(one.connection_id, intent) for one, intent in asked]
        said = await self.desk.ask_all(self.database, self.tenant, wanted)
        return [_outcome(one) for one in said]

    async def ask(self, transfer: Transfer, intent: port.Intent) -> Outcome:
        """What the provider of a transfer says."""
        (answer,) = await self.ask_each([(transfer, intent)])
        return answer


class _Bulk(Struct, frozen=True):
    """A bulk whose accounts the provider knows, and the rows that it doesn't take, with why."""

    intents: Mapping[PayoutTransferId, port.Transfer]
    refused: Mapping[PayoutTransferId, Failed]


async def send_together(line: Line, transfers: Sequence[Transfer]) -> None:
    """Send transfers of one connection and currency, as many as its provider takes in one call.

    Where its balance does not hold them, all wait. What is not to be sent any more fails; what
    another process sends meanwhile is left to it.
    """
    first = transfers[0]
    known = await line.ask(first, port.Balance())
    delay = _delay(known, transfers)
    if delay is not None:
        await _put_off(line, transfers, delay)
        return
    if len(transfers) == 1 or any(one.is_alone for one in transfers):
        await send_singly(line, [one.id for one in transfers])
        return
    intents = {
        one.id: intent for one in transfers if (intent := _intent(line.desk.vault, one)) is not None
    }
    unreadable = [one for one in transfers if one.id not in intents]
    if unreadable:
        unsent = Failed(code=FailureCode.NOT_SENT, reason=_UNREADABLE, is_final=False)
        await _put_off(line, unreadable, unsent)
    if intents:
        await _send_bulk(line, first, intents)


def _delay(known: Outcome, transfers: Sequence[Transfer]) -> Failed | None:
    """Why transfers wait, by what a provider says of its balance.

    One that keeps it to itself decides; one that does not answer would not answer these.
    """
    match known:
        case Succeeded(result=tuple() as held):
            balances = [one for one in held if isinstance(one, Money)]
            if rules.is_enough(balances, transfers):
                return None
            said = "the balance at the provider does not suffice"
            code = FailureCode.INSUFFICIENT_BALANCE
            return Failed(code=code, reason=said, is_final=False)
        case Unknown(cause=cause) if cause is not Cause.REFUSED:
            said = f"the provider does not answer: {cause}"
            return Failed(code=FailureCode.NOT_SENT, reason=said, is_final=False)
        case Failed(code=FailureCode.NOT_SENT):
            return known
        case _:
            return None


async def _put_off(line: Line, transfers: Sequence[Transfer], why: Failed) -> None:
    """Send transfers later that nobody has sent meanwhile."""
    async with line.database.transaction(line.tenant) as tx:
        known = await store.lock_legs_of(tx, [one.id for one in transfers])
        unsent = [
            known[one.id] for one in transfers if known[one.id].state is TransferState.CREATED
        ]
        changes: list[tuple[Transfer, Transfer]] = []
        for one in unsent:
            later = rules.put_off(one, why, now=tx.now, real_now=tx.real_now)
            changes.append((one, replace(later, asked=later.asked + 1, asked_at=tx.real_now)))
        await outcomes.save(tx, changes)


async def _send_bulk(
    line: Line, first: Transfer, intents: Mapping[PayoutTransferId, port.Transfer]
) -> None:
    batch_id = TransferBatchId(new_id())
    reference = reference_of(line.tenant, "bulk", batch_id, 1)
    known = await _with_accounts(line, first, reference, intents)
    if known.refused:
        await _refuse(line, known.refused)
    if not known.intents:
        return
    await _wait_for_turn(line, first)
    async with line.database.transaction(line.tenant) as tx:
        sent = await prepare(tx, list(known.intents), batch_id=batch_id)
    if not sent:
        return
    rows = tuple(known.intents[one.id] for one in sent)
    bulk = port.Bulk(reference=reference, transfers=rows)
    answer = await line.ask(first, bulk)
    await _record(line, sent, _rows_of(sent, answer))


async def _with_accounts(
    line: Line,
    first: Transfer,
    reference: str,
    intents: Mapping[PayoutTransferId, port.Transfer],
) -> _Bulk:
    """A bulk with what its provider calls the accounts in it, where it must know them before."""
    bulk = port.Bulk(reference=reference, transfers=tuple(intents.values()))
    preparation = adapter_of(first.provider).prepare(bulk)
    if preparation is None:
        return _Bulk(intents, {})
    found = await line.ask(first, preparation.first)
    completed = preparation.then(found) if isinstance(found, Succeeded) else found
    if isinstance(completed, port.Bulk):
        by_reference = {one.reference: one for one in completed.transfers}
        known = {key: by_reference[one.reference] for key, one in intents.items()}
        unknown = Failed(
            code=FailureCode.INVALID_RECIPIENT,
            reason="the account was not accepted",
            is_final=False,
        )
        return _Bulk(
            {key: one for key, one in known.items() if one.account.recipient},
            {key: unknown for key, one in known.items() if not one.account.recipient},
        )
    if isinstance(completed, Failed):
        why = completed
    else:
        said = "the provider does not answer"
        why = Failed(code=FailureCode.NOT_SENT, reason=said, is_final=False)
    return _Bulk({}, dict.fromkeys(intents, why))


async def _refuse(line: Line, refused: Mapping[PayoutTransferId, Failed]) -> None:
    """Record why rows were left out of a bulk; nothing was sent of them."""
    async with line.database.transaction(line.tenant) as tx:
        known = await store.lock_legs_of(tx, list(refused))
        changes: list[tuple[Transfer, Transfer]] = []
        for key, why in refused.items():
            one = known[key]
            if one.state is not TransferState.CREATED:
                continue
            if why.code in {FailureCode.NOT_SENT, FailureCode.INSUFFICIENT_BALANCE}:
                after = rules.put_off(one, why, now=tx.now, real_now=tx.real_now)
            else:
                after = rules.failed(one, why.code, why.reason, is_final=False, now=tx.now)
            changes.append((one, replace(after, asked=after.asked + 1, asked_at=tx.real_now)))
        await outcomes.save(tx, changes)


async def _wait_for_turn(line: Line, first: Transfer) -> None:
    """Wait until the next bulk of a connection may be sent, where there must be time between."""
    gap = adapter_of(first.provider).capabilities.bulk_gap
    if not gap:
        return
    async with line.database.transaction(line.tenant) as tx:
        turn_at = await store.take_turn(tx, first.connection_id, gap + TURN_MARGIN)
    wait = (turn_at - line.database.real_now()).total_seconds()
    await asyncio.sleep(max(wait, 0))


def _rows_of(sent: Sequence[Transfer], answer: Outcome) -> list[Outcome]:
    """What the answer to a bulk says of each of its rows."""
    if isinstance(answer, Succeeded) and isinstance(answer.result, Batch):
        missing = Unknown(cause=Cause.UNRECOGNIZED, detail="the answer has nothing of it")
        return [answer.result.outcomes.get(one.reference, missing) for one in sent]
    if isinstance(answer, Succeeded):
        return [Unknown(cause=Cause.UNRECOGNIZED) for _ in sent]
    return [rules.of_row(answer) for _ in sent]


async def send_singly(
    line: Line, transfer_ids: Sequence[PayoutTransferId], *, is_again: bool = False
) -> list[Transfer]:
    """Send transfers, each in a call of its own; those that were sent, as they stand then.

    `is_again`: they may have arrived before, and their provider knows nothing of them.
    """
    async with line.database.transaction(line.tenant) as tx:
        sent = await prepare(tx, transfer_ids, is_again=is_again)
    intents = [_intent(line.desk.vault, one) for one in sent]
    readable = [
        (one, intent) for one, intent in zip(sent, intents, strict=True) if intent is not None
    ]
    unsent = Failed(code=FailureCode.NOT_SENT, reason=_UNREADABLE, is_final=False)
    answers = await line.ask_each(readable)
    said = {one.id: answer for (one, _), answer in zip(readable, answers, strict=True)}
    return await _record(line, sent, [said.get(one.id, unsent) for one in sent])


async def prepare(
    tx: Transaction,
    transfer_ids: Sequence[PayoutTransferId],
    *,
    batch_id: TransferBatchId | None = None,
    is_again: bool = False,
) -> list[Transfer]:
    """Note that transfers are sent, after asking all who have a say; those that are to be.

    One that may have arrived and is not to be sent again waits for a person.
    """
    known = await store.lock_legs_of(tx, transfer_ids)
    chosen = [
        known[one] for one in transfer_ids if one in known and _is_ready(known[one], is_again)
    ]
    if not chosen:
        return []
    answers: list[Refusal] = await registry.gather(tx, TransferSubmission(tuple(chosen)))
    refused = {one.transfer_id: one.reason for one in answers}
    waiting = {} if is_again else await _too_soon(tx, chosen)
    changes: list[tuple[Transfer, Transfer]] = []
    sent: list[Transfer] = []
    for one in chosen:
        if one.id in refused:
            changes.append((one, _refused(tx, one, refused[one.id])))
        elif one.id not in waiting:
            after = replace(rules.sent(one, tx.real_now), batch_id=batch_id or one.batch_id)
            changes.append((one, after))
            sent.append(after)
    saved = await outcomes.save(tx, changes)
    await agenda.put(tx, SUBMIT, waiting)
    return [saved[one.id] for one in sent]


def _is_ready(transfer: Transfer, is_again: bool) -> bool:  # noqa: FBT001 - of this module only
    if is_again:
        return transfer.is_in_flight
    return transfer.state is TransferState.CREATED


def _refused(tx: Transaction, transfer: Transfer, reason: str) -> Transfer:
    if transfer.is_in_flight:
        return replace(transfer, needs_person_at=transfer.needs_person_at or tx.real_now)
    return rules.failed(transfer, OwnCode.STOPPED, reason, is_final=False, now=tx.now)


async def _too_soon(
    tx: Transaction, transfers: Sequence[Transfer]
) -> dict[PayoutTransferId, datetime]:
    gap = adapter_of(transfers[0].provider).capabilities.same_transfer_gap
    if not gap:
        return {}
    whole = gap + SAME_MARGIN
    first = transfers[0]
    since = tx.real_now - whole
    sent_at = await store.sent_since(tx, first.connection_id, since, rules.destinations(transfers))
    return rules.too_soon(transfers, sent_at, whole, tx.real_now)


async def _record(
    line: Line, sent: Sequence[Transfer], answers: Sequence[Outcome]
) -> list[Transfer]:
    words = [
        Word(transfer_id=one.id, outcome=answer, is_answer=True)
        for one, answer in zip(sent, answers, strict=True)
    ]
    if not words:
        return []
    async with line.database.transaction(line.tenant) as tx:
        return await outcomes.apply_words(tx, words)


def _intent(vault: Vault, transfer: Transfer) -> port.Transfer | None:
    """What is sent; None where the account's number can't be read."""
    to = transfer.to
    number = payout_accounts.number_of(vault, to.payout_account_id, to.number_ciphertext)
    if number is None:
        return None
    return port.Transfer(
        reference=transfer.reference,
        amount=transfer.amount,
        account=port.PayoutAccount(
            method=to.method,
            code=to.bank_code,
            number=number,
            name=to.account_name,
            currency=transfer.amount.currency,
        ),
        narration=transfer.narration,
    )


def _outcome(said: Outcome | DomainError) -> Outcome:
    """What a provider says; an amount or account that it does not take is its refusal."""
    if not isinstance(said, DomainError):
        return said
    if said.kind is not ErrorKind.INVALID:
        raise said
    faults = "; ".join(f"{name} {fault}" for name, fault in said.fields.items())
    return Failed(code=FailureCode.INVALID_REQUEST, reason=faults, is_final=False)

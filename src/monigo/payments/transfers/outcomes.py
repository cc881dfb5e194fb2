"""Applies a provider's word to transfers.

Answers, webhooks, questions, lists and a person's word all end here.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from monigo.core.errors import not_found
from monigo.core.ids import PayoutLegId, PayoutTransferId
from monigo.infra import agenda, outbox
from monigo.infra.agenda import Follows, Kind
from monigo.infra.db import RowLock, Transaction
from monigo.infra.facts import Fact as DomainFact
from monigo.payments.charges import Applied, AppliedState
from monigo.payments.transfers import rules, store
from monigo.payments.transfers.events import (
    TransferDelayed,
    TransferFailed,
    TransferFeeKnown,
    TransferNeedsAction,
    TransferPaidTwice,
    TransferReversed,
    TransferSubmitted,
    TransferSucceeded,
)
from monigo.payments.transfers.types import OwnCode, Transfer, TransferState
from monigo.providers.port import Fact, FailureCode, Outcome, outcome_of

# Transfers that are to be sent, and those that are to be asked about.
SUBMIT = Kind("transfer_submit", Follows.REAL)
ASK = Kind("transfer_ask", Follows.REAL)

_STOPPED_FOR_SUCCESS = "an earlier transfer was paid after all"


class Word(Struct, frozen=True, kw_only=True):
    """What a provider says of a transfer.

    `is_answer`: it answers the request that was to make the transfer; `is_question`: it answers a
    question; neither: it came by itself.
    """

    transfer_id: PayoutTransferId
    outcome: Outcome
    is_answer: bool = False
    is_question: bool = False


async def apply_fact(tx: Transaction, connection_id: UUID, fact: Fact) -> Applied:
    """Apply what a provider says of a transfer of a connection, wherever it says so."""
    if not fact.reference:
        return Applied(AppliedState.UNKNOWN_REFERENCE)
    known = await store.find_by_reference(tx, connection_id, fact.reference)
    if known is None:
        return Applied(AppliedState.UNKNOWN_REFERENCE)
    if rules.is_other_amount(known, fact):
        await apply_words(tx, [Word(transfer_id=known.id, outcome=outcome_of(fact))])
        return Applied(AppliedState.REFUSED, "another amount than was sent")
    await apply_words(tx, [Word(transfer_id=known.id, outcome=outcome_of(fact))])
    return Applied(AppliedState.APPLIED)


async def apply_words(tx: Transaction, words: Sequence[Word]) -> list[Transfer]:
    """Transfers after a provider's words, one of each, and all that follows in one transaction.

    A success counts whatever stood before, but for a reversal; of two transfers of a leg one pays
    it, and the other is in excess.

    Raises:
        DomainError: not_found; what reactions raise.
    """
    ids = [word.transfer_id for word in words]
    transfers = await store.lock_legs_of(tx, ids)
    if not transfers.keys() >= set(ids):
        raise not_found("transaction")
    made = {
        word.transfer_id: (transfers[word.transfer_id], _after(tx, transfers, word))
        for word in words
    }
    saved = await save(tx, list(made.values()))
    return [saved[word.transfer_id] for word in words]


def _after(tx: Transaction, transfers: Mapping[PayoutTransferId, Transfer], word: Word) -> Transfer:
    before = transfers[word.transfer_id]
    after = rules.after(
        before, word.outcome, is_answer=word.is_answer, now=tx.now, real_now=tx.real_now
    )
    if word.is_question or word.is_answer:
        after = rules.after_call(after, word.outcome, tx.real_now)
    said = before.resolution
    if said is not None and after.state is not before.state and after.state is not said.outcome:
        after = replace(after, is_contradicted=True)
    is_stuck = after.is_in_flight and rules.next_question(after, tx.real_now) is None
    if is_stuck and after.needs_person_at is None:
        after = replace(after, needs_person_at=tx.real_now)
    return after


async def save(
    tx: Transaction, changes: Sequence[tuple[Transfer, Transfer]]
) -> dict[PayoutTransferId, Transfer]:
    """Store what became of locked transfers, before and after, and do what follows from it."""
    settled, facts = await _settle_legs(tx, changes)
    changed = [(before, after) for before, after in settled if after != before]
    # What was in excess counts once the other one does not: of a leg only one may at any time.
    promoted = [after for before, after in changed if before.is_excess and after.has_paid]
    others = [after for before, after in changed if not (before.is_excess and after.has_paid)]
    for saved in (others, promoted):
        if saved:
            await store.update(tx, saved)
            await _put_on_agenda(tx, saved)
    await outbox.emit(tx, facts)
    return {after.id: after for _, after in settled}


async def _put_on_agenda(tx: Transaction, changed: Sequence[Transfer]) -> None:
    now = tx.real_now
    sendings = {one.id: at for one in changed if (at := rules.next_sending(one, now)) is not None}
    questions = {one.id: at for one in changed if (at := rules.next_question(one, now)) is not None}
    await agenda.put(tx, SUBMIT, sendings)
    await agenda.put(tx, ASK, questions)


async def _settle_legs(
    tx: Transaction, changes: Sequence[tuple[Transfer, Transfer]]
) -> tuple[list[tuple[Transfer, Transfer]], list[DomainFact]]:
    """Decide which transfer of a leg counts, where one was paid after all that had failed.

    Only then there can be another one of the leg that lives or was paid; and where another one
    fails, what was in excess pays the leg.
    """
    legs = {
        before.leg_id
        for before, after in changes
        if after.state is not before.state and (_is_late(before, after) or _is_lost(before, after))
    }
    if not legs:
        return list(changes), [fact for change in changes for fact in _facts(*change)]
    known: dict[PayoutTransferId, tuple[Transfer, Transfer]] = {
        one.id: (one, one) for one in await store.list_of_legs(tx, legs, RowLock.CHANGE)
    }
    known |= {before.id: (before, after) for before, after in changes}
    facts: list[DomainFact] = []
    for leg_id in legs:
        facts += _settle_leg(tx, leg_id, known)
    facts += [
        fact
        for before, after in known.values()
        if before.leg_id not in legs
        for fact in _facts(before, after)
    ]
    return list(known.values()), facts


def _is_late(before: Transfer, after: Transfer) -> bool:
    """Whether a transfer is paid that counted as failed."""
    return before.state is TransferState.FAILED and after.state is TransferState.SUCCEEDED


def _is_lost(before: Transfer, after: Transfer) -> bool:
    """Whether a transfer that was to pay its leg does not."""
    return not before.is_excess and after.state in {TransferState.FAILED, TransferState.REVERSED}


def _settle_leg(
    tx: Transaction,
    leg_id: PayoutLegId,
    known: dict[PayoutTransferId, tuple[Transfer, Transfer]],
) -> list[DomainFact]:
    facts: list[DomainFact] = []
    own = [one for one in known.values() if one[0].leg_id == leg_id]
    late = [one for one in own if _is_late(*one)]
    for before, after in own:
        if late and after.state is TransferState.CREATED:
            stopped = rules.failed(
                after, OwnCode.STOPPED, _STOPPED_FOR_SUCCESS, is_final=False, now=tx.now
            )
            known[before.id] = (before, stopped)
    own = [known[before.id] for before, _ in own]
    others = [after for _, after in own if after.is_live or after.has_paid]
    for before, after in own:
        other = next((one for one in others if one.id != after.id), None)
        if _is_late(before, after) and other is not None:
            excess = replace(after, is_excess=True)
            known[before.id] = (before, excess)
            others = [one for one in others if one.id != after.id]
            facts.append(
                TransferPaidTwice(
                    **_fields(excess), other_id=other.id, is_other_paid=other.has_paid
                )
            )
        else:
            facts += _facts(before, after)
    own = [known[before.id] for before, _ in own]
    if not any(after.is_live or after.has_paid for _, after in own):
        facts += _promote(known, own)
    return facts


def _promote(
    known: dict[PayoutTransferId, tuple[Transfer, Transfer]],
    own: Iterable[tuple[Transfer, Transfer]],
) -> list[DomainFact]:
    """Have a leg paid by what was in excess until the other one failed."""
    spare = next(
        (
            (before, after)
            for before, after in own
            if after.is_excess and after.state is TransferState.SUCCEEDED
        ),
        None,
    )
    if spare is None:
        return []
    before, after = spare
    counts = replace(after, is_excess=False)
    known[before.id] = (before, counts)
    return [TransferSucceeded(**_fields(counts), was_excess=True)]


def _fields(transfer: Transfer) -> dict[str, Any]:
    return {
        "transfer_id": transfer.id,
        "leg_id": transfer.leg_id,
        "bill_id": transfer.bill_id,
        "customer_id": transfer.customer_id,
        "connection_id": transfer.connection_id,
        "provider": transfer.provider,
        "reference": transfer.reference,
        "currency": transfer.amount.currency,
        "amount": transfer.amount.amount,
        "fee": None if transfer.fee is None else transfer.fee.amount,
    }


def _facts(before: Transfer, after: Transfer) -> list[DomainFact]:
    """What is to be reported of a transfer that changed."""
    facts: list[DomainFact] = []
    if before.submitted_at is None and after.submitted_at is not None:
        facts.append(TransferSubmitted(**_fields(after)))
    if after.state is before.state:
        return facts + _delays(before, after) + _late_fee(before, after)
    match after.state:
        case TransferState.SUCCEEDED:
            facts.append(TransferSucceeded(**_fields(after), was_excess=False))
        case TransferState.REVERSED if before.state is TransferState.SUCCEEDED:
            facts.append(TransferReversed(**_fields(before), was_excess=before.is_excess))
        case TransferState.FAILED | TransferState.REVERSED if before.is_live:
            facts.append(_failed(after))
        case TransferState.NEEDS_ACTION:
            facts.append(TransferNeedsAction(**_fields(after), needs_otp=after.needs_otp))
        case _:
            facts += _delays(before, after)
    return facts


def _failed(after: Transfer) -> TransferFailed:
    failure = after.failure
    return TransferFailed(
        **_fields(after),
        code=failure.code if failure else FailureCode.OTHER,
        reason=failure.reason if failure else "",
        is_final=bool(failure and failure.is_final),
        was_submitted=after.submitted_at is not None,
    )


def _late_fee(before: Transfer, after: Transfer) -> list[DomainFact]:
    """That a provider says only now what it took for a transfer that had arrived."""
    is_late = before.state is TransferState.SUCCEEDED and before.fee is None
    return [TransferFeeKnown(**_fields(after))] if is_late and after.fee is not None else []


def _delays(before: Transfer, after: Transfer) -> list[DomainFact]:
    """That a transfer begins to wait for money at the provider."""
    failure = after.failure
    is_short = (
        after.state is TransferState.CREATED
        and failure is not None
        and failure.code == FailureCode.INSUFFICIENT_BALANCE
    )
    was_short = before.failure is not None and (
        before.failure.code == FailureCode.INSUFFICIENT_BALANCE
    )
    if not is_short or was_short or failure is None or before.waiting_since is not None:
        return []
    return [TransferDelayed(**_fields(after), code=failure.code, reason=failure.reason)]

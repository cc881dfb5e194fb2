"""Applies a provider's word to a charge.

Answers, webhooks, questions, lists and a person's word all end here.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from monigo.core.errors import not_found
from monigo.core.ids import ChargeId
from monigo.infra import agenda, outbox
from monigo.infra.agenda import Follows, Kind
from monigo.infra.crypto import Vault
from monigo.infra.db import RowLock, Transaction
from monigo.infra.facts import Fact as DomainFact
from monigo.payments import methods, received
from monigo.payments.charges import rules, store
from monigo.payments.charges.events import ChargeFailed, ChargeNeedsAction
from monigo.payments.charges.rules import Counted
from monigo.payments.charges.types import (
    Applied,
    AppliedState,
    Charge,
    ChargeKind,
    ChargeState,
    OwnCode,
)
from monigo.payments.received import Payment, PaymentKind, Purpose, Receipt
from monigo.providers.port import Fact, Failed, Outcome, Reversed, Succeeded, outcome_of
from monigo.providers.port import Kind as FactKind

# Charges that are to be sent, or asked about.
ASK = Kind("charge_ask", Follows.REAL)

_CLASH = "another payment has the same receipt, and another amount"


class Word(Struct, frozen=True, kw_only=True):
    """What a provider says of a charge.

    `is_answer`: it answers the request that was to make the charge; `is_question`: it answers a
    question; neither: it came by itself.
    """

    charge_id: ChargeId
    outcome: Outcome
    is_answer: bool = False
    is_question: bool = False


class _Taken(Struct, frozen=True):
    """What was counted of a charge, and why a part of it could not be."""

    counted: Counted
    refusal: str = ""
    is_contradiction: bool = False


async def apply_outcome(
    tx: Transaction,
    vault: Vault,
    charge_id: ChargeId,
    outcome: Outcome,
    *,
    is_answer: bool = False,
    is_question: bool = False,
) -> Charge:
    """A charge after a provider's word, and all that follows from it, in one transaction.

    A success counts whatever stood before, and each payment once, by the provider's own id; a
    charge that is settled does not change otherwise, but by a reversal.

    Raises:
        DomainError: not_found; what reactions raise.
    """
    word = Word(charge_id=charge_id, outcome=outcome, is_answer=is_answer, is_question=is_question)
    ((charge, _),) = await apply_words(tx, vault, [word])
    return charge


async def apply_fact(tx: Transaction, vault: Vault, connection_id: UUID, fact: Fact) -> Applied:
    """As `apply_facts`, for one."""
    (applied,) = await apply_facts(tx, vault, [(connection_id, fact)])
    return applied


async def apply_facts(
    tx: Transaction, vault: Vault, facts: Sequence[tuple[UUID, Fact]]
) -> list[Applied]:
    """Apply what providers say of charges of connections, wherever they say so, in its order.

    A deposit is applied that pays a checkout: it comes under the checkout's reference. The number
    of statements is constant, unless several are about one charge.
    """
    found = await _charges_named(tx, facts)
    made = [Applied(AppliedState.UNKNOWN_REFERENCE)] * len(facts)
    left = [(place, one) for place, one in enumerate(found) if one is not None]
    while left:
        # Each charge takes its words one after the other.
        first: dict[ChargeId, int] = {}
        for place, charge_id in left:
            first.setdefault(charge_id, place)
        words = [
            Word(charge_id=charge_id, outcome=outcome_of(facts[place][1]))
            for charge_id, place in first.items()
        ]
        applied = await apply_words(tx, vault, words)
        for place, (_, one) in zip(first.values(), applied, strict=True):
            made[place] = one
        left = [one for one in left if first[one[1]] != one[0]]
    return made


async def _charges_named(
    tx: Transaction, facts: Sequence[tuple[UUID, Fact]]
) -> list[ChargeId | None]:
    """The charges that facts are about, by our reference, or else by the provider's id."""
    named = [(connection_id, one.reference) for connection_id, one in facts if one.reference]
    by_reference = await store.find_by_references(tx, named)
    found: list[ChargeId | None] = []
    for connection_id, fact in facts:
        if fact.reference:
            found.append(by_reference.get((connection_id, fact.reference)))
            continue
        charge = None
        provider_id = fact.provider_id or fact.charge_id
        if fact.kind is FactKind.CHARGE and provider_id:
            charge = await store.find_by_provider_id(tx, connection_id, provider_id)
        found.append(None if charge is None else charge.id)
    return found


async def apply_words(
    tx: Transaction, vault: Vault, words: Sequence[Word]
) -> list[tuple[Charge, Applied]]:
    """As `apply_outcome`, for words of several charges, one of each, by a few statements."""
    ids = [word.charge_id for word in words]
    charges = await store.load(tx, ids, RowLock.CHANGE)
    if len(charges) < len(set(ids)):
        raise not_found("transaction")
    payments = await received.payments_of_charges(tx, ids)
    said = [(charges[one.charge_id], one.outcome, payments.get(one.charge_id, [])) for one in words]
    taken = await _received(tx, vault, said)
    made: list[tuple[Charge, Applied]] = []
    for word, (charge, outcome, known) in zip(words, said, strict=True):
        one = taken.get(charge.id) or await _take(tx, charge, outcome, known)
        made.append((_after(tx, charge, word, one), _applied(one)))
    await save(tx, [(charges[one.id], one) for one, _ in made])
    return made


async def save(tx: Transaction, changes: Sequence[tuple[Charge, Charge]]) -> None:
    """Store what became of locked charges, before and after, and do what follows from it."""
    changed = [after for before, after in changes if after != before]
    if changed:
        await store.update(tx, changed)
    questions = {
        one.id: at
        for _, one in changes
        if (at := rules.next_question(one, tx.real_now)) is not None
    }
    await agenda.put(tx, ASK, questions)
    await outbox.emit(tx, [fact for change in changes for fact in _facts(*change)])


def not_asked_again(tx: Transaction, charges: Sequence[Charge]) -> list[ChargeId]:
    """Those of charges, as they were recorded, of which there is no more to learn."""
    return [one.id for one in charges if rules.next_question(one, tx.real_now) is None]


def _applied(taken: _Taken) -> Applied:
    if taken.refusal:
        return Applied(AppliedState.REFUSED, taken.refusal)
    return Applied(AppliedState.APPLIED)


def _after(tx: Transaction, charge: Charge, word: Word, taken: _Taken) -> Charge:
    after = rules.after(charge, word.outcome, taken.counted, is_answer=word.is_answer, now=tx.now)
    if word.is_question or word.is_answer:
        after = rules.after_call(after, word.outcome, tx.real_now)
    if taken.is_contradiction:
        after = replace(after, is_contradicted=True)
    is_stuck = after.is_live and rules.next_question(after, tx.real_now) is None
    if is_stuck and after.needs_person_at is None:
        after = replace(after, needs_person_at=tx.real_now)
    return after


async def _received(
    tx: Transaction, vault: Vault, said: Sequence[tuple[Charge, Outcome, list[Payment]]]
) -> dict[ChargeId, _Taken]:
    """Count the money that is new by what was said; absent are those charges that got none."""
    new = [
        (charge, fact)
        for charge, outcome, payments in said
        if (fact := _new_money(outcome, payments)) is not None
    ]
    clashes = await received.find_clashes(tx, [receipt_of(*one) for one in new])
    taken: dict[ChargeId, _Taken] = {}
    fitting: list[tuple[Charge, Fact]] = []
    for is_clash, (charge, fact) in zip(clashes, new, strict=True):
        if is_clash:
            known = next(payments for one, _, payments in said if one is charge)
            taken[charge.id] = _Taken(_counted(known), refusal=_CLASH)
        else:
            fitting.append((charge, fact))
    counted = await received.receive_all(tx, [receipt_of(*one) for one in fitting])
    for payment, (charge, fact) in zip(counted, fitting, strict=True):
        # Where it is none, the same money was counted by another channel.
        if payment is not None and fact.method is not None and _keeps_method(charge):
            await methods.save(
                tx,
                vault,
                fact.method,
                customer_id=charge.customer_id,
                connection_id=charge.connection_id,
                provider=charge.provider,
                email=charge.email,
            )
        said_before = charge.resolution and charge.resolution.outcome
        taken[charge.id] = _Taken(
            Counted(has_any=True, is_standing=True),
            is_contradiction=said_before is ChargeState.FAILED,
        )
    return taken


def _new_money(outcome: Outcome, payments: Sequence[Payment]) -> Fact | None:
    """What a success says came in, unless a payment of the charge is that already."""
    if not isinstance(outcome, Succeeded) or outcome.fact is None:
        return None
    fact = outcome.fact
    is_known = any(one.is_by_person or one.provider_id == fact.provider_id for one in payments)
    return fact if rules.is_definite(fact) and not is_known else None


async def _take(
    tx: Transaction, charge: Charge, outcome: Outcome, payments: list[Payment]
) -> _Taken:
    """What a word changes of money that was counted before."""
    match outcome:
        case Succeeded(fact=fact) if fact is not None and rules.is_definite(fact):
            by_person = next((one for one in payments if one.is_by_person), None)
            if by_person is not None:
                return await _take_confirmation(tx, charge, fact, payments, by_person)
            return _Taken(_counted(payments))
        case Reversed(fact=fact):
            return _Taken(await _take_reversal(tx, charge, fact, payments))
        case Failed(is_final=True, fact=Fact()) if charge.kind is ChargeKind.PULL:
            claimed = [one for one in payments if one.is_by_person and not one.reversed]
            others = [one for one in payments if one not in claimed]
            after = [await received.reverse(tx, one.id) for one in claimed]
            return _Taken(_counted([*others, *after]), is_contradiction=bool(claimed))
        case _:
            return _Taken(_counted(payments))


def _counted(payments: Sequence[Payment]) -> Counted:
    return Counted(
        has_any=bool(payments), is_standing=any(not payment.reversed for payment in payments)
    )


async def _take_confirmation(
    tx: Transaction, charge: Charge, fact: Fact, payments: list[Payment], by_person: Payment
) -> _Taken:
    """Take a provider's word for what a person had said: it is the same payment, and counted."""
    if by_person.amount == fact.amount:
        await received.adopt(tx, by_person, fact.provider_id)
        return _Taken(_counted(payments))
    if by_person.provider_id == fact.provider_id:
        return _Taken(_counted(payments), refusal="a person said another amount")
    await received.reverse(tx, by_person.id)
    await received.receive(tx, receipt_of(charge, fact))
    return _Taken(Counted(has_any=True, is_standing=True), is_contradiction=True)


async def _take_reversal(
    tx: Transaction, charge: Charge, fact: Fact, payments: list[Payment]
) -> Counted:
    named = fact.provider_id or charge.provider_id
    found = [one for one in payments if one.provider_id == named or len(payments) == 1]
    others = [one for one in payments if one not in found]
    # What went back by our own refunds is reported as a reversal, too, and is none.
    after = [await received.reverse(tx, one.id) for one in found]
    if found or not named:
        return _counted([*others, *after])
    completed = replace(fact, provider_id=named, amount=fact.amount or charge.amount)
    await received.receive_reversed(tx, receipt_of(charge, completed))
    return Counted(has_any=True, is_standing=_counted(others).is_standing)


def receipt_of(charge: Charge, fact: Fact) -> Receipt:
    """The money that a fact says came in by a charge."""
    amount = fact.amount or charge.amount
    return Receipt(
        kind=PaymentKind.CHARGE,
        purpose=charge.purpose,
        connection_id=charge.connection_id,
        provider=charge.provider,
        provider_id=fact.provider_id,
        rail_id=fact.rail_id,
        customer_id=charge.customer_id,
        amount=amount,
        fee=fact.fee.amount if fact.fee else Decimal(0),
        fee_by_payer=fact.fee_by_payer.amount if fact.fee_by_payer else Decimal(0),
        occurred_at=fact.occurred_at,
        reference=charge.reference,
        asked=charge.amount,
        charge_id=charge.id,
        invoice_id=charge.invoice_id,
        wallet_id=charge.wallet_id,
        top_up_id=charge.top_up_id,
    )


def _keeps_method(charge: Charge) -> bool:
    return charge.save_method or charge.purpose is Purpose.CARD_SETUP


def _facts(before: Charge, after: Charge) -> list[DomainFact]:
    """What is to be reported of a charge that changed."""
    if not before.is_live or after.state is before.state:
        return []
    fields: dict[str, Any] = {
        "charge_id": after.id,
        "kind": after.kind,
        "purpose": after.purpose,
        "customer_id": after.customer_id,
        "connection_id": after.connection_id,
        "provider": after.provider,
        "method_id": after.method_id,
        "reference": after.reference,
        "invoice_id": after.invoice_id,
        "wallet_id": after.wallet_id,
        "top_up_id": after.top_up_id,
        "currency": after.amount.currency,
        "amount": after.amount.amount,
    }
    failure = after.failure
    if after.state is ChargeState.FAILED and failure is not None:
        return [
            ChargeFailed(
                **fields, code=failure.code, reason=failure.reason, is_final=failure.is_final
            )
        ]
    if after.state is ChargeState.REVERSED:
        return [ChargeFailed(**fields, code=OwnCode.REVERSED, reason="", is_final=True)]
    if after.state is ChargeState.NEEDS_ACTION and after.kind is ChargeKind.PULL:
        return [ChargeNeedsAction(**fields, url=after.url)]
    return []

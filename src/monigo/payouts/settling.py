"""What follows from what became of transfers; it commits with that.

The transaction that reports these facts holds the transfers, and then locks the bills.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from monigo import books, invoicing
from monigo.books import Booking, Subject
from monigo.core.ids import InvoiceId, PayoutLegId, PayoutTransferId
from monigo.core.money import EXACT
from monigo.infra import agenda
from monigo.infra.db import Transaction
from monigo.invoicing import Invoice, InvoiceStatus
from monigo.payments import transfers
from monigo.payments.transfers import OwnCode
from monigo.payouts import rules, store
from monigo.payouts.service import PAY_OUT
from monigo.payouts.types import Effect, Leg, Part, PayoutState, Word

CAME_BACK = "the transfer came back"

_MADE: Mapping[Effect, tuple[Callable[..., Booking], ...]] = {
    Effect.SUBMITTED: (books.transfer_submitted,),
    Effect.PAID: (books.transfer_succeeded,),
    Effect.PAID_AT_ONCE: (books.transfer_submitted, books.transfer_succeeded),
    Effect.RETURNED: (books.transfer_failed,),
    Effect.REOPENED: (books.transfer_reversed,),
    Effect.EXCESS: (books.paid_twice,),
    Effect.EXCESS_RETURNED: (books.paid_twice_returned,),
}
_OF_FEES: Mapping[Word, Callable[..., Booking]] = {
    Word.SUCCEEDED: books.provider_fee,
    Word.PAID_TWICE: books.provider_fee,
    Word.FEE_KNOWN: books.provider_fee,
    Word.REVERSED: books.provider_fee_returned,
}


class _Came(Struct, frozen=True):
    """What a word did to a leg of a locked bill."""

    fact: transfers.events.TransferFact
    before: Leg
    after: Leg
    effects: tuple[Effect, ...]


class _Known(Struct):
    """The locked bills of transfers, with their legs and the parts of both as they change."""

    bills: dict[InvoiceId, Invoice]
    legs: dict[PayoutLegId, Leg]
    parts: dict[PayoutTransferId, list[Part]]


async def note_submitted(
    tx: Transaction, facts: Sequence[transfers.events.TransferSubmitted]
) -> None:
    """Book what is on its way."""
    await _apply(tx, facts, Word.SUBMITTED)


async def note_succeeded(
    tx: Transaction, facts: Sequence[transfers.events.TransferSucceeded]
) -> None:
    """Pay bills with what arrived at their payees, and book what its provider took for it."""
    await _apply(tx, facts, Word.SUCCEEDED)


async def note_paid_twice(
    tx: Transaction, facts: Sequence[transfers.events.TransferPaidTwice]
) -> None:
    """Book what payees have beside what was owed to them: they owe it."""
    await _apply(tx, facts, Word.PAID_TWICE)


async def note_failed(tx: Transaction, facts: Sequence[transfers.events.TransferFailed]) -> None:
    """Have it owed as before what did not arrive; what was only stopped is no failure."""
    came = await _apply(tx, facts, Word.FAILED)
    stopped = {one.fact.transfer_id for one in came if _is_stopped(one.fact)}
    due = {one.after.bill_id: tx.now for one in came if one.fact.transfer_id in stopped}
    await agenda.put(tx, PAY_OUT, due)


async def note_fees(tx: Transaction, facts: Sequence[transfers.events.TransferFeeKnown]) -> None:
    """Book what providers took for what had arrived before they said so."""
    await _apply(tx, facts, Word.FEE_KNOWN)


async def note_reversed(
    tx: Transaction, facts: Sequence[transfers.events.TransferReversed]
) -> None:
    """Have it owed again what had arrived, and came back with the provider's fee."""
    await _apply(tx, facts, Word.REVERSED)


def _is_stopped(fact: transfers.events.TransferFact) -> bool:
    return isinstance(fact, transfers.events.TransferFailed) and fact.code == OwnCode.STOPPED


async def _apply(
    tx: Transaction, facts: Sequence[transfers.events.TransferFact], word: Word
) -> list[_Came]:
    """What a word about transfers does to their legs; a constant number of statements."""
    known = await _known(tx, facts)
    came: list[_Came] = []
    marked: dict[tuple[PayoutTransferId, PayoutLegId], Part] = {}
    for fact in facts:
        for part in known.parts.get(fact.transfer_id, ()):
            before = known.legs[part.leg_id]
            is_void = known.bills[before.bill_id].status is InvoiceStatus.VOID
            after, seen, effects = rules.after_word(before, part, word, tx.now, is_void=is_void)
            if word in {Word.FAILED, Word.REVERSED} and after != before:
                after = _with_failure(after, fact)
            known.legs[after.id] = after
            if seen != part:
                marked[part.transfer_id, part.leg_id] = seen
            came.append(_Came(fact, before, after, effects))
    changed = {one.after.id: one.after for one in came if one.after != one.before}
    await store.update_legs(tx, list(changed.values()))
    await store.mark_excess(tx, list(marked.values()))
    await books.post(tx, _bookings(facts, came, word))
    bills = await _settled(tx, known.bills, came)
    await _store_payouts(tx, bills, known.legs, {one.bill_id for one in changed.values()})
    return [one for one in came if one.after != one.before]


async def _known(tx: Transaction, facts: Sequence[transfers.events.TransferFact]) -> _Known:
    parts = await store.load_parts(tx, {fact.transfer_id for fact in facts})
    leg_ids = {part.leg_id for found in parts.values() for part in found}
    bill_ids = await store.bills_of_legs(tx, leg_ids)
    bills = await invoicing.lock_bills(tx, bill_ids)
    legs = await store.load_legs(tx, bill_ids)
    # What another transaction marked before these locks were had counts, too.
    parts = await store.load_parts(tx, {fact.transfer_id for fact in facts})
    return _Known(bills, {leg.id: leg for found in legs.values() for leg in found}, parts)


def _with_failure(leg: Leg, fact: transfers.events.TransferFact) -> Leg:
    if isinstance(fact, transfers.events.TransferFailed):
        if _is_stopped(fact):
            return leg
        return replace(leg, failure_code=fact.code, failure_reason=fact.reason)
    return replace(leg, failure_code=OwnCode.REVERSED, failure_reason=CAME_BACK)


def _bookings(
    facts: Sequence[transfers.events.TransferFact],
    came: Sequence[_Came],
    word: Word,
) -> list[Booking]:
    bookings: list[Booking] = []
    for one in came:
        leg, fact = one.after, one.fact
        subject = _subject(leg, fact)
        for effect in one.effects:
            bookings += [
                make(subject, leg.amount.amount, provider=fact.provider) for make in _MADE[effect]
            ]
    of_fee = _OF_FEES.get(word)
    if of_fee is not None:
        owners = {one.fact.transfer_id: one.after for one in came}
        bookings += [
            of_fee(_subject(owners[fact.transfer_id], fact), fact.fee, provider=fact.provider)
            for fact in facts
            if fact.fee and fact.transfer_id in owners and not _is_known_excess(fact)
        ]
    return bookings


def _is_known_excess(fact: transfers.events.TransferFact) -> bool:
    """Whether its fee was booked when it arrived beside another."""
    return isinstance(fact, transfers.events.TransferSucceeded) and fact.was_excess


def _subject(leg: Leg, fact: transfers.events.TransferFact) -> Subject:
    return Subject(leg.customer_id, leg.amount.currency, books.PAYOUT, str(fact.transfer_id))


async def _settled(
    tx: Transaction, bills: Mapping[InvoiceId, Invoice], came: Sequence[_Came]
) -> dict[InvoiceId, Invoice]:
    """The bills after what was paid, came back or failed of them."""
    paid: dict[InvoiceId, tuple[Decimal, str]] = {}
    back: dict[InvoiceId, Decimal] = {}
    failed: set[InvoiceId] = set()
    for one in came:
        bill_id, amount = one.after.bill_id, one.after.amount.amount
        if Effect.PAID in one.effects or Effect.PAID_AT_ONCE in one.effects:
            before, _ = paid.get(bill_id, (Decimal(0), ""))
            paid[bill_id] = EXACT.add(before, amount), one.fact.reference
        elif Effect.REOPENED in one.effects:
            back[bill_id] = EXACT.add(back.get(bill_id, Decimal(0)), amount)
        elif one.after.failure_code and one.after != one.before:
            failed.add(bill_id)
    known = dict(bills)
    if paid:
        known = await invoicing.note_paid_out(tx, known, paid)
    if back:
        known = await invoicing.note_payouts_returned(tx, known, back)
    if failed:
        known = await invoicing.note_payouts_failed(tx, known, failed)
    return known


async def _store_payouts(
    tx: Transaction,
    bills: Mapping[InvoiceId, Invoice],
    legs: Mapping[PayoutLegId, Leg],
    changed: set[InvoiceId],
) -> None:
    payouts = await store.load(tx, changed)
    after = [
        rules.state_after(
            payout, bills[bill_id], [leg for leg in legs.values() if leg.bill_id == bill_id]
        )
        for bill_id, payout in payouts.items()
    ]
    await store.update(
        tx, [one for one in after if one != payouts[one.bill_id] or one.state is PayoutState.DUE]
    )

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
from monigo.payouts.types import Effect, Leg, LegState, Part, PayoutState, Word

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
    """What became of a leg of a locked bill by a transfer of that reference."""

    transfer_id: PayoutTransferId
    provider: str
    reference: str
    before: Leg
    after: Leg
    effects: tuple[Effect, ...]


class _Known(Struct):
    """The locked bills of transfers, with their legs as they change, and the parts of both.

    `flying` are transfers that have legs which others paid, and may have left.
    """

    bills: dict[InvoiceId, Invoice]
    legs: dict[PayoutLegId, Leg]
    parts: dict[PayoutTransferId, list[Part]]
    flying: frozenset[PayoutTransferId]

    def is_void(self, leg: Leg) -> bool:
        """Whether nothing is owed of a leg, for its bill was taken back."""
        return self.bills[leg.bill_id].status is InvoiceStatus.VOID


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
    stopped = {one.transfer_id for one in facts if _is_stopped(one)}
    due = {one.after.bill_id: tx.now for one in came if one.transfer_id in stopped}
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
    known = await _known(tx, facts, word)
    came: list[_Came] = []
    marked: list[Part] = []
    for fact in facts:
        for part in known.parts.get(fact.transfer_id, ()):
            before = known.legs[part.leg_id]
            after, seen, effects = rules.after_word(
                before,
                part,
                word,
                tx.now,
                is_void=known.is_void(before),
                may_arrive=before.transfer_id in known.flying,
            )
            if word in {Word.FAILED, Word.REVERSED} and after != before:
                after = _with_failure(after, fact)
            known.legs[after.id] = after
            if seen != part:
                marked.append(seen)
            came.append(
                _Came(fact.transfer_id, fact.provider, fact.reference, before, after, effects)
            )
    if word in {Word.FAILED, Word.REVERSED}:
        taken, seen_else = await _taken_otherwise(tx, known, came)
        came += taken
        marked += seen_else
    changed = {one.after.id: known.legs[one.after.id] for one in came if one.after != one.before}
    await store.update_legs(tx, list(changed.values()))
    await store.mark_excess(tx, marked)
    await books.post(tx, _bookings(facts, came, word))
    bills = await _settled(tx, known, came)
    await _store_payouts(tx, bills, known.legs, {one.bill_id for one in changed.values()})
    return [one for one in came if one.after != one.before]


async def _taken_otherwise(
    tx: Transaction, known: _Known, came: Sequence[_Came]
) -> tuple[list[_Came], list[Part]]:
    """What pays legs that are owed again, or still may: other transfers that had them, too.

    One that arrived beside the one that failed or came back pays now. One that may have left keeps
    the leg, so that no third one is made. Two statements.
    """
    owed = {
        one.after.id: known.legs[one.after.id]
        for one in came
        if one.after != one.before and not known.is_void(one.after)
        if known.legs[one.after.id].state is LegState.OWED
    }
    parts = await store.parts_of_legs(tx, owed)
    ended = {one.transfer_id for one in came}
    others = {part.transfer_id for found in parts.values() for part in found} - ended
    if not others:
        return [], []
    sent = await transfers.get_transfers(tx, others)
    taken: list[_Came] = []
    marked: list[Part] = []
    for leg_id, before in owed.items():
        beside = [part for part in parts.get(leg_id, ()) if part.transfer_id in others]
        excess = next((part for part in beside if part.is_excess), None)
        flying = next((part for part in beside if sent[part.transfer_id].is_in_flight), None)
        part = excess or flying
        if part is None:
            continue
        if excess is not None:
            after, seen, effects = rules.after_word(
                before, excess, Word.SUCCEEDED, tx.now, is_void=False
            )
            marked.append(seen)
        else:
            after, effects = rules.still_sent(before, part)
        known.legs[leg_id] = after
        by = sent[part.transfer_id]
        taken.append(_Came(by.id, by.provider, by.reference, before, after, effects))
    return taken, marked


async def _known(
    tx: Transaction, facts: Sequence[transfers.events.TransferFact], word: Word
) -> _Known:
    parts = await store.load_parts(tx, {fact.transfer_id for fact in facts})
    leg_ids = {part.leg_id for found in parts.values() for part in found}
    bill_ids = await store.bills_of_legs(tx, leg_ids)
    bills = await invoicing.lock_bills(tx, bill_ids)
    legs = await store.load_legs(tx, bill_ids)
    # What another transaction marked before these locks were had counts, too.
    parts = await store.load_parts(tx, {fact.transfer_id for fact in facts})
    by_id = {leg.id: leg for found in legs.values() for leg in found}
    flying: frozenset[PayoutTransferId] = frozenset()
    if word is Word.PAID_TWICE:
        sending = rules.in_flight_of(list(by_id.values()))
        found = await transfers.get_transfers(tx, sending)
        flying = frozenset(one.id for one in found.values() if one.is_in_flight)
    return _Known(bills, by_id, parts, flying)


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
        leg = one.after
        subject = _subject(leg, one.transfer_id)
        for effect in one.effects:
            bookings += [
                make(subject, leg.amount.amount, provider=one.provider) for make in _MADE[effect]
            ]
    of_fee = _OF_FEES.get(word)
    if of_fee is not None:
        owners = {one.transfer_id: one.after for one in came}
        bookings += [
            of_fee(
                _subject(owners[fact.transfer_id], fact.transfer_id),
                fact.fee,
                provider=fact.provider,
            )
            for fact in facts
            if fact.fee and fact.transfer_id in owners and not _is_known_excess(fact)
        ]
    return bookings


def _is_known_excess(fact: transfers.events.TransferFact) -> bool:
    """Whether its fee was booked when it arrived beside another."""
    return isinstance(fact, transfers.events.TransferSucceeded) and fact.was_excess


def _subject(leg: Leg, transfer_id: PayoutTransferId) -> Subject:
    return Subject(leg.customer_id, leg.amount.currency, books.PAYOUT, str(transfer_id))


async def _settled(
    tx: Transaction, known: _Known, came: Sequence[_Came]
) -> dict[InvoiceId, Invoice]:
    """The bills after what was paid, came back or failed of them.

    What came back counts before what was paid: a leg may be paid by another transfer instead.
    """
    paid: dict[InvoiceId, tuple[Decimal, str]] = {}
    back: dict[InvoiceId, Decimal] = {}
    failed: set[InvoiceId] = set()
    for one in came:
        bill_id, amount = one.after.bill_id, one.after.amount.amount
        if Effect.PAID in one.effects or Effect.PAID_AT_ONCE in one.effects:
            before, _ = paid.get(bill_id, (Decimal(0), ""))
            paid[bill_id] = EXACT.add(before, amount), one.reference
        elif Effect.REOPENED in one.effects:
            back[bill_id] = EXACT.add(back.get(bill_id, Decimal(0)), amount)
        elif known.legs[one.after.id].failure_code and one.after != one.before:
            failed.add(bill_id)
    bills = dict(known.bills)
    if back:
        bills = await invoicing.note_payouts_returned(tx, bills, back)
    if paid:
        bills = await invoicing.note_paid_out(tx, bills, paid)
    if failed:
        bills = await invoicing.note_payouts_failed(tx, bills, failed)
    return bills


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

"""Pure rules of payouts: what is sent by itself, and what a word about a transfer does to a leg."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from monigo.core.errors import DomainError, conflict
from monigo.core.ids import PayoutTransferId
from monigo.core.money import EXACT, Money
from monigo.invoicing import Invoice, InvoiceStatus
from monigo.payouts.types import (
    Batch,
    Effect,
    Leg,
    LegState,
    Part,
    Payout,
    PayoutState,
    Target,
    Wanted,
    Word,
)
from monigo.tenancy import PayoutSettings

# So long somebody may notice that a payee's account was changed who had no right to.
CHANGED_RECENTLY = timedelta(hours=24)
# A batch that is so many times as large as the largest of this time is more likely a mistake.
TIMES_LARGEST = 5
LARGEST_OF = timedelta(days=30)

APPROVAL = "somebody is to initiate it"
BELOW_MINIMUM = "it is less than the minimum, and goes with the payee's next payout"


def doubt(
    wanted: Wanted, settings: PayoutSettings, currency: str, batch: Batch, now: datetime
) -> str:
    """Why this is not to be sent without somebody looking at it; empty where nothing is.

    Limits are of the organisation's default `currency`; with a limit set, amounts of others are
    compared with nothing, and are doubtful.
    """
    sent = EXACT.add(batch.sent, wanted.amount.amount)
    limits = (settings.max_payout_per_payee_per_day, settings.max_payout_batch)
    if any(limits) and wanted.amount.currency != currency:
        return f"the limits are of {currency}"
    return (
        next((reason for one in wanted.targets if (reason := _of_target(one, now))), "")
        or _of_day(wanted, settings.max_payout_per_payee_per_day)
        or _of_batch(sent, settings.max_payout_batch, batch)
    )


def _of_target(target: Target, now: datetime) -> str:
    if target.is_first:
        return "it is the first payout to this payee"
    if target.changed_at > now - CHANGED_RECENTLY:
        return "the payee's account was changed in the last 24 hours"
    return ""


def _of_day(wanted: Wanted, limit: Decimal | None) -> str:
    if limit is None:
        return ""
    for payee_id, share in wanted.shares.items():
        if EXACT.add(wanted.sent_today.get(payee_id, Decimal(0)), share) > limit:
            return "it exceeds max_payout_per_payee_per_day"
    return ""


def _of_batch(sent: Decimal, limit: Decimal | None, batch: Batch) -> str:
    if limit is not None and sent > limit:
        return "it exceeds max_payout_batch"
    if batch.largest is None:
        return "nothing was paid out in this currency in the last 30 days"
    if sent > EXACT.multiply(batch.largest, Decimal(TIMES_LARGEST)):
        return f"it is more than {TIMES_LARGEST} times the largest batch of the last 30 days"
    return ""


def is_below_minimum(amount: Money, settings: PayoutSettings, currency: str) -> bool:
    """Whether so much waits for the payee's next payout."""
    return amount.currency == currency and amount.amount < settings.minimum_payout_amount


def after_word(
    leg: Leg, part: Part, word: Word, now: datetime, *, is_void: bool, may_arrive: bool = True
) -> tuple[Leg, Part, tuple[Effect, ...]]:
    """A leg after a word about a transfer that is to pay it, and what that does in the books.

    A transfer that arrived pays the leg whichever transfer has it by then. One that arrives beside
    another, for a leg that is paid or whose bill is void, is beside what was owed. Of a transfer
    that arrived beside another each leg is looked at by itself, for that one pays only some of
    them: `may_arrive` says that the transfer which has the leg may have left.
    """
    is_its = leg.transfer_id == part.transfer_id
    is_sending = is_its and leg.state is LegState.SENDING
    match word:
        case Word.SUBMITTED if is_sending and not leg.is_in_flight:
            return replace(leg, is_in_flight=True), part, (Effect.SUBMITTED,)
        case Word.SUCCEEDED:
            return _arrived(leg, part, now, is_void=is_void)
        case Word.PAID_TWICE if not part.is_excess:
            return _arrived_beside(leg, part, now, is_void=is_void, may_arrive=may_arrive)
        case Word.REVERSED if part.is_excess:
            return leg, replace(part, is_excess=False), (Effect.EXCESS_RETURNED,)
        case Word.FAILED | Word.REVERSED if is_sending:
            return _owed(leg), part, (Effect.RETURNED,) if leg.is_in_flight else ()
        case _:
            came_back = word is Word.REVERSED and is_its and leg.state is LegState.PAID
            return (_owed(leg), part, (Effect.REOPENED,)) if came_back else (leg, part, ())


def _arrived_beside(
    leg: Leg, part: Part, now: datetime, *, is_void: bool, may_arrive: bool
) -> tuple[Leg, Part, tuple[Effect, ...]]:
    is_unsent = leg.state is LegState.SENDING and not may_arrive
    if leg.state is LegState.OWED or is_unsent:
        return _arrived(leg, part, now, is_void=is_void)
    return leg, replace(part, is_excess=True), (Effect.EXCESS,)


def _arrived(
    leg: Leg, part: Part, now: datetime, *, is_void: bool
) -> tuple[Leg, Part, tuple[Effect, ...]]:
    if leg.state is LegState.PAID and leg.transfer_id == part.transfer_id:
        return leg, part, ()
    if leg.state is LegState.PAID or is_void:
        effects = () if part.is_excess else (Effect.EXCESS,)
        return leg, replace(part, is_excess=True), effects
    paid = replace(
        leg,
        state=LegState.PAID,
        is_in_flight=False,
        transfer_id=part.transfer_id,
        failure_code="",
        failure_reason="",
        settled_at=now,
    )
    before = (Effect.EXCESS_RETURNED,) if part.is_excess else ()
    effect = Effect.PAID if leg.is_in_flight else Effect.PAID_AT_ONCE
    return paid, replace(part, is_excess=False), (*before, effect)


def _owed(leg: Leg) -> Leg:
    return replace(leg, state=LegState.OWED, is_in_flight=False, transfer_id=None, settled_at=None)


def still_sent(leg: Leg, part: Part) -> tuple[Leg, tuple[Effect, ...]]:
    """An owed leg that another transfer has had all the time, and that may have left."""
    sending = replace(
        leg,
        state=LegState.SENDING,
        is_in_flight=True,
        transfer_id=part.transfer_id,
        failure_code="",
        failure_reason="",
    )
    return sending, (Effect.SUBMITTED,)


def state_after(payout: Payout, bill: Invoice, legs: Collection[Leg]) -> Payout:
    """A payout after its bill or legs changed."""
    if bill.status is InvoiceStatus.VOID:
        return replace(payout, state=PayoutState.VOID, reason="")
    if bill.status is InvoiceStatus.PAID:
        return replace(payout, state=PayoutState.PAID, reason="")
    failed = next((leg for leg in legs if leg.state is LegState.OWED and leg.failure_code), None)
    reason = (failed.failure_reason or failed.failure_code) if failed else ""
    if any(leg.state is LegState.SENDING for leg in legs):
        return replace(payout, state=PayoutState.SENDING, reason=reason)
    if failed is not None:
        return replace(payout, state=PayoutState.FAILED, reason=reason)
    return replace(payout, state=PayoutState.DUE, reason="")


def is_open(bill: Invoice) -> bool:
    """Whether something of a bill may be sent: it is final, and neither paid nor void."""
    return bill.status in {InvoiceStatus.FINALIZED, InvoiceStatus.PAYMENT_FAILED}


def check_can_initiate(bill: Invoice, payout: Payout | None) -> Payout:
    """The payout of a bill that can be sent.

    Raises:
        DomainError: conflict, unless something of it is due, or while it is held.
    """
    if payout is None or not is_open(bill):
        raise _wrong_state(bill, "paid out")
    if payout.hold is not None:
        raise conflict("payout_held", f"the payout is held: {payout.hold.reason}")
    return payout


def check_can_hold(bill: Invoice, payout: Payout | None, legs: Collection[Leg]) -> Payout:
    """The payout of a bill that can be stopped.

    Raises:
        DomainError: conflict, unless something of it is due, or where its payout has begun.
    """
    if payout is None or payout.state in {PayoutState.PAID, PayoutState.VOID}:
        raise _wrong_state(bill, "held")
    if any(leg.state is LegState.SENDING for leg in legs):
        raise in_flight()
    return payout


def in_flight() -> DomainError:
    """Why a bill can't be stopped any more."""
    return conflict("payout_in_flight", "a transfer of the bill is on its way")


def _wrong_state(bill: Invoice, action: str) -> DomainError:
    name = {InvoiceStatus.PAYMENT_FAILED: "payout_failed", InvoiceStatus.VOID: "voided"}
    status = name.get(bill.status, bill.status.value)
    return conflict("bill_state", f"a bill that is {status} can't be {action}")


def in_flight_of(legs: Sequence[Leg]) -> set[PayoutTransferId]:
    """The transfers that have legs."""
    return {
        leg.transfer_id
        for leg in legs
        if leg.state is LegState.SENDING and leg.transfer_id is not None
    }

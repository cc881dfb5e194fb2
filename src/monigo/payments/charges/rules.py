"""What a provider's word makes of a charge, when it is asked again, and how charges are called.

All of it is pure. The order in which words arrive does not matter for how a charge ends: money that
came counts whatever stood before, and what failed stays failed until money comes.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from monigo.payments.charges.types import (
    Charge,
    ChargeKind,
    ChargeState,
    Failure,
    NewCheckout,
    OwnCode,
)
from monigo.providers.port import (
    Cause,
    Fact,
    Failed,
    FailureCode,
    NeedsAction,
    Outcome,
    Pending,
    Repeat,
    Reversed,
    Succeeded,
    Unknown,
)

# Between the first questions; from then on there is one an hour.
ASKED_AFTER = (
    timedelta(seconds=5),
    timedelta(seconds=20),
    timedelta(seconds=60),
    timedelta(minutes=5),
    timedelta(minutes=15),
)
ASKED_EVERY = timedelta(hours=1)
# What is not decided by then, a person decides.
ASKED_FOR = timedelta(hours=72)
# Until then a provider that knows nothing of it may only be slow.
NOT_FOUND_COUNTS_AFTER = timedelta(minutes=5)
# How long a link may be paid.
CHECKOUT_LASTS = timedelta(hours=24)
# A pull waits so long for a link that is being paid; most payers are done in minutes.
LINK_WAITED_FOR = timedelta(hours=1)
# By then every answer has come that will: nobody waits longer than 25 seconds for one.
CALL_LASTS = timedelta(seconds=30)

SETTLED = frozenset({ChargeState.SUCCEEDED, ChargeState.FAILED, ChargeState.REVERSED})
# After these words of the provider a link can't be paid any more.
_ENDS_CHECKOUT = frozenset({FailureCode.EXPIRED, FailureCode.ABANDONED})
# Whose fault they are, the payer and their method can't mend.
_OF_MERCHANT = frozenset(
    {
        FailureCode.INSUFFICIENT_BALANCE,
        FailureCode.UNAUTHORIZED,
        FailureCode.ADDRESS_NOT_ALLOWED,
        FailureCode.NOT_PERMITTED,
        FailureCode.LIMIT_EXCEEDED,
        FailureCode.INVALID_REQUEST,
        FailureCode.NOT_SENT,
        OwnCode.SUPERSEDED,
        OwnCode.LINK_LOST,
    }
)
_REASON_LENGTH_MAX = 500


class Counted(Struct, frozen=True):
    """What came in by a charge so far: any payment at all, and one that still stands."""

    has_any: bool = False
    is_standing: bool = False


def reference_of(org_id: UUID, mode: str, kind: str, subject: UUID, attempt: int) -> str:
    """Our reference of one try: the same for the same try, for ever, and no other's.

    A row that is made again after a restore gets the reference that the provider knows it by.
    """
    parts = f"{org_id}|{mode}|{kind}|{subject}|{attempt}"
    return f"mo{hashlib.sha256(parts.encode()).hexdigest()[:30]}"


def is_definite(fact: Fact | None) -> bool:
    """Whether a success can be counted: how much came, and by which id it is known."""
    return fact is not None and bool(fact.provider_id) and bool(fact.amount)


def is_of_payer(code: str) -> bool:
    """Whether a failure is the payer's or their method's, which dunning is for."""
    return code not in _OF_MERCHANT


def after(
    charge: Charge, outcome: Outcome, money: Counted, *, is_answer: bool, now: datetime
) -> Charge:
    """A charge after a provider's word, with the money that came by then counted already.

    `is_answer`: the word answers the request that was to make the charge; else it answers a
    question, or came by itself. `now` is of the tenant's time.
    """
    if money.has_any:
        return settled_by(charge, money, now)
    match outcome:
        case Failed():
            return _after_failure(charge, outcome, is_answer=is_answer, now=now)
        case Pending():
            return _after_pending(charge, outcome.fact)
        case NeedsAction():
            return _after_needed_action(charge, outcome)
        case Unknown(cause=cause) if is_answer:
            return _after_no_answer(charge, cause, now)
        case Succeeded() | Reversed() | Unknown():
            return charge


def settled_by(charge: Charge, money: Counted, now: datetime) -> Charge:
    """A charge that brought money: it succeeded as long as a part of that stands."""
    state = ChargeState.SUCCEEDED if money.is_standing else ChargeState.REVERSED
    return _settled(charge, state, None, now)


def _settled(charge: Charge, state: ChargeState, failure: Failure | None, now: datetime) -> Charge:
    return replace(
        charge,
        state=state,
        failure=failure,
        settled_at=charge.settled_at if charge.state is state else now,
        first_not_found_at=None,
        needs_person_at=None,
    )


def failed(charge: Charge, code: str, reason: str, *, is_final: bool, now: datetime) -> Charge:
    """A live charge that failed; one that is settled is as it was."""
    if charge.state in SETTLED:
        return charge
    failure = Failure(code, reason[:_REASON_LENGTH_MAX], is_final)
    return _settled(charge, ChargeState.FAILED, failure, now)


def _after_failure(charge: Charge, word: Failed, *, is_answer: bool, now: datetime) -> Charge:
    if charge.state in SETTLED:
        return charge
    if word.fact is None:
        return _after_refusal(charge, word, now) if is_answer else charge
    found = _found(charge, word.fact)
    ends = word.is_final and word.code in _ENDS_CHECKOUT
    if charge.kind is ChargeKind.CHECKOUT and not ends:
        failure = Failure(word.code, word.reason[:_REASON_LENGTH_MAX], is_final=False)
        return replace(found, failure=failure)
    if not word.is_final:
        return found
    return failed(found, word.code, word.reason, is_final=True, now=now)


def _after_refusal(charge: Charge, word: Failed, now: datetime) -> Charge:
    """After a request that was not taken: nothing was made by it, but an earlier one may have been.

    Only before the first request nothing else can have arrived; and a link that nobody has can't be
    paid, whichever request made it.
    """
    is_first = charge.state is ChargeState.SUBMITTED
    if word.code is FailureCode.NOT_SENT:
        return replace(charge, state=ChargeState.CREATED) if is_first else charge
    if not is_first and (charge.kind is ChargeKind.PULL or charge.url):
        return charge
    return failed(charge, word.code, word.reason, is_final=word.is_final, now=now)


def _after_no_answer(charge: Charge, cause: Cause, now: datetime) -> Charge:
    if charge.state in SETTLED:
        return charge
    is_lost = charge.kind is ChargeKind.CHECKOUT and not charge.url and cause is Cause.DUPLICATE
    if is_lost:
        # Nobody has the link that was made, and it is shown only once.
        return failed(charge, OwnCode.LINK_LOST, "", is_final=False, now=now)
    is_new = charge.state in {ChargeState.CREATED, ChargeState.SUBMITTED}
    return replace(charge, state=ChargeState.UNKNOWN) if is_new else charge


def _after_pending(charge: Charge, fact: Fact | None) -> Charge:
    if charge.state in SETTLED:
        return charge
    # A link stays one that can be paid.
    state = ChargeState.NEEDS_ACTION if charge.url else ChargeState.PENDING
    return replace(_found(charge, fact), state=state)


def _after_needed_action(charge: Charge, word: NeedsAction) -> Charge:
    if charge.state in SETTLED:
        return charge
    found = _found(charge, word.fact)
    return replace(
        found,
        state=ChargeState.NEEDS_ACTION,
        url=word.url or found.url,
        access_code=word.access_code or found.access_code,
        provider_id=found.provider_id or word.provider_id,
    )


def _found(charge: Charge, fact: Fact | None) -> Charge:
    """A charge that its provider knows."""
    named = charge.provider_id or (fact.provider_id if fact else "")
    return replace(charge, provider_id=named, first_not_found_at=None)


def after_call(charge: Charge, outcome: Outcome, real_now: datetime) -> Charge:
    """A charge that its provider was called for, with what was not found noted.

    `real_now` is of real time.
    """
    asked = replace(charge, asked=charge.asked + 1, asked_at=real_now)
    if asked.state in SETTLED:
        return asked
    match outcome:
        case Unknown(cause=Cause.NOT_FOUND):
            return replace(asked, first_not_found_at=asked.first_not_found_at or real_now)
        case Unknown():
            return asked
        case _:
            return replace(asked, first_not_found_at=None)


def is_missing(charge: Charge, real_now: datetime) -> bool:
    """Whether it counts that its provider knows nothing of a pull that may have been sent."""
    since = charge.first_not_found_at
    return (
        charge.kind is ChargeKind.PULL
        and charge.is_live
        and since is not None
        and since + NOT_FOUND_COUNTS_AFTER <= real_now
    )


def may_send_again(repeat: Repeat | None) -> bool:
    """Whether the same reference can't take money twice."""
    return repeat in {Repeat.RETURNS_FIRST, Repeat.REJECTS, Repeat.IGNORED}


def is_answered(outcome: Outcome) -> bool:
    """Whether a look-up was answered: that nothing is known of it is an answer, too."""
    return not isinstance(outcome, Unknown) or outcome.cause is Cause.NOT_FOUND


def waits_for_links(charge: Charge, said: Sequence[Outcome], real_now: datetime) -> bool:
    """Whether a pull waits for its invoice's links, of which their providers said this.

    It does while one can't be looked up, and an hour at most while one is being paid.
    """
    is_over = real_now >= (charge.submitted_at or real_now) + LINK_WAITED_FOR
    return any(not is_answered(one) or (_is_being_paid(one) and not is_over) for one in said)


def _is_being_paid(said: Outcome) -> bool:
    return isinstance(said, Pending) and said.fact is not None and said.fact.is_being_paid


def is_over(charge: Charge, real_now: datetime) -> bool:
    """Whether the time of a link is over, or of a pull that was not sent or waits for action."""
    if not charge.is_live:
        return False
    if charge.expires_at is not None:
        return charge.expires_at <= real_now
    waits = charge.state in {ChargeState.NEEDS_ACTION, ChargeState.CREATED}
    return waits and charge.submitted_at is not None and charge.submitted_at + ASKED_FOR <= real_now


def wait_before(asked: int) -> timedelta:
    """How long to wait before the next question, after so many of them."""
    return ASKED_AFTER[asked] if asked < len(ASKED_AFTER) else ASKED_EVERY


def next_question(charge: Charge, real_now: datetime) -> datetime | None:
    """When a charge is to be sent or asked about next; None where there is no more to learn.

    What was replaced or given up can still be paid until it expires, and is asked about until then.
    """
    if charge.state in {ChargeState.SUCCEEDED, ChargeState.REVERSED}:
        return None
    begun_at = charge.submitted_at or real_now
    ends_at = charge.expires_at or begun_at + ASKED_FOR
    if charge.state is ChargeState.SUBMITTED and charge.sent_at is not None:
        answered_by = charge.sent_at + CALL_LASTS
        # What its process died at is asked about then, and after that as all others are.
        if charge.asked_at is None or charge.asked_at < answered_by:
            return max(answered_by, real_now)
    if charge.state is ChargeState.FAILED:
        is_open = bool(charge.url) and real_now < ends_at
        return min(real_now + ASKED_EVERY, ends_at) if is_open else None
    wait = wait_before(charge.asked)
    if charge.state is ChargeState.CREATED:
        # What waits for a link is sent as soon as it waits no more.
        waited_until = begun_at + LINK_WAITED_FOR
        ends_at = waited_until if real_now < waited_until else ends_at
    if real_now < ends_at:
        return min(real_now + wait, ends_at)
    # A link that could not be looked up as it expired is asked about a while longer.
    if charge.expires_at is not None and real_now < ends_at + (ASKED_FOR - CHECKOUT_LASTS):
        return real_now + wait
    return None


def is_to_be_sent(charge: Charge) -> bool:
    """Whether a live charge did not reach its provider, or its link nobody."""
    if charge.kind is ChargeKind.PULL:
        return charge.state is ChargeState.CREATED
    return not charge.url and not charge.is_inline


def is_being_sent(charge: Charge, real_now: datetime) -> bool:
    """Whether another request that makes a link may still be answered."""
    return (
        charge.state is ChargeState.SUBMITTED
        and charge.sent_at is not None
        and real_now < charge.sent_at + CALL_LASTS
    )


def is_same_link(charge: Charge, wanted: NewCheckout, real_now: datetime) -> bool:
    """Whether an open link is what is asked for again."""
    return (
        charge.amount == wanted.amount
        and charge.connection_id == wanted.connection_id
        and charge.is_inline == wanted.is_inline
        and charge.expires_at is not None
        and charge.expires_at > real_now
        and (charge.save_method or not wanted.save_method)
    )

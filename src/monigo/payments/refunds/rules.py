"""What a provider's word makes of a refund, and when it is asked again. All of it is pure."""

import re
from datetime import datetime, timedelta

from msgspec.structs import replace

from monigo.payments.charges import ASKED_FOR, NOT_FOUND_COUNTS_AFTER, wait_before
from monigo.payments.refunds.types import SETTLED, Refund, RefundState
from monigo.providers.port import (
    Cause,
    Fact,
    Failed,
    FailureCode,
    NeedsAction,
    Outcome,
    Pending,
    Reversed,
    Succeeded,
    Unknown,
)

# By then an answer has come, or none will.
CALL_LASTS = timedelta(seconds=30)
# As our references are, wherever a provider keeps them.
_REFERENCE = re.compile(r"\bmo[0-9a-f]{30}\b")
_REASON_LENGTH_MAX = 500


def after(refund: Refund, outcome: Outcome, *, is_answer: bool, now: datetime) -> Refund:
    """A refund after a provider's word; `now` is of the tenant's time.

    A success counts whatever stood before, and what is settled stays so otherwise. `is_answer`: the
    word answers the request that was to make it.
    """
    if isinstance(outcome, Succeeded) and outcome.fact is not None:
        return _succeeded(refund, outcome.fact, now)
    if refund.state in SETTLED:
        return refund
    match outcome:
        case Failed():
            return _after_failure(refund, outcome, is_answer=is_answer, now=now)
        case Pending(fact=fact):
            return replace(_found(refund, fact), state=RefundState.PENDING)
        case NeedsAction(fact=fact):
            return replace(_found(refund, fact), state=RefundState.NEEDS_ACTION)
        case Unknown() | Succeeded() | Reversed():
            is_new = is_answer and refund.state is RefundState.SUBMITTED
            return replace(refund, state=RefundState.UNKNOWN) if is_new else refund


def _succeeded(refund: Refund, fact: Fact, now: datetime) -> Refund:
    if refund.state is RefundState.SUCCEEDED:
        return refund
    found = _found(refund, fact)
    done = replace(found, state=RefundState.SUCCEEDED, failure_code=None, failure_reason="")
    return replace(done, settled_at=now, needs_person_at=None)


def _after_failure(refund: Refund, word: Failed, *, is_answer: bool, now: datetime) -> Refund:
    if word.fact is None:
        return _after_refusal(refund, word, now) if is_answer else refund
    found = _found(refund, word.fact)
    return failed(found, word.code, word.reason, now) if word.is_final else found


def _after_refusal(refund: Refund, word: Failed, now: datetime) -> Refund:
    # An earlier request may have arrived.
    if refund.state is not RefundState.SUBMITTED:
        return refund
    if word.code is FailureCode.NOT_SENT:
        return replace(refund, state=RefundState.CREATED)
    return failed(refund, word.code, word.reason, now)


def failed(refund: Refund, code: str, reason: str, now: datetime) -> Refund:
    """A live refund that failed: the money stayed."""
    return replace(
        refund,
        state=RefundState.FAILED,
        failure_code=code,
        failure_reason=reason[:_REASON_LENGTH_MAX],
        settled_at=now,
        needs_person_at=None,
    )


def _found(refund: Refund, fact: Fact | None) -> Refund:
    named = refund.provider_id or (fact.provider_id if fact else "")
    return replace(refund, provider_id=named, first_not_found_at=None)


def after_call(refund: Refund, outcome: Outcome, real_now: datetime) -> Refund:
    """A refund that its provider was called for, with what was not found noted."""
    asked = replace(refund, asked=refund.asked + 1, asked_at=real_now)
    match outcome:
        case Unknown(cause=Cause.NOT_FOUND) if asked.is_live:
            return replace(asked, first_not_found_at=asked.first_not_found_at or real_now)
        case _:
            return asked


def is_missing(refund: Refund, real_now: datetime) -> bool:
    """Whether it counts that its provider knows nothing of it."""
    since = refund.first_not_found_at
    return refund.is_live and since is not None and since + NOT_FOUND_COUNTS_AFTER <= real_now


def next_question(refund: Refund, real_now: datetime) -> datetime | None:
    """When a refund is to be sent or asked about next; None where it is settled, or a person's."""
    if not refund.is_live:
        return None
    if (
        refund.state is RefundState.SUBMITTED
        and refund.submitted_at is not None
        and not refund.asked
    ):
        return max(refund.submitted_at + CALL_LASTS, real_now)
    begun_at = refund.submitted_at or real_now
    if real_now >= begun_at + ASKED_FOR:
        return None
    return min(real_now + wait_before(refund.asked), begun_at + ASKED_FOR)


def references_in(fact: Fact) -> list[str]:
    """Our references in what a provider says of a refund: its own field, or the note."""
    found = [fact.reference] if fact.reference else []
    return [*found, *_REFERENCE.findall(fact.note)]

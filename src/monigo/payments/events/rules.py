"""Pure: whose a fact is, what becomes of an event, and when it is looked at again."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from monigo.payments.charges import Applied, AppliedState
from monigo.payments.events.types import EventState, Summary
from monigo.providers.port import Fact, Kind, Lookup, State
from monigo.providers.redaction import masked

# As `payments.charges` makes references: of an installation of Monigo, this one or another.
_REFERENCE = re.compile(r"mo[0-9a-f]{30}")
# What comes before its row is there after a moment; a restored database learns it within days.
PAUSES = (
    *(timedelta(seconds=seconds) for seconds in (5, 20, 60)),
    *(timedelta(minutes=minutes) for minutes in (5, 15)),
)
LAST_PAUSE = timedelta(hours=1)
TRIED_FOR = timedelta(hours=72)
FOREIGN_FOR = timedelta(days=7)
# Longer than any provider sends an event again.
KEPT_FOR = timedelta(days=90)

_UNKNOWN = "nothing of ours is known by its reference"
_NOT_OURS = "it has neither a reference nor an account of ours"


class Judgement(Struct, frozen=True):
    """What becomes of an event, why, and whether time alone may change that."""

    state: EventState
    reason: str = ""
    is_tried_again: bool = False


def is_ours(fact: Fact) -> bool:
    """Whether a fact is about something that was made under a reference of ours."""
    named = (fact.reference, fact.account_reference, fact.charge_reference, fact.note)
    return any(_REFERENCE.fullmatch(name) for name in named)


def reference_in(fact: Fact) -> str:
    """The reference of ours that a fact has, or else the provider's own."""
    named = (fact.reference, fact.account_reference, fact.charge_reference, fact.note)
    return next(filter(_REFERENCE.fullmatch, named), next(filter(None, named), ""))


def judge(facts: Sequence[Fact], made: Sequence[Applied]) -> Judgement:
    """What becomes of an event, by what became of each of its facts; the worst counts."""
    outcomes = [_judged(fact, one) for fact, one in zip(facts, made, strict=True)]
    for state in (EventState.PARKED, EventState.APPLIED):
        for outcome in outcomes:
            if outcome.state is state:
                return outcome
    return Judgement(EventState.FOREIGN, _NOT_OURS)


def _judged(fact: Fact, made: Applied) -> Judgement:
    match made.state:
        case AppliedState.APPLIED | AppliedState.IGNORED:
            return Judgement(EventState.APPLIED, made.reason)
        case AppliedState.REFUSED:
            return Judgement(EventState.PARKED, made.reason or "it does not fit what it is about")
        case AppliedState.NOT_YET:
            return Judgement(EventState.PARKED, made.reason, is_tried_again=True)
        case AppliedState.UNKNOWN_REFERENCE if is_ours(fact):
            return Judgement(EventState.PARKED, made.reason or _UNKNOWN, is_tried_again=True)
        case AppliedState.UNKNOWN_REFERENCE:
            return Judgement(EventState.FOREIGN, _NOT_OURS)


def next_try(tries: int, received_at: datetime, now: datetime) -> datetime | None:
    """When an event is tried again that `tries` times came to nothing; None for no more."""
    if now - received_at >= TRIED_FOR:
        return None
    return now + (PAUSES[tries - 1] if 0 < tries <= len(PAUSES) else LAST_PAUSE)


def summary_of(facts: Sequence[Fact], *, is_confirmed: bool) -> Summary:
    """What is kept in the clear of an event; it says of one payment, or of none."""
    if not facts:
        return Summary()
    fact = facts[0]
    return Summary(
        kind=fact.kind,
        state=fact.state,
        reference=reference_in(fact),
        provider_id=fact.provider_id,
        rail_id=fact.rail_id,
        amount=fact.amount if fact.amount and fact.amount.amount > 0 else None,
        fee=fact.fee,
        fee_by_payer=fact.fee_by_payer,
        occurred_at=fact.occurred_at,
        account=masked(fact.account_number) if fact.account_number else "",
        is_confirmed=is_confirmed,
    )


def question_of(fact: Fact) -> Lookup:
    """How a provider is asked whether a fact is so."""
    reference = fact.reference or fact.charge_reference or fact.account_reference
    return Lookup(kind=fact.kind, reference=reference, provider_id=fact.provider_id)


def confirmed(claimed: Fact, found: Fact) -> Fact:
    """What the provider said of a claim; a deposit is looked up as the charge that it looks like.

    Nothing is taken from the claim but that money came into an account: into which is the
    provider's word.
    """
    if claimed.kind is not Kind.DEPOSIT or found.kind is Kind.DEPOSIT:
        return found
    return replace(found, kind=Kind.DEPOSIT, account_reference=found.reference)


def is_money_in(summary: Summary) -> bool:
    """Whether an event says for sure that money came in, so that it can be given a use."""
    return (
        summary.is_confirmed
        and summary.kind in {Kind.CHARGE, Kind.DEPOSIT}
        and summary.state is State.SUCCEEDED
        and summary.amount is not None
        and bool(summary.provider_id)
    )

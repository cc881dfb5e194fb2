"""What provider's words make of a charge, in whatever order they come."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monigo.core.money import Money
from monigo.payments.charges import rules
from monigo.payments.charges.rules import Counted
from monigo.payments.charges.types import Charge, ChargeKind, ChargeState, Purpose
from monigo.providers.port import (
    Cause,
    Fact,
    Failed,
    FailureCode,
    Kind,
    NeedsAction,
    Pending,
    Repeat,
    Reversed,
    State,
    Succeeded,
    Unknown,
)

NOW = datetime(2026, 6, 16, 12, tzinfo=UTC)
AMOUNT = Money(Decimal("2500.000000"), "NGN")


def pull(state=ChargeState.SUBMITTED, **more):
    made = Charge(
        id=UUID(int=1),
        kind=ChargeKind.PULL,
        purpose=Purpose.INVOICE,
        customer_id=UUID(int=2),
        invoice_id=UUID(int=3),
        connection_id=UUID(int=4),
        provider="paystack",
        method_id=UUID(int=5),
        attempt=1,
        reference=f"mo{1:030x}",
        amount=AMOUNT,
        actor="system:test",
        state=state,
        created_at=NOW,
        submitted_at=NOW,
        sent_at=NOW,
    )
    return replace(made, **more)


def link(state=ChargeState.NEEDS_ACTION, **more):
    fields = {"url": "https://pay.example/1", "expires_at": NOW + rules.CHECKOUT_LASTS}
    return pull(state, **{"kind": ChargeKind.CHECKOUT, "method_id": None, **fields, **more})


def fact(state, *, provider_id="P1", **more):
    told = {"kind": Kind.CHARGE, "amount": AMOUNT, "is_final": True}
    return Fact(state=state, provider_id=provider_id, **{**told, **more})


def failure(code=FailureCode.DECLINED, *, is_final=True, told=True):
    said = fact(State.FAILED, is_final=is_final) if told else None
    return Failed(code=code, reason="Declined", is_final=is_final, fact=said)


class Ledger:
    """Payments of one charge, counted as the product does: each id once, and reversed for good."""

    def __init__(self):
        self.came, self.gone = set(), set()

    def take(self, outcome):
        match outcome:
            case Succeeded(fact=told):
                self.came.add(told.provider_id)
            case Reversed(fact=told):
                self.came.add(told.provider_id)
                self.gone.add(told.provider_id)
            case _:
                pass
        return Counted(bool(self.came), bool(self.came - self.gone))


def after_all(charge, words):
    ledger = Ledger()
    for outcome, is_answer in words:
        counted = ledger.take(outcome)
        charge = rules.after(charge, outcome, counted, is_answer=is_answer, now=NOW)
    return charge


ids = st.sampled_from(["P1", "P2"])
outcomes = st.one_of(
    ids.map(lambda named: Succeeded(fact=fact(State.SUCCEEDED, provider_id=named))),
    ids.map(lambda named: Reversed(fact=fact(State.REVERSED, provider_id=named))),
    st.just(failure()),
    st.just(failure(is_final=False)),
    st.just(Pending(fact=fact(State.PENDING))),
    st.just(NeedsAction(url="https://pay.example/2fa")),
    st.sampled_from(Cause).map(lambda cause: Unknown(cause=cause)),
)
words = st.lists(st.tuples(outcomes, st.booleans()), max_size=8)


@given(words, st.randoms(), st.sampled_from([pull(), link(), pull(ChargeState.UNKNOWN)]))
def test_any_order_of_words_ends_in_the_same_state(said, random, charge):
    other = list(said)
    random.shuffle(other)

    ended, ended_too = after_all(charge, said), after_all(charge, other)

    is_settled = ended.state in rules.SETTLED
    assert is_settled == (ended_too.state in rules.SETTLED)
    if is_settled:
        assert ended.state is ended_too.state


@given(words, st.sampled_from([pull(), link()]))
def test_money_that_came_always_wins(said, charge):
    won = (Succeeded(fact=fact(State.SUCCEEDED, provider_id="P3")), False)

    assert after_all(charge, [*said, won]).state is ChargeState.SUCCEEDED
    assert after_all(charge, [won, *said]).state is ChargeState.SUCCEEDED


@given(words, st.sampled_from([pull(), link()]))
def test_what_is_settled_says_since_when_and_why(said, charge):
    ended = after_all(charge, said)

    assert (ended.settled_at is not None) == (ended.state in rules.SETTLED)
    assert ended.state is not ChargeState.FAILED or ended.failure is not None


def after(charge, outcome, *, is_answer=False):
    return rules.after(charge, outcome, Counted(), is_answer=is_answer, now=NOW)


NOT_SENT = failure(FailureCode.NOT_SENT, is_final=False, told=False)
REFUSED = failure(FailureCode.INVALID_METHOD, is_final=False, told=False)
TIMED_OUT = Unknown(cause=Cause.TIMED_OUT)
DUPLICATE = Unknown(cause=Cause.DUPLICATE)
UNSENT_LINK = link(ChargeState.SUBMITTED, url="")


@pytest.mark.parametrize(
    ("charge", "outcome", "is_answer", "state"),
    [
        # What did not leave is sent again; what was refused is not.
        (pull(), NOT_SENT, True, ChargeState.CREATED),
        (pull(), REFUSED, True, ChargeState.FAILED),
        # But an earlier request may have arrived.
        (pull(ChargeState.UNKNOWN), NOT_SENT, True, ChargeState.UNKNOWN),
        (pull(ChargeState.UNKNOWN), REFUSED, True, ChargeState.UNKNOWN),
        (pull(), TIMED_OUT, True, ChargeState.UNKNOWN),
        (pull(), DUPLICATE, True, ChargeState.UNKNOWN),
        # A question that is not answered says nothing.
        (pull(), TIMED_OUT, False, ChargeState.SUBMITTED),
        (pull(ChargeState.PENDING), TIMED_OUT, True, ChargeState.PENDING),
        (pull(), failure(is_final=False), False, ChargeState.SUBMITTED),
        (pull(), failure(), False, ChargeState.FAILED),
        # A payer may try again, until the provider ends the link.
        (link(), failure(), False, ChargeState.NEEDS_ACTION),
        (link(), failure(FailureCode.EXPIRED), False, ChargeState.FAILED),
        (link(), Pending(), False, ChargeState.NEEDS_ACTION),
        # Nobody can pay a link that nobody has.
        (UNSENT_LINK, REFUSED, True, ChargeState.FAILED),
        (UNSENT_LINK, TIMED_OUT, True, ChargeState.UNKNOWN),
        (UNSENT_LINK, DUPLICATE, True, ChargeState.FAILED),
        (pull(ChargeState.FAILED), Pending(), False, ChargeState.FAILED),
        # A success that can't be counted is none yet.
        (pull(), Succeeded(), True, ChargeState.SUBMITTED),
    ],
)
def test_words(charge, outcome, is_answer, state):
    assert after(charge, outcome, is_answer=is_answer).state is state


def test_it_is_asked_after_seconds_then_minutes_then_each_hour_for_three_days():
    charge, now, asked_at = pull(ChargeState.UNKNOWN), NOW, []

    while (at := rules.next_question(charge, now)) is not None:
        asked_at.append((at - NOW).total_seconds())
        now = at
        charge = replace(charge, asked=charge.asked + 1)

    assert asked_at[:6] == [5, 25, 85, 385, 1285, 4885]
    assert asked_at[-1] == timedelta(hours=72).total_seconds()
    assert len(asked_at) < 80


@pytest.mark.parametrize(
    ("charge", "at"),
    [
        # While a request is under way nobody asks about it.
        (pull(), NOW + rules.CALL_LASTS),
        # A link's last look is as it expires.
        (link(asked=9), NOW + timedelta(hours=1)),
        (link(asked=9, expires_at=NOW + timedelta(minutes=5)), NOW + timedelta(minutes=5)),
        # What was superseded can be paid until then.
        (link(ChargeState.FAILED), NOW + timedelta(hours=1)),
        (link(ChargeState.FAILED, expires_at=NOW), None),
        (pull(ChargeState.FAILED), None),
        (pull(ChargeState.SUCCEEDED), None),
    ],
)
def test_next_question(charge, at):
    assert rules.next_question(charge, NOW) == at


def test_that_nothing_is_found_counts_after_five_minutes():
    charge = rules.after_call(pull(), Unknown(cause=Cause.NOT_FOUND), NOW)

    assert not rules.is_missing(charge, NOW + timedelta(minutes=4))
    assert rules.is_missing(charge, NOW + timedelta(minutes=5))
    found = rules.after_call(charge, Pending(), NOW + timedelta(minutes=1))
    assert not rules.is_missing(found, NOW + timedelta(minutes=9))
    # A link that nobody paid is unknown to some providers, and may be paid yet.
    unpaid = rules.after_call(link(), Unknown(cause=Cause.NOT_FOUND), NOW)
    assert not rules.is_missing(unpaid, NOW + timedelta(minutes=9))


def test_only_what_can_not_pay_twice_is_sent_again():
    assert [one for one in Repeat if not rules.may_send_again(one)] == [Repeat.PAYS_AGAIN]
    assert not rules.may_send_again(None)


def test_references_are_the_same_for_the_same_try():
    org_id, subject = UUID(int=7), UUID(int=1)

    first = rules.reference_of(org_id, "test", "pull", subject, 1)

    assert first == rules.reference_of(org_id, "test", "pull", subject, 1)
    assert len(first) == 32
    others = [
        rules.reference_of(org_id, "live", "pull", subject, 1),
        rules.reference_of(org_id, "test", "checkout", subject, 1),
        rules.reference_of(org_id, "test", "pull", UUID(int=2), 1),
        rules.reference_of(org_id, "test", "pull", subject, 2),
        rules.reference_of(subject, "test", "pull", subject, 1),
    ]
    assert len({first, *others}) == 6

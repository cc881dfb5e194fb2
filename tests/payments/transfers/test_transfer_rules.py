"""What words of a provider make of a transfer, in whatever order they come."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monigo.core.money import Money
from monigo.payments.charges import CALL_LASTS, Failure
from monigo.payments.transfers import Destination, Transfer, TransferState, rules
from monigo.providers.port import (
    Cause,
    Fact,
    Failed,
    FailureCode,
    Kind,
    NeedsAction,
    PayoutMethod,
    Pending,
    Reversed,
    State,
    Succeeded,
    Unknown,
)
from support.charges import naira

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ID = UUID(int=1)
TO = Destination(
    payout_account_id=ID,
    method=PayoutMethod.BANK_TRANSFER,
    bank_code="044",
    bank_name="",
    account_name="Ada",
    number_ciphertext=b"",
    last4="0031",
)


def transfer(state=TransferState.SUBMITTED, **more):
    sent = {} if state is TransferState.CREATED else {"submitted_at": NOW, "sent_at": NOW}
    return Transfer(
        id=ID,
        leg_id=ID,
        bill_id=ID,
        customer_id=ID,
        to=TO,
        connection_id=ID,
        provider="paystack",
        attempt=1,
        reference="mo1",
        amount=naira("700"),
        actor="",
        state=state,
        created_at=NOW,
        **{**sent, **more},
    )


def fact(state, **more):
    told = {"reference": "mo1", "provider_id": "TRF_1", "amount": naira("700"), **more}
    return Fact(kind=Kind.TRANSFER, state=state, is_final=state is State.FAILED, **told)


def failed(code=FailureCode.OTHER, *, row=True, is_final=True):
    found = fact(State.FAILED) if row else None
    return Failed(code=code, reason="no", is_final=is_final and row, fact=found)


SUCCESS = Succeeded(fact=fact(State.SUCCEEDED))
FAILURE = failed()
REVERSAL = Reversed(fact=fact(State.REVERSED))
OPEN = (
    Pending(fact=fact(State.PENDING)),
    NeedsAction(needs_otp=True, provider_id="TRF_1"),
    Unknown(cause=Cause.TIMED_OUT),
    Unknown(cause=Cause.NOT_FOUND),
    Unknown(cause=Cause.DUPLICATE),
)


def after(one, word, *, is_answer=False, at=NOW):
    return rules.after(one, word, is_answer=is_answer, now=at, real_now=at)


def told(words, state=TransferState.SUBMITTED):
    one = transfer(state)
    for word in words:
        one = after(one, word)
    return one


ENDS = [
    ((SUCCESS,), TransferState.SUCCEEDED),
    ((FAILURE,), TransferState.FAILED),
    ((REVERSAL,), TransferState.REVERSED),
    ((SUCCESS, FAILURE), TransferState.SUCCEEDED),
    ((SUCCESS, REVERSAL), TransferState.REVERSED),
    ((FAILURE, REVERSAL), TransferState.REVERSED),
    ((SUCCESS, FAILURE, REVERSAL), TransferState.REVERSED),
]


@pytest.mark.parametrize(("words", "end"), ENDS)
def test_any_order_of_words_ends_in_the_same_state(words, end):
    for other in OPEN:
        for order in permutations((*words, other)):
            assert told(order).state is end


@given(st.lists(st.sampled_from((SUCCESS, FAILURE, REVERSAL, *OPEN)), max_size=8))
def test_what_may_have_left_is_never_as_unsent_again(words):
    one = transfer(TransferState.UNKNOWN)

    for word in words:
        for is_answer in (False, True):
            one = after(one, word, is_answer=is_answer)
            assert one.state not in {TransferState.CREATED, TransferState.SUBMITTED}


def test_a_refusal_of_the_first_request_is_a_failure_and_of_another_one_says_nothing():
    refusal = failed(FailureCode.INVALID_RECIPIENT, row=False)

    first = after(transfer(), refusal, is_answer=True)
    again = after(transfer(TransferState.UNKNOWN), refusal, is_answer=True)

    assert (first.state, first.failure.is_final) == (TransferState.FAILED, False)
    assert again.state is TransferState.UNKNOWN
    assert after(transfer(), refusal).state is TransferState.SUBMITTED


@pytest.mark.parametrize("cause", [Cause.NOT_FOUND, Cause.TIMED_OUT, Cause.UNRECOGNIZED])
def test_what_a_dead_process_sent_stays_in_doubt_whatever_another_request_is_refused_for(cause):
    asked = after(transfer(), Unknown(cause=cause))
    refusals = [
        failed(code, row=False)
        for code in (FailureCode.INVALID_RECIPIENT, FailureCode.INSUFFICIENT_BALANCE)
    ]

    ends = {
        after(rules.sent(one, NOW), refusal, is_answer=True).state
        for one in (asked, transfer())
        for refusal in refusals
    }

    assert asked.state is TransferState.UNKNOWN
    assert ends == {TransferState.UNKNOWN}


@pytest.mark.parametrize("code", [FailureCode.NOT_SENT, FailureCode.INSUFFICIENT_BALANCE])
def test_what_was_not_taken_is_sent_again_under_the_same_reference_for_a_day(code):
    waiting = after(transfer(), failed(code, row=False), is_answer=True)

    assert (waiting.state, waiting.reference) == (TransferState.CREATED, "mo1")
    assert rules.next_sending(waiting, NOW) > NOW
    assert not rules.is_over(waiting, NOW + timedelta(hours=23))
    assert rules.is_over(waiting, NOW + timedelta(hours=24))
    later = NOW + timedelta(hours=24)
    given_up = rules.put_off(waiting, failed(code, row=False), now=later, real_now=later)
    assert (given_up.state, given_up.failure.code) == (TransferState.FAILED, code)


def test_too_little_money_is_looked_at_every_quarter_of_an_hour():
    word = failed(FailureCode.INSUFFICIENT_BALANCE, row=False)

    waiting = after(transfer(), word, is_answer=True)

    assert rules.next_sending(waiting, NOW) == NOW + timedelta(minutes=15)


def test_a_refused_bulk_has_each_row_sent_alone_unless_it_is_the_merchants_fault():
    refused = failed(FailureCode.INVALID_REQUEST, row=False)
    short = failed(FailureCode.INSUFFICIENT_BALANCE, row=False)

    row = after(transfer(), rules.of_row(refused), is_answer=True)

    assert (row.state, row.is_alone) == (TransferState.CREATED, True)
    assert rules.next_sending(row, NOW) == NOW
    assert not after(transfer(), rules.of_row(short), is_answer=True).is_alone
    lost = Unknown(cause=Cause.TIMED_OUT)
    assert rules.of_row(lost) is lost


def test_another_amount_than_was_sent_is_a_persons_case():
    other = Succeeded(fact=fact(State.SUCCEEDED, amount=naira("350")))

    one = after(transfer(), other)

    assert one.state is TransferState.UNKNOWN
    assert one.needs_person_at == NOW
    assert one.failure == Failure("wrong_amount", "the provider says another amount", False)
    assert after(transfer(TransferState.FAILED, settled_at=NOW), other).state == "failed"


def test_questions_follow_their_times_until_a_person_decides():
    one = transfer(TransferState.PENDING)
    waits = []
    for asked in range(7):
        at = rules.next_question(replace(one, asked=asked), NOW)
        waits.append((at - NOW).total_seconds())

    assert waits == [5, 20, 60, 300, 900, 3600, 3600]
    assert rules.next_question(one, NOW + timedelta(hours=72)) is None
    assert rules.next_question(transfer(TransferState.FAILED, settled_at=NOW), NOW) is None
    # While a request may still be answered, nobody asks; then not at once for ever.
    sent = transfer(asked=3)
    assert rules.next_question(sent, NOW) == NOW + CALL_LASTS
    later = NOW + timedelta(minutes=1)
    assert rules.next_question(sent, later) == later + timedelta(minutes=5)


def test_that_nothing_is_known_of_it_counts_after_five_minutes_of_asking():
    one = rules.after_call(transfer(TransferState.UNKNOWN), OPEN[3], NOW)

    assert not rules.is_missing(one, NOW + timedelta(minutes=4))
    assert rules.is_missing(one, NOW + timedelta(minutes=5))
    found = rules.after_call(one, OPEN[0], NOW)
    assert found.first_not_found_at is None
    sent_again = rules.sent(one, NOW + timedelta(minutes=5))
    assert (sent_again.state, sent_again.first_not_found_at) == (TransferState.UNKNOWN, None)


def test_the_same_to_the_same_account_waits_where_a_provider_wants_that():
    gap = timedelta(minutes=2)
    one, same = (replace(transfer(), id=uuid4()) for _ in range(2))
    other = replace(transfer(), id=uuid4(), amount=naira("701"))
    key = ("044", "0031", naira("701").amount)

    waiting = rules.too_soon([one, same, other], {key: NOW - timedelta(minutes=1)}, gap, NOW)

    assert waiting == {same.id: NOW + gap, other.id: NOW + timedelta(minutes=1)}


@pytest.mark.parametrize(("held", "is_enough"), [("1400", True), ("1399.99", False)])
def test_the_balance_holds_a_bulk_or_not(held, is_enough):
    rows = [transfer(), transfer()]
    other = Money(naira("9000").amount, "GHS")

    assert rules.is_enough([naira(held), other], rows) is is_enough
    assert not rules.is_enough([other], rows)

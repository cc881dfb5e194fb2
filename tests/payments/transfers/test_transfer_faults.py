"""Transfers at the three providers: whatever fails, each payee gets it once, or nobody does."""

import pytest

from monigo.payments import transfers
from monigo.payments.transfers import TransferState
from monigo.providers.port import Fact, FailureCode, Kind, State
from support.payments import PROVIDERS, connect
from support.transfers import Payouts

# Faults of an answer after which the transfer is made, and those after which it is not.
FAULTS = (
    "success",
    "pending",
    "drop_after_commit",
    "drop_before",
    "500",
    "429",
    "not_json",
    "duplicate_reference",
)


@pytest.fixture(params=PROVIDERS)
def payouts(request, api):
    api.backend.simulated.control("clear")
    return Payouts(api, connect(api, request.param))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_transfer_is_paid_once_whatever_fails(payouts, fault):
    delay = {"delay_ms": 200} if fault == "pending" else {}
    payouts.script("transfer", fault, **delay)
    made = payouts.one("700")

    payouts.submit(made)
    (ended,) = payouts.settle(made)

    assert ended.state is TransferState.SUCCEEDED, ended
    assert payouts.paid() == {made.reference: "700"}
    assert len(payouts.booked()) == 1
    assert payouts.facts(made) == ["TransferSubmitted", "TransferSucceeded"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bulk_is_paid_once_whatever_fails(payouts, fault):
    delay = {"delay_ms": 200} if fault == "pending" else {}
    payouts.script("bulk", fault, **delay)
    made = payouts.create(*(payouts.wanted(str(100 + n)) for n in range(7)))

    payouts.work()
    ended = payouts.settle(*made)

    assert {one.state for one in ended} == {TransferState.SUCCEEDED}
    assert payouts.paid() == {
        one.reference: str(one.amount.amount.normalize().__format__("f")) for one in made
    }
    assert len(payouts.booked()) == 7


def test_a_row_that_fails_in_a_bulk_fails_alone(payouts):
    payouts.script("bulk", "failed")
    made = payouts.create(*(payouts.wanted("500") for _ in range(5)))

    payouts.work()
    ended = payouts.settle(*made)

    states = sorted(one.state for one in ended)
    assert states == [TransferState.FAILED, *[TransferState.SUCCEEDED] * 4]
    assert len(payouts.paid()) == 4
    (lost,) = (one for one in ended if one.state is TransferState.FAILED)
    assert lost.failure.is_final


def test_a_transfer_that_fails_may_be_tried_under_another_reference(payouts):
    payouts.script("transfer", "failed")
    first = payouts.one("700")
    payouts.submit(first)
    (failed,) = payouts.settle(first)

    again = payouts.one("700", leg=first.leg_id)
    payouts.submit(again)
    (paid,) = payouts.settle(again)

    assert (failed.state, failed.failure.is_final) == (TransferState.FAILED, True)
    assert (paid.state, paid.attempt) == (TransferState.SUCCEEDED, 2)
    assert paid.reference != failed.reference
    assert payouts.paid() == {again.reference: "700"}


def test_what_the_balance_does_not_hold_waits_and_is_sent_under_the_same_reference(payouts):
    payouts.fund("100")
    made = payouts.create(payouts.wanted("500"), payouts.wanted("600"))

    payouts.work()

    waiting = [payouts.look(one) for one in made]
    assert {one.state for one in waiting} == {TransferState.CREATED}
    assert {one.failure.code for one in waiting} == {FailureCode.INSUFFICIENT_BALANCE}
    assert payouts.booked() == []
    assert payouts.facts(*made) == ["TransferDelayed"] * 2

    payouts.fund("5000")
    ended = payouts.settle(*made)

    assert {one.state for one in ended} == {TransferState.SUCCEEDED}
    assert payouts.paid() == {made[0].reference: "500", made[1].reference: "600"}


def test_what_waits_for_money_for_a_day_fails(payouts):
    payouts.fund("100")
    made = payouts.one("500")

    payouts.work()
    (ended,) = payouts.settle(made)

    assert ended.state is TransferState.FAILED
    assert (ended.failure.code, ended.failure.is_final) == (
        FailureCode.INSUFFICIENT_BALANCE,
        False,
    )
    assert ended.submitted_at is None
    assert payouts.booked() == []


def test_what_comes_back_after_it_was_paid_is_reversed(payouts):
    made = payouts.one("700")
    payouts.submit(made)
    payouts.settle(made)

    payouts.backend.simulated.next(payouts.provider, "webhook", "lost", times=1)
    payouts.end(made, "reversed")
    fact = Fact(kind=Kind.TRANSFER, state=State.REVERSED, reference=made.reference)
    payouts.run(lambda tx: transfers.apply_fact(tx, payouts.connection["id"], fact))

    assert payouts.look(made).state is TransferState.REVERSED
    assert payouts.facts(made)[-1] == "TransferReversed"
    assert payouts.paid() == {}

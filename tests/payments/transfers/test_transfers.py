"""Which transfer of a leg counts, who may stop one, and what a person decides."""

import asyncio
from uuid import uuid4

import pytest

from monigo.core.errors import DomainError
from monigo.payments import transfers
from monigo.payments.charges import AppliedState
from monigo.payments.transfers import TransferState
from monigo.payments.transfers.sending import prepare
from monigo.providers.port import Fact, FailureCode, Kind, State
from support.charges import naira
from support.payments import connect
from support.transfers import Payouts

PAID = ["TransferSubmitted", "TransferSucceeded"]
LOST = ["TransferSubmitted", "TransferFailed"]


@pytest.fixture
def payouts(api):
    api.backend.simulated.control("clear")
    return Payouts(api, connect(api, "paystack"))


def say(payouts, made, state, **more):
    """The provider's word of a transfer, as a webhook or a list has it."""
    fact = Fact(
        kind=Kind.TRANSFER,
        state=state,
        reference=made.reference,
        is_final=state is State.FAILED,
        **more,
    )
    return payouts.run(lambda tx: transfers.apply_fact(tx, payouts.connection["id"], fact))


def lost(payouts, **more):
    """A transfer that the provider says failed."""
    payouts.script("transfer", "failed")
    made = payouts.one("700", **more)
    payouts.submit(made)
    assert payouts.look(made).state is TransferState.FAILED
    return made


def pending(payouts, **more):
    payouts.script("transfer", "pending")
    made = payouts.one("700", **more)
    payouts.submit(made)
    assert payouts.look(made).state is TransferState.PENDING
    return made


def test_a_leg_has_one_live_transfer_and_one_that_has_paid_it(payouts):
    made = payouts.one("700")

    for _ in range(2):
        with pytest.raises(DomainError, match="under way, or was paid"):
            payouts.one("700", leg=made.leg_id)
        payouts.submit(made)

    assert payouts.look(made).state is TransferState.SUCCEEDED
    assert len(payouts.booked()) == 1


def test_of_twenty_transfers_of_a_leg_at_once_one_is_made(payouts):
    account, leg = payouts.account(), uuid4()

    async def create():
        async with payouts.services.database.transaction(payouts.api.tenant) as tx:
            return await transfers.create(tx, [payouts.wanted("700", account, leg)])

    async def all_at_once():
        return await asyncio.gather(*(create() for _ in range(20)), return_exceptions=True)

    made = payouts.backend.run(all_at_once())

    refused = [one.code for one in made if isinstance(one, DomainError)]
    assert refused == ["payout_in_flight"] * 19


def test_of_twenty_that_send_a_transfer_at_once_one_does(payouts):
    made = payouts.one("700")
    desk, database = payouts.services.desk, payouts.services.database

    async def all_at_once():
        sent = (transfers.submit(desk, database, payouts.api.tenant, [made.id]) for _ in range(20))
        await asyncio.gather(*sent)

    payouts.backend.run(all_at_once())

    assert payouts.look(made).state is TransferState.SUCCEEDED
    calls = payouts.backend.sql(
        "SELECT count(*) FROM provider_calls WHERE org_id = $1 AND verb = 'transfer'",
        payouts.api.org_id,
    )
    assert (calls[0]["count"], len(payouts.booked())) == (1, 1)


def test_a_late_success_stops_what_is_unsent(payouts):
    first = lost(payouts)
    again = payouts.one("700", leg=first.leg_id)

    say(payouts, first, State.SUCCEEDED)

    assert payouts.look(first).has_paid
    assert payouts.look(again).failure.code == "stopped"
    payouts.work()
    assert len(payouts.booked()) == 1
    assert payouts.facts(first) == [*LOST, "TransferSucceeded"]
    assert payouts.facts(again) == ["TransferFailed"]


def test_a_late_success_beside_another_payment_is_paid_twice(payouts):
    first = lost(payouts)
    again = payouts.one("700", leg=first.leg_id)
    payouts.submit(again)

    say(payouts, first, State.SUCCEEDED)

    excess = payouts.look(first)
    assert (excess.state, excess.is_excess) == (TransferState.SUCCEEDED, True)
    assert payouts.look(again).has_paid
    assert payouts.facts(first) == [*LOST, "TransferPaidTwice"]
    assert payouts.facts(again) == PAID
    with pytest.raises(DomainError, match="was paid"):
        payouts.one("700", leg=first.leg_id)


def test_a_late_success_pays_the_leg_once_the_other_one_fails(payouts):
    first = lost(payouts)
    again = pending(payouts, leg=first.leg_id)

    say(payouts, first, State.SUCCEEDED)
    assert payouts.look(first).is_excess
    say(payouts, again, State.FAILED, code=FailureCode.OTHER)

    assert payouts.look(first).has_paid
    assert payouts.facts(first) == [*LOST, "TransferPaidTwice", "TransferSucceeded"]
    assert payouts.facts(again) == LOST
    with pytest.raises(DomainError, match="was paid"):
        payouts.one("700", leg=first.leg_id)


def test_what_was_in_excess_pays_whichever_transfer_came_back(payouts):
    first = lost(payouts)
    again = pending(payouts, leg=first.leg_id)
    say(payouts, first, State.SUCCEEDED)
    say(payouts, again, State.FAILED, code=FailureCode.OTHER)
    say(payouts, again, State.SUCCEEDED)
    assert (payouts.look(first).has_paid, payouts.look(again).is_excess) == (True, True)

    say(payouts, first, State.REVERSED)

    assert payouts.look(again).has_paid
    assert payouts.facts(again)[-2:] == ["TransferPaidTwice", "TransferSucceeded"]
    with pytest.raises(DomainError, match="was paid"):
        payouts.one("700", leg=first.leg_id)


@pytest.mark.parametrize("word", [State.PENDING, State.SUCCEEDED, State.REVERSED])
def test_a_transfer_that_a_provider_has_was_sent_whatever_we_know(payouts, word):
    made = payouts.one("700")

    say(payouts, made, word)
    payouts.work()

    found = payouts.look(made)
    assert (found.state, found.sent_at) == (TransferState(word), found.submitted_at)
    assert found.sent_at is not None
    assert payouts.facts(made)[0] == "TransferSubmitted"
    assert payouts.booked() == []


def test_a_transfer_that_was_stopped_and_made_after_all_has_paid(payouts):
    made = payouts.one("700")
    payouts.run(lambda tx: transfers.stop_unsent(tx, [payouts.bill], "held"))

    say(payouts, made, State.SUCCEEDED)

    assert payouts.look(made).has_paid


@pytest.mark.parametrize("fault", ["success", "drop_after_commit", "failed"])
def test_what_a_dead_process_sent_is_asked_about_and_sent_again_once_nobody_knows_it(
    payouts, fault
):
    made = payouts.one("700")
    # Its process dies before the provider is called.
    payouts.run(lambda tx: prepare(tx, [made.id]))
    payouts.script("transfer", fault)

    payouts.backend.clock.advance(seconds=31)
    payouts.work()
    assert payouts.look(made).state is TransferState.UNKNOWN
    (ended,) = payouts.settle(made)

    assert ended.is_live is False
    assert (ended.attempt, len(payouts.booked())) == (1, 1)


def test_a_late_success_and_a_new_try_at_once_never_pay_both(payouts):
    legs = [lost(payouts) for _ in range(6)]
    accounts = [payouts.account() for _ in legs]
    database = payouts.services.database

    async def succeed(made):
        fact = Fact(kind=Kind.TRANSFER, state=State.SUCCEEDED, reference=made.reference)
        async with database.transaction(payouts.api.tenant) as tx:
            await transfers.apply_fact(tx, payouts.connection["id"], fact)

    async def try_again(made, account):
        async with database.transaction(payouts.api.tenant) as tx:
            await transfers.create(tx, [payouts.wanted("700", account, made.leg_id)])

    async def all_at_once():
        both = [
            work
            for made, account in zip(legs, accounts, strict=True)
            for work in (succeed(made), try_again(made, account))
        ]
        return await asyncio.gather(*both, return_exceptions=True)

    payouts.backend.run(all_at_once())
    payouts.work()

    assert all(payouts.look(one).has_paid for one in legs)
    assert payouts.paid() == {}


def test_what_came_back_may_be_tried_again(payouts):
    made = payouts.one("700")
    payouts.submit(made)

    say(payouts, made, State.REVERSED)
    say(payouts, made, State.SUCCEEDED)

    assert payouts.look(made).state is TransferState.REVERSED
    assert payouts.facts(made) == [*PAID, "TransferReversed"]
    again = payouts.one("700", leg=made.leg_id)
    payouts.submit(again)
    assert payouts.look(again).has_paid


def test_another_amount_than_was_sent_is_for_a_person(payouts):
    payouts.script("transfer", "wrong_amount")
    made = payouts.one("700")

    payouts.submit(made)

    found = payouts.look(made)
    assert (found.state, found.failure.code) == (TransferState.UNKNOWN, FailureCode.WRONG_AMOUNT)
    assert found.needs_person_at is not None
    told = say(payouts, made, State.SUCCEEDED, amount=naira("350"))
    assert told.state is AppliedState.REFUSED


def test_what_is_unsent_of_a_bill_can_be_stopped(payouts):
    unsent = payouts.one("700")
    flying = pending(payouts)

    left = payouts.run(lambda tx: transfers.stop_unsent(tx, [payouts.bill], "held"))

    assert [one.id for one in left] == [flying.id]
    assert payouts.look(unsent).failure.reason == "held"
    payouts.work()
    assert [row["reference"] for row in payouts.booked()] == [flying.reference]
    assert payouts.run(lambda tx: transfers.is_in_flight(tx, [payouts.bill])) == {payouts.bill}


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_person_decides_what_nobody_knows_and_the_provider_later_wins(payouts, outcome):
    made = pending(payouts)
    path = f"/v1/transactions/{made.id}/resolve"

    answer = payouts.api.post(path, json={"outcome": outcome, "note": "seen there"})

    told = answer.json()["transaction"]
    assert (told["kind"], told["status"], told["bill_id"]) == (
        "transfer",
        outcome,
        str(payouts.bill),
    )
    assert payouts.api.post(path, json={"outcome": outcome, "note": "-"}).status_code == 409
    other = State.SUCCEEDED if outcome == "failed" else State.REVERSED
    say(payouts, made, other)
    found = payouts.look(made)
    assert (found.state, found.is_contradicted) == (TransferState(other), True)


def test_a_one_time_password_lets_a_transfer_go_on(payouts):
    payouts.script("transfer", "needs_action")
    made = payouts.one("700")
    payouts.submit(made)
    services, tenant = payouts.services, payouts.api.tenant

    def authorize(otp):
        return payouts.backend.run(
            transfers.authorize(services.desk, services.database, tenant, made.id, otp)
        )

    assert payouts.look(made).needs_otp
    with pytest.raises(DomainError) as wrong:
        authorize("000000")
    assert list(wrong.value.fields) == ["otp"]
    payouts.backend.run(transfers.resend_otp(services.desk, services.database, tenant, made.id))
    assert authorize("123456").state is TransferState.SUCCEEDED
    # A second time there is nothing left to do.
    assert authorize("123456").state is TransferState.SUCCEEDED
    assert payouts.facts(made) == ["TransferSubmitted", "TransferNeedsAction", "TransferSucceeded"]

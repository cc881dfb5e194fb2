"""What providers take for transfers is booked once, whenever they say it, and comes back, too."""

from uuid import UUID

import pytest

from monigo.payments import transfers
from monigo.providers.port import Fact, Kind, State
from support.charges import naira
from support.payouts import Fleet
from support.verification import faults


@pytest.fixture
def fleet(api):
    api.backend.simulated.control("clear")
    return Fleet(api)


@pytest.fixture
def paid(fleet):
    """A transaction of a bill that arrived, as an answer says that names no fee."""
    fleet.script("webhook", "lost", times=10)
    fleet.script("transfer", "drop_after_commit")
    (made,) = fleet.initiate(fleet.owe(fleet.driver())).json()["transactions"]
    say(fleet, made, State.SUCCEEDED)
    assert "provider_fees" not in fleet.balances()
    return made


def say(fleet, transaction, state, fee=None):
    fact = Fact(
        kind=Kind.TRANSFER,
        reference=transaction["reference"],
        state=state,
        fee=None if fee is None else naira(fee),
    )
    return fleet.run(lambda tx: transfers.apply_fact(tx, fleet.connection["id"], fact))


def test_a_fee_that_is_named_after_a_transfer_arrived_is_booked_once(fleet, paid):
    for fee in ("10", "10", "25"):
        say(fleet, paid, State.SUCCEEDED, fee)

    assert fleet.balances() == {"payout_expense": -800, "provider": 810, "provider_fees": -10}
    fleet.check()


def test_a_fee_comes_back_with_its_transfer(fleet, paid):
    say(fleet, paid, State.SUCCEEDED, "10")

    say(fleet, paid, State.REVERSED, "10")

    assert fleet.balances() == {"payout_expense": -800, "payable": 800}
    fleet.check()


def test_a_fee_that_nobody_named_before_a_transfer_came_back_is_booked_nowhere(fleet, paid):
    for _ in range(2):
        say(fleet, paid, State.REVERSED, "10")

    say(fleet, paid, State.SUCCEEDED, "10")

    assert fleet.balances() == {"payout_expense": -800, "payable": 800}
    fleet.check()


def test_verification_finds_a_fee_that_is_not_booked(fleet, paid):
    fleet.api.backend.sql("UPDATE transfers SET fee = 10 WHERE id = $1", UUID(paid["id"]))

    found = faults(fleet.api.backend, fleet.api.tenant)

    assert found == [("fee of a transfer", paid["id"], None, "10")]


def test_verification_finds_a_transfer_that_nobody_asks_about(fleet):
    fleet.script("transfer", "pending")
    (one,) = fleet.initiate(fleet.owe(fleet.driver())).json()["transactions"]
    fleet.api.backend.sql("DELETE FROM agenda WHERE subject = $1", UUID(one["id"]))

    found = faults(fleet.api.backend, fleet.api.tenant)

    assert found == [("due work of a transfer", one["id"], None, "pending")]

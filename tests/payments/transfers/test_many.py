"""A day of payouts: 250 drivers in one bulk, of whom three can't be paid, and one returns it."""

import pytest

from monigo.payments.events.service import APPLY
from monigo.payments.transfers import TransferState
from support.agenda import work
from support.payments import connect
from support.transfers import Payouts
from support.waiting import wait_until

DRIVERS = 250


@pytest.fixture
def payouts(api):
    api.backend.simulated.control("clear")
    return Payouts(api, connect(api, "monnify"))


def heard(payouts):
    """Whatever webhooks have come by now is worked off."""
    tasks = {task.kind: task for task in payouts.services.tasks}
    work(payouts.backend, payouts.api.tenant, tasks[APPLY])


def test_of_250_drivers_three_fail_and_one_returns_the_money_a_day_later(payouts):
    account = payouts.account()
    payouts.script("bulk", "pending")
    made = payouts.create(*(payouts.wanted(str(1000 + n), account) for n in range(DRIVERS)))

    payouts.work()
    assert len(payouts.booked()) == DRIVERS
    payouts.backend.simulated.next("monnify", "webhook", "lost", times=DRIVERS)
    for one in made[:3]:
        payouts.end(one, "failed", reason="Account closed")
    for one in made[3:]:
        payouts.end(one, "success")
    ended = payouts.settle(*made)

    assert [one.state for one in ended[:3]] == [TransferState.FAILED] * 3
    assert {one.state for one in ended[3:]} == {TransferState.SUCCEEDED}
    assert all(one.rail_id and one.fee is not None for one in ended[3:])
    assert {one.failure.reason for one in ended[:3]} == {"Account closed"}
    assert payouts.paid() == {
        one.reference: str(1000 + place) for place, one in enumerate(made) if place >= 3
    }
    calls = payouts.backend.sql(
        "SELECT count(*) FROM provider_calls WHERE org_id = $1 AND verb = 'bulk'",
        payouts.api.org_id,
    )
    assert calls[0]["count"] == 1

    payouts.backend.clock.advance(days=1)
    payouts.end(made[7], "reversed")

    def is_reversed():
        heard(payouts)
        return payouts.look(made[7]).state is TransferState.REVERSED

    wait_until(is_reversed)
    assert payouts.facts(made[7])[-2:] == ["TransferSucceeded", "TransferReversed"]
    again = payouts.one("1007", leg=made[7].leg_id)
    payouts.submit(again)
    assert payouts.settle(again)[0].has_paid
    assert len(payouts.paid()) == DRIVERS - 3

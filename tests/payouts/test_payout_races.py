"""Money leaves once, whoever asks for it at the same time and whatever is said too late."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from monigo import payouts
from monigo.providers.port import State
from support.locks import wait_until_blocked
from support.payouts import Fleet, refused, say

AT_ONCE = 4


@pytest.fixture
def fleet(api):
    return Fleet(api)


def test_of_many_who_initiate_a_payout_at_once_one_sends_it(fleet):
    bill = fleet.owe(fleet.driver())

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: fleet.initiate(bill), range(AT_ONCE)))

    assert {answer.status_code for answer in answers} <= {200, 202, 409}
    fleet.later(minutes=10)
    assert fleet.status(bill) == ("paid", "paid", 0)
    assert len(fleet.transactions(bill)) == 1
    assert fleet.sent() == [800]
    fleet.check()


def test_of_a_hold_and_a_payout_at_once_one_counts(fleet):
    bill = fleet.owe(fleet.driver())

    with ThreadPoolExecutor(2) as pool:
        paid = pool.submit(fleet.initiate, bill)
        held = pool.submit(fleet.post, bill, "hold", reason="a doubt")

    fleet.later(minutes=10)
    statuses = paid.result().status_code, held.result().status_code
    is_held = bool(fleet.bill(bill)["hold_reason"])
    assert statuses[1] == (200 if is_held else 409)
    assert fleet.sent() == ([] if is_held else [800])
    fleet.check()


def test_a_bill_whose_payout_began_a_moment_earlier_is_not_held(fleet):
    bill = fleet.owe(fleet.driver())
    backend, tenant = fleet.api.backend, fleet.api.tenant

    async def begin(pool):
        async with backend.services.database.transaction(tenant) as tx:
            await payouts.initiate(tx, UUID(bill["id"]))
            held = pool.submit(fleet.post, bill, "hold", reason="a doubt")
            await asyncio.to_thread(wait_until_blocked, backend)
        return held

    with ThreadPoolExecutor(1) as pool:
        held = backend.run(begin(pool))

    assert refused(held.result()) == (409, "payout_in_flight")
    fleet.later(minutes=10)
    assert fleet.status(bill) == ("paid", "paid", 0)
    assert fleet.bill(bill)["hold_reason"] == ""
    fleet.check()


def test_what_arrives_beside_another_transfer_is_owed_by_the_payee(fleet):
    bill = fleet.owe(fleet.driver())
    fleet.script("transfer", "failed")
    first = fleet.initiate(bill).json()["transactions"][0]
    fleet.script("transfer", "pending")
    second = fleet.initiate(bill).json()["transactions"][0]

    say(fleet, first, State.SUCCEEDED)
    fleet.check()
    say(fleet, second, State.SUCCEEDED)

    assert fleet.status(bill) == ("paid", "paid", 0)
    assert [one["is_excess"] for one in fleet.transactions(bill)] == [False, True]
    assert fleet.balances()["receivable"] == -800
    fleet.check()
    say(fleet, first, State.REVERSED)
    assert "receivable" not in fleet.balances()
    assert fleet.status(bill) == ("paid", "paid", 0)
    fleet.check()


def test_what_arrived_beside_another_transfer_pays_once_that_one_fails(fleet):
    bill = fleet.owe(fleet.driver())
    fleet.script("transfer", "failed")
    first = fleet.initiate(bill).json()["transactions"][0]
    fleet.script("transfer", "pending")
    second = fleet.initiate(bill).json()["transactions"][0]

    say(fleet, first, State.SUCCEEDED)
    say(fleet, second, State.FAILED)

    assert fleet.status(bill) == ("paid", "paid", 0)
    assert "receivable" not in fleet.balances()
    fleet.check()


def test_what_arrives_for_a_void_bill_is_owed_by_the_payee(fleet):
    bill = fleet.owe(fleet.driver())
    fleet.script("transfer", "failed")
    failed = fleet.initiate(bill).json()["transactions"][0]
    assert fleet.post(bill, "void").status_code == 200

    say(fleet, failed, State.SUCCEEDED)

    assert fleet.status(bill) == ("voided", "void", 0)
    assert fleet.balances()["receivable"] == -800
    fleet.check()

"""What arrives after all, at a bill that nothing else pays or that another transfer has."""

import pytest

from monigo.providers.port import State
from support.payouts import Fleet, say


@pytest.fixture
def fleet(api):
    return Fleet(api)


@pytest.fixture
def pair(fleet):
    """Two bills that one transfer was to pay, and which it did not."""
    fleet.set(minimum_payout_amount="500")
    driver = fleet.driver()
    small = fleet.owe(driver, "100")
    fleet.work()
    large = fleet.owe(driver)
    fleet.script("transfer", "failed")
    (failed,) = fleet.initiate(large).json()["transactions"]
    return large, small, failed


def needs(fleet):
    """What waits for a person: how many of each kind, and their ids."""
    found = fleet.api.get("/api/v1/dashboard").json()["dashboard"]["needs_person"]
    return {one["kind"]: (one["count"], one["subject_ids"]) for one in found}


def test_a_late_transfer_pays_the_bill_that_nothing_else_pays(fleet, pair):
    large, small, failed = pair
    assert fleet.initiate(large).status_code == 200
    assert fleet.status(small) == ("payout_failed", "failed", 80)

    say(fleet, failed, State.SUCCEEDED)

    assert fleet.status(large) == ("paid", "paid", 0)
    assert fleet.status(small) == ("paid", "paid", 0)
    assert fleet.balances()["receivable"] == -800
    fleet.check()
    say(fleet, failed, State.REVERSED)
    assert fleet.status(large) == ("paid", "paid", 0)
    assert fleet.status(small) == ("payout_failed", "failed", 80)
    assert "receivable" not in fleet.balances()
    fleet.check()


def test_a_bill_whose_late_transfer_came_back_is_left_to_the_one_on_its_way(fleet, pair):
    large, small, failed = pair
    fleet.script("transfer", "pending")
    (flying,) = fleet.initiate(small).json()["transactions"]
    say(fleet, failed, State.SUCCEEDED)
    fleet.check()

    say(fleet, failed, State.REVERSED)

    assert fleet.status(small) == ("payout_failed", "sending", 80)
    fleet.check()
    path = f"transactions/{failed['id']}/retry"
    (again,) = fleet.post(large, path).json()["transactions"]
    assert again["amount"] == "800.000000"
    say(fleet, flying, State.SUCCEEDED)
    assert fleet.status(small) == fleet.status(large) == ("paid", "paid", 0)
    fleet.check()


def test_what_arrived_beside_another_transfer_pays_once_that_one_comes_back(fleet, pair):
    _, small, failed = pair
    (paid,) = fleet.initiate(small).json()["transactions"]
    say(fleet, failed, State.SUCCEEDED)
    assert fleet.balances()["receivable"] == -80

    say(fleet, paid, State.REVERSED)

    assert fleet.status(small) == ("paid", "paid", 0)
    assert "receivable" not in fleet.balances()
    fleet.check()


def test_a_bill_that_an_unsent_transfer_has_is_paid_by_the_late_one(fleet, pair):
    large, small, failed = pair
    assert fleet.initiate(large).status_code == 200
    fleet.script("balance", "500")
    fleet.plan_only(small)

    say(fleet, failed, State.SUCCEEDED)
    fleet.work()

    assert fleet.status(small) == ("paid", "paid", 0)
    assert fleet.sent() == [800]
    assert fleet.balances()["receivable"] == -800
    fleet.check()


def test_what_a_payee_was_paid_twice_is_listed_until_it_comes_back(fleet, pair):
    large, _, failed = pair
    fleet.initiate(large)

    say(fleet, failed, State.SUCCEEDED)

    (debt,) = fleet.api.get("/v1/reports/receivables-aging").json()["receivables"]
    assert (debt["amount"], debt["paid_twice"]) == ("800.000000", "800.000000")
    assert (debt["invoices"], debt["up_to_30_days"]) == (0, "800.000000")
    assert needs(fleet)["transfers_paid_twice"] == (1, [failed["id"]])
    say(fleet, failed, State.REVERSED)
    assert fleet.api.get("/v1/reports/receivables-aging").json()["receivables"] == []
    assert "transfers_paid_twice" not in needs(fleet)


def test_payouts_that_wait_for_somebody_are_on_the_start_page(fleet):
    driver = fleet.driver()
    waiting, held = fleet.owe(driver), fleet.owe(driver)
    fleet.work()
    fleet.post(held, "hold", reason="a doubt")

    assert needs(fleet)["payouts_to_approve"] == (1, [waiting["id"]])
    fleet.initiate(waiting)
    assert "payouts_to_approve" not in needs(fleet)


def test_a_transfer_that_nobody_knows_the_end_of_is_on_the_start_page(fleet):
    bill = fleet.owe(fleet.driver())
    fleet.script("transfer", "wrong_amount")

    (unknown,) = fleet.initiate(bill).json()["transactions"]

    assert needs(fleet)["transactions_to_resolve"] == (1, [unknown["id"]])


@pytest.mark.parametrize("word", [State.SUCCEEDED, State.PENDING])
def test_what_a_provider_says_of_a_transfer_that_we_did_not_send_counts(fleet, word):
    bill = fleet.owe(fleet.driver())
    fleet.plan_only(bill)
    (planned,) = fleet.transactions(bill)

    say(fleet, planned, word)
    fleet.work()
    say(fleet, planned, State.SUCCEEDED)

    assert fleet.status(bill) == ("paid", "paid", 0)
    assert fleet.sent() == []
    fleet.check()


def test_a_transfer_that_was_stopped_and_made_after_all_pays_its_bill(fleet):
    bill = fleet.owe(fleet.driver())
    fleet.plan_only(bill)
    (planned,) = fleet.transactions(bill)
    assert fleet.post(bill, "hold", reason="a doubt").status_code == 200
    assert [one["error_code"] for one in fleet.transactions(bill)] == ["stopped"]

    say(fleet, planned, State.SUCCEEDED)

    assert fleet.status(bill) == ("paid", "paid", 0)
    fleet.check()
    assert fleet.post(bill, "release").status_code == 200
    fleet.work()
    assert fleet.status(bill) == ("paid", "paid", 0)
    assert fleet.sent() == []
    fleet.check()

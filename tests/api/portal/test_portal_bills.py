"""What a payee sees in the portal: what is owed, what was paid, and to which account."""

import pytest

from support.payouts import Fleet
from support.portal import Holder


@pytest.fixture
def fleet(api):
    return Fleet(api)


def test_a_bill_is_shown_with_the_transfer_that_paid_it(fleet):
    driver = fleet.driver()
    ada = Holder(fleet.api, "ada")
    bill = fleet.owe(driver, 1000)
    fleet.initiate(bill)
    fleet.work()

    listed = ada.read("bills")

    (shown,) = listed["bills"]
    assert listed["count"] == 1
    assert (shown["id"], shown["total"], shown["status"]) == (bill["id"], "800.000000", "paid")
    (sent,) = ada.read(f"bills/{bill['id']}/transactions")["transactions"]
    assert (sent["amount"], sent["status"]) == ("800.000000", "succeeded")


def test_a_draft_and_why_a_bill_is_held_stay_with_the_merchant(fleet):
    driver = fleet.driver()
    ada = Holder(fleet.api, "ada")
    bill = fleet.owe(driver, 1000)
    fleet.post(bill, "hold", reason="suspected of fraud")
    fleet.ride("ada", 10)
    body = {"subscription_id": driver["subscription"]["id"]}
    draft = fleet.api.make("/v1/bills", body, "bill")

    answer = ada.get(f"bills/{bill['id']}")

    assert answer.json()["bill"]["is_held"] is True
    assert "fraud" not in answer.text
    assert ada.get(f"bills/{draft['id']}").status_code == 404
    assert [one["id"] for one in ada.read("bills")["bills"]] == [bill["id"]]


def test_of_a_payout_account_the_end_of_its_number_is_shown(fleet):
    fleet.driver()

    (account,) = Holder(fleet.api, "ada").read("payout-accounts")["payout_accounts"]

    assert account["account_number"] == "****0031"
    assert account["mobile_money_number"] is None

"""What bills owe comes to the payees' accounts, once, or it is said why not."""

from uuid import UUID, uuid4

import asyncpg
import pytest

from monigo import tenancy
from monigo.payments import payout_accounts
from support.payouts import Fleet, refused

AUTOMATIC = {"test_payout_mode": "automatic"}


@pytest.fixture
def fleet(api):
    return Fleet(api)


@pytest.fixture
def known(fleet):
    """A fleet whose payouts go by themselves, and a driver who was paid before."""
    fleet.set(**AUTOMATIC)
    driver = fleet.driver()
    assert fleet.initiate(fleet.owe(driver, "1000")).status_code == 200
    fleet.api.backend.clock.advance(days=2)
    return driver


def test_rides_become_a_bill_and_the_bill_one_transfer(fleet):
    fleet.set(wht_enabled=True, wht_rate=5)
    bill = fleet.owe(fleet.driver(), *["1000"] * 10)

    made = fleet.initiate(bill).json()

    assert made["bill"]["subtotal"] == "8000.000000"
    assert made["bill"]["total"] == "7600.000000"
    assert [one["amount"] for one in made["transactions"]] == ["7600.000000"]
    assert fleet.status(bill) == ("paid", "paid", 0)
    assert fleet.sent() == [7600]
    found = fleet.balances()
    assert found.pop("provider") + found.pop("provider_fees", 0) == 7600
    assert found == {"payout_expense": -8000, "withholding_payable": 400}
    fleet.check()


def test_a_bill_waits_for_somebody_to_initiate_it(fleet):
    bill = fleet.owe(fleet.driver())

    fleet.work()

    assert fleet.status(bill) == ("finalized", "needs_approval", 800)
    assert fleet.sent() == []
    fleet.check()


def test_a_payout_that_is_asked_for_twice_is_made_once(fleet):
    bill = fleet.owe(fleet.driver())
    fleet.script("transfer", "pending")

    first, second = fleet.initiate(bill).json(), fleet.initiate(bill).json()

    assert [one["id"] for one in first["transactions"]] == [
        one["id"] for one in second["transactions"]
    ]
    assert fleet.status(bill) == ("finalized", "sending", 800)
    assert refused(fleet.post(bill, "void")) == (409, "payout_in_flight")
    assert refused(fleet.post(bill, "hold", reason="a doubt")) == (409, "payout_in_flight")
    fleet.check()


def test_what_is_unknown_is_asked_about_and_never_sent_anew(fleet):
    bill = fleet.owe(fleet.driver())
    fleet.script("transfer", "drop_after_commit")

    answer = fleet.initiate(bill)
    fleet.later(minutes=10)

    assert answer.status_code == 202
    assert fleet.status(bill) == ("paid", "paid", 0)
    assert fleet.sent() == [800]
    assert len(fleet.transactions(bill)) == 1
    fleet.check()


def test_a_failed_payout_is_retried_to_the_account_that_the_payee_has_then(fleet):
    bill = fleet.owe(fleet.driver())
    fleet.script("transfer", "failed")

    failed = fleet.initiate(bill).json()["transactions"][0]

    assert failed["status"] == "failed"
    assert fleet.status(bill) == ("payout_failed", "failed", 800)
    assert fleet.balances() == {"payout_expense": -800, "payable": 800}
    other = fleet.account("ada", "0690000032", is_default=True)
    fleet.work()
    assert fleet.status(bill) == ("payout_failed", "failed", 800)
    retried = fleet.post(bill, f"transactions/{failed['id']}/retry").json()
    assert [one["payout_account_id"] for one in retried["transactions"]] == [str(other.id)]
    assert fleet.status(bill) == ("paid", "paid", 0)
    assert refused(fleet.post(bill, f"transactions/{failed['id']}/retry")) == (409, "bill_state")
    assert fleet.sent() == [800]
    fleet.check()


def test_what_came_back_is_owed_again(fleet):
    bill = fleet.owe(fleet.driver())
    paid = fleet.initiate(bill).json()["transactions"][0]

    fleet.reverse(paid)

    assert fleet.status(bill) == ("payout_failed", "failed", 800)
    assert fleet.transactions(bill)[0]["status"] == "reversed"
    assert fleet.balances()["payable"] == 800
    fleet.check()
    fleet.initiate(bill)
    assert fleet.status(bill) == ("paid", "paid", 0)
    fleet.check()


@pytest.mark.parametrize("state", ["draft", "voided", "paid"])
def test_only_what_is_due_is_paid_out(fleet, state):
    driver = fleet.driver()
    bill = fleet.owe(driver)
    if state == "draft":
        fleet.ride("ada")
        body = {"subscription_id": driver["subscription"]["id"]}
        bill = fleet.api.make("/v1/bills", body, "bill")
    elif state == "voided":
        fleet.post(bill, "void")
    else:
        fleet.initiate(bill)

    answer = fleet.initiate(bill)

    assert refused(answer) == (409, "bill_state")
    assert state in answer.json()["error"]
    if state == "paid":
        voiding = fleet.post(bill, "void")
        assert refused(voiding) == (409, "invoice_state")
        assert voiding.json()["error"] == "a bill that is paid can't be voided"
        assert refused(fleet.post(bill, "hold", reason="a doubt")) == (409, "bill_state")
    fleet.check()


@pytest.mark.parametrize("currency", [None, "KES"])
def test_without_an_account_in_its_currency_a_bill_says_so(fleet, currency):
    driver = fleet.driver(number=None)
    if currency:
        fleet.account("ada", "0690000031", currency=currency)
    bill = fleet.owe(driver)

    answer = fleet.initiate(bill)

    assert refused(answer) == (409, "no_payout_account")
    assert "NGN" in answer.json()["error"]
    assert fleet.legs(bill) == []
    fleet.check()


def test_without_a_connection_a_bill_says_so(api, fleet):
    bill = fleet.owe(fleet.driver())
    api.post(f"/v1/payment-connections/{fleet.connection['id']}/toggle")

    assert refused(fleet.initiate(bill)) == (409, "no_payout_connection")


def test_a_one_time_password_has_a_transfer_go_on(fleet):
    bill = fleet.owe(fleet.driver())
    fleet.script("transfer", "needs_action")
    fleet.initiate(bill)
    (waiting,) = fleet.transactions(bill)
    path = f"transactions/{waiting['id']}"

    wrong = fleet.post(bill, f"{path}/authorize", otp="000000")
    bad = fleet.post(bill, f"{path}/authorize", otp="no!")
    resent = fleet.post(bill, f"{path}/resend-otp")
    right = fleet.post(bill, f"{path}/authorize", otp="123456")
    again = fleet.post(bill, f"{path}/authorize", otp="123456")

    assert (waiting["state"], waiting["needs_otp"]) == ("needs_action", True)
    assert [(one.status_code, list(one.json()["details"])) for one in (wrong, bad)] == [
        (400, ["otp"]),
        (400, ["otp"]),
    ]
    assert resent.status_code == 200, resent.text
    assert right.json()["transaction"]["status"] == "succeeded", right.text
    assert (again.status_code, again.json()["code"]) == (409, "otp_not_awaited")
    assert fleet.status(bill)[0] == "paid"
    assert len(fleet.sent()) == 1


def test_an_unknown_bill_or_transaction_is_not_found(fleet):
    bill, other = fleet.owe(fleet.driver()), fleet.owe(fleet.driver("bola"))
    paid = fleet.initiate(other).json()["transactions"][0]

    assert refused(fleet.initiate({"id": str(uuid4())})) == (404, "bill_not_found")
    path = f"transactions/{paid['id']}/retry"
    assert refused(fleet.post(bill, path)) == (404, "transaction_not_found")


def test_a_held_bill_is_not_sent_until_it_is_released(fleet, known):
    fleet.set(test_payout_mode="approval")
    bill = fleet.owe(known, "1000")
    fleet.set(**AUTOMATIC)

    held = fleet.post(bill, "hold", reason="the trips are looked at").json()["bill"]
    fleet.work()

    assert held["hold_reason"] == "the trips are looked at"
    assert fleet.status(bill) == ("finalized", "due", 800)
    assert refused(fleet.initiate(bill)) == (409, "payout_held")
    assert fleet.post(bill, "release").json()["bill"]["hold_reason"] == ""
    assert refused(fleet.post(bill, "release")) == (409, "payout_not_held")
    fleet.work()
    assert fleet.status(bill) == ("paid", "paid", 0)
    fleet.check()


def test_a_hold_stops_what_was_not_sent(fleet, known):
    bill = fleet.owe(known, "1000")
    fleet.look()
    assert fleet.status(bill) == ("finalized", "sending", 800)

    assert fleet.post(bill, "hold", reason="a doubt").status_code == 200

    fleet.work()
    assert fleet.status(bill) == ("finalized", "due", 800)
    assert [one["error_code"] for one in fleet.transactions(bill)] == ["stopped"]
    fleet.check()
    fleet.post(bill, "release")
    fleet.work()
    assert fleet.status(bill) == ("paid", "paid", 0)
    assert fleet.sent() == [800, 800]
    fleet.check()


def test_a_void_bill_is_not_sent(fleet, known):
    bill = fleet.owe(known, "1000")
    fleet.look()

    assert fleet.post(bill, "void").status_code == 200

    fleet.work()
    assert fleet.status(bill) == ("voided", "void", 0)
    assert fleet.sent() == [800]
    assert "payable" not in fleet.balances()
    fleet.check()


def test_nothing_of_a_void_bill_is_sent_as_its_payout_is_tried_again(fleet):
    fleet.set(minimum_payout_amount="500")
    driver = fleet.driver()
    small = fleet.owe(driver, "100")
    fleet.work()
    large = fleet.owe(driver)
    fleet.script("transfer", "failed")
    (failed,) = fleet.initiate(large).json()["transactions"]
    assert fleet.post(small, "void").status_code == 200

    (again,) = fleet.post(large, f"transactions/{failed['id']}/retry").json()["transactions"]

    assert (again["status"], again["amount"]) == ("succeeded", "800.000000")
    assert fleet.status(small) == ("voided", "void", 0)
    assert fleet.sent() == [800]
    fleet.check()


def test_nothing_of_a_void_bill_is_sent_as_it_is_released(fleet, known):
    bill = fleet.owe(known, "1000")
    fleet.post(bill, "hold", reason="a doubt")
    fleet.post(bill, "void")

    assert fleet.post(bill, "release").status_code == 200

    fleet.work()
    assert fleet.status(bill) == ("voided", "void", 0)
    assert fleet.transactions(bill) == []
    fleet.check()


def test_who_initiates_a_payout_is_answered_with_the_transfers_of_that_bill(fleet):
    fleet.set(minimum_payout_amount="500")
    driver, owner = fleet.driver(), fleet.driver("owner", "0690000033")
    large = fleet.owe(driver)
    fleet.script("transfer", "failed")
    fleet.initiate(large)
    fleet.splits({"payout_account_id": str(owner["account"].id), "percentage": "30"})
    small = fleet.owe(driver, "100")
    fleet.work()

    answer = fleet.initiate(large)

    assert answer.status_code == 200, answer.text
    (shown,) = answer.json()["transactions"]
    assert (shown["amount"], shown["bill_amount"]) == ("856.000000", "800.000000")
    assert fleet.status(small) == ("paid", "paid", 0)
    assert fleet.sent() == [24, 856]
    fleet.check()


def test_a_body_without_a_reason_holds_nothing(fleet):
    bill = fleet.owe(fleet.driver())

    answer = fleet.api.post(f"/v1/bills/{bill['id']}/hold", json={"reason": ""})

    assert answer.status_code == 400
    assert list(answer.json()["details"]) == ["reason"]


# What is sent by itself.


def test_what_nothing_speaks_against_is_sent_by_itself(fleet, known):
    bill = fleet.owe(known, "1000")

    fleet.work()

    assert fleet.status(bill) == ("paid", "paid", 0)
    fleet.check()


def test_a_first_payout_and_a_changed_account_wait_for_somebody(fleet, known):
    first = fleet.owe(fleet.driver("bola"), "1000")
    fleet.account("ada", "0690000039", is_default=True)
    changed = fleet.owe(known, "1000")

    fleet.work()

    assert fleet.status(first)[1] == fleet.status(changed)[1] == "needs_approval"
    assert "first payout" in fleet.bill(first)["payout_reason"]
    assert "24 hours" in fleet.bill(changed)["payout_reason"]
    assert fleet.sent() == [800]


def test_no_more_than_the_limits_is_sent_by_itself(fleet, known):
    fleet.set(max_payout_per_payee_per_day="1000")
    sent, kept = fleet.owe(known, "1000"), fleet.owe(known, "1000")
    fleet.work()
    assert fleet.status(sent)[1] == fleet.status(kept)[1] == "needs_approval"

    fleet.initiate(sent)
    other = fleet.owe(known, "100")
    fleet.later(days=1)

    assert fleet.status(other)[1] == "paid"
    assert fleet.status(kept)[1] == "needs_approval"
    fleet.check()


def test_a_batch_far_above_earlier_ones_waits_for_somebody(fleet, known):
    usual = fleet.owe(known, "5000")
    fleet.work()
    fleet.api.backend.clock.advance(hours=2)
    large = fleet.owe(known, "25001")

    fleet.work()

    assert fleet.status(usual)[1] == "paid"
    assert fleet.status(large)[1] == "needs_approval"
    assert "times the largest" in fleet.bill(large)["payout_reason"]


def test_a_payout_that_lacks_an_account_goes_on_once_there_is_one(fleet, known):
    fleet.run(lambda tx: payout_accounts.delete(tx, "ada", known["account"].id))
    bill = fleet.owe(known, "1000")
    fleet.work()
    assert fleet.status(bill) == ("finalized", "blocked", 800)
    assert "no default payout account in NGN" in fleet.bill(bill)["payout_reason"]

    fleet.account("ada", "0690000038")
    fleet.later(hours=25)

    assert fleet.status(bill) == ("paid", "paid", 0)
    fleet.check()


def test_a_suspended_organisations_payouts_go_on_as_its_suspension_ends(fleet, known):
    services, org_id = fleet.api.backend.services, fleet.api.org_id
    due, planned = fleet.owe(known, "1000"), fleet.owe(known, "500")
    fleet.plan_only(planned)
    fleet.api.backend.run(tenancy.suspend_organization(services.database, org_id))
    fleet.later(minutes=1)
    fleet.work()
    assert [fleet.status(one)[1] for one in (due, planned)] == ["blocked"] * 2
    assert "suspended" in fleet.bill(due)["payout_reason"]
    assert fleet.sent() == [800]
    fleet.check()

    fleet.api.backend.run(tenancy.activate_organization(services.database, org_id))
    fleet.work()

    assert [fleet.status(one)[1] for one in (due, planned)] == ["paid"] * 2
    assert sum(fleet.sent()) == 2000
    fleet.check()


def test_small_bills_go_with_the_payees_next_payout(fleet, known):
    fleet.set(minimum_payout_amount="500")
    small = [fleet.owe(known, "100"), fleet.owe(known, "200")]
    fleet.work()
    assert [fleet.status(one)[1] for one in small] == ["below_minimum"] * 2

    carrier = fleet.owe(known, "1000")
    fleet.work()

    bills = [*small, carrier]
    assert {fleet.status(one)[:2] for one in bills} == {("paid", "paid")}
    (made,) = {one["id"] for bill in bills for one in fleet.transactions(bill)}
    (shown,) = fleet.transactions(small[0])
    assert (shown["id"], shown["amount"], shown["bill_amount"]) == (
        made,
        "1040.000000",
        "80.000000",
    )
    assert fleet.sent() == [800, 1040]
    fleet.check()


def test_small_bills_that_come_to_the_minimum_together_are_sent(fleet, known):
    fleet.set(minimum_payout_amount="300")
    small = [fleet.owe(known, "200"), fleet.owe(known, "200")]

    fleet.work()

    assert {fleet.status(one)[1] for one in small} == {"paid"}
    assert fleet.sent() == [320, 800]
    fleet.check()


# Splits.


def test_a_bill_is_split_among_accounts(fleet):
    driver, owner = fleet.driver(), fleet.driver("owner", "0690000033")
    account = str(owner["account"].id)
    assert fleet.splits({"payout_account_id": account, "percentage": "30"}).status_code == 200
    bill = fleet.owe(driver, "1000")
    fleet.script("transfer", "failed")

    made = fleet.initiate(bill).json()

    assert len(made["transactions"]) == 2
    assert fleet.status(bill)[0] == "payout_failed"
    assert sorted(fleet.legs(bill)) in (
        [(240, "owed"), (560, "paid")],
        [(240, "paid"), (560, "owed")],
    )
    assert refused(fleet.post(bill, "void")) == (409, "bill_partly_paid")
    fleet.check()
    again = fleet.initiate(bill).json()
    assert len(again["transactions"]) == 1
    assert fleet.status(bill) == ("paid", "paid", 0)
    assert fleet.sent() == [240, 560]
    fleet.check()


def test_splits_name_accounts_of_the_plans_currency(api, fleet):
    kenyan = fleet.driver("wanjiru", number=None)
    account = fleet.account(kenyan["name"], "0690000034", currency="KES")
    unknown = fleet.splits({"payout_account_id": str(uuid4()), "percentage": "30"})
    other = fleet.splits({"payout_account_id": str(account.id), "amount": "30"})
    collecting = api.put(f"/v1/plans/{api.plan()['id']}/payout-splits", json={"splits": []})

    assert unknown.json()["details"] == {"splits[0].payout_account_id": "is unknown"}
    assert other.json()["details"] == {
        "splits[0].payout_account_id": "must be of NGN, as the plan is"
    }
    assert refused(collecting) == (409, "collection_plan")


# What the database refuses.


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE payout_legs SET state = 'sending', settled_at = NULL", "payout_legs_sent_once"),
        (
            (
                "INSERT INTO payout_legs SELECT (jsonb_populate_record(leg, jsonb_build_object("
                "'id', gen_random_uuid(), 'position', 9))).* FROM payout_legs AS leg"
            ),
            "payout_legs_within_bill",
        ),
        ("UPDATE payout_legs SET is_in_flight = true", "payout_legs_in_flight_are_sending"),
        ("UPDATE payout_legs SET transfer_id = NULL", "payout_legs_go_by_a_transfer"),
        ("UPDATE payouts SET state = 'sent'", "payouts_state_known"),
        ("UPDATE payouts SET hold_reason = 'a doubt'", "payouts_hold_is_whole"),
    ],
)
def test_the_database_keeps_legs_from_being_sent_twice(fleet, statement, constraint):
    bill = fleet.owe(fleet.driver())
    fleet.initiate(bill)

    with pytest.raises(asyncpg.CheckViolationError) as refused_by:
        fleet.api.backend.sql(f"{statement} WHERE bill_id = $1", UUID(bill["id"]))

    assert refused_by.value.constraint_name == constraint

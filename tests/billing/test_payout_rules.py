"""Payout rules: one event bills a rider and pays a driver, once, whatever comes late."""

import pytest

from support.api import event
from support.metering import fold
from support.payout_rules import (
    RIDE,
    attribute,
    bills,
    lines,
    paying_plan,
    ride,
    run_replays,
)
from support.verification import faults

START = "2027-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def verified(api, backend):
    """After each of these stories all that is kept fits its sources."""
    yield
    assert faults(backend, api.tenant) == []


def put(api, plan, **body):
    answer = api.put(f"/v1/plans/{plan['id']}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["plan"]


def rides(api, *drivers):
    """A rider, drivers and a plan that pays the drivers, from the start of 2027."""
    api.customer("c1")
    plan = paying_plan(api)
    for driver in drivers:
        api.customer(driver)
        api.subscribe(driver, plan["id"])
    return plan


def test_one_event_bills_one_customer_and_pays_another(api, clock):
    clock(START)
    rides(api, "d1", "d2")
    metric = api.metric("ride", aggregation="sum", aggregation_property="fare")
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    api.subscribe("c1", api.plan(price)["id"])
    api.ingest(ride("1", "d1", "100.50"), ride("2", "d2", 20), ride("3", "d1", "9.99"))

    clock("2027-02-01T00:00:00Z")

    (invoice,) = api.get("/v1/invoices").json()["invoices"]
    assert invoice["total"] == "130.490000"
    assert {bill["total"]: lines(bill) for bill in bills(api)} == {
        "88.390000": [("Payout for ride", "88.392", "88.392000")],
        "16.000000": [("Payout for ride", "16", "16.000000")],
    }


def test_what_comes_late_is_paid_by_the_next_bill_once(api, clock):
    clock(START)
    rides(api, "d1")
    api.ingest(ride("1"))
    clock("2027-02-02T00:00:00Z")
    api.ingest(ride("2", fare="50", timestamp="2027-01-20T10:00:00Z"), ride("3", fare="10"))

    clock("2027-04-02T00:00:00Z")

    assert [lines(bill) for bill in bills(api)] == [
        [("Payout for ride", "80", "80.000000")],
        [
            ("Payout for ride", "8", "8.000000"),
            (
                "Payout for ride, adjustment for 2027-01-01 to 2027-02-01",
                "40",
                "40.000000",
            ),
        ],
        [("Payout for ride", "0", "0.000000")],
    ]


def test_a_refund_that_comes_late_takes_back(api, clock):
    clock(START)
    rides(api, "d1")
    api.ingest(ride("1"), ride("2", fare="30"))
    clock("2027-02-02T00:00:00Z")

    api.ingest(ride("3", fare="-30", timestamp="2027-01-31T23:59:59Z"), ride("4", fare="50"))
    clock("2027-03-01T00:00:00Z")

    assert [bill["total"] for bill in bills(api)] == ["104.000000", "16.000000"]


def test_an_edit_for_all_pays_the_running_period_anew_and_no_closed_one(api, clock):
    clock(START)
    plan = rides(api, "d1")
    api.ingest(ride("1"))
    clock("2027-02-10T00:00:00Z")
    api.ingest(ride("2"))
    rule = {**plan["payout_rules"][0], "amount_expression": "fare * 0.9 - 1"}

    edited = put(api, plan, payout_rules=[rule])
    run_replays(api)
    api.ingest(ride("3"), ride("4", fare=10, timestamp="2027-01-31T00:00:00Z"))
    clock("2027-03-01T00:00:00Z")

    assert edited["payout_rules"][0]["id"] == rule["id"]
    assert edited["payout_rules"][0]["metric_id"] != rule["metric_id"]
    # January's late ride is worth what the rule said while January was closed.
    assert [lines(bill) for bill in bills(api)] == [
        [("Payout for ride", "80", "80.000000")],
        [
            ("Payout for ride", "178", "178.000000"),
            ("Payout for ride, adjustment for 2027-01-01 to 2027-02-01", "8", "8.000000"),
        ],
    ]


def test_an_edit_for_the_next_period_pays_the_running_one_as_before(api, clock):
    clock(START)
    plan = rides(api, "d1")
    api.ingest(ride("1"))
    rule = {**plan["payout_rules"][0], "amount_expression": "fare"}

    put(api, plan, payout_rules=[rule], apply_to="next_period")
    run_replays(api)
    api.ingest(ride("2"))
    clock("2027-02-02T00:00:00Z")
    api.ingest(ride("3"))
    clock("2027-03-01T00:00:00Z")

    assert [bill["total"] for bill in bills(api)] == ["160.000000", "100.000000"]


def test_a_rule_that_is_removed_pays_nothing_more_of_the_running_period(api, clock):
    clock(START)
    plan = rides(api, "d1")
    api.ingest(ride("1"))

    put(api, plan, payout_rules=[])
    clock("2027-02-01T00:00:00Z")

    assert [bill["total"] for bill in bills(api)] == ["0.000000"]


def test_prices_are_edited_beside_rules_and_leave_them(api, clock):
    clock(START)
    plan = rides(api, "d1")
    metric = api.metric("bonus")
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "5"}

    edited = put(api, plan, prices=[price])
    api.ingest(ride("1"), event("2", "d1", name="bonus"))
    clock("2027-02-01T00:00:00Z")

    assert [item["metric_id"] for item in edited["prices"]] == [metric["id"]]
    assert edited["payout_rules"] == plan["payout_rules"]
    assert [lines(bill) for bill in bills(api)] == [
        [("bonus", "1", "5.000000"), ("Payout for ride", "80", "80.000000")]
    ]


def test_who_is_known_later_gets_what_was_earned_before_on_the_first_bill_once(api, clock):
    clock("2026-12-20T10:00:00Z")
    api.customer("c1")
    plan = paying_plan(api)
    api.ingest(ride("1", "d9"), ride("2", "d9", 30))
    fold(api)
    clock("2027-01-05T00:00:00Z")
    api.ingest(ride("3", "d9", 10))
    fold(api)
    clock("2027-01-10T00:00:00Z")

    api.customer("d9")
    api.subscribe("d9", plan["id"])
    attribute(api)
    api.ingest(ride("4", "d9", 5))
    clock("2027-04-10T00:00:00Z")

    before = "adjustment for 2026-10-12 to 2027-01-10"
    assert [lines(bill) for bill in bills(api)] == [
        [
            ("Payout for ride", "4", "4.000000"),
            (f"Payout for ride, {before}", "112", "112.000000"),
        ],
        [("Payout for ride", "0", "0.000000")],
        [("Payout for ride", "0", "0.000000")],
    ]


def test_what_a_subscription_before_had_is_not_paid_again(api, clock):
    clock(START)
    plan = rides(api, "d1")
    api.ingest(ride("1"))
    clock("2027-01-10T12:00:00Z")
    (subscription,) = api.get("/v1/subscriptions").json()["subscriptions"]
    api.delete(f"/v1/subscriptions/{subscription['id']}")
    clock("2027-01-20T12:00:00Z")
    api.ingest(ride("2", fare=10))
    clock("2027-01-25T12:00:00Z")

    api.subscribe("d1", plan["id"])
    clock("2027-02-25T12:00:00Z")

    assert [bill["total"] for bill in bills(api)] == ["80.000000", "8.000000"]
    assert lines(bills(api)[1])[1] == (
        "Payout for ride, adjustment for 2027-01-10 to 2027-01-25",
        "8",
        "8.000000",
    )


def test_a_voided_first_bill_leaves_what_was_before_to_the_next(api, clock):
    clock(START)
    api.customer("c1")
    plan = paying_plan(api)
    api.ingest(ride("1", "d1"))
    clock("2027-01-05T00:00:00Z")
    api.customer("d1")
    api.subscribe("d1", plan["id"])
    clock("2027-02-05T00:00:00Z")
    (bill,) = bills(api)
    assert api.post(f"/v1/bills/{bill['id']}/void").status_code == 200

    clock("2027-03-05T00:00:00Z")

    assert [(one["status"], one["total"]) for one in bills(api)] == [
        ("voided", "80.000000"),
        ("finalized", "80.000000"),
    ]


def test_events_without_an_amount_are_told_and_hold_up_nothing(api, clock):
    clock(START)
    rides(api, "d1")
    api.ingest(
        ride("1"),
        ride("2", properties={"driver": "d1"}),
        ride("3", properties={"driver": "d1", "fare": "much"}),
        ride("4", properties={"fare": 5}),
        ride("5", fare="9" * 18),
    )

    clock("2027-02-01T00:00:00Z")

    (line,) = bills(api)[0]["line_items"]
    assert (line["quantity"], line["uncounted_events"]) == ("800000000000000079.2", 2)


def test_an_explanation_shows_the_rule(api, clock):
    clock(START)
    rides(api, "d1")
    api.ingest(ride("1"))
    clock("2027-02-01T00:00:00Z")

    explained = api.get(f"/v1/bills/{bills(api)[0]['id']}/explain").json()["explanation"]

    (line,) = explained["lines"]
    assert line["metric"]["value_expression"] == RIDE["amount_expression"]
    assert line["metric"]["customer_property"] == RIDE["recipient_field"]

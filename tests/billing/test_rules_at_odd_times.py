"""Payout rules that end, and subscriptions that begin, at other times than anybody would expect."""

import pytest

from monigo.metering.rollup.store import LOCK_FOLDING
from support.locks import hanging
from support.metering import fold
from support.payout_rules import attribute, bills, lines, paying_plan, ride, run_replays
from support.verification import faults

START = "2027-01-01T00:00:00Z"
IS_FREE = "SELECT 1 FROM customers WHERE id = $1 FOR UPDATE SKIP LOCKED"


@pytest.fixture(autouse=True)
def verified(api, backend):
    """After each of these stories all that is kept fits its sources."""
    yield
    assert faults(backend, api.tenant) == []


def edit_for_all(api, plan, expression):
    rule = {**plan["payout_rules"][0], "amount_expression": expression}
    answer = api.put(f"/v1/plans/{plan['id']}", json={"payout_rules": [rule]})
    assert answer.status_code == 200, answer.text


def replays(api):
    return [job["status"] for job in api.get("/v1/events/replay").json()["jobs"]]


def stored_ride(api):
    """A rider's ride with a driver, folded before there was any rule."""
    api.customer("c1")
    api.customer("d1")
    api.ingest(ride("1"))
    fold(api)


def test_a_period_that_was_closed_before_a_new_rules_replay_is_looked_at_again(api, clock):
    clock(START)
    stored_ride(api)
    plan = paying_plan(api, run=False)
    api.subscribe("d1", plan["id"])
    clock("2027-02-02T00:00:00Z")

    run_replays(api)
    clock("2027-04-02T00:00:00Z")

    assert [lines(bill) for bill in bills(api)] == [
        [("Payout for ride", "0", "0.000000")],
        [
            ("Payout for ride", "0", "0.000000"),
            ("Payout for ride, adjustment for 2027-01-01 to 2027-02-01", "80", "80.000000"),
        ],
        [("Payout for ride", "0", "0.000000")],
    ]


def test_who_left_before_a_new_rules_replay_is_paid_by_one_more_bill(api, clock):
    clock(START)
    stored_ride(api)
    plan = paying_plan(api, run=False)
    subscription = api.subscribe("d1", plan["id"])
    clock("2027-01-10T00:00:00Z")
    api.delete(f"/v1/subscriptions/{subscription['id']}")

    run_replays(api)
    clock("2027-01-20T00:00:00Z")

    assert sorted((bill["kind"], bill["total"]) for bill in bills(api)) == [
        ("closing", "0.000000"),
        ("supplementary", "80.000000"),
    ]


def test_a_rule_that_ended_before_its_replay_pays_for_what_was_before_its_end(api, clock):
    clock(START)
    stored_ride(api)
    plan = paying_plan(api, run=False)
    api.subscribe("d1", plan["id"])
    clock("2027-02-02T00:00:00Z")
    edit_for_all(api, plan, "fare")

    run_replays(api)
    clock("2027-03-02T00:00:00Z")

    assert replays(api) == ["completed", "completed"]
    assert [bill["total"] for bill in bills(api)] == ["0.000000", "80.000000"]


def test_a_rule_that_was_removed_before_its_replay_still_pays_closed_periods(api, clock):
    clock(START)
    stored_ride(api)
    plan = paying_plan(api, run=False)
    api.subscribe("d1", plan["id"])
    clock("2027-02-02T00:00:00Z")
    api.put(f"/v1/plans/{plan['id']}", json={"payout_rules": []})

    run_replays(api)
    clock("2027-03-02T00:00:00Z")

    assert [bill["total"] for bill in bills(api)] == ["0.000000", "80.000000"]


def test_edits_for_all_made_before_a_subscription_began_count_for_what_was_before_it(api, clock):
    clock(START)
    api.customer("c1")
    api.customer("d1")
    plan = paying_plan(api)
    api.subscribe("d1", plan["id"], start_date="2027-02-01T00:00:00Z")
    api.ingest(ride("1"))
    fold(api)
    clock("2027-01-15T00:00:00Z")
    edit_for_all(api, plan, "fare * 0.9")
    run_replays(api)
    api.ingest(ride("2"))
    clock("2027-02-10T00:00:00Z")
    edit_for_all(api, plan, "fare * 0.5")
    run_replays(api)

    clock("2027-04-01T00:00:00Z")

    assert [bill["total"] for bill in bills(api)] == ["180.000000", "0.000000"]


def test_an_edit_for_new_subscriptions_leaves_what_was_before_an_earlier_one(api, clock):
    clock(START)
    api.customer("c1")
    api.customer("d1")
    plan = paying_plan(api)
    api.subscribe("d1", plan["id"], start_date="2027-02-01T00:00:00Z")
    api.ingest(ride("1"))
    clock("2027-01-15T00:00:00Z")
    rule = {**plan["payout_rules"][0], "amount_expression": "fare"}
    api.put(f"/v1/plans/{plan['id']}", json={"payout_rules": [rule], "apply_to": "new"})
    run_replays(api)

    clock("2027-03-01T00:00:00Z")

    assert [bill["total"] for bill in bills(api)] == ["80.000000"]


def test_what_one_that_never_began_would_have_been_paid_is_the_next_ones(api, clock):
    clock(START)
    api.customer("c1")
    api.customer("d1")
    plan = paying_plan(api)
    never = api.subscribe("d1", plan["id"], start_date="2027-02-01T00:00:00Z")
    api.ingest(ride("1"))
    fold(api)
    clock("2027-01-10T00:00:00Z")
    api.delete(f"/v1/subscriptions/{never['id']}")
    unmatched = api.get("/v1/payout-rules/unmatched").json()["unmatched"]

    api.subscribe("d1", plan["id"])
    clock("2027-03-10T00:00:00Z")

    assert [(one["reason"], one["amount"]) for one in unmatched] == [
        ("no_subscription", "80.000000")
    ]
    assert [bill["total"] for bill in bills(api)] == ["80.000000", "0.000000"]
    assert api.get("/v1/payout-rules/unmatched").json()["unmatched"] == []


def test_what_was_before_one_that_ended_in_its_trial_is_the_next_ones_but_no_trial_is(api, clock):
    clock(START)
    api.customer("c1")
    api.customer("d1")
    plan = paying_plan(api, trial_period_days=14)
    api.ingest(ride("1"))
    clock("2027-01-05T00:00:00Z")
    tried = api.subscribe("d1", plan["id"])
    api.ingest(ride("2", fare=10))
    clock("2027-01-10T00:00:00Z")
    api.delete(f"/v1/subscriptions/{tried['id']}")
    clock("2027-01-12T00:00:00Z")
    api.ingest(ride("3", fare=1))
    fold(api)
    clock("2027-01-20T00:00:00Z")
    unmatched = api.get("/v1/payout-rules/unmatched").json()["unmatched"]

    api.subscribe("d1", plan["id"])
    clock("2027-03-20T00:00:00Z")

    assert [(one["amount"], one["event_count"]) for one in unmatched] == [("80.800000", 2)]
    assert [bill["total"] for bill in bills(api)] == ["80.800000", "0.000000"]


def test_who_takes_a_recipients_name_gets_what_waits_long_after_subscribing(api, clock):
    clock(START)
    api.customer("c1")
    plan = paying_plan(api)
    api.customer("old")
    api.subscribe("old", plan["id"])
    attribute(api)
    api.ingest(ride("1", "new"))
    fold(api)

    api.put("/v1/customers/old", json={"external_id": "new"})
    attribute(api)
    clock("2027-02-01T00:00:00Z")

    assert [bill["total"] for bill in bills(api)] == ["80.000000"]


def test_a_bill_finalized_by_hand_has_what_was_not_folded_yet(api, clock):
    clock(START)
    api.customer("c1")
    api.customer("d1")
    plan = paying_plan(api)
    subscription = api.subscribe("d1", plan["id"])
    clock("2027-01-20T00:00:00Z")
    draft = api.make("/v1/bills", {"subscription_id": subscription["id"]}, "bill")
    api.ingest(ride("1"))

    final = api.post(f"/v1/bills/{draft['id']}/finalize").json()["bill"]

    assert final["total"] == "80.000000"


@pytest.mark.parametrize(
    "request_of",
    [
        lambda api, _: lambda: api.delete(f"/v1/subscriptions/{api.subscription['id']}"),
        lambda api, bill: lambda: api.post(f"/v1/bills/{bill['id']}/finalize"),
        lambda api, _: (
            lambda: api.post("/v1/test-clock/advance", json={"to": "2027-02-02T00:00:00Z"})
        ),
    ],
    ids=["cancel", "finalize", "close"],
)
def test_who_makes_a_bill_has_its_customer_before_it_stops_folding(api, clock, request_of):
    clock(START)
    customer = api.customer("d1")
    plan = paying_plan(api)
    api.subscription = api.subscribe("d1", plan["id"])
    bill = api.make("/v1/bills", {"subscription_id": api.subscription["id"]}, "bill")
    attribute(api)
    tenant = (api.org_id, api.tenant.is_test)

    with hanging(api.backend, request_of(api, bill), LOCK_FOLDING, *tenant) as answers:
        free = api.backend.sql(IS_FREE, customer["id"])

    assert free == []
    assert [answer.status_code for answer in answers] == [200]

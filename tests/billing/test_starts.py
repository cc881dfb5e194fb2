"""Where a subscription begins that names no start: with the hour, but never in another's time."""

import pytest

from support.api import event

PATH = "/v1/subscriptions"


def plan_of(api, unit_price="2", **fields):
    metric = api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": unit_price}
    return api.plan(price, **fields)


def change(api, subscription, **body):
    answer = api.patch(f"{PATH}/{subscription['id']}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["subscription"]


def test_an_event_in_the_second_of_the_start_is_billed(api, clock):
    clock("2027-03-03T01:41:18.63Z")
    customer, plan = api.customer(), plan_of(api)
    subscription = api.subscribe(customer["id"], plan["id"])
    api.ingest(event("1", timestamp="2027-03-03T01:41:18Z"))

    invoice = api.finalize(api.draft(subscription["id"])["id"])

    assert subscription["start_date"] == "2027-03-03T01:00:00Z"
    assert subscription["current_period_end"] == "2027-04-03T01:00:00Z"
    assert invoice["total"] == "2.000000"


def test_usage_from_before_the_hour_is_not_billed(api, clock):
    clock("2027-03-03T01:41:00Z")
    customer, plan = api.customer(), plan_of(api)
    subscription = api.subscribe(customer["id"], plan["id"])
    api.ingest(event("before", timestamp="2027-03-03T00:59:59.999999Z"))
    api.ingest(event("within", timestamp="2027-03-03T01:00:00Z"))

    assert api.draft(subscription["id"])["total"] == "2.000000"


def test_a_start_that_is_named_is_kept_to_the_microsecond(api, clock):
    clock("2027-03-03T01:41:18.63Z")
    start = "2027-03-03T01:41:18.63Z"
    customer, plan = api.customer(), plan_of(api)
    subscription = api.subscribe(customer["id"], plan["id"], start_date=start)
    api.ingest(event("1", timestamp="2027-03-03T01:41:18Z"))

    assert subscription["start_date"] == "2027-03-03T01:41:18.630000Z"
    assert api.draft(subscription["id"])["total"] == "0.000000"


@pytest.mark.parametrize(
    ("zone", "now", "start"),
    [
        ("UTC", "2027-03-03T00:00:00Z", "2027-03-03T00:00:00Z"),
        ("UTC", "2027-03-03T00:59:59.999999Z", "2027-03-03T00:00:00Z"),
        ("Asia/Kolkata", "2027-03-03T01:41:00Z", "2027-03-03T01:30:00Z"),
        # 00:15 there: the hour in UTC began yesterday.
        ("Asia/Kolkata", "2027-03-02T18:45:00Z", "2027-03-02T18:30:00Z"),
        ("Asia/Kathmandu", "2027-03-02T18:20:00Z", "2027-03-02T18:15:00Z"),
    ],
)
def test_the_hour_is_the_zones_own(api, clock, zone, now, start):
    api.patch("/v1/organization", json={"timezone": zone})
    clock(now)

    subscription = api.subscribe(api.customer()["id"], plan_of(api)["id"])

    assert subscription["start_date"] == start


def test_a_daily_first_period_is_of_the_day_of_the_start(api, clock):
    api.patch("/v1/organization", json={"timezone": "Asia/Kolkata"})
    clock("2027-03-02T18:45:00Z")

    subscription = api.subscribe(api.customer()["id"], plan_of(api, billing_period="daily")["id"])

    assert subscription["current_period_start"] == "2027-03-02T18:30:00Z"
    assert subscription["current_period_end"] == "2027-03-03T18:30:00Z"


def test_a_month_that_starts_with_this_hour_is_a_whole_one(api, clock):
    clock("2027-03-01T00:20:00Z")

    subscription = api.subscribe(
        api.customer()["id"], plan_of(api)["id"], billing_anchor="month_start"
    )

    assert subscription["current_period_start"] == "2027-03-01T00:00:00Z"
    assert subscription["current_period_end"] == "2027-04-01T00:00:00Z"


def test_a_trials_days_are_counted_from_the_hour(api, clock):
    clock("2027-03-03T01:41:00Z")
    plan = plan_of(api, trial_period_days=14)

    subscription = api.subscribe(api.customer()["id"], plan["id"])

    assert subscription["trial_ends_at"] == "2027-03-17T01:00:00Z"


def test_a_payout_plan_begins_with_the_hour_too(api, clock):
    clock("2027-03-03T01:41:00Z")
    plan = plan_of(api, plan_type="payout")
    subscription = api.subscribe(api.customer()["id"], plan["id"])
    api.ingest(event("1", timestamp="2027-03-03T01:30:00Z"))

    bill = api.make("/v1/bills", {"subscription_id": subscription["id"]}, "bill")

    assert bill["total"] == "2.000000"


@pytest.mark.parametrize("status", ["canceled", "paused", "deleted"])
def test_it_is_not_before_the_end_of_the_one_before(api, clock, status):
    clock("2027-03-03T01:10:00Z")
    customer, plan = api.customer(), plan_of(api)
    first = api.subscribe(customer["id"], plan["id"])
    clock("2027-03-03T01:20:00Z")
    api.ingest(event("1", timestamp="2027-03-03T01:15:00Z"))
    if status == "deleted":
        api.delete(f"{PATH}/{first['id']}")
    else:
        change(api, first, status=status)
    clock("2027-03-03T01:40:00Z")
    api.ingest(event("2", timestamp="2027-03-03T01:30:00Z"))

    second = api.subscribe(customer["id"], plan["id"])

    assert second["start_date"] == "2027-03-03T01:20:00Z"
    assert api.draft(second["id"])["total"] == "2.000000"


def test_one_that_ended_in_an_hour_before_does_not_matter(api, clock):
    clock("2027-03-03T01:10:00Z")
    customer, plan = api.customer(), plan_of(api)
    change(api, api.subscribe(customer["id"], plan["id"]), status="canceled")
    clock("2027-03-03T02:40:00Z")

    assert api.subscribe(customer["id"], plan["id"])["start_date"] == "2027-03-03T02:00:00Z"


def test_one_of_the_other_plan_type_does_not_matter(api, clock):
    clock("2027-03-03T01:10:00Z")
    customer, plan = api.customer(), plan_of(api)
    api.subscribe(customer["id"], plan["id"])
    clock("2027-03-03T01:40:00Z")

    earned = api.subscribe(customer["id"], api.plan(plan_type="payout")["id"])

    assert earned["start_date"] == "2027-03-03T01:00:00Z"


def test_an_edit_for_next_periods_holds_for_it_if_made_before_it_was_though_at_one_instant(
    api, clock
):
    clock("2027-03-03T01:10:00Z")
    customer, plan = api.customer(), plan_of(api)
    path = f"/v1/plans/{plan['id']}"
    first, second, third = (
        {"apply_to": "next_period", "prices": [{**plan["prices"][0], "unit_price": price}]}
        for price in ("3", "5", "7")
    )
    api.put(path, json=first)
    clock("2027-03-03T01:40:00Z")
    api.put(path, json=second)
    subscription = api.subscribe(customer["id"], plan["id"])
    api.put(path, json=third)
    api.ingest(event("1"))

    assert api.draft(subscription["id"])["total"] == "5.000000"


def test_an_edit_for_next_periods_after_it_was_made_does_not_hold_for_its_first(api, clock):
    clock("2027-03-03T01:10:00Z")
    customer, plan = api.customer(), plan_of(api)
    subscription = api.subscribe(customer["id"], plan["id"])
    clock("2027-03-03T01:40:00Z")
    dearer = {**plan["prices"][0], "unit_price": "3"}
    api.put(f"/v1/plans/{plan['id']}", json={"apply_to": "next_period", "prices": [dearer]})
    api.ingest(event("1"))

    assert api.draft(subscription["id"])["total"] == "2.000000"


def test_an_override_from_within_the_hour_prices_it(api, clock):
    clock("2027-03-03T01:41:00Z")
    customer, plan = api.customer(), plan_of(api)
    subscription = api.subscribe(customer["id"], plan["id"])
    api.override(customer["id"], plan["prices"][0]["id"], unit_price="7", model="flat_unit")
    api.ingest(event("1", timestamp="2027-03-03T01:10:00Z"))

    assert api.draft(subscription["id"])["total"] == "7.000000"


def test_a_realtime_plan_takes_the_hours_earlier_usage_at_once(api, clock):
    clock("2027-03-03T01:41:00Z")
    api.customer()
    wallet = api.wallet("c1", funds="1000")
    api.ingest(event("1", timestamp="2027-03-03T01:10:00Z"))

    api.subscribe("c1", plan_of(api, "100", billing_mode="realtime")["id"])

    path = f"/v1/wallets/{wallet['id']}"
    assert api.get(path).json()["wallet"]["balance"] == "900.000000"

"""Subscriptions: one active per customer and plan type, periods in the zone of their birth."""

from datetime import datetime, timedelta

import pytest

from support.api import event


def patch(api, subscription, status):
    return api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": status})


def test_a_subscription_starts_with_its_first_period(api):
    *_, subscription = api.subscribed_customer()

    assert subscription["status"] == "active"
    assert subscription["current_period_start"] == subscription["start_date"]
    assert subscription["trial_ends_at"] is None


def test_the_customer_may_be_named_by_external_id(api):
    customer = api.customer("driver-42")

    subscription = api.subscribe("driver-42", api.plan()["id"])

    assert subscription["customer_id"] == customer["id"]


@pytest.mark.parametrize(
    ("period", "length"),
    [("weekly", timedelta(weeks=1)), ("daily", None), ("monthly", None), ("annually", None)],
)
def test_the_current_period_contains_now(api, period, length):
    plan = api.plan(billing_period=period)
    now = api.backend.clock.now()

    subscription = api.subscribe(
        api.customer()["id"], plan["id"], start_date=(now - timedelta(days=80)).isoformat()
    )

    start = datetime.fromisoformat(subscription["current_period_start"])
    end = datetime.fromisoformat(subscription["current_period_end"])
    assert start <= now < end
    assert length in {None, end - start}


def test_a_month_start_anchor_ends_the_first_period_at_the_first_of_a_month(api):
    api.patch("/v1/organization", json={"timezone": "Africa/Lagos"})

    subscription = api.subscribe(
        api.customer()["id"], api.plan()["id"], billing_anchor="month_start"
    )

    assert subscription["billing_anchor"] == "month_start"
    assert subscription["current_period_end"][10:] == "T23:00:00Z"


def test_a_subscription_keeps_the_zone_it_began_with(api):
    api.patch("/v1/organization", json={"timezone": "Africa/Nairobi"})
    *_, subscription = api.subscribed_customer()

    api.patch("/v1/organization", json={"timezone": "UTC"})

    path = f"/v1/subscriptions/{subscription['id']}"
    assert api.get(path).json()["subscription"]["timezone"] == "Africa/Nairobi"


def test_a_trial_is_the_first_period(api):
    plan = api.plan(trial_period_days=14)

    subscription = api.subscribe(api.customer()["id"], plan["id"])

    length = datetime.fromisoformat(subscription["trial_ends_at"]) - datetime.fromisoformat(
        subscription["start_date"]
    )
    assert (subscription["status"], length) == ("active", timedelta(days=14))
    assert subscription["current_period_end"] == subscription["trial_ends_at"]


@pytest.mark.parametrize("status", ["active", "paused", "canceled"])
def test_a_second_one_of_a_plan_type_waits_until_the_first_makes_room(api, status):
    customer, _, plan, first = api.subscribed_customer()
    patch(api, first, status)

    second = api.post(
        "/v1/subscriptions", json={"customer_id": customer["id"], "plan_id": plan["id"]}
    )

    assert second.status_code == {"active": 409, "paused": 201, "canceled": 201}[status]


def test_a_payout_plan_stands_beside_a_collection_plan(api):
    customer, *_ = api.subscribed_customer()

    subscription = api.subscribe(customer["id"], api.plan(plan_type="payout")["id"])

    assert subscription["status"] == "active"


def test_a_paused_one_does_not_resume_into_a_place_that_is_taken(api):
    customer, _, plan, first = api.subscribed_customer()
    patch(api, first, "paused")
    api.subscribe(customer["id"], plan["id"])

    refused = patch(api, first, "active")

    path = f"/v1/subscriptions/{first['id']}"
    assert (refused.status_code, "active subscription" in refused.json()["error"]) == (409, True)
    assert api.get(path).json()["subscription"]["status"] == "paused"


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        (["active"], [200]),
        (["paused", "active"], [200, 200]),
        (["paused", "paused"], [200, 409]),
        (["canceled", "canceled"], [200, 409]),
        (["canceled", "active"], [200, 409]),
        (["canceled", "paused"], [200, 409]),
        (["paused", "canceled"], [200, 200]),
    ],
)
def test_a_status_follows_only_where_it_can(api, path, statuses):
    *_, subscription = api.subscribed_customer()

    answers = [patch(api, subscription, status).status_code for status in path]

    assert answers == statuses


def test_a_pause_keeps_the_periods_boundaries(api):
    *_, subscription = api.subscribed_customer()
    patch(api, subscription, "paused")
    api.backend.clock.advance(days=3)

    resumed = patch(api, subscription, "active").json()["subscription"]

    assert [resumed[f"current_period_{side}"] for side in ("start", "end")] == [
        subscription[f"current_period_{side}"] for side in ("start", "end")
    ]


def test_a_canceled_one_bills_what_was_used_before_its_pause(api):
    *_, subscription = api.subscribed_customer()
    api.ingest(event("before"))
    api.backend.clock.advance(hours=1)
    patch(api, subscription, "paused")
    api.backend.clock.advance(hours=1)
    api.ingest(event("during"))

    patch(api, subscription, "canceled")

    assert api.get("/v1/invoices").json()["invoices"][0]["total"] == "2.000000"


def test_deleting_cancels_and_hides(api):
    customer, _, plan, subscription = api.subscribed_customer()
    path = f"/v1/subscriptions/{subscription['id']}"

    deleted = api.delete(path)

    assert deleted.status_code == 200
    assert [api.get(path).status_code, api.delete(path).status_code] == [404, 404]
    assert api.get("/v1/subscriptions").json()["total"] == 0
    assert api.subscribe(customer["id"], plan["id"])["status"] == "active"


def test_a_canceled_trial_is_not_invoiced(api):
    plan = api.plan(trial_period_days=14)
    subscription = api.subscribe(api.customer()["id"], plan["id"])

    patch(api, subscription, "canceled")

    assert api.get("/v1/invoices").json()["total"] == 0


def test_a_canceled_payout_subscription_is_not_invoiced(api):
    plan = api.plan(plan_type="payout")
    subscription = api.subscribe(api.customer()["id"], plan["id"])

    patch(api, subscription, "canceled")

    assert api.get("/v1/invoices").json()["total"] == 0


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 2),
        ({"status": "active"}, 1),
        ({"status": "canceled"}, 1),
        ({"status": "suspended"}, 0),
        ({"customer_id": "c1"}, 1),
        ({"customer_id": "c1", "status": "canceled"}, 0),
        ({"customer_id": "nobody"}, 0),
        ({"plan_id": "no-uuid"}, 0),
        ({"limit": 1}, 1),
    ],
)
def test_subscriptions_are_listed_by_customer_plan_and_status(api, query, count):
    *_, plan, _ = api.subscribed_customer()
    patch(api, api.subscribe(api.customer("c2")["id"], plan["id"]), "canceled")

    listed = api.get("/v1/subscriptions", params=query).json()

    assert listed["count"] == len(listed["subscriptions"]) == count


def test_subscriptions_are_listed_newest_first_and_paged(api):
    *_, plan, first = api.subscribed_customer()
    later = [api.subscribe(api.customer(f"c{n}")["id"], plan["id"]) for n in (2, 3, 4)]
    newest_first = [known["id"] for known in reversed([first, *later])]

    everything = api.get("/v1/subscriptions").json()
    page = api.get("/v1/subscriptions", params={"limit": 2, "offset": 1}).json()

    assert [known["id"] for known in everything["subscriptions"]] == newest_first
    assert [known["id"] for known in page["subscriptions"]] == newest_first[1:3]
    assert (page["count"], page["total"], page["has_more"]) == (2, 4, True)


def test_subscriptions_are_listed_by_plan(api):
    *_, plan, subscription = api.subscribed_customer()
    other = api.subscribe(api.customer("c2")["id"], api.plan()["id"])

    listed = api.get("/v1/subscriptions", params={"plan_id": plan["id"]}).json()["subscriptions"]

    assert [known["id"] for known in listed] == [subscription["id"]]
    assert other["plan_id"] != plan["id"]

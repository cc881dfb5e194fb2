"""Plans: the whole price list at once, ids that stay, terms that hold once subscribed."""

import pytest

from support.api import event


def flat(metric, unit_price, **fields):
    return {"metric_id": metric["id"], "model": "flat_unit", "unit_price": unit_price, **fields}


def put(api, plan, **fields):
    return api.put(f"/v1/plans/{plan['id']}", json=fields)


def tiers_of(*rows):
    return [{"up_to": up_to, "unit_amount": amount} for up_to, amount in rows]


TIERS = tiers_of((1_000, "5.00"), (None, "1.00"))
PACKAGE = {"package_size": 1_000, "package_price": "500.00", "round_up_partial_block": True}
OVERAGE = {"included_units": 10_000, "base_price": "0.00", "overage_price": "1.50"}
STORED_TIERS = tiers_of((1_000, "5.000000"), (None, "1.000000"))
STORED_PACKAGE = {**PACKAGE, "package_price": "500.000000"}
STORED_OVERAGE = {**OVERAGE, "base_price": "0.000000", "overage_price": "1.500000"}


@pytest.mark.parametrize(
    ("model", "sent", "shown"),
    [
        ("flat_unit", {"unit_price": "2"}, ("2.000000", None)),
        ("flat", {"unit_price": "2"}, ("2.000000", None)),
        ("per_unit", {"unit_price": "2"}, ("2.000000", None)),
        ("tiered", {"tiers": TIERS}, ("0.000000", STORED_TIERS)),
        ("graduated", {"tiers": TIERS}, ("0.000000", STORED_TIERS)),
        ("volume", {"tiers": TIERS, "unit_price": ""}, ("0.000000", STORED_TIERS)),
        ("weighted_tiered", {"tiers": TIERS}, ("0.000000", STORED_TIERS)),
        ("package", {"tiers": PACKAGE}, ("0.000000", STORED_PACKAGE)),
        (
            "package",
            {"tiers": {"package_size": 1_000}, "unit_price": "500"},
            ("0.000000", STORED_PACKAGE),
        ),
        ("overage", {"tiers": OVERAGE}, ("0.000000", STORED_OVERAGE)),
        (
            "overage",
            {"tiers": {"included_units": 10_000}, "unit_price": "1.5"},
            ("0.000000", STORED_OVERAGE),
        ),
        (
            "overage",
            {"tiers": tiers_of((10_000, "0"), (None, "1.5"))},
            ("0.000000", STORED_OVERAGE),
        ),
    ],
)
def test_a_price_is_echoed_under_the_name_it_was_sent_with(api, model, sent, shown):
    plan = api.plan({"metric_id": api.metric()["id"], "model": model, **sent})

    price = api.get(f"/v1/plans/{plan['id']}").json()["plan"]["prices"][0]

    assert (price["model"], price["unit_price"], price["tiers"]) == (model, *shown)
    assert price["plan_id"] == plan["id"]


def test_prices_keep_their_order(api):
    metric = api.metric()
    unit_prices = [f"{number}.000000" for number in (3, 1, 2)]

    plan = api.plan(*[flat(metric, unit_price) for unit_price in unit_prices])

    assert [price["unit_price"] for price in plan["prices"]] == unit_prices


def test_without_prices_an_update_leaves_them(api):
    plan = api.plan(flat(api.metric(), "2"))

    updated = put(api, plan, name="Renamed").json()["plan"]

    assert (updated["name"], updated["prices"]) == ("Renamed", plan["prices"])


def test_a_price_list_revises_adds_and_removes(api):
    metric = api.metric()
    plan = api.plan(flat(metric, "1"), flat(metric, "2"))
    kept, removed = plan["prices"]

    updated = put(api, plan, prices=[flat(metric, "3"), flat(metric, "1.5", id=kept["id"])])

    added, revised = updated.json()["plan"]["prices"]
    assert (revised["id"], revised["unit_price"], revised["revision"]) == (
        kept["id"],
        "1.500000",
        2,
    )
    assert added["unit_price"] == "3.000000"
    assert added["id"] not in {kept["id"], removed["id"]}


def test_an_unchanged_price_gets_no_new_revision(api):
    plan = api.plan(flat(api.metric(), "2"))

    updated = put(api, plan, prices=plan["prices"]).json()["plan"]

    assert updated["prices"] == plan["prices"]


def test_an_empty_price_list_removes_all(api):
    plan = api.plan(flat(api.metric(), "2"))

    assert put(api, plan, prices=[]).json()["plan"]["prices"] == []


def test_a_removed_price_does_not_come_back(api):
    metric = api.metric()
    plan = api.plan(flat(metric, "2"))
    put(api, plan, prices=[])

    refused = put(api, plan, prices=[flat(metric, "2", id=plan["prices"][0]["id"])])

    assert (refused.status_code, list(refused.json()["details"])) == (400, ["prices[0].id"])


def test_a_price_of_another_plan_is_refused(api):
    metric = api.metric()
    plan, other = api.plan(flat(metric, "2")), api.plan(flat(metric, "3"))

    refused = put(api, plan, prices=[flat(metric, "2", id=other["prices"][0]["id"])])

    assert (refused.status_code, list(refused.json()["details"])) == (400, ["prices[0].id"])
    assert api.get(f"/v1/plans/{plan['id']}").json()["plan"] == plan


def test_a_revised_price_counts_for_the_whole_running_period(api):
    _, metric, plan, subscription = api.subscribed_customer(unit_price="2")
    api.ingest(event("1"), event("2"))
    billed = api.finalize(api.draft(subscription["id"])["id"])

    put(api, plan, prices=[flat(metric, "5", id=plan["prices"][0]["id"])])
    draft = api.draft(subscription["id"])

    assert (billed["total"], draft["total"]) == ("4.000000", "6.000000")


def test_what_a_removed_price_billed_is_credited_on_the_next_draft(api):
    _, metric, plan, subscription = api.subscribed_customer(unit_price="2")
    api.ingest(event("1"), event("2"))
    api.finalize(api.draft(subscription["id"])["id"])

    put(api, plan, prices=[flat(metric, "5")])
    draft = api.draft(subscription["id"])

    assert {line["price_id"]: line["amount"] for line in draft["line_items"]} == {
        plan["prices"][0]["id"]: "-4.000000",
        api.get(f"/v1/plans/{plan['id']}").json()["plan"]["prices"][0]["id"]: "10.000000",
    }
    assert draft["total"] == "6.000000"


@pytest.mark.parametrize(
    "term",
    [
        {"currency": "KES"},
        {"plan_type": "payout"},
        {"billing_period": "weekly"},
    ],
)
def test_terms_are_fixed_once_the_plan_has_had_subscribers(api, term):
    *_, plan, subscription = api.subscribed_customer()
    api.delete(f"/v1/subscriptions/{subscription['id']}")

    refused = put(api, plan, name="Other", **term)

    assert (refused.status_code, next(iter(term)) in refused.json()["error"]) == (409, True)
    assert api.get(f"/v1/plans/{plan['id']}").json()["plan"] == plan


def test_the_same_terms_again_are_no_change(api):
    *_, plan, _ = api.subscribed_customer()
    terms = {field: plan[field] for field in ("currency", "plan_type", "billing_period")}

    updated = put(api, plan, name="Other", billing_mode="postpaid", **terms)

    assert (updated.status_code, updated.json()["plan"]["name"]) == (200, "Other")


def test_terms_may_change_before_anyone_subscribes(api):
    plan = api.plan()
    terms = {"currency": "KES", "plan_type": "payout", "billing_period": "daily"}

    updated = put(api, plan, **terms).json()["plan"]

    assert {field: updated[field] for field in terms} == terms


def test_a_plan_with_active_subscriptions_is_not_deleted(api):
    *_, plan, subscription = api.subscribed_customer()

    refused = api.delete(f"/v1/plans/{plan['id']}")
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "canceled"})
    deleted = api.delete(f"/v1/plans/{plan['id']}")

    assert (refused.status_code, "active subscriptions" in refused.json()["error"]) == (409, True)
    assert deleted.status_code == 200
    assert api.get(f"/v1/plans/{plan['id']}").status_code == 404


def test_plans_are_listed_newest_first_and_deleted_ones_not(api):
    metric = api.metric()
    names = ["first", "second", "third"]
    plans = [
        api.make(
            "/v1/plans",
            {
                "name": name,
                "prices": [{"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}],
            },
            "plan",
        )
        for name in names
    ]
    api.delete(f"/v1/plans/{plans[1]['id']}")

    listed = api.get("/v1/plans").json()

    assert [plan["name"] for plan in listed["plans"]] == ["third", "first"]
    assert (listed["count"], listed["total"], listed["has_more"]) == (2, 2, False)


def test_a_deleted_plan_takes_no_subscribers(api):
    plan = api.plan()
    api.delete(f"/v1/plans/{plan['id']}")

    refused = api.post(
        "/v1/subscriptions", json={"customer_id": api.customer()["id"], "plan_id": plan["id"]}
    )

    assert (refused.status_code, list(refused.json()["details"])) == (404, ["plan_id"])


@pytest.mark.parametrize(
    ("price", "quantity", "amount"),
    [
        ({"model": "tiered", "tiers": tiers_of((10, "2"), (None, "1"))}, "10", "20.000000"),
        ({"model": "tiered", "tiers": tiers_of((10, "2"), (None, "1"))}, "12.5", "22.500000"),
        ({"model": "volume", "tiers": tiers_of((10, "2"), (None, "1"))}, "10", "20.000000"),
        ({"model": "volume", "tiers": tiers_of((10, "2"), (None, "1"))}, "10.1", "10.100000"),
        (
            {"model": "weighted_tiered", "tiers": tiers_of((10, "2"), (None, "1"))},
            "20",
            "30.000000",
        ),
        ({"model": "package", "tiers": PACKAGE}, "1001", "1000.000000"),
        (
            {"model": "package", "tiers": {**PACKAGE, "round_up_partial_block": False}},
            "1999",
            "500.000000",
        ),
        ({"model": "overage", "tiers": {**OVERAGE, "base_price": "7"}}, "0", "7.000000"),
        ({"model": "overage", "tiers": OVERAGE}, "10002", "3.000000"),
        ({"model": "flat_unit", "unit_price": "2"}, "-3", "-6.000000"),
        ({"model": "package", "tiers": PACKAGE}, "-3", "0.000000"),
        ({"model": "flat_unit", "unit_price": "0.0000005"}, "1", "0.000000"),
        ({"model": "flat_unit", "unit_price": "0.0000005"}, "3", "0.000002"),
    ],
)
def test_each_model_prices_a_quantity(api, price, quantity, amount):
    metric = api.metric("m", aggregation="sum", aggregation_property="n")
    plan = api.plan({"metric_id": metric["id"], **price})
    subscription = api.subscribe(api.customer()["id"], plan["id"])
    api.ingest(event("1", name="m", properties={"n": quantity}))

    lines = api.draft(subscription["id"])["line_items"]

    assert lines[0]["amount"] == amount

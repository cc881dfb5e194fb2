"""What clients send for "not set", or send in vain, is taken as the contract says."""

from datetime import timedelta
from decimal import Decimal

import pytest

from monigo.infra import json

JSON = {"Content-Type": "application/json"}
ZERO_TIME = "0001-01-01T00:00:00Z"


def test_a_customer_needs_nothing(api):
    customer = api.post("/v1/customers", json={}).json()["customer"]

    unset = {field: customer[field] for field in ("external_id", "name", "email", "phone")}
    assert unset == dict.fromkeys(unset, "")
    assert customer["metadata"] == {}


@pytest.mark.parametrize("unset", [None, ""])
def test_unset_text_of_a_customer_is_empty(api, unset):
    body = dict.fromkeys(("external_id", "name", "email", "phone"), unset)

    first = api.post("/v1/customers", json={**body, "metadata": None})
    second = api.post("/v1/customers", json=body)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["customer"]["metadata"] == {}
    assert api.get("/v1/customers").json()["total"] == 2


@pytest.mark.parametrize("unset", [None, ""])
def test_unset_fields_of_a_metric_take_their_defaults(api, unset):
    metric = api.metric(aggregation=unset, aggregation_property=unset, description=unset)

    assert (metric["aggregation"], metric["aggregation_property"], metric["description"]) == (
        "count",
        "",
        "",
    )


@pytest.mark.parametrize("unset", [None, ""])
def test_unset_fields_of_a_plan_take_their_defaults(api, unset):
    fields = dict.fromkeys(
        ("description", "currency", "plan_type", "billing_period", "billing_mode"), unset
    )

    plan = api.make(
        "/v1/plans", {"name": "P", **fields, "trial_period_days": None, "prices": None}, "plan"
    )

    assert {field: plan[field] for field in fields} == {
        "description": "",
        "currency": "NGN",
        "plan_type": "collection",
        "billing_period": "monthly",
        "billing_mode": "postpaid",
    }
    assert (plan["trial_period_days"], plan["prices"]) == (0, [])


@pytest.mark.parametrize("unset", [None, "", ZERO_TIME])
def test_unset_dates_of_a_subscription_mean_from_this_hour_on(api, clock, unset):
    clock("2027-03-03T01:41:18Z")
    customer, plan = api.customer(), api.plan()
    anchor = None if unset == ZERO_TIME else unset

    subscription = api.subscribe(
        customer["id"], plan["id"], start_date=unset, end_date=unset, billing_anchor=anchor
    )

    assert subscription["start_date"] == "2027-03-03T01:00:00Z"
    assert (subscription["end_date"], subscription["billing_anchor"]) == (
        None,
        "subscription_start",
    )


@pytest.mark.parametrize(
    ("path", "collection"),
    [
        ("/v1/customers/{customer}", "customers"),
        ("/v1/metrics/{metric}", "metrics"),
        ("/v1/plans/{plan}", "plans"),
    ],
)
@pytest.mark.parametrize("keep", ["{}", None])
def test_an_update_leaves_what_is_not_sent_or_null(api, path, collection, keep):
    customer, metric, plan, _ = api.subscribed_customer()
    ids = {"customer": customer["id"], "metric": metric["id"], "plan": plan["id"]}
    resource = api.get(path.format(**ids)).json()[collection.removesuffix("s")]
    kept = dict.fromkeys(resource) if keep is None else {}

    updated = api.put(path.format(**ids), json=kept).json()[collection.removesuffix("s")]

    changed = {field for field in resource if resource[field] != updated[field]}
    assert changed <= {"updated_at"}


def test_settings_that_are_null_stay(api):
    before = api.get("/v1/organization").json()["organization"]

    after = api.patch("/v1/organization", json=dict.fromkeys(before)).json()["organization"]

    assert {field for field in before if before[field] != after[field]} <= {"updated_at"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/customers", {"name": "Ada"}),
        ("/v1/metrics", {"name": "m", "event_name": "e"}),
        ("/v1/plans", {"name": "P"}),
    ],
)
def test_unknown_fields_are_ignored(api, path, body):
    newer = {"org_id": "anything", "colour": {"deep": [1]}, "id": "x", "created_at": 5}

    response = api.post(path, json={**body, **newer})

    assert response.status_code == 201


@pytest.mark.parametrize("headers", [JSON, {}, {"Content-Type": "application/json; charset=utf-8"}])
@pytest.mark.parametrize("content", [b"", b"{}", b"null", None])
@pytest.mark.parametrize("action", ["finalize", "void"])
def test_an_action_takes_an_empty_body(api, action, content, headers):
    *_, subscription = api.subscribed_customer()
    invoice = api.draft(subscription["id"])

    response = api.post(f"/v1/invoices/{invoice['id']}/{action}", content=content, headers=headers)

    assert response.status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json; charset=utf-8"}])
def test_json_needs_no_content_type(api, headers):
    response = api.post("/v1/customers", content=b'{"name": "Ada"}', headers=headers)

    assert (response.status_code, response.json()["customer"]["name"]) == (201, "Ada")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ('"2"', "2.000000"),
        ("2", "2.000000"),
        ("2.5", "2.500000"),
        ('"0.000000000001"', "0.000000000001"),
        ("1e-12", "0.000000000001"),
        ("1E2", "100.000000"),
        ('"0"', "0.000000"),
        ("0", "0.000000"),
        ("-0.0", "0.000000"),
        ('"007"', "7.000000"),
        ('"1.500000000000000000"', "1.500000"),
        ("999999999999999999", "999999999999999999.000000"),
        ("0.1", "0.100000"),
    ],
)
def test_a_price_is_kept_to_the_digit(api, sent, shown):
    body = (
        f'{{"name": "P", "prices": [{{"metric_id": "{api.metric()["id"]}",'
        f' "model": "flat_unit", "unit_price": {sent}}}]}}'
    )

    plan = api.post("/v1/plans", content=body).json()["plan"]

    assert plan["prices"][0]["unit_price"] == shown
    assert api.get(f"/v1/plans/{plan['id']}").json()["plan"] == plan


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ('{"n": 0.1}', '{"n":0.1}'),
        ('{"n": 1.10}', '{"n":1.1}'),
        ('{"n": 5.0}', '{"n":5}'),
        ('{"n": 0.30000000000000004}', '{"n":0.30000000000000004}'),
        ('{"n": 9007199254740993}', '{"n":9007199254740993}'),
        ('{"n": 123456789012345678901234567890}', '{"n":123456789012345678901234567890}'),
        ('{"n": 1e30}', '{"n":1' + "0" * 30 + "}"),
        ('{"a": null, "b": [true, {"c": ""}]}', '{"a":null,"b":[true,{"c":""}]}'),
        ('{"🦄": "naïve"}', '{"🦄":"naïve"}'),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_metadata_comes_back_as_it_was_sent(api, method, sent, shown):
    path = "/v1/customers" if method == "POST" else f"/v1/customers/{api.customer()['id']}"

    response = api.http.request(method, path, content=f'{{"metadata": {sent}}}')

    customer_id = response.json()["customer"]["id"]
    assert f'"metadata":{shown}' in response.text
    assert f'"metadata":{shown}' in api.get(f"/v1/customers/{customer_id}").text


@pytest.mark.parametrize(
    "number", ["1" * 400 + ".5", "1e-400", "-" + "9" * 999, "1.5e308", "1e999"]
)
def test_metadata_may_hold_numbers_that_no_float_can(api, number):
    response = api.post("/v1/customers", content=f'{{"metadata": {{"n": {number}}}}}')

    assert response.status_code == 201
    told = json.decode(api.get("/v1/customers").content)["customers"][0]["metadata"]["n"]
    assert isinstance(told, int | Decimal)


@pytest.mark.parametrize(("sent", "kept"), [("7.5", 7.5), ("0", 0), ("100", 100), ('"12.5"', 12.5)])
def test_a_rate_is_a_number_from_0_to_100(api, sent, kept):
    response = api.patch("/v1/organization", content=f'{{"vat_rate": {sent}}}')

    assert response.json()["organization"]["vat_rate"] == kept


def test_a_subscription_may_begin_ninety_days_back(api):
    start = (api.backend.clock.now() - timedelta(days=90) + timedelta(minutes=1)).isoformat()

    response = api.post(
        "/v1/subscriptions",
        json={
            "customer_id": api.customer()["id"],
            "plan_id": api.plan()["id"],
            "start_date": start,
        },
    )

    assert response.status_code == 201


def test_a_subscription_may_not_begin_before_that(api):
    start = (api.backend.clock.now() - timedelta(days=91)).isoformat()

    response = api.post(
        "/v1/subscriptions",
        json={
            "customer_id": api.customer()["id"],
            "plan_id": api.plan()["id"],
            "start_date": start,
        },
    )

    assert (response.status_code, list(response.json()["details"])) == (400, ["start_date"])


def test_a_subscription_may_not_end_before_it_begins(api):
    now = api.backend.clock.now()

    response = api.post(
        "/v1/subscriptions",
        json={
            "customer_id": api.customer()["id"],
            "plan_id": api.plan()["id"],
            "start_date": (now + timedelta(days=5)).isoformat(),
            "end_date": (now + timedelta(days=4)).isoformat(),
        },
    )

    assert (response.status_code, list(response.json()["details"])) == (400, ["end_date"])

"""Price overrides: what one customer pays in place of a price's own model."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from monigo.core.times import format_instant
from support.api import event
from support.locks import hanging
from support.snapshot import snapshot

LOCKED_CUSTOMER = "SELECT 1 FROM customers WHERE id = $1 FOR UPDATE"
JANUARY, FEBRUARY, MARCH, APRIL = (f"2027-0{month}-01T00:00:00Z" for month in range(1, 5))
TIERS = [{"up_to": 10, "unit_amount": "5"}, {"up_to": None, "unit_amount": "3"}]
FLAT = {"model": "flat_unit", "unit_price": "1.5"}


@pytest.fixture
def price(api):
    api.customer()
    return api.plan({"metric_id": api.metric()["id"], **FLAT, "unit_price": "2"})["prices"][0]


def body_of(price, **fields):
    return {"customer_id": "c1", "price_id": price["id"], **FLAT, **fields}


def create(api, price, **fields):
    return api.post("/v1/price-overrides", json=body_of(price, **fields))


def update(api, override, **fields):
    return api.put(f"/v1/price-overrides/{override['id']}", json=fields)


def listed(api, **query):
    found = api.get("/v1/price-overrides", params=query).json()
    assert found["count"] == found["total"] == len(found["price_overrides"])
    return [override["id"] for override in found["price_overrides"]]


def test_an_override_holds_from_now_on_without_end(api, price):
    override = create(api, price).json()["price_override"]

    assert (override["model"], override["unit_price"], override["tiers"]) == (
        "flat_unit",
        "1.500000",
        None,
    )
    assert (override["valid_from"], override["valid_until"]) == (override["created_at"], None)
    assert (override["price_id"], override["org_id"]) == (price["id"], str(api.org_id))


@pytest.mark.parametrize("unset", [None, "", "0001-01-01T00:00:00Z"])
def test_unset_times_mean_from_now_on_without_end(api, price, unset):
    override = create(api, price, valid_from=unset, valid_until=unset).json()["price_override"]

    assert (override["valid_from"], override["valid_until"]) == (override["created_at"], None)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"model": "per_unit", "unit_price": 1}, ("per_unit", "1.000000", None)),
        (
            {"model": "package", "unit_price": "5", "tiers": {"package_size": 10}},
            (
                "package",
                "0.000000",
                {
                    "package_size": 10,
                    "package_price": "5.000000",
                    "round_up_partial_block": True,
                },
            ),
        ),
        (
            {"model": "graduated", "unit_price": None, "tiers": TIERS},
            (
                "graduated",
                "0.000000",
                [
                    {"up_to": 10, "unit_amount": "5.000000"},
                    {"up_to": None, "unit_amount": "3.000000"},
                ],
            ),
        ),
    ],
)
def test_an_override_takes_every_model_and_echoes_its_name(api, price, sent, shown):
    made = create(api, price, **sent).json()["price_override"]

    read = api.get(f"/v1/price-overrides/{made['id']}").json()["price_override"]

    assert (read["model"], read["unit_price"], read["tiers"]) == shown
    assert read == made


def test_a_customer_is_named_by_its_id_too(api, price):
    customer = api.get("/v1/customers/c1").json()["customer"]

    override = create(api, price, customer_id=customer["id"]).json()["price_override"]

    assert override["customer_id"] == customer["id"]


def test_both_faces_serve_overrides(api, price):
    made = api.post("/api/v1/price-overrides", json=body_of(price)).json()["price_override"]
    path = f"/api/v1/price-overrides/{made['id']}"

    changed = api.put(path, json={"unit_price": "9"}).json()["price_override"]
    deleted = api.delete(path)

    assert changed["unit_price"] == "9.000000"
    assert (deleted.status_code, api.get(path).status_code) == (200, 404)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"model": "auction"}, "model"),
        ({"model": ""}, "model"),
        ({"model": 1}, "model"),
        ({"model": "percentage", "tiers": {"rate": "0.1"}}, "model"),
        ({"unit_price": None}, "unit_price"),
        ({"unit_price": "-1"}, "unit_price"),
        ({"unit_price": "0.0000000000001"}, "unit_price"),
        ({"model": "tiered"}, "tiers"),
        ({"model": "tiered", "tiers": [{"up_to": 5, "unit_amount": "1"}]}, "tiers[0].up_to"),
        ({"valid_from": "soon"}, "valid_from"),
        ({"valid_until": "2027-02-29"}, "valid_until"),
        ({"valid_until": "2000-01-01T00:00:00Z"}, "valid_until"),
        ({"valid_from": FEBRUARY, "valid_until": JANUARY}, "valid_until"),
        ({"valid_from": FEBRUARY, "valid_until": FEBRUARY}, "valid_until"),
        ({"customer_id": 5}, "customer_id"),
        ({"price_id": None}, "price_id"),
    ],
)
def test_a_bad_override_is_refused_and_changes_nothing(api, price, fields, field):
    before = snapshot(api)

    refused = create(api, price, **fields)

    assert (refused.status_code, list(refused.json()["details"])) == (400, [field])
    assert snapshot(api) == before


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"customer_id": "nobody"}, "customer_id"),
        ({"customer_id": ""}, "customer_id"),
        ({"customer_id": str(uuid4())}, "customer_id"),
        ({"price_id": "no-uuid"}, "price_id"),
        ({"price_id": ""}, "price_id"),
        ({"price_id": str(uuid4())}, "price_id"),
    ],
)
def test_an_override_of_something_unknown_is_refused(api, price, fields, field):
    refused = create(api, price, **fields)

    assert (refused.status_code, list(refused.json()["details"])) == (404, [field])
    assert listed(api) == []


def test_a_price_that_is_not_offered_any_more_takes_no_override(api):
    api.customer()
    metric = api.metric()
    removed, deleted = (api.plan({"metric_id": metric["id"], **FLAT}) for _ in range(2))
    api.put(f"/v1/plans/{removed['id']}", json={"prices": []})
    api.delete(f"/v1/plans/{deleted['id']}")

    statuses = [create(api, plan["prices"][0]).status_code for plan in (removed, deleted)]

    assert statuses == [404, 404]


@pytest.mark.parametrize(
    ("valid_from", "valid_until"),
    [
        (FEBRUARY, MARCH),
        (JANUARY, None),
        (JANUARY, "2027-02-01T00:00:00.000001Z"),
        ("2027-02-28T23:59:59.999999Z", None),
        ("2027-02-10T00:00:00Z", "2027-02-11T00:00:00Z"),
        (JANUARY, APRIL),
    ],
)
def test_overrides_of_one_price_and_customer_never_overlap(api, price, valid_from, valid_until):
    create(api, price, valid_from=FEBRUARY, valid_until=MARCH)

    refused = create(api, price, valid_from=valid_from, valid_until=valid_until)

    assert (refused.status_code, "another override" in refused.json()["error"]) == (409, True)
    assert len(listed(api)) == 1


def test_overrides_may_follow_each_other_without_a_gap(api, price):
    made = [
        create(api, price, valid_from=valid_from, valid_until=valid_until).status_code
        for valid_from, valid_until in ((FEBRUARY, MARCH), (JANUARY, FEBRUARY), (MARCH, None))
    ]

    assert made == [201, 201, 201]


def test_other_customers_and_prices_have_overrides_of_their_own(api, price):
    api.customer("c2")
    other = api.plan({"metric_id": price["metric_id"], **FLAT})["prices"][0]

    made = [
        create(api, price),
        create(api, other),
        create(api, price, customer_id="c2"),
    ]

    assert [answer.status_code for answer in made] == [201, 201, 201]


def test_a_deleted_override_is_hidden_and_its_time_is_free(api, price):
    override = create(api, price).json()["price_override"]

    deleted = api.delete(f"/v1/price-overrides/{override['id']}")
    again = create(api, price)

    path = f"/v1/price-overrides/{override['id']}"
    assert deleted.json() == {"message": "price override deleted"}
    assert again.status_code == 201
    assert listed(api) == [again.json()["price_override"]["id"]]
    assert [api.get(path).status_code, api.delete(path).status_code] == [404, 404]


def test_a_deleted_override_prices_nothing_more(api, price):
    subscription = api.subscribe(
        api.get("/v1/customers/c1").json()["customer"]["id"], price["plan_id"]
    )
    override = create(api, price, valid_from="2026-01-01T00:00:00Z").json()["price_override"]
    api.ingest(event("1"))
    under_it = api.draft(subscription["id"])

    api.delete(f"/v1/price-overrides/{override['id']}")
    after = api.draft(subscription["id"])

    assert (under_it["subtotal"], after["subtotal"]) == ("1.500000", "2.000000")


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, {}),
        (dict.fromkeys(("model", "unit_price", "tiers", "valid_from", "valid_until")), {}),
        ({"unit_price": "", "model": "", "valid_until": ""}, {}),
        ({"unit_price": "3"}, {"unit_price": "3.000000"}),
        ({"model": "flat"}, {"model": "flat"}),
        ({"valid_from": JANUARY}, {"valid_from": JANUARY}),
        ({"valid_until": APRIL}, {"valid_until": APRIL}),
        (
            {"model": "overage", "tiers": {"overage_price": "1"}},
            {
                "model": "overage",
                "unit_price": "0.000000",
                "tiers": {
                    "included_units": 0,
                    "base_price": "0.000000",
                    "overage_price": "1.000000",
                },
            },
        ),
        ({"customer_id": "c2", "price_id": "x"}, {}),
    ],
)
def test_an_update_changes_what_is_sent_and_leaves_the_rest(api, price, changes, shown):
    made = create(api, price, valid_from=FEBRUARY, valid_until=MARCH).json()["price_override"]

    changed = update(api, made, **changes).json()["price_override"]

    assert {**changed, "updated_at": None} == {**made, **shown, "updated_at": None}
    assert api.get(f"/v1/price-overrides/{made['id']}").json()["price_override"] == changed


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"model": "tiered"}, "tiers"),
        ({"model": "percentage", "tiers": {"rate": "1"}}, "model"),
        ({"unit_price": "-1"}, "unit_price"),
        ({"valid_until": FEBRUARY}, "valid_until"),
        ({"valid_from": MARCH}, "valid_until"),
        ({"valid_from": "never"}, "valid_from"),
    ],
)
def test_a_bad_update_is_refused_and_changes_nothing(api, price, changes, field):
    made = create(api, price, valid_from=FEBRUARY, valid_until=MARCH).json()["price_override"]

    refused = update(api, made, **changes)

    assert (refused.status_code, list(refused.json()["details"])) == (400, [field])
    assert api.get(f"/v1/price-overrides/{made['id']}").json()["price_override"] == made


def test_an_update_never_makes_overrides_overlap(api, price):
    made = create(api, price, valid_from=JANUARY, valid_until=FEBRUARY).json()["price_override"]
    create(api, price, valid_from=FEBRUARY)

    refused = update(api, made, valid_until=MARCH)

    assert refused.status_code == 409
    assert api.get(f"/v1/price-overrides/{made['id']}").json()["price_override"] == made


def test_overrides_are_listed_by_customer_and_price_newest_first(api, price):
    api.customer("c2")
    other = api.plan({"metric_id": price["metric_id"], **FLAT})["prices"][0]
    customer = api.get("/v1/customers/c1").json()["customer"]
    one = create(api, price).json()["price_override"]["id"]
    two = create(api, other).json()["price_override"]["id"]
    three = create(api, price, customer_id="c2").json()["price_override"]["id"]

    assert listed(api) == [three, two, one]
    assert listed(api, customer_id="c1") == listed(api, customer_id=customer["id"]) == [two, one]
    assert listed(api, price_id=price["id"]) == [three, one]
    assert listed(api, customer_id="c2", price_id=price["id"]) == [three]
    assert listed(api, customer_id="", price_id="") == [three, two, one]
    assert listed(api, customer_id="nobody") == listed(api, price_id="no-uuid") == []


def test_overrides_are_paged(api, price):
    create(api, price, valid_from=JANUARY, valid_until=FEBRUARY)
    create(api, price, valid_from=FEBRUARY)

    page = api.get("/v1/price-overrides", params={"limit": 1, "offset": 1}).json()

    assert (page["count"], page["total"], page["has_more"]) == (1, 2, False)
    assert page["price_overrides"][0]["valid_from"] == JANUARY


@pytest.mark.parametrize("path", ["no-uuid", "%00"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_can_be_no_id_is_not_found(api, method, path):
    refused = api.http.request(method, f"/v1/price-overrides/{path}", json={})

    assert (refused.status_code, refused.json()["error"]) == (404, "price_override not found")


@pytest.mark.parametrize("name", ["customer_id", "price_id"])
def test_a_query_that_cannot_be_stored_is_refused(api, name):
    refused = api.get(f"/v1/price-overrides?{name}=%00")

    assert (refused.status_code, list(refused.json()["details"])) == (400, [name])


def test_a_percentage_is_taken_of_a_sum_which_it_stays(api):
    api.customer()
    metric = api.metric("paid", aggregation="sum", aggregation_property="amount")
    counted = api.metric()
    plan = api.plan({"metric_id": metric["id"], **FLAT})
    price = plan["prices"][0]
    made = create(api, price, model="percentage", tiers={"rate": "0.01"})

    as_count = api.put(f"/v1/metrics/{metric['id']}", json={"aggregation": "count"})
    on_count = api.put(
        f"/v1/plans/{plan['id']}",
        json={"prices": [{"id": price["id"], "metric_id": counted["id"], **FLAT}]},
    )

    assert made.status_code == 201
    assert (as_count.status_code, list(as_count.json()["details"])) == (400, ["aggregation"])
    assert (on_count.status_code, list(on_count.json()["details"])) == (
        400,
        ["prices[0].metric_id"],
    )


def test_a_deleted_percentage_binds_its_metric_no_more(api):
    api.customer()
    metric = api.metric("paid", aggregation="sum", aggregation_property="amount")
    price = api.plan({"metric_id": metric["id"], **FLAT})["prices"][0]
    made = create(api, price, model="percentage", tiers={"rate": "0.01"}).json()["price_override"]
    api.delete(f"/v1/price-overrides/{made['id']}")

    edited = api.put(f"/v1/metrics/{metric['id']}", json={"aggregation": "count"})

    assert edited.status_code == 200


def test_an_override_is_edited_and_deleted_after_its_price_and_customer(api, price):
    made = create(api, price).json()["price_override"]
    api.delete("/v1/customers/c1")
    api.delete(f"/v1/plans/{price['plan_id']}")
    api.delete(f"/v1/metrics/{price['metric_id']}")

    edited = update(api, made, unit_price="7")
    deleted = api.delete(f"/v1/price-overrides/{made['id']}")

    assert (edited.status_code, deleted.status_code) == (200, 200)


def test_of_overrides_made_at_the_same_time_one_is_stored(api, price):
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: create(api, price), range(8)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert len(listed(api)) == 1


def test_an_override_waits_for_the_customers_other_changes(api, backend, price):
    customer = api.get("/v1/customers/c1").json()["customer"]

    with hanging(backend, lambda: create(api, price), LOCKED_CUSTOMER, customer["id"]) as answers:
        before = listed(api)

    assert before == []
    assert [answer.status_code for answer in answers] == [201]


COPY = (
    "INSERT INTO price_overrides SELECT (jsonb_populate_record(known,"
    " jsonb_build_object('id', gen_random_uuid()) || $2::text::jsonb)).*"
    " FROM price_overrides AS known WHERE id = $1"
)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("{}", "price_overrides_never_overlap"),
        (f'{{"valid_until": "{APRIL}"}}', "price_overrides_never_overlap"),
        (
            f'{{"valid_from": "{MARCH}", "valid_until": "{FEBRUARY}"}}',
            "price_overrides_end_after_start",
        ),
        ('{"unit_price": -1}', "price_overrides_unit_price_not_negative"),
        ('{"unit_price": null}', "price_overrides_shape_fits_model"),
        ('{"model": "auction"}', "price_overrides_model_known"),
    ],
)
def test_the_database_refuses_what_the_code_does(api, price, change, constraint):
    made = create(api, price, valid_from=FEBRUARY).json()["price_override"]

    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        api.backend.sql(COPY, made["id"], change)

    assert caught.value.constraint_name == constraint


def test_a_time_in_another_zone_is_told_in_utc(api, price):
    override = create(api, price, valid_from="2027-02-01T01:00:00+01:00").json()["price_override"]

    assert override["valid_from"] == FEBRUARY


def test_an_override_may_begin_in_the_past(api, price):
    begin = datetime.fromisoformat(price["created_at"]) - timedelta(days=400)

    override = create(api, price, valid_from=format_instant(begin)).json()["price_override"]

    assert datetime.fromisoformat(override["valid_from"]) == begin

"""Prices in the document: what it says of each model is what is taken, and what is answered."""

import json

import httpx
import jsonschema_rs
import pytest

from support.api import event

TIERS = [{"up_to": 10.5, "unit_amount": "5"}, {"up_to": None, "unit_amount": 1}]
PACKAGE = {"package_size": 1000, "package_price": "500"}
OVERAGE = {"included_units": "0.5", "base_price": "3", "overage_price": "1.5"}
LEGACY_OVERAGE = [{"up_to": 100, "unit_amount": "0"}, {"up_to": None, "unit_amount": "1.5"}]
TERMS = [
    {"model": "flat_unit", "unit_price": "2"},
    {"model": "flat", "unit_price": 2},
    {"model": "per_unit", "unit_price": "0.000000000001"},
    {"model": "tiered", "tiers": TIERS},
    {"model": "graduated", "tiers": TIERS},
    {"model": "volume", "tiers": TIERS},
    {"model": "weighted_tiered", "tiers": TIERS},
    {"model": "package", "tiers": PACKAGE},
    {"model": "package", "tiers": PACKAGE | {"round_up_partial_block": False}},
    {"model": "package", "unit_price": "500", "tiers": {"package_size": 1000}},
    {"model": "overage", "tiers": OVERAGE},
    {"model": "overage", "tiers": LEGACY_OVERAGE},
    {"model": "overage", "unit_price": "1.5"},
    {"model": "percentage", "tiers": {"rate": "0.015", "fixed": "100"}},
    {"model": "percentage", "tiers": {"rate": 0.015}},
]
REFUSED = [
    {"model": "nothing", "unit_price": "2"},
    {"model": "flat_unit"},
    {"model": "tiered", "tiers": PACKAGE},
    {"model": "tiered"},
    {"model": "volume", "tiers": [{"up_to": None}]},
    {"model": "package", "tiers": {"package_price": "500"}},
    {"model": "package", "tiers": TIERS},
    {"model": "percentage", "tiers": {"fixed": "1"}},
]


@pytest.fixture(scope="module")
def document(backend):
    return httpx.get(f"{backend.url}/openapi.json", timeout=60).json()


@pytest.fixture
def kinds_of(document):
    """Which types of the document a value is of, by the component that is a union of them."""

    def is_of(name, value):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        return jsonschema_rs.validator_for(schema).is_valid(value)

    def kinds(name, value):
        union = document["components"]["schemas"][name]["oneOf"]
        names = [one["$ref"].rpartition("/")[2] for one in union]
        return [one for one in names if is_of(one, value)]

    return kinds


def summing(api):
    """A metric that a price of any model may have."""
    return api.metric(aggregation="sum", aggregation_property="n")


def kind_of(document, component, terms):
    """The type that the document's discriminator tells for these terms."""
    mapping = document["components"]["schemas"][component]["discriminator"]["mapping"]
    return mapping[terms["model"]].rpartition("/")[2]


@pytest.mark.parametrize("terms", TERMS, ids=json.dumps)
def test_a_price_is_of_its_models_type_as_it_is_sent_and_as_it_is_answered(
    api, document, kinds_of, terms
):
    sent = {"metric_id": summing(api)["id"], **terms}

    answered = api.plan(sent)["prices"][0]

    assert kinds_of("PriceIn", sent) == [kind_of(document, "PriceIn", terms)]
    assert kinds_of("PriceOut", answered) == [kind_of(document, "PriceOut", terms)]
    assert answered["model"] == terms["model"]


@pytest.mark.parametrize("terms", TERMS, ids=json.dumps)
def test_an_override_is_of_its_models_type_as_it_is_sent_and_as_it_is_answered(
    api, document, kinds_of, terms
):
    flat = {"metric_id": summing(api)["id"], "model": "flat_unit", "unit_price": "1"}
    price = api.plan(flat)["prices"][0]
    sent = {"customer_id": api.customer()["id"], "price_id": price["id"], **terms}

    answered = api.make("/v1/price-overrides", sent, "price_override")

    assert kinds_of("OverrideIn", sent) == [kind_of(document, "OverrideIn", terms)]
    assert kinds_of("OverrideOut", answered) == [kind_of(document, "OverrideOut", terms)]


@pytest.mark.parametrize("terms", TERMS, ids=json.dumps)
def test_an_explained_price_is_of_its_models_type(api, document, kinds_of, terms):
    customer = api.customer()
    plan = api.plan({"metric_id": summing(api)["id"], **terms})
    subscription = api.subscribe(customer["id"], plan["id"])
    api.ingest(event("1", properties={"n": 5000}))
    invoice = api.draft(subscription["id"])

    explained = api.get(f"/v1/invoices/{invoice['id']}/explain").json()["explanation"]

    price = explained["lines"][0]["price"]
    assert kinds_of("PriceThenOut", price) == [kind_of(document, "PriceThenOut", price)]


@pytest.mark.parametrize("terms", REFUSED, ids=json.dumps)
def test_what_the_document_does_not_know_is_refused(api, kinds_of, terms):
    sent = {"metric_id": summing(api)["id"], **terms}

    answer = api.post("/v1/plans", json={"name": "Plan", "prices": [sent]})

    assert kinds_of("PriceIn", sent) == []
    assert answer.status_code == 400

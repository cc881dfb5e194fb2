"""Customers: found by id or external_id, created once, hidden when deleted."""

from uuid import UUID, uuid4

import pytest

from monigo.customers import store
from monigo.customers.types import CustomerDetails
from support.api import Api, event

ADA = {"external_id": "ada", "name": "Ada", "email": "ada@example.com", "metadata": {"tier": 1.5}}


def test_a_customer_is_found_by_id_and_by_external_id(api):
    created = api.make("/v1/customers", {**ADA, "phone": "+2348012345678"}, "customer")

    found = [api.get(f"/v1/customers/{key}").json()["customer"] for key in (created["id"], "ada")]

    assert found == [created, created]
    assert created["phone"] == "+2348012345678"


def test_an_id_is_tried_before_an_external_id(api):
    first = api.customer("first")
    api.customer(first["id"], name="named after another's id")

    found = api.get(f"/v1/customers/{first['id']}").json()["customer"]

    assert found == first


def test_an_external_id_may_look_like_a_uuid(api):
    external_id = str(uuid4())
    customer = api.customer(external_id)

    assert api.get(f"/v1/customers/{external_id}").json()["customer"] == customer


@pytest.mark.parametrize("external_id", ["a b", "a/b", "ä🦄", "..", "%41", "0", "null"])
def test_any_text_may_be_an_external_id(api, external_id):
    customer = api.customer(external_id)
    plan = api.plan()

    subscription = api.subscribe(external_id, plan["id"])

    assert customer["external_id"] == external_id
    assert subscription["customer_id"] == customer["id"]


def test_the_same_content_again_returns_the_existing_customer(api):
    first = api.post("/v1/customers", json=ADA)

    second = api.post("/v1/customers", json=ADA)

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == first.json()
    assert api.get("/v1/customers").json()["total"] == 1


@pytest.mark.parametrize(
    "other",
    [{"name": "Eve"}, {"email": ""}, {"phone": "+1"}, {"metadata": {"tier": 2}}, {"metadata": {}}],
)
def test_other_content_under_the_external_id_is_a_conflict_that_names_it(api, other):
    first = api.make("/v1/customers", ADA, "customer")

    refused = api.post("/v1/customers", json={**ADA, **other})

    assert refused.status_code == 409
    assert "'ada'" in refused.json()["error"]
    assert first["id"] in refused.json()["error"]
    assert api.get("/v1/customers/ada").json()["customer"] == first


def test_customers_without_external_id_are_never_the_same(api):
    ids = {api.post("/v1/customers", json={"name": "Ada"}).json()["customer"]["id"]} | {
        api.post("/v1/customers", json={"name": "Ada"}).json()["customer"]["id"]
    }

    assert len(ids) == 2


def test_an_update_changes_what_is_sent(api):
    api.make("/v1/customers", ADA, "customer")

    updated = api.put("/v1/customers/ada", json={"name": "Ada L.", "email": ""}).json()["customer"]

    assert (updated["name"], updated["email"], updated["metadata"]) == ("Ada L.", "", {"tier": 1.5})
    assert updated["updated_at"] > updated["created_at"]
    assert api.get("/v1/customers/ada").json()["customer"] == updated


def test_an_update_may_not_take_anothers_external_id(api):
    api.customer("ada")
    eve = api.customer("eve")

    refused = api.put("/v1/customers/eve", json={"external_id": "ada"})

    assert refused.status_code == 409
    assert api.get("/v1/customers/eve").json()["customer"] == eve


def test_a_deleted_customer_is_gone_and_its_external_id_free(api):
    first = api.make("/v1/customers", ADA, "customer")
    api.delete("/v1/customers/ada")

    second = api.post("/v1/customers", json={**ADA, "name": "Another"})

    assert second.status_code == 201
    assert api.get(f"/v1/customers/{first['id']}").status_code == 404
    assert api.delete(f"/v1/customers/{first['id']}").status_code == 404
    assert api.put(f"/v1/customers/{first['id']}", json={}).status_code == 404
    listed = api.get("/v1/customers").json()
    assert [known["name"] for known in listed["customers"]] == ["Another"]
    assert (listed["count"], listed["total"], listed["has_more"]) == (1, 1, False)


def test_a_deleted_customer_is_not_even_changed_by_who_found_it_before(api):
    ada = api.make("/v1/customers", ADA, "customer")
    api.delete("/v1/customers/ada")

    async def change():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            details = CustomerDetails("ada", "Changed", "", "", {})
            return await store.update(tx, UUID(ada["id"]), details)

    assert api.backend.run(change()) is None
    (known,) = api.backend.sql("SELECT name FROM customers WHERE id = $1", UUID(ada["id"]))
    assert known["name"] == "Ada"


def test_who_is_created_again_is_the_living_one_and_not_a_deleted_one_of_the_same_name(api):
    api.make("/v1/customers", ADA, "customer")
    api.delete("/v1/customers/ada")
    living = api.make("/v1/customers", {**ADA, "name": "Another"}, "customer")

    again = api.post("/v1/customers", json={**ADA, "name": "Another"})
    as_the_deleted_one = api.post("/v1/customers", json=ADA)

    assert (again.status_code, again.json()["customer"]["id"]) == (200, living["id"])
    assert as_the_deleted_one.status_code == 409
    assert api.get("/v1/customers/ada").json()["customer"] == living


def test_events_of_a_deleted_customer_are_refused(api):
    api.customer("ada")
    api.delete("/v1/customers/ada")

    refused = api.post("/v1/ingest", json={"events": [event("1", "ada")]})

    assert refused.status_code == 400
    assert list(refused.json()["details"]) == ["events[0].customer_id"]


@pytest.mark.parametrize("status", ["active", "paused"])
def test_a_customer_with_a_subscription_is_not_deleted(api, status):
    customer, *_, subscription = api.subscribed_customer()
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": status})

    refused = api.delete(f"/v1/customers/{customer['id']}")

    assert (refused.status_code, "subscription" in refused.json()["error"]) == (409, True)
    assert api.get(f"/v1/customers/{customer['id']}").status_code == 200


def test_a_customer_who_owes_is_not_deleted_until_the_invoice_is_void(api):
    customer, *_, subscription = api.subscribed_customer()
    api.ingest(event("1"))
    api.delete(f"/v1/subscriptions/{subscription['id']}")
    invoice = api.get("/v1/invoices").json()["invoices"][0]

    refused = api.delete(f"/v1/customers/{customer['id']}")
    api.post(f"/v1/invoices/{invoice['id']}/void")
    deleted = api.delete(f"/v1/customers/{customer['id']}")

    assert (refused.status_code, "unpaid invoice" in refused.json()["error"]) == (409, True)
    assert deleted.status_code == 200
    assert api.get(f"/v1/invoices/{invoice['id']}").json()["invoice"]["status"] == "void"


def test_customers_are_listed_newest_first_and_paged(api):
    for number in range(5):
        api.customer(f"c{number}")

    page = api.get("/v1/customers", params={"limit": 2, "offset": 1}).json()

    assert [known["external_id"] for known in page.pop("customers")] == ["c3", "c2"]
    assert page == {"count": 2, "total": 5, "has_more": True}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_anothers_customer_is_unknown(api, backend, method):
    customer = api.customer("ada")

    with (
        Api.of_new_organization(backend) as other,
        Api.of(backend, api.org_id, is_test=False) as live,
    ):
        statuses = [
            client.http.request(method, f"/v1/customers/{reference}", json={}).status_code
            for client in (other, live)
            for reference in (customer["id"], "ada")
        ]

    assert statuses == [404] * 4
    assert api.get("/v1/customers/ada").json()["customer"] == customer

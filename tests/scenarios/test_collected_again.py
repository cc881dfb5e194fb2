"""What kept invoices from being charged has changed: they are looked at again by themselves."""

from datetime import timedelta

import pytest

from monigo import collection, tenancy
from monigo.collection import RETRY_WAITING
from support.agenda import do, entries
from support.payments import connect
from support.stories import Story
from support.verification import faults


@pytest.fixture
def story(api):
    story = Story(api)
    yield story
    assert faults(api.backend, api.tenant) == []


def toggle(story, connection=None):
    story.make(f"/v1/payment-connections/{(connection or story.connection)['id']}/toggle")


def test_an_invoice_is_tried_again_once_its_connection_is_on(story):
    story.save_card()
    toggle(story)
    invoice = story.owe()
    assert invoice["status"] == "finalized"
    assert "switched off" in invoice["collection_reason"]

    toggle(story)
    story.collect()

    shown = story.invoice()
    assert (shown["status"], shown["collection_reason"]) == ("paid", "")


def test_an_invoice_is_tried_again_once_its_connection_takes_the_currency(story):
    story.save_card()
    path = f"/v1/payment-connections/{story.connection['id']}"
    story.api.put(path, json={"supported_currencies": ["GHS"]})
    invoice = story.owe()
    assert "does not collect NGN" in invoice["collection_reason"]

    story.api.put(path, json={"supported_currencies": ["GHS", "NGN"]})
    story.collect()

    assert story.invoice()["status"] == "paid"


def test_without_a_connection_nothing_is_tried_until_there_is_one(story):
    story.api.delete(f"/v1/payment-connections/{story.connection['id']}")
    invoice = story.owe()
    assert invoice["collection_reason"] == "no payment connection collects NGN"

    connect(story.api, "flutterwave")
    story.collect()

    assert "can be paid by a link" in story.invoice()["collection_reason"]


def test_an_invoice_is_tried_again_once_its_customer_has_an_email(story):
    story.without_email()
    invoice = story.owe()
    assert "no e-mail address" in invoice["collection_reason"]
    path = f"/v1/invoices/{invoice['id']}/initiate-payment"
    assert story.api.post(path).json()["code"] == "customer_without_email"

    story.api.put("/v1/customers/ada", json={"email": "ada@example.com"})
    story.collect()

    assert "can be paid by a link" in story.invoice()["collection_reason"]
    story.pay_by_link(invoice)
    assert story.invoice()["status"] == "paid"


def test_a_suspended_organization_is_collected_for_once_it_is_active(story):
    story.save_card()
    database, org_id = story.api.backend.services.database, story.api.org_id
    story.ride(calls=3)
    draft = story.api.draft(story.subscription["id"])
    story.api.finalize(draft["id"])
    story.run(tenancy.suspend_organization(database, org_id))
    story.work()
    assert story.reason(draft) == "the organization is suspended"

    story.run(tenancy.activate_organization(database, org_id))
    story.look_twice()

    assert "on its way" in story.reason(draft)


def test_what_was_noted_as_a_connection_changed_is_found_by_a_second_look(story):
    toggle(story)
    invoice = story.owe()
    toggle(story)
    story.look_twice()
    # A slice that had read the connections before writes that none was on.
    story.api.backend.sql(
        "UPDATE invoice_collections SET waits_for = 'connection' WHERE invoice_id = $1",
        invoice["id"],
    )
    toggle(story)
    toggle(story)
    do(story.api, RETRY_WAITING)
    (look,) = entries(story.api.backend, story.api.tenant, collection.RETRY_WAITING.kind)

    story.look_twice()

    now = story.api.backend.clock.now()
    assert timedelta(0) < look["due_at"] - now <= timedelta(minutes=1)
    assert story.waits_for(invoice) == ""


def test_a_dunning_day_is_not_brought_forward_by_a_connection(story):
    story.save_card()
    story.script("failed")
    invoice = story.owe()
    assert invoice["next_collection_at"] == "2027-02-02T00:00:00Z"

    toggle(story)
    toggle(story)
    story.collect()

    shown = story.invoice()
    assert (shown["status"], shown["next_collection_at"]) == (
        "payment_failed",
        "2027-02-02T00:00:00Z",
    )
    assert len(story.transactions(invoice)) == 1

"""Money that comes in for invoices, whatever they are by then, and tries that failed."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from monigo import invoicing, subscriptions
from monigo.core.money import Money
from monigo.core.times import format_instant, parse_instant
from support.api import event
from support.verification import faults


@pytest.fixture
def invoice(api):
    """A final invoice of 40."""
    *_, subscription = api.subscribed_customer(unit_price="40")
    api.ingest(event("1"))
    return api.finalize(api.draft(subscription["id"])["id"])


@pytest.fixture(autouse=True)
def _all_agrees(api, backend):
    yield
    assert faults(backend, api.tenant) == []


def run(api, work, *arguments, **options):
    async def once():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            return await work(tx, *arguments, **options)

    return api.backend.run(once())


def receive(api, invoice, amount):
    money = Money(Decimal(amount), "NGN")
    received = invoicing.Received(money, "mo1", api.backend.clock.now(), is_by_provider=True)
    return run(api, invoicing.receive, [(UUID(invoice["id"]), received)])[0]


def told(api, invoice):
    return api.get(f"/v1/invoices/{invoice['id']}").json()["invoice"]


def balances(api):
    found = api.get("/v1/wallets").json()["wallets"]
    return [one["balance"] for one in found]


def events_of(api, kind):
    found = api.get("/v1/billing-events").json()["events"]
    return [one["data"] for one in found if one["type"] == kind]


def test_what_is_received_in_parts_pays_and_the_excess_opens_a_wallet(api, invoice):
    first = receive(api, invoice, "15")
    second = receive(api, invoice, "30")
    third = receive(api, invoice, "7")

    assert [one.excess.amount for one in (first, second, third)] == [0, 5, 7]
    found = told(api, invoice)
    assert (found["status"], found["amount_due"]) == ("paid", "0.000000")
    assert balances(api) == ["12.000000"]
    assert len(events_of(api, "invoice.paid")) == 1


def test_what_comes_for_a_void_invoice_goes_to_the_wallet(api, invoice):
    api.post(f"/v1/invoices/{invoice['id']}/void")

    found = receive(api, invoice, "40")

    assert (found.taken.amount, found.excess.amount) == (0, 40)
    assert told(api, invoice)["status"] == "void"
    assert balances(api) == ["40.000000"]


def test_voiding_gives_to_the_wallet_what_a_provider_received(api, invoice):
    receive(api, invoice, "15")
    run(api, invoicing.note_refund, invoice["id"], taken_back=Decimal(4))

    answer = api.post(f"/v1/invoices/{invoice['id']}/void")

    assert answer.json()["invoice"]["amount_paid"] == "0.000000"
    assert balances(api) == ["11.000000"]


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_no_status_of_a_wallet_sends_money_back(api, invoice, status):
    wallet = api.wallet()
    api.patch(f"/v1/wallets/{wallet['id']}", json={"status": status})

    receive(api, invoice, "41")

    assert balances(api) == ["1.000000"]


def test_failed_tries_lead_to_uncollectible_which_can_still_be_paid(api, invoice):
    run(api, invoicing.mark_uncollectible, invoice["id"])
    assert told(api, invoice)["status"] == "finalized"
    run(api, invoicing.mark_payments_failed, [UUID(invoice["id"])])
    run(api, invoicing.mark_payments_failed, [UUID(invoice["id"])])
    assert told(api, invoice)["status"] == "payment_failed"
    assert len(events_of(api, "invoice.payment_failed")) == 2
    run(api, invoicing.mark_uncollectible, invoice["id"])
    run(api, invoicing.mark_payments_failed, [UUID(invoice["id"])])
    assert told(api, invoice)["status"] == "uncollectible"

    receive(api, invoice, "40")

    assert told(api, invoice)["status"] == "paid"
    run(api, invoicing.mark_payments_failed, [UUID(invoice["id"])])
    assert told(api, invoice)["status"] == "paid"


def test_why_it_is_not_paid_is_told_until_it_is(api, invoice):
    at = api.backend.clock.now() + timedelta(days=1)
    run(api, invoicing.note_collection, {invoice["id"]: ("the card was declined", at)})
    found = told(api, invoice)
    assert (found["collection_reason"], parse_instant(found["next_collection_at"])) == (
        "the card was declined",
        at,
    )

    receive(api, invoice, "40")

    found = told(api, invoice)
    assert (found["collection_reason"], found["next_collection_at"]) == ("", None)


@pytest.mark.parametrize(
    ("terms", "zone", "expected"),
    [
        (0, "UTC", "2027-02-02T00:00:00Z"),
        # In Lagos it is an hour later, and already the next day.
        (0, "Africa/Lagos", "2027-02-02T23:00:00Z"),
        (14, "Africa/Lagos", "2027-02-15T23:30:00Z"),
    ],
)
def test_an_invoice_is_due_after_the_terms_or_as_the_local_day_ends(api, terms, zone, expected):
    changes = {"payment_terms_days": terms, "timezone": zone}
    assert api.patch("/v1/organization", json=changes).status_code == 200
    *_, subscription = api.subscribed_customer()
    api.post("/v1/test-clock/advance", json={"to": "2027-02-01T23:30:00Z"})
    draft = api.draft(subscription["id"])
    assert draft["due_date"] is None

    assert api.finalize(draft["id"])["due_date"] == expected


def test_a_suspended_subscription_is_only_lifted_by_collection(api, invoice):
    subscription_id = invoice["subscription_id"]
    path = f"/v1/subscriptions/{subscription_id}"
    before = api.backend.clock.now()
    run(api, invoicing.suspend_unpaid, invoicing_id(api, invoice))

    assert api.get(path).json()["subscription"]["status"] == "suspended"
    assert api.patch(path, json={"status": "active"}).status_code == 409
    assert len(events_of(api, "subscription.suspended")) == 1
    to = format_instant(before + timedelta(days=40))
    api.post("/v1/test-clock/advance", json={"to": to})
    run(api, invoicing.lift_suspension, invoicing_id(api, invoice))

    assert api.get(path).json()["subscription"]["status"] == "active"
    run(api, invoicing.lift_suspension, invoicing_id(api, invoice))


def invoicing_id(api, invoice):
    return run(api, subscriptions.get, invoice["subscription_id"]).id


def test_the_database_lets_no_more_go_back_than_was_paid(api, invoice):
    receive(api, invoice, "15")

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        run(api, invoicing.note_refund, invoice["id"], refunded=Decimal(16))

    assert refused.value.constraint_name == "invoices_refunds_within_payments"

"""Plans that are paid from wallets: what is there is billed, what is lacking pauses."""

import pytest

from monigo import invoicing, metering
from support.agenda import do
from support.api import event
from support.verification import faults

START = "2027-01-31T10:00:00Z"


@pytest.fixture
def wallet(api):
    """The customer's wallet."""
    api.customer()
    return api.make("/v1/wallets", {"customer_id": "c1", "currency": "NGN"}, "wallet")


@pytest.fixture(autouse=True)
def verified(api, backend):
    """Each of these stories ends with invoices that the ledger agrees with."""
    yield
    assert faults(backend, api.tenant) == []


def credit(api, wallet, amount, key):
    body = {
        "amount": amount,
        "currency": "NGN",
        "entry_type": "deposit",
        "idempotency_key": key,
    }
    response = api.post(f"/v1/wallets/{wallet['id']}/credit", json=body)
    assert response.status_code in {200, 201}, response.text


def balance(api, wallet):
    return api.get(f"/v1/wallets/{wallet['id']}").json()["wallet"]["balance"]


def plan_of(api, billing_mode, **fields):
    metric = api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "100"}
    return api.plan(price, billing_mode=billing_mode, **fields)


def work(backend, api):
    """What the workers would do in the next seconds."""
    backend.run(metering.fold_all(backend.services.database))
    do(api, invoicing.WAKE, invoicing.CLOSE, invoicing.CHARGE)


def status(api, subscription):
    return api.get(f"/v1/subscriptions/{subscription['id']}").json()["subscription"]["status"]


def cancel(api, subscription):
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "canceled"})


def bills(api):
    invoices = api.get("/v1/invoices").json()["invoices"]
    return [
        (item["kind"], item["status"], item["period_start"][:10], item["total"])
        for item in sorted(invoices, key=lambda item: (item["period_start"], item["created_at"]))
    ]


def test_a_prepaid_period_is_paid_from_the_wallet(api, wallet, clock):
    clock(START)
    api.subscribe("c1", plan_of(api, "prepaid")["id"])
    credit(api, wallet, "500", "top-up")
    api.ingest(event("1"), event("2"))

    clock("2027-02-28T10:00:00Z")

    assert bills(api) == [("closing", "paid", "2027-01-31", "200.000000")]
    assert balance(api, wallet) == "300.000000"


def test_a_lack_pauses_and_a_credit_bills_and_resumes(api, backend, wallet, clock):
    clock(START)
    subscription = api.subscribe("c1", plan_of(api, "prepaid")["id"])
    api.ingest(event("1"))
    clock("2027-02-28T10:00:00Z")
    lacking = (status(api, subscription), bills(api))
    clock("2027-03-02T00:00:00Z")
    api.ingest(event("while-paused"))
    clock("2027-03-03T00:00:00Z")

    credit(api, wallet, "150", "top-up")
    work(backend, api)

    assert lacking == ("paused", [("closing", "draft", "2027-01-31", "100.000000")])
    assert status(api, subscription) == "active"
    assert bills(api) == [("closing", "paid", "2027-01-31", "100.000000")]
    clock("2027-03-31T10:00:00Z")
    assert bills(api)[-1] == ("closing", "paid", "2027-02-28", "0.000000")
    assert balance(api, wallet) == "50.000000"


def test_resuming_by_hand_needs_the_balance(api, wallet, clock):
    clock(START)
    subscription = api.subscribe("c1", plan_of(api, "prepaid")["id"])
    api.ingest(event("1"))
    clock("2027-02-28T10:00:00Z")
    path = f"/v1/subscriptions/{subscription['id']}"
    refused = api.patch(path, json={"status": "active"})
    credit(api, wallet, "100", "top-up")

    resumed = api.patch(path, json={"status": "active"})

    assert (refused.status_code, resumed.status_code) == (402, 200)
    assert resumed.json()["subscription"]["status"] == "active"
    assert bills(api) == [("closing", "paid", "2027-01-31", "100.000000")]


def test_finalizing_a_prepaid_draft_debits_or_refuses(api, wallet, clock):
    clock(START)
    subscription = api.subscribe("c1", plan_of(api, "prepaid")["id"])
    api.ingest(event("1"))
    draft = api.draft(subscription["id"])
    refused = api.post(f"/v1/invoices/{draft['id']}/finalize")
    credit(api, wallet, "150", "top-up")

    final = api.finalize(draft["id"])

    assert refused.status_code == 402
    assert (final["status"], final["total"]) == ("paid", "100.000000")
    assert balance(api, wallet) == "50.000000"


def test_a_cancel_while_short_leaves_an_invoice_that_a_credit_pays(api, backend, wallet, clock):
    clock(START)
    subscription = api.subscribe("c1", plan_of(api, "prepaid")["id"])
    api.ingest(event("1"))
    clock("2027-02-10T00:00:00Z")
    cancel(api, subscription)
    owed = bills(api)

    credit(api, wallet, "100", "top-up")
    work(backend, api)

    assert owed == [("closing", "finalized", "2027-01-31", "100.000000")]
    assert bills(api) == [("closing", "paid", "2027-01-31", "100.000000")]
    assert balance(api, wallet) == "0.000000"


def test_credits_pay_before_money(api, wallet, clock):
    clock(START)
    api.subscribe("c1", plan_of(api, "prepaid")["id"])
    credit(api, wallet, "500", "top-up")
    grant = {"amount": "30", "currency": "NGN", "idempotency_key": "grant"}
    granted = api.post(f"/v1/wallets/{wallet['id']}/credits", json=grant)
    api.ingest(event("1"))

    clock("2027-02-28T10:00:00Z")

    assert granted.status_code == 201
    assert balance(api, wallet) == "430.000000"


def test_realtime_usage_is_charged_as_it_comes_and_closes_paid(api, backend, wallet, clock):
    clock(START)
    subscription = api.subscribe("c1", plan_of(api, "realtime")["id"])
    credit(api, wallet, "1000", "top-up")
    api.ingest(event("1"), event("2"))
    work(backend, api)
    charged = balance(api, wallet)
    api.ingest(event("3"))
    work(backend, api)

    clock("2027-02-28T10:00:00Z")

    assert charged == "800.000000"
    assert status(api, subscription) == "active"
    assert bills(api) == [("closing", "paid", "2027-01-31", "300.000000")]
    assert balance(api, wallet) == "700.000000"


def test_an_exhausted_wallet_pauses_realtime_until_the_rest_is_paid(api, backend, wallet, clock):
    clock(START)
    subscription = api.subscribe("c1", plan_of(api, "realtime")["id"])
    credit(api, wallet, "150", "top-up")
    api.ingest(event("1"), event("2"))
    work(backend, api)
    exhausted = (status(api, subscription), balance(api, wallet))

    credit(api, wallet, "60", "more")
    work(backend, api)

    assert exhausted == ("paused", "0.000000")
    assert (status(api, subscription), balance(api, wallet)) == ("active", "10.000000")


def test_what_realtime_took_too_much_goes_back_at_the_close(api, backend, wallet, clock):
    clock(START)
    metric = api.metric("refundable", aggregation="sum", aggregation_property="amount")
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    api.subscribe("c1", api.plan(price, billing_mode="realtime")["id"])
    credit(api, wallet, "500", "top-up")
    api.ingest(event("1", name="refundable", properties={"amount": 300}))
    work(backend, api)
    api.ingest(event("2", name="refundable", properties={"amount": -100}))

    clock("2027-02-28T10:00:00Z")

    assert bills(api) == [("closing", "paid", "2027-01-31", "200.000000")]
    assert balance(api, wallet) == "300.000000"


def test_a_cancel_while_realtime_is_exhausted_leaves_only_the_rest_to_pay(
    api, backend, wallet, clock
):
    clock(START)
    subscription = api.subscribe("c1", plan_of(api, "realtime")["id"])
    credit(api, wallet, "150", "top-up")
    api.ingest(event("1"), event("2"))
    work(backend, api)
    clock("2027-02-10T00:00:00Z")
    cancel(api, subscription)
    owed = bills(api)

    credit(api, wallet, "60", "more")
    work(backend, api)

    assert owed == [("closing", "finalized", "2027-01-31", "200.000000")]
    assert bills(api) == [("closing", "paid", "2027-01-31", "200.000000")]
    assert balance(api, wallet) == "10.000000"


@pytest.mark.parametrize("settle", ["void", "mark-paid"])
def test_what_realtime_took_for_an_invoice_settled_elsewhere_goes_back(
    api, backend, wallet, clock, settle
):
    clock(START)
    plan = plan_of(api, "realtime")
    credit(api, wallet, "150", "top-up")
    first = api.subscribe("c1", plan["id"])
    api.ingest(event("1"), event("2"))
    work(backend, api)
    clock("2027-02-10T00:00:00Z")
    cancel(api, first)
    second = api.subscribe("c1", plan["id"])
    api.ingest(event("3"))
    clock("2027-02-12T00:00:00Z")
    cancel(api, second)
    (invoice,) = [
        one
        for one in api.get("/v1/invoices").json()["invoices"]
        if one["subscription_id"] == first["id"]
    ]

    elsewhere = {"reference": "bank 17", "whole": True}
    answer = api.post(f"/v1/invoices/{invoice['id']}/{settle}", json=elsewhere)
    given_back = balance(api, wallet)
    work(backend, api)

    assert given_back == "150.000000"
    assert bills(api) == [
        ("closing", {"void": "void", "mark-paid": "paid"}[settle], "2027-01-31", "200.000000"),
        ("closing", "paid", "2027-02-10", "100.000000"),
    ], answer.text
    assert balance(api, wallet) == "50.000000"


def test_voiding_the_draft_of_a_running_realtime_period_gives_nothing_back(
    api, backend, wallet, clock
):
    clock(START)
    subscription = api.subscribe("c1", plan_of(api, "realtime")["id"])
    credit(api, wallet, "150", "top-up")
    api.ingest(event("1"))
    work(backend, api)
    draft = api.draft(subscription["id"])

    answer = api.post(f"/v1/invoices/{draft['id']}/void")

    assert answer.status_code == 200, answer.text
    assert balance(api, wallet) == "50.000000"


def test_a_payout_plan_takes_nothing_from_a_wallet(api):
    refused = api.post(
        "/v1/plans", json={"name": "P", "plan_type": "payout", "billing_mode": "prepaid"}
    )

    assert refused.status_code == 400
    assert "billing_mode" in refused.json()["details"]

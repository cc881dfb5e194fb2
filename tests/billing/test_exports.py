"""Invoices, bills and revenue as CSV: every row once, exact, nothing that a spreadsheet runs."""

import csv
import io

import pytest

from monigo.invoicing.export import service as export
from support.api import Api, event

START = "2027-01-31T10:00:00Z"
FIRST_END = "2027-02-28T10:00:00Z"
SECOND_END = "2027-03-31T10:00:00Z"
FACES = ["/v1", "/api/v1"]


def exported(api, what, face="/v1", **query):
    response = api.get(f"{face}/{what}/export", params=query)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


def subscribed(api, customer_id, **plan):
    metric = api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "100"}
    return api.subscribe(customer_id, api.plan(price, **plan)["id"])


@pytest.fixture
def billed(api, clock):
    """A customer with a paid invoice, an unpaid one and a void one over two periods, and VAT."""
    api.patch("/v1/organization", json={"vat_enabled": True, "vat_rate": 7.5})
    clock(START)
    customer = api.customer(name="=cmd|' /C calc'!A0")
    subscription = subscribed(api, customer["id"], name="+plan")
    api.ingest(event("1"))
    void = api.finalize(api.draft(subscription["id"])["id"])
    api.post(f"/v1/invoices/{void['id']}/void")
    paid = api.finalize(api.draft(subscription["id"])["id"])
    api.post(f"/v1/invoices/{paid['id']}/mark-paid", json={"reference": "@bank"})
    api.ingest(event("2"), event("3"))
    clock(SECOND_END)
    return customer, subscription


@pytest.mark.parametrize("face", FACES)
def test_invoices_come_newest_first_with_all_that_the_books_need(api, billed, face):
    customer, subscription = billed

    rows = exported(api, "invoices", face)

    assert [row["number"] for row in rows] == [
        "INV-000004",
        "INV-000003",
        "INV-000002",
        "INV-000001",
    ]
    assert rows[2] == {
        "id": rows[2]["id"],
        "number": "INV-000002",
        "customer_id": customer["id"],
        "customer_name": "'=cmd|' /C calc'!A0",
        "subscription_id": subscription["id"],
        "kind": "interim",
        "status": "paid",
        "currency": "NGN",
        "subtotal": "100.000000",
        "vat_rate": "7.5",
        "vat_amount": "7.500000",
        "total": "107.500000",
        "period_start": START,
        "period_end": FIRST_END,
        "created_at": START,
        "finalized_at": START,
        "due_date": "2027-02-01T00:00:00Z",
        "paid_at": START,
        "voided_at": "",
        "paid_reference": "'@bank",
        "amount_paid": "107.500000",
        "amount_due": "0.000000",
    }


@pytest.mark.usefixtures("billed")
def test_an_export_is_limited_as_the_list_is(api):
    assert [row["number"] for row in exported(api, "invoices", status="void")] == ["INV-000001"]
    assert len(exported(api, "invoices", customer_id="c1")) == 4
    assert exported(api, "invoices", customer_id="nobody") == []
    assert api.get("/v1/invoices/export", params={"status": "nonsense"}).status_code == 400


@pytest.mark.usefixtures("billed")
def test_an_export_of_many_pages_has_every_invoice_once(api, monkeypatch):
    whole = exported(api, "invoices")
    monkeypatch.setattr(export, "INVOICES_AT_ONCE", 1)

    assert exported(api, "invoices") == whole


@pytest.mark.parametrize("face", FACES)
def test_bills_come_with_their_withholding_tax_and_their_own_states(api, clock, face):
    api.patch("/v1/organization", json={"wht_enabled": True, "wht_rate": 5})
    clock(START)
    subscribed(api, api.customer(name="Ada")["id"], plan_type="payout")
    api.ingest(event("1"))
    clock(FIRST_END)
    (bill,) = api.get("/v1/bills").json()["bills"]
    api.post(f"/v1/bills/{bill['id']}/void")

    (row,) = exported(api, "bills", face)

    assert (row["number"], row["status"], row["customer_name"]) == ("BILL-000001", "voided", "Ada")
    assert (row["wht_rate"], row["wht_amount"], row["total"]) == ("5", "5.000000", "95.000000")
    assert exported(api, "invoices") == []
    assert len(exported(api, "bills", status="voided")) == 1
    assert len(exported(api, "bills", status="void")) == 1
    assert api.get("/v1/bills/export", params={"status": "cancelled"}).status_code == 400


@pytest.mark.parametrize("face", FACES)
def test_revenue_is_told_by_month_currency_and_plan(api, billed, face):
    _, subscription = billed

    january, february, march = exported(api, "reports", face)

    assert january == {
        "month": "2027-01",
        "currency": "NGN",
        "plan_id": subscription["plan_id"],
        "plan_name": "'+plan",
        "invoices": "1",
        "subtotal": "100.000000",
        "vat_amount": "7.500000",
        "total": "107.500000",
        "paid": "107.500000",
        "outstanding": "0.000000",
        "uncollectible": "0.000000",
    }
    assert (february["month"], february["total"], february["outstanding"]) == (
        "2027-02",
        "215.000000",
        "215.000000",
    )
    assert (march["month"], march["total"]) == ("2027-03", "0.000000")


def test_months_are_the_organisations(api, clock):
    api.patch("/v1/organization", json={"timezone": "Pacific/Auckland"})
    clock(START)
    subscription = subscribed(api, api.customer()["id"])
    api.ingest(event("1"))
    clock("2027-01-31T11:30:00Z")
    api.finalize(api.draft(subscription["id"])["id"])

    (row,) = exported(api, "reports")

    assert row["month"] == "2027-02"


@pytest.mark.usefixtures("billed")
def test_a_range_reaches_back_to_a_whole_month(api):
    months = {
        span: [row["month"] for row in exported(api, "reports", range=span)]
        for span in ["all", "", "40d", "29d"]
    }

    assert months == {
        "all": ["2027-01", "2027-02", "2027-03"],
        "": ["2027-01", "2027-02", "2027-03"],
        "40d": ["2027-02", "2027-03"],
        "29d": ["2027-03"],
    }


@pytest.mark.parametrize("span", ["0d", "30", "d", "-1d", "100000d", "months", "Today"])
def test_a_range_that_is_none_is_refused(api, span):
    answer = api.get("/v1/reports/export", params={"range": span})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["range"])


@pytest.mark.parametrize("what", ["invoices", "bills", "reports"])
def test_no_export_shows_another_tenants_rows(api, backend, billed, what):
    customer, _ = billed

    with Api.of(backend, api.org_id, is_test=False) as live, Api.of_new_organization(backend) as b:
        shown = [exported(other, what, customer_id=customer["id"]) for other in (live, b)]

    assert shown == [[], []]

"""What the billing cycle can't do is refused, naming the field, and changes nothing.

Faults of single fields stand in tests/api; here are those that a subscription's or invoice's state
makes, and those of the fields that only billing over time has.
"""

from types import SimpleNamespace

import pytest

from support.api import Api, event
from support.refusals import assert_refused, send
from support.snapshot import snapshot

START, NOW = "2027-01-31T10:00:00Z", "2027-03-10T00:00:00Z"
UNKNOWN = "0f6b2a4e-8c1d-4e5f-9a7b-3c2d1e0f9a8b"
NUL = r"\u0000"
LONG = "x" * 256


@pytest.fixture(scope="module")
def world(backend):
    """Subscriptions and invoices in every state, as of NOW. No test here changes them."""
    with Api.of_new_organization(backend) as api:
        to(api, START)
        metric = api.metric()
        price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "2"}
        plans = {
            "plan": api.plan(price),
            "usd": api.plan(price, currency="USD"),
            "weekly": api.plan(price, billing_period="weekly"),
            "payout_plan": api.plan(price, plan_type="payout"),
            "trial_plan": api.plan(price, trial_period_days=60),
        }
        ids = {name: plan["id"] for name, plan in plans.items()} | {"unknown": UNKNOWN}
        for name, plan, fields in (
            ("running", "plan", {}),
            ("unused", "plan", {}),
            ("voided", "plan", {}),
            ("paused", "plan", {}),
            ("canceled", "plan", {}),
            ("anchored", "plan", {"billing_anchor": "month_start"}),
            ("future", "plan", {"start_date": "2027-04-01T00:00:00Z"}),
            ("trial", "trial_plan", {}),
            ("payout", "payout_plan", {}),
        ):
            customer = api.customer(name)["id"]
            ids[name] = api.subscribe(customer, ids[plan], **fields)["id"]
            if name != "unused":
                api.ingest(event(name, name))
        to(api, NOW)
        ids |= {f"{name}_invoice": invoice(api, name) for name in ("running", "unused", "voided")}
        ids["payout_bill"] = api.get("/v1/bills").json()["bills"][0]["id"]
        ids["draft"] = api.draft(ids["running"])["id"]
        api.post(f"/v1/invoices/{ids['voided_invoice']}/void")
        api.patch(f"/v1/subscriptions/{ids['paused']}", json={"status": "paused"})
        api.patch(f"/v1/subscriptions/{ids['canceled']}", json={"status": "canceled"})
        yield SimpleNamespace(api=api, ids=ids, before=snapshot(api))


def to(api, instant):
    assert api.post("/v1/test-clock/advance", json={"to": instant}).status_code == 200


def invoice(api, customer):
    return api.get("/v1/invoices", params={"customer_id": customer}).json()["invoices"][0]["id"]


# (status, subscription, body, the fields at fault)
CHANGE_FAULTS = [
    (400, "running", '{"plan_id": "no-uuid"}', "plan_id"),
    (400, "running", '{"plan_id": ""}', "plan_id"),
    (400, "running", '{"plan_id": 5}', "plan_id"),
    (400, "running", f'{{"plan_id": "{NUL}"}}', "plan_id"),
    (400, "running", '{"plan_id": "$usd", "status": "paused"}', "plan_id", "status"),
    (
        400,
        "running",
        '{"status": "canceled", "cancel_at_period_end": true}',
        "status",
        "cancel_at_period_end",
    ),
    (400, "running", '{"plan_id": null, "cancel_at_period_end": null}', "status"),
    (400, "running", '{"cancel_at_period_end": "perhaps"}', "cancel_at_period_end"),
    (400, "running", '{"cancel_at_period_end": 1e999999999}', "cancel_at_period_end"),
    (400, "running", '{"cancel_at_period_end": []}', "cancel_at_period_end"),
    (400, "anchored", '{"plan_id": "$weekly"}', "plan_id"),
    (404, "running", '{"plan_id": "$unknown"}', "plan_id"),
    (404, "unknown", '{"plan_id": "$usd"}'),
    (404, "unknown", '{"cancel_at_period_end": true}'),
    (404, "unknown", '{"status": "paused"}'),
    (409, "running", '{"plan_id": "$plan"}'),
    (409, "running", '{"plan_id": "$usd"}'),
    (409, "running", '{"plan_id": "$payout_plan"}'),
    (409, "paused", '{"plan_id": "$weekly"}'),
    (409, "paused", '{"status": "paused"}'),
    (409, "canceled", '{"plan_id": "$weekly"}'),
    (409, "canceled", '{"status": "active"}'),
    (409, "canceled", '{"status": "paused"}'),
    (409, "canceled", '{"status": "canceled"}'),
    (409, "canceled", '{"cancel_at_period_end": true}'),
    (409, "canceled", '{"cancel_at_period_end": false}'),
]

# (status, body, the fields at fault) of a customer without any subscription
BEGINNING_FAULTS = [
    (400, '"end_date": "2027-03-10T00:00:00Z"', "end_date"),
    (400, '"start_date": "2027-02-01T00:00:00Z", "end_date": "2027-02-15T00:00:00Z"', "end_date"),
    (400, '"start_date": "2027-04-01T00:00:00Z", "end_date": "2027-04-01T00:00:00Z"', "end_date"),
    (400, '"start_date": "2026-12-09T23:59:59Z"', "start_date"),
    (400, '"start_date": "2028-03-11T00:00:00Z"', "start_date"),
    (
        400,
        '"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-02-01T00:00:00Z"',
        "start_date",
        "end_date",
    ),
]

# (status, subscription, period_start, the fields at fault)
PERIOD_FAULTS = [
    (400, "running", '"2027-02-01T00:00:00Z"', "period_start"),
    (400, "running", '"2027-01-31T10:00:00.000001Z"', "period_start"),
    (400, "running", '"2026-12-31T10:00:00Z"', "period_start"),
    (400, "running", '"0002-01-01T00:00:00Z"', "period_start"),
    (400, "running", '"9999-12-31T23:59:59Z"', "period_start"),
    (400, "future", f'"{START}"', "period_start"),
    (400, "canceled", '"2027-04-01T00:00:00Z"', "period_start"),
    (400, "running", '"2027-03-31T10:00:00Z"', "period_start"),
    (400, "future", '"2027-04-01T00:00:00Z"', "period_start"),
    (400, "running", '"soon"', "period_start"),
    (400, "running", '"2027-01-31"', "period_start"),
    (400, "running", "17", "period_start"),
    (400, "running", "[]", "period_start"),
    (409, "running", f'"{START}"'),
    (409, "running", '"2027-02-28T10:00:00Z"'),
    (409, "unused", f'"{START}"'),
    (409, "canceled", f'"{START}"'),
    (409, "trial", f'"{START}"'),
    (409, "payout", f'"{START}"'),
    (409, "payout", "null"),
    (409, "canceled", "null"),
    (409, "trial", "null"),
    (409, "future", "null"),
    (404, "unknown", f'"{START}"', "subscription_id"),
]

# (status, invoice, body, the fields at fault)
PAYMENT_FAULTS = [
    (400, "running_invoice", "{}", "reference"),
    (400, "running_invoice", '{"reference": null}', "reference"),
    (400, "running_invoice", '{"reference": ""}', "reference"),
    (400, "running_invoice", '{"reference": " "}', "reference"),
    (400, "running_invoice", '{"reference": 5}', "reference"),
    (400, "running_invoice", f'{{"reference": "{NUL}"}}', "reference"),
    (400, "running_invoice", f'{{"reference": "{LONG}"}}', "reference"),
    (400, "running_invoice", '{"reference": "r", "paid_at": "soon"}', "paid_at"),
    (400, "running_invoice", '{"reference": "r", "paid_at": 17}', "paid_at"),
    (400, "running_invoice", '{"reference": "r", "paid_at": "2027-03-10T00:00:01Z"}', "paid_at"),
    (400, "running_invoice", '{"reference": "r", "paid_at": "9999-12-31T23:59:59Z"}', "paid_at"),
    (
        400,
        "running_invoice",
        '{"reference": "", "paid_at": "2027-03-11T00:00:00Z"}',
        "reference",
        "paid_at",
    ),
    (409, "draft", '{"reference": "r"}'),
    (409, "unused_invoice", '{"reference": "r"}'),
    (409, "voided_invoice", '{"reference": "r"}'),
    (404, "payout_bill", '{"reference": "r"}'),
    (404, "unknown", '{"reference": "r"}'),
]

# What invoices and subscriptions in these states don't do: status, method, path.
STATE_FAULTS = [
    (409, "POST", "/v1/invoices/$running_invoice/finalize"),
    (409, "POST", "/v1/invoices/$unused_invoice/finalize"),
    (409, "POST", "/v1/invoices/$voided_invoice/finalize"),
    (409, "POST", "/v1/invoices/$unused_invoice/void"),
    (409, "POST", "/v1/invoices/$voided_invoice/void"),
    (409, "DELETE", "/v1/invoices/$running_invoice"),
    (409, "DELETE", "/v1/invoices/$voided_invoice"),
    (404, "POST", "/v1/invoices/$payout_bill/void"),
    (404, "GET", "/v1/invoices/$payout_bill/explain"),
    (409, "POST", "/v1/bills/$payout_bill/finalize"),
    (409, "DELETE", "/v1/bills/$payout_bill"),
    (404, "POST", "/v1/bills/$running_invoice/void"),
    (404, "DELETE", "/v1/bills/$draft"),
    (404, "POST", "/v1/bills/$draft/finalize"),
    (409, "GET", "/v1/subscriptions/$canceled/upcoming-invoice"),
    (409, "GET", "/v1/subscriptions/$future/upcoming-invoice"),
    (409, "GET", "/v1/subscriptions/$trial/upcoming-invoice"),
    (404, "GET", "/v1/subscriptions/$unknown/upcoming-invoice"),
    (404, "GET", "/v1/subscriptions/$unknown/timeline"),
]


@pytest.mark.parametrize(
    ("status", "subscription", "body", "fields"),
    [(*row[:3], row[3:]) for row in CHANGE_FAULTS],
)
def test_a_bad_change_of_a_subscription_is_refused(world, status, subscription, body, fields):
    response = send(world, "PATCH", f"/v1/subscriptions/${subscription}", body)

    assert_refused(world, response, status, *fields)


@pytest.mark.parametrize(
    ("status", "dates", "fields"),
    [(status, dates, rest) for status, dates, *rest in BEGINNING_FAULTS],
)
def test_a_subscription_begins_and_ends_within_test_time(world, status, dates, fields):
    body = f'{{"customer_id": "unused", "plan_id": "$payout_plan", {dates}}}'

    assert_refused(world, send(world, "POST", "/v1/subscriptions", body), status, *fields)


@pytest.mark.parametrize(
    ("status", "subscription", "start", "fields"), [(*row[:3], row[3:]) for row in PERIOD_FAULTS]
)
def test_an_invoice_of_a_period_that_cannot_have_one_is_refused(
    world, status, subscription, start, fields
):
    body = f'{{"subscription_id": "${subscription}", "period_start": {start}}}'

    assert_refused(world, send(world, "POST", "/v1/invoices/generate", body), status, *fields)


@pytest.mark.parametrize(
    ("status", "subscription", "start", "field"),
    [
        (409, "running", "null", []),
        (409, "voided", f'"{START}"', []),
        (409, "payout", f'"{START}"', []),
        (409, "payout", '"2027-02-28T10:00:00Z"', []),
        (400, "payout", '"2027-02-27T10:00:00Z"', ["period_start"]),
        (404, "unknown", "null", ["subscription_id"]),
    ],
)
def test_a_bill_of_a_period_that_cannot_have_one_is_refused(
    world, status, subscription, start, field
):
    body = f'{{"subscription_id": "${subscription}", "period_start": {start}}}'

    assert_refused(world, send(world, "POST", "/v1/bills", body), status, *field)


@pytest.mark.parametrize(
    ("status", "name", "body", "fields"), [(*row[:3], row[3:]) for row in PAYMENT_FAULTS]
)
def test_a_bad_payment_is_refused(world, status, name, body, fields):
    response = send(world, "POST", f"/v1/invoices/${name}/mark-paid", body)

    assert_refused(world, response, status, *fields)


@pytest.mark.parametrize(("status", "method", "path"), STATE_FAULTS)
def test_what_a_state_does_not_allow_is_refused(world, status, method, path):
    assert_refused(world, send(world, method, path), status)


@pytest.mark.parametrize("instant", [NOW, "2027-03-09T23:59:59.999999Z", START])
def test_test_time_does_not_go_back(world, instant):
    response = send(world, "POST", "/v1/test-clock/advance", f'{{"to": "{instant}"}}')

    assert_refused(world, response, 400, "to")
    assert world.api.get("/v1/test-clock").json()["now"] == NOW

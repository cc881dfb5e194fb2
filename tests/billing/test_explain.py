"""An explanation leads, step by step, to exactly what an invoice charges."""

from decimal import Decimal

import pytest

from support.api import event

START = "2027-01-31T10:00:00Z"
FIRST_END = "2027-02-28T10:00:00Z"
SECOND_END = "2027-03-31T10:00:00Z"
TIERS = [{"up_to": 10, "unit_amount": "0.3333337"}, {"up_to": None, "unit_amount": "0.1"}]
MODELS = {
    "flat_unit": {"unit_price": "0.1234567"},
    "tiered": {"tiers": TIERS},
    "weighted_tiered": {"tiers": TIERS},
    "volume": {"tiers": TIERS},
    "package": {"tiers": {"package_size": 4, "package_price": "7.5"}},
    "overage": {"tiers": {"included_units": 3, "base_price": "50", "overage_price": "0.7"}},
    "percentage": {"tiers": {"rate": "0.015", "fixed": "10"}},
}


def used(key, quantity, **fields):
    return event(key, properties={"n": quantity}, **fields)


def subscribed(api, model="flat_unit", *, metric=(), plan=(), **terms):
    """A customer on a plan with one price on the sum of `n`."""
    customer = api.customer()
    measured = api.metric(aggregation="sum", aggregation_property="n", **dict(metric))
    price = {"metric_id": measured["id"], "model": model, **MODELS[model], **terms}
    offered = api.plan(price, **dict(plan))
    return customer, offered, api.subscribe(customer["id"], offered["id"])


def explain(api, invoice, what="invoices"):
    response = api.get(f"/v1/{what}/{invoice['id']}/explain")
    assert response.status_code == 200, response.text
    return response.json()["explanation"]


def invoices(api):
    return sorted(api.get("/v1/invoices").json()["invoices"], key=lambda item: item["number"])


def leads_to(steps, amount):
    """Whether each step's total is the one before and what it adds, and the last the amount."""
    total = Decimal(0)
    for step in steps:
        total += Decimal(step["amount"])
        if total != Decimal(step["total"]):
            return False
    return total == Decimal(amount)


def unfounded(explanation):
    """What the steps don't lead to, or lead to by a step that explains nothing."""
    amounts = [
        (line["description"], line["steps"], line["amount"]) for line in explanation["lines"]
    ]
    amounts.append(("total", explanation["steps"], explanation["total"]))
    return [
        name
        for name, steps, amount in amounts
        if not leads_to(steps, amount) or "what has changed since" in str(steps)
    ]


def charging(explanation):
    """The lines that charge something: all but what rounding left."""
    return [line for line in explanation["lines"] if line["kind"] != "rounding"]


def texts(steps):
    return [step["step"] for step in steps]


@pytest.mark.parametrize("model", MODELS)
def test_an_interim_and_a_closing_invoice_are_explained_in_every_model(api, clock, model):
    api.patch("/v1/organization", json={"vat_enabled": True, "vat_rate": 7.5})
    clock(START)
    *_, subscription = subscribed(api, model, flat_fee="1.000001")
    api.ingest(used("1", "7.123456789012"))
    api.finalize(api.draft(subscription["id"])["id"])
    api.ingest(used("2", "8.5"))
    clock(FIRST_END)

    interim, closing = (explain(api, invoice) for invoice in invoices(api))

    assert (unfounded(interim), unfounded(closing)) == ([], [])
    assert closing["lines"][0]["price"]["model"] == model
    assert closing["lines"][0]["event_count"] == 2
    assert closing["lines"][0]["billed_before"] == [
        {
            "invoice_id": interim["id"],
            "number": "INV-000001",
            "quantity": "7.123456789012",
            "amount": interim["lines"][0]["amount"],
        }
    ]


def test_a_line_tells_its_metric_price_events_and_where_they_are_listed(api, clock):
    clock(START)
    condition = {"property": "region", "operator": "=", "value": "eu"}
    customer, plan, _ = subscribed(api, "tiered", metric={"filters": [condition]})
    api.ingest(used("no", 5), event("1", properties={"n": 12, "region": "eu"}))
    clock(FIRST_END)

    (line,) = explain(api, invoices(api)[0])["lines"]

    assert line["metric"]["filters"] == [condition]
    assert (line["metric"]["version"], line["metric"]["aggregation_property"]) == (1, "n")
    assert (line["price"]["id"], line["price"]["revision"]) == (plan["prices"][0]["id"], 1)
    assert line["price"]["tiers"] == plan["prices"][0]["tiers"]
    assert (line["event_count"], line["first_event_at"]) == (1, START)
    assert line["windows"] == [{"start": START, "end": FIRST_END, "events_url": line["events_url"]}]
    events = api.get(line["events_url"]).json()["events"]
    assert {found["customer_id"] for found in events} == {customer["id"]}
    assert sorted(found["idempotency_key"] for found in events) == ["1", "no"]


def test_a_pause_is_told_and_what_was_used_in_it_is_not_priced(api, clock):
    clock(START)
    *_, subscription = subscribed(api)
    path = f"/v1/subscriptions/{subscription['id']}"
    clock("2027-02-10T00:00:00Z")
    api.patch(path, json={"status": "paused"})
    api.ingest(used("unbilled", 100))
    clock("2027-02-12T00:00:00Z")
    api.patch(path, json={"status": "active"})
    api.ingest(used("billed", 1))
    clock(FIRST_END)

    explanation = explain(api, invoices(api)[0])

    (line,) = explanation["lines"]
    assert unfounded(explanation) == []
    assert [(pause["start"], pause["end"]) for pause in line["pauses"]] == [
        ("2027-02-10T00:00:00Z", "2027-02-12T00:00:00Z")
    ]
    assert len(line["windows"]) == 2
    assert line["whole_quantity"] == "1"


def test_an_adjustment_is_explained_by_the_terms_of_its_own_period(api, clock):
    clock(START)
    _, plan, _ = subscribed(api)
    api.ingest(used("1", 10))
    clock("2027-03-01T00:00:00Z")
    api.ingest(used("late", 1, timestamp="2027-02-27T00:00:00Z"))
    (price,) = plan["prices"]
    dearer = {"id": price["id"], "metric_id": price["metric_id"], "model": "flat_unit"}
    api.put(f"/v1/plans/{plan['id']}", json={"prices": [{**dearer, "unit_price": "9"}]})
    clock(SECOND_END)

    first, second = invoices(api)
    explanation = explain(api, second)

    own, adjusted = charging(explanation)
    assert unfounded(explanation) == []
    assert (own["is_adjustment"], adjusted["is_adjustment"]) == (False, True)
    assert (own["price"]["revision"], adjusted["price"]["revision"]) == (2, 1)
    assert texts(adjusted["steps"]) == [
        "11 x 0.1234567",
        "1.3580237 rounded to six places, half to even",
        "billed by INV-000001 for a quantity of 10",
    ]
    assert adjusted["billed_before"][0]["invoice_id"] == first["id"]


def test_what_was_waived_counts_as_billed_in_an_adjustment(api, clock):
    clock(START)
    *_, subscription = subscribed(api)
    api.ingest(used("1", 10))
    interim = api.finalize(api.draft(subscription["id"])["id"])
    api.ingest(used("2", 5))
    clock("2027-03-01T00:00:00Z")
    api.post(f"/v1/invoices/{interim['id']}/void")
    api.ingest(used("late", 1, timestamp="2027-02-27T00:00:00Z"))
    clock(SECOND_END)

    explanation = explain(api, invoices(api)[2])

    _, adjusted = charging(explanation)
    assert unfounded(explanation) == []
    assert [item["number"] for item in adjusted["billed_before"]] == ["INV-000001", "INV-000002"]
    assert adjusted["quantity"] == "1"


def test_a_supplementary_invoice_is_explained(api, clock):
    clock(START)
    *_, subscription = subscribed(api)
    api.ingest(used("1", 10))
    clock("2027-02-10T00:00:00Z")
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "canceled"})
    clock("2027-02-12T00:00:00Z")
    api.ingest(used("late", 3, timestamp="2027-02-09T00:00:00Z"))
    clock("2027-02-13T00:00:01Z")

    explanation = explain(api, invoices(api)[1])

    assert unfounded(explanation) == []
    assert [line["is_adjustment"] for line in explanation["lines"]] == [True, False]
    assert explanation["lines"][0]["billed_before"][0]["quantity"] == "10"


def test_an_override_is_named_with_what_it_charges(api, clock):
    clock(START)
    customer, plan, _ = subscribed(api)
    body = {
        "customer_id": customer["id"],
        "price_id": plan["prices"][0]["id"],
        "model": "package",
        "tiers": {"package_size": 10, "package_price": "3"},
    }
    override = api.make("/v1/price-overrides", body, "price_override")
    api.ingest(used("1", 11))
    clock(FIRST_END)
    api.delete(f"/v1/price-overrides/{override['id']}")

    explanation = explain(api, invoices(api)[0])

    (line,) = explanation["lines"]
    assert unfounded(explanation) == []
    assert (line["price"]["override_id"], line["price"]["model"]) == (override["id"], "package")
    assert texts(line["steps"]) == ["blocks of 10: 1 full and one begun (1), 2 x 3"]


def test_groups_share_one_price_and_each_share_is_explained(api, clock):
    clock(START)
    *_, subscription = subscribed(api, "tiered", metric={"group_by": "model"})
    for key, model in [("1", "a"), ("2", "b"), ("3", "b")]:
        api.ingest(event(key, properties={"n": 7, "model": model}))
    api.finalize(api.draft(subscription["id"])["id"])
    api.ingest(event("4", properties={"n": 1, "model": "a"}), used("5", 2))
    clock(FIRST_END)

    interim, closing = (explain(api, invoice) for invoice in invoices(api))

    assert (unfounded(interim), unfounded(closing)) == ([], [])
    assert {line["whole_quantity"] for line in charging(closing)} == {"24"}
    assert {line["group_value"] for line in interim["lines"]} == {"a", "b"}


def test_a_fee_in_advance_is_explained_on_the_invoice_before_its_period(api, clock):
    clock(START)
    fee = {"base_fee": "500", "base_fee_timing": "in_advance"}
    subscribed(api, plan=fee)
    clock(FIRST_END)

    interim, closing = (explain(api, invoice) for invoice in invoices(api))

    assert (unfounded(interim), unfounded(closing)) == ([], [])
    _, fee_line = closing["lines"]
    assert (fee_line["kind"], fee_line["period_start"]) == ("fee", FIRST_END)
    assert texts(fee_line["steps"]) == ["base fee, plan revision 1"]
    assert (fee_line["is_adjustment"], fee_line["metric"], fee_line["price"]) == (False, None, None)


def test_a_credit_is_explained_where_it_is_carried_and_where_it_is_brought(api, clock):
    clock(START)
    subscribed(api)
    api.ingest(used("refund", -100))
    clock(FIRST_END)
    api.ingest(used("some", 10))
    clock(SECOND_END)

    first, second = (explain(api, invoice) for invoice in invoices(api))

    assert (unfounded(first), unfounded(second)) == ([], [])
    assert texts(first["lines"][1]["steps"]) == [
        "the other lines come to -12.34567, which is carried forward"
    ]
    assert texts(second["lines"][0]["steps"]) == [
        "credit that earlier invoices carried forward",
        "as much of it as the other lines come to (1.234567)",
    ]


def test_what_was_voided_since_still_explains_what_had_counted_it(api, clock):
    clock(START)
    *_, subscription = subscribed(api)
    api.ingest(used("1", 10))
    first = api.finalize(api.draft(subscription["id"])["id"])
    api.ingest(used("2", 5))
    second = api.finalize(api.draft(subscription["id"])["id"])
    api.post(f"/v1/invoices/{first['id']}/void")
    third = api.finalize(api.draft(subscription["id"])["id"])

    counted, not_counted = explain(api, second), explain(api, third)

    assert (unfounded(counted), unfounded(not_counted)) == ([], [])
    assert [item["number"] for item in counted["lines"][0]["billed_before"]] == ["INV-000001"]
    assert [item["number"] for item in not_counted["lines"][0]["billed_before"]] == ["INV-000002"]


def test_a_price_that_the_plan_has_no_more_is_given_back_and_said_to_be(api, clock):
    clock(START)
    _, plan, subscription = subscribed(api)
    api.ingest(used("1", 10))
    api.finalize(api.draft(subscription["id"])["id"])
    api.put(f"/v1/plans/{plan['id']}", json={"prices": []})
    clock(FIRST_END)

    explanation = explain(api, invoices(api)[1])

    line, _ = charging(explanation)
    assert unfounded(explanation) == []
    assert line["price"] is None
    assert texts(line["steps"]) == [
        "the price is no longer on the plan: it is worth nothing",
        "billed by INV-000001 for a quantity of 10",
    ]


def test_a_draft_says_what_has_changed_since_it_was_made(api, clock):
    clock(START)
    *_, subscription = subscribed(api)
    api.ingest(used("1", 10))
    interim = api.finalize(api.draft(subscription["id"])["id"])
    draft = api.draft(subscription["id"])
    api.post(f"/v1/invoices/{interim['id']}/void")

    line, rounding = explain(api, draft)["lines"]

    assert leads_to(line["steps"], line["amount"])
    assert texts(line["steps"])[-1] == "what has changed since this draft was made"
    assert leads_to(rounding["steps"], rounding["amount"])
    assert texts(rounding["steps"])[-1] == "what has changed since this draft was made"


def test_a_bill_is_explained_with_its_withholding_tax(api, clock):
    api.patch("/v1/organization", json={"wht_enabled": True, "wht_rate": 5})
    clock(START)
    subscribed(api, plan={"plan_type": "payout"})
    api.ingest(used("1", 1000))
    clock(FIRST_END)
    (bill,) = api.get("/v1/bills").json()["bills"]

    explanation = explain(api, bill, "bills")

    assert unfounded(explanation) == []
    assert (explanation["number"], explanation["total"]) == ("BILL-000001", "117.290000")
    assert texts(explanation["steps"])[-2:] == [
        "withholding tax, 5 % of the subtotal",
        "withholding tax rounded half away from zero to 2 places",
    ]
    assert api.get(f"/v1/invoices/{bill['id']}/explain").status_code == 404

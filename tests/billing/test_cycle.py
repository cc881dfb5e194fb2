"""Periods close by themselves as test time passes, each unit billed once."""

from monigo import metering
from support.api import event
from support.jobs import run_replay

START = "2027-01-31T10:00:00Z"


def bills(api):
    """All invoices, oldest period first: kind, status, period and total."""
    invoices = api.get("/v1/invoices").json()["invoices"]
    return [
        (item["kind"], item["status"], item["period_start"][:10], item["total"])
        for item in sorted(invoices, key=lambda item: (item["period_start"], item["created_at"]))
    ]


def test_periods_close_at_their_month_ends(api, clock):
    clock(START)
    api.subscribed_customer()
    api.ingest(event("1"), event("2"))
    clock("2027-02-28T09:59:59Z")
    before = bills(api)
    api.ingest(event("3"))

    clock("2027-03-31T10:00:00Z")

    assert before == []
    assert bills(api) == [
        ("closing", "finalized", "2027-01-31", "6.000000"),
        ("closing", "paid", "2027-02-28", "0.000000"),
    ]


def test_a_late_event_comes_with_the_next_closing(api, clock):
    clock(START)
    api.subscribed_customer()
    api.ingest(event("1"))
    clock("2027-03-01T00:00:00Z")
    api.ingest(event("late", timestamp="2027-02-27T00:00:00Z"), event("2"))

    clock("2027-03-31T10:00:00Z")

    assert bills(api) == [
        ("closing", "finalized", "2027-01-31", "2.000000"),
        ("closing", "finalized", "2027-02-28", "4.000000"),
    ]
    lines = api.get("/v1/invoices").json()["invoices"][0]["line_items"]
    assert [line["description"] for line in lines] == [
        "api_call",
        "api_call, adjustment for 2027-01-31 to 2027-02-28",
    ]


def test_a_late_event_is_found_when_it_was_folded_before_the_closing(api, backend, clock):
    clock(START)
    api.subscribed_customer()
    clock("2027-03-01T00:00:00Z")
    api.ingest(event("late", timestamp="2027-02-02T00:00:00Z"))
    backend.run(metering.fold_all(backend.services.database))

    clock("2027-03-31T10:00:00Z")

    assert [total for _, _, _, total in bills(api)] == ["0.000000", "2.000000"]


def test_an_event_within_the_boundary_hour_is_found_after_it_was_folded(api, backend, clock):
    clock("2027-01-31T10:30:00Z")
    api.subscribed_customer()
    clock("2027-02-28T10:30:05Z")
    api.ingest(event("late", timestamp="2027-02-28T10:29:59Z"))
    backend.run(metering.fold_all(backend.services.database))

    clock("2027-03-31T10:30:00Z")

    assert [total for _, _, _, total in bills(api)] == ["0.000000", "2.000000"]


def test_a_trial_is_never_billed(api, clock):
    clock(START)
    customer, metric = api.customer(), api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    plan = api.plan(price, trial_period_days=14)
    api.subscribe(customer["id"], plan["id"])
    api.ingest(event("in-trial"))
    clock("2027-02-15T00:00:00Z")
    api.ingest(event("after"))

    clock("2027-03-15T00:00:00Z")

    assert bills(api) == [("closing", "finalized", "2027-02-14", "1.000000")]


def test_a_fee_in_advance_comes_at_the_start_and_with_each_closing(api, clock):
    clock(START)
    customer, metric = api.customer(), api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    plan = api.plan(price, base_fee="500", base_fee_timing="in_advance")
    api.subscribe(customer["id"], plan["id"])
    api.ingest(event("1"))

    clock("2027-03-31T10:00:00Z")

    assert bills(api) == [
        ("interim", "finalized", "2027-01-31", "500.000000"),
        ("closing", "finalized", "2027-01-31", "501.000000"),
        ("closing", "finalized", "2027-02-28", "500.000000"),
    ]


def test_a_fee_in_arrears_is_due_with_the_closing(api, clock):
    clock(START)
    customer, metric = api.customer(), api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    plan = api.plan(price, base_fee="500")
    subscription = api.subscribe(customer["id"], plan["id"])
    interim = api.finalize(api.draft(subscription["id"])["id"])

    clock("2027-02-28T10:00:00Z")

    assert interim["total"] == "0.000000"
    assert bills(api)[-1] == ("closing", "finalized", "2027-01-31", "500.000000")


def test_nothing_is_due_for_a_wholly_paused_period(api, clock):
    clock(START)
    customer, metric = api.customer(), api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1", "flat_fee": "9"}
    plan = api.plan(price, base_fee="500")
    subscription = api.subscribe(customer["id"], plan["id"])
    clock("2027-02-27T10:00:00Z")
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "paused"})
    clock("2027-04-01T10:00:00Z")
    paused = bills(api)

    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "active"})

    assert paused == []
    assert bills(api) == [
        ("closing", "finalized", "2027-01-31", "509.000000"),
        ("closing", "paid", "2027-02-28", "0.000000"),
    ]


def test_a_pause_may_begin_again_in_the_moment_in_which_it_began(api, clock):
    clock(START)
    *_, subscription = api.subscribed_customer()
    path = f"/v1/subscriptions/{subscription['id']}"
    statuses = ["paused", "active", "paused"]
    answers = [api.patch(path, json={"status": status}).status_code for status in statuses]
    clock("2027-02-01T10:00:00Z")
    api.ingest(event("1", timestamp="2027-01-31T12:00:00Z"))
    api.patch(path, json={"status": "active"})

    clock("2027-02-28T10:00:00Z")

    assert answers == [200, 200, 200]
    assert bills(api) == [("closing", "paid", "2027-01-31", "0.000000")]


def test_a_new_plan_cuts_the_period_and_starts_its_own(api, clock):
    clock(START)
    _, metric, _, subscription = api.subscribed_customer()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "10"}
    other = api.plan(price, billing_period="weekly")
    api.ingest(event("1"))
    clock("2027-02-10T00:00:00Z")

    changed = api.patch(f"/v1/subscriptions/{subscription['id']}", json={"plan_id": other["id"]})
    api.ingest(event("2"))
    clock("2027-02-17T00:00:00Z")

    assert changed.json()["subscription"]["current_period_end"] == "2027-02-17T00:00:00Z"
    assert bills(api) == [
        ("closing", "finalized", "2027-01-31", "2.000000"),
        ("closing", "finalized", "2027-02-10", "10.000000"),
    ]


def test_a_late_event_after_the_end_makes_a_supplementary_invoice(api, clock):
    clock(START)
    *_, subscription = api.subscribed_customer()
    api.ingest(event("1"))
    clock("2027-02-10T00:00:00Z")
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "canceled"})
    clock("2027-02-12T00:00:00Z")
    api.ingest(event("late", timestamp="2027-02-09T00:00:00Z"))

    clock("2027-02-13T00:00:01Z")

    assert bills(api) == [
        ("closing", "finalized", "2027-01-31", "2.000000"),
        ("supplementary", "finalized", "2027-01-31", "2.000000"),
    ]


def test_a_supplementary_invoice_that_is_voided_is_waived(api, clock):
    clock(START)
    *_, subscription = api.subscribed_customer()
    clock("2027-02-10T00:00:00Z")
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "canceled"})
    clock("2027-02-12T00:00:00Z")
    api.ingest(event("late", timestamp="2027-02-09T00:00:00Z"))
    clock("2027-02-13T00:00:01Z")
    voided = api.get("/v1/invoices").json()["invoices"][0]
    api.post(f"/v1/invoices/{voided['id']}/void")
    api.ingest(event("later", timestamp="2027-02-08T00:00:00Z"))

    clock("2027-02-20T00:00:00Z")

    assert bills(api) == [
        ("closing", "paid", "2027-01-31", "0.000000"),
        ("supplementary", "void", "2027-01-31", "2.000000"),
        ("supplementary", "finalized", "2027-01-31", "2.000000"),
    ]


def test_cancel_at_period_end_lets_the_period_run_out(api, clock):
    clock(START)
    *_, subscription = api.subscribed_customer()
    path = f"/v1/subscriptions/{subscription['id']}"
    api.patch(path, json={"cancel_at_period_end": True})
    api.ingest(event("1"))

    clock("2027-05-01T00:00:00Z")

    assert api.get(path).json()["subscription"]["canceled_at"] == "2027-02-28T10:00:00Z"
    assert bills(api) == [("closing", "finalized", "2027-01-31", "2.000000")]


def test_a_waived_period_is_billed_again_only_when_asked(api, clock):
    clock(START)
    *_, subscription = api.subscribed_customer()
    api.ingest(event("1"))
    clock("2027-03-01T00:00:00Z")
    first = api.get("/v1/invoices").json()["invoices"][0]
    api.post(f"/v1/invoices/{first['id']}/void")
    clock("2027-03-31T10:00:00Z")
    waived = bills(api)
    body = {"subscription_id": subscription["id"], "period_start": START}

    draft = api.make("/v1/invoices/generate", body, "invoice")
    final = api.finalize(draft["id"])

    assert [total for _, _, _, total in waived] == ["2.000000", "0.000000"]
    assert (final["kind"], final["total"], final["period_start"]) == ("closing", "2.000000", START)


def test_the_closing_draft_waits_out_the_grace_time(api, clock):
    api.patch("/v1/organization", json={"event_ingestion_grace_period_hours": 24})
    clock(START)
    api.subscribed_customer()
    api.ingest(event("1"))
    clock("2027-02-28T20:00:00Z")
    waiting = bills(api)
    api.ingest(event("late", timestamp="2027-02-28T09:00:00Z"))

    clock("2027-03-01T10:00:00Z")

    assert waiting == [("closing", "draft", "2027-01-31", "2.000000")]
    assert bills(api) == [("closing", "finalized", "2027-01-31", "4.000000")]


def test_an_end_within_the_grace_time_is_not_waited_past(api, clock):
    api.patch("/v1/organization", json={"event_ingestion_grace_period_hours": 72})
    clock(START)
    customer, metric = api.customer(), api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    end = "2027-03-01T00:00:00Z"
    subscription = api.subscribe(customer["id"], api.plan(price)["id"], end_date=end)
    clock("2027-02-28T20:00:00Z")
    api.ingest(event("1"))

    clock(end)

    known = api.get(f"/v1/subscriptions/{subscription['id']}").json()["subscription"]
    assert (known["status"], known["canceled_at"]) == ("canceled", end)
    assert bills(api) == [
        ("closing", "paid", "2027-01-31", "0.000000"),
        ("closing", "finalized", "2027-02-28", "1.000000"),
    ]


def test_a_payout_plan_closes_into_a_bill(api, clock):
    api.patch("/v1/organization", json={"wht_enabled": True, "wht_rate": 5})
    clock(START)
    customer, metric = api.customer(name="Ada"), api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "100"}
    plan = api.plan(price, plan_type="payout")
    api.subscribe(customer["id"], plan["id"])
    api.ingest(event("1"))

    clock("2027-02-28T10:00:00Z")

    (bill,) = api.get("/v1/bills").json()["bills"]
    assert bills(api) == []
    assert (bill["number"], bill["status"], bill["customer_name"]) == (
        "BILL-000001",
        "finalized",
        "Ada",
    )
    assert (bill["subtotal"], bill["wht_amount"], bill["total"]) == (
        "100.000000",
        "5.000000",
        "95.000000",
    )


def test_an_edit_for_new_subscriptions_counts_for_one_that_is_made_later_and_backdated(api, clock):
    clock(START)
    customer, metric = api.customer(), api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    plan = api.plan(price)
    revised = {"id": plan["prices"][0]["id"], **price, "unit_price": "3"}
    api.put(f"/v1/plans/{plan['id']}", json={"apply_to": "new", "prices": [revised]})
    clock("2027-02-01T10:00:00Z")
    api.subscribe(customer["id"], plan["id"], start_date="2027-01-20T00:00:00Z")
    clock("2027-02-04T00:00:00Z")
    api.ingest(event("1"))

    clock("2027-02-20T00:00:00Z")

    assert [bill[-1] for bill in bills(api)] == ["3.000000"]


def test_a_subscription_made_before_an_edit_for_new_ones_is_none_of_them(api, clock):
    clock(START)
    customer, metric = api.customer(), api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    plan = api.plan(price)
    api.subscribe(customer["id"], plan["id"], start_date="2027-02-03T00:00:00Z")
    clock("2027-02-01T10:00:00Z")
    revised = {"id": plan["prices"][0]["id"], **price, "unit_price": "3"}
    api.put(f"/v1/plans/{plan['id']}", json={"apply_to": "new", "prices": [revised]})
    clock("2027-02-04T00:00:00Z")
    api.ingest(event("1"))

    clock("2027-03-04T00:00:00Z")

    assert [bill[-1] for bill in bills(api)] == ["1.000000"]


def test_a_replay_over_a_subscription_that_ended_as_it_began_leaves_nothing_due(api, clock):
    clock(START)
    *_, subscription = api.subscribed_customer()
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "canceled"})
    window = {"from": "2027-01-31T00:00:00Z", "to": "2027-02-01T00:00:00Z"}
    job = api.post("/v1/events/replay", json=window).json()["job"]

    run_replay(api, job["id"])

    assert clock("2027-02-10T00:00:00Z") == "2027-02-10T00:00:00Z"


def test_an_edit_of_prices_for_all_leaves_them_the_fee_that_they_agreed_to(api, clock):
    clock(START)
    _, metric, plan, _ = api.subscribed_customer()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "3"}
    clock("2027-02-01T00:00:00Z")
    api.put(f"/v1/plans/{plan['id']}", json={"apply_to": "new", "base_fee": "100"})
    revised = {"id": plan["prices"][0]["id"], **price}
    api.put(f"/v1/plans/{plan['id']}", json={"apply_to": "all", "prices": [revised]})
    api.ingest(event("1"))

    clock("2027-02-28T10:00:00Z")

    assert bills(api) == [("closing", "finalized", "2027-01-31", "3.000000")]


def test_a_period_whose_fee_was_paid_is_not_waived_though_it_was_cut_and_its_closing_voided(
    api, clock
):
    clock(START)
    customer, metric = api.customer(), api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    plan = api.plan(price, base_fee="500", base_fee_timing="in_advance")
    subscription = api.subscribe(customer["id"], plan["id"])
    api.ingest(event("1"))
    clock("2027-02-10T00:00:00Z")
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "canceled"})
    closing, fee = api.get("/v1/invoices").json()["invoices"]
    api.post(f"/v1/invoices/{fee['id']}/mark-paid", json={"reference": "cash"})
    api.post(f"/v1/invoices/{closing['id']}/void")
    body = {"subscription_id": subscription["id"], "period_start": START}

    refused = api.post("/v1/invoices/generate", json=body)

    assert refused.status_code == 409
    assert bills(api) == [
        ("interim", "paid", "2027-01-31", "500.000000"),
        ("closing", "void", "2027-01-31", "1.000000"),
    ]


def test_who_goes_on_a_plan_before_the_start_is_new_to_it_from_then_on(api, clock):
    clock(START)
    customer, metric = api.customer(), api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    first, second = api.plan(price), api.plan(price)
    subscription = api.subscribe(customer["id"], first["id"], start_date="2027-02-03T00:00:00Z")
    clock("2027-02-01T10:00:00Z")
    revised = {"id": second["prices"][0]["id"], **price, "unit_price": "3"}
    api.put(f"/v1/plans/{second['id']}", json={"apply_to": "new", "prices": [revised]})
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"plan_id": second["id"]})
    clock("2027-02-04T00:00:00Z")
    api.ingest(event("1"))

    clock("2027-03-03T00:00:00Z")

    assert [bill[-1] for bill in bills(api)] == ["3.000000"]


def test_a_price_that_moves_up_in_the_list_costs_what_was_agreed(api, clock):
    clock(START)
    customer, metric = api.customer(), api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit"}
    plan = api.plan({**price, "unit_price": "1"}, {**price, "unit_price": "10"})
    api.subscribe(customer["id"], plan["id"])
    clock("2027-02-01T00:00:00Z")
    first, second = ({**price, "id": known["id"]} for known in plan["prices"])
    dearer = {**second, "unit_price": "20"}
    for_new = {"apply_to": "new", "prices": [{**first, "unit_price": "1"}, dearer]}
    api.put(f"/v1/plans/{plan['id']}", json=for_new)
    api.put(f"/v1/plans/{plan['id']}", json={"apply_to": "all", "prices": [dearer]})
    api.ingest(event("1"))

    clock("2027-02-28T10:00:00Z")

    assert bills(api) == [("closing", "finalized", "2027-01-31", "10.000000")]

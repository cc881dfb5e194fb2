"""Invoices: one rule against double charges, numbers without gaps, amounts that never change."""

from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from support.api import event


def amounts(invoice):
    return [line["amount"] for line in invoice["line_items"]]


def used(api, subscription, *keys):
    """Ingest events, then draft and finalize what is due."""
    api.ingest(*[event(key) for key in keys])
    return api.finalize(api.draft(subscription["id"])["id"])


def void(api, invoice):
    return api.make(f"/v1/invoices/{invoice['id']}/void", None, "invoice")


def get(api, invoice):
    return api.get(f"/v1/invoices/{invoice['id']}").json()["invoice"]


def test_a_draft_charges_nothing_and_has_no_number(api):
    *_, subscription = api.subscribed_customer()
    api.ingest(event("1"))

    draft = api.draft(subscription["id"])

    assert (draft["status"], draft["number"], draft["finalized_at"]) == ("draft", "", None)
    assert draft["total"] == "2.000000"
    assert (draft["period_start"], draft["period_end"]) == (
        subscription["current_period_start"],
        subscription["current_period_end"],
    )


def test_generating_again_refreshes_the_same_draft(api):
    *_, subscription = api.subscribed_customer()
    api.ingest(event("1"))
    first = api.draft(subscription["id"])
    api.ingest(event("2"))

    second = api.draft(subscription["id"])

    assert second["id"] == first["id"]
    assert [first["total"], second["total"]] == ["2.000000", "4.000000"]
    assert api.get("/v1/invoices").json()["total"] == 1


def test_finalizing_bills_what_was_used_since_the_draft_too(api):
    *_, subscription = api.subscribed_customer()
    draft = api.draft(subscription["id"])
    api.ingest(event("1"), event("2"))

    final = api.finalize(draft["id"])

    assert (draft["total"], final["total"]) == ("0.000000", "4.000000")


def test_a_line_tells_what_it_bills(api):
    _, metric, plan, subscription = api.subscribed_customer(unit_price="0.333")
    api.ingest(event("1"), event("2"))

    line = api.draft(subscription["id"])["line_items"][0]

    assert {
        field: line[field]
        for field in ("metric_id", "price_id", "description", "quantity", "unit_price", "amount")
    } == {
        "metric_id": metric["id"],
        "price_id": plan["prices"][0]["id"],
        "description": metric["name"],
        "quantity": "2",
        "unit_price": "0.333000",
        "amount": "0.666000",
    }


def test_a_price_without_usage_has_its_line_too(api):
    *_, subscription = api.subscribed_customer()

    line = api.draft(subscription["id"])["line_items"][0]

    assert (line["quantity"], line["unit_price"], line["amount"]) == ("0", "0.000000", "0.000000")


def test_each_interim_invoice_bills_what_came_since_the_last(api):
    *_, subscription = api.subscribed_customer()

    bills = [used(api, subscription, str(day)) for day in range(4)]

    assert [amounts(bill) for bill in bills] == [["2.000000"]] * 4


def test_tiers_go_on_where_the_last_interim_invoice_stopped(api):
    metric = api.metric()
    tiers = [{"up_to": 2, "unit_amount": "10"}, {"up_to": None, "unit_amount": "1"}]
    plan = api.plan({"metric_id": metric["id"], "model": "tiered", "tiers": tiers})
    subscription = api.subscribe(api.customer()["id"], plan["id"])

    first = used(api, subscription, "1", "2", "3")
    second = used(api, subscription, "4", "5")

    assert [amounts(first), amounts(second)] == [["21.000000"], ["2.000000"]]


def test_a_volume_discount_reached_later_is_given_back(api):
    metric = api.metric()
    tiers = [{"up_to": 2, "unit_amount": "10"}, {"up_to": None, "unit_amount": "1"}]
    plan = api.plan({"metric_id": metric["id"], "model": "volume", "tiers": tiers})
    subscription = api.subscribe(api.customer()["id"], plan["id"])

    first = used(api, subscription, "1", "2")
    second = used(api, subscription, "3")

    assert (first["total"], second["total"]) == ("20.000000", "0.000000")
    assert amounts(second) == ["-17.000000", "17.000000"]


def test_what_was_voided_falls_due_again(api):
    *_, subscription = api.subscribed_customer()
    first = used(api, subscription, "1", "2")

    voided = void(api, first)
    second = used(api, subscription, "3")

    assert (voided["status"], voided["total"], voided["number"]) == (
        "void",
        "4.000000",
        "INV-000001",
    )
    assert (second["total"], second["number"]) == ("6.000000", "INV-000002")


def test_voiding_the_middle_one_of_three_rebills_just_that(api):
    *_, subscription = api.subscribed_customer()
    bills = [used(api, subscription, key, f"{key}'") for key in "abc"]

    void(api, bills[1])
    again = api.draft(subscription["id"])

    assert again["total"] == "4.000000"


def test_a_late_event_is_billed_with_the_next_invoice(api):
    *_, subscription = api.subscribed_customer()
    used(api, subscription, "1")
    api.backend.clock.advance(hours=2)

    api.ingest(event("late", timestamp=subscription["start_date"]))

    assert api.draft(subscription["id"])["total"] == "2.000000"


def test_an_event_from_before_the_subscription_is_not_billed(api):
    *_, subscription = api.subscribed_customer()

    api.ingest(event("early", timestamp=subscription["start_date"][:11] + "00:00:00Z"))

    assert api.draft(subscription["id"])["total"] == "0.000000"


def test_a_total_of_zero_is_paid_at_once(api):
    *_, subscription = api.subscribed_customer()

    final = api.finalize(api.draft(subscription["id"])["id"])

    assert (final["status"], final["total"], final["number"]) == ("paid", "0.000000", "INV-000001")
    assert final["paid_at"] == final["finalized_at"]


def test_numbers_have_no_gaps_whatever_happens_to_drafts(api):
    *_, subscription = api.subscribed_customer()
    first = used(api, subscription, "1")
    api.delete(f"/v1/invoices/{api.draft(subscription['id'])['id']}")
    void(api, api.draft(subscription["id"]))
    api.post("/v1/invoices/generate", json={"subscription_id": "nobody"})

    second = used(api, subscription, "2")

    assert [first["number"], second["number"]] == ["INV-000001", "INV-000002"]


def test_each_mode_counts_its_own_invoices(api, backend):
    *_, subscription = api.subscribed_customer()
    used(api, subscription, "1")

    with type(api).of(backend, api.org_id, is_test=False) as live:
        *_, live_subscription = live.subscribed_customer()
        first_live = used(live, live_subscription, "1")

    assert first_live["number"] == "INV-000001"


def test_a_draft_can_be_deleted(api):
    *_, subscription = api.subscribed_customer()
    draft = api.draft(subscription["id"])

    deleted = api.delete(f"/v1/invoices/{draft['id']}")

    assert deleted.status_code == 200
    assert api.get(f"/v1/invoices/{draft['id']}").status_code == 404
    assert api.draft(subscription["id"])["id"] != draft["id"]


def test_a_void_draft_has_no_number(api):
    *_, subscription = api.subscribed_customer()

    voided = void(api, api.draft(subscription["id"]))

    assert (voided["status"], voided["number"], voided["finalized_at"]) == ("void", "", None)


@pytest.mark.parametrize(
    ("before", "action"),
    [
        ([], "finalize"),
        (["void"], "finalize"),
        (["void"], "void"),
    ],
)
def test_what_is_final_is_not_finalized_again(api, before, action):
    *_, subscription = api.subscribed_customer()
    final = used(api, subscription, "1")
    path = f"/v1/invoices/{final['id']}"
    statuses = [api.post(f"{path}/{step}").status_code for step in before]
    seen = get(api, final)

    refused = api.post(f"{path}/{action}")

    assert statuses == [200] * len(before)
    assert (refused.status_code, seen["status"] in refused.json()["error"]) == (409, True)
    assert get(api, final) == seen


@pytest.mark.parametrize("action", ["finalize", "void"])
def test_a_paid_invoice_stays_paid(api, action):
    *_, subscription = api.subscribed_customer()
    paid = api.finalize(api.draft(subscription["id"])["id"])

    refused = api.post(f"/v1/invoices/{paid['id']}/{action}")

    assert (refused.status_code, "paid" in refused.json()["error"]) == (409, True)
    assert get(api, paid) == paid


@pytest.mark.parametrize("action", [None, "void"])
def test_what_has_a_number_is_not_deleted(api, action):
    *_, subscription = api.subscribed_customer()
    final = used(api, subscription, "1")
    seen = void(api, final) if action else final

    refused = api.delete(f"/v1/invoices/{final['id']}")

    assert (refused.status_code, "void it instead" in refused.json()["error"]) == (409, True)
    assert get(api, final) == seen


def test_a_trial_is_not_billed(api):
    plan = api.plan(trial_period_days=7)
    subscription = api.subscribe(api.customer()["id"], plan["id"])

    refused = api.post("/v1/invoices/generate", json={"subscription_id": subscription["id"]})

    assert (refused.status_code, "trial" in refused.json()["error"]) == (409, True)
    assert api.get("/v1/invoices").json()["total"] == 0


def test_after_the_trial_only_what_came_after_it_is_billed(api):
    metric = api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "2"}
    plan = api.plan(price, trial_period_days=7)
    subscription = api.subscribe(api.customer()["id"], plan["id"])
    api.ingest(event("in the trial"))
    api.backend.clock.advance(days=7, hours=1)
    api.ingest(event("after it"))

    draft = api.draft(subscription["id"])

    assert (draft["period_start"], draft["total"]) == (subscription["trial_ends_at"], "2.000000")


def test_a_payout_plan_is_not_invoiced(api):
    plan = api.plan(plan_type="payout")
    subscription = api.subscribe(api.customer()["id"], plan["id"])

    refused = api.post("/v1/invoices/generate", json={"subscription_id": subscription["id"]})

    assert (refused.status_code, "bill" in refused.json()["error"]) == (409, True)


def test_a_subscription_that_has_not_begun_is_not_invoiced(api):
    start = (api.backend.clock.now()).replace(microsecond=0)
    plan = api.plan()
    subscription = api.subscribe(
        api.customer()["id"], plan["id"], start_date=start.replace(year=start.year + 1).isoformat()
    )

    refused = api.post("/v1/invoices/generate", json={"subscription_id": subscription["id"]})

    assert refused.status_code == 409


def test_a_canceled_subscription_is_not_invoiced_again(api):
    *_, subscription = api.subscribed_customer()
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "canceled"})

    refused = api.post("/v1/invoices/generate", json={"subscription_id": subscription["id"]})

    assert (refused.status_code, "canceled" in refused.json()["error"]) == (409, True)


def test_canceling_turns_the_draft_into_the_closing_invoice(api):
    *_, subscription = api.subscribed_customer()
    used(api, subscription, "1")
    draft = api.draft(subscription["id"])
    api.ingest(event("2"))

    api.delete(f"/v1/subscriptions/{subscription['id']}")

    closing = get(api, draft)
    assert (closing["kind"], closing["status"], closing["total"]) == (
        "closing",
        "finalized",
        "2.000000",
    )


def test_an_invoice_of_a_deleted_subscription_can_be_voided(api):
    *_, subscription = api.subscribed_customer()
    final = used(api, subscription, "1")
    api.delete(f"/v1/subscriptions/{subscription['id']}")

    assert void(api, final)["status"] == "void"


def test_vat_is_frozen_on_a_final_invoice(api):
    api.patch("/v1/organization", json={"vat_enabled": True, "vat_rate": 7.5})
    *_, subscription = api.subscribed_customer(unit_price="100")
    final = used(api, subscription, "1")

    api.patch("/v1/organization", json={"vat_rate": 20})
    next_draft = api.draft(subscription["id"])

    assert (final["vat_rate"], final["vat_amount"], final["total"]) == (
        "7.5",
        "7.500000",
        "107.500000",
    )
    assert get(api, final) == final
    assert next_draft["vat_rate"] == "20"


def at_once(request, times=8):
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(lambda _: request(), range(times)))


def test_drafts_made_at_once_are_one_draft(api):
    *_, subscription = api.subscribed_customer()

    drafts = at_once(lambda: api.draft(subscription["id"])["id"])

    assert len(set(drafts)) == 1
    assert api.get("/v1/invoices").json()["total"] == 1


def test_a_draft_finalized_many_times_at_once_is_final_once(api):
    *_, subscription = api.subscribed_customer()
    api.ingest(event("1"))
    path = f"/v1/invoices/{api.draft(subscription['id'])['id']}/finalize"

    statuses = at_once(lambda: api.post(path).status_code)

    assert sorted(statuses) == [200] + [409] * 7
    assert used(api, subscription, "2")["number"] == "INV-000002"


def test_a_subscription_canceled_many_times_at_once_is_billed_once(api):
    *_, subscription = api.subscribed_customer()
    api.ingest(event("1"))
    path = f"/v1/subscriptions/{subscription['id']}"

    statuses = at_once(lambda: api.patch(path, json={"status": "canceled"}).status_code)

    assert sorted(statuses) == [200] + [409] * 7
    assert [invoice["total"] for invoice in api.get("/v1/invoices").json()["invoices"]] == [
        "2.000000"
    ]


def test_invoices_finalized_at_once_have_numbers_without_gaps(api):
    _, _, plan, _ = api.subscribed_customer()
    names = [f"n{number}" for number in range(8)]
    drafts = [
        api.draft(api.subscribe(api.customer(name)["id"], plan["id"])["id"])["id"] for name in names
    ]

    with ThreadPoolExecutor(8) as pool:
        finals = list(pool.map(api.finalize, drafts))

    assert sorted(final["number"] for final in finals) == [
        f"INV-{number:06d}" for number in range(1, 9)
    ]


@pytest.mark.parametrize(
    ("currency", "unit_price", "subtotal"),
    [
        ("NGN", "0.004999", "0.000000"),
        ("NGN", "0.005", "0.010000"),
        ("NGN", "0.0149999999", "0.020000"),
        ("XOF", "0.5", "1.000000"),
        ("UGX", "1.4", "1.000000"),
        ("KES", "1.005", "1.010000"),
    ],
)
def test_a_subtotal_is_rounded_to_the_currencys_minor_unit(api, currency, unit_price, subtotal):
    metric = api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": unit_price}
    plan = api.plan(price, currency=currency)
    subscription = api.subscribe(api.customer()["id"], plan["id"])
    api.ingest(event("1"))

    draft = api.draft(subscription["id"])

    assert (draft["currency"], draft["subtotal"]) == (currency, subtotal)


def test_an_amount_beyond_what_can_be_held_is_refused_with_the_reason(api):
    metric = api.metric("big", aggregation="sum", aggregation_property="n")
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "9" * 18}
    subscription = api.subscribe(api.customer()["id"], api.plan(price)["id"])
    api.ingest(event("1", name="big", properties={"n": "9" * 18}))

    refused = api.post("/v1/invoices/generate", json={"subscription_id": subscription["id"]})

    assert (refused.status_code, "exceeds" in refused.json()["error"]) == (409, True)
    assert api.get("/v1/invoices").json()["total"] == 0


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, ["", "INV-000002", "INV-000001"]),
        ({"status": "draft"}, [""]),
        ({"status": "void"}, ["INV-000001"]),
        ({"status": "paid"}, []),
        ({"customer_id": "c1"}, ["", "INV-000002", "INV-000001"]),
        ({"customer_id": "c1", "status": "finalized"}, ["INV-000002"]),
        ({"customer_id": "nobody"}, []),
        ({"limit": 1}, [""]),
        ({"limit": 1, "offset": 2}, ["INV-000001"]),
        ({"offset": 3}, []),
    ],
)
def test_invoices_are_listed_by_status_and_customer_newest_first(api, query, numbers):
    *_, subscription = api.subscribed_customer()
    void(api, used(api, subscription, "1"))
    used(api, subscription, "2")
    api.draft(subscription["id"])

    listed = api.get("/v1/invoices", params=query).json()["invoices"]

    assert [invoice["number"] for invoice in listed] == numbers


def test_a_bill_is_in_the_list_of_bills_and_an_invoice_in_that_of_invoices(api):
    customer, metric, _, charged = api.subscribed_customer()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "3"}
    earned = api.subscribe(customer["id"], api.plan(price, plan_type="payout")["id"])
    invoice = api.draft(charged["id"])
    bill = api.make("/v1/bills", {"subscription_id": earned["id"]}, "bill")

    listed = [api.get(f"/v1/{name}").json() for name in ("invoices", "bills")]

    assert [known["id"] for known in listed[0]["invoices"]] == [invoice["id"]]
    assert [known["id"] for known in listed[1]["bills"]] == [bill["id"]]
    assert [one["total"] for one in listed] == [1, 1]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoices SET total = 1, subtotal = 1 WHERE id = $1",
        "UPDATE invoices SET currency = 'USD' WHERE id = $1",
        "UPDATE invoices SET number = 99 WHERE id = $1",
        "UPDATE invoices SET vat_enabled = true, vat_amount = 1, total = total + 1 WHERE id = $1",
        "UPDATE invoices SET period_end = period_end + interval '1 day' WHERE id = $1",
        "UPDATE invoices SET finalized_at = now() WHERE id = $1",
        "UPDATE invoices SET kind = 'closing' WHERE id = $1",
        "UPDATE invoices SET status = 'draft' WHERE id = $1",
        "UPDATE invoices SET terms = '{}' WHERE id = $1",
        "UPDATE invoices SET plan_type = 'payout' WHERE id = $1",
        "UPDATE invoices SET status = 'draft', number = NULL, finalized_at = NULL WHERE id = $1",
        "DELETE FROM invoices WHERE id = $1",
        "UPDATE invoice_line_items SET amount = 1 WHERE invoice_id = $1",
        "DELETE FROM invoice_line_items WHERE invoice_id = $1",
        (
            "INSERT INTO invoice_line_items SELECT (jsonb_populate_record(line,"
            " jsonb_build_object('id', gen_random_uuid(), 'position', 99))).*"
            " FROM invoice_line_items AS line WHERE invoice_id = $1"
        ),
    ],
)
def test_the_database_refuses_to_change_a_final_invoice(api, backend, statement):
    *_, subscription = api.subscribed_customer()
    final = used(api, subscription, "1")

    with pytest.raises((asyncpg.CheckViolationError, asyncpg.InsufficientPrivilegeError)):
        backend.sql(statement, final["id"], as_app=api.tenant)

    assert get(api, final) == final


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE usage_events SET occurred_at = now() WHERE customer_id = $1",
        "DELETE FROM usage_events WHERE customer_id = $1",
        "DELETE FROM customers WHERE id = $1",
        "TRUNCATE usage_events",
    ],
)
def test_the_application_cannot_rewrite_history(api, backend, statement):
    customer, *_ = api.subscribed_customer()
    api.ingest(event("1"))
    arguments = [customer["id"]] if "$1" in statement else []

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        backend.sql(statement, *arguments, as_app=api.tenant)

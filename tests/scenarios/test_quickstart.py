"""The README's story: from a customer to a final invoice."""

from datetime import UTC, datetime, timedelta

import pytest

from monigo.core.times import format_instant
from support.api import event


def test_a_newcomer_bills_a_customer(api):
    customer = api.customer("driver-42", name="Ada")
    metric = api.metric("api_call")
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "2.000000"}
    plan = api.plan(price, name="Pay as you go", currency="NGN")
    subscription = api.subscribe("driver-42", plan["id"])
    events = [event("call-1", "driver-42"), event("call-2", customer["id"])]

    first = api.ingest(*events)
    second = api.ingest(*events)
    draft = api.draft(subscription["id"])
    final = api.finalize(draft["id"])

    assert first == {"ingested": ["call-1", "call-2"], "duplicates": []}
    assert second == {"ingested": [], "duplicates": ["call-1", "call-2"]}
    assert (draft["status"], draft["number"], draft["total"]) == ("draft", "", "4.000000")
    assert (final["status"], final["number"], final["total"]) == (
        "finalized",
        "INV-000001",
        "4.000000",
    )
    assert [line["quantity"] for line in final["line_items"]] == ["2"]
    assert final["id"] == draft["id"]


@pytest.mark.parametrize("minute", [1, 41])
def test_ten_events_of_the_last_ten_seconds_after_subscribing_are_billed(api, clock, minute):
    now = datetime(2027, 3, 3, 1, minute, 18, 630_000, tzinfo=UTC)
    clock(format_instant(now))
    api.customer("driver-42")
    metric = api.metric("api_call")
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "2.000000"}
    subscription = api.subscribe("driver-42", api.plan(price)["id"])
    stamps = [now - timedelta(seconds=number) for number in range(10)]
    api.ingest(
        *(
            event(f"call-{stamp.second}", "driver-42", timestamp=format_instant(stamp))
            for stamp in stamps
        )
    )

    final = api.finalize(api.draft(subscription["id"])["id"])

    assert [line["quantity"] for line in final["line_items"]] == ["10"]
    assert final["total"] == "20.000000"


def test_a_second_subscription_of_the_plan_type_is_a_conflict(api):
    customer, _, plan, _ = api.subscribed_customer()

    again = api.post(
        "/v1/subscriptions", json={"customer_id": customer["id"], "plan_id": plan["id"]}
    )

    assert again.status_code == 409
    assert "active subscription" in again.json()["error"]


def test_what_was_billed_in_the_period_is_not_billed_again(api):
    *_, subscription = api.subscribed_customer()
    api.ingest(event("1"), event("2"))
    first = api.finalize(api.draft(subscription["id"])["id"])

    api.ingest(event("3"))
    second = api.finalize(api.draft(subscription["id"])["id"])
    api.post(f"/v1/invoices/{first['id']}/void")
    third = api.finalize(api.draft(subscription["id"])["id"])

    assert [bill["total"] for bill in (first, second, third)] == [
        "4.000000",
        "2.000000",
        "4.000000",
    ]
    assert [bill["number"] for bill in (first, second, third)] == [
        "INV-000001",
        "INV-000002",
        "INV-000003",
    ]


def test_paused_time_is_metered_but_not_billed(api):
    customer, _, _, subscription = api.subscribed_customer()
    clock = api.backend.clock
    path = f"/v1/subscriptions/{subscription['id']}"
    api.ingest(event("before"))
    clock.advance(hours=1)
    assert api.patch(path, json={"status": "paused"}).json()["subscription"]["status"] == "paused"
    clock.advance(hours=1)
    api.ingest(event("during"))
    clock.advance(hours=1)
    assert api.patch(path, json={"status": "active"}).json()["subscription"]["status"] == "active"
    clock.advance(hours=1)
    api.ingest(event("after"))

    draft = api.draft(subscription["id"])
    rollup = api.get("/v1/usage", params={"customer_id": customer["id"]}).json()["rollups"][0]

    assert draft["total"] == "4.000000"
    assert (rollup["value"], rollup["billable_value"], rollup["event_count"]) == (3, 2, 3)


def test_canceling_invoices_what_was_used(api):
    *_, subscription = api.subscribed_customer()
    api.ingest(event("1"), event("2"), event("3"))

    canceled = api.patch(
        f"/v1/subscriptions/{subscription['id']}", json={"status": "canceled"}
    ).json()["subscription"]
    invoice = api.get("/v1/invoices").json()["invoices"][0]

    assert canceled["status"] == "canceled"
    assert canceled["current_period_end"] == canceled["canceled_at"]
    assert (invoice["kind"], invoice["status"], invoice["total"]) == (
        "closing",
        "finalized",
        "6.000000",
    )


def test_vat_is_added_and_rounded_to_the_kobo(api):
    changed = api.patch("/v1/organization", json={"vat_enabled": True, "vat_rate": 7.5})
    *_, subscription = api.subscribed_customer(unit_price="0.333")
    api.ingest(event("1"))

    invoice = api.draft(subscription["id"])

    assert changed.json()["organization"]["vat_rate"] == 7.5
    assert (invoice["subtotal"], invoice["vat_amount"], invoice["total"]) == (
        "0.330000",
        "0.020000",
        "0.350000",
    )


def test_a_negative_subtotal_is_carried_to_the_next_invoice(api):
    customer, metric = (
        api.customer(),
        api.metric("refund", aggregation="sum", aggregation_property="n"),
    )
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    subscription = api.subscribe(customer["id"], api.plan(price)["id"])
    api.ingest(event("minus", name="refund", properties={"n": -5}))
    refunded = api.finalize(api.draft(subscription["id"])["id"])
    api.ingest(event("plus", name="refund", properties={"n": "12"}))

    charged = api.finalize(api.draft(subscription["id"])["id"])

    assert (refunded["status"], refunded["total"]) == ("paid", "0.000000")
    assert [line["amount"] for line in refunded["line_items"]] == ["-5.000000", "5.000000"]
    assert [line["amount"] for line in charged["line_items"]] == ["-5.000000", "12.000000"]
    assert charged["total"] == "7.000000"

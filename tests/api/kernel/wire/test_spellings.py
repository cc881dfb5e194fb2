"""States in other spellings are taken; answers keep the contract's words."""

import pytest

from support.api import event

FACES = ["/v1", "/api/v1"]


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("word", ["cancelled", "canceled"])
def test_a_subscription_is_canceled_and_listed_in_either_spelling(api, face, word):
    *_, subscription = api.subscribed_customer()

    path = f"{face}/subscriptions"
    changed = api.patch(f"{path}/{subscription['id']}", json={"status": word})
    listed = api.get(path, params={"status": word})

    assert changed.json()["subscription"]["status"] == "canceled"
    assert [one["status"] for one in listed.json()["subscriptions"]] == ["canceled"]
    assert api.get(path, params={"status": "active"}).json()["total"] == 0


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("word", ["voided", "void"])
def test_invoices_are_listed_and_exported_in_either_spelling(api, face, word):
    *_, subscription = api.subscribed_customer()
    api.ingest(event("1"))
    final = api.finalize(api.draft(subscription["id"])["id"])
    api.post(f"/v1/invoices/{final['id']}/void")
    draft = api.draft(subscription["id"])

    listed = api.get(f"{face}/invoices", params={"status": word}).json()["invoices"]
    exported = api.get(f"{face}/invoices/export", params={"status": word}).text

    assert [(one["id"], one["status"]) for one in listed] == [(final["id"], "void")]
    assert (final["id"] in exported, draft["id"] in exported) == (True, False)
    assert ",void," in exported


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("word", ["void", "voided"])
def test_bills_are_listed_and_exported_in_either_spelling(api, face, word):
    api.customer("c1")
    metric = api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    subscription = api.subscribe("c1", api.plan(price, plan_type="payout")["id"])
    api.ingest(event("1"))
    bill = api.make("/v1/bills", {"subscription_id": subscription["id"]}, "bill")
    api.post(f"/v1/bills/{bill['id']}/finalize")
    api.post(f"/v1/bills/{bill['id']}/void")

    listed = api.get(f"{face}/bills", params={"status": word}).json()["bills"]
    exported = api.get(f"{face}/bills/export", params={"status": word}).text

    assert [(one["id"], one["status"]) for one in listed] == [(bill["id"], "voided")]
    assert f"{bill['id']},BILL-" in exported
    assert ",voided," in exported


@pytest.mark.parametrize("word", ["cancelled", "canceled"])
def test_top_ups_and_events_are_listed_in_either_spelling(api, word):
    *_, subscription = api.subscribed_customer()
    wallet = api.wallet("c1")
    rule = {"threshold": "100", "amount": "50"}
    path = f"/v1/wallets/{wallet['id']}"
    api.put(f"{path}/auto-top-up", json=rule)
    api.delete(f"{path}/auto-top-up")
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": word})

    top_ups = api.get(f"{path}/top-ups", params={"status": word}).json()["top_ups"]
    events = api.get("/v1/billing-events", params={"type": f"subscription.{word}"}).json()["events"]

    assert {one["status"] for one in top_ups} == {"canceled"}
    assert [one["type"] for one in events] == ["subscription.canceled"]


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("subscriptions", "Cancelled"),
        ("subscriptions", "void"),
        ("invoices", "cancelled"),
        ("invoices", "Voided"),
        ("bills", "canceled"),
        ("bills/export", "VOID"),
    ],
)
def test_a_state_that_is_none_is_named(api, path, word):
    answer = api.get(f"/v1/{path}", params={"status": word})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["status"])


def test_a_state_that_is_none_changes_nothing(api):
    *_, subscription = api.subscribed_customer()

    path = f"/v1/subscriptions/{subscription['id']}"
    answer = api.patch(path, json={"status": "canceling"})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["status"])
    assert api.get(path).json()["subscription"] == subscription

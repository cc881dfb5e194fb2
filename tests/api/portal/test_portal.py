"""What a customer sees and does in the portal: the own things, and nothing of anybody else."""

import re
from uuid import uuid4

import pytest

from support.api import event
from support.operations import OF_PORTAL
from support.portal import Holder
from support.shop import Shop
from support.tenants import fill

PROVIDERS = ["paystack", "flutterwave", "monnify"]


@pytest.fixture
def shop(api):
    return Shop(api, "paystack")


@pytest.fixture
def ada(shop):
    return Holder(shop.api, "ada")


def save_card(shop):
    shop.save_card()
    return shop.api.get("/v1/customers/ada/payment-methods").json()["payment_methods"][0]["id"]


def test_invoices_are_shown_without_drafts_and_without_what_amounts_to_nothing(shop, ada):
    nothing = shop.api.draft(shop.subscription["id"])
    shop.api.finalize(nothing["id"])
    owed = shop.owe(2)

    listed = ada.read("invoices")

    assert [one["id"] for one in listed["invoices"]] == [owed["id"]]
    assert listed["count"] == 1
    assert listed["invoices"][0]["line_items"][0]["amount"] == "200.000000"
    assert ada.read(f"invoices/{owed['id']}")["invoice"]["amount_due"] == "200.000000"
    assert ada.get(f"invoices/{nothing['id']}").status_code == 404


def test_a_draft_is_not_there(shop, ada):
    shop.owe()
    draft = shop.api.draft(shop.subscription["id"])

    assert ada.get(f"invoices/{draft['id']}").status_code == 404
    assert ada.post(f"invoices/{draft['id']}/pay").status_code == 404


def test_lists_are_paged_from_one(shop, ada):
    made = [shop.owe()["id"] for _ in range(3)]

    pages = [ada.read("invoices", params={"page": page, "limit": 2}) for page in (1, 2, 3)]

    assert [[one["id"] for one in page["invoices"]] for page in pages] == [
        made[:0:-1],
        made[:1],
        [],
    ]
    assert {page["count"] for page in pages} == {3}


@pytest.mark.parametrize(
    ("query", "field"),
    [({"page": 0}, "page"), ({"limit": 0}, "limit"), ({"limit": 101}, "limit")],
)
def test_a_page_that_there_is_not_is_refused(ada, query, field):
    answer = ada.get("invoices", params=query)

    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])


def test_an_invoice_is_paid_by_a_link_and_the_second_click_gets_the_same(shop, ada):
    invoice = shop.owe(3)

    first = ada.post(f"invoices/{invoice['id']}/pay").json()
    again = ada.http.post(f"/api/v1/portal/invoices/{invoice['id']}/pay").json()
    shop.pay(first)
    shop.ask()

    assert again == first
    assert set(first) == {"authorization_url", "reference", "transaction_id", "provider"}
    assert ada.read(f"invoices/{invoice['id']}")["invoice"]["status"] == "paid"
    (tried,) = ada.read(f"invoices/{invoice['id']}/transactions")["transactions"]
    assert (tried["id"], tried["status"], tried["amount"]) == (
        first["transaction_id"],
        "succeeded",
        "300.000000",
    )
    shop.check()


def test_an_invoice_is_paid_by_a_saved_card(shop, ada):
    method_id = save_card(shop)
    invoice = shop.owe(2)
    body = {"payment_method_id": method_id}

    answer = ada.post(f"invoices/{invoice['id']}/pay-with-card", **body)

    assert answer.json() == {
        "message": "the invoice is paid",
        "charged": True,
        "status": "paid",
        "authorization_url": None,
    }
    assert shop.status(invoice) == ("paid", 200, 0)
    assert ada.post(f"invoices/{invoice['id']}/pay-with-card", **body).status_code == 409
    shop.check()


def test_a_card_that_is_declined_leaves_the_invoice_unpaid(shop, ada):
    method_id = save_card(shop)
    invoice = shop.owe(2)
    shop.script("charge", "failed")

    answer = ada.post(f"invoices/{invoice['id']}/pay-with-card", payment_method_id=method_id)

    assert (answer.json()["charged"], answer.json()["status"]) == (False, "failed")
    assert shop.status(invoice)[2] == 200
    shop.check()


def test_a_card_whose_charge_nobody_answers_is_charged_once(shop, ada):
    method_id = save_card(shop)
    invoice = shop.owe(2)
    shop.script("charge", "drop_after_commit")
    path = f"invoices/{invoice['id']}/pay-with-card"

    first = ada.post(path, payment_method_id=method_id)
    again = ada.post(path, payment_method_id=method_id)
    shop.ask()

    assert (first.json()["status"], again.status_code) == ("pending", 409)
    assert shop.status(invoice) == ("paid", 200, 0)
    shop.check()


def test_an_invoice_is_paid_whole_from_the_wallet_or_not_at_all(shop, ada):
    wallet = shop.api.wallet("ada", funds="150")
    invoice = shop.owe(2)
    path = f"invoices/{invoice['id']}/pay-with-wallet"

    short = ada.post(path, wallet_id=wallet["id"])
    kept = shop.balance()
    shop.api.move(wallet, "credit", "100", "deposit")
    paid = ada.post(path, wallet_id=wallet["id"])

    assert (short.status_code, short.json()["code"]) == (402, "insufficient_balance")
    assert (int(kept), int(shop.balance())) == (150, 50)
    assert paid.json() == {"message": "the invoice is paid"}
    assert shop.status(invoice) == ("paid", 200, 0)
    assert ada.post(path, wallet_id=wallet["id"]).status_code == 409


def test_a_wallet_of_another_currency_or_customer_pays_nothing(shop, ada):
    other = shop.api.wallet("ada", currency="KES", funds="500")
    shop.api.customer("eve")
    foreign = shop.api.wallet("eve", funds="500")
    invoice = shop.owe(2)
    path = f"invoices/{invoice['id']}/pay-with-wallet"

    refused = [ada.post(path, wallet_id=one["id"]) for one in (other, foreign)]

    assert [one.status_code for one in refused] == [400, 404]
    assert list(refused[0].json()["details"]) == ["wallet_id"]
    assert shop.status(invoice)[2] == 200


def test_another_customers_card_pays_nothing(shop):
    method_id = save_card(shop)
    eve = Holder(shop.api, shop.api.customer("eve", email="eve@example.com")["external_id"])
    subscription = shop.api.subscribe("eve", shop.subscription["plan_id"])
    shop.api.ingest(event("of-eve", "eve"))
    invoice = shop.api.finalize(shop.api.draft(subscription["id"])["id"])

    answer = eve.post(f"invoices/{invoice['id']}/pay-with-card", payment_method_id=method_id)

    assert answer.status_code == 404
    shop.check()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_wallet_is_funded_by_a_widget_whose_session_asked_twice_is_one(api, provider):
    Shop(api, provider)
    ada = Holder(api, "ada")
    path = f"wallets/{api.wallet('ada')['id']}/fund"
    body = {"amount": "500", "currency": "NGN", "inline": True}

    first, again = (ada.post(path, **body) for _ in range(2))

    assert first.status_code == 200, first.text
    assert again.json() == first.json()
    assert (first.json()["provider"], first.json()["email"]) == (provider, "ada@example.com")


def test_what_is_paid_into_a_wallet_is_shown_with_what_moved_it(api, shop, ada):
    wallet = api.wallet("ada")

    link = ada.post(f"wallets/{wallet['id']}/fund", amount="500", currency="NGN")
    shop.pay(link.json())
    shop.ask()

    shown = ada.read(f"wallets/{wallet['id']}")["wallet"]
    assert (shown["balance"], shown["virtual_accounts"]) == ("500.000000", [])
    (entry,) = ada.read(f"wallets/{wallet['id']}/transactions")["entries"]
    assert (entry["amount"], entry["balance_after"]) == ("500.000000", "500.000000")


def test_a_card_is_saved_made_the_default_and_removed(shop, ada):
    begun = ada.post("payment-methods/setup").json()
    shop.pay(begun)
    shop.ask()
    (saved,) = ada.read("payment-methods")["payment_methods"]

    default = ada.put(f"payment-methods/{saved['id']}/default")
    removed = ada.delete(f"payment-methods/{saved['id']}")

    assert (saved["type"], saved["is_default"]) == ("card", True)
    assert [default.status_code, removed.status_code] == [200, 200]
    assert ada.read("payment-methods")["payment_methods"] == []


def test_a_subscription_shows_what_was_used_and_what_that_comes_to(shop, ada):
    shop.api.ingest(event("first", "ada"), event("second", "ada"))

    listed = ada.read("subscriptions")
    (one,) = listed["subscriptions"]

    assert listed["count"] == 1
    assert [(used["quantity"], used["amount"]) for used in one["usage"]] == [("2", "200.000000")]
    assert (one["accrued_amount"], one["plan_type"]) == ("200.000000", "collection")
    assert ada.read(f"subscriptions/{one['id']}")["subscription"] == one


def test_a_canceled_subscription_ends_with_its_period_and_is_billed_until_then(shop, ada):
    subscription_id = shop.subscription["id"]

    answer = ada.post(f"subscriptions/{subscription_id}/cancel")

    assert answer.status_code == 200
    (one,) = ada.read("subscriptions")["subscriptions"]
    assert (one["status"], one["cancel_at_period_end"]) == ("active", True)
    assert one["cancel_at"] == one["current_period_end"]
    assert one["cancel_at"] in answer.json()["message"]


def test_what_has_ended_is_left_out(shop, ada):
    shop.api.patch(f"/v1/subscriptions/{shop.subscription['id']}", json={"status": "canceled"})

    assert ada.read("subscriptions") == {"count": 0, "subscriptions": []}


def test_what_a_customer_does_is_in_the_audit_log_as_the_portals(shop, ada):
    ada.post(f"subscriptions/{shop.subscription['id']}/cancel")

    entry = shop.api.get("/api/v1/audit-logs").json()["audit_logs"][0]

    assert (entry["action"], entry["actor_type"], entry["actor_id"]) == (
        "cancel_own_subscription",
        "portal",
        ada.made["id"],
    )


def test_no_route_of_the_portal_knows_another_customers_things(api):
    ids = fill(api, "ada") | {"payout_account_id": str(uuid4())}
    ids["invoice_id"] = ids["final_invoice_id"]
    eve = Holder(api, api.customer("eve")["external_id"])
    routes = [(method, path) for method, path in OF_PORTAL if "{" in path]
    body = {
        "amount": "5",
        "wallet_id": ids["wallet_id"],
        "payment_method_id": ids["payment_method_id"],
    }

    statuses = {
        (method, path): eve.http.request(method, path.format(**ids), json=body).status_code
        for method, path in routes
    }

    assert len(routes) > 12
    assert {one: status for one, status in statuses.items() if status != 404} == {}


@pytest.mark.parametrize("text", ["0", "null", "%00", "a%2Fb", "..%2F.."])
def test_a_path_that_holds_no_id_is_unknown_on_every_route(api, text):
    api.customer("ada")
    ada = Holder(api, "ada")
    body = {"amount": "5", "wallet_id": str(uuid4()), "payment_method_id": str(uuid4())}

    statuses = {
        (method, path): ada.http.request(
            method, re.sub(r"\{[^}]+\}", text, path), json=body
        ).status_code
        for method, path in OF_PORTAL
        if "{" in path
    }

    assert {one: status for one, status in statuses.items() if status != 404} == {}

"""What customers owe becomes money: stories through the API, with test time and the simulator."""

import pytest

from monigo.collection import TASKS
from monigo.core.times import parse_instant
from support.agenda import do
from support.stories import DAY, Story
from support.verification import faults


@pytest.fixture(params=["paystack"])
def shop(api, request):
    shop = Story(api, request.param)
    yield shop
    assert faults(api.backend, api.tenant) == []


@pytest.mark.parametrize("provider", ["paystack", "flutterwave", "monnify"])
def test_a_saved_card_is_charged_as_the_period_ends(api, provider):
    shop = Story(api, provider)
    shop.save_card()
    shop.ride(calls=3)

    shop.go_to("2027-02-01T00:00:00Z")

    invoice = shop.invoice()
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", "300.000000")
    assert invoice["due_date"] == "2027-02-02T00:00:00Z"
    (charge,) = shop.transactions(invoice)
    assert (charge["status"], charge["kind"]) == ("succeeded", "pull")
    assert len(shop.money()) == 2
    assert faults(api.backend, api.tenant) == []


def test_an_invoice_without_a_card_is_paid_by_a_link(shop):
    shop.ride(calls=3)
    shop.go_to("2027-02-01T00:00:00Z")
    invoice = shop.invoice()
    assert (invoice["status"], invoice["amount_due"]) == ("finalized", "300.000000")
    assert "saved payment method" in invoice["collection_reason"]

    path = f"/v1/invoices/{invoice['id']}/initiate-payment"
    made = shop.make(path, {"save_method": True})
    again = shop.make(path)
    assert made["authorization_url"] == again["authorization_url"]
    assert made["reference"] == again["reference"]
    shop.pay(made["reference"])

    assert shop.invoice()["status"] == "paid"
    assert len(shop.methods()) == 1
    refused = shop.api.post(path, json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "invoice_state")


def test_a_failed_card_leads_to_dunning_and_another_one_ends_it(shop):
    method = shop.save_card()
    shop.ride(calls=3)
    shop.script("failed", times=5)
    shop.go_to("2027-02-01T00:00:00Z")
    invoice = shop.invoice()
    assert invoice["status"] == "payment_failed"
    assert invoice["next_collection_at"] == "2027-02-02T00:00:00Z"
    shop.go_to("2027-02-06T00:00:00Z")
    assert [one["status"] for one in shop.transactions(invoice)] == ["failed"] * 4
    assert shop.status() == "active"

    shop.go_to("2027-02-08T00:00:00Z")

    assert shop.invoice()["status"] == "uncollectible"
    assert shop.status() == "suspended"
    shop.go_to("2027-02-10T00:00:00Z")
    shop.api.delete(f"/v1/customers/ada/payment-methods/{method['id']}")
    shop.save_card()
    shop.go_to("2027-02-10T00:00:01Z")
    assert shop.invoice()["status"] == "paid"
    assert shop.status() == "active"
    assert len(shop.transactions(invoice)) == 6


def test_a_part_is_refunded_and_never_more_than_was_taken(shop):
    shop.save_card()
    shop.ride(calls=3)
    shop.go_to("2027-02-01T00:00:00Z")
    invoice = shop.invoice()
    path = f"/v1/invoices/{invoice['id']}/refunds"

    refund = shop.make(path, {"amount": "120", "reason": "late"})["refund"]
    more = shop.api.post(path, json={"amount": "181", "reason": "late"})

    assert (refund["amount"], refund["to"]) == ("120.000000", "provider")
    assert (more.status_code, more.json()["code"]) == (409, "refund_exceeds_payment")
    found = shop.invoice()
    assert (found["status"], found["amount_refunded"]) == ("paid", "120.000000")


def test_what_is_paid_too_much_goes_to_the_wallet_and_too_little_leaves_the_rest(shop):
    shop.ride(calls=3)
    shop.go_to("2027-02-01T00:00:00Z")
    invoice = shop.invoice()
    path = f"/v1/invoices/{invoice['id']}/initiate-payment"
    first = shop.make(path)
    shop.pay(first["reference"], amount="100")
    found = shop.invoice()
    assert (found["status"], found["amount_due"]) == ("finalized", "200.000000")

    second = shop.make(path)
    assert second["reference"] != first["reference"]
    shop.pay(second["reference"], amount="250")

    assert shop.invoice()["status"] == "paid"
    assert shop.balance() == ["50.000000"]


def test_what_came_in_excess_pays_the_next_invoice_before_the_card(shop):
    shop.ride(calls=3)
    shop.go_to("2027-02-01T00:00:00Z")
    made = shop.make(f"/v1/invoices/{shop.invoice()['id']}/initiate-payment", {"save_method": True})
    shop.pay(made["reference"], amount="700")
    shop.api.move(shop.wallet(), "credit", "1000", "deposit")
    shop.ride("2", calls=9)

    shop.go_to("2027-03-01T00:00:00Z")

    # Of the wallet's money only the excess: the card pays the rest.
    invoice = shop.invoice()
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", "900.000000")
    assert shop.money() == ["700", "500"]
    assert shop.balance() == ["1000.000000"]


def test_excess_that_an_invoice_paid_with_is_excess_again_once_it_is_void(shop):
    shop.overpay("400")
    shop.ride("2", calls=2)
    shop.go_to("2027-03-01T00:00:00Z")
    second = shop.invoice()
    assert (second["status"], second["amount_paid"]) == ("finalized", "100.000000")

    shop.make(f"/v1/invoices/{second['id']}/void")
    returned = shop.balance()
    shop.go_to("2027-04-01T00:00:00Z")
    shop.ride("3", calls=3)
    shop.go_to("2027-05-01T00:00:00Z")

    assert returned == ["100.000000"]
    assert shop.invoice()["amount_paid"] == "100.000000"
    assert shop.balance() == ["0.000000"]


def test_excess_stays_in_the_wallet_where_the_merchant_wants_that(shop):
    shop.api.patch("/v1/organization", json={"apply_wallet_to_invoices": False})
    shop.overpay("400")
    shop.ride("2", calls=2)

    shop.go_to("2027-03-01T00:00:00Z")

    assert shop.invoice()["amount_paid"] == "0.000000"
    assert shop.balance() == ["100.000000"]


def test_excess_that_is_taken_back_or_spent_pays_no_invoice(shop):
    shop.overpay("400")
    shop.api.move(shop.wallet(), "credit", "50", "deposit")
    shop.api.move(shop.wallet(), "debit", "90")
    shop.ride("2", calls=2)

    shop.go_to("2027-03-01T00:00:00Z")

    # Of a hundred that came in excess no more than the sixty that were left.
    assert shop.invoice()["amount_paid"] == "60.000000"
    assert shop.balance() == ["0.000000"]


def test_a_success_after_the_invoice_was_voided_is_in_the_wallet(shop):
    shop.ride(calls=3)
    shop.go_to("2027-02-01T00:00:00Z")
    invoice = shop.invoice()
    made = shop.make(f"/v1/invoices/{invoice['id']}/initiate-payment")
    shop.make(f"/v1/invoices/{invoice['id']}/void")

    shop.pay(made["reference"])

    assert shop.invoice()["status"] == "void"
    assert shop.balance() == ["300.000000"]


def test_while_a_pull_is_under_way_an_invoice_is_not_settled_otherwise(shop):
    shop.save_card()
    shop.ride(calls=3)
    draft = shop.api.draft(shop.subscription["id"])
    shop.api.finalize(draft["id"])
    do(shop.api, *TASKS)
    path = f"/v1/invoices/{draft['id']}"
    (pull,) = shop.transactions(draft)
    assert pull["status"] == "pending"

    for action, body in (
        ("void", None),
        ("mark-paid", {"reference": "cash"}),
        ("initiate-payment", {}),
        (f"transactions/{pull['id']}/retry", None),
    ):
        refused = shop.api.post(f"{path}/{action}", json=body)
        assert refused.status_code == 409, action
    shop.ask(pull["reference"])

    assert shop.invoice()["status"] == "paid"


def test_a_time_out_is_no_failure_and_nothing_is_charged_twice(shop):
    shop.save_card()
    shop.ride(calls=3)
    shop.script("drop_after_commit")

    shop.go_to("2027-02-01T00:00:00Z")

    invoice = shop.invoice()
    assert invoice["status"] == "paid"
    assert len(shop.transactions(invoice)) == 1
    assert len(shop.money()) == 2


def test_a_declined_pull_is_tried_again_by_hand(shop):
    shop.save_card()
    shop.ride(calls=3)
    shop.script("failed")
    shop.go_to("2027-02-01T00:00:00Z")
    invoice = shop.invoice()
    (failed,) = shop.transactions(invoice)
    assert failed["error_message"]

    retried = shop.make(f"/v1/invoices/{invoice['id']}/transactions/{failed['id']}/retry")

    assert retried["transaction"]["status"] == "succeeded"
    assert shop.invoice()["status"] == "paid"


def test_what_nobody_reminds_of_is_overdue_and_may_suspend(shop):
    settings = {"payment_terms_days": 2, "overdue_suspend_after_days": 10}
    shop.api.patch("/v1/organization", json=settings)
    shop.ride(calls=3)
    shop.go_to("2027-02-01T00:00:00Z")
    invoice = shop.invoice()
    assert invoice["next_collection_at"] == "2027-02-03T00:00:00Z"

    shop.go_to(parse_instant(invoice["due_date"]) + 9 * DAY)
    assert shop.status() == "active"
    shop.go_to(parse_instant(invoice["due_date"]) + 10 * DAY)

    assert shop.status() == "suspended"
    made = shop.make(f"/v1/invoices/{invoice['id']}/initiate-payment")
    shop.pay(made["reference"])
    assert shop.status() == "active"


def events(shop, *wanted):
    found = shop.api.get("/v1/billing-events").json()["events"]
    return [(one["type"], one["data"]) for one in reversed(found) if one["type"] in wanted]


def test_payments_and_failed_tries_are_published(shop):
    shop.save_card()
    shop.script("failed")
    shop.owe()
    shop.go_to("2027-02-02T00:00:00Z")

    told = events(shop, "payment.success", "payment.failed")
    said = [(kind, one["payment"]["purpose"], one["payment"]["amount"]) for kind, one in told]
    assert said[1:] == [
        ("payment.failed", "invoice", "300.000000"),
        ("payment.success", "invoice", "300.000000"),
    ]
    assert told[1][1]["payment"]["error_message"]
    assert told[2][1]["payment"]["invoice_id"] == shop.invoice()["id"]


def test_an_overdue_invoice_is_published_with_each_reminder(shop):
    shop.owe()
    shop.go_to("2027-02-20T00:00:00Z")

    found = [one["invoice"]["reminder"] for _, one in events(shop, "invoice.overdue")]

    assert found == [1, 2, 3]

"""What was paid of invoices goes back: stories through the API, with the simulator."""

import pytest

from support.stories import Story
from support.verification import faults


@pytest.fixture
def story(api):
    story = Story(api)
    yield story
    assert faults(api.backend, api.tenant) == []


@pytest.fixture
def taxed(story):
    """As `story`, with a value-added tax of 7.5 %."""
    changes = {"vat_enabled": True, "vat_rate": "7.5"}
    assert story.api.patch("/v1/organization", json=changes).status_code == 200
    return story


def amounts(answer):
    return [one["amount"] for one in answer.json()["refunds"]]


def test_the_newest_payment_goes_back_first_and_then_the_others(story):
    invoice = story.owe(calls=6)
    older = story.pay_by_link(invoice, amount="200")
    newer = story.pay_by_link(invoice, amount="400")

    answer = story.refunded(invoice, amount="450")

    found = answer.json()["refunds"]
    assert amounts(answer) == ["400.000000", "50.000000"]
    assert [one["transaction_id"] for one in found] == [newer["id"], older["id"]]
    assert answer.json()["refund"] == found[0]
    assert sorted(map(int, story.money("refunds"))) == [50, 400]
    shown = story.invoice()
    assert (shown["status"], shown["amount_refunded"]) == ("paid", "450.000000")
    assert story.refund(invoice, amount="150.01").json()["code"] == "refund_exceeds_payment"
    assert amounts(story.refund(invoice)) == ["150.000000"]


def test_one_transaction_gives_back_what_it_brought(story):
    invoice = story.owe(calls=6)
    older = story.pay_by_link(invoice, amount="200")
    story.pay_by_link(invoice, amount="400")

    more = story.refund(invoice, amount="201", transaction_id=older["id"])
    answer = story.refund(invoice, transaction_id=older["id"])

    assert (more.status_code, more.json()["code"]) == (409, "refund_exceeds_payment")
    assert amounts(answer) == ["200.000000"]


@pytest.mark.parametrize("how", ["finalized", "payment_failed", "uncollectible"])
def test_a_part_that_was_paid_goes_back_and_nothing_falls_due_again(story, how):
    invoice = story.owe()
    story.pay_by_link(invoice, amount="100")
    story.fail(invoice, how)

    answer = story.refund(invoice)

    assert (answer.status_code, amounts(answer)) == (201, ["100.000000"])
    shown = story.invoice()
    assert (shown["status"], shown["amount_due"]) == (how, "200.000000")
    assert shown["amount_refunded"] == "100.000000"
    story.pay_by_link(invoice)
    shown = story.invoice()
    assert (shown["status"], shown["amount_paid"]) == ("paid", "300.000000")


def test_voiding_gives_the_wallet_what_was_paid_and_not_refunded(taxed):
    invoice = taxed.owe()
    taxed.pay_by_link(invoice, amount="100")
    taxed.refunded(invoice, amount="40")

    taxed.make(f"/v1/invoices/{invoice['id']}/void")

    assert taxed.balance() == ["60.000000"]
    assert "tax_payable" not in taxed.books()
    assert taxed.refund(invoice).json()["code"] == "invoice_state"


def test_an_invoice_is_not_voided_while_a_refund_is_on_its_way(story):
    invoice = story.owe()
    story.pay_by_link(invoice, amount="100")
    story.script("pending", "refund")
    (refund,) = story.refund(invoice).json()["refunds"]

    refused = story.api.post(f"/v1/invoices/{invoice['id']}/void")
    story.simulated("settle", reference=refund["reference"], status="failed")
    story.ask_refunds()

    assert (refused.status_code, refused.json()["code"]) == (409, "refund_in_flight")
    assert story.invoice()["amount_refunded"] == "0.000000"
    story.make(f"/v1/invoices/{invoice['id']}/void")
    assert story.balance() == ["100.000000"]


def test_a_refund_on_its_way_counts_and_another_of_the_payment_is_refused(story):
    invoice = story.owe()
    story.pay_by_link(invoice)
    story.script("pending", "refund")
    assert story.refund(invoice, amount="200").status_code == 201

    second = story.refund(invoice, amount="50")
    more = story.refund(invoice, amount="101")

    assert (second.status_code, second.json()["code"]) == (409, "refund_in_flight")
    assert (more.status_code, more.json()["code"]) == (409, "refund_exceeds_payment")
    assert story.invoice()["amount_refunded"] == "200.000000"


def test_parts_give_up_the_tax_of_the_whole(taxed):
    invoice = taxed.owe()
    taxed.pay_by_link(invoice)
    owed = taxed.books()["tax_payable"]

    for amount in ("100", "0.07", "110"):
        taxed.refunded(invoice, amount=amount)
    taxed.refunded(invoice)

    assert owed > 0
    assert "tax_payable" not in taxed.books()


def test_what_credits_paid_goes_back_to_them_with_its_tax(taxed):
    wallet = taxed.api.wallet("ada")
    grant = {"amount": "100", "currency": "NGN", "name": "gift", "idempotency_key": "gift"}
    taxed.make(f"/v1/wallets/{wallet['id']}/credits", grant)
    invoice = taxed.owe()
    early = taxed.refund(invoice, to="wallet")
    taxed.pay_by_link(invoice)
    tax = taxed.tax()

    more = taxed.refund(invoice, amount="100.01", to="wallet")
    answer = taxed.refund(invoice, to="wallet")

    # Of one that is not paid all goes back as it is voided.
    assert (early.status_code, early.json()["code"]) == (409, "invoice_state")
    assert (more.status_code, more.json()["code"]) == (409, "refund_exceeds_payment")
    assert (answer.status_code, amounts(answer)) == (201, ["100.000000"])
    # 100 of 322.50 are 7 of the tax of 22.50, rounded to 6.98.
    assert (tax, taxed.tax()) == ("22.500000", "15.520000")
    taxed.refunded(invoice)
    assert taxed.tax() == "0.000000"
    assert taxed.refund(invoice, to="wallet").json()["code"] == "refund_exceeds_payment"


def test_a_lost_dispute_counts_as_refunded_and_takes_the_excess_from_the_wallet(story):
    invoice = story.owe()
    story.pay_by_link(invoice, amount="350")
    assert story.balance() == ["50.000000"]

    story.lose_dispute("350")

    shown = story.invoice()
    assert (shown["status"], shown["amount_refunded"]) == ("paid", "300.000000")
    assert story.balance() == ["0.000000"]
    assert story.books()["dispute_losses"] == -300
    assert story.refund(invoice).json()["code"] == "refund_exceeds_payment"


def test_a_lost_dispute_of_a_part_leaves_a_void_invoice_without_tax(taxed):
    invoice = taxed.owe()
    taxed.pay_by_link(invoice, amount="100")
    taxed.lose_dispute("100")

    taxed.make(f"/v1/invoices/{invoice['id']}/void")

    assert taxed.balance() == []
    assert "tax_payable" not in taxed.books()


def test_what_goes_back_after_a_void_is_taken_from_the_wallet(story):
    invoice = story.owe()
    story.pay_by_link(invoice, amount="100")
    story.make(f"/v1/invoices/{invoice['id']}/void")
    assert story.balance() == ["100.000000"]

    story.refund_elsewhere("70")
    story.lose_dispute("30")

    assert story.balance() == ["0.000000"]
    assert "dispute_losses" not in story.books()


def test_what_refunds_send_back_beyond_what_came_is_owed(story):
    invoice = story.owe()
    story.pay_by_link(invoice, amount="350")

    story.refund_elsewhere("340")
    story.refund_elsewhere("200")

    shown = story.invoice()
    assert (shown["status"], shown["amount_refunded"]) == ("paid", "300.000000")
    # Of 540, 300 were what the invoice had taken, and 50 the excess in the wallet.
    assert story.balance() == ["0.000000"]
    assert (story.books()["dispute_losses"], story.taken_back()) == (-190, ["190.000000"])


def test_what_refunds_send_back_beyond_a_deposit_is_owed(story):
    made = story.make(f"/v1/wallets/{story.api.wallet('ada')['id']}/fund", {"amount": "100"})
    story.pay(made["reference"])

    story.refund_elsewhere("130")

    assert story.balance() == ["0.000000"]
    assert (story.books()["dispute_losses"], story.taken_back()) == (-30, ["30.000000"])


def test_each_payment_gives_back_what_it_brought_and_its_excess_is_the_wallets(taxed):
    invoice = taxed.owe()
    taxed.pay_by_link(invoice, amount="100")
    taxed.pay_by_link(invoice, amount="322.50")

    taxed.refund_elsewhere("322.50")
    taxed.refunded(invoice)

    assert taxed.invoice()["amount_refunded"] == "322.500000"
    assert taxed.balance() == ["0.000000"]
    assert "dispute_losses" not in taxed.books()
    assert taxed.tax() == "0.000000"


def test_all_refunds_of_an_invoice_count_however_many_they_are(story):
    wallet = story.api.wallet("ada")
    grant = {"amount": "300", "currency": "NGN", "name": "gift", "idempotency_key": "gift"}
    story.make(f"/v1/wallets/{wallet['id']}/credits", grant)
    invoice = story.owe()

    made = [story.refund(invoice, to="wallet", amount="1").status_code for _ in range(205)]
    rest = story.refund(invoice, to="wallet")

    assert set(made) == {201}
    assert amounts(rest) == ["95.000000"]
    assert story.invoice()["amount_refunded"] == "300.000000"


def test_verify_finds_what_an_invoice_miscounts_of_what_went_back(api):
    story = Story(api)
    invoice = story.owe()
    story.pay_by_link(invoice)
    story.refunded(invoice, amount="40")

    api.backend.sql("UPDATE invoices SET amount_refunded = 41 WHERE org_id = $1", api.org_id)

    found = ("refunded of an invoice", invoice["id"], "41.000000", "40.000000")
    assert found in faults(api.backend, api.tenant)


def test_too_many_payments_are_refunded_in_steps(story):
    invoice = story.owe(calls=12)
    for _ in range(11):
        story.pay_by_link(invoice, amount="100")

    all_of_it = story.refund(invoice)
    most = story.refunded(invoice, amount="1000")

    assert all_of_it.json()["code"] == "refund_of_too_many_payments"
    assert (most.status_code, len(amounts(most))) == (201, 10)
    assert amounts(story.refunded(invoice)) == ["100.000000"]
    assert sum(map(int, story.money("refunds"))) == 1100


def test_a_connection_is_not_deleted_while_a_refund_or_a_method_needs_it(story):
    invoice = story.owe()
    story.pay_by_link(invoice)
    story.script("pending", "refund")
    (refund,) = story.refund(invoice).json()["refunds"]
    path = f"/v1/payment-connections/{story.connection['id']}"

    by_refund = story.api.delete(path)
    story.simulated("settle", reference=refund["reference"], status="success")
    story.ask_refunds()
    method = story.save_card()
    by_method = story.api.delete(path)
    story.api.delete(f"/v1/customers/ada/payment-methods/{method['id']}")

    refusals = [(one.status_code, one.json()["code"]) for one in (by_refund, by_method)]
    assert refusals == [(409, "connection_in_use")] * 2
    assert "refunds" in by_refund.json()["error"]
    assert "payment methods" in by_method.json()["error"]
    assert story.api.delete(path).status_code == 200

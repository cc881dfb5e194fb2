"""Customers are written to about what happened, in the organisation's name, once."""

import pytest

from monigo.notifications.mails import FORGET
from support.agenda import do
from support.api import Api, event
from support.customer_mails import Letters
from support.mail import html_of, text_of
from support.shop import Shop
from support.verification import faults


@pytest.fixture
def shop(api):
    return Shop(api, "paystack")


@pytest.fixture
def letters(api):
    return Letters(api)


@pytest.fixture
def live(api, backend):
    """The same organisation's live mode, with a customer who owes for one call."""
    with Api.of(backend, api.org_id, is_test=False) as client:
        address = f"ada-{api.org_id}@example.com"
        client.customer("ada", name="Ada Obi", email=address)
        metric = client.metric()
        price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "100"}
        subscription = client.subscribe("ada", client.plan(price)["id"])
        client.ingest(event("call-1", "ada"))
        client.draft_id = client.draft(subscription["id"])["id"]
        yield Letters(client, address)


def test_a_final_invoice_and_its_payment_are_written_about_in_order(shop, letters):
    invoice = shop.owe(calls=3)
    letters.send()
    shop.pay(shop.link(invoice))
    shop.ask()

    bill, receipt = letters.send()

    name = letters.api.get("/v1/organization").json()["organization"]["name"]
    assert bill["Subject"] == f"[Test] Invoice INV-000001 from {name}: ₦300.00"
    assert receipt["Subject"] == f"[Test] Receipt from {name}: ₦300.00"
    assert bill["From"].startswith(name)
    assert "Hello Ada Obi," in text_of(bill)
    assert "We received ₦300.00 for invoice INV-000001." in text_of(receipt)
    assert letters.log() == [("invoice_finalized", "sent", ""), ("receipt", "sent", "")]
    assert faults(letters.api.backend, letters.api.tenant) == []


def test_an_invoice_with_a_link_is_paid_by_a_button(shop, letters):
    link = shop.link(shop.owe())

    (bill,) = letters.send()

    assert link["authorization_url"] in text_of(bill)
    assert f'href="{link["authorization_url"]}"' in html_of(bill)


def test_an_invoice_that_is_paid_by_the_time_it_is_written_about_asks_for_nothing(shop, letters):
    shop.pay(shop.link(shop.owe()))
    shop.ask()

    bill, _ = letters.send()

    assert "It is paid." in text_of(bill)
    assert "Please pay" not in text_of(bill)


def test_a_card_that_fails_is_written_about(shop, letters):
    shop.save_card()
    letters.send()
    shop.script("charge", "failed")
    shop.owe(calls=2)
    shop.work()

    *_, failed = letters.send()

    assert "payment of ₦200.00" in failed["Subject"]
    assert "Please check that the card is valid" in text_of(failed)


def test_an_invoice_that_was_taken_back_meanwhile_is_not_sent(shop, letters):
    invoice = shop.owe()
    letters.deliver()
    shop.api.post(f"/v1/invoices/{invoice['id']}/void")

    sent = letters.send()

    assert sent == []
    assert letters.log() == [("invoice_finalized", "not_sent", "withdrawn")]


def test_live_customers_get_nothing_until_the_organisation_says_so(live):
    live.api.finalize(live.api.draft_id)

    before = live.send()
    listed = live.log()

    assert (before, listed) == ([], [])


def test_live_customers_get_the_mails_that_are_switched_on(live):
    live.set(
        customer_mails=["invoice_finalized"],
        mail_sender_name="Rides, Lagos",
        mail_reply_to="billing@example.com",
    )
    live.api.finalize(live.api.draft_id)

    (bill,) = live.send()

    assert bill["From"].addresses[0].display_name == "Rides, Lagos"
    assert bill["From"].addresses[0].addr_spec == "no-reply@localhost"
    assert bill["Reply-To"] == "billing@example.com"
    assert "[Test]" not in bill["Subject"]
    assert "Just reply to this message." in text_of(bill)


def test_test_mails_leave_to_nobody_but_whom_the_organisation_names(shop, letters):
    letters.set(mail_test_recipient="")
    shop.owe()

    sent = letters.send()

    assert sent == []
    assert letters.log() == [("invoice_finalized", "not_sent", "test_mode")]


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        ("", "no_address"),
        ("not an address", "bad_address"),
        ("a@example.com, b@example.com", "bad_address"),
        ("a@example.com\nBcc: b@example.com", "bad_address"),
    ],
)
def test_a_customer_without_one_good_address_gets_none(live, email, reason):
    live.set(customer_mails=["invoice_finalized"])
    live.api.backend.sql(
        "UPDATE customers SET email = $2 WHERE org_id = $1 AND NOT is_test RETURNING 1",
        live.api.org_id,
        email,
    )
    live.api.finalize(live.api.draft_id)

    live.send()

    assert live.log() == [("invoice_finalized", "not_sent", reason)]


def test_names_add_no_header_and_no_markup(shop, letters):
    evil = "<b>Ada</b>\r\nBcc: eve@example.com\u202e"
    shop.api.put("/v1/customers/ada", json={"name": evil})
    letters.set(name=evil)
    shop.owe()

    (bill,) = letters.send()

    assert bill["Bcc"] is None
    assert bill["From"].addresses[0].display_name == "<b>Ada</b> Bcc: eve@example.com"
    assert "<b>Ada" not in html_of(bill)
    assert "&lt;b&gt;Ada&lt;/b&gt; Bcc: eve@example.com," in html_of(bill)
    assert "\u202e" not in html_of(bill) + text_of(bill)


@pytest.mark.parametrize(
    ("locale", "default", "shown"),
    [
        ("fr-SN", "en", ("Bonjour Ada Obi,", 'lang="fr-SN" dir="ltr"')),
        ("", "sw", ("Habari Ada Obi,", 'lang="sw-NG" dir="ltr"')),
        ("zu", "pt", ("Olá, Ada Obi,", 'lang="pt-NG" dir="ltr"')),
        ("ar", "en", ("مرحباً \u2068Ada Obi\u2069،", 'lang="ar-NG" dir="rtl"')),
    ],
)
def test_a_customer_is_written_to_in_their_language(shop, letters, locale, default, shown):
    letters.set(default_locale=default)
    shop.api.put("/v1/customers/ada", json={"locale": locale})
    shop.owe()

    (bill,) = letters.send()

    hello, direction = shown
    assert hello in text_of(bill)
    assert direction in html_of(bill)


def test_the_log_is_of_one_customer_or_one_status(shop, letters):
    shop.owe()
    letters.send()

    assert len(letters.log(customer_id="ada", status="sent")) == 1
    assert letters.log(customer_id="nobody") == []
    assert letters.log(status="not_sent") == []
    assert letters.api.get("/v1/customer-mails?status=lost").status_code == 400


def test_mails_of_long_ago_are_forgotten(shop, letters, backend):
    shop.owe()
    letters.send()

    backend.clock.advance(days=240)
    do(letters.api, FORGET)

    assert letters.log() == []

"""Customers are written to about what happened, in the organisation's name, once."""

import pytest

from support.customer_mails import Letters
from support.mail import text_of
from support.shop import Shop
from support.verification import faults


@pytest.fixture
def shop(api):
    return Shop(api, "paystack")


@pytest.fixture
def letters(api):
    return Letters(api)


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

"""A merchant whose customer is written to by WhatsApp."""

import pytest

from support.shop import Shop
from support.whatsapp import PHONE, connect_whatsapp


@pytest.fixture
def shop(api):
    """A customer with a phone, whose invoices are announced by WhatsApp."""
    made = Shop(api, "paystack")
    api.put("/v1/customers/ada", json={"phone": PHONE})
    connect_whatsapp(api, invoice_finalized=True)
    return made

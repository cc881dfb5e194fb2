"""Before a saved card is charged, open links of the invoice are looked up."""

import pytest

from support.shop import Shop

PROVIDERS_THAT_TELL = ("paystack", "flutterwave")


@pytest.fixture(params=PROVIDERS_THAT_TELL)
def shop(api, request):
    api.backend.simulated.control("clear")
    return Shop(api, request.param)


def being_paid(shop):
    """An invoice whose link is being paid as the customer saves a card; its pull waits."""
    invoice = shop.owe(calls=5)
    shop.script("checkout", "pending")
    link = shop.link(invoice)
    shop.pay(link)
    shop.save_card()
    shop.work()
    return invoice, link


def kinds(shop, invoice):
    return {one["kind"]: (one["status"], one["state"]) for one in shop.transactions(invoice)}


def test_a_pull_waits_while_a_link_is_being_paid_and_is_not_sent_once_it_is(shop):
    invoice, link = being_paid(shop)
    assert kinds(shop, invoice)["pull"] == ("pending", "created")
    shop.later(minutes=10)
    assert kinds(shop, invoice)["pull"] == ("pending", "created")

    shop.settle(link, "success")
    shop.later(minutes=15)
    shop.work()

    assert shop.status(invoice) == ("paid", 500, 0)
    assert kinds(shop, invoice)["pull"] == ("failed", "failed")
    assert shop.calls("charge") == 0
    shop.check()


def test_a_pull_waits_an_hour_at_most(shop):
    invoice, link = being_paid(shop)

    shop.later(minutes=59)
    assert shop.calls("charge") == 0
    shop.later(minutes=1, seconds=1)
    shop.ask()

    assert shop.status(invoice) == ("paid", 500, 0)
    assert shop.calls("charge") == 1
    shop.settle(link, "success")
    shop.ask()
    # What is paid twice is the customer's.
    assert shop.balance() >= 500
    shop.check()


def test_a_link_that_nobody_has_opened_holds_no_pull_up(shop):
    invoice = shop.owe(calls=5)
    shop.link(invoice)
    shop.save_card()

    shop.ask()

    assert shop.status(invoice) == ("paid", 500, 0)
    assert shop.calls("charge") == 1

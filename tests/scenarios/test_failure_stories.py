"""What went wrong for others as money came in, and must not here, at each provider.

Each story is told through the API, with the simulator over HTTP, and its test has its name. At the
end of each, the provider's books and ours agree, and nothing of ours contradicts itself.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from support.payments import PROVIDERS, ask
from support.shop import Shop
from support.simulator import checkout
from support.verification import faults
from support.webhooks import states_of

WEBHOOK_SECONDS_MAX = 1
# What workers and routes write, so that nothing but taking a webhook in goes on.
LOCK = "LOCK TABLE charges, payments, invoices, wallets IN ACCESS EXCLUSIVE MODE"


@pytest.fixture(params=PROVIDERS)
def shop(api, request):
    shop = Shop(api, request.param)
    yield shop
    shop.check()


def test_merchants_credited_twice_by_a_race(shop):
    """Two workers pick the same charge at once: one live row, one call to the provider."""
    shop.save_card()
    invoice = shop.owe(3)
    shop.script("charge", "pending")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: shop.work(), range(8)))
    (pull,) = shop.transactions(invoice)
    assert shop.calls("charge") == 1
    shop.settle(pull, "success")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: shop.ask(), range(8)))

    assert shop.status(invoice) == ("paid", 300, 0)
    assert (shop.calls("charge"), shop.payments()[1:]) == (1, [300])


def test_handler_slept_before_answering_and_the_invoice_was_voided(shop):
    """A success after that: a quick answer, whoever sleeps, and the money is in the wallet."""
    invoice = shop.owe(3)
    link = shop.link(invoice)
    shop.make(f"/v1/invoices/{invoice['id']}/void")
    shop.pay(link, webhook="duplicate")
    shop.until(shop.payments)
    number = shop.provider_ids()[link["reference"]]

    with asyncio.Runner() as runner:
        sleeper = runner.run(asyncpg.connect(shop.api.backend.owner_url))
        runner.run(sleeper.execute("BEGIN"))
        runner.run(sleeper.execute(LOCK))
        began = time.monotonic()
        answer = shop.hear(link["reference"], number=number, amount=300)
        took = time.monotonic() - began
        runner.run(sleeper.close())
    shop.work()

    assert (answer.status_code, took < WEBHOOK_SECONDS_MAX) == (200, True)
    assert (shop.status(invoice)[0], shop.balance()) == ("void", 300)


def test_handler_slept_before_answering_and_the_checkout_expired(shop):
    """A success after that pays the invoice all the same."""
    invoice = shop.owe(3)
    link = shop.link(invoice)
    shop.later(hours=25)
    (expired,) = shop.transactions(invoice)
    assert (expired["status"], expired["error_code"]) == ("failed", "expired")

    shop.pay(link, webhook="")
    shop.until(shop.payments)

    assert shop.status(invoice) == ("paid", 300, 0)


def test_webhook_came_and_no_payment_was_recorded(shop):
    """What fits nothing yet stands in the inbox, and is applied when its row appears.

    As after a restore of our database: the provider has a charge, of which we know nothing.
    """
    invoice = shop.owe(3)
    reference = shop.reference("checkout", invoice)
    asked = checkout(reference, "300.00")
    ask(shop.api, shop.connection, asked)
    shop.pay({"reference": reference}, webhook="")
    shop.until(lambda: states_of(shop.api, matched=False) == ["parked"])
    assert shop.payments() == []

    shop.api.post(f"/v1/invoices/{invoice['id']}/initiate-payment")
    shop.later(minutes=10)

    assert shop.status(invoice) == ("paid", 300, 0)
    assert states_of(shop.api) == ["applied"]


def test_bank_transfer_confirmed_ten_minutes_later_and_the_browser_never_returned(shop):
    """There is no redirect at all: a webhook completes it, or else our question."""
    heard = shop.owe(3)
    shop.pay(shop.link(heard), webhook="", method="bank_transfer")
    shop.until(lambda: shop.status(heard)[0] == "paid")

    asked = shop.owe(2)
    shop.pay(shop.link(asked), method="bank_transfer")
    shop.later(minutes=10)
    shop.ask()

    assert shop.status(asked) == ("paid", 200, 0)
    assert shop.payments() == [200, 300]


def test_callbacks_of_earlier_payments_fire_again_with_the_next(shop):
    """The same provider id three times, old ones between new ones: one credit each."""
    invoices = [shop.owe(1), shop.owe(2)]
    links = [shop.link(one) for one in invoices]
    for link in links:
        shop.pay(link)
        shop.ask()
    numbers = shop.provider_ids()

    for turn, place in enumerate((0, 1, 0, 1, 0, 1)):
        reference, amount = links[place]["reference"], 100 * (place + 1)
        shop.hear(reference, number=numbers[reference], amount=amount, pad=" " * turn)
        shop.work()

    assert [shop.status(one) for one in invoices] == [("paid", 100, 0), ("paid", 200, 0)]
    assert (shop.payments(), shop.balance()) == ([100, 200], 0)
    assert set(states_of(shop.api)) == {"applied"}


def test_time_out_taken_for_failure(shop):
    """The answer is lost after the provider took the money: unknown, and resolved by asking.

    Until then nothing is released, and there is no new reference.
    """
    shop.save_card()
    invoice = shop.owe(3)
    shop.script("charge", "drop_after_commit")
    shop.script("webhook", "lost")
    shop.script("lookup", "500", times=2)

    shop.work()
    (pull,) = shop.transactions(invoice)
    assert (pull["status"], pull["state"]) == ("pending", "unknown")
    for action in ("initiate-payment", "void"):
        refused = shop.api.post(f"/v1/invoices/{invoice['id']}/{action}")
        assert (refused.status_code, refused.json()["code"]) == (409, "payment_in_flight"), action
    for _ in range(2):
        shop.ask()
        assert shop.status(invoice) == ("finalized", 0, 300)
    shop.ask()

    (after,) = shop.transactions(invoice)
    assert (after["reference"], after["status"]) == (pull["reference"], "succeeded")
    assert shop.status(invoice) == ("paid", 300, 0)
    assert shop.calls("charge") == 1


def test_a_retry_under_a_new_id_paid_twice(shop):
    """No callback comes and the queue tries again: the same id each time.

    A new one is used only after the provider said that the last one failed.
    """
    shop.save_card()
    failing = shop.owe(1)
    shop.script("charge", "failed")
    shop.work()
    shop.script("charge", "drop_before")
    shop.script("webhook", "lost", times=2)
    shop.later(days=1)
    tries = shop.transactions(failing)
    assert [one["state"] for one in tries] == ["unknown", "failed"]
    assert tries[0]["reference"] != tries[1]["reference"]

    for _ in range(6):
        shop.later(minutes=6)
        shop.ask()

    again = shop.transactions(failing)
    assert [one["reference"] for one in again] == [one["reference"] for one in tries]
    # Where the same reference would be charged again, a person is asked.
    is_for_person = shop.provider == "flutterwave"
    assert shop.status(failing)[0] == ("payment_failed" if is_for_person else "paid")
    assert shop.calls("charge") == (2 if is_for_person else 3)


def test_ten_paid_for_a_hundred(shop):
    """Another amount than was asked: the rest stays due, and the excess is in the wallet."""
    invoice = shop.owe(3)
    shop.pay(shop.link(invoice), amount="10")
    shop.ask()
    less = shop.status(invoice)
    shop.pay(shop.link(invoice), amount="400")
    shop.ask()

    assert less == ("finalized", 10, 290)
    assert shop.status(invoice) == ("paid", 300, 0)
    assert shop.balance() == 110


def test_a_hundred_paid_in_another_currency(api):
    """The invoice stays due; the money is in a wallet of its own currency.

    Flutterwave is asked whether it is so, and Monnify has one currency.
    """
    shop = Shop(api, "paystack")
    invoice = shop.owe(3)

    shop.hear(shop.link(invoice)["reference"], amount=300, currency="USD")
    shop.work()

    assert shop.status(invoice) == ("finalized", 0, 300)
    assert shop.balances() == {"USD": 300}
    assert faults(api.backend, api.tenant) == []

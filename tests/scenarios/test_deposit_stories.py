"""Money that comes in by bank transfer, told through the public API and a moved clock."""

import pytest

from support.accounts import Depositor
from support.api import event
from support.charges import Till
from support.verification import faults
from support.waiting import wait_until
from support.webhooks import events_of, states_of, work_off

PREPAID = {"billing_mode": "prepaid", "billing_period": "monthly"}


def test_a_deposit_into_a_virtual_account_pays_a_prepaid_period_that_waits(api, connections, clock):
    payer = Depositor(api, connections["monnify"])
    metric = api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "2"}
    clock("2027-01-01T00:00:00Z")
    subscription = api.subscribe(payer.customer["id"], api.plan(price, **PREPAID)["id"])
    payer.open()
    clock("2027-01-10T00:00:00Z")
    api.ingest(event("ride-1", "ada", timestamp="2027-01-10T00:00:00Z"))
    clock("2027-02-01T00:00:00Z")
    waiting = (status(api, subscription), invoices(api))

    payer.deposit("10")
    payer.listed()
    clock("2027-02-01T00:00:01Z")

    assert waiting == ("paused", [("draft", "2.000000")])
    assert (status(api, subscription), invoices(api)) == ("active", [("paid", "2.000000")])
    assert payer.balance() == "8.000000"


@pytest.mark.parametrize(
    ("amount", "became"),
    [
        ("2000", ("active", "paid", "500.000000")),
        ("1500", ("active", "paid", "0.000000")),
        ("1000", ("paused", "draft", "1000.000000")),
    ],
)
def test_a_deposit_of_too_little_or_too_much_is_in_the_wallet(
    api, connections, clock, amount, became
):
    payer = Depositor(api, connections["paystack"])
    subscription = rider(api, clock, price="1500")

    payer.open()
    payer.deposit(amount)
    payer.listed()
    clock("2027-02-01T00:00:01Z")

    ((invoice, _),) = invoices(api)
    assert (status(api, subscription), invoice, payer.balance()) == became
    assert faults(api.backend, api.tenant) == []


def test_a_deposit_that_is_told_twice_pays_once_and_the_next_one_the_rest(api, connections, clock):
    payer = Depositor(api, connections["flutterwave"])
    subscription = rider(api, clock, price="1500")
    payer.open()
    payer.script("webhook", "duplicate", times=9)

    payer.deposit("800")
    wait_until(lambda: heard(api) or payer.balance() == "800.000000")
    payer.listed()
    first = payer.balance()
    payer.deposit("800")
    wait_until(lambda: heard(api) or payer.balance() == "1600.000000")
    clock("2027-02-01T00:00:01Z")

    assert first == "800.000000"
    assert (status(api, subscription), payer.balance()) == ("active", "100.000000")
    assert faults(api.backend, api.tenant) == []


def test_a_deposit_in_another_currency_waits_until_a_person_says_whose_it_is(
    api, connections, clock
):
    payer = Depositor(api, connections["paystack"])
    subscription = rider(api, clock, price="1500")
    payer.open()

    payer.deposit("20", currency="USD")
    wait_until(lambda: heard(api) or states_of(api, matched=False) == ["parked"])
    (event,) = events_of(api, matched=False)
    dollars = api.wallet("ada", "USD")
    body = {"wallet_id": dollars["id"]}
    matched = api.post(f"/v1/provider-events/{event['id']}/match", json=body)

    assert matched.status_code == 200, matched.text
    assert (payer.balance(), status(api, subscription)) == ("0.000000", "paused")
    found = api.get(f"/v1/wallets/{dollars['id']}").json()["wallet"]
    assert found["balance"] == "20.000000"
    assert events_of(api, matched=False) == []


def test_a_card_that_declines_three_times_is_asked_for_no_more_top_ups(api, connections, clock):
    clock("2027-01-01T00:00:00Z")
    till = Till(api, connections["paystack"])
    till.card()
    wallet = api.get(f"/v1/wallets/{till.wallet['id']}").json()["wallet"]
    api.move(wallet, "debit", wallet["balance"])
    till.script("charge", "failed", times=9)
    rule = {"threshold": "100", "amount": "500"}

    assert api.http.put(f"/v1/wallets/{wallet['id']}/auto-top-up", json=rule).status_code == 200
    clock("2027-01-01T12:00:00Z")
    declined = [row["status"] for row in till.booked() if row["status"] == "failed"]
    till.api.backend.simulated.control("clear")
    clock("2027-01-01T23:00:00Z")

    assert len(declined) == 3
    (top_up,) = api.get(f"/v1/wallets/{wallet['id']}/top-ups").json()["top_ups"]
    assert top_up["status"] == "open"
    assert api.get(f"/v1/wallets/{wallet['id']}").json()["wallet"]["balance"] == "0.000000"


def rider(api, clock, *, price):
    """Ada, of whom one ride was not paid as the month ended: her prepaid subscription waits."""
    metric = api.metric()
    plan = api.plan(
        {"metric_id": metric["id"], "model": "flat_unit", "unit_price": price}, **PREPAID
    )
    clock("2027-01-01T00:00:00Z")
    subscription = api.subscribe("ada", plan["id"])
    clock("2027-01-10T00:00:00Z")
    api.ingest(event("ride-1", "ada", timestamp="2027-01-10T00:00:00Z"))
    clock("2027-02-01T00:00:00Z")
    return subscription


def heard(api):
    """Have the workers work off what webhooks brought."""
    work_off(api)


def status(api, subscription):
    answer = api.get(f"/v1/subscriptions/{subscription['id']}").json()
    return answer["subscription"]["status"]


def invoices(api):
    rows = api.get("/v1/invoices").json()["invoices"]
    return [(row["status"], row["total"]) for row in rows]

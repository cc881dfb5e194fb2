"""Providers' events and charges: what a webhook tells is counted, whenever and however it comes."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from monigo.payments import charges, events
from monigo.payments.charges import ChargeState
from monigo.payments.events.service import APPLY, LOOK_UP
from support.accounts import Depositor
from support.charges import Till
from support.payments import PROVIDERS, connect, keys_of
from support.verification import faults
from support.waiting import wait_until
from support.webhooks import (
    events_of,
    paid,
    plant_events,
    secret_of,
    send,
    states_of,
    tasks_of,
    work_off,
)


class Shop(Till):
    """A merchant whose provider sends its webhooks to us."""

    def __init__(self, api, provider="paystack"):
        super().__init__(api, connect(api, provider))
        self.secret = secret_of(keys_of(provider, api.org_id))

    def open_link(self, amount="2500"):
        return self.submit(self.checkout(amount))

    def work(self):
        work_off(self.api, *tasks_of(self.api, APPLY, LOOK_UP))

    def hear(self, reference, **more):
        raw = paid(self.provider, reference, **more)
        assert send(self.api, self.provider, raw, self.secret).status_code == 200

    def is_paid(self, charge):
        self.work()
        return self.look(charge).state is ChargeState.SUCCEEDED


@pytest.mark.parametrize("provider", PROVIDERS)
def test_bank_transfer_confirmed_later_and_the_browser_never_returned(api, provider):
    """No redirect at all: the webhook alone completes the payment, once."""
    shop = Shop(api, provider)
    link = shop.open_link()
    shop.script("webhook", "duplicate")

    shop.pay(link, method="bank_transfer")
    wait_until(lambda: shop.is_paid(link))

    (payment,) = shop.payments()
    assert (str(payment["amount"]), payment["charge_id"]) == ("2500.000000", link.id)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_callbacks_of_earlier_payments_fire_again_with_the_next(api, provider):
    """The same provider id three times, old ones between new ones: one credit each."""
    shop = Shop(api, provider)
    links = [shop.open_link(amount) for amount in ("100", "200")]
    for link in links:
        shop.script("webhook", "lost")
        shop.pay(link)
        shop.submit(link)
    by_id = {row["charge_id"]: row["provider_id"] for row in shop.payments()}
    numbers = [by_id[link.id] for link in links]

    for index in (0, 1, 0, 1, 0):
        amount = (100, 200)[index]
        shop.hear(links[index].reference, number=numbers[index], amount=amount)
        shop.work()

    assert [str(row["amount"]) for row in shop.payments()] == ["100.000000", "200.000000"]
    assert set(states_of(api)) == {"applied"}


def test_webhook_came_and_no_payment_was_recorded(api):
    """A success before its row is there stands in the inbox, and counts once the row appears."""
    shop = Shop(api)
    subject = UUID(shop.wallet["id"])
    reference = charges.reference_of(api.tenant, "checkout", subject, 1)

    shop.hear(reference)
    shop.work()
    waiting = states_of(api, matched=False)
    link = shop.checkout()
    api.backend.clock.advance(seconds=6)
    shop.work()

    assert waiting == ["parked"]
    assert link.reference == reference
    assert shop.look(link).state is ChargeState.SUCCEEDED
    assert states_of(api) == ["applied"]
    assert len(shop.payments()) == 1


def test_one_payment_told_by_twenty_webhooks_at_once_counts_once(api):
    shop = Shop(api)
    link = shop.open_link()
    bodies = [paid("paystack", link.reference) + b" " * index for index in range(20)]

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda raw: send(api, "paystack", raw, shop.secret), bodies))
        list(pool.map(lambda _: shop.work(), range(10)))

    assert states_of(api) == ["applied"] * 20
    assert len(shop.payments()) == 1


def test_a_person_says_what_money_is_for(api):
    shop = Shop(api)
    stray = f"mo{'d' * 30}"
    shop.hear(stray, number=7, amount=90)
    shop.work()
    (event,) = events_of(api, matched=False)
    path = f"/v1/provider-events/{event['id']}/match"
    dollars = api.wallet(shop.customer["id"], "USD")

    refused = [
        api.post(path, json=body)
        for body in (
            {},
            {"wallet_id": dollars["id"]},
            {"wallet_id": shop.wallet["id"], "invoice_id": shop.wallet["id"]},
            {"invoice_id": shop.wallet["id"]},
        )
    ]
    matched = api.post(path, json={"wallet_id": shop.wallet["id"]})
    again = api.post(path, json={"wallet_id": shop.wallet["id"]})

    assert [one.status_code for one in refused] == [400, 400, 400, 404]
    assert matched.status_code == 200, matched.text
    assert (matched.json()["event"]["status"], again.status_code) == ("matched", 409)
    (payment,) = shop.payments()
    assert (payment["provider_id"], str(payment["amount"])) == ("7", "90.000000")
    shop.hear(stray, number=7, amount=90)
    shop.work()
    assert len(shop.payments()) == 1


def test_money_that_is_credited_already_is_not_matched_again(api):
    shop = Shop(api)
    link = shop.open_link()
    shop.hear(link.reference, number=7)
    shop.work()
    shop.hear(f"mo{'e' * 30}", number=7)
    shop.work()
    (event,) = events_of(api, matched=False)

    answer = api.post(
        f"/v1/provider-events/{event['id']}/match", json={"wallet_id": shop.wallet["id"]}
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "payment_known")
    assert len(shop.payments()) == 1


@pytest.mark.parametrize("provider", ["flutterwave"])
def test_what_nobody_confirmed_is_not_matched(api, provider):
    shop = Shop(api, provider)
    shop.hear(f"mo{'f' * 30}")
    shop.work()
    (event,) = events_of(api, matched=False)

    answer = api.post(
        f"/v1/provider-events/{event['id']}/match", json={"wallet_id": shop.wallet["id"]}
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "event_not_money")
    assert shop.payments() == []


@pytest.mark.parametrize("provider", ["monnify", "flutterwave"])
def test_a_deposit_before_its_account_is_known_counts_once_that_opens(api, provider):
    """As after a restore: the account's row is gone, and its reference will be the same."""
    shop = Shop(api, provider)
    owner = Depositor(api, shop.connection)
    owner.open()
    api.backend.sql("DELETE FROM virtual_accounts WHERE org_id = $1", api.org_id)
    api.backend.sql("DELETE FROM agenda WHERE org_id = $1 AND kind = 'deposit_list'", api.org_id)

    owner.deposit("1200")
    wait_until(lambda: shop.work() or states_of(api, matched=False) == ["parked"])
    before = owner.balance()
    owner.open()
    shop.work()
    too_early = owner.balance()
    work_off(api, events.WAKE_PARKED)
    shop.work()

    assert (before, too_early, owner.balance()) == ("0.000000", "0.000000", "1200.000000")
    assert states_of(api) == ["applied"]


def test_what_waits_in_the_inbox_needs_a_person(api):
    shop = Shop(api)
    shop.hear(f"mo{'d' * 30}", number=7, amount=90)
    shop.work()
    (event,) = events_of(api, matched=False)
    plant_events(api, shop.connection["id"])

    found = api.get("/api/v1/dashboard").json()["dashboard"]["needs_person"]

    needs = {need["kind"]: (need["count"], need["subject_ids"]) for need in found}
    count, ids = needs["provider_events_waiting"]
    assert (count, event["id"] in ids) == (2, True)
    assert needs["reconciliation_differences"] == (1, [shop.connection["id"]])


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (
            "UPDATE provider_events SET provider_id = 'other' WHERE org_id = $1",
            "payment of a provider event",
        ),
        (
            "UPDATE provider_events SET state = 'received', handled_at = NULL WHERE org_id = $1",
            "due work of a provider event",
        ),
    ],
)
def test_an_event_without_its_payment_or_work_is_found(api, statement, what):
    shop = Shop(api)
    link = shop.open_link()
    shop.hear(link.reference)
    shop.work()
    assert faults(api.backend, api.tenant) == []

    api.backend.sql(statement, api.org_id)

    assert [found for found, *_ in faults(api.backend, api.tenant)] == [what]

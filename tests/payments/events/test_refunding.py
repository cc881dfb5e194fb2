"""Money that fits nothing: it stands in the inbox, and goes back to who paid it, once."""

from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from monigo.payments import refunds
from support.accounts import Depositor
from support.agenda import do, pass_until_due
from support.charges import Till
from support.payments import PROVIDERS, connect
from support.verification import faults
from support.waiting import wait_until
from support.webhooks import events_of, states_of, work_off

REASON = {"reason": "paid in dollars"}


class Inbox:
    """A merchant to whom money came that fit nothing, as a webhook told.

    Dollars into an account in naira; at Monnify naira into an account whose row was lost.
    """

    def __init__(self, api, provider):
        self.api = api
        self.owner = Depositor(api, connect(api, provider))
        self.owner.open()
        self.currency = "NGN" if provider == "monnify" else "USD"
        if provider == "monnify":
            api.backend.sql("DELETE FROM virtual_accounts WHERE org_id = $1", api.org_id)
            api.backend.sql("DELETE FROM agenda WHERE org_id = $1", api.org_id)
        self.owner.deposit("400", currency=self.currency)
        wait_until(lambda: work_off(api) or states_of(api, matched=False) == ["parked"])
        self.wallet = api.wallet("ada", self.currency)
        (self.event_id,) = [event["id"] for event in events_of(api, matched=False)]
        self.refunds_before = len(self.refunds())

    @property
    def event(self):
        (event,) = [one for one in events_of(self.api) if one["id"] == self.event_id]
        return event

    def decide(self, action, body):
        return self.api.http.post(f"/v1/provider-events/{self.event_id}/{action}", json=body)

    def refund(self):
        return self.decide("refund", REASON)

    def match(self):
        return self.decide("match", {"wallet_id": self.wallet["id"]})

    def ask(self):
        """Let time go by until the provider has said what became of the refund."""
        task = refunds.ask_task(self.owner.services.desk)
        for _ in range(5):
            pass_until_due(self.api, task.kind)
            do(self.api, task)

    def payments(self):
        return self.api.backend.sql(
            "SELECT purpose, customer_id, amount, refunded, to_wallet FROM payments"
            " WHERE org_id = $1",
            self.api.org_id,
        )

    def state(self):
        """How far the refund has come."""
        (row,) = self.api.backend.sql(
            "SELECT state FROM refunds WHERE org_id = $1", self.api.org_id
        )
        return row["state"]

    def refunds(self):
        return self.api.backend.simulated.books(self.owner.provider)["refunds"]

    def sent_back(self):
        """How often the provider's own books have it that the money went back."""
        return len(self.refunds()) - self.refunds_before

    def balance(self):
        return self.api.get(f"/v1/wallets/{self.wallet['id']}").json()["wallet"]["balance"]


@pytest.fixture(params=PROVIDERS)
def inbox(api, request):
    api.backend.simulated.control("clear")
    return Inbox(api, request.param)


@pytest.fixture
def one(api):
    api.backend.simulated.control("clear")
    return Inbox(api, "monnify")


def test_money_that_fits_nothing_waits_and_goes_back_once(inbox):
    waiting = inbox.event
    answer = inbox.refund()
    inbox.ask()
    again = inbox.refund(), inbox.match()
    inbox.owner.open()
    inbox.owner.listed()

    assert (waiting["amount"], waiting["currency"]) == ("400.000000", inbox.currency)
    assert answer.status_code in {201, 202}, answer.text
    assert answer.json()["refund"]["amount"] == "400.000000"
    assert (inbox.event["status"], inbox.event["refund_id"]) == (
        "refunded",
        answer.json()["refund"]["id"],
    )
    assert [one.status_code for one in again] == [409, 409]
    assert inbox.sent_back() == 1
    (payment,) = inbox.payments()
    assert (payment["purpose"], payment["customer_id"]) == ("unmatched", None)
    assert (payment["refunded"], payment["to_wallet"]) == (400, 0)
    assert inbox.balance() == "0.000000"
    assert events_of(inbox.api, matched=False) == []
    assert faults(inbox.api.backend, inbox.api.tenant) == []


def test_money_that_a_provider_does_not_send_back_is_in_the_inbox_and_may_be_matched(inbox):
    inbox.owner.script("refund", "failed")
    inbox.refund()
    wait_until(lambda: inbox.ask() or inbox.event["status"] != "refunded")
    failed = inbox.event

    matched = inbox.match()

    assert (failed["status"], failed["refund_id"]) == ("parked", None)
    assert failed["reason"].startswith("its refund failed")
    assert matched.status_code == 200, matched.text
    assert inbox.balance() == "400.000000"
    (payment,) = inbox.payments()
    assert (payment["purpose"], payment["to_wallet"]) == ("wallet", 400)
    assert inbox.refund().status_code == 409
    assert faults(inbox.api.backend, inbox.api.tenant) == []


def test_a_refund_whose_answer_was_lost_is_asked_about(inbox):
    inbox.owner.script("refund", "drop_after_commit")

    answer = inbox.refund()
    wait_until(lambda: inbox.ask() or inbox.state() == "succeeded")

    assert (answer.status_code, answer.json()["refund"]["status"]) == (202, "pending")
    assert inbox.event["status"] == "refunded"
    assert inbox.sent_back() == 1


def test_dollars_at_a_provider_of_naira_are_read_and_wait(api):
    owner = Depositor(api, connect(api, "monnify"))
    owner.open()
    owner.deposit("400", currency="USD")
    wait_until(lambda: work_off(api) or states_of(api, matched=False) == ["parked"])

    (event,) = events_of(api)
    refund = api.http.post(f"/v1/provider-events/{event['id']}/refund", json=REASON).json()

    assert (event["amount"], event["currency"]) == ("400.000000", "USD")
    assert event["reason"] == "USD came into an account in NGN"
    assert owner.balance() == "0.000000"
    # It sends back naira only: the event is a person's again.
    assert refund["refund"]["status"] == "failed"
    assert refund["event"]["status"] == "parked"
    assert "not supported by this provider" in refund["event"]["reason"]
    assert faults(api.backend, api.tenant) == []


def test_of_many_who_decide_at_once_one_does(one):
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda way: way(), [one.refund, one.match] * 5))
    one.ask()

    assert sorted(answer.status_code for answer in answers)[1:] == [409] * 9
    credited = one.balance() == "400.000000"
    assert one.sent_back() == (0 if credited else 1)
    assert one.event["status"] == ("matched" if credited else "refunded")
    assert faults(one.api.backend, one.api.tenant) == []


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 5000}, {"reason": 7}])
def test_a_refund_needs_its_reason(one, body):
    refused = one.decide("refund", body)

    assert refused.status_code == 400
    assert list(refused.json()["details"]) == ["reason"]
    assert (one.event["status"], one.payments()) == ("parked", [])


def test_what_a_suspended_merchant_gets_is_taken_in_and_nothing_new_is_begun(api):
    till = Till(api, connect(api, "paystack"))
    link = till.submit(till.checkout())
    suspend = "UPDATE organizations SET suspended_at = now() WHERE org_id = $1"
    api.backend.sql(suspend, api.org_id)

    till.pay(link)
    wait_until(lambda: work_off(api) or till.look(link).state == "succeeded")

    assert [str(row["amount"]) for row in till.payments()] == ["2500.000000"]
    assert api.http.post("/v1/provider-events/x/refund", json=REASON).status_code == 403


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        (
            "UPDATE payments SET customer_id = gen_random_uuid() WHERE org_id = $1",
            "payments_stay_what_they_were",
        ),
        (
            "UPDATE payments SET to_wallet = amount WHERE org_id = $1",
            "payments_go_somewhere_whole",
        ),
        (
            "UPDATE refunds SET destination = 'wallet' WHERE org_id = $1",
            "refunds_give_back_the_same",
        ),
        (
            "UPDATE provider_events SET refund_id = NULL WHERE org_id = $1",
            "provider_events_refunded_by_one",
        ),
    ],
)
def test_the_database_refuses_other_ways_of_unmatched_money(one, statement, constraint):
    one.refund()

    with pytest.raises(asyncpg.PostgresError) as refused:
        one.api.backend.sql(statement, one.api.org_id)

    assert refused.value.constraint_name == constraint

"""Providers' lists of transfers, compared with what was sent: what differs, and what is done."""

from datetime import UTC, datetime, timedelta

import pytest

from monigo.core.money import Money
from monigo.payments import transfers
from monigo.payments.reconciliation import DifferenceKind
from monigo.payments.reconciliation.service import DAILY, LOOK_DAILY, RECONCILE
from monigo.payments.reconciliation.transfers import compare
from monigo.payments.reconciliation.types import OurTransfer
from monigo.providers.port import Fact, Kind, State
from support.agenda import work
from support.charges import naira
from support.clock import STARTS_AT
from support.payments import PROVIDERS
from support.payouts import Fleet
from support.webhooks import due, tasks_of

OURS = "mo" + "a" * 30


class Sent(Fleet):
    """A merchant whose providers' lists are compared with what it sent; no webhook reaches it."""

    def __init__(self, api, provider="paystack"):
        api.backend.simulated.control("clear")
        super().__init__(api, provider)
        api.backend.simulated.next(provider, "webhook", "lost", times=1_000)

    def pay(self):
        """A bill that was paid out, and its transaction."""
        bill = self.owe(self.driver())
        (one,) = self.initiate(bill).json()["transactions"]
        return bill, one

    def end(self, transaction, status):
        """A transfer ends so at the provider, which says so nowhere but in its list."""
        body = {"provider": self.provider, "reference": transaction["reference"]}
        self.simulated.control("settle", **body, status=status)

    def reconcile(self, **later):
        """The look of a day."""
        self.api.backend.clock.advance(**later)

        async def begin(tx):
            await LOOK_DAILY.handler.work(tx, [])

        self.run(begin)
        work(self.api.backend, self.api.tenant, tasks_of(self.api, RECONCILE)[0])

    def found(self, **query):
        path = f"/v1/payment-connections/{self.connection['id']}/reconciliation"
        rows = self.api.get(path, params=query).json()["reconciliation"]
        return [(row["listed_as"], row["kind"], row["next_step"]) for row in rows]


def without_fee(transaction):
    """That a transfer arrived, as the answer to a bulk says it."""
    return Fact(kind=Kind.TRANSFER, state=State.SUCCEEDED, reference=transaction["reference"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_transfer_of_which_every_word_was_lost_is_paid_by_the_list(api, provider):
    sent = Sent(api, provider)
    sent.script("transfer", "pending")
    bill, one = sent.pay()
    sent.end(one, "success")

    sent.reconcile(days=1)

    assert sent.status(bill) == ("paid", "paid", 0)
    assert sent.found() == [("transfer", "other_state", "taken_over")]
    assert sent.found(open="true") == []
    sent.reconcile(days=1)
    assert sent.found() == [("transfer", "other_state", "taken_over")]
    sent.check()


@pytest.mark.parametrize("provider", ["paystack", "monnify"])
def test_what_came_back_days_later_is_owed_again_by_the_list(api, provider):
    sent = Sent(api, provider)
    bill, one = sent.pay()
    sent.reconcile(days=1)
    before = sent.found()

    sent.end(one, "reversed")
    sent.reconcile(days=8)

    assert before == []
    assert sent.status(bill) == ("payout_failed", "failed", 800)
    assert sent.found() == [("transfer", "other_state", "taken_over")]
    assert sent.balances() == {"payout_expense": -800, "payable": 800}
    sent.check()


def test_the_fee_that_no_answer_named_is_booked_by_the_list(api):
    sent = Sent(api)
    sent.script("transfer", "drop_after_commit")
    bill, one = sent.pay()
    sent.run(lambda tx: transfers.apply_fact(tx, sent.connection["id"], without_fee(one)))
    before = sent.balances()

    sent.reconcile(days=1)
    sent.reconcile(days=1)

    assert "provider_fees" not in before
    assert sent.balances()["provider_fees"] == -10
    assert sent.transactions(bill)[0]["fee"] == "10.000000"
    assert sent.found() == []
    sent.check()


def test_what_the_provider_does_not_list_is_compared_again(api):
    sent = Sent(api)
    clock = api.backend.clock
    clock.advance(seconds=(datetime.now(UTC) - clock.now()).total_seconds())
    bill, _ = sent.pay()
    sent.script("transfer", "failed")
    sent.initiate(sent.owe(sent.driver("bola", "0690000032")))
    sent.simulated.control("clear")

    sent.reconcile(hours=2)
    missing = sent.found(open="true")
    sent.script("list_transfers", "500")
    sent.reconcile(days=1)
    unread = sent.found(open="true")

    assert missing == unread == [("transfer", "missing_there", "compared_again")]
    assert sent.status(bill) == ("paid", "paid", 0)


def test_a_merchant_who_sent_nothing_is_asked_for_no_list_of_transfers(api):
    sent = Sent(api)
    sent.script("list_transfers", "500")

    sent.reconcile()

    assert api.get("/v1/set-aside").json()["set_aside"] == []


def test_a_list_of_transfers_that_is_not_read_is_read_again(api):
    sent = Sent(api)
    bill, one = sent.pay()
    sent.end(one, "reversed")
    sent.script("list_transfers", "500")

    sent.reconcile()

    (failed,) = api.get("/v1/set-aside").json()["set_aside"]
    assert failed["reason"].startswith("the provider's list was not read")
    assert sent.status(bill) == ("paid", "paid", 0)
    api.backend.clock.advance(minutes=11)
    work(api.backend, api.tenant, tasks_of(api, RECONCILE)[0])
    assert sent.status(bill) == ("payout_failed", "failed", 800)


def test_what_is_sent_is_compared_daily_though_no_webhook_comes(api):
    sent = Sent(api)

    sent.pay()

    assert due(api, DAILY) == 1


def fact(state=State.SUCCEEDED, amount=100, **more):
    told = {"reference": OURS, "amount": naira(amount), **more}
    return Fact(kind=Kind.TRANSFER, state=state, **told)


def transfer(state="succeeded", *, has_fee=True):
    is_live = state in {"created", "pending", "unknown"}
    sent_at = STARTS_AT - timedelta(days=1)
    return OurTransfer(OURS, "7", state, is_live, naira(100), has_fee, sent_at)


FEE = Money(naira(10).amount, "NGN")
OTHER_STATE, OTHER_AMOUNT = DifferenceKind.OTHER_STATE, DifferenceKind.OTHER_AMOUNT


@pytest.mark.parametrize(
    ("told", "ours", "kind", "is_news"),
    [
        (fact(), transfer(), None, False),
        (fact(fee=FEE), transfer(), None, False),
        (fact(fee=FEE), transfer(has_fee=False), None, True),
        (fact(amount=50), transfer(), OTHER_AMOUNT, False),
        (fact(amount=50), transfer("pending"), OTHER_AMOUNT, True),
        (fact(), transfer("pending"), OTHER_STATE, True),
        (fact(), transfer("created"), OTHER_STATE, True),
        (fact(), transfer("failed"), OTHER_STATE, True),
        (fact(), transfer("reversed"), OTHER_STATE, False),
        (fact(State.REVERSED), transfer(), OTHER_STATE, True),
        (fact(State.REVERSED), transfer("unknown"), OTHER_STATE, True),
        (fact(State.REVERSED), transfer("reversed"), None, False),
        (fact(State.REVERSED), transfer("failed"), None, False),
        (fact(State.FAILED), transfer("unknown"), OTHER_STATE, True),
        (fact(State.FAILED), transfer(), OTHER_STATE, False),
        (fact(State.FAILED), transfer("failed"), None, False),
        (fact(State.FAILED), transfer("reversed"), None, False),
        (fact(State.PENDING), transfer("unknown"), None, False),
        (fact(), None, DifferenceKind.MISSING_HERE, True),
        (fact(State.FAILED), None, None, False),
        (fact(reference="salary-1"), None, None, False),
    ],
)
def test_how_a_row_of_the_list_compares(told, ours, kind, is_news):
    compared = compare(told, ours, STARTS_AT)

    found = compared.difference and compared.difference.kind
    assert (found, compared.is_news) == (kind, is_news)

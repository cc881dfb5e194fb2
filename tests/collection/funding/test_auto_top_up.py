"""A low wallet's rule pulls the customer's card: one at a time, and not for ever."""

import pytest

from monigo.collection.funding import PULL_TOP_UPS, TOP_UP_PULL
from monigo.payments import charges
from support.agenda import do, entries, pass_until_due
from support.charges import Till
from support.payments import PROVIDERS

RULE = {"threshold": "100", "amount": "500"}


class Holder(Till):
    """A customer with a saved card, whose wallet has a rule."""

    def __init__(self, api, connection):
        super().__init__(api, connection)
        self.method = self.card()
        self.path = f"/v1/wallets/{self.wallet['id']}"
        # What the card paid as it was saved is used up, down to nothing.
        self.api.move(self.wallet, "debit", self.balance())

    def balance(self):
        return self.api.get(f"/v1/wallets/{self.wallet['id']}").json()["wallet"]["balance"]

    def set_rule(self, **fields):
        answer = self.api.http.put(f"{self.path}/auto-top-up", json=RULE | fields)
        assert answer.status_code == 200, answer.text

    def work(self):
        """What the workers do next: intend pulls, and send them."""
        do(self.api, PULL_TOP_UPS, charges.ask_task(self.services.desk))

    def wait(self):
        """Let the time go by until the next pull is due."""
        assert pass_until_due(self.api, TOP_UP_PULL) == 1

    def top_ups(self):
        rows = self.api.get(f"{self.path}/top-ups").json()["top_ups"]
        return [(row["status"], row["deposited_amount"]) for row in rows]

    def pulls(self):
        rows = self.api.backend.sql(
            "SELECT state, amount FROM charges WHERE org_id = $1 AND purpose = 'top_up'"
            " ORDER BY created_at, id",
            self.api.org_id,
        )
        return [(row["state"], int(row["amount"])) for row in rows]

    def facts(self, name):
        return self.api.backend.sql(
            "SELECT payload FROM outbox_facts WHERE org_id = $1 AND type = $2",
            self.api.org_id,
            name,
        )


@pytest.fixture(params=PROVIDERS)
def holder(request, api, connections):
    api.backend.simulated.control("clear")
    return Holder(api, connections[request.param])


def test_a_low_wallet_is_topped_up_from_the_card_once(holder):
    holder.set_rule()
    holder.work()
    holder.work()

    assert holder.balance() == "500.000000"
    assert holder.pulls() == [("succeeded", 500)]
    assert holder.top_ups() == [("paid", "500.000000")]


def test_a_deposit_before_the_pull_leaves_only_the_rest_to_pull(holder):
    holder.set_rule()
    holder.api.move(holder.wallet, "credit", "80", "deposit")

    holder.work()

    assert holder.pulls() == [("succeeded", 420)]
    assert holder.balance() == "500.000000"


def test_what_is_pending_is_the_only_one_and_counts_to_the_limit(holder):
    holder.script("charge", "pending")
    holder.set_rule(monthly_limit="700")
    holder.work()
    holder.api.move(holder.wallet, "credit", "50", "adjustment")
    holder.api.move(holder.wallet, "debit", "50")

    holder.work()

    assert holder.pulls() == [("pending", 500)]
    assert holder.top_ups() == [("open", "0.000000")]


def test_a_pull_whose_answer_was_lost_is_asked_about_and_takes_once(holder):
    holder.script("charge", "drop_after_commit")
    holder.set_rule()
    holder.work()
    assert holder.balance() == "0.000000"

    pass_until_due(holder.api, charges.ask_task(holder.services.desk).kind)
    holder.work()

    assert holder.balance() == "500.000000"
    assert holder.pulls() == [("succeeded", 500)]


def test_three_declines_within_a_day_stop_it_and_are_told(holder):
    holder.script("charge", "failed", times=5)
    holder.set_rule()

    holder.work()
    for _ in range(2):
        holder.wait()
        holder.work()

    assert [state for state, _ in holder.pulls()] == ["failed"] * 3
    assert entries(holder.api.backend, holder.api.tenant, TOP_UP_PULL) == []
    (told,) = holder.facts("AutoTopUpStopped")
    assert '"declines":3' in str(told["payload"]).replace(" ", "")
    assert holder.top_ups() == [("open", "0.000000")]


def test_another_card_is_asked_at_once(holder):
    holder.script("charge", "failed", times=3)
    holder.set_rule()
    holder.work()
    for _ in range(2):
        holder.wait()
        holder.work()

    holder.api.backend.sql(
        "UPDATE payment_methods SET fingerprint_hash = sha256('another'), is_default = false"
        " WHERE org_id = $1",
        holder.api.org_id,
    )
    charge = holder.submit(holder.checkout("600", save_method=True))
    holder.pay(charge)
    holder.submit(charge)
    holder.work()

    # What the link brought has paid the request already.
    assert holder.top_ups() == [("paid", "500.000000")]


def test_a_connection_that_is_switched_off_pulls_nothing(holder):
    path = f"/v1/payment-connections/{holder.connection['id']}/toggle"
    assert holder.api.http.post(path).status_code == 200
    holder.set_rule()

    holder.work()

    assert holder.pulls() == []
    assert len(entries(holder.api.backend, holder.api.tenant, TOP_UP_PULL)) == 1


def test_without_a_card_the_request_stays_open(api):
    customer = api.customer("no-card", email="no-card@example.com")
    wallet = api.wallet(customer["id"])
    api.http.put(f"/v1/wallets/{wallet['id']}/auto-top-up", json=RULE)

    do(api, PULL_TOP_UPS)

    (row,) = api.get(f"/v1/wallets/{wallet['id']}/top-ups").json()["top_ups"]
    assert row["status"] == "open"

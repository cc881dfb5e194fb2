"""A wallet is paid into by a link or a widget, and credited when the provider says so."""

import pytest

from monigo.payments import charges
from support.agenda import do, pass_until_due
from support.api import Api
from support.charges import Till
from support.payments import PROVIDERS, connect

KEY = {"Idempotency-Key": "fund-1"}


class Funder(Till):
    """A customer who pays into a wallet by what a route answers."""

    @property
    def path(self):
        return f"/v1/wallets/{self.wallet['id']}/fund"

    def fund(self, amount="2500", headers=None, **fields):
        body = {"amount": amount, "provider": self.provider} | fields
        return self.api.http.post(self.path, json=body, headers=headers or {})

    def looked_up(self):
        """Let time go by until the provider is asked about what is open."""
        task = charges.ask_task(self.services.desk)
        pass_until_due(self.api, task.kind)
        do(self.api, task)

    def balance(self):
        return self.api.get(f"/v1/wallets/{self.wallet['id']}").json()["wallet"]["balance"]


@pytest.fixture(params=PROVIDERS)
def funder(request, api, connections):
    api.backend.simulated.control("clear")
    return Funder(api, connections[request.param])


def test_a_link_is_paid_and_the_providers_word_credits(funder):
    answer = funder.fund(return_url="https://shop.example/back")

    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["authorization_url"].startswith("http")
    assert (told["provider"], told["amount"]) == (funder.provider, "2500.000000")
    assert told["message"]
    funder.api.backend.simulated.pay(funder.provider, told["reference"])
    assert funder.balance() == "0.000000"
    funder.looked_up()
    assert funder.balance() == "2500.000000"
    funder.looked_up()
    assert funder.balance() == "2500.000000"


def test_what_is_paid_too_little_or_too_much_is_credited_as_it_came(funder):
    told = funder.fund().json()
    funder.api.backend.simulated.pay(funder.provider, told["reference"], amount="1000")

    funder.looked_up()

    assert funder.balance() == "1000.000000"


@pytest.mark.parametrize("fault", ["drop_after_commit", "500", "drop_before"])
def test_a_link_whose_answer_was_lost_is_told_by_a_repeat(funder, fault):
    funder.script("checkout", fault)
    answer = funder.fund(headers=KEY)
    if answer.status_code == 503:
        assert answer.headers["Retry-After"]
        answer = funder.fund(headers=KEY)

    assert answer.status_code == 200, answer.text
    told = answer.json()
    funder.api.backend.simulated.pay(funder.provider, told["reference"])
    funder.looked_up()
    assert funder.balance() == "2500.000000"


def test_the_same_asked_for_again_within_a_minute_gets_the_same_link(funder):
    first = funder.fund().json()

    assert funder.fund().json()["reference"] == first["reference"]
    assert funder.fund("2501").json()["reference"] != first["reference"]
    funder.api.backend.clock.advance(seconds=61)
    assert funder.fund().json()["reference"] != first["reference"]


def test_a_widgets_session_holds_public_credentials_only(funder):
    answer = funder.fund(inline=True)

    assert answer.status_code == 200, answer.text
    session = answer.json()
    assert session["public_key"]
    assert (session["amount"], session["currency"]) == ("2500.000000", "NGN")
    assert (session["email"], session["customer_name"]) == ("ada@example.com", "Ada Obi")
    assert bool(session.get("access_code")) == (funder.provider == "paystack")
    assert bool(session.get("contract_code")) == (funder.provider == "monnify")
    assert session["meta"]["reference"] == session["reference"]
    for secret in ("sk_test_", "FLWSECK", f"MONNIFY_{funder.api.org_id.hex}", "hash-"):
        assert secret not in answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "1000.001"}, "amount"),
        ({"amount": "1"}, "amount"),
        ({"currency": "USD"}, "currency"),
        ({"provider": "stripe"}, "provider"),
        ({"return_url": "javascript:alert(1)"}, "return_url"),
        ({"return_url": "https://"}, "return_url"),
        ({"inline": "perhaps"}, "inline"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(api, connections, body, field):
    refused = Funder(api, connections["paystack"]).fund(**body)

    assert refused.status_code == 400
    assert list(refused.json()["details"]) == [field]


def test_a_wallet_that_is_not_active_or_nobodys_is_not_funded(api, connections, backend):
    funder = Funder(api, connections["paystack"])
    with Api.of_new_organization(backend) as other:
        connect(other, "paystack")
        assert other.http.post(funder.path, json={"amount": "500"}).status_code == 404
    api.patch(f"/v1/wallets/{funder.wallet['id']}", json={"status": "suspended"})
    assert funder.fund().json()["code"] == "wallet_suspended"
    api.patch(f"/v1/wallets/{funder.wallet['id']}", json={"status": "closed"})
    assert funder.fund().json()["code"] == "wallet_closed"


def test_money_that_comes_when_the_wallet_is_suspended_is_credited(funder):
    told = funder.fund().json()
    funder.api.patch(f"/v1/wallets/{funder.wallet['id']}", json={"status": "suspended"})
    funder.api.backend.simulated.pay(funder.provider, told["reference"])

    funder.looked_up()

    assert funder.balance() == "2500.000000"

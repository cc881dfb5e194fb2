"""Bank accounts at providers, opened once whatever fails, and never with what proves who one is."""

import asyncio
import hashlib

import httpx
import pytest

from support.accounts import BVN, Depositor, repeats
from support.api import Api
from support.payments import PROVIDERS, connect
from support.verification import faults

KEY = {"Idempotency-Key": "open-1"}


@pytest.fixture(params=PROVIDERS)
def owner(request, api, connections):
    api.backend.simulated.control("clear")
    return Depositor(api, connections[request.param])


def opened_at(owner):
    """The accounts that the provider's own books have of the merchant, by their numbers."""
    rows = owner.api.backend.sql(
        "SELECT account_number FROM virtual_accounts WHERE org_id = $1 AND state = 'active'",
        owner.api.org_id,
    )
    return [row["account_number"] for row in rows]


def test_an_account_is_opened_shown_and_found_again(owner):
    account = owner.open()

    assert (account["is_active"], account["status"]) == (True, "active")
    assert (account["provider"], account["currency"]) == (owner.provider, "NGN")
    assert account["account_number"]
    assert account["account_name"]
    assert account["bank_name"]
    assert account["wallet_id"] == owner.wallet["id"]
    assert owner.api.get(owner.path).json()["virtual_accounts"] == [account]
    shown = owner.api.get(f"/v1/wallets/{owner.wallet['id']}").json()["virtual_accounts"]
    assert shown == [account]
    assert owner.open() == account


@pytest.mark.parametrize("fault", ["drop_after_commit", "500", "duplicate_reference"])
def test_an_account_whose_answer_was_lost_is_found_by_asking_again(owner, fault):
    owner.script("virtual_account", fault)
    first = owner.ask(headers=KEY)
    if first.status_code != 201:
        assert (first.status_code, first.json()["code"]) == (503, "provider_unknown")
        assert first.headers["Retry-After"]

    answer = owner.ask(headers=KEY)

    assert answer.status_code == 201, answer.text
    owner.account = answer.json()["virtual_account"]
    assert opened_at(owner) == [owner.account["account_number"]]
    owner.deposit("500")
    owner.listed()
    assert owner.balance() == "500.000000"


@pytest.mark.parametrize("fault", ["drop_after_commit", "drop_before"])
def test_an_account_is_asked_about_by_itself_where_nobody_asks_again(owner, fault):
    owner.script("virtual_account", fault)
    assert owner.ask().status_code == 503

    if repeats(owner.provider) == "pays_again":
        # Only who has the proofs of identity can send them again.
        assert owner.ask().status_code == 201
    elif fault == "drop_before" and repeats(owner.provider) == "rejects":
        owner.asked()
        (pending,) = owner.api.get(owner.path).json()["virtual_accounts"]
        assert (pending["status"], pending["account_number"]) == ("pending", "")
        assert owner.ask().status_code == 201
    else:
        owner.asked()

    (account,) = owner.api.get(owner.path).json()["virtual_accounts"]
    assert (account["status"], account["is_active"]) == ("active", True)


def test_a_process_that_died_after_the_call_leaves_an_account_that_is_found(owner):
    """The intent is committed, and nobody recorded what came of it."""
    owner.script("virtual_account", "drop_after_commit")
    owner.ask()
    owner.api.backend.sql(
        "UPDATE virtual_accounts SET state = 'submitted' WHERE org_id = $1", owner.api.org_id
    )
    owner.api.backend.clock.advance(seconds=61)
    if repeats(owner.provider) == "pays_again":
        assert owner.ask().status_code == 201
    else:
        owner.asked()

    (account,) = owner.api.get(owner.path).json()["virtual_accounts"]
    assert account["status"] == "active"


def test_a_refusal_names_the_field_and_a_new_try_has_another_reference(owner):
    owner.script("virtual_account", "failed")

    refused = owner.ask()

    assert (refused.status_code, refused.json()["code"]) == (400, "validation_failed")
    (field,) = refused.json()["details"]
    assert field in {"bvn", "customer.email", "customer.phone"}
    assert owner.api.get(owner.path).json()["virtual_accounts"] == []
    owner.open()
    rows = owner.api.backend.sql(
        "SELECT DISTINCT reference FROM virtual_accounts WHERE org_id = $1", owner.api.org_id
    )
    assert len(rows) == 2


def test_many_at_once_open_one_account(owner):
    async def all_at_once():
        return await asyncio.gather(*(asyncio.to_thread(owner.ask) for _ in range(8)))

    answers = asyncio.run(all_at_once())

    done = [answer for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 503}
    assert len({answer.json()["virtual_account"]["id"] for answer in done}) == 1
    assert len(opened_at(owner)) == 1


def test_proofs_of_identity_are_sent_and_stand_nowhere(owner):
    owner.script("virtual_account", "drop_after_commit")
    owner.ask(headers=KEY, nin="98765432109")
    owner.ask(headers=KEY, nin="98765432109")
    refused = owner.ask(bvn=f"{BVN}1")
    assert refused.status_code == 400
    assert BVN not in refused.text

    for proof in (BVN, "98765432109"):
        assert found_in_database(owner.api, proof) == []


def test_who_has_the_database_finds_no_proof_by_trying_all(owner):
    owner.ask(headers=KEY)
    tried = owner.api.backend.sql(
        "SELECT body_hash FROM idempotency_records WHERE org_id = $1",
        owner.api.org_id,
    )

    body = {"provider": owner.provider, "currency": "NGN", "bvn": BVN}
    known = httpx.Request("POST", "http://monigo", json=body).content

    assert len(tried) == 1
    assert hashlib.sha256(known).digest() not in [row["body_hash"] for row in tried]


def test_the_currency_is_the_wallets_where_it_is_left_out(owner):
    assert owner.open(currency=None)["currency"] == "NGN"
    assert owner.open(currency="")["id"] == owner.account["id"]


def found_in_database(api, text):
    """The tables that hold a text anywhere."""
    tables = api.backend.sql("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    return [
        row["name"]
        for row in tables
        if api.backend.sql(
            f'SELECT 1 FROM "{row["name"]}" AS t WHERE t::text LIKE $1 LIMIT 1', f"%{text}%"
        )
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"currency": "GHS"}, "currency"),
        ({"provider": "stripe"}, "provider"),
        ({"bvn": "22"}, "bvn"),
        ({"nin": "x" * 11}, "nin"),
        ({"provider": None}, "provider"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(api, connections, body, field):
    owner = Depositor(api, connections["paystack"])

    refused = owner.ask(**body)

    assert refused.status_code == 400
    assert list(refused.json()["details"]) == [field]


def test_without_an_e_mail_or_a_connection_no_account_is_asked_for(api):
    owner = Depositor(api, {"provider": "paystack", "id": None})
    assert list(owner.ask().json()["details"]) == ["provider"]
    connect(api, "paystack")
    api.http.put(f"/v1/customers/{owner.customer['id']}", json={"email": ""})

    assert list(owner.ask().json()["details"]) == ["customer.email"]


def test_an_account_is_closed_and_money_that_still_comes_is_credited(owner):
    owner.open()
    path = f"{owner.path}/{owner.account['id']}"
    owner.script("close_virtual_account", "500")

    assert owner.api.http.delete(path).status_code == 202
    owner.asked()
    assert owner.api.http.delete(path).status_code == 200

    (account,) = owner.api.get(owner.path).json()["virtual_accounts"]
    assert (account["status"], account["is_active"]) == ("closed", False)
    assert owner.open()["id"] != account["id"]


def test_closing_a_wallet_closes_its_accounts_and_a_late_deposit_stays_the_customers(owner):
    owner.open()
    owner.deposit("25")
    owner.api.patch(f"/v1/wallets/{owner.wallet['id']}", json={"status": "closed"})
    owner.asked()
    assert owner.row().state == "closed"

    owner.listed()

    assert owner.balance() == "25.000000"
    assert faults(owner.api.backend, owner.api.tenant) == []


def test_another_tenant_sees_no_account_and_opens_none(owner, backend):
    owner.open()
    with Api.of_new_organization(backend) as other:
        for method, path in (
            ("GET", owner.path),
            ("POST", owner.path),
            ("DELETE", f"{owner.path}/{owner.account['id']}"),
        ):
            body = {"provider": owner.provider, "currency": "NGN"} if method == "POST" else None
            assert other.http.request(method, path, json=body).status_code == 404


def test_a_connection_stays_while_an_account_hangs_on_it(owner):
    owner.open()
    path = f"/v1/payment-connections/{owner.connection['id']}"

    refused = owner.api.http.delete(path)

    assert (refused.status_code, refused.json()["code"]) == (409, "connection_has_virtual_accounts")
    owner.api.http.delete(f"{owner.path}/{owner.account['id']}")
    assert owner.api.http.delete(path).status_code == 200

"""Payees' accounts: which there can be, one default in a currency, and whose name they are in."""

import asyncio

import pytest

from monigo.infra.crypto import Vault
from monigo.payments import payout_accounts
from monigo.payments.payout_accounts import AccountDetails, rules
from monigo.payments.payout_accounts.service import RESOLVE
from monigo.providers.port import PayoutMethod
from support.agenda import work
from support.payments import PROVIDERS, connect

ACCOUNT = {
    "account_name": "Ada Obi",
    "bank_name": "Access Bank",
    "bank_code": "044",
    "account_number": "0690000030",
    "currency": "NGN",
}
PHONE = {
    "account_name": "Kofi",
    "payout_method": "mobile_money",
    "bank_code": "MTN",
    "mobile_money_number": "+233 50-123 4567",
    "currency": "GHS",
}
PATH = "/v1/customers/c1/payout-accounts"


@pytest.fixture
def payee(api):
    api.backend.simulated.control("clear")
    api.customer("c1", name="Ada Obi")
    return api


def add(api, **fields):
    return api.make(PATH, {**ACCOUNT, **fields}, "payout_account")


def listed(api):
    return api.get(PATH).json()["payout_accounts"]


def test_an_account_is_added_changed_and_deleted(payee):
    made = add(payee)

    changed = payee.put(f"{PATH}/{made['id']}", json={"account_number": "0690000031"})

    assert (made["account_number"], made["is_default"]) == ("0690000030", True)
    account = changed.json()["payout_account"]
    assert account["account_number"] == "0690000031"
    assert account["changed_at"] >= made["changed_at"]
    assert listed(payee) == [account]
    assert payee.get(f"{PATH}/{made['id']}").json()["payout_account"] == account
    assert payee.delete(f"{PATH}/{made['id']}").status_code == 200
    assert (listed(payee), payee.get(f"{PATH}/{made['id']}").status_code) == ([], 404)


def test_a_phone_is_an_account_of_mobile_money(payee):
    made = add(payee, **{**PHONE, "account_number": ""})

    assert (made["account_number"], made["mobile_money_number"]) == ("", "+233501234567")
    assert made["payout_method"] == "mobile_money"


FAULTS = [
    ({"account_name": " "}, "account_name"),
    ({"bank_code": ""}, "bank_code"),
    ({"account_number": "069000003"}, "account_number"),
    ({"account_number": "069000003x"}, "account_number"),
    ({"account_number": None}, "account_number"),
    ({"currency": "naira"}, "currency"),
    ({"currency": None}, "currency"),
    ({"currency": "GHS", "account_number": "12 4"}, "account_number"),
    ({"payout_method": "cheque"}, "payout_method"),
    ({"payout_method": "mobile_money", "mobile_money_number": "0501234567"}, "mobile_money_number"),
]


@pytest.mark.parametrize(("fields", "named"), FAULTS)
def test_a_bad_account_is_refused_by_the_field_at_fault(payee, fields, named):
    answer = payee.post(PATH, json={**ACCOUNT, **fields})

    assert (answer.status_code, list(answer.json()["details"])) == (400, [named])
    assert listed(payee) == []


def test_one_account_in_a_currency_is_the_default(payee):
    first, other = add(payee), add(payee, account_number="0690000031")
    phone = add(payee, **{**PHONE, "account_number": ""})
    last = add(payee, account_number="0690000032", is_default=True)

    defaults = {one["id"]: one["is_default"] for one in listed(payee)}

    assert defaults == {first["id"]: False, other["id"]: False, phone["id"]: True, last["id"]: True}
    refused = payee.put(f"{PATH}/{last['id']}", json={"is_default": False})
    assert refused.json()["code"] == "payout_account_default"
    payee.put(f"{PATH}/{other['id']}", json={"is_default": True})
    found = [one["id"] for one in listed(payee) if one["is_default"]]
    assert found == [other["id"], phone["id"]]


def test_of_accounts_made_default_at_once_one_is(payee):
    made = [add(payee, account_number=f"069000004{n}") for n in range(8)]
    services = payee.backend.services
    changes = payout_accounts.AccountChanges(is_default=True)

    async def choose(account):
        async with services.database.transaction(payee.tenant) as tx:
            await payout_accounts.change(tx, services.desk.vault, "c1", account["id"], changes)

    async def all_at_once():
        await asyncio.gather(*(choose(one) for one in made), return_exceptions=True)

    for account in made:
        account["id"] = type(payee.tenant.org_id)(account["id"])
    payee.backend.run(all_at_once())

    assert [one["is_default"] for one in listed(payee)].count(True) == 1


def test_numbers_are_encrypted_and_logged_by_their_end(payee):
    add(payee)

    rows = payee.backend.sql(
        "SELECT to_jsonb(one)::text AS row FROM payout_accounts AS one WHERE org_id = $1",
        payee.org_id,
    )
    entries = payee.backend.sql(
        "SELECT to_jsonb(one)::text AS row FROM audit_entries AS one WHERE org_id = $1",
        payee.org_id,
    )

    kept = "".join(row["row"] for row in (*rows, *entries))
    assert "0690000030" not in kept
    # As bytes are written.
    assert b"0690000030".hex() not in kept
    assert "0690000030" not in repr(details())


def details(**fields):
    wanted = {
        "account_name": "Ada Obi",
        "method": PayoutMethod.BANK_TRANSFER,
        "bank_name": "",
        "bank_code": "044",
        "number": "0690000030",
        "currency": "NGN",
        "is_default": False,
        "metadata": {},
    }
    return AccountDetails(**{**wanted, **fields})


def test_a_number_whose_key_is_gone_is_not_guessed(payee):
    services = payee.backend.services

    async def add_one():
        async with services.database.transaction(payee.tenant) as tx:
            return await payout_accounts.add(tx, services.desk.vault, "c1", details())

    account = payee.backend.run(add_one())

    other = Vault(["another key of at least thirty-two characters"])
    found = payout_accounts.number_of(other, account.id, account.number_ciphertext)
    assert found is None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_says_in_whose_name_an_account_is(payee, provider):
    connect(payee, provider)
    # The simulated bank has it in the name of ADA OBI.
    same, other = add(payee), add(payee, account_name="Bola Ade", account_number="0690000036")
    nobody = add(payee, bank_code="999", account_number="0690000030")

    tasks = {task.kind: task for task in payee.backend.services.tasks}
    work(payee.backend, payee.tenant, tasks[RESOLVE])

    found = {one["id"]: (one["resolution"], one["resolved_name"]) for one in listed(payee)}
    assert found == {
        same["id"]: ("matched", "ADA OBI"),
        other["id"]: ("mismatched", "ADA OBI"),
        nobody["id"]: ("not_found", ""),
    }
    named_anew = payee.put(f"{PATH}/{other['id']}", json={"account_name": "Ada Obi"}).json()
    assert named_anew["payout_account"]["resolution"] == "unresolved"
    asked = payee.post(f"{PATH}/{other['id']}/resolve")
    assert asked.json()["payout_account"]["resolution"] == "matched"


def test_a_provider_that_does_not_answer_is_asked_again(payee):
    connect(payee)
    account = add(payee)
    payee.backend.simulated.next("paystack", "resolve", "500")

    refused = payee.post(f"{PATH}/{account['id']}/resolve")

    assert (refused.status_code, refused.json()["code"]) == (503, "provider_unknown")
    assert "Retry-After" in refused.headers
    (known,) = listed(payee)
    assert known["resolution"] == "unresolved"
    payee.backend.clock.advance(minutes=2)
    tasks = {task.kind: task for task in payee.backend.services.tasks}
    work(payee.backend, payee.tenant, tasks[RESOLVE])
    assert listed(payee)[0]["resolution"] == "matched"


NAMES = [
    ("Ada Obi", "OBI ADA NGOZI", True),
    ("Mr. Adé Obi", "Obi, Ade", True),
    ("Ada Ventures Ltd", "ADA VENTURES LIMITED", True),
    ("Ada Obi", "BOLA ADE", False),
    ("Mr", "ADA OBI", False),
]


@pytest.mark.parametrize(("ours", "theirs", "is_same"), NAMES)
def test_names_are_compared_loosely(ours, theirs, is_same):
    assert rules.is_same_name(ours, theirs) is is_same


@pytest.mark.parametrize("provider", PROVIDERS)
def test_banks_are_listed_by_the_codes_of_the_provider_that_pays(payee, provider):
    connect(payee, provider)

    answer = payee.get("/v1/banks?country=NG&currency=NGN").json()
    again = payee.get("/api/v1/banks?country=NG&currency=NGN").json()

    assert answer["provider"] == provider
    assert {"044", "50515"} <= {bank["code"] for bank in answer["banks"]}
    assert again == answer


def test_banks_need_a_connection_that_pays_out_there(payee):
    nobody = payee.get("/v1/banks?country=NG&currency=NGN")
    connect(payee)
    elsewhere = payee.get("/v1/banks?country=SN&currency=NGN")

    assert (nobody.status_code, nobody.json()["code"]) == (409, "no_payout_connection")
    assert (elsewhere.status_code, list(elsewhere.json()["details"])) == (400, ["country"])
    assert payee.get("/v1/banks?country=Nigeria&currency=NGN").status_code == 400


def test_another_customers_account_is_not_found(payee):
    payee.customer("c2")
    account = add(payee)

    for ask in (payee.get, payee.delete):
        assert ask(f"/v1/customers/c2/payout-accounts/{account['id']}").status_code == 404

"""Wallets through the API: got, credited, debited, read, closed."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.api import Api
from support.locks import hanging
from support.shapes import ENTRY, WALLET, differences

KEY = {"Idempotency-Key": "header-1"}


@pytest.fixture(params=["test", "live"])
def api(backend, request):
    """A merchant in either mode."""
    with Api.of_new_organization(backend, is_test=request.param == "test") as client:
        yield client
    backend.clock.reset()


@pytest.fixture
def wallet(api):
    """A customer's wallet with 100 naira."""
    api.customer()
    return api.wallet(funds="100")


def balance(api, wallet):
    return api.get(f"/v1/wallets/{wallet['id']}").json()["wallet"]["balance"]


def transactions(api, wallet, **query):
    return api.get(f"/v1/wallets/{wallet['id']}/transactions", params=query).json()


def set_status(api, wallet, status):
    return api.patch(f"/v1/wallets/{wallet['id']}", json={"status": status})


def test_a_customer_has_one_wallet_in_a_currency(api):
    customer = api.customer()

    first = api.post("/v1/wallets", json={"customer_id": "c1", "currency": "USD"})
    again = api.post("/v1/wallets", json={"customer_id": customer["id"], "currency": "USD"})
    other = api.post("/v1/wallets", json={"customer_id": "c1"})

    assert [answer.status_code for answer in (first, again, other)] == [200, 200, 200]
    assert first.json() == again.json()
    assert other.json()["wallet"]["currency"] == "NGN"
    assert differences(first.json()["wallet"], WALLET) == {}


def test_many_who_get_a_wallet_at_once_get_the_same(api):
    api.customer()

    with ThreadPoolExecutor(8) as pool:
        ids = {wallet["id"] for wallet in pool.map(lambda _: api.wallet(), range(16))}

    assert len(ids) == 1
    assert api.get("/v1/wallets").json()["total"] == 1


def test_wallets_are_listed_and_found_by_customer(api):
    api.customer("c1")
    api.customer("c2")
    first, second = api.wallet("c1"), api.wallet("c2")

    everyone = api.get("/v1/wallets").json()
    of_one = api.get("/v1/wallets", params={"customer_id": "c1"}).json()
    of_nobody = api.get("/v1/wallets", params={"customer_id": "nobody"})
    of_customer = api.get("/v1/customers/c2/wallets").json()

    assert everyone == {"wallets": [second, first], "count": 2, "total": 2, "has_more": False}
    assert of_one == {"wallets": [first], "count": 1, "total": 1, "has_more": False}
    assert of_nobody.status_code == 404
    assert of_customer["wallets"] == [second]
    assert api.get("/v1/customers/nobody/wallets").status_code == 404


def test_a_wallet_is_read_with_its_virtual_accounts(api, wallet):
    body = api.get(f"/v1/wallets/{wallet['id']}").json()

    assert body == {"wallet": wallet, "virtual_accounts": []}


@pytest.mark.parametrize("headers", [{}, KEY])
def test_a_credit_is_told_with_both_its_sides(api, wallet, headers):
    body = {
        "amount": "50.25",
        "currency": "NGN",
        "entry_type": "deposit",
        "idempotency_key": "top-up-1",
        "description": "Top-up",
        "reference_type": "payment",
        "reference_id": "ref-1",
        "provider_id": "paystack",
        "metadata": {"till": 4},
    }

    answer = api.post(f"/v1/wallets/{wallet['id']}/credit", json=body, headers=headers)

    told = answer.json()
    debit, credit = told["ledger_entries"]
    assert answer.status_code == 200
    assert told["wallet"]["balance"] == balance(api, wallet) == "150.250000"
    assert [differences(entry, ENTRY) for entry in (debit, credit)] == [{}, {}]
    assert (debit["account_type"], debit["direction"]) == ("provider", "debit")
    assert (credit["account_type"], credit["direction"]) == ("customer_wallet", "credit")
    assert (debit["balance_before"], debit["balance_after"]) == ("-100.000000", "-150.250000")
    assert (credit["balance_before"], credit["balance_after"]) == ("100.000000", "150.250000")
    assert (debit["wallet_id"], credit["wallet_id"]) == (None, wallet["id"])
    assert debit["transaction_id"] == credit["transaction_id"]
    assert {field: credit[field] for field in body.keys() - {"amount"}} == {
        field: body[field] for field in body.keys() - {"amount"}
    }


@pytest.mark.parametrize(
    ("direction", "entry_type", "counter"),
    [
        ("credit", "deposit", "provider"),
        ("debit", "deposit", "provider"),
        ("credit", "withdrawal", "provider"),
        ("debit", "withdrawal", "provider"),
        ("credit", "refund", "revenue"),
        ("debit", "refund", "provider"),
        ("credit", "usage", "revenue"),
        ("debit", "usage", "revenue"),
        ("credit", "adjustment", "revenue"),
        ("debit", "adjustment", "revenue"),
    ],
)
def test_each_type_stands_against_its_own_account(api, wallet, direction, entry_type, counter):
    entries = api.move(wallet, direction, "1", entry_type).json()["ledger_entries"]

    assert {entry["account_type"] for entry in entries} == {"customer_wallet", counter}


def test_a_debit_takes_all_or_nothing(api, wallet):
    enough = api.move(wallet, "debit", "60")
    too_much = api.move(wallet, "debit", "40.000001")
    rest = api.move(wallet, "debit", "40")

    assert [answer.status_code for answer in (enough, too_much, rest)] == [200, 402, 200]
    assert too_much.json()["error"] == "the wallet's balance is 40.000000 NGN"
    assert transactions(api, wallet)["total"] == 3
    assert balance(api, wallet) == "0.000000"


@pytest.mark.parametrize("headers", [{}, KEY])
def test_a_repeat_gets_the_first_answer(api, wallet, headers):
    body = {"currency": "NGN", "entry_type": "usage", "idempotency_key": "order-1"}
    path = f"/v1/wallets/{wallet['id']}/debit"
    first = api.post(path, json={**body, "amount": "10"})
    api.move(wallet, "debit", "5")
    set_status(api, wallet, "suspended")

    again = api.post(path, json={**body, "amount": "10.000000"}, headers=headers)

    assert (again.status_code, again.json()) == (200, first.json())
    assert balance(api, wallet) == "85.000000"


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "11"},
        {"entry_type": "adjustment"},
        {"description": "another"},
        {"reference_id": "another"},
        {"metadata": {"a": 1}},
    ],
)
def test_a_key_used_for_something_else_is_a_conflict(api, wallet, change):
    fields = {"amount": "10", "entry_type": "usage", "key": "order-1"}
    api.move(wallet, "debit", **fields)

    other = api.move(wallet, "debit", **{**fields, **change})

    assert other.status_code == 409
    assert balance(api, wallet) == "90.000000"


def test_a_key_is_used_once_in_both_directions(api, wallet):
    api.move(wallet, "debit", "10", key="order-1")

    other = api.move(wallet, "credit", "10", key="order-1")

    assert other.status_code == 409


def test_each_wallet_has_keys_of_its_own(api, wallet):
    dollars = api.wallet(currency="USD", funds="100")

    answers = [api.move(one, "debit", "10", key="order-1") for one in (wallet, dollars)]

    assert [answer.status_code for answer in answers] == [200, 200]


def test_a_refused_movement_leaves_its_key_free(api, wallet):
    refused = api.move(wallet, "debit", "150", key="order-1")
    api.move(wallet, "credit", "50", "deposit")

    retried = api.move(wallet, "debit", "150", key="order-1")

    assert (refused.status_code, retried.status_code) == (402, 200)


def test_requests_that_wait_together_succeed_or_fail_by_themselves(api, backend, wallet):
    """A lock holds the first back, so that the others share the next transaction."""
    query = "SELECT 1 FROM wallets WHERE org_id = $1 FOR UPDATE"
    amounts = ["1", "60", "60", "1", "60", "1"]

    def ask():
        with ThreadPoolExecutor(len(amounts)) as pool:
            return list(pool.map(lambda amount: api.move(wallet, "debit", amount), amounts))

    with hanging(backend, ask, query, api.org_id) as answers:
        pass

    statuses = [answer.status_code for answer in answers[0]]
    assert [statuses[0], statuses[3], statuses[5]] == [200, 200, 200]
    assert sorted([statuses[1], statuses[2], statuses[4]]) == [200, 402, 402]
    assert balance(api, wallet) == "37.000000"


def test_transactions_are_read_newest_first_page_by_page(api, wallet):
    for amount in ("1", "2", "3"):
        api.move(wallet, "debit", amount)

    page = transactions(api, wallet, limit=2, offset=1)
    following = transactions(api, wallet, limit=2, cursor=page.pop("next_cursor"))

    amounts = [entry["amount"] for entry in page.pop("transactions")]
    assert amounts == ["2.000000", "1.000000"]
    assert page == {"total": 4, "limit": 2, "offset": 1}
    assert [entry["balance_after"] for entry in following["transactions"]] == ["100.000000"]
    assert transactions(api, wallet, offset=4)["transactions"] == []
    everything = transactions(api, wallet)["transactions"]
    befores = [entry["balance_before"] for entry in everything]
    assert befores[:-1] == [entry["balance_after"] for entry in everything[1:]]
    assert {entry["account_type"] for entry in everything} == {"customer_wallet"}


def test_a_statement_tells_everything_oldest_first(api, wallet):
    api.move(wallet, "debit", "30", description="=cmd()")

    answer = api.get(f"/v1/wallets/{wallet['id']}/statement.csv")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert [row["balance_after"] for row in rows] == ["100.000000", "70.000000"]
    assert [row["direction"] for row in rows] == ["credit", "debit"]
    assert rows[1]["description"] == "'=cmd()"


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_only_an_active_wallets_money_moves(api, wallet, status):
    api.move(wallet, "debit", "100")
    set_status(api, wallet, status)

    refused = [api.move(wallet, direction, "1") for direction in ("credit", "debit")]
    set_status(api, wallet, "active")

    assert [answer.status_code for answer in refused] == [409, 409]
    assert api.move(wallet, "credit", "1").status_code == 200


def test_a_wallet_closes_only_when_empty(api, wallet):
    refused = set_status(api, wallet, "closed")
    api.move(wallet, "debit", "100")
    closed = set_status(api, wallet, "closed")

    assert (refused.status_code, closed.status_code) == (409, 200)
    assert closed.json()["wallet"]["status"] == "closed"


def test_a_customer_with_money_is_not_deleted(api, wallet):
    refused = api.delete("/v1/customers/c1")
    api.move(wallet, "debit", "100")
    deleted = api.delete("/v1/customers/c1")

    assert (refused.status_code, deleted.status_code) == (409, 200)
    assert "money" in refused.json()["error"]


def test_a_deleted_customers_wallet_takes_no_money(api):
    api.customer()
    wallet = api.wallet()
    api.delete("/v1/customers/c1")

    assert api.move(wallet, "credit", "1", "deposit").status_code == 409
    assert set_status(api, wallet, "suspended").status_code == 409

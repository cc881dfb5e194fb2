"""Lists of wallets and of what moved them: pages that neither repeat nor skip while money moves."""

import base64

import pytest

FACES = ["/v1", "/api/v1"]


@pytest.fixture
def busy(api):
    """A wallet with 130 movements, the last of 130."""
    api.customer("c1")
    wallet = api.wallet("c1")
    for number in range(1, 131):
        api.move(wallet, "credit", str(number), "deposit")
    return wallet


def page_of(api, wallet, face="/v1", **query):
    answer = api.get(f"{face}/wallets/{wallet['id']}/transactions", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def amounts(page):
    return [int(float(entry["amount"])) for entry in page["transactions"]]


@pytest.mark.parametrize(
    ("asked", "given"), [({}, 25), ({"limit": 25}, 25), ({"limit": 100}, 100), ({"limit": 1}, 1)]
)
@pytest.mark.parametrize("face", FACES)
def test_transactions_come_by_25_unless_another_limit_is_asked_for(api, busy, face, asked, given):
    page = page_of(api, busy, face, **asked)

    assert amounts(page) == list(range(130, 130 - given, -1))
    assert (page["total"], page["limit"], page["offset"]) == (130, given, 0)


@pytest.mark.parametrize("limit", [101, 1_000, 10_000])
def test_transactions_come_by_100_at_most(api, busy, limit):
    page = page_of(api, busy, limit=limit)

    assert (len(page["transactions"]), page["limit"]) == (100, 100)


def test_a_cursor_neither_repeats_nor_skips_while_money_moves(api, busy):
    seen, cursor, offsets = [], "", []
    while True:
        page = page_of(api, busy, limit=50, cursor=cursor)
        seen += amounts(page)
        offsets.append(page["offset"])
        api.move(busy, "debit", "7")
        cursor = page["next_cursor"]
        if not cursor:
            break

    assert seen == list(range(130, 0, -1))
    assert offsets == [0, 51, 102]
    assert amounts(page_of(api, busy, limit=3)) == [7, 7, 7]


def test_a_cursor_goes_on_from_a_page_by_offset(api, busy):
    page = page_of(api, busy, limit=10, offset=20)

    following = page_of(api, busy, limit=10, cursor=page["next_cursor"])

    assert amounts(page) == list(range(110, 100, -1))
    assert amounts(following) == list(range(100, 90, -1))


@pytest.mark.parametrize("offset", [129, 130, 1_000])
def test_there_is_no_cursor_at_the_end(api, busy, offset):
    page = page_of(api, busy, offset=offset)

    assert page["next_cursor"] == ""
    assert len(page["transactions"]) == max(0, 130 - offset)


def test_a_cursor_of_another_wallet_is_named(api, busy):
    other = api.wallet("c1", "KES", funds="5")
    cursor = page_of(api, busy)["next_cursor"]

    answer = api.get(f"/v1/wallets/{other['id']}/transactions", params={"cursor": cursor})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["cursor"])


FORGED = base64.urlsafe_b64encode(b"\xff" * 24).decode()


@pytest.mark.parametrize("cursor", ["x", "%00", "====", "A" * 32, "A" * 101, FORGED, "ä", " "])
def test_a_cursor_that_is_none_is_named(api, cursor):
    api.customer("c1")
    wallet = api.wallet("c1", funds="5")

    answer = api.get(f"/v1/wallets/{wallet['id']}/transactions", params={"cursor": cursor})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["cursor"])


def test_a_cursor_and_an_offset_are_not_combined(api, busy):
    cursor = page_of(api, busy)["next_cursor"]

    query = {"cursor": cursor, "offset": 1}
    answer = api.get(f"/v1/wallets/{busy['id']}/transactions", params=query)

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["offset"])


@pytest.mark.parametrize("customer", ["unknown", "0197b3c0-0000-7000-8000-000000000000"])
@pytest.mark.parametrize("face", FACES)
def test_wallets_of_an_unknown_customer_are_not_found(api, face, customer):
    api.customer("c1")
    wallet = api.wallet("c1")

    unknown = api.get(f"{face}/wallets", params={"customer_id": customer})

    assert (unknown.status_code, unknown.json()["code"]) == (404, "customer_not_found")
    for query in ({}, {"customer_id": ""}, {"customer_id": "c1"}):
        found = api.get(f"{face}/wallets", params=query).json()["wallets"]
        assert [one["id"] for one in found] == [wallet["id"]]


@pytest.mark.parametrize(
    "path", ["invoices", "bills", "subscriptions", "price-overrides", "usage", "events"]
)
def test_other_lists_of_an_unknown_customer_are_empty(api, path):
    answer = api.get(f"/v1/{path}", params={"customer_id": "unknown"})

    assert (answer.status_code, answer.json()["count"]) == (200, 0)

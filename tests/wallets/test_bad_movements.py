"""What can't be moved, held or granted is refused, naming the field, and changes nothing."""

import json
from uuid import uuid4

import pytest

from support.api import Api
from support.snapshot import snapshot

UNKNOWN = "0f6b2a4e-8c1d-4e5f-9a7b-3c2d1e0f9a8b"
LONG = "x" * 256
MOVEMENT = {"amount": "1", "currency": "NGN", "entry_type": "usage", "idempotency_key": "k"}
HOLDING = {"amount": "1", "currency": "NGN", "idempotency_key": "k"}
# With an Idempotency-Key a request takes another way through the application.
KEYED = [False, True]

AMOUNT_FAULTS = [
    '"0"',
    "0",
    '"-1"',
    "-0.5",
    '"1.0000001"',
    "1.0000001",
    "1e-7",
    '"NaN"',
    '"Infinity"',
    '"1_000"',
    '" 1 "',
    '"1e3"',
    '"٣"',
    '""',
    "null",
    "true",
    "[]",
    "{}",
    '"1000000000000000000"',
    "1e400",
]
# No JSON at all, or a number that no one writes.
NO_JSON = ["NaN", "Infinity", "01", "1.", "9" * 5_000]
FIELD_FAULTS = [
    ({"currency": "USD"}, "currency"),
    ({"currency": "ngn"}, "currency"),
    ({"currency": None}, "currency"),
    ({"currency": 5}, "currency"),
    ({"entry_type": "theft"}, "entry_type"),
    ({"entry_type": "reservation"}, "entry_type"),
    ({"entry_type": None}, "entry_type"),
    ({"entry_type": ""}, "entry_type"),
    ({"idempotency_key": ""}, "idempotency_key"),
    ({"idempotency_key": None}, "idempotency_key"),
    ({"idempotency_key": LONG}, "idempotency_key"),
    ({"idempotency_key": "\x00"}, "idempotency_key"),
    ({"description": "\ud800"}, "description"),
    ({"description": 7}, "description"),
    ({"reference_type": LONG}, "reference_type"),
    ({"reference_id": "\x00"}, "reference_id"),
    ({"metadata": []}, "metadata"),
    ({"metadata": {"a": "\x00"}}, "metadata"),
]


@pytest.fixture(scope="module")
def world(backend):
    """A merchant with a wallet of 100 naira. No test here changes it."""
    with Api.of_new_organization(backend) as api:
        api.customer()
        api.own = api.wallet(funds="100")
        api.before = snapshot(api)
        yield api


def send(world, action, body, keyed, wallet_id=None):
    headers = {"Idempotency-Key": str(uuid4())} if keyed else {}
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    path = f"/v1/wallets/{wallet_id or world.own['id']}/{action}"
    return world.post(path, content=content, headers=headers)


def assert_refused(world, answer, status, *fields):
    details = answer.json().get("details", {})
    assert (answer.status_code, sorted(details)) == (status, sorted(fields)), answer.text
    assert snapshot(world) == world.before


@pytest.mark.parametrize("keyed", KEYED)
@pytest.mark.parametrize("action", ["credit", "debit", "reservations", "credits"])
@pytest.mark.parametrize("amount", AMOUNT_FAULTS)
def test_an_amount_is_a_plain_number_above_zero_of_six_places(world, amount, action, keyed):
    body = json.dumps(MOVEMENT | {"amount": "<amount>"}).replace('"<amount>"', amount)

    answer = send(world, action, body, keyed)

    assert_refused(world, answer, 400, "amount")


@pytest.mark.parametrize("keyed", KEYED)
@pytest.mark.parametrize("amount", NO_JSON)
def test_an_amount_that_is_no_json_spoils_the_body(world, amount, keyed):
    body = json.dumps(MOVEMENT | {"amount": "<amount>"}).replace('"<amount>"', amount)

    answer = send(world, "credit", body, keyed)

    assert_refused(world, answer, 400, "body")


@pytest.mark.parametrize("keyed", KEYED)
@pytest.mark.parametrize("action", ["credit", "debit"])
@pytest.mark.parametrize(("change", "field"), FIELD_FAULTS)
def test_a_movements_fields_are_checked(world, change, field, action, keyed):
    answer = send(world, action, {**MOVEMENT, **change}, keyed)

    assert_refused(world, answer, 400, field)


@pytest.mark.parametrize("keyed", KEYED)
@pytest.mark.parametrize("action", ["credit", "debit"])
@pytest.mark.parametrize("field", sorted(MOVEMENT))
def test_a_movement_needs_all_that_says_what_moves(world, field, action, keyed):
    body = {name: value for name, value in MOVEMENT.items() if name != field}

    answer = send(world, action, body, keyed)

    assert_refused(world, answer, 400, field)


@pytest.mark.parametrize("keyed", KEYED)
@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"text"', b"\xff", "[" * 100_000])
def test_a_body_that_is_no_object_is_refused(world, content, keyed):
    answer = send(world, "credit", content, keyed)

    assert_refused(world, answer, 400, "body")


@pytest.mark.parametrize("keyed", KEYED)
@pytest.mark.parametrize("wallet_id", ["nobody", "1", UNKNOWN.replace("-", "")])
def test_an_id_that_is_no_uuid_is_refused(world, wallet_id, keyed):
    answer = send(world, "debit", {**MOVEMENT, "amount": "0"}, keyed, wallet_id)

    assert_refused(world, answer, 400, "amount", "wallet_id")


@pytest.mark.parametrize("keyed", KEYED)
@pytest.mark.parametrize("action", ["credit", "debit", "reservations", "credits"])
def test_an_unknown_wallet_is_not_found(world, action, keyed):
    answer = send(world, action, MOVEMENT, keyed, UNKNOWN)

    assert_refused(world, answer, 404)


@pytest.mark.parametrize("keyed", KEYED)
def test_an_account_holds_no_more_than_it_can(world, keyed):
    largest = {**MOVEMENT, "amount": "999999999999999999.999999", "entry_type": "deposit"}

    answer = send(world, "credit", largest, keyed)

    assert_refused(world, answer, 400, "amount")


@pytest.mark.parametrize("keyed", KEYED)
@pytest.mark.parametrize("action", ["debit", "reservations"])
def test_more_than_there_is_moves_nothing(world, action, keyed):
    answer = send(world, action, {**MOVEMENT, "amount": "100.000001"}, keyed)

    assert_refused(world, answer, 402)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currency": "USD"}, "currency"),
        ({"idempotency_key": ""}, "idempotency_key"),
        ({"expires_in_seconds": 0}, "expires_in_seconds"),
        ({"expires_in_seconds": -5}, "expires_in_seconds"),
        ({"expires_in_seconds": 2_592_001}, "expires_in_seconds"),
        ({"expires_in_seconds": 1.5}, "expires_in_seconds"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "9999-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "soon"}, "expires_at"),
        (
            {"expires_at": "2999-01-01T00:00:00Z", "expires_in_seconds": 60},
            "expires_in_seconds",
        ),
    ],
)
def test_a_reservations_fields_are_checked(world, change, field):
    answer = send(world, "reservations", {**HOLDING, **change}, keyed=True)

    assert_refused(world, answer, 400, field)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currency": "USD"}, "currency"),
        ({"idempotency_key": ""}, "idempotency_key"),
        ({"priority": -1}, "priority"),
        ({"priority": 1.5}, "priority"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"metric_ids": ["x"]}, "metric_ids[0]"),
        ({"metric_ids": [UNKNOWN]}, "metric_ids[0]"),
        ({"metric_ids": "x"}, "metric_ids"),
        ({"metric_ids": [UNKNOWN] * 101}, "metric_ids"),
    ],
)
def test_a_grants_fields_are_checked(world, change, field):
    answer = send(world, "credits", {**HOLDING, **change}, keyed=True)

    assert_refused(world, answer, 400, field)


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({}, 400, ["customer_id"]),
        ({"customer_id": ""}, 404, []),
        ({"customer_id": "nobody", "currency": "NGN"}, 404, []),
        ({"customer_id": "c1", "currency": "naira"}, 400, ["currency"]),
        ({"customer_id": "c1", "currency": "ngn"}, 400, ["currency"]),
        ({"customer_id": 5}, 400, ["customer_id"]),
    ],
)
def test_a_wallet_is_of_a_known_customer_and_currency(world, body, status, fields):
    answer = world.post("/v1/wallets", json=body)

    assert_refused(world, answer, status, *fields)


@pytest.mark.parametrize("status", ["open", "", None, 1])
def test_a_wallets_status_is_a_known_one(world, status):
    answer = world.patch(f"/v1/wallets/{world.own['id']}", json={"status": status})

    assert_refused(world, answer, 400, "status")


@pytest.mark.parametrize("page", [{"limit": 0}, {"limit": 10_001}, {"offset": -1}])
def test_a_page_of_transactions_is_bounded(world, page):
    answer = world.get(f"/v1/wallets/{world.own['id']}/transactions", params=page)

    assert_refused(world, answer, 400, *page)

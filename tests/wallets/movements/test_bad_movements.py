"""What can't be moved, held or granted is refused, naming the field, and changes nothing."""

import json
from uuid import uuid4

import pytest

from monigo.tenancy import Scope
from support.api import Api
from support.snapshot import snapshot

UNKNOWN = "0f6b2a4e-8c1d-4e5f-9a7b-3c2d1e0f9a8b"
LONG = "x" * 256
LARGEST = "999999999999999999.999999"
MOVEMENT = {"amount": "1", "currency": "NGN", "entry_type": "usage", "idempotency_key": "k"}
HOLDING = {"amount": "1", "currency": "NGN", "idempotency_key": "k"}
# Kept answers, by what was asked; each under the header key of the action's name.
KEPT = {
    "credit": {**MOVEMENT, "currency": "UGX", "idempotency_key": "kept-1"},
    "reservations": {**HOLDING, "currency": "UGX", "idempotency_key": "kept-2"},
    "credits": {**HOLDING, "currency": "UGX", "idempotency_key": "kept-3"},
}
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

TABLES = ("ledger_transfers", "ledger_requests", "wallet_reservations", "credit_grants", "wallets")
WRITTEN = " UNION ALL ".join(
    f"SELECT '{table}', count(*), max(t::text), min(t::text) FROM {table} AS t WHERE org_id = $1"
    for table in TABLES
)


@pytest.fixture(scope="module")
def world(backend):
    """A merchant with a wallet of 100 naira and others that refuse. No test here changes it."""
    with Api.of_new_organization(backend) as api:
        api.customer()
        api.own = api.wallet(funds="100")
        api.move(api.own, "credit", "1", "usage", key="used")
        api.move(api.own, "debit", "1", "usage")
        _fill_others(api)
        api.before = (snapshot(api), written(api))
        yield api


def _fill_others(api):
    """A wallet with reservations, open and settled; a suspended one, a closed one, a full one."""
    api.holding = api.wallet(currency="KES", funds="100")
    api.open = hold(api, api.holding, "open")
    api.released = hold(api, api.holding, "released")
    path = f"/v1/wallets/{api.holding['id']}/reservations/{api.released['id']}/release"
    assert api.post(path).status_code == 200
    api.others = {
        "suspended": api.wallet(currency="GHS", funds="100"),
        "closed": api.wallet(currency="ZAR"),
    }
    api.suspended_open = hold(api, api.others["suspended"], "open")
    for status, wallet in api.others.items():
        answer = api.patch(f"/v1/wallets/{wallet['id']}", json={"status": status})
        assert answer.status_code == 200, answer.text
    api.kept = api.wallet(currency="UGX", funds="100")
    api.full = api.wallet(currency="USD")
    granting = {"amount": LARGEST, "currency": "USD", "idempotency_key": "largest"}
    api.make(f"/v1/wallets/{api.full['id']}/credits", granting, "credit")
    for action, body in KEPT.items():
        answer = api.post(
            f"/v1/wallets/{api.kept['id']}/{action}", json=body, headers={"Idempotency-Key": action}
        )
        assert answer.status_code in {200, 201}, answer.text


def hold(api, wallet, key):
    body = {"amount": "10", "currency": wallet["currency"], "idempotency_key": key}
    return api.make(f"/v1/wallets/{wallet['id']}/reservations", body, "reservation")


def written(api):
    """What stands in the wallets' tables, also where no list shows it."""
    return [tuple(row) for row in api.backend.sql(WRITTEN, api.org_id)]


def send(world, action, body, keyed, wallet_id=None):
    headers = {"Idempotency-Key": str(uuid4())} if keyed else {}
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    path = f"/v1/wallets/{wallet_id or world.own['id']}/{action}"
    return world.post(path, content=content, headers=headers)


def said(answer):
    """The status of a refusal, and the fields that it names."""
    return answer.status_code, sorted(answer.json().get("details", {}))


def assert_refused(world, answer, status, *fields):
    assert said(answer) == (status, sorted(fields)), answer.text
    assert (snapshot(world), written(world)) == world.before


def assert_all_refused(world, action, cases, status, wallet_id=None):
    """Bodies, each with the fields at fault, are refused with and without an Idempotency-Key."""
    wrong = [
        (f"{body}"[:200], keyed, answer.text)
        for body, *fields in cases
        for keyed in KEYED
        if said(answer := send(world, action, body, keyed, wallet_id)) != (status, sorted(fields))
    ]
    assert wrong == []
    assert (snapshot(world), written(world)) == world.before


def with_amount(amount):
    return json.dumps(MOVEMENT | {"amount": "<amount>"}).replace('"<amount>"', amount)


@pytest.mark.parametrize("action", ["credit", "debit", "reservations", "credits"])
def test_an_amount_is_a_plain_number_above_zero_of_six_places(world, action):
    cases = [(with_amount(amount), "amount") for amount in AMOUNT_FAULTS]

    assert_all_refused(world, action, cases, 400)


def test_an_amount_that_is_no_json_spoils_the_body(world):
    cases = [(with_amount(amount), "body") for amount in NO_JSON]

    assert_all_refused(world, "credit", cases, 400)


@pytest.mark.parametrize("action", ["credit", "debit"])
def test_a_movements_fields_are_checked(world, action):
    cases = [({**MOVEMENT, **change}, field) for change, field in FIELD_FAULTS]

    assert_all_refused(world, action, cases, 400)


@pytest.mark.parametrize("action", ["credit", "debit"])
def test_a_movement_needs_all_that_says_what_moves(world, action):
    cases = [
        ({name: value for name, value in MOVEMENT.items() if name != field}, field)
        for field in MOVEMENT
    ]

    assert_all_refused(world, action, cases, 400)


def test_a_body_that_is_no_object_is_refused(world):
    contents = ["", "{", "[]", "null", '"text"', b"\xff", "[" * 100_000]

    assert_all_refused(world, "credit", [(content, "body") for content in contents], 400)


@pytest.mark.parametrize("keyed", KEYED)
@pytest.mark.parametrize("wallet_id", ["nobody", "1", UNKNOWN.replace("-", "")])
def test_what_can_be_no_id_is_not_found_whatever_the_body(world, wallet_id, keyed):
    answer = send(world, "debit", {**MOVEMENT, "amount": "0"}, keyed, wallet_id)

    assert_refused(world, answer, 404)
    assert answer.json() == {"error": "wallet not found", "code": "wallet_not_found"}


@pytest.mark.parametrize("action", ["credit", "debit", "reservations", "credits"])
def test_an_unknown_wallet_is_not_found(world, action):
    assert_all_refused(world, action, [(MOVEMENT,)], 404, UNKNOWN)


@pytest.mark.parametrize("keyed", KEYED)
def test_an_account_holds_no_more_than_it_can(world, keyed):
    largest = {**MOVEMENT, "amount": LARGEST, "entry_type": "deposit"}

    answer = send(world, "credit", largest, keyed)

    assert_refused(world, answer, 400, "amount")


@pytest.mark.parametrize("keyed", KEYED)
@pytest.mark.parametrize("action", ["credit", "credits"])
def test_the_merchants_side_holds_no_more_than_it_can(world, action, keyed):
    body = {**MOVEMENT, "currency": "USD", "amount": LARGEST}

    answer = send(world, action, body, keyed, world.full["id"])

    assert_refused(world, answer, 400, "amount")


def test_a_credits_provider_is_checked(world):
    cases = [({**MOVEMENT, "provider_id": wrong}, "provider_id") for wrong in (LONG, "\x00", 7)]

    assert_all_refused(world, "credit", cases, 400)


@pytest.mark.parametrize("keyed", KEYED)
def test_all_faults_are_told_at_once(world, keyed):
    body = {"amount": "0", "currency": 5, "entry_type": "theft", "idempotency_key": ""}

    answer = send(world, "debit", body, keyed)

    assert_refused(world, answer, 400, "amount", "currency", "entry_type", "idempotency_key")


@pytest.mark.parametrize("keyed", KEYED)
@pytest.mark.parametrize(
    ("action", "change"),
    [
        ("credit", {"amount": "2"}),
        ("credit", {"entry_type": "refund"}),
        ("credit", {"description": "other"}),
        ("credit", {"metadata": {"a": 1}}),
        ("credit", {"provider_id": "other"}),
        ("debit", {}),
        ("reservations", {}),
        ("credits", {}),
    ],
)
def test_a_key_that_was_used_for_something_else_moves_nothing(world, action, change, keyed):
    body = {**MOVEMENT, "idempotency_key": "used", **change}

    answer = send(world, action, body, keyed)

    assert_refused(world, answer, 409)


@pytest.mark.parametrize("action", KEPT)
@pytest.mark.parametrize("change", [{"amount": "2"}, {"idempotency_key": "another"}])
def test_a_header_key_with_another_body_moves_nothing(world, action, change):
    answer = world.post(
        f"/v1/wallets/{world.kept['id']}/{action}",
        json={**KEPT[action], **change},
        headers={"Idempotency-Key": action},
    )

    assert_refused(world, answer, 422)


@pytest.mark.parametrize("action", ["credit", "debit", "reservations", "credits"])
@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_a_wallet_that_is_not_active_moves_nothing(world, status, action):
    wallet = world.others[status]
    cases = [({**MOVEMENT, "currency": wallet["currency"]},)]

    assert_all_refused(world, action, cases, 409, wallet["id"])


@pytest.mark.parametrize("keyed", KEYED)
@pytest.mark.parametrize("action", ["debit", "reservations"])
def test_more_than_there_is_moves_nothing(world, action, keyed):
    answer = send(world, action, {**MOVEMENT, "amount": "100.000001"}, keyed)

    assert_refused(world, answer, 402)


@pytest.mark.parametrize("scopes", [[Scope.READ], [Scope.INGEST], [Scope.ADMIN]])
def test_who_may_not_write_moves_nothing(world, backend, scopes):
    with Api.of(backend, world.org_id, is_test=True, scopes=scopes) as caller:
        caller.own = world.own

        answers = [
            send(caller, action, MOVEMENT, keyed)
            for action in ("credit", "debit", "reservations", "credits")
            for keyed in KEYED
        ]

    assert [said(answer) for answer in answers] == [(403, [])] * 8
    assert (snapshot(world), written(world)) == world.before


@pytest.mark.parametrize("action", ["credit", "debit", "reservations", "credits"])
def test_who_is_unknown_moves_nothing(world, action):
    path = f"/v1/wallets/{world.own['id']}/{action}"

    answers = [
        world.post(path, json=MOVEMENT, headers={"Authorization": secret, **key})
        for secret in ("", "Bearer nobody", "Basic eDp5")
        for key in ({}, {"Idempotency-Key": "x"})
    ]

    assert [said(answer) for answer in answers] == [(401, [])] * 6
    assert (snapshot(world), written(world)) == world.before


@pytest.mark.parametrize("field", sorted(HOLDING))
@pytest.mark.parametrize("action", ["reservations", "credits"])
def test_what_is_held_or_granted_is_told_in_full(world, action, field):
    body = {name: value for name, value in HOLDING.items() if name != field}

    answer = send(world, action, body, keyed=False)

    assert_refused(world, answer, 400, field)


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({"amount": "0"}, 400, ["amount"]),
        ({"amount": "-1"}, 400, ["amount"]),
        ({"amount": "1.0000001"}, 400, ["amount"]),
        ({"amount": "NaN"}, 400, ["amount"]),
        ({"amount": "10.000001"}, 400, ["amount"]),
        ({"amount": []}, 400, ["amount"]),
        ([], 400, ["body"]),
    ],
)
def test_no_more_than_is_held_is_captured(world, body, status, fields):
    answer = settle(world, world.holding, world.open["id"], "capture", body)

    assert_refused(world, answer, status, *fields)


@pytest.mark.parametrize("action", ["capture", "release"])
@pytest.mark.parametrize(
    ("wallet", "reservation_id", "status", "fields"),
    [
        ("holding", UNKNOWN, 404, []),
        ("own", "open", 404, []),
        ("holding", "released", 409, []),
        ("holding", "nobody", 404, []),
    ],
)
def test_only_an_open_reservation_of_the_wallet_is_settled(  # noqa: PLR0917 - parametrized
    world, action, wallet, reservation_id, status, fields
):
    known = {"open": world.open["id"], "released": world.released["id"]}

    answer = settle(
        world, getattr(world, wallet), known.get(reservation_id, reservation_id), action
    )

    assert_refused(world, answer, status, *fields)


def test_a_suspended_wallets_reservation_is_not_captured(world):
    answer = settle(world, world.others["suspended"], world.suspended_open["id"], "capture")

    assert_refused(world, answer, 409)


def settle(world, wallet, reservation_id, action, body=None):
    path = f"/v1/wallets/{wallet['id']}/reservations/{reservation_id}/{action}"
    return world.post(path, json=body)


HOLDING_FAULTS = [
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
]


def test_a_reservations_fields_are_checked(world):
    cases = [({**HOLDING, **change}, field) for change, field in HOLDING_FAULTS]

    assert_all_refused(world, "reservations", cases, 400)


GRANT_FAULTS = [
    ({"currency": "USD"}, "currency"),
    ({"idempotency_key": ""}, "idempotency_key"),
    ({"priority": -1}, "priority"),
    ({"priority": 1.5}, "priority"),
    ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ({"metric_ids": ["x"]}, "metric_ids[0]"),
    ({"metric_ids": [UNKNOWN]}, "metric_ids[0]"),
    ({"metric_ids": "x"}, "metric_ids"),
    ({"metric_ids": [UNKNOWN] * 101}, "metric_ids"),
]


def test_a_grants_fields_are_checked(world):
    cases = [({**HOLDING, **change}, field) for change, field in GRANT_FAULTS]

    assert_all_refused(world, "credits", cases, 400)


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


def test_a_wallet_with_money_is_not_closed(world):
    answer = world.patch(f"/v1/wallets/{world.own['id']}", json={"status": "closed"})

    assert_refused(world, answer, 409)


@pytest.mark.parametrize(
    "part", ["", "/transactions", "/statement.csv", "/reservations", "/credits", "/top-ups"]
)
def test_of_an_unknown_wallet_nothing_is_read(world, part):
    answer = world.get(f"/v1/wallets/{UNKNOWN}{part}")

    assert_refused(world, answer, 404)


@pytest.mark.parametrize("page", [{"limit": 0}, {"limit": 10_001}, {"offset": -1}])
def test_a_page_of_transactions_is_bounded(world, page):
    answer = world.get(f"/v1/wallets/{world.own['id']}/transactions", params=page)

    assert_refused(world, answer, 400, *page)

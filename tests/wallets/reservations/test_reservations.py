"""Reservations: money held is spent once, given back, or expires."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from monigo import wallets
from monigo.core.times import format_instant
from monigo.wallets import ReservationStatus
from monigo.wallets.reservations import store as reservations_store
from support.agenda import work_slice


@pytest.fixture
def wallet(api):
    """A customer's wallet with 100 naira."""
    api.customer()
    return api.wallet(funds="100")


def reserve(api, wallet, amount, key="hold-1", **fields):
    body = {"amount": amount, "currency": "NGN", "idempotency_key": key, **fields}
    return api.post(f"/v1/wallets/{wallet['id']}/reservations", json=body)


def settle(api, wallet, made, action, body=None):
    reservation_id = made.json()["reservation"]["id"]
    path = f"/v1/wallets/{wallet['id']}/reservations/{reservation_id}/{action}"
    return api.post(path, json=body)


def balances(api, wallet):
    told = api.get(f"/v1/wallets/{wallet['id']}").json()["wallet"]
    return told["balance"], told["reserved_balance"]


def expire(api, limit=500):
    """Let one slice of reservations expire; how many there were."""
    task = wallets.EXPIRE_RESERVATIONS
    return work_slice(api, replace(task, handler=replace(task.handler, size=limit)))


def test_what_is_held_cannot_be_spent(api, wallet):
    held = reserve(api, wallet, "70")

    too_much = api.move(wallet, "debit", "30.000001")

    assert held.status_code == 201
    assert held.json()["wallet"]["balance"] == "30.000000"
    assert held.json()["reservation"]["status"] == "open"
    assert too_much.status_code == 402
    assert balances(api, wallet) == ("30.000000", "70.000000")


def test_all_that_there_is_can_be_held(api, wallet):
    held = reserve(api, wallet, "100")

    assert held.status_code == 201
    assert balances(api, wallet) == ("0.000000", "100.000000")


def test_more_than_there_is_is_not_held(api, wallet):
    reserve(api, wallet, "70")

    second = reserve(api, wallet, "31", key="hold-2")

    assert second.status_code == 402
    assert balances(api, wallet) == ("30.000000", "70.000000")


@pytest.mark.parametrize(
    ("body", "captured", "left"),
    [
        (None, "70.000000", "30.000000"),
        ({"amount": None}, "70.000000", "30.000000"),
        ({"amount": "25.5"}, "25.500000", "74.500000"),
    ],
)
def test_a_capture_spends_and_gives_the_rest_back(api, wallet, body, captured, left):
    held = reserve(api, wallet, "70", description="Order 7", reference_id="order-7")

    answer = settle(api, wallet, held, "capture", body)

    told = answer.json()
    usage = told["ledger_entries"][2:]
    assert (answer.status_code, told["reservation"]["status"]) == (200, "captured")
    assert told["reservation"]["captured_amount"] == captured
    assert (told["wallet"]["balance"], told["wallet"]["reserved_balance"]) == (left, "0.000000")
    assert balances(api, wallet) == (left, "0.000000")
    assert [entry["entry_type"] for entry in usage] == ["usage", "usage"]
    assert [entry["account_type"] for entry in usage] == ["customer_wallet", "revenue"]
    assert {entry["reference_id"] for entry in usage} == {"order-7"}
    assert len({entry["transaction_id"] for entry in told["ledger_entries"]}) == 1


def test_a_release_gives_all_back(api, wallet):
    held = reserve(api, wallet, "70")

    answer = settle(api, wallet, held, "release")

    assert answer.json()["reservation"]["status"] == "released"
    assert balances(api, wallet) == ("100.000000", "0.000000")


@pytest.mark.parametrize("second", ["capture", "release"])
@pytest.mark.parametrize("first", ["capture", "release"])
def test_a_reservation_is_settled_once(api, wallet, first, second):
    held = reserve(api, wallet, "70")
    settle(api, wallet, held, first)
    before = balances(api, wallet)

    again = settle(api, wallet, held, second)

    assert again.status_code == 409
    assert balances(api, wallet) == before


def test_no_more_is_captured_than_is_held(api, wallet):
    held = reserve(api, wallet, "70")

    answer = settle(api, wallet, held, "capture", {"amount": "70.000001"})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["amount"])
    assert balances(api, wallet) == ("30.000000", "70.000000")


def test_an_expired_reservation_cannot_be_captured(api, backend, wallet):
    held = reserve(api, wallet, "70", expires_in_seconds=60)
    backend.clock.advance(seconds=60)

    refused = settle(api, wallet, held, "capture")

    assert refused.status_code == 409
    assert "expired" in refused.json()["error"]


def test_expired_reservations_give_back_what_they_hold(api, backend, wallet):
    dollars = api.wallet(currency="USD", funds="10")
    reserve(api, wallet, "1", "a", expires_in_seconds=60)
    reserve(api, wallet, "2", "b", expires_in_seconds=120)
    reserve(api, wallet, "4", "c", expires_in_seconds=600)
    reserve(api, dollars, "8", "a", expires_in_seconds=60, currency="USD")
    backend.clock.advance(seconds=120)

    swept = [expire(api, limit=2), expire(api, limit=2), expire(api)]

    listed = api.get(f"/v1/wallets/{wallet['id']}/reservations").json()
    assert swept == [2, 1, 0]
    assert [one["status"] for one in listed["reservations"]] == ["open", "expired", "expired"]
    assert balances(api, wallet) == ("96.000000", "4.000000")
    assert balances(api, dollars) == ("10.000000", "0.000000")


def test_an_expiry_may_be_an_instant(api, backend, wallet):
    until = format_instant(backend.clock.now() + timedelta(days=2))

    held = reserve(api, wallet, "1", expires_at=until)

    assert held.json()["reservation"]["expires_at"] == until


def test_a_repeated_reservation_gets_the_first_answer(api, wallet):
    first = reserve(api, wallet, "70", description="Order 7")
    settle(api, wallet, first, "capture")

    again = reserve(api, wallet, "70.00", description="Order 7")
    other = reserve(api, wallet, "71", description="Order 7")
    elsewhere = api.move(wallet, "debit", "70", key="hold-1")

    assert (again.status_code, again.json()) == (201, first.json())
    assert [other.status_code, elsewhere.status_code] == [409, 409]
    assert balances(api, wallet) == ("30.000000", "0.000000")


def test_a_suspended_wallets_money_is_given_back_but_not_spent(api, wallet):
    first, second = reserve(api, wallet, "10", "a"), reserve(api, wallet, "20", "b")
    api.patch(f"/v1/wallets/{wallet['id']}", json={"status": "suspended"})

    refused = [reserve(api, wallet, "1", "c"), settle(api, wallet, first, "capture")]
    released = settle(api, wallet, second, "release")

    assert [answer.status_code for answer in refused] == [409, 409]
    assert released.status_code == 200
    assert balances(api, wallet) == ("90.000000", "10.000000")


def test_a_reservation_belongs_to_one_wallet(api, wallet):
    dollars = api.wallet(currency="USD", funds="10")
    held = reserve(api, wallet, "10")

    assert settle(api, dollars, held, "capture").status_code == 404
    assert settle(api, dollars, held, "release").status_code == 404


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("status = 'gone', settled_at = now()", "wallet_reservations_status_known"),
        ("status = 'captured', settled_at = now()", "wallet_reservations_captured_within_amount"),
        (
            "status = 'captured', settled_at = now(), captured_amount = 71",
            "wallet_reservations_captured_within_amount",
        ),
        ("status = 'released'", "wallet_reservations_settled_has_its_time"),
        ("settled_at = now()", "wallet_reservations_settled_has_its_time"),
    ],
)
def test_the_database_keeps_reservations_sound(api, backend, wallet, change, constraint):
    reserve(api, wallet, "70")

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        backend.sql(f"UPDATE wallet_reservations SET {change}", as_app=api.tenant)

    assert refused.value.constraint_name == constraint


def test_the_database_settles_a_reservation_once(api, backend, wallet):
    settle(api, wallet, reserve(api, wallet, "70"), "release")

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        backend.sql(
            "UPDATE wallet_reservations SET status = 'open', settled_at = NULL", as_app=api.tenant
        )

    assert refused.value.constraint_name == "wallet_reservations_settled_once"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("status = 'closed', closed_at = now()", "wallets_closed_is_empty"),
        ("status = 'closed'", "wallets_closed_has_its_time"),
        ("closed_at = now()", "wallets_closed_has_its_time"),
        ("status = 'lost'", "wallets_status_known"),
    ],
)
def test_the_database_keeps_wallets_sound(api, backend, wallet, change, constraint):
    api.move(wallet, "debit", "1")
    emptied = {"wallets_closed_has_its_time": "99", "wallets_closed_is_empty": "1"}
    api.move(wallet, "debit", emptied.get(constraint, "1"))

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        backend.sql(f"UPDATE wallets SET {change}", as_app=api.tenant)

    assert refused.value.constraint_name == constraint


def test_the_database_keeps_one_wallet_per_customer_and_currency(api, backend, wallet):
    columns = (
        "org_id, is_test, customer_id, currency, status, money_account_id, reserved_account_id,"
        " provider_account_id, revenue_account_id, created_at, updated_at"
    )

    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        backend.sql(
            f"INSERT INTO wallets (id, {columns}) SELECT gen_random_uuid(), {columns} FROM wallets"
            " WHERE id = $1",
            wallet["id"],
            as_app=api.tenant,
        )

    assert refused.value.constraint_name == "wallets_one_per_customer_and_currency"


def test_what_was_settled_while_somebody_waited_does_not_expire_too(api, backend, wallet):
    held = UUID(reserve(api, wallet, "70").json()["reservation"]["id"])

    async def expire():
        async with backend.services.database.transaction(api.tenant) as tx:
            settle_all = reservations_store.settle
            first = await settle_all(tx, [held], ReservationStatus.RELEASED)
            second = await settle_all(tx, [held], ReservationStatus.EXPIRED)
            return [[known.status for known in settled] for settled in (first, second)]

    assert backend.run(expire()) == [[ReservationStatus.RELEASED], []]

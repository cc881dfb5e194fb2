"""Auto top-up: a wallet that runs low asks for money, once, and deposits pay what it asked for."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import UUID, uuid4

import asyncpg
import pytest

from monigo import invoicing, metering, wallets
from monigo.core.ids import WalletId
from monigo.core.money import Money
from monigo.wallets import Direction, EntryType, Movement
from support.agenda import do
from support.api import event
from support.verification import faults

RULE = {"threshold": "50", "amount": "200", "monthly_limit": "500"}
ASKED = "customer.wallet.top_up_requested"


@pytest.fixture
def wallet(api):
    """A customer's wallet with 100 naira and a rule, which wants 50 and asks for 200."""
    api.customer()
    made = api.wallet(funds="100")
    assert put_rule(api, made).status_code == 200
    return made


@pytest.fixture(autouse=True)
def verified(api, backend):
    """Whatever was asked for, `verify` agrees with it."""
    yield
    assert faults(backend, api.tenant) == []


def put_rule(api, wallet, **fields):
    return api.put(f"/v1/wallets/{wallet['id']}/auto-top-up", json={**RULE, **fields})


def top_ups(api, wallet, **query):
    answer = api.get(f"/v1/wallets/{wallet['id']}/top-ups", params=query)
    return [(one["status"], one["deposited_amount"]) for one in answer.json()["top_ups"]]


def events(api):
    told = api.get("/v1/billing-events", params={"type": ASKED}).json()["events"]
    return [one["data"]["top_up"] for one in told]


def advance(api, to):
    answer = api.post("/v1/test-clock/advance", json={"to": to}, timeout=60)
    assert (answer.status_code, answer.json()["status"]) == (200, "ready"), answer.text


def hold(api, wallet, amount):
    body = {"amount": amount, "currency": "NGN", "idempotency_key": "hold-1"}
    return api.make(f"/v1/wallets/{wallet['id']}/reservations", body, "reservation")


def subscribe(api, billing_mode):
    price = {"metric_id": api.metric()["id"], "model": "flat_unit", "unit_price": "60"}
    return api.subscribe("c1", api.plan(price, billing_mode=billing_mode)["id"])


def test_a_rule_is_set_read_replaced_and_deleted(api):
    api.customer()
    wallet = api.wallet(funds="100")
    path = f"/v1/wallets/{wallet['id']}/auto-top-up"
    none_yet = api.get(path)

    first = api.put(path, json=RULE)
    second = api.put(path, json={"threshold": 0, "amount": "0.000001"})
    read = api.get(path)
    deleted = api.delete(path)

    assert none_yet.status_code == 404
    assert first.json()["auto_top_up"] == {
        "wallet_id": wallet["id"],
        "threshold": "50.000000",
        "amount": "200.000000",
        "monthly_limit": "500.000000",
    }
    assert second.json() == read.json()
    assert read.json()["auto_top_up"] == {
        "wallet_id": wallet["id"],
        "threshold": "0.000000",
        "amount": "0.000001",
        "monthly_limit": None,
    }
    assert (deleted.status_code, api.get(path).status_code) == (200, 404)
    assert api.delete(path).status_code == 404


def test_a_debit_that_leaves_too_little_asks_for_money_and_tells_it(api, wallet):
    api.move(wallet, "debit", "50.000001")

    (told,) = api.get(f"/v1/wallets/{wallet['id']}/top-ups").json()["top_ups"]
    assert told == {
        "id": told["id"],
        "org_id": str(api.org_id),
        "wallet_id": wallet["id"],
        "currency": "NGN",
        "amount": "200.000000",
        "deposited_amount": "0.000000",
        "status": "open",
        "settled_at": None,
        "created_at": told["created_at"],
        "updated_at": told["created_at"],
    }
    assert events(api) == [
        {
            "id": told["id"],
            "wallet_id": wallet["id"],
            "customer_id": wallet["customer_id"],
            "currency": "NGN",
            "amount": "200.000000",
            "status": "open",
            "wallet_balance": "49.999999",
            "created_at": told["created_at"],
        }
    ]


def test_as_much_as_the_threshold_is_enough(api, wallet):
    api.move(wallet, "debit", "50")

    assert top_ups(api, wallet) == []


def test_a_capture_asks_and_a_hold_does_not(api, wallet):
    held = hold(api, wallet, "60")
    before = top_ups(api, wallet)

    api.post(f"/v1/wallets/{wallet['id']}/reservations/{held['id']}/capture")

    assert (before, top_ups(api, wallet)) == ([], [("open", "0.000000")])


@pytest.mark.usefixtures("wallet")
def test_a_prepaid_period_asks(api):
    advance(api, "2027-01-01T00:00:00Z")
    subscribe(api, "prepaid")
    api.ingest(event("1"))

    advance(api, "2027-02-01T00:00:00Z")

    assert [told["wallet_balance"] for told in events(api)] == ["40.000000"]


def test_a_prepaid_period_that_can_not_be_paid_asks_where_little_is_left(api, wallet):
    advance(api, "2027-01-01T00:00:00Z")
    subscribe(api, "prepaid")
    put_rule(api, wallet, monthly_limit="200")
    api.ingest(event("1"))
    api.move(wallet, "debit", "60")
    api.move(wallet, "credit", "200", "deposit")
    api.move(wallet, "debit", "195")
    in_january = len(events(api))

    advance(api, "2027-02-01T00:00:00Z")

    assert in_january == 1
    assert [told["wallet_balance"] for told in events(api)] == ["45.000000", "40.000000"]


@pytest.mark.usefixtures("wallet")
def test_a_realtime_charge_asks(api, backend):
    advance(api, "2027-01-01T00:00:00Z")
    subscribe(api, "realtime")
    api.ingest(event("1"))

    backend.run(metering.fold_all(backend.services.database))
    do(api, invoicing.CHARGE)

    assert [told["wallet_balance"] for told in events(api)] == ["40.000000"]


def test_a_rule_that_is_set_on_a_low_wallet_asks_at_once(api):
    api.customer()
    wallet = api.wallet()

    put_rule(api, wallet)
    put_rule(api, wallet, amount="300")

    assert [told["amount"] for told in events(api)] == ["200.000000"]


def test_what_takes_nothing_does_not_ask(api, wallet):
    path = f"/v1/wallets/{wallet['id']}/auto-top-up"
    api.put(path, json={**RULE, "threshold": "1000", "monthly_limit": "200"})
    api.delete(path)
    api.put(path, json=RULE)

    refused = api.move(wallet, "debit", "100.000001")
    key = api.move(wallet, "debit", "10", key="k")
    api.put(path, json={**RULE, "threshold": "80"})
    repeated = api.move(wallet, "debit", "10", key="k")
    api.move(wallet, "credit", "1", "adjustment")

    assert (refused.status_code, key.status_code, repeated.json()) == (402, 200, key.json())
    assert top_ups(api, wallet) == [("canceled", "0.000000")]


def test_a_suspended_wallet_does_not_ask(api):
    api.customer()
    wallet = api.wallet()
    api.patch(f"/v1/wallets/{wallet['id']}", json={"status": "suspended"})

    assert put_rule(api, wallet).status_code == 200
    assert top_ups(api, wallet) == []


def test_a_closed_wallet_takes_no_rule(api):
    api.customer()
    wallet = api.wallet()
    api.patch(f"/v1/wallets/{wallet['id']}", json={"status": "closed"})

    refused = put_rule(api, wallet)

    assert (refused.status_code, refused.json()["error"]) == (409, "the wallet is closed")


def test_a_wallet_that_waits_does_not_ask_again(api, wallet):
    api.move(wallet, "debit", "60")
    api.move(wallet, "debit", "10")
    api.move(wallet, "debit", "10")

    assert top_ups(api, wallet) == [("open", "0.000000")]
    assert len(events(api)) == 1


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}])
def test_ten_debits_at_once_ask_once(api, wallet, headers):
    path = f"/v1/wallets/{wallet['id']}/debit"

    def debit(number):
        body = {
            "amount": "10",
            "currency": "NGN",
            "entry_type": "usage",
            "idempotency_key": f"{number}",
        }
        keys = {name: f"{text}-{number}" for name, text in headers.items()}
        return api.post(path, json=body, headers=keys).status_code

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(debit, range(10)))

    assert statuses == [200] * 10
    assert top_ups(api, wallet) == [("open", "0.000000")]
    assert len(events(api)) == 1


def test_deposits_since_then_pay_what_was_asked_for(api, wallet):
    api.move(wallet, "debit", "60")

    api.move(wallet, "credit", "150", "deposit")
    in_part = top_ups(api, wallet)
    api.move(wallet, "credit", "1000", "adjustment")
    api.move(wallet, "credit", "1000", "refund")
    api.move(wallet, "debit", "1", "deposit")
    still = top_ups(api, wallet)
    api.move(wallet, "credit", "70", "deposit")

    assert (in_part, still) == ([("open", "150.000000")], [("open", "150.000000")])
    assert top_ups(api, wallet) == [("paid", "200.000000")]
    assert top_ups(api, wallet, status="open") == []
    assert len(top_ups(api, wallet, status="paid")) == 1
    assert len(events(api)) == 1


def test_what_is_paid_may_be_asked_for_again_up_to_the_months_limit(api, wallet):
    advance(api, "2027-01-10T00:00:00Z")
    api.move(wallet, "debit", "60")
    api.move(wallet, "credit", "200", "deposit")
    api.move(wallet, "debit", "200")
    api.move(wallet, "credit", "200", "deposit")
    within = len(events(api))

    api.move(wallet, "debit", "200")
    api.move(wallet, "debit", "1")

    assert (within, len(events(api))) == (2, 2)
    assert top_ups(api, wallet) == [("paid", "200.000000")] * 2


def test_a_limit_that_is_just_reached_is_not_exceeded(api, wallet):
    put_rule(api, wallet, monthly_limit="400")
    api.move(wallet, "debit", "60")
    api.move(wallet, "credit", "200", "deposit")

    api.move(wallet, "debit", "200")

    assert len(events(api)) == 2


def test_a_new_month_of_the_organisation_begins_anew(api, wallet):
    api.patch("/v1/organization", json={"timezone": "Africa/Lagos"})
    put_rule(api, wallet, monthly_limit="200")
    advance(api, "2027-01-31T22:00:00Z")
    api.move(wallet, "debit", "60")
    api.move(wallet, "credit", "200", "deposit")
    advance(api, "2027-01-31T22:59:59Z")
    api.move(wallet, "debit", "200")
    in_january = len(events(api))

    advance(api, "2027-01-31T23:00:00Z")
    api.move(wallet, "debit", "1")

    assert (in_january, len(events(api))) == (1, 2)


def test_what_was_canceled_does_not_count_towards_the_limit(api, wallet):
    put_rule(api, wallet, monthly_limit="200")
    api.move(wallet, "debit", "60")
    api.delete(f"/v1/wallets/{wallet['id']}/auto-top-up")

    put_rule(api, wallet, monthly_limit="200")

    assert top_ups(api, wallet) == [("open", "0.000000"), ("canceled", "0.000000")]


def test_without_a_limit_it_asks_whenever_little_is_left(api, wallet):
    put_rule(api, wallet, monthly_limit=None)
    api.move(wallet, "debit", "60")
    api.move(wallet, "credit", "200", "deposit")
    api.move(wallet, "debit", "200")
    api.move(wallet, "credit", "200", "deposit")
    api.move(wallet, "debit", "200")

    assert len(events(api)) == 3


def test_closing_the_wallet_cancels_what_is_open(api, wallet):
    api.move(wallet, "debit", "100")

    api.patch(f"/v1/wallets/{wallet['id']}", json={"status": "closed"})

    assert top_ups(api, wallet) == [("canceled", "0.000000")]


def test_deleting_the_customer_cancels_what_is_open(api, wallet):
    api.move(wallet, "debit", "100")

    deleted = api.delete("/v1/customers/c1")

    assert deleted.status_code == 200
    assert top_ups(api, wallet) == [("canceled", "0.000000")]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"threshold": "-1"}, "threshold"),
        ({"threshold": "NaN"}, "threshold"),
        ({"threshold": "0.0000001"}, "threshold"),
        ({"threshold": None}, "threshold"),
        ({"threshold": ""}, "threshold"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "1e3"}, "amount"),
        ({"amount": None}, "amount"),
        ({"amount": []}, "amount"),
        ({"monthly_limit": "199.999999"}, "monthly_limit"),
        ({"monthly_limit": "0"}, "monthly_limit"),
        ({"monthly_limit": "Infinity"}, "monthly_limit"),
        ({"monthly_limit": True}, "monthly_limit"),
    ],
)
def test_a_rules_fields_are_checked(api, wallet, change, field):
    answer = put_rule(api, wallet, **change)

    read = api.get(f"/v1/wallets/{wallet['id']}/auto-top-up").json()["auto_top_up"]
    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])
    assert read["threshold"] == "50.000000"


@pytest.mark.parametrize("missing", ["threshold", "amount"])
def test_a_rule_needs_a_threshold_and_an_amount(api, wallet, missing):
    body = {name: value for name, value in RULE.items() if name != missing}

    answer = api.put(f"/v1/wallets/{wallet['id']}/auto-top-up", json=body)

    assert (answer.status_code, list(answer.json()["details"])) == (400, [missing])


def test_only_known_statuses_can_be_listed(api, wallet):
    answer = api.get(f"/v1/wallets/{wallet['id']}/top-ups", params={"status": "gone"})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["status"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "auto-top-up"),
        ("PUT", "auto-top-up"),
        ("DELETE", "auto-top-up"),
        ("GET", "top-ups"),
    ],
)
def test_a_wallet_of_another_tenant_is_not_found(api, backend, wallet, method, path):
    with type(api).of_new_organization(backend) as other:
        foreign = other.http.request(method, f"/v1/wallets/{wallet['id']}/{path}", json=RULE)
        unknown = other.http.request(method, f"/v1/wallets/{uuid4()}/{path}", json=RULE)

    assert (foreign.status_code, foreign.json()["error"]) == (404, "wallet not found")
    assert unknown.json() == foreign.json()
    assert api.get(f"/v1/wallets/{wallet['id']}/auto-top-up").status_code == 200


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        (
            (
                "INSERT INTO wallet_top_ups (org_id, is_test, id, wallet_id, currency, amount,"
                " deposited_amount, status, created_at, updated_at)"
                " SELECT org_id, is_test, gen_random_uuid(), wallet_id, currency, amount,"
                " deposited_amount, status, created_at, updated_at FROM wallet_top_ups"
                " WHERE status = 'open'"
            ),
            "wallet_top_ups_one_open",
        ),
        (
            "UPDATE wallet_top_ups SET updated_at = now() WHERE status <> 'open'",
            "wallet_top_ups_settled_once",
        ),
        (
            "UPDATE wallet_top_ups SET status = 'canceled' WHERE status = 'open'",
            "wallet_top_ups_settled_has_its_time",
        ),
        (
            ("UPDATE wallet_top_ups SET status = 'paid', settled_at = now() WHERE status = 'open'"),
            "wallet_top_ups_paid_is_deposited",
        ),
        (
            "UPDATE wallet_top_ups SET deposited_amount = 201 WHERE status = 'open'",
            "wallet_top_ups_deposited_within_amount",
        ),
        ("UPDATE wallets SET top_up_amount = NULL", "wallets_top_up_rule_is_whole"),
        ("UPDATE wallets SET top_up_threshold = NULL", "wallets_top_up_rule_is_whole"),
        ("UPDATE wallets SET top_up_threshold = -1", "wallets_top_up_threshold_not_negative"),
        ("UPDATE wallets SET top_up_threshold = 'NaN'", "wallets_top_up_threshold_not_negative"),
        ("UPDATE wallets SET top_up_amount = 0", "wallets_top_up_amount_positive"),
        ("UPDATE wallets SET top_up_monthly_limit = 1", "wallets_top_up_limit_covers_amount"),
    ],
)
def test_the_database_keeps_rules_and_requests_sound(api, backend, wallet, statement, constraint):
    api.move(wallet, "debit", "60")
    api.move(wallet, "credit", "200", "deposit")
    api.move(wallet, "debit", "200")

    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        backend.sql(statement, as_app=api.tenant)

    assert refused.value.constraint_name == constraint


def test_a_wallet_without_a_rule_costs_no_further_statement(api, wallet):
    plain = api.wallet(currency="USD")
    api.move(plain, "credit", "100", "deposit")

    without = statements_of(api, plain, "-60")
    with_rule = statements_of(api, wallet, "-40")
    low = statements_of(api, wallet, "-40")

    assert without == with_rule == low[: len(without)]
    assert len(low) > len(without)


def statements_of(api, wallet, amount):
    """What a debit sends within its transaction."""
    sent = []
    movement = Movement(
        wallet_id=WalletId(UUID(wallet["id"])),
        direction=Direction.DEBIT,
        amount=Money(abs(Decimal(amount)), wallet["currency"]),
        entry_type=EntryType.USAGE,
        idempotency_key=str(uuid4()),
    )

    async def run():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            with tx.connection.query_logger(lambda record: sent.append(record.query)):
                await wallets.post(tx, [movement])

    api.backend.run(run())
    return sent

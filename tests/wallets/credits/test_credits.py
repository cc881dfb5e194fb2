"""Credits: granted, consumed before money in their order, and gone when they expire."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from monigo import invoicing, wallets
from monigo.core.ids import CreditGrantId, CustomerId, LedgerAccountId, WalletId
from monigo.core.money import Money
from monigo.core.times import format_instant
from monigo.wallets import CreditGrant, Extent, Payment
from monigo.wallets.credits.rules import plan_consumption
from support.agenda import work_slice

NOW = datetime(2026, 5, 1, tzinfo=UTC)
CALLS, BYTES = uuid4(), uuid4()


def credit(number, remaining, *, priority=0, metric_ids=(), expires_in=None, age=0):
    made = NOW - timedelta(days=age)
    return CreditGrant(
        id=CreditGrantId(UUID(int=number)),
        wallet_id=WalletId(uuid4()),
        account_id=LedgerAccountId(uuid4()),
        currency="NGN",
        amount=Decimal(remaining),
        remaining=Decimal(remaining),
        priority=priority,
        metric_ids=tuple(metric_ids),
        description="",
        expires_at=None if expires_in is None else NOW + timedelta(days=expires_in),
        created_at=made,
        updated_at=made,
        expired_at=None,
        revoked_at=None,
    )


def planned(grants, due):
    plan = plan_consumption(grants, {key: Decimal(amount) for key, amount in due.items()}, NOW)
    return [(one.grant_id.int, one.metric_id, str(one.amount)) for one in plan]


@pytest.mark.parametrize(
    ("grants", "order"),
    [
        ([credit(1, 10, priority=2), credit(2, 10, priority=1)], [2, 1]),
        ([credit(1, 10), credit(2, 10, expires_in=5)], [2, 1]),
        ([credit(1, 10, expires_in=9), credit(2, 10, expires_in=5)], [2, 1]),
        ([credit(1, 10, age=1), credit(2, 10, age=2)], [2, 1]),
        ([credit(1, 10, priority=2, expires_in=1), credit(2, 10, priority=1)], [2, 1]),
        ([credit(1, 10, expires_in=5, age=1), credit(2, 10, expires_in=5, age=9)], [2, 1]),
    ],
)
def test_credits_go_by_priority_then_expiry_then_age(grants, order):
    assert [grant for grant, *_ in planned(grants, {CALLS: 20})] == order


@pytest.mark.parametrize(
    ("grants", "due", "plan"),
    [
        ([], {CALLS: 5}, []),
        ([credit(1, 10)], {}, []),
        ([credit(1, 10)], {CALLS: 0}, []),
        ([credit(1, 10)], {CALLS: 4}, [(1, CALLS, "4")]),
        ([credit(1, 10)], {CALLS: 40}, [(1, CALLS, "10")]),
        ([credit(1, 10)], {None: 4}, [(1, None, "4")]),
        ([credit(1, 10)], {CALLS: 4, BYTES: 9}, [(1, CALLS, "4"), (1, BYTES, "6")]),
        ([credit(1, 10, metric_ids=[BYTES])], {CALLS: 4, BYTES: 9}, [(1, BYTES, "9")]),
        ([credit(1, 10, metric_ids=[BYTES])], {CALLS: 4, None: 4}, []),
        (
            [credit(1, 3), credit(2, 9, priority=1)],
            {CALLS: 5},
            [(1, CALLS, "3"), (2, CALLS, "2")],
        ),
        ([credit(1, 10, expires_in=0)], {CALLS: 5}, [(1, CALLS, "5")]),
        ([credit(1, 10, expires_in=-1), credit(2, 1)], {CALLS: 5}, [(2, CALLS, "1")]),
    ],
)
def test_credits_pay_what_they_may(grants, due, plan):
    assert planned(grants, due) == plan


@pytest.fixture
def wallet(api):
    api.customer()
    return api.wallet(funds="100")


def grant(api, wallet, amount, key, **fields):
    body = {"amount": amount, "currency": "NGN", "idempotency_key": key, **fields}
    return api.post(f"/v1/wallets/{wallet['id']}/credits", json=body)


def left(api, wallet):
    listed = api.get(f"/v1/wallets/{wallet['id']}/credits").json()["credits"]
    return [one["remaining"] for one in listed]


def run(api, function, *arguments):
    async def call():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            return await function(tx, *arguments)

    return api.backend.run(call())


def asked(wallet, **due):
    amounts = {
        None if name == "anything" else UUID(name): Decimal(amount) for name, amount in due.items()
    }
    return Payment(
        customer_id=CustomerId(UUID(wallet["customer_id"])),
        amount=Money(sum(amounts.values()), wallet["currency"]),
        due=lambda: amounts,
        period_end=datetime(2100, 1, 1, tzinfo=UTC),
        description="May",
        reference_type="invoice",
        reference_id="i-1",
        extent=Extent.CREDITS,
    )


def test_a_credit_is_granted_and_listed_beside_the_money(api, wallet):
    metric = api.metric()

    answer = grant(api, wallet, "7.5", "a", metric_ids=[metric["id"]], priority=3)

    credit_told = answer.json()["credit"]
    listed = api.get(f"/v1/wallets/{wallet['id']}/credits").json()
    assert answer.status_code == 201
    assert listed == {"credits": [credit_told], "count": 1, "total": 1, "has_more": False}
    assert (credit_told["remaining"], credit_told["priority"]) == ("7.500000", 3)
    assert credit_told["metric_ids"] == [metric["id"]]
    assert api.get(f"/v1/wallets/{wallet['id']}").json()["wallet"] == wallet


def test_a_repeated_grant_gets_the_first_answer(api, wallet):
    first = grant(api, wallet, "7", "a")
    run(api, wallets.pay_all, [asked(wallet, anything="2")])

    again, other = grant(api, wallet, "7.0", "a"), grant(api, wallet, "8", "a")

    assert (again.status_code, again.json()) == (201, first.json())
    assert other.status_code == 409
    assert left(api, wallet) == ["5.000000"]


def test_usage_consumes_credits_and_leaves_the_money(api, wallet):
    metric = api.metric()
    grant(api, wallet, "10", "a", priority=1)
    grant(api, wallet, "4", "b", metric_ids=[metric["id"]])

    (paid,) = run(api, wallets.pay_all, [asked(wallet, **{metric["id"]: "6", "anything": "3"})])

    assert [one.amount for one in paid] == [Decimal(4), Decimal(2), Decimal(3)]
    assert left(api, wallet) == ["0.000000", "5.000000"]
    assert api.get(f"/v1/wallets/{wallet['id']}").json()["wallet"]["balance"] == "100.000000"


def test_many_wallets_credits_pay_at_once_and_one_wallets_twice(api, wallet):
    dollars = api.wallet(currency="USD")
    grant(api, wallet, "10", "a")
    grant(api, dollars, "5", "a", currency="USD")

    paid = run(
        api,
        wallets.pay_all,
        [asked(wallet, anything="7"), asked(dollars, anything="9"), asked(wallet, anything="7")],
    )

    assert [[one.amount for one in each] for each in paid] == [[7], [5], [3]]
    assert (left(api, wallet), left(api, dollars)) == (["0.000000"], ["0.000000"])


def test_an_inactive_wallets_credits_are_not_consumed(api, wallet):
    grant(api, wallet, "10", "a")
    api.patch(f"/v1/wallets/{wallet['id']}", json={"status": "suspended"})

    assert run(api, wallets.pay_all, [asked(wallet, anything="7")]) == [[]]
    assert left(api, wallet) == ["10.000000"]


def test_expired_credits_are_gone(api, backend, wallet):
    soon = format_instant(backend.clock.now() + timedelta(hours=1))
    grant(api, wallet, "10", "a", expires_at=soon)
    grant(api, wallet, "3", "b", expires_at=soon)
    grant(api, wallet, "5", "c")
    run(api, wallets.pay_all, [asked(wallet, anything="12")])
    backend.clock.advance(hours=1, seconds=1)

    (unswept,) = run(api, wallets.pay_all, [asked(wallet, anything="2")])
    task = wallets.expire_credits_after(invoicing.open_periods)
    one_at_a_time = replace(task, handler=replace(task.handler, size=1))
    swept = [work_slice(api, one_at_a_time) for _ in range(3)]

    assert [one.amount for one in unswept] == [2]
    assert swept == [1, 1, 0]
    assert left(api, wallet) == ["3.000000", "0.000000", "0.000000"]

"""Bookings of customers: whose accounts they move, and what no account allows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import asyncpg
import pytest

from monigo import books
from support.api import Api
from support.books import account, balances, in_transaction, post, subject

TOTALS = {"total": Decimal("107.5"), "vat": Decimal("7.5")}


@pytest.fixture
def customer(api):
    return api.customer()["id"]


def test_many_customers_are_booked_in_two_statements(api):
    customers = [api.customer(f"c{number}")["id"] for number in range(3)]
    sent = []

    async def work(tx):
        send = type(tx).send

        async def counted(self, *statements):
            sent.append(len(statements))
            return await send(self, *statements)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(tx), "send", counted)
            made = [books.invoice_finalized(subject(one), **TOTALS) for one in customers]
            await books.post(tx, made)

    in_transaction(api, work)

    assert sent == [2]
    assert balances(api) == {
        "receivable": Decimal("-322.5"),
        "revenue": Decimal(300),
        "tax_payable": Decimal("22.5"),
    }


def test_two_that_open_an_account_at_once_share_it(api, backend, customer):
    made = books.invoice_finalized(subject(customer), **TOTALS)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: post(api, made), range(8)))

    opened = backend.sql(
        "SELECT kind, balance FROM ledger_accounts WHERE org_id = $1 ORDER BY kind", api.org_id
    )
    assert [tuple(row) for row in opened] == [
        ("receivable", Decimal(-860)),
        ("revenue", Decimal(800)),
        ("tax_payable", Decimal(60)),
    ]


FORBIDDEN = {
    "more tax is returned than is due": (
        [books.charge_refunded],
        {"refunded_before": Decimal(0), "provider": "p", "total": Decimal(10), "vat": Decimal(10)},
        "ledger_accounts_balance_not_negative",
    ),
    "more is paid than is owed": (
        [books.payment_received],
        {"reference": "mo1"},
        "ledger_accounts_balance_not_positive",
    ),
    "more is paid out than is owed": (
        [books.transfer_submitted],
        {"provider": "p"},
        "ledger_accounts_balance_not_negative",
    ),
    "more arrives than was sent": (
        [books.transfer_succeeded],
        {"provider": "p"},
        "ledger_accounts_balance_not_negative",
    ),
    "more is recovered than was written off": (
        [books.recovered],
        {},
        "ledger_accounts_balance_not_positive",
    ),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_no_account_crosses_zero_on_its_forbidden_side(api, customer, name):
    (make,), fields, constraint = FORBIDDEN[name]

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        post(api, make(subject(customer), Decimal(1), **fields))

    assert refused.value.constraint_name == constraint
    assert balances(api) == {}


NEVER_ABOVE = ("receivable", "external", "provider_fees", "bad_debt", "dispute_losses")
NEVER_BELOW = ("tax_payable", "payable", "payouts_in_flight", "withholding_payable")


@pytest.mark.parametrize(
    ("kind", "side"),
    [
        *((kind, "positive") for kind in (*NEVER_ABOVE, "payout_expense")),
        *((kind, "negative") for kind in NEVER_BELOW),
    ],
)
def test_the_database_keeps_each_side_of_zero_by_itself(api, backend, customer, kind, side):
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        backend.sql(
            "INSERT INTO ledger_accounts (org_id, is_test, id, kind, currency, customer_id,"
            " balance, created_at) VALUES ($1, true, $2, $3, 'NGN', $4, $5, now())",
            api.org_id,
            account(customer, kind),
            kind,
            customer,
            {"positive": 1, "negative": -1}[side],
        )

    assert refused.value.constraint_name == f"ledger_accounts_balance_not_{side}"


def test_a_customer_has_one_account_of_a_kind(api, backend, customer):
    post(api, books.invoice_finalized(subject(customer), **TOTALS))

    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        backend.sql(
            "INSERT INTO ledger_accounts (org_id, is_test, id, kind, currency, customer_id,"
            " created_at) VALUES ($1, true, gen_random_uuid(), 'revenue', 'NGN', $2, now())",
            api.org_id,
            customer,
        )

    assert refused.value.constraint_name == "ledger_accounts_one_of_customer"


def test_an_account_is_of_a_customer_of_its_tenant_and_stays_so(api, backend, customer):
    with Api.of_new_organization(backend) as other, pytest.raises(asyncpg.PostgresError) as refused:
        post(other, books.invoice_finalized(subject(customer), **TOTALS))
    assert refused.value.constraint_name == "ledger_accounts_customer_fkey"

    post(api, books.invoice_finalized(subject(customer), **TOTALS))
    with pytest.raises(asyncpg.CheckViolationError) as kept:
        backend.sql("UPDATE ledger_accounts SET customer_id = NULL WHERE org_id = $1", api.org_id)
    assert kept.value.constraint_name == "ledger_accounts_identity_fixed"


def test_the_trial_balance_of_an_instant_has_the_transfers_up_to_it(api, backend, customer):
    stands = backend.clock.stand_still()
    post(api, books.invoice_finalized(subject(customer), **TOTALS))
    backend.clock.advance(days=1)
    post(api, books.payment_received(subject(customer), Decimal(100), reference="mo1"))
    backend.clock.advance(days=1)
    post(api, books.provider_fee(subject(customer), Decimal(2), provider="p"))

    on_days = [balances(api, at=stands + timedelta(days=days)) for days in (0, 1, 2)]

    assert balances(api, at=stands - timedelta(microseconds=1)) == {}
    assert on_days[0]["receivable"] == Decimal("-107.5")
    assert (on_days[1]["receivable"], on_days[1]["provider"]) == (Decimal("-7.5"), -100)
    assert (on_days[2]["provider"], on_days[2]["provider_fees"]) == (-98, -2)
    assert [sum(one.values()) for one in on_days] == [0, 0, 0]

"""Money that came for wallets: fees, what providers took back of it, and who owes that then."""

import asyncio
from decimal import Decimal

import asyncpg
import pytest
from msgspec.structs import replace

from monigo.payments import refunds
from monigo.payments.charges import AppliedState
from monigo.providers.port import Fact, Kind, State
from support.accounts import Depositor
from support.books import balances
from support.charges import Till, naira
from support.payments import PROVIDERS
from support.verification import faults


@pytest.fixture(params=PROVIDERS)
def owner(request, api, connections):
    api.backend.simulated.control("clear")
    made = Depositor(api, connections[request.param])
    made.open()
    return made


@pytest.fixture
def one(api, connections):
    """An account at Paystack, into which a hundred came."""
    api.backend.simulated.control("clear")
    made = Depositor(api, connections["paystack"])
    made.open()
    made.deposit("100")
    made.listed()
    return made


def payments(api):
    return api.backend.sql("SELECT * FROM payments WHERE org_id = $1 ORDER BY id", api.org_id)


def receivables(api):
    return api.get("/v1/reports/receivables-aging").json()["receivables"]


def take_back(owner, kind=None, **told):
    """Have the provider say that something of the deposit went back."""
    (payment,) = payments(owner.api)
    fact = Fact(
        kind=kind, provider_id="G1", charge_id=payment["provider_id"], is_final=True, **told
    )

    async def apply():
        async with owner.services.database.transaction(owner.api.tenant) as tx:
            return await refunds.apply_fact(tx, owner.connection["id"], fact)

    assert owner.api.backend.run(apply()).state is AppliedState.APPLIED


def reverse(owner):
    (fact,) = owner.facts()
    assert owner.apply(replace(fact, state=State.REVERSED)).state is AppliedState.APPLIED


def test_a_deposits_fee_is_the_merchants_and_in_the_books(owner):
    owner.deposit("1500")
    owner.deposit("700")

    owner.listed()

    fees = sum(row["fee"] - row["fee_by_payer"] for row in payments(owner.api))
    assert fees > 0
    assert balances(owner.api) == {
        "customer_wallet": Decimal(2200),
        "provider": -2200 + fees,
        "provider_fees": -fees,
    }
    assert faults(owner.api.backend, owner.api.tenant) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_fee_of_a_link_that_funds_a_wallet_is_in_the_books(api, connections, provider):
    till = Till(api, connections[provider])
    link = till.submit(till.checkout())
    till.pay(link)

    till.submit(link)

    (payment,) = payments(api)
    fee = payment["fee"] - payment["fee_by_payer"]
    assert balances(api).get("provider_fees", 0) == -fee
    assert faults(api.backend, api.tenant) == []


def test_a_deposit_that_is_taken_back_and_spent_is_a_loss_and_owed(one):
    one.api.move(one.wallet, "debit", "30")

    for _ in range(2):
        reverse(one)

    (payment,) = payments(one.api)
    assert (payment["uncovered"], payment["uncovered_at"] is not None) == (30, True)
    assert balances(one.api)["dispute_losses"] == -30
    (owed,) = receivables(one.api)
    assert (owed["customer_id"], owed["invoices"]) == (one.customer["id"], 0)
    assert (owed["amount"], owed["taken_back"]) == ("30.000000", "30.000000")
    assert owed["up_to_30_days"] == "30.000000"
    assert owed["oldest_due_at"] is not None
    assert one.balance() == "0.000000"
    assert faults(one.api.backend, one.api.tenant) == []


def test_a_deposit_that_is_taken_back_and_still_there_is_owed_by_nobody(one):
    reverse(one)

    assert receivables(one.api) == []
    assert "dispute_losses" not in balances(one.api)
    assert faults(one.api.backend, one.api.tenant) == []


def test_a_lost_dispute_of_a_deposit_takes_it_from_the_wallet(one):
    one.api.move(one.wallet, "debit", "30")
    told = {"kind": Kind.DISPUTE, "amount": naira("90")}

    for state in (State.PENDING, State.SUCCEEDED, State.SUCCEEDED):
        take_back(one, state=state, **told)

    assert one.balance() == "0.000000"
    assert [owed["taken_back"] for owed in receivables(one.api)] == ["20.000000"]
    assert faults(one.api.backend, one.api.tenant) == []


def test_what_is_sent_back_at_the_providers_pages_leaves_the_wallet_once(one):
    for _ in range(2):
        take_back(one, Kind.REFUND, state=State.SUCCEEDED, amount=naira("40"))
    sent_back = one.balance()
    reverse(one)

    assert (sent_back, one.balance()) == ("60.000000", "0.000000")
    assert [(row["refunded"], row["reversed"]) for row in payments(one.api)] == [(40, 60)]
    assert receivables(one.api) == []
    assert faults(one.api.backend, one.api.tenant) == []


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (
            "DELETE FROM ledger_transfers WHERE org_id = $1 AND entry_type = 'provider_fee'",
            "provider's fee of a payment",
        ),
        (
            "DELETE FROM ledger_transfers WHERE org_id = $1 AND entry_type = 'loss'",
            "loss of a payment",
        ),
        (
            "UPDATE payments SET uncovered = uncovered - 1 WHERE org_id = $1",
            "loss of a payment",
        ),
    ],
)
def test_what_the_books_miss_of_a_payment_is_found(one, statement, what):
    one.api.move(one.wallet, "debit", "30")
    reverse(one)

    plant(one.api, statement)

    assert what in [found for found, *_ in faults(one.api.backend, one.api.tenant)]


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE payments SET uncovered = -1", "payments_uncovered_went_back"),
        (
            "UPDATE payments SET uncovered = 'NaN', uncovered_at = now()",
            "payments_uncovered_went_back",
        ),
        (
            "UPDATE payments SET uncovered = 1, uncovered_at = now()",
            "payments_uncovered_went_back",
        ),
        (
            "UPDATE payments SET reversed = amount, uncovered = 1",
            "payments_uncovered_has_its_time",
        ),
        ("UPDATE payments SET customer_id = NULL", "payments_stay_what_they_were"),
        ("UPDATE payments SET purpose = 'unmatched'", "payments_stay_what_they_were"),
    ],
)
def test_the_database_refuses_what_cannot_be_of_a_payment(one, statement, constraint):
    with pytest.raises(asyncpg.PostgresError) as refused:
        one.api.backend.sql(f"{statement} WHERE org_id = $1", one.api.org_id)

    assert refused.value.constraint_name == constraint


def plant(api, statement):
    async def run():
        connection = await asyncpg.connect(api.backend.owner_url)
        try:
            async with connection.transaction():
                await connection.execute("ALTER TABLE payments DISABLE TRIGGER USER")
                await connection.execute(statement, api.org_id)
                await connection.execute("ALTER TABLE payments ENABLE TRIGGER USER")
        finally:
            await connection.close()

    asyncio.run(run())

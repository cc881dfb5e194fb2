"""Money that comes into virtual accounts by itself: each deposit is credited once, and whole."""

import asyncio

import pytest
from msgspec.structs import replace

from monigo.payments.charges import AppliedState
from monigo.providers.port import Kind, State
from support.accounts import Depositor
from support.charges import Till, naira
from support.payments import PROVIDERS, ask
from support.simulator import lookup
from support.verification import faults


@pytest.fixture(params=PROVIDERS)
def owner(request, api, connections):
    api.backend.simulated.control("clear")
    made = Depositor(api, connections[request.param])
    made.open()
    return made


def test_a_deposit_that_no_webhook_told_is_listed_and_credited_gross(owner):
    owner.deposit("1500")

    owner.listed()
    owner.listed()

    assert owner.balance() == "1500.000000"
    (payment,) = payments(owner)
    assert (payment["kind"], payment["amount"], payment["to_wallet"]) == ("deposit", 1500, 1500)
    assert payment["fee"] == payment["amount"] * payment["fee"].__class__("0.015")


def payments(owner):
    return owner.api.backend.sql(
        "SELECT kind, amount, fee, to_wallet, reversed, provider_id FROM payments"
        " WHERE org_id = $1 ORDER BY id",
        owner.api.org_id,
    )


def test_two_deposits_of_one_amount_are_two(owner):
    """Flutterwave tells the same reference of both."""
    owner.deposit("700")
    owner.deposit("700")

    owner.listed()

    assert owner.balance() == "1400.000000"
    assert owner.entries() == ["700.000000", "700.000000"]


def test_one_deposit_that_is_told_by_all_ways_at_once_is_credited_once(owner):
    owner.deposit("900")
    (fact,) = owner.facts()
    looked_up = replace(fact, kind=Kind.CHARGE, reference=fact.account_reference)
    told = [fact, looked_up if fact.account_reference else fact] * 8

    async def all_at_once():
        applying = [owner.applying(one, owner.connection["id"]) for one in told]
        listing = asyncio.to_thread(owner.listed)
        return await asyncio.gather(listing, *map(on_the_servers_loop, applying))

    def on_the_servers_loop(coroutine):
        loop = owner.api.backend.loop
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, loop))

    asyncio.run(all_at_once())

    assert owner.balance() == "900.000000"
    assert len(payments(owner)) == len(owner.entries()) == 1
    assert faults(owner.api.backend, owner.api.tenant) == []


def test_a_deposit_of_another_currency_is_credited_to_nobody(owner):
    owner.deposit("40", currency="USD")

    for fact in owner.facts():
        applied = owner.apply(fact)
        assert applied.state is AppliedState.REFUSED
        assert applied.reason

    assert (owner.balance(), payments(owner)) == ("0.000000", [])


def test_a_deposit_into_an_account_of_nobodys_waits(owner):
    owner.deposit("40")
    (fact,) = owner.facts()
    unknown = replace(fact, account_number="0000000000", account_reference="", reference="")

    assert owner.apply(unknown).state is AppliedState.UNKNOWN_REFERENCE
    assert owner.balance() == "0.000000"


def test_what_has_not_come_or_tells_no_id_is_no_money(owner):
    owner.deposit("40")
    (fact,) = owner.facts()

    assert owner.apply(replace(fact, state=State.FAILED)).state is AppliedState.IGNORED
    assert owner.apply(replace(fact, state=State.PENDING)).state is AppliedState.IGNORED
    assert owner.apply(replace(fact, provider_id="")).state is AppliedState.REFUSED
    assert owner.apply(replace(fact, amount=None)).state is AppliedState.REFUSED
    assert owner.balance() == "0.000000"


# The lists of the others have no receipt of the bank's.
@pytest.mark.parametrize("owner", ["monnify"], indirect=True)
def test_a_receipt_of_another_amount_is_another_payments(owner):
    owner.deposit("40")
    owner.listed()
    (fact,) = owner.facts()
    assert fact.rail_id

    told = owner.apply(replace(fact, provider_id="other", amount=naira("50")))

    assert told.state is AppliedState.REFUSED
    assert owner.apply(replace(fact, provider_id="other")).state is AppliedState.APPLIED
    assert owner.balance() == "40.000000"


def test_a_deposit_that_is_taken_back_is_debited_as_far_as_it_is_there(owner):
    owner.deposit("100")
    owner.listed()
    owner.api.move(owner.wallet, "debit", "30")
    (fact,) = owner.facts()

    for _ in range(2):
        assert owner.apply(replace(fact, state=State.REVERSED)).state is AppliedState.APPLIED

    assert owner.balance() == "0.000000"
    assert [row["reversed"] for row in payments(owner)] == [100]
    told = owner.api.backend.sql(
        "SELECT payload FROM outbox_facts WHERE org_id = $1 AND type = 'ReversalUncovered'",
        owner.api.org_id,
    )
    assert len(told) == 1
    assert '"30.000000"' in str(told[0]["payload"])


def test_a_deposit_by_a_checkouts_reference_pays_that(api, connections):
    """Flutterwave tells a bank transfer that pays a link as it tells a deposit."""
    owner = Depositor(api, connections["flutterwave"])
    till = Till(api, connections["flutterwave"], owner.customer)
    charge = till.submit(till.checkout("2500"))
    till.pay(charge, method="bank_transfer")
    told = ask(api, connections["flutterwave"], lookup(Kind.CHARGE, charge.reference)).fact

    applied = owner.apply(replace(told, kind=Kind.DEPOSIT, account_reference=told.reference))

    assert applied.state is AppliedState.APPLIED
    assert till.look(charge).state == "succeeded"
    assert owner.balance() == "2500.000000"

"""Money is counted once, whoever tells of it, and a person's word gives way to the provider's."""

import asyncio
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from monigo.core.errors import DomainError
from monigo.payments import charges
from monigo.payments.charges import AppliedState, ChargeState, Placement
from monigo.providers.port import (
    Cause,
    Fact,
    Failed,
    FailureCode,
    Kind,
    Reversed,
    State,
    Succeeded,
    Unknown,
)
from support.charges import Till, naira


@pytest.fixture
def till(api, connections):
    return Till(api, connections["paystack"])


@pytest.fixture
def pull(till):
    """A pull of which nothing is known."""
    till.script("charge", "drop_before")
    return till.submit(till.pull(till.card(), "700"))


def told(state=State.SUCCEEDED, named="P1", amount="700", **more):
    return Fact(
        kind=Kind.CHARGE,
        state=state,
        provider_id=named,
        amount=naira(amount),
        is_final=True,
        **more,
    )


def rows(till, charge):
    return [
        (row["provider_id"], row["amount"], row["reversed"])
        for row in till.payments()
        if row["charge_id"] == charge.id
    ]


def facts(till):
    found = till.api.backend.sql(
        "SELECT type FROM outbox_facts WHERE org_id = $1 AND is_test = $2 AND subject_id IN"
        " (SELECT id FROM payments UNION SELECT id FROM charges) ORDER BY id",
        till.api.tenant.org_id,
        till.api.tenant.is_test,
    )
    return [row["type"] for row in found]


def test_twenty_who_report_one_payment_at_once_make_one(till, pull):
    async def apply():
        services = till.services
        async with services.database.transaction(till.api.tenant) as tx:
            return await charges.apply_outcome(
                tx, services.desk.vault, pull.id, Succeeded(fact=told())
            )

    async def all_at_once():
        return await asyncio.gather(*(apply() for _ in range(20)))

    ended = till.api.backend.run(all_at_once())

    assert {one.state for one in ended} == {ChargeState.SUCCEEDED}
    assert rows(till, pull) == [("P1", 700, 0)]
    assert facts(till).count("PaymentReceived") == 2


def test_a_reversal_takes_a_success_back_whichever_comes_first(till, pull):
    other = replace(pull, id=till.submit(till.checkout("700")).id)
    till.apply(pull, Succeeded(fact=told()))
    till.apply(pull, Reversed(fact=told(State.REVERSED)))
    till.apply(other, Reversed(fact=told(State.REVERSED, "P2")))
    till.apply(other, Succeeded(fact=told(named="P2")))

    assert till.look(pull).state is till.look(other).state is ChargeState.REVERSED
    assert rows(till, pull) == [("P1", 700, 700)]
    assert rows(till, other) == [("P2", 700, 700)]
    # Of what came and went before anybody knew, nothing follows but that it failed.
    assert facts(till)[-3:] == ["PaymentReceived", "PaymentReversed", "ChargeFailed"]


def test_two_channels_meet_by_the_rails_id(till, pull):
    other = till.submit(till.checkout("700"))
    till.apply(pull, Succeeded(fact=told(rail_id="R1")))

    same = apply_fact(till, replace(told(named="P2", rail_id="R1"), reference=other.reference))
    clash = apply_fact(
        till, replace(told(named="P3", amount="900", rail_id="R1"), reference=other.reference)
    )

    assert (same.state, clash.state) == (AppliedState.APPLIED, AppliedState.REFUSED)
    assert len(till.payments()) == 2
    assert till.look(other).state is ChargeState.SUCCEEDED


def apply_fact(till, fact, connection=None):
    connection_id = UUID((connection or till.connection)["id"])
    vault = till.services.desk.vault
    return till.run(lambda tx: charges.apply_fact(tx, vault, connection_id, fact))


def test_facts_are_of_their_own_connection(till, pull, connections):
    fact = replace(told(), reference=pull.reference)

    assert apply_fact(till, replace(fact, reference="mo1")).state is AppliedState.UNKNOWN_REFERENCE
    foreign = apply_fact(till, fact, connections["monnify"])
    assert foreign.state is AppliedState.UNKNOWN_REFERENCE
    assert apply_fact(till, fact).state is AppliedState.APPLIED
    assert rows(till, pull) == [("P1", 700, 0)]


def test_money_of_another_currency_is_counted_as_it_came(till, pull):
    dollars = replace(told(), amount=replace(naira("3"), currency="USD"))

    charge = till.apply(pull, Succeeded(fact=dollars))

    assert charge.state is ChargeState.SUCCEEDED
    (row,) = till.api.backend.sql("SELECT currency FROM payments WHERE charge_id = $1", pull.id)
    assert row["currency"] == "USD"


def resolve(till, charge, outcome, **more):
    return till.run(lambda tx: charges.resolve(tx, charge.id, outcome, note="seen", **more))


def test_a_person_says_that_it_succeeded_and_the_provider_says_so_later(till, pull):
    assert resolve(till, pull, ChargeState.SUCCEEDED).state is ChargeState.SUCCEEDED
    assert rows(till, pull) == [(f"{pull.reference} by a person", 700, 0)]

    charge = till.apply(pull, Succeeded(fact=told()))

    assert rows(till, pull) == [("P1", 700, 0)]
    assert not charge.is_contradicted
    with pytest.raises(DomainError, match="succeeded already"):
        resolve(till, pull, ChargeState.FAILED)


def test_the_providers_later_word_wins_over_a_persons(till, pull):
    resolve(till, pull, ChargeState.FAILED)
    assert till.look(pull).failure.code == "resolved"

    charge = till.apply(pull, Succeeded(fact=told()))

    assert (charge.state, charge.is_contradicted) == (ChargeState.SUCCEEDED, True)
    assert rows(till, pull) == [("P1", 700, 0)]


def test_what_a_person_said_came_goes_back_when_the_provider_says_it_failed(till, pull):
    resolve(till, pull, ChargeState.SUCCEEDED, provider_id="P9")
    said = told(State.FAILED)

    charge = till.apply(
        pull, Failed(code=FailureCode.DECLINED, reason="no", is_final=True, fact=said)
    )

    assert (charge.state, charge.is_contradicted) == (ChargeState.REVERSED, True)
    assert rows(till, pull) == [("P9", 700, 700)]


def test_a_person_said_another_amount(till, pull):
    resolve(till, pull, ChargeState.SUCCEEDED)

    charge = till.apply(pull, Succeeded(fact=told(amount="500")))

    assert charge.is_contradicted
    assert [(amount, gone) for _, amount, gone in rows(till, pull)] == [(700, 700), (500, 0)]


def test_what_is_unknown_for_three_days_is_a_persons(till, pull):
    till.api.backend.clock.advance(hours=72, seconds=1)

    charge = till.apply(pull, Unknown(cause=Cause.TIMED_OUT), is_question=True)

    assert charge.needs_person_at is not None
    assert till.apply(pull, Succeeded(fact=told())).needs_person_at is None


@pytest.mark.parametrize(
    ("constraint", "statement"),
    [
        ("charges_state_moves_forward", "UPDATE charges SET state = 'pending', settled_at = NULL"),
        ("charges_ask_for_the_same", "UPDATE charges SET amount = 1"),
        ("charges_ask_for_the_same", "UPDATE charges SET reference = 'mo2'"),
        ("charges_settled_has_its_time", "UPDATE charges SET settled_at = NULL"),
        ("charges_stay", "DELETE FROM charges"),
        ("payments_stay_what_they_were", "UPDATE payments SET amount = 1"),
        ("payments_stay_what_they_were", "UPDATE payments SET provider_id = 'other'"),
        ("payments_give_back_no_more_than_came", "UPDATE payments SET refunded = 700.000001"),
        ("payments_stay_what_they_were", "UPDATE payments SET to_wallet = 1"),
        ("payments_stay", "DELETE FROM payments"),
    ],
)
def test_the_database_keeps_what_was_decided(till, pull, constraint, statement):
    till.apply(pull, Succeeded(fact=told()))
    key = "charge_id" if "payments" in constraint else "id"

    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        till.api.backend.sql(f"{statement} WHERE {key} = $1", pull.id)

    assert refused.value.constraint_name == constraint


def test_a_payment_is_placed_once_and_whole(till, pull):
    till.apply(pull, Succeeded(fact=told()))
    gone = till.submit(till.checkout("700"))
    till.apply(gone, Reversed(fact=told(State.REVERSED, "P2")))
    came, went = (
        next(row["id"] for row in till.payments() if row["charge_id"] == one.id)
        for one in (pull, gone)
    )

    def place(payment_id, amount):
        placement = Placement(
            payment_id=payment_id, wallet_id=pull.wallet_id, to_wallet=Decimal(amount)
        )
        return till.run(lambda tx: charges.place(tx, [placement]))

    for payment_id, amount, constraint in (
        (came, 0, "payments_stay_what_they_were"),
        (went, 699, "payments_go_somewhere_whole"),
    ):
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            place(payment_id, amount)
        assert refused.value.constraint_name == constraint


@pytest.mark.usefixtures("pull")
def test_a_connection_stays_while_something_of_it_is_live(till):
    path = f"/v1/payment-connections/{till.connection['id']}"

    refused = till.api.delete(path)

    assert (refused.status_code, refused.json()["code"]) == (409, "connection_in_use")

"""Words of many charges at once do what they do one by one, by as few statements as of one."""

import pytest
from msgspec.structs import replace

from monigo.infra.db import Transaction
from monigo.payments import charges
from monigo.payments.charges import AppliedState, ChargeState
from monigo.payments.charges.outcomes import Word, apply_words
from monigo.providers.port import (
    Cause,
    Fact,
    Failed,
    FailureCode,
    Kind,
    Pending,
    Reversed,
    State,
    Succeeded,
    Unknown,
)
from support.charges import Till, naira
from support.verification import faults


@pytest.fixture
def till(api, connections):
    return Till(api, connections["paystack"])


def told(named, amount="700", state=State.SUCCEEDED, **more):
    return Fact(
        kind=Kind.CHARGE,
        state=state,
        provider_id=named,
        amount=naira(amount),
        is_final=True,
        **more,
    )


def said_of(series):
    """What is said of ten charges; of three together the rail has the same receipt."""
    return [
        Succeeded(fact=told(f"{series}1")),
        Succeeded(fact=told(f"{series}2", "650")),
        Failed(code=FailureCode.INSUFFICIENT_FUNDS, reason="no", is_final=True, fact=told("")),
        Pending(fact=told("")),
        Unknown(cause=Cause.TIMED_OUT),
        Reversed(fact=told(f"{series}6", state=State.REVERSED)),
        Succeeded(fact=told(f"{series}1")),
        Succeeded(fact=told(f"{series}8", rail_id=f"{series}R")),
        Succeeded(fact=told(f"{series}9", rail_id=f"{series}R")),
        Succeeded(fact=told(f"{series}10", "900", rail_id=f"{series}R")),
    ]


def pulls_of(till, count):
    """Pulls of which nothing is known."""
    method = till.card()
    till.script("charge", "drop_before", times=count)
    return [till.submit(till.pull(method, "700")) for _ in range(count)]


def words_of(made, said):
    return [
        Word(charge_id=charge.id, outcome=outcome, is_answer=True)
        for charge, outcome in zip(made, said, strict=True)
    ]


def become(till, made):
    """How charges stand, and what was counted of each, without what tells two series apart."""
    found = [till.look(charge) for charge in made]
    counted = {one.id: [] for one in made}
    for row in till.payments():
        if row["charge_id"] in counted:
            counted[row["charge_id"]].append((row["amount"], row["reversed"]))
    return [
        (one.state, one.failure and one.failure.code, one.asked, counted[one.id]) for one in found
    ]


def test_words_of_many_charges_do_what_they_do_one_by_one(till):
    vault = till.services.desk.vault
    together, apart = pulls_of(till, 10), pulls_of(till, 10)
    answers = []
    for word in words_of(apart, said_of("A")):
        answers += till.run(lambda tx, one=word: apply_words(tx, vault, [one]))

    at_once = till.run(lambda tx: apply_words(tx, vault, words_of(together, said_of("T"))))

    assert become(till, together) == become(till, apart)
    assert [applied for _, applied in at_once] == [applied for _, applied in answers]
    assert [applied.state for _, applied in at_once].count(AppliedState.REFUSED) == 1
    assert faults(till.api.backend, till.api.tenant) == []


def test_facts_about_one_charge_are_applied_in_their_order(till):
    first, second = pulls_of(till, 2)
    vault, connection_id = till.services.desk.vault, first.connection_id
    facts = [
        (connection_id, replace(fact, reference=reference))
        for fact, reference in (
            (told("P1"), first.reference),
            (told("P2"), second.reference),
            (told("P1", state=State.REVERSED), first.reference),
            (told("P3"), "of-nobody"),
        )
    ]

    applied = till.run(lambda tx: charges.apply_facts(tx, vault, facts))

    assert [one.state for one in applied] == [
        *[AppliedState.APPLIED] * 3,
        AppliedState.UNKNOWN_REFERENCE,
    ]
    assert till.look(first).state is ChargeState.REVERSED
    assert till.look(second).state is ChargeState.SUCCEEDED


def test_many_take_as_many_statements_as_one(till, monkeypatch):
    vault = till.services.desk.vault
    made = pulls_of(till, 21)
    asked = []
    for name in ("fetch", "execute", "send"):
        monkeypatch.setattr(Transaction, name, _counting(getattr(Transaction, name), asked))

    def statements_of(some):
        said = [Succeeded(fact=told(one.reference)) for one in some]
        asked.clear()
        till.run(lambda tx: apply_words(tx, vault, words_of(some, said)))
        return len(asked)

    one, many = statements_of(made[:1]), statements_of(made[1:])

    assert many == one


def _counting(method, asked):
    async def counted(self, *arguments):
        asked.append(arguments)
        return await method(self, *arguments)

    return counted

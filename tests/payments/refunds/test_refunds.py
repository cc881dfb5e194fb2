"""Refunds and disputes: money goes back once, and never more than came."""

import asyncio
from decimal import Decimal

import asyncpg
import pytest
from msgspec.structs import replace

from monigo.core.errors import DomainError
from monigo.core.money import Money
from monigo.infra import agenda
from monigo.infra.agenda import turns
from monigo.payments import charges, refunds
from monigo.payments.charges import AppliedState
from monigo.payments.refunds import Destination, NewRefund, RefundState, tasks
from monigo.payments.refunds.service import ASK
from monigo.providers.port import Fact, Kind, State, Succeeded
from support.agenda import entries, work
from support.charges import Till, naira
from support.payments import PROVIDERS

QUESTIONS_MAX = 14
DONE = ("success", "drop_after_commit", "500", "duplicate_reference")
NOT_DONE = ("drop_before", "429")


@pytest.fixture(params=PROVIDERS)
def till(request, api, connections):
    api.backend.simulated.control("clear")
    return Till(api, connections[request.param])


@pytest.fixture
def one(api, connections):
    """A till at one provider, for what is the same at all."""
    api.backend.simulated.control("clear")
    return Till(api, connections["paystack"])


def paid(till, amount="2500"):
    """A payment that came by a link."""
    charge = till.submit(till.checkout(amount))
    till.pay(charge)
    till.submit(charge)
    (row,) = till.api.backend.sql("SELECT id FROM payments WHERE charge_id = $1", charge.id)
    return till.run(lambda tx: charges.get_payment(tx, row["id"]))


def wanted(payment, amount, destination=Destination.PROVIDER):
    return NewRefund(
        payment_id=payment.id, amount=naira(amount), reason="late", destination=destination
    )


def look(till, payment):
    return till.run(lambda tx: charges.get_payment(tx, payment.id))


def settle(till, made):
    """Let time go by, and the agenda ask, until refunds are settled or a person's."""
    for _ in range(QUESTIONS_MAX):
        found = [till.run(lambda tx, id_=one.id: refunds.get_refund(tx, id_)) for one in made]
        waiting = [one.id for one in found if one.is_live and not one.needs_person_at]
        if not waiting:
            break
        due = [
            row["due_at"]
            for row in entries(till.api.backend, till.api.tenant, ASK)
            if row["subject"] in waiting
        ]
        wait = max(due) - till.services.database.real_now()
        till.api.backend.clock.advance(seconds=max(wait.total_seconds(), 0) + 1)
        work(till.api.backend, till.api.tenant, refunds.ask_task(till.services.desk))
    return found


def test_refunds_give_back_once_whatever_fails(till):
    made = {}
    for fault in (*DONE, *NOT_DONE):
        payment = paid(till)
        till.script("refund", fault)
        made[fault] = till.submit_refund(till.refund(wanted(payment, "700")))

    ended = dict(zip(made, settle(till, made.values()), strict=True))

    # Where refunds have no reference of ours, one that never arrived is not sent again.
    stays = () if till.provider == "monnify" else NOT_DONE
    done = [one for name, one in ended.items() if name not in stays]
    assert {one.state for one in done} == {RefundState.SUCCEEDED}
    assert all(one.is_live for name, one in ended.items() if name in stays)
    assert [row["amount"] for row in till.booked("refunds")] == ["700"] * len(done)
    assert {look(till, one).refunded for one in map(_payment(till), made.values())} == {700}


def _payment(till):
    return lambda refund: till.run(lambda tx: charges.get_payment(tx, refund.payment_id))


def test_a_refund_that_fails_leaves_the_money_to_be_refunded(till):
    payment = paid(till)
    till.script("refund", "failed")

    (refund,) = settle(till, [till.submit_refund(till.refund(wanted(payment, "2500")))])

    assert refund.state is RefundState.FAILED
    assert refund.failure_code
    assert look(till, payment).refunded == 0
    again = till.submit_refund(till.refund(wanted(payment, "2500")))
    assert (again.attempt, settle(till, [again])[0].state) == (2, RefundState.SUCCEEDED)
    assert look(till, payment).refundable == naira("0")


def test_no_more_goes_back_than_came(one):
    payment = paid(one)

    with pytest.raises(DomainError, match=r"only 2500\.000000 NGN"):
        one.refund(wanted(payment, "2500.01"))
    one.refund(wanted(payment, "2000", Destination.WALLET))
    with pytest.raises(DomainError, match=r"only 500\.000000 NGN"):
        one.refund(wanted(payment, "501"))
    assert look(one, payment).refunded == 2000


def test_of_twenty_refunds_at_once_one_is_made(one):
    payment = paid(one)

    async def create():
        async with one.services.database.transaction(one.api.tenant) as tx:
            return await refunds.create_refund(tx, wanted(payment, "100"))

    async def all_at_once():
        return await asyncio.gather(*(create() for _ in range(20)), return_exceptions=True)

    made = one.api.backend.run(all_at_once())

    refused = [error.code for error in made if isinstance(error, DomainError)]
    assert refused == ["refund_in_flight"] * 19
    assert look(one, payment).refunded == 100


def apply(till, **told):
    fact = Fact(provider_id="X1", is_final=True, **told)
    return till.run(lambda tx: refunds.apply_fact(tx, till.connection["id"], fact))


def test_a_refund_made_at_the_providers_pages_counts_once_it_is_done(one):
    payment = paid(one)
    told = {"kind": Kind.REFUND, "charge_id": payment.provider_id, "amount": naira("300")}

    assert apply(one, state=State.PENDING, **told).state is AppliedState.IGNORED
    for _ in range(2):
        assert apply(one, state=State.SUCCEEDED, **told).state is AppliedState.APPLIED

    assert look(one, payment).refunded == 300
    other = {**told, "amount": Money(Decimal(1), "USD")}
    fact = Fact(provider_id="X2", is_final=True, state=State.SUCCEEDED, **other)
    refused = one.run(lambda tx: refunds.apply_fact(tx, one.connection["id"], fact))
    assert refused.state is AppliedState.REFUSED


def refund_elsewhere(till, payment, provider_id, amount):
    fact = Fact(
        kind=Kind.REFUND,
        state=State.SUCCEEDED,
        is_final=True,
        provider_id=provider_id,
        charge_id=payment.provider_id,
        amount=naira(amount),
    )
    return till.run(lambda tx: refunds.apply_fact(tx, till.connection["id"], fact)).state


def test_what_refunds_send_back_beyond_what_came_is_counted(one):
    payment = paid(one)

    told = [refund_elsewhere(one, payment, name, "2000") for name in ("X1", "X2", "X2")]

    after = look(one, payment)
    assert told == [AppliedState.APPLIED] * 3
    assert (after.refunded, after.beyond, after.refundable) == (2500, 1500, naira("0"))


def test_what_may_be_beyond_waits_until_the_refund_on_its_way_is_settled(one):
    payment = paid(one)
    one.script("refund", "failed")
    refund = one.submit_refund(one.refund(wanted(payment, "2000")))

    early = refund_elsewhere(one, payment, "X1", "2500")
    settle(one, [refund])
    late = refund_elsewhere(one, payment, "X1", "2500")

    assert (early, late) == (AppliedState.NOT_YET, AppliedState.APPLIED)
    assert (look(one, payment).refunded, look(one, payment).beyond) == (2500, 0)


def test_a_refund_of_what_a_dispute_took_is_left_to_a_person(one):
    payment = paid(one)
    told = {"kind": Kind.DISPUTE, "charge_id": payment.provider_id, "amount": naira("2000")}
    apply(one, state=State.SUCCEEDED, **told)

    said = refund_elsewhere(one, payment, "X2", "2000")

    assert said is AppliedState.REFUSED
    assert (look(one, payment).refunded, look(one, payment).beyond) == (2000, 0)


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE payments SET beyond = 1", "payments_beyond_all_that_came"),
        ("UPDATE payments SET beyond = -1", "payments_beyond_all_that_came"),
        ("UPDATE refunds SET of_invoice = amount + 1", "refunds_of_invoice_is_a_part"),
        ("UPDATE refunds SET of_invoice = -1", "refunds_of_invoice_is_a_part"),
        ("UPDATE disputes SET of_invoice = lost_amount + 1", "disputes_of_invoice_is_a_part"),
    ],
)
def test_the_database_refuses_more_than_goes_back(one, statement, constraint):
    payment = paid(one)
    refund_elsewhere(one, payment, "X1", "300")
    told = {"kind": Kind.DISPUTE, "charge_id": payment.provider_id, "amount": naira("200")}
    apply(one, state=State.SUCCEEDED, **told)

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        one.api.backend.sql(f"{statement} WHERE org_id = $1", one.api.org_id)

    assert refused.value.constraint_name == constraint


def test_a_report_of_a_refund_whose_answer_was_lost_is_no_other_refund(one):
    payment = paid(one)
    one.script("refund", "drop_after_commit")
    refund = one.submit_refund(one.refund(wanted(payment, "300")))
    (row,) = one.booked("refunds")
    fact = Fact(
        kind=Kind.REFUND,
        state=State.SUCCEEDED,
        is_final=True,
        provider_id=str(row["id"]),
        charge_id=payment.provider_id,
        amount=naira("300"),
    )

    early = one.run(lambda tx: refunds.apply_fact(tx, one.connection["id"], fact))
    (settled,) = settle(one, [refund])
    again = one.run(lambda tx: refunds.apply_fact(tx, one.connection["id"], fact))

    assert (early.state, again.state) == (AppliedState.NOT_YET, AppliedState.APPLIED)
    assert (settled.state, settled.provider_id) == (RefundState.SUCCEEDED, str(row["id"]))
    assert look(one, payment).refunded == 300


def test_a_refund_is_known_by_our_reference_in_its_note(one):
    payment = paid(one)
    one.script("refund", "drop_before")
    refund = one.submit_refund(one.refund(wanted(payment, "300")))

    apply(one, kind=Kind.REFUND, state=State.SUCCEEDED, note=f"for {refund.reference}")

    assert one.run(lambda tx: refunds.get_refund(tx, refund.id)).state is RefundState.SUCCEEDED
    assert look(one, payment).refunded == 300


def test_a_success_after_a_failure_counts_beyond_what_came(one):
    payment = paid(one)
    one.script("refund", "failed")
    (refund,) = settle(one, [one.submit_refund(one.refund(wanted(payment, "2000")))])
    one.refund(wanted(payment, "1000", Destination.WALLET))

    late = Fact(kind=Kind.REFUND, state=State.SUCCEEDED, provider_id=refund.provider_id)
    after = one.run(lambda tx: refunds.apply_outcome(tx, refund.id, Succeeded(fact=late)))

    assert (after.state, after.needs_person_at) == (RefundState.SUCCEEDED, None)
    assert (look(one, payment).refunded, look(one, payment).beyond) == (2500, 500)


def test_a_lost_dispute_counts_as_refunded_once_and_as_far_as_money_is_left(one):
    payment = paid(one)
    one.refund(wanted(payment, "1000", Destination.WALLET))
    told = {"kind": Kind.DISPUTE, "charge_id": payment.provider_id, "amount": naira("2500")}

    for state in (State.PENDING, State.PENDING, State.SUCCEEDED, State.SUCCEEDED, State.FAILED):
        assert apply(one, state=state, **told).state is AppliedState.APPLIED

    assert look(one, payment).refundable == naira("0")
    of_ours = "SELECT state, lost_amount FROM disputes WHERE org_id = $1"
    (row,) = one.api.backend.sql(of_ours, one.api.org_id)
    assert (row["state"], row["lost_amount"]) == ("lost", 1500)
    unknown = replace(Fact(kind=Kind.DISPUTE, state=State.PENDING), charge_id="nobody's")
    found = one.run(lambda tx: refunds.apply_fact(tx, one.connection["id"], unknown))
    assert found.state is AppliedState.UNKNOWN_REFERENCE


def test_a_person_decides_what_nobody_knows(one):
    payment = paid(one)
    one.script("refund", "drop_before")
    refund = one.submit_refund(one.refund(wanted(payment, "700")))

    ended = one.run(lambda tx: refunds.resolve(tx, refund.id, RefundState.FAILED, note="no"))

    assert (ended.state, ended.failure_code) == (RefundState.FAILED, "resolved")
    assert look(one, payment).refunded == 0


def test_a_provider_that_hangs_leaves_the_lanes_of_the_others(api, connections, monkeypatch):
    monkeypatch.setattr(tasks, "OF_PROVIDER", 1)
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.05)
    api.backend.simulated.control("clear")
    slow, other = (Till(api, connections[name]) for name in ("paystack", "flutterwave"))
    stuck = [slow.refund(wanted(paid(slow), "700")) for _ in range(4)]
    slow.script("refund", "success", times=4, delay_ms=24_000)
    free = other.refund(wanted(paid(other), "700"))
    # By then no request waits for them.
    api.backend.clock.advance(seconds=60)
    task = refunds.ask_task(api.backend.services.desk)

    unsent = {RefundState.CREATED, RefundState.SUBMITTED}

    async def state_of(refund):
        async with api.backend.services.database.transaction(api.tenant) as tx:
            return (await refunds.get_refund(tx, refund.id)).state

    async def until_free():
        running = asyncio.create_task(
            agenda.run_due_work(
                api.backend.services.database,
                [task],
                slots=asyncio.Semaphore(4),
                stop=asyncio.Event(),
            )
        )
        async with asyncio.timeout(20):
            while await state_of(free) in unsent:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.05)
        found = [await state_of(one) for one in stuck]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return found

    found = api.backend.run(until_free())

    assert set(found) <= unsent

"""Each call with each fault: money moves once, and the state ends right by itself."""

import asyncio
from uuid import UUID

import pytest
from msgspec.structs import replace

from monigo.payments import charges
from monigo.payments.charges import ChargeState
from monigo.payments.charges.outcomes import ASK
from monigo.providers.port import Fact, Kind, State, Succeeded
from support.agenda import entries, work
from support.api import event
from support.charges import Till, naira
from support.payments import PROVIDERS

# By then all that a provider may do later by itself is done, and all questions are asked.
QUESTIONS_MAX = 12
DONE = ("drop_after_commit", "500", "not_json", "duplicate_reference", "success")
NOT_DONE = ("drop_before", "429", "200_error")


@pytest.fixture(params=PROVIDERS)
def till(request, api, connections):
    made = Till(api, connections[request.param])
    api.backend.simulated.control("clear")
    return made


def settle(till, *made):
    """Let time go by, and the agenda ask, until charges are settled or a person's."""
    for _ in range(QUESTIONS_MAX):
        found = [till.look(charge) for charge in made]
        waiting = [one.id for one in found if one.is_live and not one.needs_person_at]
        if not waiting:
            break
        due = [row["due_at"] for row in asked(till) if row["subject"] in waiting]
        wait = max(due) - till.services.database.real_now()
        till.api.backend.clock.advance(seconds=max(wait.total_seconds(), 0) + 1)
        work(till.api.backend, till.api.tenant, charges.ask_task(till.services.desk))
    return found


def asked(till):
    return entries(till.api.backend, till.api.tenant, ASK)


def taken(till, reference):
    """What the provider took under a reference, by its own books."""
    rows = till.booked()
    return [row for row in rows if row["reference"] == reference and row["status"] == "success"]


def test_pulls_take_money_once_whatever_fails(till):
    method = till.card()
    made = {}
    for fault in (*DONE, *NOT_DONE):
        till.script("charge", fault)
        made[fault] = till.submit(till.pull(method, "700"))

    ended = dict(zip(made, settle(till, *made.values()), strict=True))

    # Where the same reference would pay again, only a person may say that it never arrived.
    for_person = NOT_DONE if till.provider == "flutterwave" else ()
    assert tuple(name for name, one in ended.items() if one.needs_person_at) == for_person
    done = [one for name, one in ended.items() if name not in for_person]
    assert {one.state for one in done} == {ChargeState.SUCCEEDED}
    counted = [row["charge_id"] for row in till.payments()[1:]]
    assert sorted(counted) == sorted(one.id for one in done)
    assert [len(taken(till, one.reference)) for one in done] == [1] * len(done)
    assert sum(len(taken(till, one.reference)) for one in ended.values()) == len(done)


def test_a_pull_of_another_amount_counts_as_much_as_came(till):
    method = till.card()
    till.script("charge", "wrong_amount")

    (charge,) = settle(till, till.pull(method, "700", is_unattended=True))

    assert charge.state is ChargeState.SUCCEEDED
    assert till.payments()[-1]["amount"] == 350


def test_a_declined_pull_fails_for_good_and_a_new_one_has_another_reference(till):
    method = till.card()
    till.script("charge", "failed")

    (declined,) = settle(till, till.pull(method, "700", is_unattended=True))

    assert declined.state is ChargeState.FAILED
    assert charges.is_of_payer(declined.failure.code)
    (again,) = settle(till, till.pull(method, "700", is_unattended=True))
    assert (again.state, again.attempt) == (ChargeState.SUCCEEDED, 2)
    assert again.reference != declined.reference


# Monnify's pulls have no such step.
@pytest.mark.parametrize("till", ["paystack", "flutterwave"], indirect=True)
def test_a_pull_that_waits_for_its_customer_has_a_link(till):
    method = till.card()
    till.script("charge", "needs_action")

    charge = till.submit(till.pull(method, "700"))

    assert (charge.state, bool(charge.url)) == (ChargeState.NEEDS_ACTION, True)
    till.pay(charge)
    assert till.submit(charge).state is ChargeState.SUCCEEDED


def test_a_look_up_that_finds_nothing_is_no_failure(till):
    method = till.card()
    till.script("charge", "drop_after_commit")
    till.script("lookup", "not_found", times=2)

    (charge,) = settle(till, till.pull(method, "700", is_unattended=True))

    assert charge.state is ChargeState.SUCCEEDED
    assert len(taken(till, charge.reference)) == 1


def test_links_are_told_in_the_end_and_paid_once(till):
    made = []
    for fault in (*DONE, *NOT_DONE, "not_found"):
        till.script("checkout", fault)
        charge = till.submit(till.checkout())
        # As a client does that got 503, or a refusal.
        made.append(till.submit(charge if charge.is_live else till.checkout()))
    for charge in made:
        till.pay(charge)

    assert {till.submit(charge).state for charge in made} == {ChargeState.SUCCEEDED}
    assert [row["amount"] for row in till.payments()] == [2500] * len(made)


def test_an_attempt_that_failed_leaves_the_link_open(till):
    charge = till.submit(till.checkout())
    till.pay(charge, method="decline")

    tried = till.submit(charge)

    assert (tried.state, tried.url) == (ChargeState.NEEDS_ACTION, charge.url)
    till.pay(charge)
    assert till.submit(charge).state is ChargeState.SUCCEEDED


def test_a_link_that_nobody_paid_expires_after_a_last_look_and_a_late_payment_counts(till):
    charge = till.submit(till.checkout())
    till.api.backend.clock.advance(hours=24)

    work(till.api.backend, till.api.tenant, charges.ask_task(till.services.desk))

    expired = till.look(charge)
    assert (expired.state, expired.failure.code) == (ChargeState.FAILED, "expired")
    assert expired.needs_person_at is None
    told = Fact(kind=Kind.CHARGE, state=State.SUCCEEDED, provider_id="late", amount=charge.amount)
    assert till.apply(charge, Succeeded(fact=told)).state is ChargeState.SUCCEEDED
    assert len(till.payments()) == 1


def test_asking_again_returns_the_open_link_until_another_amount_is_due(till):
    invoice_id = _invoice(till)

    first = till.submit(till.checkout(invoice_id=invoice_id))
    same = till.submit(till.checkout(invoice_id=invoice_id))
    other = till.submit(till.checkout("900", invoice_id=invoice_id))

    assert (same.id, same.url) == (first.id, first.url)
    assert other.url not in ("", first.url)
    superseded = till.look(first)
    assert (superseded.state, superseded.failure.code) == (ChargeState.FAILED, "superseded")
    # It is listened to still.
    work(till.api.backend, till.api.tenant, charges.ask_task(till.services.desk))
    if till.provider != "flutterwave":
        till.pay(first)
        assert till.submit(first).state is ChargeState.SUCCEEDED


def test_a_link_that_is_paid_twice_is_two_payments(till):
    charge = till.submit(till.checkout())
    paid = Fact(kind=Kind.CHARGE, state=State.SUCCEEDED, amount=naira("2500"))

    for named in ("1", "2", "1", "2"):
        till.apply(charge, Succeeded(fact=replace(paid, provider_id=named)))

    assert [row["provider_id"] for row in till.payments()] == ["1", "2"]
    assert till.look(charge).state is ChargeState.SUCCEEDED


def test_two_workers_send_a_charge_once(till):
    method = till.card()
    charge = till.pull(method, "700")
    till.script("charge", "success", delay_ms=300)

    async def both():
        services, tenant = till.services, till.api.tenant
        work = [
            charges.submit(services.desk, services.database, tenant, charge.id) for _ in range(6)
        ]
        return await asyncio.gather(*work)

    till.api.backend.run(both())

    calls = till.api.backend.sql(
        "SELECT count(*) FROM provider_calls WHERE org_id = $1 AND verb = 'charge'",
        till.api.tenant.org_id,
    )
    assert calls[0]["count"] == len(taken(till, charge.reference)) == 1
    assert till.look(charge).state is ChargeState.SUCCEEDED


def test_twenty_who_ask_for_a_link_at_once_get_one(till):
    wanted = till.checkout(invoice_id=_invoice(till))
    till.script("checkout", "success", delay_ms=300)

    async def all_at_once():
        services, tenant = till.services, till.api.tenant
        work = [
            charges.submit(services.desk, services.database, tenant, wanted.id) for _ in range(5)
        ]
        return await asyncio.gather(*work)

    made = till.api.backend.run(all_at_once())

    assert len({(one.id, one.url) for one in made}) == 1


def test_what_a_process_died_at_is_asked_for_after_the_next_start(till):
    method = till.card()
    charge = till.pull(method, "700", is_unattended=True)
    desk = Dying(till.services.desk)

    with pytest.raises(Killed):
        till.api.backend.run(
            charges.submit(desk, till.services.database, till.api.tenant, charge.id)
        )

    assert till.look(charge).state is ChargeState.SUBMITTED
    assert settle(till, charge)[0].state is ChargeState.SUCCEEDED
    assert len(taken(till, charge.reference)) == 1


class Killed(BaseException):
    """The process is gone between a call and its record."""


class Dying:
    """A desk whose process is killed as soon as the provider has answered."""

    def __init__(self, desk):
        self.desk = desk
        self.vault = desk.vault

    async def ask_all(self, *asked):
        await self.desk.ask_all(*asked)
        raise Killed


def _invoice(till):
    """A final invoice of which 2500 are due."""
    api, customer_id = till.api, till.customer["id"]
    price = {"metric_id": api.metric()["id"], "model": "flat_unit", "unit_price": "2500"}
    subscription = api.subscribe(customer_id, api.plan(price)["id"])
    api.ingest(event("call-1", customer_id))
    return UUID(api.finalize(api.draft(subscription["id"])["id"])["id"])


def test_an_invoice_has_one_live_pull(till):
    method, invoice_id = till.card(), _invoice(till)
    till.script("charge", "pending")
    first = till.submit(till.pull(method, invoice_id=invoice_id))

    with pytest.raises(Exception, match="under way already"):
        till.pull(method, invoice_id=invoice_id)

    assert first.state is ChargeState.PENDING
    till.pay(first)
    assert till.submit(first).state is ChargeState.SUCCEEDED


def test_a_link_that_was_paid_is_found_before_a_pull(till):
    method, invoice_id = till.card(), _invoice(till)
    link = till.submit(till.checkout(invoice_id=invoice_id))
    till.pay(link)

    pull = till.submit(till.pull(method, invoice_id=invoice_id))

    assert till.look(link).state is ChargeState.SUCCEEDED
    # What was due is paid.
    assert (pull.state, pull.failure.code) == (ChargeState.FAILED, "superseded")
    assert taken(till, pull.reference) == []


def test_amounts_that_a_provider_does_not_take_are_refused_before_anything_is_sent(till):
    charge = till.submit(till.checkout("2500.001"))

    assert (charge.state, charge.failure.code) == (ChargeState.FAILED, "invalid_request")
    assert naira("2500.001") == charge.amount

"""Saved methods: each card once, one default, and forgotten when removed."""

import asyncio
from uuid import UUID

import pytest
from msgspec.structs import replace

from monigo.core.errors import DomainError
from monigo.core.ids import ConnectionId, CustomerId
from monigo.notifications import mails
from monigo.payments import methods
from monigo.payments.methods import FORGETTING
from support.agenda import entries, work
from support.charges import Till, saved
from support.facts import deliver


@pytest.fixture
def till(api, connections):
    return Till(api, connections["paystack"])


def save(till, told, **more):
    return till.run(lambda tx: _save(till, tx, told, **more))


async def _save(till, tx, told, **more):
    return await methods.save(
        tx,
        till.services.desk.vault,
        told,
        customer_id=customer_id(till),
        connection_id=ConnectionId(UUID(till.connection["id"])),
        provider=till.provider,
        email="ada@example.com",
        **more,
    )


def customer_id(till):
    return CustomerId(UUID(till.customer["id"]))


def listed(till):
    return till.run(lambda tx: methods.list_methods(tx, customer_id(till)))


def tokens(till, method):
    vault = till.services.desk.vault
    return till.run(lambda tx: methods.tokens_of(tx, vault, [method.id])).get(method.id)


def test_the_same_card_is_kept_once(till):
    first = save(till, saved("A"))

    again = save(till, saved("B", fingerprint="print of A", exp_year="32"))

    assert (again.id, again.is_default) == (first.id, True)
    assert (again.exp_month, again.exp_year) == (12, 2032)
    assert tokens(till, first) == "B"
    assert [one.id for one in listed(till)] == [first.id]


def test_the_first_method_is_the_default_until_another_is_made_so(till):
    first, second = save(till, saved("A")), save(till, saved("B"))

    made = till.run(lambda tx: methods.set_default(tx, customer_id(till), second.id))

    assert (first.is_default, second.is_default, made.is_default) == (True, False, True)
    assert [one.is_default for one in listed(till)] == [False, True]
    found = till.run(lambda tx: methods.defaults_of(tx, [customer_id(till)]))
    assert found[customer_id(till)].id == second.id


def test_cards_that_come_at_once_are_kept_once_with_one_default(till):
    async def one(told):
        async with till.services.database.transaction(till.api.tenant) as tx:
            return await _save(till, tx, told)

    async def all_at_once():
        told = [saved("A"), saved("B"), saved("A"), saved("C"), saved("B")]
        return await asyncio.gather(*map(one, told))

    till.api.backend.run(all_at_once())

    found = listed(till)
    assert len(found) == 3
    assert sum(method.is_default for method in found) == 1


@pytest.mark.parametrize("told", [{"is_reusable": False}, {"channel": "ussd"}])
def test_what_can_not_be_charged_again_is_not_kept(till, told):
    assert save(till, replace(saved("A"), **told)) is None
    assert listed(till) == []


def test_a_removed_method_is_forgotten(till):
    method = till.card()
    till.run(lambda tx: methods.remove(tx, customer_id(till), method.id))

    work(till.api.backend, till.api.tenant, methods.forgetting_task(till.services.desk))

    assert listed(till) == []
    assert tokens(till, method) is None
    assert entries(till.api.backend, till.api.tenant, FORGETTING) == []
    with pytest.raises(DomainError, match="not found"):
        till.run(lambda tx: methods.get_method(tx, method.id))


def test_a_method_is_kept_while_a_pull_by_it_is_live(till):
    method = till.card()
    till.script("charge", "pending")
    charge = till.submit(till.pull(method))
    till.run(lambda tx: methods.remove(tx, customer_id(till), method.id))
    task = methods.forgetting_task(till.services.desk)

    work(till.api.backend, till.api.tenant, task)
    assert tokens(till, method)

    till.pay(charge)
    till.submit(charge)
    till.api.backend.clock.advance(hours=1, seconds=1)
    work(till.api.backend, till.api.tenant, task)
    assert tokens(till, method) is None


def test_another_customers_method_is_unknown(till):
    method = save(till, saved("A"))
    other = CustomerId(UUID(till.api.customer("other")["id"]))

    for use in (methods.set_default, methods.remove):
        with pytest.raises(DomainError, match="not found"):
            till.run(lambda tx, use=use: use(tx, other, method.id))


def test_no_token_is_in_the_clear(till):
    save(till, saved("AUTH_in_the_clear"))

    (row,) = till.api.backend.sql(
        "SELECT payment_methods::text AS row, encode(token, 'escape') AS token"
        " FROM payment_methods WHERE org_id = $1",
        till.api.tenant.org_id,
    )
    assert "in_the_clear" not in row["row"] + row["token"]


def reported(till):
    found = till.api.get("/v1/billing-events").json()["events"]
    return [
        (one["type"].rpartition(".")[2], one["data"]["payment_method"]["last4"])
        for one in found
        if one["type"].startswith("customer.payment_method.")
    ]


def go_to(till, instant):
    answer = till.api.post("/v1/test-clock/advance", json={"to": instant})
    assert answer.json()["status"] == "ready", answer.text


def test_a_card_that_expires_is_reported_before_and_then(api, connections):
    api.post("/v1/test-clock/advance", json={"to": "2030-01-15T00:00:00Z"})
    till = Till(api, connections["paystack"])
    save(till, saved("A"))
    removed = save(till, saved("B", last4="0000"))
    till.run(lambda tx: methods.remove(tx, customer_id(till), removed.id))
    # The same card, saved again, is reported once.
    save(till, saved("A"))

    go_to(till, "2030-12-01T23:59:59Z")
    before = reported(till)
    go_to(till, "2030-12-02T00:00:00Z")
    soon = reported(till)
    save(till, saved("A"))
    go_to(till, "2030-12-31T23:59:59Z")
    at_last = reported(till)
    go_to(till, "2031-01-01T00:00:00Z")

    assert (before, soon, at_last) == ([], [("expiring_soon", "4081")], soon)
    assert reported(till) == [("expired", "4081"), ("expiring_soon", "4081")]


def test_a_card_that_was_renewed_is_reported_by_its_new_expiry(api, connections):
    api.post("/v1/test-clock/advance", json={"to": "2030-12-15T00:00:00Z"})
    till = Till(api, connections["paystack"])
    save(till, saved("A"))
    work(api.backend, api.tenant, methods.REPORT_EXPIRY)
    assert reported(till) == [("expiring_soon", "4081")]
    save(till, saved("A", exp_year="2032"))

    go_to(till, "2031-01-02T00:00:00Z")
    assert reported(till) == [("expiring_soon", "4081")]
    deliver(api.backend, api.tenant, mails.SUBSCRIBER)
    go_to(till, "2032-12-15T00:00:00Z")

    # What was published long ago, and handled by all who wanted it, is gone.
    assert reported(till) == [("expiring_soon", "4081")]

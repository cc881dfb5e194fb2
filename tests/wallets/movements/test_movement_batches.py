"""Movements of concurrent requests: whose key may not write moves nothing, repeats move once."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from monigo import wallets
from monigo.core.errors import DomainError
from monigo.core.ids import ApiKeyId, WalletId
from monigo.core.money import Money
from monigo.infra import agenda
from monigo.infra.db import Tenant
from monigo.tenancy import KeyReference
from monigo.wallets import Direction, EntryType, Movement
from monigo.wallets.movements import batcher
from support.agenda import waiting
from support.api import Api
from support.audit import CALL


class Desk:
    """A merchant with a wallet of 100 naira, whose requests are moved together."""

    def __init__(self, api):
        self.api = api
        self.key_id = newest_key(api)
        api.customer()
        self.wallet = self.open()

    def open(self, currency="NGN", funds="100"):
        made = self.api.wallet("c1", currency, funds=funds)
        return self.read(WalletId(UUID(made["id"])))

    def read(self, wallet_id):
        return self.in_transaction(wallets.get, wallet_id)

    def move(self, *asked, key_ids=None, tenant=None):
        """What each gets that is asked for at the same time: the wallet's balance, or a refusal."""
        tenant = tenant or self.api.tenant
        move = self.api.backend.services.movements.move

        async def run():
            callers = [KeyReference(tenant, key) for key in key_ids or [self.key_id] * len(asked)]
            calls = [CALL] * len(asked)
            return await asyncio.gather(*map(move, callers, asked, calls), return_exceptions=True)

        return [
            one.code if isinstance(one, DomainError) else str(one.wallet.balance.normalize())
            for one in self.api.backend.run(run())
        ]

    def in_transaction(self, function, *arguments):
        async def run():
            async with self.api.backend.services.database.transaction(self.api.tenant) as tx:
                return await function(tx, *arguments)

        return self.api.backend.run(run())


def newest_key(api):
    query = "SELECT id FROM api_keys WHERE org_id = $1 ORDER BY id DESC LIMIT 1"
    return ApiKeyId(api.backend.sql(query, api.org_id)[0]["id"])


@pytest.fixture(params=["live", "test"])
def desk(backend, request):
    with Api.of_new_organization(backend, is_test=request.param == "test") as api:
        yield Desk(api)
    backend.clock.reset()


def movement(wallet, amount, **fields):
    """A deposit where the amount is above zero, else usage."""
    number = Decimal(amount)
    asked = Movement(
        wallet_id=wallet.id,
        direction=Direction.CREDIT if number > 0 else Direction.DEBIT,
        amount=Money(abs(number), wallet.currency),
        entry_type=EntryType.DEPOSIT if number > 0 else EntryType.USAGE,
        idempotency_key=str(uuid4()),
        description="a ride",
        reference_type="trip",
        reference_id="7",
        metadata={"fare": Decimal("1.50")},
    )
    return replace(asked, **fields)


def test_what_is_asked_at_once_is_moved_in_its_order(desk):
    dollars = desk.open("USD", funds="5")

    answers = desk.move(
        movement(desk.wallet, "-100"),
        movement(dollars, "-5"),
        movement(desk.wallet, "3"),
        movement(desk.wallet, "-4"),
        movement(desk.wallet, "-2"),
    )

    assert answers == ["0", "0", "3", "insufficient_balance", "1"]


def test_a_repeat_gets_the_first_answer(desk):
    holding = {"amount": "5", "currency": "NGN", "idempotency_key": "hold-1"}
    desk.api.make(f"/v1/wallets/{desk.wallet.id}/reservations", holding, "reservation")
    asked = [movement(desk.wallet, "-10"), movement(desk.wallet, "4")]
    first = desk.in_transaction(wallets.post, asked)
    desk.move(movement(desk.wallet, "-1"))

    again = desk.in_transaction(wallets.post, asked)

    assert [one.wallet.balance for one in again] == [Decimal(85), Decimal(89)]
    assert [(one.transfers, one.wallet.reserved_balance) for one in again] == [
        (one.transfers, Decimal(5)) for one in first
    ]
    assert [one.wallet.updated_at for one in again] == [one.wallet.updated_at for one in first]


def test_a_repeat_that_waits_for_the_first_gets_its_answer(desk):
    """As from another process, which shares no transaction with this one."""
    asked = movement(desk.wallet, "-10")
    database, tenant = desk.api.backend.services.database, desk.api.tenant

    async def move_once():
        async with database.transaction(tenant) as tx:
            answer = await wallets.move(tx, asked)
            await asyncio.sleep(0.2)
            return answer

    async def move_twice():
        return await asyncio.gather(move_once(), move_once())

    first, second = desk.api.backend.run(move_twice())

    assert first.transfers == second.transfers
    assert desk.read(desk.wallet.id).balance == 90


def test_a_key_used_in_one_wallet_is_free_in_another(desk):
    dollars = desk.open("USD")
    desk.move(movement(desk.wallet, "-1", idempotency_key="k"))

    answers = desk.move(
        movement(dollars, "-2", idempotency_key="k"),
        movement(desk.wallet, "-1", idempotency_key="k"),
    )

    assert answers == ["98", "99"]


def test_only_a_credit_tells_those_who_wait_for_money(desk):
    noted = partial(waiting, desk.api.backend, desk.api.tenant, wallets.WALLET_CREDITED)
    desk.in_transaction(agenda.cancel, wallets.WALLET_CREDITED, noted())

    desk.move(movement(desk.wallet, "-1"))
    after_debit = noted()
    desk.move(movement(desk.wallet, "1"), movement(desk.wallet, "2"))

    assert after_debit == []
    assert noted() == [desk.wallet.customer_id]


REFUSED = {
    "another currency": ({"amount": Money(Decimal(1), "USD")}, "validation_failed"),
    "no amount": ({"amount": Money.zero("NGN")}, None),
    "too much": (
        {"amount": Money(Decimal("1e18"), "NGN"), "direction": Direction.CREDIT},
        "validation_failed",
    ),
}


@pytest.mark.parametrize(("change", "code"), REFUSED.values(), ids=REFUSED)
def test_one_that_can_not_be_made_hinders_no_other(desk, change, code):
    bad = replace(movement(desk.wallet, "-1"), **change)
    good = [movement(desk.wallet, "-1"), movement(desk.wallet, "-1")]

    async def run():
        move = desk.api.backend.services.movements.move
        caller = KeyReference(desk.api.tenant, desk.key_id)
        asked = [good[0], bad, good[1]]
        return await asyncio.gather(
            *(move(caller, one, CALL) for one in asked), return_exceptions=True
        )

    answers = desk.api.backend.run(run())

    assert [str(answers[at].wallet.balance) for at in (0, 2)] == ["99.000000", "98.000000"]
    assert isinstance(answers[1], Exception)
    assert getattr(answers[1], "code", None) == code
    assert desk.read(desk.wallet.id).balance == 98


def test_a_wallet_of_another_tenant_is_not_there(desk):
    with Api.of_new_organization(desk.api.backend, is_test=desk.api.tenant.is_test) as other:
        foreign = Desk(other).wallet

        assert desk.move(movement(foreign, "-1")) == ["wallet_not_found"]
        assert desk.move(movement(foreign, "-1"), tenant=other.tenant) == ["invalid_credential"]


def test_a_wallet_is_never_moved_in_the_other_mode(desk):
    other_mode = Tenant(desk.api.org_id, is_test=not desk.api.tenant.is_test)

    assert desk.move(movement(desk.wallet, "-1"), tenant=other_mode) == ["invalid_credential"]
    assert desk.read(desk.wallet.id).balance == 100


KEYS = {
    "revoked": ("UPDATE api_keys SET revoked_at = now() WHERE id = $1", "invalid_credential"),
    "off": ("UPDATE api_keys SET disabled_at = now() WHERE id = $1", "invalid_credential"),
    "expired": ("UPDATE api_keys SET expires_at = created_at WHERE id = $1", "invalid_credential"),
    "of the other mode": (
        "UPDATE api_keys SET is_test_mode = NOT is_test_mode WHERE id = $1",
        "invalid_credential",
    ),
    "that may only read": (
        "UPDATE api_keys SET scopes = ARRAY['read'] WHERE id = $1",
        "scope_missing",
    ),
    "unknown": ("DELETE FROM api_keys WHERE id = $1", "invalid_credential"),
}


@pytest.mark.parametrize(("statement", "code"), KEYS.values(), ids=KEYS)
def test_a_key_that_may_not_write_moves_nothing_and_hinders_no_other(desk, statement, code):
    with Api.of(desk.api.backend, desk.api.org_id, is_test=desk.api.tenant.is_test) as other:
        bad = newest_key(other)
        desk.api.backend.sql(statement, bad)

    answers = desk.move(
        movement(desk.wallet, "-1"), movement(desk.wallet, "-2"), key_ids=[bad, desk.key_id]
    )

    assert answers == [code, "98"]


@pytest.mark.parametrize(("statement", "code"), KEYS.values(), ids=KEYS)
def test_a_key_that_moved_money_and_ends_moves_none_any_more(desk, statement, code):
    """It is remembered as it was, and found to be another."""
    desk.move(movement(desk.wallet, "-1"))
    desk.api.backend.sql(statement, desk.key_id)

    assert desk.move(movement(desk.wallet, "-1")) == [code]


def test_a_suspended_organisation_moves_no_money_until_it_is_active_again(desk):
    suspend = "UPDATE organizations SET suspended_at = $2 WHERE org_id = $1"
    desk.move(movement(desk.wallet, "-1"))

    desk.api.backend.sql(suspend, desk.api.org_id, desk.api.backend.clock.now())
    refused = desk.move(movement(desk.wallet, "-1"))
    desk.api.backend.sql(suspend, desk.api.org_id, None)

    assert refused == ["organization_suspended"]
    assert desk.move(movement(desk.wallet, "-1")) == ["98"]


def test_a_remembered_key_expires_in_its_time(desk):
    soon = desk.api.backend.clock.now() + timedelta(seconds=1)
    desk.api.backend.sql("UPDATE api_keys SET expires_at = $2 WHERE id = $1", desk.key_id, soon)
    desk.move(movement(desk.wallet, "-1"))
    desk.api.backend.clock.advance(seconds=2)

    assert desk.move(movement(desk.wallet, "-1")) == ["invalid_credential"]


def test_more_keys_than_are_remembered_move_all_the_same(desk, monkeypatch):
    monkeypatch.setattr(batcher, "KEYS_MAX", 1)
    with Api.of(desk.api.backend, desk.api.org_id, is_test=desk.api.tenant.is_test) as other:
        keys = [desk.key_id, newest_key(other)]
        asked = [movement(desk.wallet, "-1") for _ in range(6)]

        answers = desk.move(*asked, key_ids=keys * 3)

    assert answers == ["99", "98", "97", "96", "95", "94"]


def test_a_key_that_expires_later_still_moves(desk):
    later = desk.api.backend.clock.now() + timedelta(seconds=1)
    desk.api.backend.sql("UPDATE api_keys SET expires_at = $2 WHERE id = $1", desk.key_id, later)

    assert desk.move(movement(desk.wallet, "-1")) == ["99"]


def test_a_connection_that_was_cut_is_replaced(desk):
    desk.move(movement(desk.wallet, "-1"))
    desk.api.backend.sql(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'monigo' AND state = 'idle'"
    )
    desk.api.backend.run(asyncio.sleep(0.1))

    assert desk.move(movement(desk.wallet, "-1")) == ["98"]

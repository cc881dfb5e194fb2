"""The express way: one statement moves what needs no question, and leaves all else alone."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from monigo import invoicing, wallets
from monigo.core.ids import ApiKeyId, WalletId
from monigo.infra.database import Tenant
from monigo.tenancy import Limits
from monigo.wallets import (
    Direction,
    EntryType,
    Movement,
    WalletStatus,
    express,
    express_store,
    teller,
)
from monigo.wallets.express import Express
from support.agenda import do, waiting
from support.api import Api


class Counter:
    """A live merchant's wallets, moved the express way."""

    def __init__(self, api):
        self.api = api
        self.database = api.backend.services.database
        self.express = Express(self.database)
        self.key_id = newest_key(api)
        api.customer()
        self.wallet = self.open()

    def open(self, currency="NGN", funds="100", customer="c1"):
        """A wallet with money, as the usual way knows it."""
        made = self.api.wallet(customer, currency, funds=funds)
        return self.read(WalletId(UUID(made["id"])))

    def read(self, wallet_id):
        return self._in_transaction(wallets.get, wallet_id)

    def move(self, *movements, key_ids=None, tenant=None):
        """What the express way makes of movements, or None."""
        return self.api.backend.run(
            self.express.move(
                tenant or self.api.tenant,
                key_ids or {self.key_id},
                movements,
                now=self.api.backend.clock.now(),
            )
        )

    def move_usually(self, *movements):
        return self._in_transaction(wallets.move_all, movements)

    def take_credited(self):
        """The customers whose wallets got something since they were last taken."""
        taken = waiting(self.api.backend, self.api.tenant, wallets.WALLET_CREDITED)
        do(self.api, invoicing.WAKE)
        return taken

    def _in_transaction(self, function, *arguments):
        async def run():
            async with self.database.transaction(self.api.tenant) as tx:
                return await function(tx, *arguments)

        return self.api.backend.run(run())


def newest_key(api):
    query = "SELECT id FROM api_keys WHERE org_id = $1 ORDER BY id DESC LIMIT 1"
    return ApiKeyId(api.backend.sql(query, api.org_id)[0]["id"])


@pytest.fixture
def counter(backend):
    with Api.of_new_organization(backend, is_test=False) as api:
        yield Counter(api)
    backend.clock.reset()


def movement(wallet, amount, **fields):
    """A credit where the amount is above zero, else a debit."""
    number = Decimal(amount)
    asked = Movement(
        wallet_id=wallet.id,
        direction=Direction.CREDIT if number > 0 else Direction.DEBIT,
        amount=abs(number),
        currency=wallet.currency,
        entry_type=EntryType.DEPOSIT if number > 0 else EntryType.USAGE,
        idempotency_key=str(uuid4()),
        description="a ride",
        reference_type="trip",
        reference_id="7",
        metadata={"fare": Decimal("1.50")},
    )
    return replace(asked, **fields)


def comparable(result, wallet):
    """A result without what each use makes anew: ids, and the instant."""
    sides = [
        (
            replace(one.posting, transaction_id=None, idempotency_key="", **_accounts(one, wallet)),
            replace(one.debit, account_id=None),
            replace(one.credit, account_id=None),
        )
        for one in result.transfers
    ]
    facts = (result.wallet.balance, result.wallet.reserved_balance, result.wallet.entries)
    return facts, result.wallet.status, sides


def _accounts(transfer, wallet):
    """Which of the wallet's accounts a transfer is between."""
    accounts = wallet.accounts
    names = {
        accounts.money: "money",
        accounts.reserved: "reserved",
        accounts.provider: "provider",
        accounts.revenue: "revenue",
    }
    posting = transfer.posting
    return {
        "from_account_id": names[posting.from_account_id],
        "to_account_id": names[posting.to_account_id],
    }


def test_it_moves_as_the_usual_way_does(counter):
    counter.api.customer("c2")
    other = counter.open(customer="c2")
    kinds = [(Direction.CREDIT, one) for one in list(EntryType)[:5]]
    kinds += [(Direction.DEBIT, one) for one in list(EntryType)[:5]]

    def asked(wallet):
        return [
            movement(wallet, "7.25", direction=direction, entry_type=entry_type)
            for direction, entry_type in kinds
        ]

    express = counter.move(*asked(counter.wallet))
    usual = counter.move_usually(*asked(other))

    assert [comparable(one, counter.wallet) for one in express] == [
        comparable(one, other) for one in usual
    ]
    assert counter.read(counter.wallet.id) == express[-1].wallet


def test_wallets_are_moved_together_in_the_order_asked(counter):
    dollars = counter.open("USD", funds="5")

    moved = counter.move(
        movement(counter.wallet, "-100"),
        movement(dollars, "-5"),
        movement(counter.wallet, "3"),
        movement(counter.wallet, "-2"),
    )

    assert [str(one.wallet.balance) for one in moved] == [
        "0.000000",
        "0.000000",
        "3.000000",
        "1.000000",
    ]
    assert [one.wallet.currency for one in moved] == ["NGN", "USD", "NGN", "NGN"]


def test_a_repeat_by_the_usual_way_gets_the_first_answer(counter):
    holding = {"amount": "5", "currency": "NGN", "idempotency_key": "hold-1"}
    counter.api.make(f"/v1/wallets/{counter.wallet.id}/reservations", holding, "reservation")
    debit, credit = movement(counter.wallet, "-10"), movement(counter.wallet, "4")
    first = counter.move(debit, credit)
    counter.move(movement(counter.wallet, "-1"))

    again = counter.move_usually(debit, credit)

    assert [one.wallet.balance for one in again] == [Decimal(85), Decimal(89)]
    assert [(one.wallet.reserved_balance, one.transfers) for one in again] == [
        (Decimal(5), one.transfers) for one in first
    ]
    assert [one.wallet.updated_at for one in again] == [one.wallet.updated_at for one in first]


def test_only_a_credit_tells_those_who_wait_for_money(counter):
    counter.take_credited()

    counter.move(movement(counter.wallet, "-1"))
    after_debit = counter.take_credited()
    counter.move(movement(counter.wallet, "1"), movement(counter.wallet, "2"))

    assert after_debit == []
    assert counter.take_credited() == [counter.wallet.customer_id]


REFUSED = {
    "too little": {"amount": Decimal("100.000001")},
    "another currency": {"currency": "USD"},
    "no amount": {"amount": Decimal(0)},
    "too much": {"amount": Decimal("1e18"), "direction": Direction.CREDIT},
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_one_that_can_not_be_made_moves_nothing(counter, change):
    before = counter.read(counter.wallet.id)

    bad = replace(movement(counter.wallet, "-1"), **change)
    moved = counter.move(movement(counter.wallet, "-1"), bad)

    assert moved is None
    assert counter.read(counter.wallet.id) == before


def test_a_repeat_is_left_to_the_usual_way(counter):
    debit = movement(counter.wallet, "-10")
    counter.move(debit)

    assert counter.move(debit) is None
    assert counter.move(movement(counter.wallet, "-1"), debit) is None
    assert counter.read(counter.wallet.id).balance == 90


def test_a_key_that_comes_twice_at_once_is_left_to_the_usual_way(counter):
    debit = movement(counter.wallet, "-10")

    assert counter.move(debit, debit) is None
    assert counter.read(counter.wallet.id).balance == 100


@pytest.mark.parametrize("status", [WalletStatus.SUSPENDED, WalletStatus.CLOSED])
def test_a_wallet_that_is_not_active_is_left_alone(counter, status):
    counter.move(movement(counter.wallet, "-100"))
    path = f"/v1/wallets/{counter.wallet.id}"
    assert counter.api.patch(path, json={"status": status.value}).status_code == 200

    # It is remembered as it was.
    assert counter.move(movement(counter.wallet, "1")) is None


def test_a_wallet_with_a_rule_is_left_to_the_usual_way(counter):
    rule = {"threshold": "50", "amount": "50"}
    path = f"/v1/wallets/{counter.wallet.id}/auto-top-up"
    assert counter.api.put(path, json=rule).status_code == 200

    assert counter.move(movement(counter.wallet, "-1")) is None
    assert counter.read(counter.wallet.id).balance == 100


def test_a_wallet_of_another_tenant_is_not_there(counter):
    with Api.of_new_organization(counter.api.backend, is_test=False) as other:
        foreign = Counter(other).wallet

        assert counter.move(movement(foreign, "-1")) is None
        assert counter.move(movement(foreign, "-1"), tenant=other.tenant) is None, (
            "the key is another's"
        )


def test_a_wallet_that_is_not_there_is_left_to_the_usual_way(counter):
    unknown = replace(movement(counter.wallet, "1"), wallet_id=WalletId(uuid4()))

    assert counter.move(movement(counter.wallet, "-1"), unknown) is None
    assert counter.read(counter.wallet.id).balance == 100


def test_more_wallets_than_are_remembered_are_moved_all_the_same(counter, monkeypatch):
    monkeypatch.setattr(express, "REMEMBERED_MAX", 2)
    dollars, cedis = counter.open("USD"), counter.open("GHS")

    moved = [
        counter.move(movement(counter.wallet, "-1"), movement(other, "-1"))
        for other in (dollars, cedis, dollars)
    ]

    assert [str(one[0].wallet.balance) for one in moved] == ["99.000000", "98.000000", "97.000000"]


def test_groups_at_the_same_time_forget_no_wallet_of_each_other(counter, monkeypatch):
    """All read a wallet that they don't know at the same time, and each makes room for it."""
    monkeypatch.setattr(express, "REMEMBERED_MAX", 2)
    first, *others = [counter.open(currency) for currency in ("EUR", "USD", "GHS", "KES")]
    counter.move(movement(counter.wallet, "-1"), movement(first, "-1"))
    find, together = express_store.find, asyncio.Barrier(len(others))

    async def find_together(*arguments):
        found = await find(*arguments)
        await together.wait()
        return found

    async def move_all():
        now = counter.api.backend.clock.now()
        groups = [[movement(counter.wallet, "-1"), movement(other, "-1")] for other in others]
        return await asyncio.gather(
            *(
                counter.express.move(counter.api.tenant, {counter.key_id}, group, now=now)
                for group in groups
            )
        )

    monkeypatch.setattr(express_store, "find", find_together)
    moved = counter.api.backend.run(move_all())

    assert None not in moved
    assert counter.read(counter.wallet.id).balance == 96


def test_a_wallet_is_never_moved_in_the_other_mode(counter):
    test_tenant = Tenant(counter.api.org_id, is_test=True)

    assert counter.move(movement(counter.wallet, "-1"), tenant=test_tenant) is None


KEYS = {
    "revoked": "UPDATE api_keys SET revoked_at = now() WHERE id = $1",
    "expired": "UPDATE api_keys SET expires_at = created_at WHERE id = $1",
    "of the other mode": "UPDATE api_keys SET is_test_mode = true WHERE id = $1",
    "that may only read": "UPDATE api_keys SET scopes = ARRAY['read'] WHERE id = $1",
    "unknown": "DELETE FROM api_keys WHERE id = $1",
}


@pytest.mark.parametrize("statement", KEYS.values(), ids=KEYS)
def test_a_key_that_may_not_write_moves_nothing(counter, statement):
    with Api.of(counter.api.backend, counter.api.org_id, is_test=False) as other:
        bad = newest_key(other)
        counter.api.backend.sql(statement, bad)

    assert counter.move(movement(counter.wallet, "-1"), key_ids={counter.key_id, bad}) is None
    assert counter.move(movement(counter.wallet, "-1")) is not None


def test_a_key_that_expires_later_still_moves(counter):
    later = counter.api.backend.clock.now() + timedelta(seconds=1)
    counter.api.backend.sql(
        "UPDATE api_keys SET expires_at = $2 WHERE id = $1", counter.key_id, later
    )

    assert counter.move(movement(counter.wallet, "-1")) is not None


def test_the_movements_of_live_merchants_go_the_express_way(counter, monkeypatch):
    monkeypatch.setattr(Limits, "are_known", lambda *_: True)
    monkeypatch.setattr(teller, "move_all", None)
    wallet = {"id": str(counter.wallet.id), "currency": "NGN"}

    answers = [counter.api.move(wallet, "debit", amount) for amount in ("1", "2")]

    assert [answer.json()["wallet"]["balance"] for answer in answers] == ["99.000000", "97.000000"]


def test_after_a_refusal_the_teller_asks_before_it_moves(counter, monkeypatch):
    """Where refusals come often, each would cost a statement that fails."""
    monkeypatch.setattr(Limits, "are_known", lambda *_: True)
    wallet = {"id": str(counter.wallet.id), "currency": "NGN"}

    refused = counter.api.move(wallet, "debit", "101")
    monkeypatch.setattr(Express, "move", None)
    after = [counter.api.move(wallet, "debit", "1") for _ in range(teller.WARY_FLUSHES)]

    assert refused.status_code == 402
    assert {answer.status_code for answer in after} == {200}


def test_a_connection_that_was_kept_and_is_cut_is_replaced(counter):
    counter.move(movement(counter.wallet, "-1"))
    counter.api.backend.sql(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'monigo' AND state = 'idle'"
    )
    counter.api.backend.run(asyncio.sleep(0.1))

    moved = counter.move(movement(counter.wallet, "-1"))

    assert [one.wallet.balance for one in moved] == [98]


def test_a_refused_statement_leaves_its_connection_fit_for_the_next(counter):
    refused = [counter.move(movement(counter.wallet, "-101")) for _ in range(20)]

    assert refused == [None] * 20
    assert counter.move(movement(counter.wallet, "-1"))[0].wallet.balance == 99

"""Many movements in one transaction: each judged by itself, in order, those before counted in."""

from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from monigo import wallets
from monigo.core.errors import DomainError
from monigo.core.ids import WalletId
from monigo.core.money import Money
from monigo.wallets import Direction, EntryType, Movement


@pytest.fixture
def wallet(api):
    """A customer's wallet with 100 naira."""
    api.customer()
    return api.wallet(funds="100")


def movement(wallet, amount, key=None, **fields):
    """A credit where the amount is above zero, else a debit."""
    number = Decimal(amount)
    return Movement(
        wallet_id=WalletId(UUID(wallet["id"])),
        direction=Direction.CREDIT if number > 0 else Direction.DEBIT,
        amount=Money(abs(number), fields.pop("currency", wallet["currency"])),
        entry_type=EntryType.ADJUSTMENT,
        idempotency_key=key or str(uuid4()),
        **fields,
    )


def move_all(api, *movements):
    async def run():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            return await wallets.post(tx, movements)

    return api.backend.run(run())


def told(answers):
    """The balance that each movement left, or the code of its refusal."""
    return [
        answer.code if isinstance(answer, DomainError) else str(answer.wallet.balance)
        for answer in answers
    ]


def test_each_is_judged_by_itself_and_counts_those_before_it(api, wallet):
    answers = move_all(
        api,
        movement(wallet, "-60"),
        movement(wallet, "-60"),
        movement(wallet, "25"),
        movement(wallet, "-60"),
        movement(wallet, "-1", currency="USD"),
        movement(wallet, "-5"),
    )

    assert told(answers) == [
        "40.000000",
        "insufficient_balance",
        "65.000000",
        "5.000000",
        "validation_failed",
        "0.000000",
    ]


def test_wallets_are_moved_together_and_unknown_ones_refused(api, wallet):
    dollars = api.wallet(currency="USD")
    unknown = {"id": str(uuid4()), "currency": "NGN"}

    answers = move_all(
        api, movement(dollars, "7"), movement(unknown, "1"), movement(wallet, "-100")
    )

    assert told(answers) == ["7.000000", "wallet_not_found", "0.000000"]


def test_a_key_that_comes_twice_at_once_counts_once(api, wallet):
    answers = move_all(
        api,
        movement(wallet, "-10", "order-1"),
        movement(wallet, "-1"),
        movement(wallet, "-10", "order-1"),
        movement(wallet, "-11", "order-1"),
    )

    assert told(answers) == [
        "90.000000",
        "89.000000",
        "90.000000",
        "idempotency_key_reused",
    ]
    assert answers[0].transfers == answers[2].transfers


def test_a_key_refused_at_first_may_succeed_in_the_same_transaction(api, wallet):
    answers = move_all(
        api,
        movement(wallet, "-150", "order-1"),
        movement(wallet, "50"),
        movement(wallet, "-150", "order-1"),
    )

    assert told(answers) == ["insufficient_balance", "150.000000", "0.000000"]


def test_thousands_of_movements_go_in_one_statement(api, wallet):
    answers = move_all(api, *[movement(wallet, "-0.01") for _ in range(3_000)])

    assert told(answers)[-1] == "70.000000"
    assert api.get(f"/v1/wallets/{wallet['id']}/transactions?limit=1").json()["total"] == 3_001


def test_nothing_to_move_moves_nothing(api):
    assert move_all(api) == []

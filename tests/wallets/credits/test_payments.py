"""Payments of one transaction: each leaves less for the next, and takes all, a part, or nothing."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from monigo import wallets
from monigo.core.ids import CustomerId
from monigo.core.money import Money
from monigo.wallets import Extent, Payment, Repayment
from support.wallets import balance, grant, left

LATER = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def wallet(api):
    """A customer's empty wallet."""
    api.customer()
    return api.wallet()


def payment(wallet, amount, extent=Extent.WHOLE):
    return Payment(
        customer_id=CustomerId(UUID(wallet["customer_id"])),
        amount=Money(Decimal(amount), wallet["currency"]),
        due=lambda: {None: Decimal(amount)},
        period_end=LATER,
        description="usage",
        reference_type="invoice",
        reference_id="i-1",
        extent=extent,
    )


def run(api, function, *arguments):
    async def call():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            return await function(tx, *arguments)

    return api.backend.run(call())


def pay(api, *payments):
    taken = run(api, wallets.pay_all, payments)
    return [[str(part.amount.normalize()) for part in parts] for parts in taken]


def test_what_one_payment_takes_of_a_grant_is_not_there_for_the_next(api, wallet):
    grant(api, wallet, "100")

    taken = pay(api, payment(wallet, "80"), payment(wallet, "80"))

    assert taken == [["8E+1"], []]
    assert left(api, wallet) == ["20"]


def test_what_one_payment_takes_of_money_is_not_there_for_the_next(api, wallet):
    api.move(wallet, "credit", "100", "deposit")

    taken = pay(api, payment(wallet, "80"), payment(wallet, "80"), payment(wallet, "20"))

    assert taken == [["8E+1"], [], ["2E+1"]]
    assert balance(api, wallet) == "0"


def test_a_payment_in_part_takes_what_is_there_and_one_by_credits_no_money(api, wallet):
    api.move(wallet, "credit", "30", "deposit")
    grant(api, wallet, "15")

    taken = pay(api, payment(wallet, "10", Extent.CREDITS), payment(wallet, "80", Extent.IN_PART))

    assert taken == [["1E+1"], ["5", "3E+1"]]
    assert (balance(api, wallet), left(api, wallet)) == ("0", ["0"])


def test_what_is_paid_back_goes_to_each_source_even_of_a_closed_wallet(api, wallet):
    api.move(wallet, "credit", "30", "deposit")
    grant(api, wallet, "15")
    (parts,) = run(api, wallets.pay_all, [payment(wallet, "45")])
    api.patch(f"/v1/wallets/{wallet['id']}", json={"status": "closed"})
    repayment = Repayment(
        customer_id=CustomerId(UUID(wallet["customer_id"])),
        currency="NGN",
        parts=parts,
        description="usage",
        reference_type="invoice",
        reference_id="i-1",
    )

    run(api, wallets.repay_all, [repayment])

    assert (balance(api, wallet), left(api, wallet)) == ("30", ["15"])


def test_nobody_without_credits_in_an_active_wallet_is_told_to_have_them(api, wallet):
    without = run(api, wallets.owners_with_credits_or_excess, [UUID(wallet["customer_id"])])
    grant(api, wallet, "1")
    owner = UUID(wallet["customer_id"]), "NGN"
    with_credits = run(api, wallets.owners_with_credits_or_excess, [owner[0]])
    api.patch(f"/v1/wallets/{wallet['id']}", json={"status": "suspended"})

    assert (without, with_credits) == (set(), {owner})
    assert run(api, wallets.owners_with_credits_or_excess, [owner[0]]) == set()


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("revoked_at = NULL", "credit_grants_revoked_once"),
        ("revoked_at = now()", "credit_grants_revoked_once"),
    ],
)
def test_the_database_keeps_a_revoked_grant_as_it_is(api, backend, wallet, change, constraint):
    credit = grant(api, wallet, "1")
    api.post(f"/v1/wallets/{wallet['id']}/credits/{credit['id']}/revoke")
    statement = f"UPDATE credit_grants SET {change} WHERE id = $1"

    with pytest.raises(Exception) as refused:  # noqa: PT011 - told by its constraint
        backend.sql(statement, UUID(credit["id"]))

    assert refused.value.constraint_name == constraint

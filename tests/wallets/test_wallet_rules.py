"""What a wallet allows, and which credits pay what; without a database."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.errors import DomainError, ErrorKind
from monigo.core.money import Money
from monigo.ledger import AccountKind, Direction, EntryType, Posting, Transfer
from monigo.ledger.types import Side
from monigo.wallets import (
    AutoTopUp,
    Movement,
    Reservation,
    ReservationStatus,
    WalletStatus,
    entries_of,
)
from monigo.wallets.credits.rules import plan_consumption
from monigo.wallets.movements.rules import (
    after_movement,
    counter_kind,
    is_deposit,
    is_use,
    sides_of,
)
from monigo.wallets.reservations.rules import check_capture, check_open
from monigo.wallets.top_ups.rules import check_auto_top_up, is_low, may_ask
from support.values import ACCOUNTS, START, grant, made, wallet

NOW = datetime(2026, 2, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
GRANT = UUID(int=61)
CALLS, BYTES = UUID(int=51), UUID(int=52)
NONE = Decimal(0)
PROVIDER, REVENUE = AccountKind.PROVIDER, AccountKind.REVENUE


def movement(direction, amount, entry_type="adjustment", **fields):
    return Movement(
        wallet_id=UUID(int=31),
        direction=Direction(direction),
        amount=Money(Decimal(amount), fields.pop("currency", "NGN")),
        entry_type=EntryType(entry_type),
        **{"idempotency_key": "k-1", **fields},
    )


def after(found, *movements):
    """A wallet after movements that it allows."""
    for each in movements:
        found = after_movement(found, each, NOW)
    return found


def held(amount):
    return movement("debit", amount, "reservation")


def released(amount):
    return movement("credit", amount, "release", idempotency_key="")


def reservation(amount="40", status=ReservationStatus.OPEN, expires_at=NOW + SECOND):
    said = {"amount": Decimal(amount), "status": status, "expires_at": expires_at}
    return made(Reservation, {"currency": "NGN", "captured_amount": Decimal(0)}, said)


def refusal(attempt, *arguments):
    with pytest.raises(DomainError) as refused:
        attempt(*arguments)
    return refused.value


@pytest.mark.parametrize(
    ("entry_type", "credited", "debited"),
    [
        ("deposit", PROVIDER, PROVIDER),
        ("withdrawal", PROVIDER, PROVIDER),
        ("refund", REVENUE, PROVIDER),
        ("usage", REVENUE, REVENUE),
        ("adjustment", REVENUE, REVENUE),
    ],
)
def test_a_movement_stands_against_an_account_of_the_merchants(entry_type, credited, debited):
    assert counter_kind(Direction.CREDIT, EntryType(entry_type)) is credited
    assert counter_kind(Direction.DEBIT, EntryType(entry_type)) is debited


@pytest.mark.parametrize(
    ("account_id", "kind", "is_customers"),
    [
        (ACCOUNTS.money, AccountKind.CUSTOMER_WALLET, True),
        (ACCOUNTS.reserved, AccountKind.RESERVED, True),
        (grant(1).account_id, AccountKind.CREDIT_GRANT, True),
        (ACCOUNTS.provider, AccountKind.PROVIDER, False),
        (ACCOUNTS.revenue, AccountKind.REVENUE, False),
    ],
)
def test_each_side_of_a_transfer_tells_whose_account_it_is(account_id, kind, is_customers):
    posting = Posting(
        UUID(int=61), account_id, UUID(int=101), Decimal(5), "NGN", EntryType.ADJUSTMENT
    )
    sides = (Side(account_id, 1, Decimal(8), Decimal(3)), Side(UUID(int=101), 1, NONE, Decimal(5)))

    debit, credit = entries_of(wallet(), [Transfer(UUID(int=62), posting, *sides, START)])

    assert (debit.account_id, debit.account_type, debit.direction) == (account_id, kind, "debit")
    assert debit.wallet_id == (UUID(int=31) if is_customers else None)
    assert (debit.balance_before, debit.balance_after, debit.amount) == (8, 3, 5)
    assert (credit.account_type, credit.direction) == (AccountKind.CREDIT_GRANT, "credit")
    assert (credit.balance_before, credit.balance_after, credit.amount) == (0, 5, 5)
    assert debit.id != credit.id


@pytest.mark.parametrize(
    ("direction", "amount", "balance"),
    [("debit", "40", 60), ("debit", "100", 0), ("credit", "0.000001", Decimal("100.000001"))],
)
def test_a_movement_changes_the_balance(direction, amount, balance):
    left = after(wallet("100", "7"), movement(direction, amount))

    assert (left.balance, left.reserved_balance, left.entries) == (balance, 7, 2)
    assert left.updated_at == NOW


def test_no_movement_takes_more_than_there_is():
    refused = refusal(after, wallet("100"), movement("debit", "100.000001"))

    assert (refused.kind, refused.code) == (ErrorKind.INSUFFICIENT, "insufficient_balance")
    assert refused.message == "the wallet's balance is 100.000000 NGN"


def test_a_credit_needs_no_balance():
    assert after(wallet("0"), movement("credit", "5")).balance == 5


@pytest.mark.parametrize("direction", ["debit", "credit"])
@pytest.mark.parametrize("status", [WalletStatus.SUSPENDED, WalletStatus.CLOSED])
def test_nothing_moves_in_a_wallet_that_is_not_active(direction, status):
    refused = refusal(after, wallet(status=status), movement(direction, "1"))

    assert (refused.kind, refused.code) == (ErrorKind.CONFLICT, f"wallet_{status}")


RETURNS = {
    "what was held": released("1"),
    "billing's refund": movement("credit", "1", "refund", idempotency_key=""),
    "what a provider has received": movement("credit", "1", "deposit", idempotency_key=""),
    "what a provider took back": movement("debit", "1", "deposit", idempotency_key=""),
    "what expired": movement("debit", "1", "credit_expiry", grant_account_id=GRANT),
    "what was revoked": movement("debit", "1", "credit_revocation", grant_account_id=GRANT),
}


@pytest.mark.parametrize("status", [WalletStatus.SUSPENDED, WalletStatus.CLOSED])
@pytest.mark.parametrize("returned", RETURNS.values(), ids=RETURNS)
def test_what_goes_back_goes_back_in_any_wallet(status, returned):
    after(wallet("5", "5", status=status), returned)


@pytest.mark.parametrize(
    "asked",
    [movement("credit", "1", "refund"), movement("debit", "1", "refund", idempotency_key="")],
)
def test_other_refunds_need_an_active_wallet(asked):
    assert refusal(after, wallet(status=WalletStatus.CLOSED), asked).code == "wallet_closed"


ACCOUNTS = wallet().accounts


@pytest.mark.parametrize(
    ("asked", "source", "target"),
    [
        (movement("credit", "1", "deposit"), ACCOUNTS.provider, ACCOUNTS.money),
        (movement("debit", "1", "usage"), ACCOUNTS.money, ACCOUNTS.revenue),
        (held("1"), ACCOUNTS.money, ACCOUNTS.reserved),
        (released("1"), ACCOUNTS.reserved, ACCOUNTS.money),
        (movement("credit", "1", "credit_grant", grant_account_id=GRANT), ACCOUNTS.revenue, GRANT),
        (movement("debit", "1", "usage", grant_account_id=GRANT), GRANT, ACCOUNTS.revenue),
        (movement("credit", "1", "refund", grant_account_id=GRANT), ACCOUNTS.revenue, GRANT),
        (movement("debit", "1", "credit_expiry", grant_account_id=GRANT), GRANT, ACCOUNTS.revenue),
    ],
)
def test_a_movement_is_between_two_accounts_of_its_wallet(asked, source, target):
    assert sides_of(ACCOUNTS, asked) == (source, target)


def test_a_grants_credit_leaves_the_money_alone():
    before = wallet("5", "7")

    assert after(before, movement("debit", "100", "usage", grant_account_id=GRANT)) == before


@pytest.mark.parametrize(
    ("asked", "uses", "deposits"),
    [
        (movement("debit", "1", "usage"), True, False),
        (movement("debit", "1", "withdrawal"), True, False),
        (movement("debit", "1", "usage", grant_account_id=GRANT), True, False),
        (movement("debit", "1", "deposit"), True, False),
        (movement("credit", "1", "deposit"), False, True),
        (movement("credit", "1", "refund"), False, False),
        (held("1"), False, False),
        (released("1"), False, False),
        (movement("debit", "1", "credit_expiry", grant_account_id=GRANT), False, False),
        (movement("debit", "1", "credit_revocation", grant_account_id=GRANT), False, False),
    ],
)
def test_uses_may_ask_for_a_top_up_and_deposits_pay_it(asked, uses, deposits):
    assert (is_use(asked), is_deposit(asked)) == (uses, deposits)


def test_another_currency_is_refused_by_its_name():
    refused = refusal(after, wallet(), movement("credit", "1", currency="USD"))

    assert refused.fields == {"currency": "must be the wallet's own, NGN"}


@pytest.mark.parametrize("amount", ["1", "99.999999", "100"])
def test_up_to_the_whole_balance_is_held(amount):
    left = after(wallet("100", "5"), held(amount))

    assert (left.balance, left.reserved_balance) == (100 - Decimal(amount), 5 + Decimal(amount))
    assert left.entries == 2


def test_no_more_than_the_balance_is_held():
    assert refusal(after, wallet("100", "50"), held("100.000001")).code == "insufficient_balance"


@pytest.mark.parametrize(
    ("captured", "balance", "entries"), [("0", 100, 2), ("15", 85, 3), ("40", 60, 3)]
)
def test_what_is_not_captured_can_be_spent_again(captured, balance, entries):
    usage = [movement("debit", captured, "usage")] if Decimal(captured) else []

    left = after(wallet("60", "40"), released("40"), *usage)

    assert (left.balance, left.reserved_balance, left.entries) == (balance, 0, entries)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_holding_and_settling_loses_only_what_is_captured(balance, amount, captured):
    amount, captured = min(amount, balance), min(captured, amount, balance)
    usage = movement("debit", captured, "usage")

    left = after(wallet(balance), held(amount), released(amount), usage)

    assert (left.balance, left.reserved_balance) == (balance - captured, 0)


@pytest.mark.parametrize("amount", ["0.000001", "40"])
def test_up_to_what_is_held_is_captured(amount):
    check_capture(reservation("40"), Decimal(amount), NOW)


@pytest.mark.parametrize(
    ("held", "amount", "kind", "code"),
    [
        (reservation("40"), "40.000001", ErrorKind.INVALID, "validation_failed"),
        (reservation("40", expires_at=NOW), "1", ErrorKind.CONFLICT, "reservation_expired"),
        (
            reservation("40", expires_at=NOW - SECOND),
            "1",
            ErrorKind.CONFLICT,
            "reservation_expired",
        ),
        (
            reservation("40", ReservationStatus.CAPTURED),
            "1",
            ErrorKind.CONFLICT,
            "reservation_captured",
        ),
        (
            reservation("40", ReservationStatus.EXPIRED),
            "1",
            ErrorKind.CONFLICT,
            "reservation_expired",
        ),
    ],
)
def test_nothing_else_is_captured(held, amount, kind, code):
    refused = refusal(check_capture, held, Decimal(amount), NOW)

    assert (refused.kind, refused.code) == (kind, code)


@pytest.mark.parametrize("status", ["captured", "released", "expired"])
def test_a_settled_reservation_holds_nothing(status):
    assert refusal(check_open, reservation(status=ReservationStatus(status))).code == (
        f"reservation_{status}"
    )


def test_an_open_reservation_holds_money():
    check_open(reservation())


@pytest.mark.parametrize(
    ("moved", "excess"),
    [
        # Other uses take other money first, and what they leave is at most all there is.
        ([("debit", "60", False)], "30"),
        ([("debit", "80", False)], "20"),
        ([("debit", "80", False), ("credit", "80", False)], "20"),
        ([("credit", "5", True)], "35"),
        ([("credit", "5", False)], "30"),
        ([("debit", "10", True)], "20"),
        ([("debit", "40", True)], "0"),
    ],
)
def test_what_came_in_excess_is_known_until_it_is_used(moved, excess):
    known = wallet("100", excess=Decimal(30))
    steps = [movement(way, amount, is_excess=is_excess) for way, amount, is_excess in moved]

    assert after(known, *steps).excess == Decimal(excess)


def test_what_is_held_is_still_excess():
    known = wallet("100", excess=Decimal(100))

    assert after(known, held("40")).excess == 100
    assert after(known, held("40"), released("40")).excess == 100


@pytest.mark.parametrize(
    ("balance", "threshold", "status", "low"),
    [
        ("99.999999", "100", "active", True),
        ("100", "100", "active", False),
        ("0", None, "active", False),
        ("0", "100", "suspended", False),
    ],
)
def test_a_wallet_is_low_below_its_threshold(balance, threshold, status, low):
    known = wallet(
        balance,
        status=WalletStatus(status),
        top_up_threshold=None if threshold is None else Decimal(threshold),
    )

    assert is_low(known) is low


@pytest.mark.parametrize(
    ("limit", "asked", "may"),
    [(None, "1000000", True), ("100", "50", True), ("100", "50.000001", False), ("50", "0", True)],
)
def test_a_rule_asks_up_to_its_months_limit(limit, asked, may):
    rule = AutoTopUp(Decimal(10), Decimal(50), None if limit is None else Decimal(limit))

    assert may_ask(rule, Decimal(asked)) is may


def test_a_limit_below_the_amount_is_refused():
    check_auto_top_up(AutoTopUp(Decimal(10), Decimal(50), Decimal(50)))
    refused = refusal(check_auto_top_up, AutoTopUp(Decimal(10), Decimal(50), Decimal("49.999999")))

    assert refused.fields == {"monthly_limit": "must be at least the amount, 50.000000"}


def paid(grants, due, now=NOW):
    plan = plan_consumption(grants, due, now)
    return [(part.grant_id.int, part.metric_id, part.amount) for part in plan]


@pytest.mark.parametrize(
    ("grants", "due", "parts"),
    [
        ([grant(1, "10")], {None: 4}, [(1, None, 4)]),
        ([grant(1, "10")], {None: 10}, [(1, None, 10)]),
        ([grant(1, "10")], {None: 15}, [(1, None, 10)]),
        ([grant(1, "10"), grant(2, "10")], {None: 15}, [(1, None, 10), (2, None, 5)]),
        ([grant(1, "10")], {CALLS: 4, BYTES: 3}, [(1, CALLS, 4), (1, BYTES, 3)]),
        ([grant(1, "5")], {CALLS: 4, BYTES: 3}, [(1, CALLS, 4), (1, BYTES, 1)]),
        ([grant(1, "5", metric_ids=(BYTES,))], {CALLS: 4, BYTES: 3}, [(1, BYTES, 3)]),
        ([grant(1, "5", metric_ids=(BYTES,))], {None: 9}, []),
        ([grant(1, "0"), grant(2, "1")], {None: 9}, [(2, None, 1)]),
        ([], {None: 9}, []),
        ([grant(1)], {}, []),
    ],
)
def test_grants_pay_what_they_are_for_as_far_as_they_reach(grants, due, parts):
    assert paid(grants, {metric: Decimal(amount) for metric, amount in due.items()}) == parts


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"priority": 0}, {"priority": 1, "expires_at": NOW + SECOND}),
        ({"expires_at": NOW + SECOND}, {"expires_at": NOW + 2 * SECOND}),
        ({"expires_at": NOW + SECOND}, {}),
        ({"created_at": START}, {"created_at": START + SECOND}),
        (
            {"expires_at": NOW + SECOND, "created_at": START + SECOND},
            {"expires_at": NOW + 2 * SECOND, "created_at": START},
        ),
    ],
)
def test_grants_pay_in_their_order(first, second):
    grants = [grant(1, "10", **second), grant(2, "10", **first)]

    assert [number for number, _, _ in paid(grants, {None: Decimal(15)})] == [2, 1]


@given(
    st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=5),
    st.integers(0, 100),
    st.integers(0, 100),
)
def test_no_grant_pays_more_than_it_holds_and_nothing_is_paid_twice(held, calls, others):
    grants = [
        grant(number, str(amount), metric_ids=(CALLS,) if limited else ())
        for number, (amount, limited) in enumerate(held)
    ]
    due = {CALLS: Decimal(calls), None: Decimal(others)}

    parts = paid(grants, due)

    for number, (amount, _) in enumerate(held):
        assert sum(part for by, _, part in parts if by == number) <= amount
    for metric, amount in due.items():
        assert sum(part for _, of, part in parts if of == metric) <= amount
    assert all(part > 0 for _, _, part in parts)

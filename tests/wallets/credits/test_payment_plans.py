"""What credits pay and what money, and until when a credit may; without a database."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.errors import InvariantError
from monigo.wallets import parts_of
from monigo.wallets.credits.rules import (
    KEPT_AFTER_EXPIRY,
    LOOK_AGAIN_AFTER,
    in_minor_units,
    look_again_at,
    may_still_pay,
    payable_at,
    plan_consumption,
)
from monigo.wallets.credits.types import Consumption
from support.values import grant

JANUARY, FEBRUARY, MARCH = (datetime(2026, month, 1, tzinfo=UTC) for month in range(1, 4))
INSTANT = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
CALLS, BYTES = UUID(int=51), UUID(int=52)
G, H = UUID(int=1), UUID(int=2)


def consumption(grant_id, metric_id, amount):
    return Consumption(grant_id, metric_id, Decimal(amount))


def plain(parts):
    return [(part.grant_id, part.metric_id, f"{part.amount.normalize():f}") for part in parts]


def exact(amounts):
    return {metric_id: Decimal(amount) for metric_id, amount in amounts.items()}


@pytest.mark.parametrize(
    ("expires_at", "pays"),
    [(FEBRUARY - INSTANT, False), (FEBRUARY, True), (FEBRUARY + INSTANT, True), (None, True)],
)
def test_a_credit_that_expired_before_the_instant_pays_nothing(expires_at, pays):
    plan = plan_consumption([grant(1, expires_at=expires_at)], exact({None: "4"}), FEBRUARY)

    assert plain(plan) == ([(G, None, "4")] if pays else [])


@pytest.mark.parametrize(
    ("amount", "parts"),
    [
        ("3", [(G, CALLS, "3")]),
        ("6", [(G, CALLS, "4"), (G, None, "2")]),
        ("9", [(G, CALLS, "4"), (G, None, "4"), (H, None, "1")]),
        ("99", [(G, CALLS, "4"), (G, None, "4"), (H, None, "8")]),
        ("0", []),
    ],
)
def test_credits_pay_no_more_than_is_asked_for_in_all(amount, parts):
    due = exact({CALLS: "4", None: "20"})

    plan = plan_consumption([grant(1, "8"), grant(2, "8")], due, JANUARY, amount=Decimal(amount))

    assert plain(plan) == parts


@pytest.mark.parametrize(
    ("plan", "currency", "kept"),
    [
        # Already whole kobo.
        ([(G, CALLS, "1.23"), (H, None, "2")], "NGN", [(G, CALLS, "1.23"), (H, None, "2")]),
        # What is beyond goes off the last part.
        (
            [(G, CALLS, "1.234567"), (H, None, "2")],
            "NGN",
            [(G, CALLS, "1.234567"), (H, None, "1.995433")],
        ),
        # The last part is all beyond: it goes, and the one before it gives the rest.
        ([(G, CALLS, "5.003"), (H, None, "0.004")], "NGN", [(G, CALLS, "5")]),
        (
            [(G, CALLS, "5.003"), (H, None, "0.007")],
            "NGN",
            [(G, CALLS, "5.003"), (H, None, "0.007")],
        ),
        # A part that is just what is beyond goes as a whole, and no other is touched.
        (
            [(G, None, "3.1"), (G, CALLS, "2"), (H, None, "0.005")],
            "NGN",
            [(G, None, "3.1"), (G, CALLS, "2")],
        ),
        # Less than one franc or dinar's thousandth can't be paid at all.
        ([(G, CALLS, "0.6"), (H, None, "0.3")], "XOF", []),
        ([(G, CALLS, "0.6004")], "TND", [(G, CALLS, "0.6")]),
    ],
)
def test_credits_leave_a_rest_that_can_be_paid_in_the_currency(plan, currency, kept):
    asked = [consumption(*part) for part in plan]

    assert plain(in_minor_units(asked, currency)) == kept


@pytest.mark.parametrize(
    ("plan", "due", "by_money", "parts"),
    [
        # Money pays what credits leave of each metric, in the order in which they are due.
        (
            [(G, CALLS, "4")],
            {CALLS: "10", None: "5"},
            "11",
            [(G, CALLS, "4"), (None, CALLS, "6"), (None, None, "5")],
        ),
        ([(G, CALLS, "4")], {CALLS: "10", None: "5"}, "2", [(G, CALLS, "4"), (None, CALLS, "2")]),
        # What two credits paid of one metric is paid by no money.
        (
            [(G, CALLS, "4"), (H, CALLS, "3")],
            {CALLS: "10", BYTES: "1"},
            "4",
            [(G, CALLS, "4"), (H, CALLS, "3"), (None, CALLS, "3"), (None, BYTES, "1")],
        ),
        # There is no part of nothing.
        (
            [(G, CALLS, "10")],
            {CALLS: "10", None: "5"},
            "5",
            [(G, CALLS, "10"), (None, None, "5")],
        ),
        ([(G, None, "5")], {None: "5"}, "0", [(G, None, "5")]),
        ([], {CALLS: "10"}, "0", []),
    ],
)
def test_each_part_of_a_payment_names_its_source_and_metric(plan, due, by_money, parts):
    asked = [consumption(*part) for part in plan]

    assert plain(parts_of(asked, exact(due), Decimal(by_money))) == parts


def test_money_that_pays_for_nothing_is_our_own_fault():
    with pytest.raises(InvariantError):
        parts_of([consumption(G, CALLS, "4")], exact({CALLS: "10"}), Decimal("6.01"))


@given(
    st.lists(st.integers(0, 500), max_size=4),
    st.integers(0, 500),
    st.integers(0, 500),
    st.sampled_from(["NGN", "XOF", "TND"]),
)
def test_parts_come_to_what_credits_and_money_paid(held, calls, others, currency):
    grants = [grant(number, str(Decimal(held) / 100)) for number, held in enumerate(held)]
    due = exact({CALLS: Decimal(calls) / 100, None: Decimal(others) / 100})
    plan = in_minor_units(plan_consumption(grants, due, JANUARY), currency)
    by_credits = sum((part.amount for part in plan), Decimal(0))
    by_money = sum(due.values(), Decimal(0)) - by_credits

    parts = parts_of(plan, due, by_money)

    for metric_id, amount in due.items():
        assert sum(part.amount for part in parts if part.metric_id == metric_id) == amount
    assert sum(part.amount for part in parts if part.grant_id is None) == by_money
    assert all(part.amount > 0 for part in parts)


@pytest.mark.parametrize(
    ("period_end", "now", "instant"),
    [(FEBRUARY, MARCH, FEBRUARY), (FEBRUARY, JANUARY, JANUARY), (FEBRUARY, FEBRUARY, FEBRUARY)],
)
def test_a_credit_pays_a_period_if_it_holds_at_its_end_or_now(period_end, now, instant):
    assert payable_at(period_end, now) == instant


@pytest.mark.parametrize(
    ("said", "period_end", "now", "may"),
    [
        ({"expires_at": FEBRUARY}, FEBRUARY, FEBRUARY, True),
        ({"expires_at": FEBRUARY - INSTANT}, FEBRUARY, FEBRUARY, False),
        ({"expires_at": FEBRUARY + SECOND}, FEBRUARY, FEBRUARY + SECOND, True),
        ({"expires_at": FEBRUARY}, FEBRUARY, FEBRUARY + KEPT_AFTER_EXPIRY - INSTANT, True),
        ({"expires_at": FEBRUARY}, FEBRUARY, FEBRUARY + KEPT_AFTER_EXPIRY, False),
        ({"expires_at": FEBRUARY}, None, FEBRUARY, False),
        ({"expires_at": FEBRUARY, "remaining": Decimal(0)}, FEBRUARY, FEBRUARY, False),
        ({"expires_at": FEBRUARY, "remaining": Decimal("0.000001")}, FEBRUARY, FEBRUARY, True),
        ({}, FEBRUARY, FEBRUARY, False),
    ],
)
def test_an_expired_credit_is_kept_for_an_open_period_that_it_may_pay(said, period_end, now, may):
    assert may_still_pay(grant(1, **said), period_end, now) is may


@pytest.mark.parametrize("before_the_end", [timedelta(0), SECOND, LOOK_AGAIN_AFTER - SECOND])
def test_a_kept_credit_is_not_looked_at_again_within_a_minute(before_the_end):
    now = FEBRUARY + KEPT_AFTER_EXPIRY - before_the_end

    assert look_again_at(FEBRUARY, now) == now + LOOK_AGAIN_AFTER

"""What is sent by itself, how bills are split, and what words about transfers do in the books."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monigo.core.errors import DomainError
from monigo.core.money import Money
from monigo.payouts.rules import after_word, doubt, is_below_minimum
from monigo.payouts.splits.rules import SPLITS_MAX, check_splits, split_up
from monigo.payouts.splits.types import Split
from monigo.payouts.types import Batch, Effect, Leg, LegState, Part, Target, Wanted, Word
from monigo.tenancy import PayoutSettings
from support.values import START

PAYEE, OTHER = UUID(int=1), UUID(int=2)
TARGET = Target(UUID(int=9), PAYEE, START - timedelta(days=9), is_first=False)
LARGE = Batch(Decimal(0), Decimal(10_000))


def naira(amount):
    return Money(Decimal(amount), "NGN")


def wanted(amount=500, *, sent_today=0, target=TARGET, currency="NGN"):
    share = Decimal(amount)
    return Wanted(Money(share, currency), (target,), {PAYEE: share}, {PAYEE: Decimal(sent_today)})


@pytest.mark.parametrize(
    ("sent", "settings", "batch", "reason"),
    [
        (wanted(), {}, LARGE, ""),
        (wanted(target=replace(TARGET, is_first=True)), {}, LARGE, "first payout"),
        (
            wanted(target=replace(TARGET, changed_at=START - timedelta(hours=23))),
            {},
            LARGE,
            "was changed in the last 24 hours",
        ),
        (wanted(target=replace(TARGET, changed_at=START - timedelta(hours=24))), {}, LARGE, ""),
        (wanted(500), {"max_payout_per_payee_per_day": Decimal(500)}, LARGE, ""),
        (wanted(501), {"max_payout_per_payee_per_day": Decimal(500)}, LARGE, "per_payee_per_day"),
        (
            wanted(300, sent_today=201),
            {"max_payout_per_payee_per_day": Decimal(500)},
            LARGE,
            "per_payee_per_day",
        ),
        (wanted(500), {"max_payout_batch": Decimal(500)}, LARGE, ""),
        (
            wanted(500),
            {"max_payout_batch": Decimal(500)},
            replace(LARGE, sent=Decimal("0.01")),
            "max_payout_batch",
        ),
        (wanted(500), {}, Batch(Decimal(0), None), "nothing was paid out"),
        (wanted(500), {}, Batch(Decimal(0), Decimal(100)), ""),
        (wanted(500), {}, Batch(Decimal("0.01"), Decimal(100)), "5 times the largest"),
        (wanted(500, currency="KES"), {}, LARGE, ""),
        (
            wanted(500, currency="KES"),
            {"max_payout_batch": Decimal(10**6)},
            LARGE,
            "the limits are of NGN",
        ),
    ],
)
def test_what_speaks_against_sending_something_unseen(sent, settings, batch, reason):
    found = doubt(sent, PayoutSettings(**settings), "NGN", batch, START)

    assert bool(found) == bool(reason)
    assert reason in found


@pytest.mark.parametrize(
    ("amount", "currency", "is_below"),
    [("99.99", "NGN", True), ("100", "NGN", False), ("1", "KES", False)],
)
def test_the_minimum_is_of_the_default_currency(amount, currency, is_below):
    settings = PayoutSettings(minimum_payout_amount=Decimal(100))

    assert is_below_minimum(Money(Decimal(amount), currency), settings, "NGN") is is_below


def percent(number, share):
    return Split(UUID(int=number), percentage=Decimal(share))


def fixed(number, amount):
    return Split(UUID(int=number), amount=Decimal(amount))


@pytest.mark.parametrize(
    ("total", "splits", "made"),
    [
        ("100", [], [(None, 100)]),
        ("100", [percent(1, 10)], [(None, 90), (1, 10)]),
        ("100", [fixed(1, 30), percent(2, 50)], [(None, 20), (1, 30), (2, 50)]),
        ("100", [percent(1, 90), fixed(2, 30)], [(1, 70), (2, 30)]),
        ("20", [fixed(1, 30), percent(2, 50)], [(1, 20)]),
        ("100", [percent(1, 100)], [(1, 100)]),
        ("0.99", [percent(1, "33.3333")], [(None, "0.67"), (1, "0.32")]),
        ("0.01", [percent(1, 50)], [(None, "0.01")]),
    ],
)
def test_a_total_is_split(total, splits, made):
    found = split_up(naira(total), splits)

    assert found == [(one and UUID(int=one), Decimal(amount)) for one, amount in made]


SHARES = st.decimals("0.0001", "100", places=4)
AMOUNTS = st.decimals("0.01", "100000", places=2)
SPLITS = st.lists(st.tuples(st.booleans(), SHARES, AMOUNTS), max_size=SPLITS_MAX)


@given(AMOUNTS, SPLITS)
def test_parts_come_to_the_total_exactly(total, shares):
    splits = [
        percent(number, share) if is_share else fixed(number, amount)
        for number, (is_share, share, amount) in enumerate(shares)
    ]

    found = [amount for _, amount in split_up(naira(total), splits)]

    assert sum(found) == total
    assert all(amount > 0 for amount in found)
    assert all(amount == amount.quantize(Decimal("0.01")) for amount in found)


@pytest.mark.parametrize(
    ("splits", "fault"),
    [
        ([Split(UUID(int=1))], "splits[0]"),
        ([Split(UUID(int=1), Decimal(5), Decimal(5))], "splits[0]"),
        ([percent(1, 0)], "splits[0].percentage"),
        ([percent(1, "100.1")], "splits[0].percentage"),
        ([fixed(1, 0)], "splits[0].amount"),
        ([percent(1, 5), fixed(1, 5)], "splits[1].payout_account_id"),
        ([percent(1, 60), percent(2, 41)], "splits"),
        ([percent(one, 1) for one in range(SPLITS_MAX + 1)], "splits"),
    ],
)
def test_splits_that_make_no_sense_are_named(splits, fault):
    with pytest.raises(DomainError) as refused:
        check_splits(splits)

    assert list(refused.value.fields) == [fault]


LEG = Leg(
    id=UUID(int=5),
    bill_id=UUID(int=6),
    position=0,
    customer_id=PAYEE,
    to_account_id=None,
    amount=naira(100),
    created_at=START,
)
FIRST, SECOND = UUID(int=11), UUID(int=12)
# What each effect takes from the payable, what is in flight and the provider, and is owed back.
MOVES = {
    Effect.SUBMITTED: (-1, 1, 0, 0),
    Effect.PAID: (0, -1, 1, 0),
    Effect.PAID_AT_ONCE: (-1, 0, 1, 0),
    Effect.RETURNED: (1, -1, 0, 0),
    Effect.REOPENED: (1, 0, -1, 0),
    Effect.EXCESS: (0, 0, 1, -1),
    Effect.EXCESS_RETURNED: (0, 0, -1, 1),
}


def sent_by(leg, transfer_id):
    return replace(leg, state=LegState.SENDING, transfer_id=transfer_id, sent_at=START)


def played(words, leg=None, *, is_void=False):
    """The leg after words, each of a transfer; and what the books have of it."""
    leg = leg or sent_by(LEG, FIRST)
    parts = {one: Part(one, LEG.id, Decimal(100)) for one in (FIRST, SECOND)}
    books = [1, 0, 0, 0]
    for transfer_id, word in words:
        if word == "sent":
            leg = sent_by(leg, transfer_id)
            continue
        leg, parts[transfer_id], effects = after_word(
            leg, parts[transfer_id], word, START, is_void=is_void
        )
        for effect in effects:
            books = [held + move for held, move in zip(books, MOVES[effect], strict=True)]
        assert min(books[0], books[1]) >= 0
    return leg, tuple(books)


@pytest.mark.parametrize(
    ("words", "state", "books"),
    [
        ([(FIRST, Word.SUBMITTED)], "sending", (0, 1, 0, 0)),
        ([(FIRST, Word.SUBMITTED), (FIRST, Word.SUCCEEDED)], "paid", (0, 0, 1, 0)),
        ([(FIRST, Word.SUCCEEDED)], "paid", (0, 0, 1, 0)),
        ([(FIRST, Word.SUCCEEDED), (FIRST, Word.SUCCEEDED)], "paid", (0, 0, 1, 0)),
        ([(FIRST, Word.SUBMITTED), (FIRST, Word.FAILED)], "owed", (1, 0, 0, 0)),
        ([(FIRST, Word.FAILED)], "owed", (1, 0, 0, 0)),
        # It failed, and was paid after all.
        (
            [(FIRST, Word.SUBMITTED), (FIRST, Word.FAILED), (FIRST, Word.SUCCEEDED)],
            "paid",
            (0, 0, 1, 0),
        ),
        ([(FIRST, Word.SUCCEEDED), (FIRST, Word.REVERSED)], "owed", (1, 0, 0, 0)),
        ([(FIRST, Word.SUBMITTED), (FIRST, Word.REVERSED)], "owed", (1, 0, 0, 0)),
        # The first is paid after all, while the second is on its way; that one arrives, too.
        (
            [
                (FIRST, Word.FAILED),
                (SECOND, "sent"),
                (SECOND, Word.SUBMITTED),
                (FIRST, Word.PAID_TWICE),
                (SECOND, Word.SUCCEEDED),
            ],
            "paid",
            (0, 0, 2, -1),
        ),
        # ... or it fails, so that the first has paid.
        (
            [
                (FIRST, Word.FAILED),
                (SECOND, "sent"),
                (SECOND, Word.SUBMITTED),
                (FIRST, Word.PAID_TWICE),
                (SECOND, Word.FAILED),
                (FIRST, Word.SUCCEEDED),
            ],
            "paid",
            (0, 0, 1, 0),
        ),
        # ... in the other order.
        (
            [
                (FIRST, Word.FAILED),
                (SECOND, "sent"),
                (SECOND, Word.SUBMITTED),
                (FIRST, Word.PAID_TWICE),
                (FIRST, Word.SUCCEEDED),
                (SECOND, Word.FAILED),
            ],
            "paid",
            (0, 0, 1, 0),
        ),
        # What was beside it came back.
        (
            [
                (FIRST, Word.FAILED),
                (SECOND, "sent"),
                (SECOND, Word.SUCCEEDED),
                (FIRST, Word.PAID_TWICE),
                (FIRST, Word.REVERSED),
            ],
            "paid",
            (0, 0, 1, 0),
        ),
        # The second is not sent any more, for the first was paid.
        (
            [
                (FIRST, Word.FAILED),
                (SECOND, "sent"),
                (SECOND, Word.FAILED),
                (FIRST, Word.SUCCEEDED),
            ],
            "paid",
            (0, 0, 1, 0),
        ),
        (
            [
                (FIRST, Word.FAILED),
                (SECOND, "sent"),
                (FIRST, Word.SUCCEEDED),
                (SECOND, Word.FAILED),
            ],
            "paid",
            (0, 0, 1, 0),
        ),
    ],
)
def test_a_leg_is_paid_once_whatever_is_said(words, state, books):
    leg, found = played(words)

    assert (leg.state.value, found) == (state, books)


def test_what_arrives_for_a_void_bill_is_owed_by_the_payee():
    leg, (payable, in_flight, _, owed) = played([(FIRST, Word.SUCCEEDED)], LEG, is_void=True)

    assert leg == LEG
    # The void took the payable already; here it stands as it was.
    assert (payable, in_flight, owed) == (1, 0, -1)


WORDS = st.lists(st.sampled_from([Word.SUBMITTED, Word.SUCCEEDED, Word.FAILED, Word.REVERSED]))


@given(WORDS)
def test_words_of_one_transfer_in_any_order_leave_the_books_even(words):
    leg, (payable, in_flight, gone, owed) = played([(FIRST, word) for word in words])

    assert payable + in_flight + gone + owed == 1
    assert (leg.state is LegState.PAID) == (gone == 1)
    assert leg.is_in_flight == (in_flight == 1)

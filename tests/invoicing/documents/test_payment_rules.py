"""What may be paid for each metric, and what goes back to which source: examples and laws."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.periods import Period
from monigo.invoicing import Line, LineKind
from monigo.invoicing.documents.charges_store import decode_parts, encode_parts
from monigo.invoicing.documents.payment_rules import (
    divide,
    due_by_metric,
    merged,
    shares_of,
    sum_of,
)
from monigo.wallets import PaidPart
from monigo.wallets.credits.rules import KEPT_AFTER_EXPIRY, look_again_at

A, B, C = (UUID(int=number) for number in (1, 2, 3))
G, H = UUID(int=11), UUID(int=12)
MONEY = None
PERIOD = Period(datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC))
EXPIRY = PERIOD.end


def line(metric_id, amount, kind=LineKind.USAGE):
    return Line(
        kind=kind,
        price_id=None,
        metric_id=metric_id,
        period=PERIOD,
        description="",
        quantity=Decimal(1),
        unit_price=Decimal(0),
        amount=Decimal(amount),
        cumulative_quantity=Decimal(1),
        cumulative_amount=Decimal(amount),
        price_revision=None,
    )


def part(grant_id, metric_id, amount):
    return PaidPart(grant_id, metric_id, Decimal(amount))


def plain(parts):
    return [(one.grant_id, one.metric_id, str(one.amount)) for one in parts]


def exact(amounts):
    return {metric_id: Decimal(amount) for metric_id, amount in amounts.items()}


@pytest.mark.parametrize(
    ("lines", "total", "currency", "shares"),
    [
        ([], "0", "NGN", {None: "0"}),
        ([line(A, "99.996")], "107.50", "NGN", {A: "107.50"}),
        ([line(A, "100"), line(B, "50")], "161.25", "NGN", {A: "107.50", B: "53.75"}),
        ([line(A, "100"), line(A, "20"), line(B, "50")], "170", "NGN", {A: "120", B: "50"}),
        ([line(A, "100"), line(None, "20", LineKind.FEE)], "120", "NGN", {A: "100", None: "20"}),
        ([line(A, "1"), line(B, "1"), line(C, "1")], "1", "XOF", {A: "1", B: "0", C: "0"}),
        # What rounding leaves goes to the largest share, wherever it stands.
        (
            [line(B, "1"), line(A, "5"), line(C, "1")],
            "8",
            "NGN",
            {B: "1.14", A: "5.72", C: "1.14"},
        ),
        (
            [line(None, "-40", LineKind.CREDIT), line(A, "100"), line(B, "50")],
            "110",
            "NGN",
            {None: "-40", A: "100", B: "50"},
        ),
        ([line(A, "100"), line(B, "-100")], "0.01", "NGN", {None: "0.01"}),
    ],
)
def test_a_metrics_share_of_the_total_is_its_lines_with_their_tax(lines, total, currency, shares):
    assert shares_of(lines, Decimal(total), currency) == exact(shares)


@pytest.mark.parametrize(
    ("shares", "paid", "due"),
    [
        ({A: "100"}, [], {A: "100"}),
        ({A: "100", B: "50"}, [part(MONEY, A, "100")], {B: "50"}),
        ({A: "100", B: "50"}, [part(MONEY, A, "60"), part(G, A, "10")], {A: "30", B: "50"}),
        ({A: "80", B: "50"}, [part(MONEY, A, "100")], {B: "50"}),
        ({None: "-40", A: "100"}, [], {A: "100"}),
        ({A: "100"}, [part(MONEY, None, "30")], {A: "100"}),
    ],
)
def test_what_was_paid_for_a_metric_is_not_due_for_it_again(shares, paid, due):
    assert due_by_metric(exact(shares), paid) == exact(due)


@pytest.mark.parametrize(
    ("paid", "shares", "total", "excess"),
    [
        # Nothing is too much.
        ([part(MONEY, A, "100")], {A: "100"}, "100", []),
        # Money goes back before a grant for anything, whichever was used last.
        ([part(MONEY, A, "40"), part(G, A, "60")], {A: "70"}, "70", [(MONEY, A, "30")]),
        (
            [part(G, A, "60"), part(MONEY, A, "40")],
            {A: "30"},
            "30",
            [(MONEY, A, "40"), (G, A, "30")],
        ),
        # Of grants for anything the one used last goes first.
        ([part(G, A, "50"), part(H, A, "30")], {A: "40"}, "40", [(H, A, "30"), (G, A, "10")]),
    ],
)
def test_what_is_too_much_goes_back_to_money_and_then_to_the_credit_used_last(
    paid, shares, total, excess
):
    assert plain(divide(paid, exact(shares), Decimal(total), {}).excess) == excess


@pytest.mark.parametrize(
    ("paid", "shares", "total", "excess"),
    [
        # What exceeds its lines goes back to the limited grant, money stays.
        ([part(MONEY, A, "100"), part(G, B, "50")], {A: "100", B: "0"}, "100", [(G, B, "50")]),
        ([part(MONEY, A, "100"), part(G, B, "50")], {A: "100", B: "20"}, "120", [(G, B, "30")]),
        # Also where the total has not changed.
        ([part(G, B, "50")], {A: "50", B: "0"}, "50", [(G, B, "50")]),
        # What fits its lines stays, and money goes back.
        ([part(MONEY, A, "60"), part(G, B, "50")], {A: "0", B: "50"}, "50", [(MONEY, A, "60")]),
        # Beyond that the limited grant's goes back as any other's.
        ([part(G, B, "50")], {None: "-30", B: "50"}, "20", [(G, B, "30")]),
    ],
)
def test_a_limited_credit_has_back_what_exceeds_its_metrics_lines(paid, shares, total, excess):
    assert plain(divide(paid, exact(shares), Decimal(total), {G: [B]}).excess) == excess


def test_a_credit_for_two_metrics_keeps_what_the_other_has_room_for():
    paid = [part(G, A, "50"), part(H, A, "20")]
    shares = exact({A: "20", B: "30"})

    division = divide(paid, shares, Decimal(50), {G: [A, B], H: [A]})

    assert plain(division.kept) == [(H, A, "20"), (G, B, "30")]
    assert plain(division.excess) == [(G, A, "20")]


def test_parts_of_one_source_and_metric_are_one_at_the_place_of_their_last_use():
    first = [part(MONEY, A, "1"), part(G, A, "2"), part(G, B, "3")]

    assert plain(merged(first, [part(MONEY, A, "4"), part(G, A, "0")])) == [
        (G, A, "2"),
        (G, B, "3"),
        (MONEY, A, "5"),
    ]


def test_parts_are_read_as_they_were_stored():
    parts = (part(MONEY, None, "0.000001"), part(G, A, "123456789012345678.123456"))

    assert decode_parts(encode_parts(parts)) == parts
    assert (decode_parts("[]"), encode_parts(())) == ((), "[]")


MONEY_AMOUNTS = st.decimals(0, 1000, places=2)
PARTS = st.lists(
    st.builds(
        PaidPart,
        st.sampled_from([MONEY, G, H]),
        st.sampled_from([A, B, None]),
        MONEY_AMOUNTS,
    ),
    max_size=6,
)
LIMITS = st.sampled_from([{}, {G: [B]}, {G: [A, B], H: [A]}, {G: [C], H: [B]}])
SHARES = st.dictionaries(st.sampled_from([A, B, None]), st.decimals(-500, 1000, places=2))


@given(PARTS, SHARES, LIMITS)
def test_all_that_was_paid_is_kept_or_goes_back_and_never_more(paid, shares, limits):
    total = max(sum(shares.values(), Decimal(0)), Decimal(0))

    division = divide(paid, shares, total, limits)

    assert sum_of(division.kept) <= total
    assert all(one.amount > 0 for one in (*division.kept, *division.excess))
    for source in (MONEY, G, H):
        of_source = [
            sum_of(one for one in parts if one.grant_id == source)
            for parts in (paid, division.kept, division.excess)
        ]
        assert of_source[0] == of_source[1] + of_source[2]


@given(PARTS, SHARES, LIMITS)
def test_what_is_kept_of_limited_credits_fits_their_metrics_lines(paid, shares, limits):
    total = max(sum(shares.values(), Decimal(0)), Decimal(0))

    kept = divide(paid, shares, total, limits).kept

    limited = [one for one in kept if limits.get(one.grant_id)]
    assert all(one.metric_id in limits[one.grant_id] for one in limited)
    for metric_id in (A, B, C):
        used = sum_of(one for one in limited if one.metric_id == metric_id)
        assert used <= max(shares.get(metric_id, Decimal(0)), Decimal(0))


@given(PARTS, SHARES)
def test_what_is_due_by_metric_covers_all_that_is_due(paid, shares):
    total = sum(shares.values(), Decimal(0))

    due = due_by_metric(shares, paid)

    assert all(amount > 0 for amount in due.values())
    assert sum(due.values(), Decimal(0)) >= total - sum_of(paid)


@given(
    st.lists(st.tuples(st.sampled_from([A, B, C, None]), st.decimals(-50, 500, places=6))),
    MONEY_AMOUNTS,
    st.sampled_from(["NGN", "XOF", "TND"]),
)
def test_shares_come_to_the_total(amounts, total, currency):
    lines = [line(metric_id, amount) for metric_id, amount in amounts]

    assert sum(shares_of(lines, total, currency).values(), Decimal(0)) == total


@pytest.mark.parametrize(
    ("now_after", "look_after"),
    [
        (timedelta(0), timedelta(minutes=1)),
        (timedelta(minutes=1), timedelta(minutes=2)),
        (timedelta(days=1), timedelta(days=2)),
        (timedelta(days=60), KEPT_AFTER_EXPIRY),
    ],
)
def test_an_expired_credit_that_is_kept_is_looked_at_ever_later(now_after, look_after):
    assert look_again_at(EXPIRY, EXPIRY + now_after) == EXPIRY + look_after

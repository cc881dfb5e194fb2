"""All subtotals of a subscription together are all of its lines together, rounded once."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from monigo.core.errors import DomainError
from monigo.core.money import round_to_minor_unit
from monigo.core.periods import Period
from monigo.invoicing import LineKind
from monigo.invoicing.rating.rounding import Carried, is_half, sum_up
from monigo.invoicing.rating.rules import unpriced_line

JANUARY = Period(datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC))
NOTHING = Decimal(0)


class Made(Struct):
    """An invoice as it was made: its lines but `rounding`, and its subtotal."""

    lines: Decimal
    subtotal: Decimal


def usage(amount):
    return unpriced_line(LineKind.USAGE, JANUARY, "calls", Decimal(amount))


def summed(amounts, *, currency="XOF", rounding="0", subtotals="0", available="0"):
    return sum_up(
        [usage(amount) for amount in amounts],
        period=JANUARY,
        currency=currency,
        carried=Carried(Decimal(rounding), Decimal(subtotals)),
        available=Decimal(available),
    )


def make(live, amounts, currency, available=NOTHING):
    """The next invoice of a subscription with these live ones, by the rule as it is written."""
    rounding = sum((one.lines - one.subtotal for one in live), NOTHING)
    subtotals = sum((one.subtotal for one in live), NOTHING)
    exact = sum(amounts, rounding)
    known = subtotals if is_half(exact, currency) else NOTHING
    return rounding, summed(
        amounts, currency=currency, rounding=rounding, subtotals=known, available=available
    )


def of_kind(made, kind):
    return sum((line.amount for line in made.lines if line.kind is kind), NOTHING)


AMOUNTS = st.decimals("-3", "3", places=3) | st.sampled_from(
    [Decimal(text) for text in ("0.5", "-0.5", "0.005", "-0.005", "0.4", "1.5", "-1.5")]
)
CURRENCIES = st.sampled_from(["XOF", "NGN"])
INVOICES = st.lists(st.lists(AMOUNTS, max_size=3), max_size=12)


@pytest.mark.parametrize(
    ("currency", "amount", "times", "subtotals", "total"),
    [
        ("XOF", "0.5", 10, "1 0 1 0 1 0 1 0 1 0", "5"),
        ("XOF", "0.4", 10, "0 1 0 1 0 0 1 0 1 0", "4"),
        ("NGN", "0.004", 5, "0 0.01 0 0.01 0", "0.02"),
        ("XOF", "-0.5", 3, "0 0 0", "0"),
    ],
)
def test_what_is_rounded_comes_with_the_next_invoice(currency, amount, times, subtotals, total):
    live = []

    for _ in range(times):
        _, made = make(live, [Decimal(amount)], currency)
        lines = sum((x.amount for x in made.lines if x.kind is not LineKind.ROUNDING), NOTHING)
        live.append(Made(lines, made.subtotal))

    assert [one.subtotal for one in live] == [Decimal(text) for text in subtotals.split()]
    assert sum(one.subtotal for one in live) == Decimal(total)


@given(invoices=INVOICES, currency=CURRENCIES, given_credits=st.data())
def test_subtotals_come_to_the_rounded_sum_of_all_lines(invoices, currency, given_credits):
    live = []
    available = NOTHING
    for amounts in invoices:
        available += given_credits.draw(st.sampled_from([NOTHING, Decimal("0.3"), Decimal(2)]))

        rounding, made = make(live, amounts, currency, available)

        moved = of_kind(made, LineKind.CREDIT)
        available += moved
        live.append(Made(sum(amounts, moved), made.subtotal))
        whole = sum((one.lines for one in live), NOTHING)
        assert sum(one.subtotal for one in live) == round_to_minor_unit(whole, currency)
        assert of_kind(made, LineKind.ROUNDING) == rounding
        assert made.rounded_off == live[-1].lines - made.subtotal
        assert made.subtotal >= 0
        assert available >= 0


@given(invoices=st.lists(st.lists(AMOUNTS.map(abs), max_size=3), max_size=12), currency=CURRENCIES)
def test_without_credits_they_come_to_the_rounded_usage(invoices, currency):
    live = []

    for amounts in invoices:
        _, made = make(live, amounts, currency)
        live.append(Made(sum(amounts, NOTHING), made.subtotal))

    used = sum((sum(amounts) for amounts in invoices), NOTHING)
    assert sum(one.subtotal for one in live) == round_to_minor_unit(used, currency)


@given(invoices=INVOICES, currency=CURRENCIES, voids=st.data())
def test_after_a_void_the_next_invoice_sets_it_right(invoices, currency, voids):
    live = []
    for amounts in invoices:
        _, made = make(live, amounts, currency)
        live.append(Made(sum(amounts, of_kind(made, LineKind.CREDIT)), made.subtotal))
        if voids.draw(st.booleans()):
            live.pop(voids.draw(st.integers(0, len(live) - 1)))

    rounding, made = make(live, [], currency)

    live.append(Made(of_kind(made, LineKind.CREDIT), made.subtotal))
    assert of_kind(made, LineKind.ROUNDING) == rounding
    whole = sum((one.lines for one in live), NOTHING)
    assert sum(one.subtotal for one in live) == round_to_minor_unit(whole, currency)


def test_the_lines_stand_in_their_order():
    negative = summed(["-2"], rounding="-0.25", subtotals="4")
    positive = summed(["2"], rounding="0.25", subtotals="4", available="1")

    told = [
        [(line.kind.value, line.amount) for line in made.lines] for made in (negative, positive)
    ]

    assert told == [
        [("usage", Decimal(-2)), ("rounding", Decimal("-0.25")), ("credit", Decimal("2.25"))],
        [("credit", Decimal(-1)), ("usage", Decimal(2)), ("rounding", Decimal("0.25"))],
    ]
    assert (negative.subtotal, negative.rounded_off) == (NOTHING, Decimal("0.25"))


def test_a_half_that_was_billed_too_much_is_not_given_back_as_a_whole():
    nothing_used = summed(["0"], rounding="-0.5", subtotals="1")

    assert nothing_used.subtotal == 0
    assert [line.amount for line in nothing_used.lines] == [NOTHING, Decimal("-0.5")]


def test_a_credit_does_not_turn_a_half_that_was_rounded_up_around():
    first = summed(["0.5"], available="5")

    assert [line.amount for line in first.lines] == [Decimal("-0.5"), Decimal("0.5")]
    assert (first.subtotal, first.rounded_off) == (NOTHING, NOTHING)


@pytest.mark.parametrize(
    ("available", "used", "brought", "subtotal"),
    [("12.35", "1.23", "-1.23", "0"), ("1.23", "12.35", "-1.23", "11.12"), ("1", "1", "-1", "0")],
)
def test_a_credit_is_brought_up_to_the_subtotal(available, used, brought, subtotal):
    made = summed([used], currency="NGN", available=available)

    assert made.lines[0].amount == Decimal(brought)
    assert made.subtotal == Decimal(subtotal)


@pytest.mark.parametrize(
    ("used", "due", "brought", "carried"),
    [
        # 5 are due of 4.6, and 5 are paid: the 0.4 too much are carried on.
        ("4.6", 5, -5, "-0.4"),
        ("5.4", 5, -5, "0.4"),
        # Half of one is no more than what is used, or paying it would owe one back.
        ("4.5", 5, "-4.5", "0"),
    ],
)
def test_a_credit_pays_what_is_due_and_rounding_is_carried_on(used, due, brought, carried):
    assert summed([used]).subtotal == due

    made = summed([used], available="10")

    assert of_kind(made, LineKind.CREDIT) == Decimal(brought)
    assert (made.subtotal, made.rounded_off) == (0, Decimal(carried))


def test_a_credit_that_no_line_can_hold_is_refused():
    nines = "-999999999999999999"

    with pytest.raises(DomainError, match="credit carried forward exceeds"):
        summed([nines, nines])


def test_a_credit_can_bring_a_sum_back_to_what_an_invoice_can_hold():
    dear = "900000000000000000"

    made = summed([dear, dear], available="900000000000000000")

    assert made.subtotal == Decimal(dear)


@pytest.mark.parametrize(
    ("exact", "currency", "half"),
    [
        ("0.5", "XOF", True),
        ("-3.5", "XOF", True),
        ("0.500001", "XOF", False),
        ("5", "XOF", False),
        ("0.5", "NGN", False),
        ("-0.005", "NGN", True),
        ("0.0005", "KWD", True),
        ("0", "NGN", False),
    ],
)
def test_a_half_of_a_minor_unit_is_known(exact, currency, half):
    assert is_half(Decimal(exact), currency) is half

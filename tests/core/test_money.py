"""How amounts are read, rounded and written."""

import operator
import tracemalloc
from decimal import Context, Decimal, Inexact, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.errors import InvariantError
from monigo.core.money import (
    EXACT,
    NUMBER_TEXT_LENGTH_MAX,
    Money,
    format_decimal,
    format_money,
    format_unit_price,
    minor_unit_places,
    parse_decimal,
    round_amount,
    round_to_minor_unit,
)

AMOUNTS = st.decimals(min_value=-(10**17), max_value=10**17, places=6)
# Of any exponent, as arithmetic leaves them: 1E+3, 0E-12, -0.
WRITTEN_ANYHOW = st.builds(
    lambda sign, digits, exponent: Decimal((sign, tuple(map(int, str(digits))), exponent)),
    st.sampled_from([0, 1]),
    st.integers(min_value=0, max_value=10**20),
    st.integers(min_value=-14, max_value=4),
)


@pytest.mark.parametrize(
    ("currency", "places"),
    [
        ("NGN", 2),
        ("KES", 2),
        ("GHS", 2),
        ("USD", 2),
        ("ZAR", 2),
        ("MGA", 2),
        ("RSD", 2),
        ("XOF", 0),
        ("XAF", 0),
        ("UGX", 0),
        ("RWF", 0),
        ("JPY", 0),
        ("KWD", 3),
        ("TND", 3),
        ("IQD", 3),
        ("CLF", 4),
    ],
)
def test_a_currency_has_its_iso_places(currency, places):
    assert minor_unit_places(currency) == places


@pytest.mark.parametrize(
    ("places", "currencies"),
    [
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
    ],
)
def test_currencies_without_two_places_are_those_of_iso_4217(places, currencies):
    assert {minor_unit_places(currency) for currency in currencies.split()} == {places}


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        ("1.0000005", "1.000000"),
        ("1.0000015", "1.000002"),
        ("-1.0000005", "-1.000000"),
        ("1.00000050000000000000000000000001", "1.000001"),
        ("-0.0000001", "0.000000"),
        ("99999999999999999999999999999999.9999995", "100000000000000000000000000000000.000000"),
    ],
)
def test_an_amount_rounds_half_to_even_at_six_places(value, rounded):
    assert str(round_amount(Decimal(value))) == rounded


@pytest.mark.parametrize(
    ("value", "currency", "rounded"),
    [
        ("1.005", "NGN", "1.010000"),
        ("-1.005", "NGN", "-1.010000"),
        ("1.004999999", "NGN", "1.000000"),
        ("0.5", "XOF", "1.000000"),
        ("-0.5", "XOF", "-1.000000"),
        ("-0.4", "XOF", "0.000000"),
        ("1.0005", "KWD", "1.001000"),
        ("1.00005", "CLF", "1.000100"),
    ],
)
def test_a_subtotal_rounds_half_away_from_zero_to_the_minor_unit(value, currency, rounded):
    assert str(round_to_minor_unit(Decimal(value), currency)) == rounded


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("1500", "1500"),
        ("-1.5", "-1.5"),
        ("007.50", "7.5"),
        ("1.5000000000000", "1.5"),
        ("0.000000000001", "0.000000000001"),
        ("999999999999999999.999999999999", "999999999999999999.999999999999"),
        (12, "12"),
        (-3, "-3"),
        (Decimal("1e3"), "1000"),
        (Decimal("1e-3"), "0.001"),
        (Decimal("0e999999999"), "0"),
    ],
)
def test_a_plain_number_is_read_exactly(value, number):
    parsed = parse_decimal(value, places=12)

    assert parsed == Decimal(number)
    assert not (parsed.is_zero() and parsed.is_signed())


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", " 12 ", "12\n", "+1", "1_000", "1,5", ".5", "5.", "1e3", "--1", "-", "0x10"),
        *("NaN", "Infinity", "-inf", "sNaN", "١٢", "１"),  # noqa: RUF001 - digits, but not ASCII
        *(None, True, False, 1.5, [], {}, b"1"),
        *(Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")),
    ],
)
def test_anything_else_is_no_number(value):
    with pytest.raises(ValueError, match=r"^must be a decimal number$"):
        parse_decimal(value, places=12)


@pytest.mark.parametrize(
    "value",
    ["0.0000000000001", "1.1234567890123", Decimal("1e-13"), Decimal("1e-999999999")],
)
def test_significant_digits_beyond_the_places_are_refused(value):
    with pytest.raises(ValueError, match=r"^has more than 12 decimal places$"):
        parse_decimal(value, places=12)


@pytest.mark.parametrize(
    "value",
    ["1000000000000000000", 10**18, -(10**18), Decimal("1e999999999")],
)
def test_numbers_beyond_eighteen_integer_digits_are_refused(value):
    with pytest.raises(ValueError, match=r"^is too large$"):
        parse_decimal(value, places=6)


def test_a_huge_integer_is_refused_without_writing_it_out():
    huge = 10**1_000_000
    tracemalloc.start()

    with pytest.raises(ValueError, match="is too large"):
        parse_decimal(huge, places=6)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000


def test_more_integer_digits_are_read_where_the_caller_allows_them():
    parsed = parse_decimal("1" * 26, places=12, integer_digits=26)

    assert parsed == Decimal("1" * 26)


def test_huge_text_is_refused_by_its_length():
    with pytest.raises(ValueError, match=f"at most {NUMBER_TEXT_LENGTH_MAX} characters"):
        parse_decimal("1" * 10_000_000, places=6)


def test_a_numbers_text_has_at_most_a_hundred_characters():
    whole = "0" * 82 + "1" * 18

    assert len(whole) == 100
    assert parse_decimal(whole, places=6) == Decimal("1" * 18)
    with pytest.raises(ValueError, match=r"^must be a number of at most 100 characters$"):
        parse_decimal("0" + whole, places=6)


@given(st.text() | st.from_regex(r"-?[0-9eE._+ ]{0,40}"))
def test_arbitrary_text_is_a_number_or_a_value_error(text):
    try:
        parsed = parse_decimal(text, places=6)
    except ValueError:
        return

    assert parsed == Decimal(text)


@given(st.decimals(allow_nan=True, allow_infinity=True) | st.integers())
def test_an_arbitrary_number_is_read_exactly_or_refused(value):
    try:
        parsed = parse_decimal(value, places=12)
    except ValueError:
        return

    assert parsed == value


@given(AMOUNTS)
def test_money_reads_back_as_it_was_written(amount):
    assert parse_decimal(format_money(amount), places=6) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1500", "1500.000000"), ("1E+3", "1000.000000"), ("-0", "0.000000"), ("1E-7", "0.000000")],
)
def test_money_is_written_with_six_places(amount, text):
    assert format_money(Decimal(amount)) == text


@given(WRITTEN_ANYHOW)
def test_however_it_came_about_money_is_written_as_its_rounded_value(amount):
    assert format_money(amount) == f"{round_amount(amount):f}"


@given(WRITTEN_ANYHOW)
def test_however_it_came_about_a_quantity_is_written_as_its_value(number):
    text = format_decimal(number)

    assert Decimal(text) == number
    assert "E" not in text
    assert text != "-0"
    assert not ("." in text and text.endswith(("0", ".")))


@pytest.mark.parametrize(
    ("price", "text"),
    [
        ("2", "2.000000"),
        ("1500", "1500.000000"),
        ("0.000000000001", "0.000000000001"),
        ("1.500000000000", "1.500000"),
        ("1.1234567", "1.1234567"),
    ],
)
def test_a_unit_price_is_written_with_six_to_twelve_places(price, text):
    assert format_unit_price(Decimal(price)) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("12500.000000000000", "12500"),
        ("1E+5", "100000"),
        ("1E-12", "0.000000000001"),
        ("1.50", "1.5"),
        ("-0.0", "0"),
    ],
)
def test_a_quantity_is_written_plainly(number, text):
    assert format_decimal(Decimal(number)) == text


def test_exact_arithmetic_refuses_to_lose_a_digit():
    with localcontext(EXACT), pytest.raises(Inexact):
        Decimal(1) / Decimal(3)


def test_rounding_does_not_depend_on_the_callers_context():
    with localcontext(Context(prec=3)):
        rounded = round_amount(Decimal("123456.1234567"))

    assert rounded == Decimal("123456.123457")


NAIRA, DOLLARS = Money(Decimal("1.5"), "NGN"), Money(Decimal("1.5"), "USD")


def test_money_of_one_currency_adds_up_exactly():
    large = Money(Decimal("999999999999999999.999999"), "NGN")

    assert Money(Decimal("3.000000"), "NGN") == NAIRA + NAIRA
    assert large + large - large == large
    assert Money.zero("NGN") == NAIRA - NAIRA


@pytest.mark.parametrize(
    "act",
    [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge, max, min],
)
def test_money_of_two_currencies_never_meets(act):
    with pytest.raises(InvariantError, match="one currency"):
        act(NAIRA, DOLLARS)


def test_money_of_two_currencies_is_not_equal():
    assert NAIRA != DOLLARS
    assert len({NAIRA, DOLLARS, Money(Decimal("1.500000"), "NGN")}) == 2


@pytest.mark.parametrize("text", ["0.0000001", "1.2345678", "NaN", "Infinity"])
def test_money_has_at_most_six_places(text):
    with pytest.raises(InvariantError, match="six places"):
        Money(Decimal(text), "NGN")


def test_zeros_beyond_six_places_are_harmless():
    assert Money(Decimal("1.50000000"), "NGN") == NAIRA


def test_money_is_ordered_and_told():
    more, same = Money(Decimal(2), "NGN"), Money(Decimal("2.0"), "NGN")

    assert NAIRA < more <= same
    assert more >= same > NAIRA
    assert bool(NAIRA)
    assert not Money.zero("NGN")
    assert str(more) == "2.000000 NGN"


@given(AMOUNTS, AMOUNTS)
def test_taking_away_what_was_added_leaves_what_was_there(one, other):
    money = Money(one, "KES")

    assert money + Money(other, "KES") - Money(other, "KES") == money

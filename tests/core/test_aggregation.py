"""Which event properties are numbers, and averages."""

import json
import re
import tracemalloc
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monigo.core.aggregation import (
    NUMBER_PATTERN,
    Aggregation,
    counts_numbers,
    needs_property,
    numeric_property,
    round_average,
)
from monigo.core.errors import InvariantError


def decoded(text):
    return json.loads(text, parse_float=Decimal)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        ("-5", "-5"),
        ("1.5", "1.5"),
        ("1e3", "1000"),
        ("1.5E-3", "0.0015"),
        ("0e999999", "0"),
        ("999999999999999999", "999999999999999999"),
        ("0.000000000001", "0.000000000001"),
        ('"12"', "12"),
        ('"-0.5"', "-0.5"),
        ('"007"', "7"),
        ('"999999999999999999.999999999999"', "999999999999999999.999999999999"),
    ],
)
def test_json_numbers_and_plain_text_are_numbers(text, number):
    assert numeric_property(decoded(text)) == Decimal(number)


@pytest.mark.parametrize("written", ["{}", '"{}"'])
@pytest.mark.parametrize(
    ("sent", "rounded"),
    [
        ("0.30000000000000004", "0.3"),
        ("12.345678901234567", "12.345678901235"),
        ("0.0000000000005", "0"),
        ("0.0000000000015", "0.000000000002"),
        ("0.0000000000025", "0.000000000002"),
        ("0.00000000000250000000001", "0.000000000003"),
        ("-0.0000000000025", "-0.000000000002"),
        ("-0.0000000000035", "-0.000000000004"),
        ("1.5000000000000000", "1.5"),
        ("999999999999999999.9999999999994", "999999999999999999.999999999999"),
        (f"0.{'0' * 40_000}1", "0"),
        (f"0.0000000000005{'0' * 40_000}1", "0.000000000001"),
    ],
)
def test_more_decimals_are_rounded_half_to_even_at_twelve_places(written, sent, rounded):
    number = numeric_property(decoded(written.format(sent)))

    assert number == Decimal(rounded)
    assert f"{number:f}".count("-") == (Decimal(rounded) < 0)


@pytest.mark.parametrize("text", ["1e-13", "1e-999999999", "-1e-999999999", "0e-999999999"])
def test_what_is_too_small_is_zero(text):
    assert f"{numeric_property(decoded(text)):f}".strip("0") in {"", "."}


@pytest.mark.parametrize("text", ["1e50000000", "-1e50000000", "1e-50000000", "0e50000000"])
def test_an_exponent_is_not_written_out(text):
    value = decoded(text)
    tracemalloc.start()

    numeric_property(value)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000


@pytest.mark.parametrize(
    "text",
    [
        *("true", "false", "null", "[1]", "{}", "NaN", "Infinity"),
        *('"NaN"', '"1_000"', '" 12 "', '"12\\n"', '"1e3"', '"+1"', '".5"', '"5."', '""'),
        *('"١٢"', '"1000000000000000000"', '"0000000000000000000"', '"1.2.3"'),
        *("1000000000000000000", "1e18", "-1e18", "1e999999999", f"1{'0' * 4_000}"),
        *("999999999999999999.9999999999995", "-999999999999999999.9999999999995"),
        '"999999999999999999.9999999999995"',
    ],
)
def test_anything_else_is_no_number(text):
    assert numeric_property(decoded(text)) is None


def test_a_float_is_no_number_because_its_digits_are_already_lost():
    assert numeric_property(1.5) is None


@given(
    st.decimals(-(10**20), 10**20)
    | st.integers()
    | st.text()
    | st.from_regex(r"\A-?[0-9]{1,20}\.?[0-9]{0,14}")
)
@example(Decimal("100000000000000000.00000000001"))
def test_a_number_is_what_the_shared_pattern_says(value):
    number = numeric_property(value)

    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    matches = re.fullmatch(NUMBER_PATTERN, text) is not None
    # Python rounds a fraction half to even.
    steps = round(Fraction(text) * 10**12) if matches else 10**30
    # Fractions are exact, where a Decimal's own arithmetic would keep 28 digits.
    told = None if number is None else Fraction(number)
    assert told == (Fraction(steps, 10**12) if abs(steps) < 10**30 else None)


def test_all_but_count_look_at_a_property():
    without = [aggregation for aggregation in Aggregation if not needs_property(aggregation)]

    assert without == [Aggregation.COUNT]


def test_only_counts_need_no_numbers():
    without = [aggregation for aggregation in Aggregation if not counts_numbers(aggregation)]

    assert without == [Aggregation.COUNT, Aggregation.UNIQUE]


@pytest.mark.parametrize(
    ("total", "count", "average"),
    [
        ("10", 4, "2.500000000000"),
        ("1", 3, "0.333333333333"),
        ("2", 3, "0.666666666667"),
        ("0.000000000001", 2, "0.000000000000"),
        ("0.000000000003", 2, "0.000000000002"),
        ("-0.000000000001", 2, "0.000000000000"),
        ("99999999999999999999999999.999999999999", 1, "99999999999999999999999999.999999999999"),
    ],
)
def test_an_average_rounds_half_to_even_at_twelve_places(total, count, average):
    assert f"{round_average(Decimal(total), count):f}" == average


def test_an_average_over_nothing_is_our_own_fault():
    with pytest.raises(InvariantError):
        round_average(Decimal(0), 0)

"""Subtotals and taxes."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.money import minor_unit_places
from monigo.core.tax import subtotal, tax_amount

AMOUNTS = st.decimals(min_value=-(10**17), max_value=10**17, places=6)
RATES = st.decimals(min_value=0, max_value=100, places=4)
CURRENCIES = st.sampled_from(["NGN", "XOF", "KWD", "CLF"])


@pytest.mark.parametrize(
    ("lines", "currency", "total"),
    [
        ([], "NGN", "0.000000"),
        (["0.004", "0.004"], "NGN", "0.010000"),
        (["0.0049", "0.0001"], "NGN", "0.010000"),
        (["10.25", "-0.255"], "NGN", "10.000000"),
        (["-0.005"], "NGN", "-0.010000"),
        (["100.4", "0.1"], "XOF", "101.000000"),
        (["1.0004", "0.0001"], "KWD", "1.001000"),
    ],
)
def test_lines_are_summed_exactly_and_rounded_once(lines, currency, total):
    amounts = [Decimal(line) for line in lines]

    assert str(subtotal(amounts, currency)) == total


def test_summing_keeps_more_than_28_digits():
    amounts = [Decimal("999999999999999999.999999")] * 10_000 + [Decimal("0.01")]

    assert subtotal(amounts, "NGN") == Decimal("9999999999999999999999.99") + Decimal("0.01")


@pytest.mark.parametrize(
    ("base", "rate", "currency", "tax"),
    [
        ("1000.000000", "7.5", "NGN", "75.000000"),
        ("0.20", "7.5", "NGN", "0.020000"),
        ("-0.20", "7.5", "NGN", "-0.020000"),
        ("0.07", "7.5", "NGN", "0.010000"),
        ("0.06", "7.5", "NGN", "0.000000"),
        ("250", "18", "XOF", "45.000000"),
        ("25", "18", "XOF", "5.000000"),
        ("100", "0", "NGN", "0.000000"),
        ("99.99", "100", "NGN", "99.990000"),
    ],
)
def test_tax_is_a_percentage_of_the_subtotal_rounded_to_the_minor_unit(base, rate, currency, tax):
    assert str(tax_amount(Decimal(base), Decimal(rate), currency)) == tax


@given(st.lists(AMOUNTS, max_size=20), CURRENCIES)
def test_a_subtotal_is_within_half_a_minor_unit_of_its_lines(lines, currency):
    total = subtotal(lines, currency)

    half_a_unit = Decimal(5).scaleb(-minor_unit_places(currency) - 1)
    assert abs(total - sum(lines)) <= half_a_unit


@given(AMOUNTS, RATES, CURRENCIES)
def test_tax_is_the_same_on_a_credit_as_on_a_charge(base, rate, currency):
    assert tax_amount(-base, rate, currency) == -tax_amount(base, rate, currency)

"""Subtotals and taxes, rounded to what can be paid in the currency."""

from collections.abc import Iterable
from decimal import Decimal
from functools import reduce

from monigo.core.money import EXACT, round_to_minor_unit

_ONE_PERCENT = Decimal("0.01")


def subtotal(line_amounts: Iterable[Decimal], currency: str) -> Decimal:
    """The sum of the lines, rounded half away from zero to the currency's smallest unit."""
    return round_to_minor_unit(reduce(EXACT.add, line_amounts, Decimal(0)), currency)


def tax_amount(subtotal: Decimal, rate_percent: Decimal, currency: str) -> Decimal:
    """VAT or withholding tax on a subtotal: `rate_percent` 7.5 means 7.5 %. Rounded as it is."""
    exact = EXACT.multiply(EXACT.multiply(subtotal, rate_percent), _ONE_PERCENT)
    return round_to_minor_unit(exact, currency)

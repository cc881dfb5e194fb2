"""Exact decimal arithmetic: how amounts are read, rounded and written.

An amount of money has six places, a unit price and a quantity up to twelve. Nothing here
rounds but the functions whose names say so.
"""

import re
from decimal import (
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
)

MONEY_PLACES = 6
UNIT_PRICE_PLACES = 12
QUANTITY_PLACES = 12
MONEY_INTEGER_DIGITS_MAX = 18  # with six places this is numeric(24,6), as amounts are stored

# Longer text is no number that anyone meant; the limit keeps a hostile body cheap to refuse.
NUMBER_TEXT_LENGTH_MAX = 100

# A quantity has at most 38 digits and a unit price 30, so a product has 68, and a sum of a
# hundred products 70. The default of 28 digits would round such amounts without a word.
_PRECISION = 80

_FAULTS = [InvalidOperation, DivisionByZero, Overflow, FloatOperation]

# For arithmetic that claims to be exact: losing a digit raises decimal.Inexact.
EXACT = Context(prec=_PRECISION, rounding=ROUND_HALF_EVEN, traps=[*_FAULTS, Inexact])
# For the rounding that the behaviour page asks for.
ROUNDING = Context(prec=_PRECISION, rounding=ROUND_HALF_EVEN, traps=_FAULTS)

# ISO 4217, not CLDR (babel): CLDR tells the places used in shops, calls the Iraqi dinar and the
# Serbian dinar whole numbers, and changes its mind between releases, whereas a currency's places
# decide amounts due.
_MINOR_UNIT_PLACES = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_USUAL_MINOR_UNIT_PLACES = 2

_MONEY_STEP = Decimal(1).scaleb(-MONEY_PLACES)
# By places.
_MINOR_UNIT_STEPS = [Decimal(1).scaleb(-places) for places in range(MONEY_PLACES)]
_NUMBER_PATTERN = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def minor_unit_places(currency: str) -> int:
    """Decimal places of a currency's smallest unit; `currency` is its upper-case ISO 4217 code."""
    return _MINOR_UNIT_PLACES.get(currency, _USUAL_MINOR_UNIT_PLACES)


def round_amount(value: Decimal) -> Decimal:
    """A line's amount: six places, half to even (behaviour page, Money and quantities)."""
    # Unary plus turns a negative zero, which would print as "-0.000000", into zero.
    return ROUNDING.plus(value.quantize(_MONEY_STEP, context=ROUNDING))


def round_to_minor_unit(value: Decimal, currency: str) -> Decimal:
    """A subtotal or tax: rounded half away from zero to the currency's smallest unit.

    The result is written with six places, as all money is.
    """
    step = _MINOR_UNIT_STEPS[minor_unit_places(currency)]
    return round_amount(value.quantize(step, rounding=ROUND_HALF_UP, context=ROUNDING))


def parse_decimal(
    value: object, *, places: int, integer_digits: int = MONEY_INTEGER_DIGITS_MAX
) -> Decimal:
    """The number that a client sent, exactly, written with `places` places.

    Takes a Decimal (a JSON number), an int, or text of the form `-?digits(.digits)?`. Zeros
    beyond `places` are harmless. Raises ValueError, whose text is fit for the client, for
    anything else, for significant digits beyond `places`, and for more than `integer_digits`
    before the point.
    """
    number = _read_number(value, integer_digits)
    if number and number.adjusted() >= integer_digits:
        raise ValueError("is too large")
    try:
        return EXACT.plus(number.quantize(Decimal(1).scaleb(-places), context=EXACT))
    except Inexact:
        raise ValueError(f"has more than {places} decimal places") from None


def _read_number(value: object, integer_digits: int) -> Decimal:
    match value:
        case bool():
            pass
        case int():
            # Compared before it is converted: turning a huge int into digits takes quadratic time.
            if abs(value) >= 10**integer_digits:
                raise ValueError("is too large")
            return Decimal(value)
        case Decimal() if value.is_finite():
            return value
        case str() if len(value) > NUMBER_TEXT_LENGTH_MAX:
            raise ValueError(f"must be a number of at most {NUMBER_TEXT_LENGTH_MAX} characters")
        case str() if _NUMBER_PATTERN.fullmatch(value):
            return Decimal(value)
        case _:
            pass
    raise ValueError("must be a decimal number")


def format_money(amount: Decimal) -> str:
    """An amount as the API writes it: exactly six places, such as "1500.000000"."""
    return f"{round_amount(amount):f}"


def format_unit_price(price: Decimal) -> str:
    """A unit price: six places, and up to twelve where it has them."""
    whole, _, fraction = format_decimal(price).partition(".")
    return f"{whole}.{fraction.ljust(MONEY_PLACES, '0')}"


def format_decimal(number: Decimal) -> str:
    """A quantity or rate in plain notation, without exponent or trailing zeros."""
    text = f"{EXACT.plus(number):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

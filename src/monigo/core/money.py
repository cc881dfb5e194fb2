"""Money, and exact decimal arithmetic: how amounts are read, rounded and written.

An amount of money has six places, a unit price and a quantity up to twelve. Nothing here
rounds but the functions whose names say so.

Domains exchange amounts as `Money`: what a wallet is to pay, an invoice's total, what was received.
Inside one invoice, and inside a line's price, numbers are bare `Decimal`s of the one currency that
the invoice has: there they are added by the thousand, and a check of each sum costs seven times the
sum itself. Rows and the wire keep amount and currency in fields of their own.
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
from typing import Self

from msgspec import Struct

from monigo.core.errors import ensure

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

# ISO 4217, not CLDR (babel): CLDR has the places used in shops, treats the Iraqi and the Serbian
# dinar as whole numbers, and changes between releases, whereas a currency's places decide amounts
# due.
_MINOR_UNIT_PLACES = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_USUAL_MINOR_UNIT_PLACES = 2

_ZERO = Decimal(0)
_MONEY_STEP = Decimal(1).scaleb(-MONEY_PLACES)
# By places.
_MINOR_UNIT_STEPS = [Decimal(1).scaleb(-places) for places in range(MONEY_PLACES)]
_ZERO_TEXT = "0.000000"
_NUMBER_PATTERN = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class Money(Struct, frozen=True):
    """An exact amount of at most six places in a currency, its upper-case ISO 4217 code.

    Equal are the same amounts of the same currency. To add, subtract or order amounts of different
    currencies is a fault of ours, never an answer.

    Raises:
        InvariantError: more than six places; two currencies.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        exponent = self.amount.as_tuple().exponent
        is_fine = isinstance(exponent, int) and (
            exponent >= -MONEY_PLACES or round_amount(self.amount) == self.amount
        )
        ensure(is_fine, "money has at most six places")

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Nothing, in a currency."""
        return cls(_ZERO, currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(EXACT.add(self.amount, self._alike(other)), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(EXACT.subtract(self.amount, self._alike(other)), self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._alike(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._alike(other)

    def __gt__(self, other: "Money") -> bool:
        return self.amount > self._alike(other)

    def __ge__(self, other: "Money") -> bool:
        return self.amount >= self._alike(other)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __str__(self) -> str:
        return f"{format_money(self.amount)} {self.currency}"

    def _alike(self, other: "Money") -> Decimal:
        ensure(other.currency == self.currency, "money of one currency meets its like")
        return other.amount


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


def whole_minor_units(value: Decimal, currency: str) -> Decimal:
    """What of an amount, not below zero, can be paid: as many whole smallest units as are in it."""
    return EXACT.subtract(
        value, EXACT.remainder(value, _MINOR_UNIT_STEPS[minor_unit_places(currency)])
    )


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
    if not amount:
        return _ZERO_TEXT  # Whatever its sign and exponent.
    text = str(amount)
    # As amounts are stored: there is nothing to round.
    if text[-7:-6] == "." and text[-6:].isdecimal():
        return text
    return f"{round_amount(amount):f}"


def format_unit_price(price: Decimal) -> str:
    """A unit price: six places, and up to twelve where it has them."""
    whole, _, fraction = format_decimal(price).partition(".")
    return f"{whole}.{fraction.ljust(MONEY_PLACES, '0')}"


def format_decimal(number: Decimal) -> str:
    """A quantity or rate in plain notation, without exponent or trailing zeros."""
    if not number:
        return "0"  # Whatever its sign and exponent.
    text = str(number)
    if "E" in text:
        text = f"{EXACT.plus(number):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

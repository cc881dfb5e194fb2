"""Amounts as providers write them: whole subunits, or major units with decimals; never floats."""

import re
from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from monigo.core.errors import invalid
from monigo.core.money import EXACT, MONEY_INTEGER_DIGITS_MAX, Money, round_amount

_NUMBER = re.compile(r"\s*[0-9]{1,30}(\.[0-9]{1,30})?\s*", re.ASCII)


class Wire(Struct, frozen=True):
    """How a provider writes amounts of a currency.

    `exponent` is by how many digits the point moves (2: an amount of 1 is sent as 100), `places`
    how many decimals an amount may have before that. They differ where a provider counts in
    hundredths of a currency that has none: Paystack's XOF.
    """

    exponent: int
    places: int


def to_wire(money: Money, wires: Mapping[str, Wire]) -> int | Decimal:
    """An amount as it is sent: an integer of subunits, or a decimal number of major units.

    Raises:
        DomainError: invalid, for a currency that the provider does not have, for more decimals
            than it takes, and for what is not above zero.
    """
    wire = wires.get(money.currency)
    if wire is None:
        raise invalid({"currency": f"{money.currency} is not supported by this provider"})
    if money.amount <= 0:
        raise invalid({"amount": "must be above zero"})
    fixed = money.amount.quantize(Decimal(1).scaleb(-wire.places))
    if fixed != money.amount:
        raise invalid({"amount": f"has more than {wire.places} decimal places"})
    if not wire.exponent:
        return fixed
    return int(EXACT.scaleb(fixed, wire.exponent))


def from_wire(value: object, currency: object, wires: Mapping[str, Wire]) -> Money | None:
    """The money that a provider names, in six places; None for what is no amount.

    Takes numbers and text, as providers mix them. Of a currency that is not in its table, only
    major units can be read; `wires` then says how it writes all others, under `""`.
    """
    if not isinstance(currency, str) or isinstance(value, bool):
        return None
    wire = wires.get(currency) or wires.get("")
    match value:
        case int() if 0 <= value < 10**MONEY_INTEGER_DIGITS_MAX:
            number = Decimal(value)
        case Decimal() if value.is_finite() and 0 <= value < 10**MONEY_INTEGER_DIGITS_MAX:
            number = value
        case str() if _NUMBER.fullmatch(value):
            number = Decimal(value.strip())
        case _:
            return None
    if wire is None or number.adjusted() >= MONEY_INTEGER_DIGITS_MAX:
        return None
    return Money(round_amount(number.scaleb(-wire.exponent, context=EXACT)), currency)

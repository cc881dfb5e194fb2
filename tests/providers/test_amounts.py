"""Amounts on the wire: exact both ways, in each provider's own unit, and never floats."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.errors import DomainError
from monigo.core.money import Money
from monigo.infra import json
from monigo.providers.port import Wire, from_wire, to_wire
from monigo.providers.reading import decode
from monigo.providers.registry import PROVIDERS

WIRES = [
    pytest.param(one.wires, currency, id=f"{one.name.value}-{currency}")
    for one in PROVIDERS
    for currency in one.wires
    if currency
]
UNITS = st.integers(min_value=1, max_value=10**15)


@pytest.mark.parametrize(("wires", "currency"), WIRES)
@given(units=UNITS)
def test_amounts_survive_the_wire(wires, currency, units):
    money = Money(Decimal(units).scaleb(-wires[currency].places), currency)

    sent = json.encode({"amount": to_wire(money, wires)})
    received = decode(sent.encode())["amount"]

    assert from_wire(received, currency, wires) == money
    assert from_wire(str(received), currency, wires) == money


@pytest.mark.parametrize(("wires", "currency"), WIRES)
def test_more_decimals_than_a_currency_has_are_refused(wires, currency):
    money = Money(Decimal(1).scaleb(-wires[currency].places - 1), currency)

    with pytest.raises(DomainError) as refused:
        to_wire(money, wires)

    assert list(refused.value.fields) == ["amount"]


@pytest.mark.parametrize(
    ("provider", "amount", "currency", "sent"),
    [
        ("paystack", "2500.00", "NGN", 250000),
        ("paystack", "0.10", "GHS", 10),
        ("paystack", "1500", "XOF", 150000),
        ("paystack", "1500", "RWF", 150000),
        ("flutterwave", "2500.00", "NGN", Decimal("2500.00")),
        ("flutterwave", "1500", "XOF", Decimal(1500)),
        ("flutterwave", "1500", "UGX", Decimal(1500)),
        ("monnify", "2500.50", "NGN", Decimal("2500.50")),
    ],
)
def test_naira_are_kobo_at_one_provider_and_naira_at_the_others(provider, amount, currency, sent):
    wires = next(one.wires for one in PROVIDERS if one.name.value == provider)

    assert to_wire(Money(Decimal(amount), currency), wires) == sent


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_nothing_is_no_amount_to_send(amount):
    with pytest.raises(DomainError):
        to_wire(Money(Decimal(amount), "NGN"), {"NGN": Wire(2, 2)})


def test_a_currency_that_a_provider_has_not_is_refused():
    with pytest.raises(DomainError) as refused:
        to_wire(Money(Decimal(1), "JPY"), {"NGN": Wire(2, 2)})

    assert list(refused.value.fields) == ["currency"]


def test_a_fee_of_three_decimals_is_read_exactly():
    assert from_wire(Decimal("26.875"), "NGN", {"": Wire(0, 0)}) == Money(Decimal("26.875"), "NGN")


@pytest.mark.parametrize(
    "value",
    [None, True, -1, "-5", "", "five", "1e9", "1,000", [], {}, 10**40, "9" * 200,
     Decimal("NaN"), Decimal("Infinity"), Decimal("1e400")],
)  # fmt: skip
def test_what_is_no_amount_is_none(value):
    assert from_wire(value, "NGN", {"NGN": Wire(2, 2)}) is None


@pytest.mark.parametrize("currency", [None, 5, "", "JPY"])
def test_an_amount_without_a_known_currency_is_none(currency):
    assert from_wire(100, currency, {"NGN": Wire(2, 2)}) is None

"""The delta rule and its limits: what a line bills, and what is more than one can hold."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from msgspec.structs import replace

from monigo.catalog import Metric, MetricDefinition, PlanType
from monigo.core.aggregation import Aggregation
from monigo.core.errors import DomainError
from monigo.core.periods import Period
from monigo.core.pricing import Charge, FlatUnit, Percentage
from monigo.invoicing import AgreedPrice, LineKind
from monigo.invoicing.rating.rules import (
    adjustment_lines,
    fee_lines,
    totals,
    unpriced_line,
    usage_lines,
    with_credit,
)
from monigo.invoicing.types import Billed, PricedUsage
from monigo.metering import Usage
from monigo.tenancy import BillingSettings

PRICE_ID = UUID("0197b3c0-0000-7000-8000-000000000001")
AT = datetime(2026, 1, 1, tzinfo=UTC)
METRIC = Metric(
    id=PRICE_ID,
    definition=MetricDefinition("Calls", "call", Aggregation.SUM, "n", ""),
    version=1,
    created_at=AT,
    updated_at=AT,
)
PERIOD = Period(AT, datetime(2026, 2, 1, tzinfo=UTC))
ONE = FlatUnit(Decimal(1))
LARGEST = Decimal(999999999999999999)


def used(quantity, model=ONE, *, event_count=1, groups=None, with_minimum=True, **charge):
    amounts = {name: Decimal(amount) for name, amount in charge.items()}
    usage = Usage(Decimal(quantity), event_count, None, None, groups or {})
    price = AgreedPrice(PRICE_ID, 1, Charge(model, **amounts), METRIC)
    return PricedUsage(price, "Calls", usage, with_minimum=with_minimum)


def billed(quantity, amount):
    return {PRICE_ID: {"": Billed(Decimal(quantity), Decimal(amount))}}


def told(lines):
    return [(line.quantity, line.amount) for line in lines]


@pytest.mark.parametrize(
    ("priced", "before", "lines"),
    [
        (used(1, FlatUnit(Decimal(0))), {}, [(1, 0)]),
        (used(0, Percentage(Decimal("0.1"), Decimal(7))), {}, [(0, 7)]),
        (used(0), {}, []),
        (used(3), billed(3, 3), []),
        (used(2), billed(3, 3), [(-1, -1)]),
    ],
    ids=["free", "fixed only", "nothing", "billed", "less"],
)
def test_an_adjustment_has_a_line_where_quantity_or_amount_differs(priced, before, lines):
    assert told(adjustment_lines(PERIOD, [priced], before)) == lines


def test_a_minimum_is_due_only_where_it_is_asked_for():
    running = used(1, minimum_amount=500, with_minimum=False)

    lines = usage_lines(PERIOD, [running, used(1, minimum_amount=500)], {})

    assert told(lines) == [(1, 1), (1, 500)]


def test_a_fee_that_is_not_due_any_more_is_given_back():
    before = {None: {"": Billed(Decimal(1), Decimal(500))}}

    lines = [fee_lines(PERIOD, Decimal(fee), before) for fee in (0, 500, 700)]

    assert [told(some) for some in lines] == [[(-1, -500)], [], [(1, 200)]]
    assert [line.unit_price for some in lines for line in some] == [500, 200]
    # What the period's fee has come to by now: none at all, or one of 700.
    come_to = [
        (line.cumulative_quantity, line.cumulative_amount) for [line] in (lines[0], lines[2])
    ]
    assert come_to == [(0, 0), (1, 700)]


@pytest.mark.parametrize(
    "priced",
    [
        used(LARGEST + 1),
        used(-LARGEST - 1),
        used(Decimal(10) ** 26, FlatUnit(Decimal(0))),
        used(0, groups={"a": LARGEST + 1, "b": -LARGEST - 1}),
        used(0, FlatUnit(Decimal(0)), groups={"a": Decimal(10) ** 26, "b": -(Decimal(10) ** 26)}),
    ],
)
def test_more_than_a_line_can_hold_is_refused(priced):
    with pytest.raises(DomainError, match="Calls exceeds what an invoice can hold"):
        usage_lines(PERIOD, [priced], {})


@pytest.mark.parametrize(
    ("priced", "before"),
    [
        (used(LARGEST), billed(0, -1)),
        (used(Decimal(10) ** 26 - 1, FlatUnit(Decimal(0))), billed(-1, 0)),
    ],
)
def test_a_difference_of_more_than_a_line_can_hold_is_refused(priced, before):
    with pytest.raises(DomainError, match="Calls exceeds what an invoice can hold"):
        usage_lines(PERIOD, [priced], before)


def test_the_largest_that_a_line_can_hold_is_billed():
    assert told(usage_lines(PERIOD, [used(LARGEST)], {})) == [(LARGEST, LARGEST)]


UNTAXED = BillingSettings(vat_rate=Decimal(0), wht_rate=Decimal(0))


@pytest.mark.parametrize(
    ("subtotal", "plan_type", "taxes"),
    [
        (LARGEST + 1, PlanType.COLLECTION, {}),
        (LARGEST, PlanType.COLLECTION, {"vat_enabled": True, "vat_rate": Decimal(1)}),
        (LARGEST + 1, PlanType.PAYOUT, {"wht_enabled": True, "wht_rate": Decimal(50)}),
    ],
)
def test_sums_of_more_than_an_invoice_can_hold_are_refused(subtotal, plan_type, taxes):
    with pytest.raises(DomainError, match="total exceeds what an invoice can hold"):
        totals(subtotal, currency="XOF", plan_type=plan_type, settings=replace(UNTAXED, **taxes))


@pytest.mark.parametrize(
    ("quantity", "amount", "unit_price"),
    [
        # Twelve places, half to even.
        ("3", "1", "0.333333333333"),
        ("-3", "-2", "0.666666666667"),
        ("8", "0.000000000100", "0.000000000012"),
        # No quantity, or no number that a price can be.
        ("0", "7", "0"),
        ("0.000001", "999999999999.999999", "999999999999999999"),
        ("0.000001", "1000000000000", "0"),
        ("0.000001", "-1000000000000", "0"),
    ],
)
def test_a_lines_unit_price_is_what_one_came_to(quantity, amount, unit_price):
    # A period bills what it differs by from what was billed: here all of it is the difference.
    whole = used(0, FlatUnit(Decimal(0)))
    before = billed(-Decimal(quantity), -Decimal(amount))

    (line,) = usage_lines(PERIOD, [whole], before)

    assert (line.quantity, line.amount) == (Decimal(quantity), Decimal(amount))
    assert line.unit_price == Decimal(unit_price)


@pytest.mark.parametrize(
    ("due", "available", "credit"),
    [
        # Nothing is due, or nothing is there: no line, not even one of 0.
        ("0", "5", []),
        ("3", "0", []),
        ("0", "0", []),
        # As much of it as is due.
        ("3", "2", [("credit brought forward", "-2")]),
        ("3", "3", [("credit brought forward", "-3")]),
        ("3", "5", [("credit brought forward", "-3")]),
        # Less than nothing is due: all of that is carried on, whatever was there.
        ("-3", "0", [("credit carried forward", "3")]),
        ("-3", "5", [("credit carried forward", "3")]),
    ],
)
def test_a_credit_line_stands_where_a_credit_moves_and_nowhere_else(due, available, credit):
    own = unpriced_line(LineKind.FEE, PERIOD, "base fee", Decimal(due))

    lines = with_credit([own], period=PERIOD, due=Decimal(due), available=Decimal(available))

    moved = [(line.description, str(line.amount)) for line in lines if line is not own]
    assert moved == credit
    assert own in lines

"""Lines of one price, one for each value of its metric's `group_by`: they add up to the price."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.catalog import Metric, MetricDefinition
from monigo.core.aggregation import Aggregation
from monigo.core.money import EXACT
from monigo.core.periods import Period
from monigo.core.pricing import (
    Charge,
    FlatUnit,
    Overage,
    Package,
    Percentage,
    Tier,
    Tiered,
    Volume,
    amount_due,
)
from monigo.invoicing import AgreedPrice
from monigo.invoicing.rating import undescribed
from monigo.invoicing.rating.grouping import GROUPS_MAX, OTHER, described, split
from monigo.invoicing.rating.rules import usage_lines
from monigo.invoicing.types import Billed, PricedUsage
from monigo.metering import Usage

EVENT_COUNT = 3
PRICE_ID = UUID("0197b3c0-0000-7000-8000-000000000001")
METRIC = Metric(
    id=PRICE_ID,
    definition=MetricDefinition("Tokens", "tokens", Aggregation.SUM, "amount", ""),
    version=1,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    updated_at=datetime(2026, 1, 1, tzinfo=UTC),
)
PERIOD = Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
TIERS = (Tier(Decimal(10), Decimal("0.07")), Tier(None, Decimal("0.000003")))
MODELS = [
    FlatUnit(Decimal("0.333333333333")),
    FlatUnit(Decimal(0)),
    Tiered(TIERS),
    Volume(TIERS),
    Package(Decimal(7), Decimal("0.01"), round_up_partial_block=True),
    Overage(Decimal(5), Decimal("0.000061"), Decimal("0.1")),
    Percentage(Decimal("0.015"), Decimal("0.7")),
]

models = st.sampled_from(MODELS)
used = st.decimals(0, 1_000_000, places=12) | st.integers(0, 50).map(Decimal)
either_sign = st.decimals(-1_000, 1_000, places=6)


def groups_of(quantities, *, max_size=150):
    return st.dictionaries(st.text("abother", max_size=6), quantities, max_size=max_size)


def total(quantities):
    quantity = Decimal(0)
    for part in quantities:
        quantity = EXACT.add(quantity, part)
    return quantity


def priced(model, groups):
    usage = Usage(total(groups.values()), EVENT_COUNT, None, None, groups)
    return PricedUsage(AgreedPrice(PRICE_ID, 1, Charge(model), METRIC), "Tokens", usage)


def due(model, quantity):
    return amount_due(Charge(model), quantity, event_count=EVENT_COUNT)


def lines_of(model, groups, billed=None):
    return usage_lines(PERIOD, [priced(model, groups)], {PRICE_ID: billed or {}})


def added(billed, lines):
    """What is billed once these lines are, too."""
    after = dict(billed)
    for line in lines:
        before = after.get(line.group_value, Billed(Decimal(0), Decimal(0)))
        after[line.group_value] = Billed(
            EXACT.add(before.quantity, line.quantity), EXACT.add(before.amount, line.amount)
        )
    return after


@given(models, groups_of(used | either_sign))
def test_the_lines_add_up_to_the_price_to_the_last_digit(model, groups):
    lines = lines_of(model, groups)

    assert total(line.amount for line in lines) == due(model, total(groups.values()))
    assert total(line.quantity for line in lines) == total(groups.values())
    assert all(line.amount.as_tuple().exponent >= -6 for line in lines)


@given(models, st.lists(groups_of(used | either_sign, max_size=8), min_size=2, max_size=4))
def test_whatever_was_billed_before_the_lines_bill_the_difference(model, readings):
    billed = {}
    for groups in readings:
        billed = added(billed, lines_of(model, groups, billed))

    final = readings[-1]

    amount = due(model, total(final.values()))
    assert total(part.amount for part in billed.values()) == amount
    assert {value: part.quantity for value, part in billed.items() if part.quantity} == {
        value: quantity for value, quantity in final.items() if quantity
    }


@given(models, groups_of(used))
def test_no_line_is_negative_when_no_group_is_and_nothing_was_billed(model, groups):
    lines = lines_of(model, groups)

    assert all(line.amount >= 0 and line.quantity >= 0 for line in lines)


@given(models, groups_of(used, max_size=20))
def test_each_line_is_within_rounding_of_its_share(model, groups):
    quantity = total(groups.values())
    amount = due(model, quantity)
    shares = {value: amount * of / quantity for value, of in groups.items() if quantity}

    parts = split(model, amount, groups or {"": quantity}, billed=[])

    rounding = Decimal("0.000001") * (len(parts) + 1)
    assert all(abs(part.amount - shares[part.group_value]) <= rounding for part in parts if shares)


def test_refunds_of_a_flat_price_fall_on_the_group_that_they_belong_to():
    groups = {"gpt-4": Decimal(100), "llama": Decimal(-100)}

    lines = lines_of(FlatUnit(Decimal("0.5")), groups)

    assert {line.group_value: line.amount for line in lines} == {
        "gpt-4": Decimal(50),
        "llama": Decimal(-50),
    }


def test_refunds_of_a_percentage_fall_on_the_group_that_they_belong_to():
    model = Percentage(Decimal("0.1"), Decimal(6))
    quantities = {"shop": Decimal(300), "market": Decimal(-100)}
    amount = due(model, Decimal(200))

    parts = split(model, amount, quantities, billed=[])

    # 10 % of each; the fixed price of the three events falls on the largest.
    assert amount == 38
    assert {part.group_value: part.amount for part in parts} == {"shop": 48, "market": -10}


@pytest.mark.parametrize(
    ("groups", "fee", "shares"),
    [
        # A flat fee is shared as the rest is, while nothing is refunded.
        ({"a": 5, "b": 5, "c": 0}, 10, {"a": 10, "b": 10, "c": 0}),
        ({"a": -5, "b": -5, "c": 0}, 10, {"a": 0, "b": 0, "c": 0}),
        ({"a": 10, "b": -5}, 10, {"a": 20, "b": -5}),
        ({"a": 0, "b": 0}, 10, {"a": 0, "b": 10}),
    ],
)
def test_a_flat_fee_is_shared_with_the_flat_price(groups, fee, shares):
    quantities = {value: Decimal(quantity) for value, quantity in groups.items()}
    charge = Charge(FlatUnit(Decimal(1)), flat_fee=Decimal(fee))
    amount = amount_due(charge, total(quantities.values()), event_count=EVENT_COUNT)

    parts = split(charge.model, amount, quantities, billed=[])

    assert {part.group_value: part.amount for part in parts} == shares


@pytest.mark.parametrize("model", [Tiered(TIERS), Volume(TIERS)])
def test_a_negative_group_counts_as_nothing_where_the_model_knows_no_refunds(model):
    quantities = {"a": Decimal(10), "b": Decimal(-5)}

    parts = split(model, Decimal(10), quantities, billed=[])

    assert [(part.group_value, part.amount) for part in parts] == [("a", 10), ("b", 0)]


def test_a_fee_falls_on_one_group_where_none_counts():
    parts = split(Tiered(TIERS), Decimal(10), {"a": Decimal(0), "b": Decimal(-1)}, billed=[])

    assert {part.group_value: part.amount for part in parts} == {"a": 0, "b": 10}


def test_the_remainder_falls_on_the_largest():
    groups = {"a": Decimal(1), "b": Decimal(2), "c": Decimal(3)}

    lines = lines_of(Overage(Decimal(10), Decimal("0.000010"), Decimal(1)), groups)

    assert [(line.description, line.amount) for line in lines] == [
        ("Tokens (c)", Decimal("0.000006")),
        ("Tokens (b)", Decimal("0.000003")),
        ("Tokens (a)", Decimal("0.000001")),
    ]


@pytest.mark.parametrize("own", [{}, {OTHER: Decimal(10_000)}])
def test_beyond_a_hundred_values_the_smallest_are_told_together(own):
    groups = {f"v{number:03}": Decimal(number) for number in range(1, 121)} | own

    lines = lines_of(FlatUnit(Decimal(1)), groups)

    assert len(lines) == GROUPS_MAX + 1
    by_value = {line.group_value: line.amount for line in lines}
    assert by_value[OTHER] == sum(range(1, 21)) + sum(own.values())
    assert "v020" not in by_value
    assert by_value["v021"] == 21


def test_a_value_that_was_billed_by_itself_stays_by_itself():
    few = {"small": Decimal(1)}
    billed = added({}, lines_of(FlatUnit(Decimal(1)), few))
    many = few | {f"v{number:03}": Decimal(number + 10) for number in range(120)}

    lines = lines_of(FlatUnit(Decimal(1)), many, billed)

    assert "small" not in {line.group_value for line in lines}
    assert len(lines) == GROUPS_MAX
    assert total(line.amount for line in lines) == sum(many.values()) - 1


def test_a_group_without_a_difference_has_no_line_but_a_price_has_one():
    groups = {"a": Decimal(1), "b": Decimal(1)}
    price = FlatUnit(Decimal(1))
    billed = added({}, lines_of(price, groups))

    more = lines_of(price, groups | {"b": Decimal(3)}, billed)
    same = lines_of(price, groups, billed)

    assert [(line.group_value, line.quantity, line.amount) for line in more] == [("b", 2, 2)]
    assert [(line.quantity, line.amount) for line in same] == [(0, 0)]


@pytest.mark.parametrize("value", ["", "gpt-4", " (x)", "(a)"])
def test_a_description_gives_the_name_back(value):
    assert undescribed(described("Tokens (input)", value), value) == "Tokens (input)"

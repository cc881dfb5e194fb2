"""The steps that explain a price lead to exactly what the price charges."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.money import EXACT
from monigo.core.pricing import Charge, amount_due, parse_price_model, pricing_steps
from support.prices import MODELS, QUANTITIES

TIERS = [{"up_to": 10, "unit_amount": "5"}, {"up_to": None, "unit_amount": "1"}]
BLOCKS = {"package_size": 100, "package_price": "7"}
NO_ROUND_UP = {**BLOCKS, "round_up_partial_block": False}
INCLUDED = {"included_units": 10, "base_price": "50", "overage_price": "2"}
SHARE = {"rate": "0.015", "fixed": "100"}
BOUNDS = st.none() | st.decimals(min_value=0, max_value=10**17, places=6)
FEES = st.decimals(min_value=0, max_value=10**17, places=6)


def told(model, quantity, *, unit_price=None, tiers=None, event_count=0, **charge):
    """The steps of a price: text, amount and total."""
    parsed = parse_price_model(model=model, unit_price=unit_price, tiers=tiers, path="")
    made = pricing_steps(Charge(parsed, **charge), Decimal(quantity), event_count)
    return [(step.text, str(step.amount), str(step.total)) for step in made]


@given(
    st.builds(Charge, st.one_of(list(MODELS.values())), FEES, BOUNDS, BOUNDS),
    QUANTITIES | QUANTITIES.map(lambda quantity: -quantity),
    st.integers(min_value=0, max_value=10**12),
)
def test_the_last_total_is_what_the_price_charges(charge, quantity, event_count):
    made = pricing_steps(charge, quantity, event_count)

    totals = [Decimal(0), *(step.total for step in made)]
    added = [EXACT.subtract(after, before) for before, after in pairwise(totals)]
    assert made[-1].total == amount_due(charge, quantity, event_count=event_count)
    assert [step.amount for step in made] == added


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("flat_unit", 3, {"unit_price": "2.5"}), [("3 x 2.5", "7.5")]),
        (
            ("tiered", 12, {"tiers": TIERS}),
            [("tier 1 (up to 10): 10 x 5", "50"), ("tier 2 (above 10): 2 x 1", "2")],
        ),
        (("weighted_tiered", 0, {"tiers": TIERS}), [("tier 1 (up to 10): 0 x 5", "0")]),
        (("volume", 12, {"tiers": TIERS}), [("all in tier 2 (without end): 12 x 1", "12")]),
        (("volume", 10, {"tiers": TIERS}), [("all in tier 1 (up to 10): 10 x 5", "50")]),
        (("tiered", 10, {"tiers": TIERS}), [("tier 1 (up to 10): 10 x 5", "50")]),
        (
            ("package", 250, {"tiers": BLOCKS}),
            [("blocks of 100: 2 full and one begun (50), 3 x 7", "21")],
        ),
        (
            ("package", 250, {"tiers": NO_ROUND_UP}),
            [("blocks of 100: 2 full, the rest (50) free, 2 x 7", "14")],
        ),
        (
            ("overage", 12, {"tiers": INCLUDED}),
            [("base price, 10 of 10 included units used", "50"), ("2 exceeding x 2", "4")],
        ),
        (
            ("percentage", 1000, {"tiers": SHARE, "event_count": 2}),
            [("0.015 x the sum 1000", "15"), ("2 events x 100", "200")],
        ),
    ],
)
def test_each_model_is_told_in_its_own_words(arguments, expected):
    model, quantity, terms = arguments

    made = told(model, quantity, **terms)

    assert [(text, Decimal(amount)) for text, amount, _ in made] == [
        (text, Decimal(amount)) for text, amount in expected
    ]


def test_what_is_added_bounded_and_rounded_stands_in_steps_of_its_own():
    raised = told("flat_unit", 1, unit_price="0.0000005", minimum_amount=Decimal(2))
    cut = told("flat_unit", 5, unit_price="2", flat_fee=Decimal(1), maximum_amount=Decimal(9))
    rounded = told("flat_unit", 1, unit_price="0.0000005")

    assert [text for text, _, _ in raised[1:]] == ["raised to the minimum of 2"]
    assert [text for text, _, _ in cut[1:]] == ["flat fee", "cut to the maximum of 9"]
    assert [text for text, _, _ in rounded[1:]] == ["0.0000005 rounded to six places, half to even"]


def test_a_bound_that_is_just_reached_changes_nothing_and_is_no_step():
    least = told("flat_unit", 5, unit_price="2", minimum_amount=Decimal(10))
    most = told("flat_unit", 5, unit_price="2", maximum_amount=Decimal(10))

    assert [text for text, _, _ in least] == [text for text, _, _ in most] == ["5 x 2"]


def test_a_quantity_below_zero_is_said_to_count_as_nothing():
    (text, *_), *_ = told("tiered", -3, tiers=TIERS)

    assert text == "a quantity below zero (-3) counts as 0"

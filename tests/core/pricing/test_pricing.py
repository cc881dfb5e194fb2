"""Pricing models: what they are read from and what they charge."""

import json
from decimal import Decimal, localcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.errors import DomainError
from monigo.core.money import EXACT, format_money
from monigo.core.pricing import (
    TIERS_MAX,
    Charge,
    FlatUnit,
    Overage,
    Package,
    Percentage,
    PricingModel,
    Tier,
    Tiered,
    Volume,
    WeightedTiered,
    amount_due,
    charge_from_json,
    charge_json,
    parse_charge,
    parse_price_model,
    price,
    price_model_json,
)
from support.prices import MODELS, PRICES, QUANTITIES, SIZES, SMALL_TIERS, tiers

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "pricing.json").read_text())

TWO_TIERS = [{"up_to": 10, "unit_amount": "5"}, {"up_to": None, "unit_amount": "1"}]

NAMED_MODELS = st.one_of(
    [st.tuples(st.just(kind), models) for kind, models in MODELS.items()],
)
MONOTONE_MODELS = st.one_of(
    [models for kind, models in MODELS.items() if kind is not PricingModel.VOLUME]
)


def parse(model, *, unit_price=None, tiers=None, path=""):
    return parse_price_model(model=model, unit_price=unit_price, tiers=tiers, path=path)


def due(charge, quantity, *, event_count=0, **options):
    return amount_due(charge, Decimal(quantity), event_count=event_count, **options)


def faults(model, *, unit_price=None, tiers=None, path=""):
    with pytest.raises(DomainError) as caught:
        parse(model, unit_price=unit_price, tiers=tiers, path=path)
    return caught.value.fields


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: f"{case['model']} {case['quantity']}")
def test_amounts_are_the_golden_ones(case):
    model = parse(case["model"], unit_price=case.get("unit_price"), tiers=case.get("tiers"))

    assert format_money(due(Charge(model), case["quantity"])) == case["amount"]


@pytest.mark.parametrize(
    ("alias", "model"), [("flat", "flat_unit"), ("per_unit", "flat_unit"), ("graduated", "tiered")]
)
def test_an_alias_means_its_model(alias, model):
    terms = {"unit_price": "2", "tiers": TWO_TIERS}

    assert parse(alias, **terms) == parse(model, **terms)


@pytest.mark.parametrize("model", ["", "percent", "FLAT_UNIT", "flat ", None, 1, []])
def test_an_unknown_model_is_refused_with_the_known_ones(model):
    assert faults(model, unit_price="1", path="prices[2]") == {
        "prices[2].model": "must be one of flat_unit, tiered, volume, weighted_tiered, package, "
        "overage, percentage, flat, per_unit, graduated"
    }


@pytest.mark.parametrize(
    ("unit_price", "fault"),
    [
        (None, "is required"),
        ("", "is required"),
        ("-0.01", "must not be negative"),
        ("NaN", "must be a decimal number"),
        (Decimal("NaN"), "must be a decimal number"),
        (True, "must be a decimal number"),
        ("1e3", "must be a decimal number"),
        ("0.0000000000001", "has more than 12 decimal places"),
        ("1000000000000000000", "is too large"),
    ],
)
def test_a_faulty_unit_price_is_refused(unit_price, fault):
    assert faults("flat_unit", unit_price=unit_price) == {"unit_price": fault}


def test_a_price_of_twelve_places_is_kept_exactly():
    model = parse("flat_unit", unit_price="0.123456789012")

    assert model == FlatUnit(Decimal("0.123456789012"))


@pytest.mark.parametrize("model", ["tiered", "volume", "weighted_tiered"])
@pytest.mark.parametrize(
    ("tiers", "fault"),
    [
        (None, {"tiers": "must have at least one tier"}),
        ([], {"tiers": "must have at least one tier"}),
        ("[]", {"tiers": "must be a list of tiers"}),
        ({"up_to": None, "unit_amount": "1"}, {"tiers": "must be a list of tiers"}),
        ([None], {"tiers[0]": "must be an object"}),
        ([{"up_to": None}], {"tiers[0].unit_amount": "is required"}),
        (
            [{"up_to": 5, "unit_amount": "1"}],
            {"tiers[0].up_to": "must be null in the last tier"},
        ),
        (
            [{"up_to": None, "unit_amount": "1"}, {"up_to": None, "unit_amount": "2"}],
            {"tiers[0].up_to": "may be null in the last tier only"},
        ),
        (
            [{"up_to": 0, "unit_amount": "1"}, *TWO_TIERS],
            {"tiers[0].up_to": "must be greater than in the tier before"},
        ),
        (
            [*TWO_TIERS[:1], *TWO_TIERS],
            {"tiers[1].up_to": "must be greater than in the tier before"},
        ),
        (
            [{"up_to": -5, "unit_amount": "-1"}, {"up_to": None, "unit_amount": "NaN"}],
            {
                "tiers[0].up_to": "must not be negative",
                "tiers[0].unit_amount": "must not be negative",
                "tiers[1].unit_amount": "must be a decimal number",
            },
        ),
        (TWO_TIERS * TIERS_MAX, {"tiers": "must have at most 100 tiers"}),
    ],
)
def test_faulty_tiers_are_refused_all_at_once(model, tiers, fault):
    assert faults(model, tiers=tiers) == fault


def test_a_fault_is_named_by_its_whole_path():
    tiers = [{"up_to": 10, "unit_amount": "x"}, {"up_to": "9", "unit_amount": "1"}]

    assert faults("tiered", tiers=tiers, path="prices[0]") == {
        "prices[0].tiers[0].unit_amount": "must be a decimal number",
        "prices[0].tiers[1].up_to": "must be null in the last tier",
    }


def test_a_limit_may_be_an_integer_a_json_number_or_text_and_is_absent_in_the_last_tier():
    model = parse(
        "tiered",
        unit_price="",
        tiers=[
            {"up_to": 1, "unit_amount": 3, "id": "of an old client"},
            {"up_to": Decimal("2.5"), "unit_amount": Decimal("0.5")},
            {"up_to": "4", "unit_amount": "0.25"},
            {"unit_amount": "0"},
        ],
    )

    assert model == Tiered(
        (
            Tier(Decimal(1), Decimal(3)),
            Tier(Decimal("2.5"), Decimal("0.5")),
            Tier(Decimal(4), Decimal("0.25")),
            Tier(None, Decimal(0)),
        )
    )


@pytest.mark.parametrize(
    ("unit_price", "tiers"),
    [
        (None, {"package_size": 1000, "package_price": "500"}),
        (None, {"package_size": "1000", "package_price": 500, "round_up_partial_block": None}),
        ("9", {"package_size": 1000, "package_price": "500", "round_up_partial_block": True}),
        ("500", {"package_size": 1000}),
        ("500", {"package_size": 1000, "package_price": "", "round_up_partial_block": True}),
    ],
)
def test_a_package_takes_its_price_from_tiers_or_else_from_unit_price(unit_price, tiers):
    model = parse("package", unit_price=unit_price, tiers=tiers)

    assert model == Package(Decimal(1000), Decimal(500), round_up_partial_block=True)


@pytest.mark.parametrize(
    ("unit_price", "tiers", "fault"),
    [
        ("500", None, {"tiers.package_size": "is required"}),
        ("500", [], {"tiers": "must be an object"}),
        ("500", '{"package_size": 1}', {"tiers": "must be an object"}),
        ("500", {"package_size": 0}, {"tiers.package_size": "must be greater than 0"}),
        ("500", {"package_size": -1}, {"tiers.package_size": "must not be negative"}),
        ("500", {"package_size": "NaN"}, {"tiers.package_size": "must be a decimal number"}),
        ("-5", {"package_size": 1}, {"unit_price": "must not be negative"}),
        (
            None,
            {"round_up_partial_block": "yes"},
            {
                "tiers.round_up_partial_block": "must be true or false",
                "tiers.package_size": "is required",
                "tiers.package_price": "is required",
            },
        ),
    ],
)
def test_a_faulty_package_is_refused(unit_price, tiers, fault):
    assert faults("package", unit_price=unit_price, tiers=tiers) == fault


@pytest.mark.parametrize(
    ("unit_price", "tiers", "model"),
    [
        (None, {"overage_price": "2"}, Overage(Decimal(0), Decimal(0), Decimal(2))),
        ("2", None, Overage(Decimal(0), Decimal(0), Decimal(2))),
        ("2", {"included_units": 100}, Overage(Decimal(100), Decimal(0), Decimal(2))),
        (
            "2",
            {"included_units": 100, "base_price": "50", "overage_price": "3"},
            Overage(Decimal(100), Decimal(50), Decimal(3)),
        ),
        (
            None,
            [{"up_to": 100, "unit_amount": "0"}, {"up_to": None, "unit_amount": "2"}],
            Overage(Decimal(100), Decimal(0), Decimal(2)),
        ),
    ],
)
def test_an_overage_is_read_in_its_present_and_legacy_forms(unit_price, tiers, model):
    assert parse("overage", unit_price=unit_price, tiers=tiers) == model


@pytest.mark.parametrize(
    ("tiers", "fault"),
    [
        (None, {"tiers.overage_price": "is required"}),
        ("1", {"tiers": "must be an object"}),
        ([], {"tiers": "must have two tiers: the included units, then the rest"}),
        (
            TWO_TIERS,
            {
                "tiers[0].unit_amount": "must be 0 in the tier of included units; "
                "base_price charges for them"
            },
        ),
        (
            [{}, {}],
            {"tiers[0].up_to": "may be null in the last tier only"}
            | {f"tiers[{index}].unit_amount": "is required" for index in range(2)},
        ),
        (
            {"included_units": -1, "base_price": "-1", "overage_price": "1e1"},
            {
                "tiers.included_units": "must not be negative",
                "tiers.base_price": "must not be negative",
                "tiers.overage_price": "must be a decimal number",
            },
        ),
    ],
)
def test_a_faulty_overage_is_refused(tiers, fault):
    assert faults("overage", tiers=tiers) == fault


@pytest.mark.parametrize(
    ("model", "amount"),
    [
        (FlatUnit(Decimal(2)), "-10"),
        (Tiered((Tier(None, Decimal(2)),)), "0"),
        (Volume((Tier(None, Decimal(2)),)), "0"),
        (WeightedTiered((Tier(None, Decimal(2)),)), "0"),
        (Package(Decimal(1), Decimal(2), round_up_partial_block=True), "0"),
        (Package(Decimal(1), Decimal(2), round_up_partial_block=False), "0"),
        (Overage(Decimal(0), Decimal(7), Decimal(2)), "7"),
        (Percentage(Decimal("0.5"), Decimal(7)), "-2.5"),
    ],
)
def test_a_negative_quantity_is_returned_at_a_flat_rate_and_counts_as_zero_elsewhere(model, amount):
    assert price(model, Decimal(-5)) == Decimal(amount)


def test_the_largest_quantity_at_the_finest_price_is_exact():
    quantity = Decimal("99999999999999999999999999.999999999999")

    assert str(price(FlatUnit(Decimal("999999999999999999.999999999999")), quantity)) == (
        "99999999999999999999999999999899999999000000.000000000000000000000001"
    )


def test_canonical_json_has_text_for_prices_and_integers_for_whole_limits():
    model = parse(
        "tiered",
        tiers=[
            {"up_to": "1000.0", "unit_amount": "5"},
            {"up_to": Decimal("1000.5"), "unit_amount": "0.0000001"},
            {"up_to": None, "unit_amount": 1},
        ],
    )

    assert price_model_json(model) == (
        None,
        [
            {"up_to": 1000, "unit_amount": "5.000000"},
            {"up_to": "1000.5", "unit_amount": "0.0000001"},
            {"up_to": None, "unit_amount": "1.000000"},
        ],
    )


def test_a_legacy_package_is_echoed_in_the_present_form():
    model = parse("package", unit_price="500", tiers={"package_size": 1000})

    assert price_model_json(model) == (
        None,
        {"package_size": 1000, "package_price": "500.000000", "round_up_partial_block": True},
    )


@given(NAMED_MODELS)
def test_a_model_reads_back_as_it_was_written(named):
    kind, model = named

    unit_price, tiers = price_model_json(model)
    stored = json.loads(json.dumps(tiers), parse_float=Decimal)

    assert parse(str(kind), unit_price=unit_price, tiers=stored) == model


@given(SMALL_TIERS, st.integers(min_value=0, max_value=40))
def test_tiered_is_the_sum_of_units_priced_one_by_one(tiers, quantity):
    rates = [
        next(tier.unit_amount for tier in tiers if tier.up_to is None or unit <= tier.up_to)
        for unit in range(1, quantity + 1)
    ]

    with localcontext(EXACT):
        one_by_one = sum(rates)

    assert price(Tiered(tiers), Decimal(quantity)) == one_by_one


@given(tiers(), QUANTITIES)
def test_weighted_tiered_charges_what_tiered_does(tiers, quantity):
    assert price(WeightedTiered(tiers), quantity) == price(Tiered(tiers), quantity)


@given(MONOTONE_MODELS, QUANTITIES, QUANTITIES)
def test_more_usage_never_costs_less(model, one, other):
    fewer, more = sorted((one, other))

    assert price(model, fewer) <= price(model, more)
    assert due(Charge(model), fewer) <= due(Charge(model), more)


@given(SIZES, PRICES, QUANTITIES)
def test_rounding_blocks_up_costs_the_same_or_one_block_more(size, block_price, quantity):
    up = price(Package(size, block_price, round_up_partial_block=True), quantity)
    down = price(Package(size, block_price, round_up_partial_block=False), quantity)

    assert EXACT.subtract(up, down) in {Decimal(0), block_price}


AMOUNTS = st.decimals(min_value=0, max_value=10**17, places=6)
BOUNDS = st.tuples(st.none() | AMOUNTS, st.none() | AMOUNTS).map(
    lambda pair: pair if None in pair else tuple(sorted(pair))
)
CHARGES = st.builds(
    lambda named, fee, bounds: Charge(named[1], fee, *bounds), NAMED_MODELS, AMOUNTS, BOUNDS
)
EVENT_COUNTS = st.integers(min_value=0, max_value=10**12)
TEN_PERCENT = Percentage(Decimal("0.1"), Decimal(0))


def charge_of(**fields):
    absent = dict.fromkeys(("unit_price", "tiers", "flat_fee", "minimum_amount", "maximum_amount"))
    return parse_charge(**{**absent, "model": "flat_unit", "path": "prices[0]", **fields})


@pytest.mark.parametrize(
    ("rate", "fixed", "quantity", "event_count", "amount"),
    [
        ("0.015", "10", "200000", 3, "3030"),
        ("0.015", "0", "200000", 3, "3000"),
        ("0", "10", "200000", 3, "30"),
        ("0.015", "10", "0", 0, "0"),
        ("0.015", "10", "-1000", 2, "5"),
        ("0.000000000001", "0", "1", 1, "0.000000000001"),
    ],
)
def test_a_percentage_is_a_share_of_the_sum_and_a_fixed_price_for_each_event(
    rate, fixed, quantity, event_count, amount
):
    model = Percentage(Decimal(rate), Decimal(fixed))

    assert price(model, Decimal(quantity), event_count) == Decimal(amount)


@pytest.mark.parametrize(
    ("tiers", "model"),
    [
        (
            {"rate": "0.015", "fixed": "10.00"},
            Percentage(Decimal("0.015"), Decimal(10)),
        ),
        ({"rate": Decimal("0.015")}, Percentage(Decimal("0.015"), Decimal(0))),
        ({"rate": 0, "fixed": ""}, Percentage(Decimal(0), Decimal(0))),
    ],
)
def test_a_percentage_is_read_from_its_tiers(tiers, model):
    assert parse("percentage", unit_price="7", tiers=tiers) == model


@pytest.mark.parametrize(
    ("tiers", "fault"),
    [
        (None, {"tiers.rate": "is required"}),
        ([], {"tiers": "must be an object"}),
        ({"rate": "-0.01"}, {"tiers.rate": "must not be negative"}),
        ({"rate": "1.5%"}, {"tiers.rate": "must be a decimal number"}),
        ({"rate": "0.0000000000001"}, {"tiers.rate": "has more than 12 decimal places"}),
        (
            {"fixed": "-1"},
            {"tiers.rate": "is required", "tiers.fixed": "must not be negative"},
        ),
    ],
)
def test_a_faulty_percentage_is_refused(tiers, fault):
    assert faults("percentage", tiers=tiers) == fault


@pytest.mark.parametrize(
    ("charge", "quantity", "amount"),
    [
        (Charge(FlatUnit(Decimal(2)), Decimal(100)), "5", "110"),
        (Charge(FlatUnit(Decimal(2)), Decimal(100)), "0", "100"),
        (Charge(FlatUnit(Decimal(2)), Decimal(0), Decimal(50)), "5", "50"),
        (Charge(FlatUnit(Decimal(2)), Decimal(0), Decimal(50)), "30", "60"),
        (Charge(FlatUnit(Decimal(2)), Decimal(45), Decimal(50)), "5", "55"),
        (Charge(FlatUnit(Decimal(2)), Decimal(0), None, Decimal(50)), "30", "50"),
        (Charge(FlatUnit(Decimal(2)), Decimal(60), None, Decimal(50)), "0", "50"),
        (Charge(FlatUnit(Decimal(2)), Decimal(0), Decimal(50), Decimal(50)), "30", "50"),
        (Charge(FlatUnit(Decimal(2)), Decimal(0), None, Decimal(0)), "30", "0"),
        (Charge(FlatUnit(Decimal(2)), Decimal(3)), "-5", "-7"),
        (Charge(FlatUnit(Decimal(2)), Decimal(0), Decimal(0)), "-5", "0"),
        (Charge(TEN_PERCENT, Decimal("0.000001")), "0.000015", "0.000002"),
    ],
)
def test_a_fee_is_added_before_the_bounds_hold(charge, quantity, amount):
    assert due(charge, quantity) == Decimal(amount)


def test_a_period_that_still_runs_leaves_the_minimum_out_and_nothing_else():
    charge = Charge(FlatUnit(Decimal(2)), Decimal(1), Decimal(50), Decimal(60))

    running = [due(charge, quantity, with_minimum=False) for quantity in (5, 100)]
    closed = [due(charge, quantity) for quantity in (5, 100)]

    assert (running, closed) == ([11, 60], [50, 60])


@given(CHARGES, QUANTITIES | QUANTITIES.map(lambda quantity: -quantity), EVENT_COUNTS)
def test_an_amount_lies_within_its_bounds(charge, quantity, event_count):
    amount = due(charge, quantity, event_count=event_count)

    assert charge.minimum_amount is None or amount >= charge.minimum_amount
    assert charge.maximum_amount is None or amount <= charge.maximum_amount
    assert due(charge, quantity, event_count=event_count, with_minimum=False) <= amount


@given(CHARGES)
def test_a_charge_reads_back_as_it_was_written(charge):
    stored = json.loads(json.dumps(charge_json(charge)), parse_float=Decimal)

    assert charge_from_json(stored) == charge


def test_a_charge_is_written_in_canonical_form():
    charge = Charge(TEN_PERCENT, Decimal(1), None, Decimal(9))

    assert charge_json(charge) == {
        "model": "percentage",
        "unit_price": None,
        "tiers": {"rate": "0.1", "fixed": "0.000000"},
        "flat_fee": "1.000000",
        "minimum_amount": None,
        "maximum_amount": "9.000000",
    }


@pytest.mark.parametrize("unset", [None, ""])
def test_without_fee_and_bounds_a_charge_is_its_model(unset):
    names = ("flat_fee", "minimum_amount", "maximum_amount")

    charge = charge_of(unit_price="2", **dict.fromkeys(names, unset))

    assert charge == Charge(FlatUnit(Decimal(2)))


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"flat_fee": "-1"}, {"prices[0].flat_fee": "must not be negative"}),
        ({"flat_fee": "0.0000001"}, {"prices[0].flat_fee": "has more than 6 decimal places"}),
        ({"minimum_amount": "NaN"}, {"prices[0].minimum_amount": "must be a decimal number"}),
        ({"maximum_amount": "-1"}, {"prices[0].maximum_amount": "must not be negative"}),
        ({"maximum_amount": True}, {"prices[0].maximum_amount": "must be a decimal number"}),
        (
            {"minimum_amount": "2", "maximum_amount": "1.999999"},
            {"prices[0].maximum_amount": "must not be below minimum_amount"},
        ),
        (
            {"unit_price": None, "minimum_amount": "2", "maximum_amount": "x"},
            {
                "prices[0].unit_price": "is required",
                "prices[0].maximum_amount": "must be a decimal number",
            },
        ),
    ],
)
def test_faulty_fees_and_bounds_are_refused_with_the_models_faults(fields, fault):
    with pytest.raises(DomainError) as caught:
        charge_of(**{"unit_price": "2", **fields})

    assert caught.value.fields == fault

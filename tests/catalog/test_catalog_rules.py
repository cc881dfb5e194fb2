"""Which definitions of metrics and plans are valid, and what an edit does; without a database."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from monigo.catalog import (
    FILTERS_MAX,
    TRIAL_DAYS_MAX,
    BaseFee,
    BillingMode,
    Metric,
    MetricDefinition,
    MetricFilter,
    OverrideChanges,
    PlanChanges,
    PlanDetails,
    PlanType,
    Price,
    PriceDraft,
    PriceOverride,
    PriceTerms,
)
from monigo.catalog.metrics.rules import (
    FILTER_CHOICES_MAX,
    FILTER_TEXT_LENGTH_MAX,
    check_definition,
    counts_otherwise,
)
from monigo.catalog.overrides.rules import check_override, override_after
from monigo.catalog.overrides.types import OverrideTerms
from monigo.catalog.plans.rules import base_fee_after, check_base_fee, check_details, fixed_terms
from monigo.catalog.prices import price_changes
from monigo.catalog.prices.rules import percentage_faults
from monigo.core.aggregation import Aggregation
from monigo.core.errors import DomainError
from monigo.core.periods import BillingPeriod
from monigo.core.pricing import Charge, FlatUnit, Percentage, Tier, Tiered
from support.values import made

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
A, B, C, COUNTED, SUMMED = (UUID(int=number) for number in (1, 2, 3, 4, 5))
PERCENT = Percentage(Decimal("0.1"), Decimal(0))
NEEDS_SUM = "percentage needs a metric whose aggregation is sum"


def definition(**said):
    usual = {
        "name": "Calls",
        "event_name": "call",
        "aggregation": Aggregation.COUNT,
        "aggregation_property": "",
        "description": "",
        "filters": (),
        "group_by": "",
    }
    return made(MetricDefinition, usual, said)


def metric(aggregation):
    of = definition(aggregation=aggregation, aggregation_property="n")
    return Metric(SUMMED, of, 1, START, START)


def details(**said):
    usual = {
        "name": "Pro",
        "description": "",
        "currency": "NGN",
        "trial_period_days": 0,
        "plan_type": PlanType.COLLECTION,
        "billing_period": BillingPeriod.MONTHLY,
        "billing_mode": BillingMode.POSTPAID,
    }
    return made(PlanDetails, usual, said)


def terms(unit_price=1, metric_id=COUNTED, model=None):
    model = model or FlatUnit(Decimal(unit_price))
    return PriceTerms(metric_id, Charge(model), "flat_unit")


def price(price_id, unit_price=1):
    return Price(price_id, UUID(int=99), 1, terms(unit_price), START, START)


def draft(price_id=None, unit_price=1, **said):
    return PriceDraft(price_id, terms(unit_price, **said))


def faults_of(attempt, *arguments):
    with pytest.raises(DomainError) as refused:
        attempt(*arguments)
    return refused.value.fields


@pytest.mark.parametrize("aggregation", ["sum", "max", "minimum", "average", "unique"])
def test_what_adds_up_or_compares_needs_a_property(aggregation):
    wanted = definition(aggregation=Aggregation(aggregation))

    assert faults_of(check_definition, wanted) == {
        "aggregation_property": f"is required for {aggregation}"
    }


@pytest.mark.parametrize(
    ("aggregation", "is_possible"),
    [
        *(("count", True), ("sum", True)),
        *(("max", False), ("minimum", False), ("average", False), ("unique", False)),
    ],
)
def test_only_what_adds_up_is_told_by_groups(aggregation, is_possible):
    wanted = definition(
        aggregation=Aggregation(aggregation), aggregation_property="n", group_by="region"
    )

    if is_possible:
        check_definition(wanted)
    else:
        assert faults_of(check_definition, wanted) == {
            "group_by": "is possible for count and sum only"
        }


def test_a_metric_has_a_name_and_counts_events_of_a_name():
    assert faults_of(check_definition, definition(name="", event_name="")) == {
        "name": "is required",
        "event_name": "is required",
    }


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        *(("=", "a"), ("=", 1), ("=", True), ("!=", Decimal("1.5")), ("=", "")),
        ("=", "x" * FILTER_TEXT_LENGTH_MAX),
        *((">", 1), (">=", "1.5"), ("<", Decimal(-1)), ("<=", 0)),
        *(("in", ["a"]), ("not in", ["a", 1, True]), ("in", ["a"] * FILTER_CHOICES_MAX)),
        ("exists", None),
    ],
)
def test_a_filter_compares_a_property_with_a_value(operator, value):
    check_definition(definition(filters=(MetricFilter("region", operator, value),)))


NO_OPERAND = "must be a string, a number or a boolean"
NO_LIST = "must be a list of 1 to 100 values"


@pytest.mark.parametrize(
    ("condition", "faults"),
    [
        (("", "=", "a"), {".property": "is required"}),
        (
            ("a", "~", "a"),
            {".operator": "must be one of =, !=, in, not in, >, >=, <, <=, exists"},
        ),
        (("a", "=", None), {".value": NO_OPERAND}),
        (("a", "=", ["a"]), {".value": NO_OPERAND}),
        (("a", "!=", {}), {".value": NO_OPERAND}),
        (("a", "=", "x" * 256), {".value": "must be at most 255 characters"}),
        (("a", "=", "\x00"), {".value": "must not hold a NUL character"}),
        (("a", ">", "many"), {".value": "must be a number"}),
        (("a", "<", None), {".value": "must be a number"}),
        (("a", "<=", True), {".value": "must be a number"}),
        (("a", "in", "a"), {".value": NO_LIST}),
        (("a", "in", []), {".value": NO_LIST}),
        (("a", "not in", ["a"] * 101), {".value": NO_LIST}),
        (("a", "in", ["a", None, "x" * 256]), {".value[1]": NO_OPERAND, ".value[2]": "x"}),
        (("a", "exists", True), {".value": "must not be set: the property is all that matters"}),
        (("", "exists", False), {".property": "is required", ".value": "x"}),
    ],
)
def test_a_filter_that_means_nothing_is_named(condition, faults):
    filters = (MetricFilter("a", "=", "a"), MetricFilter(*condition))

    told = faults_of(check_definition, definition(filters=filters))

    assert list(told) == [f"filters[1]{place}" for place in faults]
    assert [text for text in faults.values() if text != "x"] == [
        told[f"filters[1]{place}"] for place, text in faults.items() if text != "x"
    ]


def test_a_metric_has_at_most_twenty_filters():
    one = MetricFilter("a", "=", "a")

    check_definition(definition(filters=(one,) * FILTERS_MAX))
    assert faults_of(check_definition, definition(filters=(one,) * (FILTERS_MAX + 1))) == {
        "filters": "must be at most 20"
    }


@pytest.mark.parametrize(
    ("change", "is_other"),
    [
        *(({"name": "x"}, False), ({"description": "x"}, False), ({}, False)),
        *(({"event_name": "x"}, True), ({"aggregation": Aggregation.SUM}, True)),
        *(({"aggregation_property": "x"}, True), ({"group_by": "x"}, True)),
        ({"filters": ()}, True),
        ({"filters": (MetricFilter("a", "=", True),)}, True),
        ({"filters": (MetricFilter("a", "=", Decimal(1)),)}, False),
    ],
)
def test_a_metric_counts_otherwise_by_all_but_its_words(change, is_other):
    before = definition(filters=(MetricFilter("a", "=", 1),))
    after = definition(**{"filters": before.filters, **change})

    assert counts_otherwise(before, after) is is_other


def test_one_and_true_are_other_choices():
    number = definition(filters=(MetricFilter("a", "in", ["b", 1]),))
    boolean = definition(filters=(MetricFilter("a", "in", ["b", True]),))

    assert counts_otherwise(number, boolean)


@pytest.mark.parametrize("days", [0, TRIAL_DAYS_MAX])
def test_a_trial_lasts_up_to_two_years(days):
    check_details(details(trial_period_days=days))


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": ""}, "name"),
        ({"trial_period_days": -1}, "trial_period_days"),
        ({"trial_period_days": TRIAL_DAYS_MAX + 1}, "trial_period_days"),
        (
            {"plan_type": PlanType.PAYOUT, "billing_mode": BillingMode.PREPAID},
            "billing_mode",
        ),
        (
            {"plan_type": PlanType.PAYOUT, "billing_mode": BillingMode.REALTIME},
            "billing_mode",
        ),
    ],
)
def test_a_plan_that_can_not_be_subscribed_to_is_refused(said, field):
    assert list(faults_of(check_details, details(**said))) == [field]


def test_a_payout_plan_may_be_postpaid_and_any_other_prepaid():
    check_details(details(plan_type=PlanType.PAYOUT))
    check_details(details(billing_mode=BillingMode.PREPAID))


@pytest.mark.parametrize(
    ("said", "is_other"),
    [
        *(({"currency": "USD"}, True), ({"plan_type": PlanType.PAYOUT}, True)),
        ({"billing_period": BillingPeriod.DAILY}, True),
        ({"billing_mode": BillingMode.PREPAID}, True),
        *(({"name": "x"}, False), ({"trial_period_days": 5}, False)),
    ],
)
def test_what_subscribers_rely_on(said, is_other):
    assert (fixed_terms(details(**said)) != fixed_terms(details())) is is_other


def test_a_base_fee_may_be_nothing_and_not_negative():
    check_base_fee(BaseFee(Decimal(0)))
    assert faults_of(check_base_fee, BaseFee(Decimal("-0.000001"))) == {
        "base_fee": "must not be negative"
    }


@pytest.mark.parametrize(
    ("changes", "after"),
    [
        (PlanChanges(), (5, False)),
        (PlanChanges(base_fee=Decimal(0)), (0, False)),
        (PlanChanges(in_advance=True), (5, True)),
        (PlanChanges(base_fee=Decimal(7), in_advance=True), (7, True)),
    ],
)
def test_an_edit_leaves_what_it_does_not_say_of_the_fee(changes, after):
    assert base_fee_after(BaseFee(Decimal(5), in_advance=False), changes) == BaseFee(*after)


def test_what_an_edit_takes_away_of_a_fee_in_advance():
    present = BaseFee(Decimal(5), in_advance=True)

    assert base_fee_after(present, PlanChanges(in_advance=False)) == BaseFee(Decimal(5))


def test_a_percentage_is_taken_of_a_sum_only():
    metrics = {COUNTED: metric(Aggregation.COUNT), SUMMED: metric(Aggregation.SUM)}
    wanted = [
        draft(model=PERCENT, metric_id=SUMMED),
        draft(model=PERCENT, metric_id=COUNTED),
        draft(A, metric_id=COUNTED),
        draft(B, metric_id=COUNTED),
        draft(A, metric_id=SUMMED),
    ]

    assert percentage_faults(wanted, metrics, {A}) == {
        "prices[1].model": NEEDS_SUM,
        "prices[2].metric_id": "must be a sum: a price override takes a percentage of it",
    }


def test_an_edit_adds_revises_and_removes():
    present = [price(A), price(B), price(C)]

    changes = price_changes(present, [draft(A), draft(unit_price=9), draft(C, 2)])

    assert changes.added == ((1, draft(unit_price=9)),)
    assert changes.revised == ((2, present[2], draft(C, 2)),)
    assert changes.removed == (present[1],)


def test_a_list_that_stays_changes_nothing():
    changes = price_changes([price(A), price(B)], [draft(A), draft(B)])

    assert (changes.added, changes.revised, changes.removed) == ((), (), ())


def test_prices_that_change_places_are_revised():
    present = [price(A), price(B)]

    changes = price_changes(present, [draft(B), draft(A)])

    assert changes.revised == ((0, present[1], draft(B)), (1, present[0], draft(A)))
    assert changes.removed == ()


def test_an_id_that_is_not_the_plans_or_stands_twice_is_named():
    wanted = [draft(A), draft(C), draft(A, 5)]

    assert list(faults_of(price_changes, [price(A)], wanted)) == ["prices[1].id", "prices[2].id"]


@pytest.mark.parametrize(
    ("model", "aggregation", "valid_until", "faults"),
    [
        (PERCENT, Aggregation.COUNT, None, {"model": NEEDS_SUM}),
        (PERCENT, Aggregation.SUM, None, {}),
        (FlatUnit(Decimal(1)), Aggregation.COUNT, START + DAY, {}),
        (
            FlatUnit(Decimal(1)),
            Aggregation.COUNT,
            START,
            {"valid_until": "must be after valid_from"},
        ),
        (
            PERCENT,
            Aggregation.MAX,
            START - DAY,
            {"model": NEEDS_SUM, "valid_until": "must be after valid_from"},
        ),
    ],
)
def test_an_override_means_something(model, aggregation, valid_until, faults):
    wanted = OverrideTerms(model, "x", START, valid_until)

    if faults:
        assert faults_of(check_override, wanted, metric(aggregation)) == faults
    else:
        check_override(wanted, metric(aggregation))


def override(model):
    said = {"model": model, "model_name": "flat", "valid_from": START, "valid_until": START + DAY}
    return made(PriceOverride, {}, said)


@pytest.mark.parametrize(
    ("changes", "model"),
    [
        (OverrideChanges(), FlatUnit(Decimal(3))),
        (OverrideChanges(unit_price=""), FlatUnit(Decimal(3))),
        (OverrideChanges(unit_price="4"), FlatUnit(Decimal(4))),
        (OverrideChanges(unit_price="0"), FlatUnit(Decimal(0))),
        (
            OverrideChanges(model_name="tiered", tiers=[{"up_to": None, "unit_amount": "2"}]),
            Tiered((Tier(None, Decimal(2)),)),
        ),
    ],
)
def test_an_edited_override_keeps_what_is_not_said(changes, model):
    after = override_after(override(FlatUnit(Decimal(3))), changes)

    assert after.model == model
    assert (after.valid_from, after.valid_until) == (START, START + DAY)
    assert after.model_name == (changes.model_name or "flat")


def test_an_edited_override_holds_at_other_times():
    changes = OverrideChanges(valid_from=START - DAY, valid_until=START + 2 * DAY)

    after = override_after(override(FlatUnit(Decimal(3))), changes)

    assert (after.valid_from, after.valid_until) == (START - DAY, START + 2 * DAY)

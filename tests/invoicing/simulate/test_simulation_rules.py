"""Which periods a simulation prices, by which terms, and what it reports; without a database."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from monigo.catalog import BaseFee, Metric, MetricDefinition, PriceDraft, PriceTerms
from monigo.core.aggregation import Aggregation
from monigo.core.errors import DomainError
from monigo.core.periods import Period
from monigo.core.pricing import Charge, FlatUnit
from monigo.invoicing import AgreedPrice
from monigo.invoicing.replays.job import REPORT_ROWS_MAX
from monigo.invoicing.simulate.rules import (
    SPAN_MAX,
    PriceList,
    Report,
    check_span,
    held_price_list,
    past_periods,
    proposed_price_list,
    subtotal_of,
)
from monigo.invoicing.simulate.types import Proposal, SimulatedPeriod
from monigo.invoicing.types import Terms
from monigo.metering import Usage
from support.values import OTHER_PLAN, PLAN, START, made, phase, subscription

INSTANT = timedelta(microseconds=1)
JANUARY, FEBRUARY, MARCH, APRIL = (datetime(2026, month, 1, tzinfo=UTC) for month in range(1, 5))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MIDDLE = datetime(2026, 2, 15, tzinfo=UTC)
A, B, CALLS, BYTES = (UUID(int=number) for number in (1, 2, 3, 4))
WINDOWS = (Period(JANUARY, FEBRUARY),)


def proposal(span=None, prices=(), base_fee=None):
    said = {"plan_id": PLAN, "prices": prices, "base_fee": base_fee}
    return made(Proposal, said, {"span": span and Period(*span)})


def metric(metric_id, version=1):
    calls = MetricDefinition("Calls", "call", Aggregation.COUNT, "", "")
    return Metric(metric_id, calls, version, START, START)


def charge(unit_price, flat_fee=0):
    return Charge(FlatUnit(Decimal(unit_price)), Decimal(flat_fee))


def agreed(price_id, unit_price, *, override_id=None, of=CALLS, version=1):
    return AgreedPrice(price_id, 1, charge(unit_price), metric(of, version), override_id)


def terms(*prices, fee="5", windows=WINDOWS):
    return Terms(PLAN, 1, BaseFee(Decimal(fee)), 1, windows, prices)


def draft(price_id, unit_price, flat_fee=0, of=CALLS):
    return PriceDraft(price_id, PriceTerms(of, charge(unit_price, flat_fee), "flat_unit"))


def used(quantity):
    return Usage(Decimal(quantity), 1, START, START)


@pytest.mark.parametrize(
    ("start", "end", "span"),
    [
        (None, None, None),
        (JANUARY, FEBRUARY, Period(JANUARY, FEBRUARY)),
        (
            APRIL - INSTANT,
            APRIL + SPAN_MAX - INSTANT,
            Period(APRIL - INSTANT, APRIL + SPAN_MAX - INSTANT),
        ),
    ],
)
def test_a_span_of_up_to_a_year_is_priced(start, end, span):
    assert check_span(start, end, APRIL) == span


@pytest.mark.parametrize(
    ("start", "end", "faults"),
    [
        (None, JANUARY, {"from": "is required where the other bound is given"}),
        (JANUARY, None, {"to": "is required where the other bound is given"}),
        (JANUARY, JANUARY, {"to": "must lie after from"}),
        (APRIL, APRIL + INSTANT, {"from": "must lie in the past"}),
        (
            JANUARY,
            JANUARY + SPAN_MAX + INSTANT,
            {"to": "must lie at most 366 days after from"},
        ),
    ],
)
def test_another_span_is_refused(start, end, faults):
    with pytest.raises(DomainError) as refused:
        check_span(start, end, APRIL)

    assert refused.value.fields == faults


@pytest.mark.parametrize(
    ("said", "span", "now", "kept_from", "starts"),
    [
        ({}, None, FEBRUARY - INSTANT, LONG_AGO, []),
        ({}, None, FEBRUARY, LONG_AGO, [JANUARY]),
        ({}, None, MIDDLE, LONG_AGO, [JANUARY]),
        ({}, None, MARCH, LONG_AGO, [FEBRUARY]),
        ({}, (JANUARY, MARCH), APRIL, LONG_AGO, [JANUARY, FEBRUARY]),
        ({}, (JANUARY, MARCH - INSTANT), APRIL, LONG_AGO, [JANUARY]),
        ({}, (JANUARY + INSTANT, APRIL), APRIL, LONG_AGO, [FEBRUARY, MARCH]),
        ({}, (JANUARY, APRIL), MARCH, LONG_AGO, [JANUARY, FEBRUARY]),
        ({}, (JANUARY, APRIL), MARCH - INSTANT, LONG_AGO, [JANUARY]),
        ({}, (JANUARY, APRIL), APRIL, FEBRUARY, [FEBRUARY, MARCH]),
        ({}, (JANUARY, APRIL), APRIL, FEBRUARY + INSTANT, [MARCH]),
        (
            {"trial_ends_at": FEBRUARY, "phase": phase(started_at=JANUARY, anchor_at=FEBRUARY)},
            (JANUARY, APRIL),
            APRIL,
            LONG_AGO,
            [FEBRUARY, MARCH],
        ),
        (
            {"past_phases": (phase(OTHER_PLAN, JANUARY),), "phase": phase(PLAN, FEBRUARY)},
            (JANUARY, APRIL),
            APRIL,
            LONG_AGO,
            [FEBRUARY, MARCH],
        ),
        ({"canceled_at": MIDDLE}, None, APRIL, LONG_AGO, [FEBRUARY]),
    ],
)
def test_ended_periods_on_the_plan_are_priced(said, span, now, kept_from, starts):
    known = subscription(**said)

    periods = past_periods(known, proposal(span), now=now, kept_from=kept_from)

    assert [period.start for period in periods] == starts


def test_what_held_is_each_price_and_the_fee():
    offer = held_price_list(terms(agreed(A, 2), agreed(B, 3, of=BYTES)))

    assert offer == PriceList(((charge(2), metric(CALLS)), (charge(3), metric(BYTES))), Decimal(5))


def test_a_wholly_paused_period_owes_nothing():
    paused = terms(agreed(A, 2), windows=())
    wanted = proposal(prices=(draft(A, 9),), base_fee=Decimal(7))

    assert held_price_list(paused) == PriceList((), Decimal(0))
    assert proposed_price_list(paused, wanted, {CALLS: metric(CALLS)}) == PriceList((), Decimal(0))


@pytest.mark.parametrize(("base_fee", "fee"), [(None, 5), (Decimal(0), 0), (Decimal(7), 7)])
def test_a_fee_that_is_not_proposed_stays(base_fee, fee):
    wanted = proposal(base_fee=base_fee)

    assert proposed_price_list(terms(), wanted, {}) == PriceList((), Decimal(fee))


def test_a_proposed_price_takes_the_place_of_what_held():
    wanted = proposal(prices=(draft(A, 9), draft(None, 4, of=BYTES)))
    metrics = {CALLS: metric(CALLS, 2), BYTES: metric(BYTES, 6)}

    offer = proposed_price_list(terms(agreed(A, 2, version=1), agreed(B, 3)), wanted, metrics)

    # What the period was measured by stays as it counted then.
    assert offer.charges == ((charge(9), metric(CALLS, 1)), (charge(4), metric(BYTES, 6)))


def test_a_customers_override_stays_under_the_proposed_fee():
    wanted = proposal(prices=(draft(A, 9, flat_fee=1),))

    offer = proposed_price_list(terms(agreed(A, 2, override_id=B)), wanted, {CALLS: metric(CALLS)})

    assert offer.charges == ((charge(2, flat_fee=1), metric(CALLS)),)


def test_a_period_comes_to_its_prices_and_its_fee():
    offer = PriceList(
        ((charge("0.333333"), metric(CALLS)), (charge(2), metric(BYTES, 3))), Decimal(5)
    )

    subtotal = subtotal_of(offer, {(CALLS, 1): used("0.5"), (BYTES, 3): used(10)})

    assert subtotal == Decimal("25.166666")


def test_a_minimum_that_a_period_does_not_reach_is_owed_by_it():
    least = Charge(FlatUnit(Decimal(2)), minimum_amount=Decimal(100))

    subtotal = subtotal_of(PriceList(((least, metric(CALLS)),), Decimal(5)), {(CALLS, 1): used(10)})

    assert subtotal == 105


def simulated(customer, old, new, start=JANUARY, end=FEBRUARY):
    return SimulatedPeriod(UUID(int=customer), Period(start, end), Decimal(old), Decimal(new))


def test_a_report_adds_up_per_customer_and_in_all():
    report = Report("NGN")
    report.add([simulated(1, 10, 12), simulated(2, 10, 10)])
    report.add([simulated(3, 10, 3, FEBRUARY, MARCH), simulated(1, 5, 4, FEBRUARY, MARCH)])

    told = report.as_json()

    assert {name: told[name] for name in told if name != "customers"} == {
        "currency": "NGN",
        "customers_total": 3,
        "customers_paying_more": 1,
        "customers_paying_less": 1,
        "truncated": False,
        "periods": 4,
        "old_amount": "35.000000",
        "new_amount": "29.000000",
        "difference": "-6.000000",
    }
    assert told["customers"][1] == {
        "customer_id": str(UUID(int=1)),
        "period_start": "2026-01-01T00:00:00Z",
        "period_end": "2026-03-01T00:00:00Z",
        "periods": 2,
        "old_amount": "15.000000",
        "new_amount": "16.000000",
        "difference": "1.000000",
    }


def test_who_would_pay_most_more_or_less_comes_first_and_then_by_id():
    report = Report("NGN")
    report.add([simulated(4, 0, 1), simulated(3, 0, -1), simulated(2, 0, 5), simulated(1, 0, -7)])

    ordered = [UUID(row["customer_id"]).int for row in report.as_json()["customers"]]

    assert ordered == [1, 2, 3, 4]


def test_nobody_is_reported_where_nothing_was_priced():
    told = Report("USD").as_json()

    assert (told["customers"], told["customers_total"], told["difference"]) == ([], 0, "0.000000")


@pytest.mark.parametrize("more", [0, 1])
def test_a_report_tells_of_ten_thousand_customers_and_counts_all(more):
    report = Report("NGN")
    report.add(simulated(number, 0, 1) for number in range(10_000 + more))

    told = report.as_json()

    assert REPORT_ROWS_MAX == len(told["customers"]) == 10_000
    assert (told["customers_total"], told["truncated"]) == (10_000 + more, bool(more))

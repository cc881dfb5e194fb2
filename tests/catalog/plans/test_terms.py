"""Which revisions of a plan, and which override, a period is billed by."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.catalog import (
    BEGINNING,
    ApplyTo,
    BaseFee,
    PlanHistory,
    PlanRevision,
    Price,
    PriceOverride,
    PriceRevision,
    PriceTerms,
    agreed_terms,
    applicable_revisions,
    charge_under,
    override_for,
    revisions_with_prices,
)
from monigo.core.periods import Period
from monigo.core.pricing import Charge, FlatUnit

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
PERIOD = Period(START, START + 30 * DAY)
SUBSCRIBED_AT = START - 60 * DAY
A, B, C = (UUID(int=number) for number in (1, 2, 3))
ANY_ID = UUID(int=99)


def plan_revision(number, effective_at=BEGINNING, apply_to=ApplyTo.ALL, fee=0):
    return PlanRevision(number, apply_to, effective_at, BaseFee(Decimal(fee)), START)


def price_revision(price_id, revision, plan_revision, unit_price, *, position=0, removed=False):
    terms = PriceTerms(ANY_ID, Charge(FlatUnit(Decimal(unit_price))), "flat_unit")
    price = Price(price_id, ANY_ID, revision, terms, START, START)
    return PriceRevision(price, plan_revision, position, removed)


def history(revisions, price_revisions):
    return PlanHistory(None, tuple(revisions), tuple(price_revisions))


def unit_prices(prices):
    return {price.id: price.terms.charge.model.unit_price for price in prices}


def terms_of(known, *, period=PERIOD, subscribed_at=SUBSCRIBED_AT, subscribed_to=None):
    """What a subscription's period is billed by; without another, it came after edits of then."""
    standing = max(one.revision for one in known.revisions if one.effective_at <= subscribed_at)
    applicable = applicable_revisions(
        known,
        period=period,
        subscribed_at=subscribed_at,
        subscribed_to=subscribed_to or standing,
    )
    return agreed_terms(known, applicable)


def agreed(revisions, price_revisions, **subscription):
    return terms_of(history(revisions, price_revisions), **subscription)


@pytest.mark.parametrize(
    ("apply_to", "effective_at", "unit_price"),
    [
        (ApplyTo.ALL, SUBSCRIBED_AT - DAY, 2),
        (ApplyTo.ALL, PERIOD.start, 2),
        (ApplyTo.ALL, PERIOD.end - timedelta(microseconds=1), 2),
        (ApplyTo.ALL, PERIOD.end, 1),
        (ApplyTo.ALL, PERIOD.end + DAY, 1),
        (ApplyTo.NEXT_PERIOD, SUBSCRIBED_AT + DAY, 2),
        (ApplyTo.NEXT_PERIOD, PERIOD.start - timedelta(microseconds=1), 2),
        (ApplyTo.NEXT_PERIOD, PERIOD.start, 1),
        (ApplyTo.NEXT_PERIOD, PERIOD.end, 1),
        (ApplyTo.NEW, SUBSCRIBED_AT - DAY, 2),
        (ApplyTo.NEW, SUBSCRIBED_AT, 2),
        (ApplyTo.NEW, SUBSCRIBED_AT + timedelta(microseconds=1), 1),
        (ApplyTo.NEW, PERIOD.start, 1),
    ],
)
def test_an_edit_counts_for_the_periods_that_it_says(apply_to, effective_at, unit_price):
    revisions = [plan_revision(1, fee=10), plan_revision(2, effective_at, apply_to, fee=20)]
    prices = [price_revision(A, 1, 1, 1), price_revision(A, 2, 2, 2)]

    terms = agreed(revisions, prices)

    assert unit_prices(terms.prices) == {A: unit_price}
    assert terms.base_fee.amount == unit_price * 10
    assert terms.plan_revision == unit_price


@pytest.mark.parametrize("apply_to", [ApplyTo.NEXT_PERIOD, ApplyTo.NEW])
@pytest.mark.parametrize("put_back", [timedelta(), timedelta(minutes=59)])
@pytest.mark.parametrize(("subscribed_to", "unit_price"), [(1, 1), (2, 2)])
def test_of_one_instant_what_was_edited_before_subscribing_holds_and_what_after_it_does_not(
    apply_to, put_back, subscribed_to, unit_price
):
    at = PERIOD.start + put_back
    prices = [price_revision(A, 1, 1, 1), price_revision(A, 2, 2, 2)]
    revisions = [plan_revision(1), plan_revision(2, at, apply_to)]

    terms = agreed(revisions, prices, subscribed_at=at, subscribed_to=subscribed_to)

    assert unit_prices(terms.prices) == {A: unit_price}


MINUTE = timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("subscribed_after", "edited_after", "unit_price"),
    [
        # Made within the hour with which it began: what was edited before that holds at once.
        (40 * MINUTE, 20 * MINUTE, 2),
        (40 * MINUTE, 40 * MINUTE, 2),
        (40 * MINUTE, 40 * MINUTE + INSTANT, 1),
        (90 * MINUTE - INSTANT, 20 * MINUTE, 2),
        # Made later, its start was said: then the edit is one that came after the start.
        (90 * MINUTE, 20 * MINUTE, 1),
        (5 * DAY, 20 * MINUTE, 1),
        # Made as it began, or before.
        (timedelta(0), timedelta(0), 2),
        (timedelta(0), INSTANT, 1),
        (-DAY, -MINUTE, 2),
        (-DAY, INSTANT, 1),
    ],
)
def test_an_edit_between_a_start_that_was_put_back_and_now_is_no_later_one(
    subscribed_after, edited_after, unit_price
):
    revisions = [
        plan_revision(1),
        plan_revision(2, PERIOD.start + edited_after, ApplyTo.NEXT_PERIOD),
    ]
    prices = [price_revision(A, 1, 1, 1), price_revision(A, 2, 2, 2)]

    terms = agreed(
        revisions,
        prices,
        subscribed_at=PERIOD.start + subscribed_after,
        subscribed_to=2 if edited_after <= subscribed_after else 1,
    )

    assert unit_prices(terms.prices) == {A: unit_price}


def test_the_first_revision_applies_even_to_periods_before_it():
    long_ago = Period(datetime(1999, 1, 1, tzinfo=UTC), datetime(1999, 2, 1, tzinfo=UTC))

    terms = agreed([plan_revision(1)], [price_revision(A, 1, 1, 5)], period=long_ago)

    assert unit_prices(terms.prices) == {A: 5}


def test_an_edit_for_others_is_passed_over_by_a_later_one_for_all():
    revisions = [
        plan_revision(1, fee=1),
        plan_revision(2, PERIOD.start, ApplyTo.NEW, fee=2),
        plan_revision(3, PERIOD.start, ApplyTo.ALL, fee=3),
    ]
    prices = [
        price_revision(A, 1, 1, 10),
        price_revision(B, 1, 1, 100),
        price_revision(A, 2, 2, 20),
        price_revision(B, 2, 2, 200),
        price_revision(A, 3, 3, 30),
    ]

    terms = agreed(revisions, prices)

    assert unit_prices(terms.prices) == {A: 30, B: 100}
    assert (terms.plan_revision, terms.base_fee.amount) == (3, 3)


def test_an_edit_that_leaves_the_fee_alone_does_not_bring_one_meant_for_others():
    revisions = [
        plan_revision(1, fee=1),
        plan_revision(2, PERIOD.start, ApplyTo.NEW, fee=2),
        plan_revision(3, PERIOD.start, ApplyTo.ALL, fee=2),
    ]

    terms = agreed(revisions, [price_revision(A, 1, 1, 1), price_revision(A, 2, 3, 3)])

    assert (terms.base_fee.amount, unit_prices(terms.prices)) == (1, {A: 3})
    assert (terms.base_fee_revision, terms.plan_revision) == (1, 3)


def test_a_price_is_there_from_the_edit_that_adds_it_to_the_one_that_removes_it():
    revisions = [
        plan_revision(1),
        plan_revision(2, PERIOD.start - DAY),
        plan_revision(3, PERIOD.start + DAY, ApplyTo.NEXT_PERIOD),
    ]
    prices = [
        price_revision(A, 1, 1, 1),
        price_revision(A, 2, 2, 1, removed=True),
        price_revision(B, 1, 2, 2),
        price_revision(B, 2, 3, 2, removed=True),
        price_revision(C, 1, 3, 3),
    ]
    next_period = Period(PERIOD.end, PERIOD.end + 30 * DAY)

    this_one = agreed(revisions, prices)
    next_one = agreed(revisions, prices, period=next_period)

    assert (unit_prices(this_one.prices), unit_prices(next_one.prices)) == ({B: 2}, {C: 3})


def test_prices_come_in_the_order_that_counts_for_the_period():
    revisions = [plan_revision(1), plan_revision(2, PERIOD.end)]
    prices = [
        price_revision(A, 1, 1, 1, position=1),
        price_revision(B, 1, 1, 1, position=0),
        price_revision(A, 2, 2, 1, position=0),
        price_revision(B, 2, 2, 1, position=1),
    ]

    terms = agreed(revisions, prices)

    assert [price.id for price in terms.prices] == [B, A]


def test_a_move_in_the_list_does_not_bring_terms_that_were_meant_for_others():
    revisions = [
        plan_revision(1),
        plan_revision(2, PERIOD.start, ApplyTo.NEW),
        plan_revision(3, PERIOD.start, ApplyTo.ALL),
    ]
    prices = [
        price_revision(A, 1, 1, 1, position=0),
        price_revision(B, 1, 1, 10, position=1),
        price_revision(B, 2, 2, 20, position=1),
        price_revision(C, 1, 2, 30, position=2),
        price_revision(A, 2, 3, 1, position=2),
        price_revision(B, 3, 3, 20, position=0),
        price_revision(C, 2, 3, 30, position=1),
    ]

    terms = agreed(revisions, prices)

    assert list(unit_prices(terms.prices).items()) == [(B, 10), (A, 1)]


EFFECTIVE = st.integers(min_value=-100, max_value=100).map(lambda days: START + days * DAY)


@st.composite
def histories(draw):
    """Plans whose every revision revises, adds or removes some of three prices."""
    count = draw(st.integers(min_value=1, max_value=6))
    revisions = [plan_revision(1)] + [
        plan_revision(number, draw(EFFECTIVE), draw(st.sampled_from(ApplyTo)), fee=number)
        for number in range(2, count + 1)
    ]
    prices = [
        price_revision(price_id, number, number, number, removed=draw(st.booleans()))
        for number in range(1, count + 1)
        for price_id in draw(st.sets(st.sampled_from([A, B, C])))
    ]
    return history(revisions, prices)


@given(histories())
def test_a_new_subscription_agrees_to_the_plan_as_it_stands(known):
    later = Period(START + 200 * DAY, START + 230 * DAY)

    terms = terms_of(known, period=later, subscribed_at=later.start)

    *_, (revision, prices) = revisions_with_prices(known)
    assert (terms.plan_revision, terms.base_fee) == (revision.revision, revision.base_fee)
    assert terms.prices == prices


@given(histories())
def test_who_subscribed_before_all_edits_never_agrees_to_one_for_new_ones(known):
    terms = terms_of(known, period=PERIOD, subscribed_at=START - 200 * DAY)

    for_new = {
        revision.revision for revision in known.revisions if revision.apply_to is ApplyTo.NEW
    }
    assert terms.plan_revision not in for_new
    assert for_new.isdisjoint(price.terms.charge.model.unit_price for price in terms.prices)


@given(histories(), EFFECTIVE)
def test_terms_are_made_of_revisions_that_there_are(known, subscribed_at):
    terms = terms_of(known, period=PERIOD, subscribed_at=subscribed_at)

    standing = {revision.price for revision in known.price_revisions if not revision.removed}
    assert set(terms.prices) <= standing
    assert len({price.id for price in terms.prices}) == len(terms.prices)
    assert all(price.revision <= terms.plan_revision for price in terms.prices)


@given(histories(), EFFECTIVE, st.randoms())
def test_terms_do_not_hang_on_the_order_in_which_prices_are_read(known, subscribed_at, chance):
    shuffled = list(known.price_revisions)
    chance.shuffle(shuffled)
    other = history(known.revisions, shuffled)

    assert terms_of(other, subscribed_at=subscribed_at) == terms_of(
        known, subscribed_at=subscribed_at
    )


@given(histories(), EFFECTIVE)
def test_with_edits_for_all_only_terms_are_the_list_of_the_latest(known, subscribed_at):
    for_all = [
        plan_revision(revision.revision, BEGINNING, fee=revision.revision)
        for revision in known.revisions
    ]
    plain = history(for_all, known.price_revisions)

    terms = terms_of(plain, period=PERIOD, subscribed_at=subscribed_at)

    *_, (_, prices) = revisions_with_prices(plain)
    assert terms.prices == prices


def override(price_id, valid_from, valid_until, unit_price=1):
    return PriceOverride(
        ANY_ID,
        ANY_ID,
        price_id,
        FlatUnit(Decimal(unit_price)),
        "flat_unit",
        valid_from,
        valid_until,
        START,
        START,
    )


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "counts"),
    [
        (PERIOD.start - DAY, None, True),
        (PERIOD.start, PERIOD.end, True),
        (PERIOD.start, PERIOD.end + DAY, True),
        (PERIOD.end - timedelta(microseconds=1), None, True),
        (PERIOD.end, None, False),
        (PERIOD.start, PERIOD.end - timedelta(microseconds=1), False),
        (PERIOD.start - DAY, PERIOD.start, False),
    ],
)
def test_the_override_that_holds_as_a_period_ends_prices_all_of_it(valid_from, valid_until, counts):
    known = override(A, valid_from, valid_until)

    assert (override_for([known], A, PERIOD) is known) == counts
    assert override_for([known], B, PERIOD) is None


@given(st.sets(EFFECTIVE, min_size=2, max_size=8))
def test_of_overrides_that_follow_each_other_one_prices_a_period(instants):
    bounds = sorted(instants)
    known = [
        override(A, start, end, number)
        for number, (start, end) in enumerate(zip(bounds, [*bounds[1:], None], strict=True))
    ]

    found = [one for one in known if override_for([one], A, PERIOD)]

    assert len(found) == (bounds[0] < PERIOD.end)
    assert override_for(known, A, PERIOD) == (found[0] if found else None)


def test_an_override_replaces_the_model_and_leaves_fee_and_bounds():
    charge = Charge(FlatUnit(Decimal(2)), Decimal(5), Decimal(10), Decimal(100))

    overridden = charge_under(charge, override(A, START, None, unit_price=1))

    assert overridden == Charge(FlatUnit(Decimal(1)), Decimal(5), Decimal(10), Decimal(100))
    assert charge_under(charge, None) == charge

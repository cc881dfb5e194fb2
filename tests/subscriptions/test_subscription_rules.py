"""When a subscription may run, which period an instant belongs to, what is due when.

Without a database; the calendar itself is tried in core.
"""

from datetime import UTC, datetime, timedelta

import pytest

from monigo.core.errors import DomainError
from monigo.core.periods import Period
from monigo.subscriptions import PauseReason, Status
from monigo.subscriptions.rules import (
    AHEAD_MAX,
    BACKDATED_MAX,
    FIRST_LOOK,
    LOOKS_END,
    check_dates,
    current_period,
    effective_at,
    first_open_period,
    has_ended,
    is_due,
    is_trial,
    last_closed_period,
    next_due_at,
    period_containing,
    periods_between,
    phase_at,
)
from support.values import OTHER_PLAN, PLAN, START, phase, subscription

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)
JANUARY, FEBRUARY, MARCH, APRIL = (datetime(2026, month, 1, tzinfo=UTC) for month in range(1, 5))
MIDDLE = datetime(2026, 2, 15, tzinfo=UTC)
IN_TRIAL = {"trial_ends_at": FEBRUARY, "phase": phase(started_at=START, anchor_at=FEBRUARY)}
CANCELED = {"status": Status.CANCELED, "canceled_at": MIDDLE}
PAUSED = {"status": Status.PAUSED, "pause_reason": PauseReason.MERCHANT}
CHANGED = {
    "past_phases": (phase(PLAN, JANUARY),),
    "phase": phase(OTHER_PLAN, MIDDLE, agreed_at=MIDDLE),
}


def refusal(attempt, *arguments, **named):
    with pytest.raises(DomainError) as refused:
        attempt(*arguments, **named)
    return refused.value


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START - BACKDATED_MAX, None),
        (START + AHEAD_MAX, None),
        (START, START + INSTANT),
        (START - DAY, START + INSTANT),
        (START + DAY, START + DAY + INSTANT),
    ],
)
def test_a_subscription_may_start_90_days_back_and_a_year_ahead(start, end):
    check_dates(start=start, end=end, now=START)


@pytest.mark.parametrize(
    ("start", "end", "fields"),
    [
        (START - BACKDATED_MAX - INSTANT, None, ["start_date"]),
        (START + AHEAD_MAX + INSTANT, None, ["start_date"]),
        (START, START, ["end_date"]),
        (START - DAY, START, ["end_date"]),
        (START + DAY, START + DAY, ["end_date"]),
        (START - BACKDATED_MAX - DAY, START - DAY, ["start_date", "end_date"]),
    ],
)
def test_a_start_or_end_beyond_is_refused(start, end, fields):
    refused = refusal(check_dates, start=start, end=end, now=START)

    assert list(refused.fields) == fields


@pytest.mark.parametrize(
    ("instant", "period"),
    [
        (JANUARY - INSTANT, None),
        (JANUARY, (JANUARY, FEBRUARY)),
        (FEBRUARY - INSTANT, (JANUARY, FEBRUARY)),
        (FEBRUARY, (FEBRUARY, MARCH)),
    ],
)
def test_an_instant_belongs_to_the_period_that_contains_it(instant, period):
    assert period_containing(subscription(), instant) == (period and Period(*period))


def test_a_trial_is_a_period_of_its_own():
    known = subscription(**IN_TRIAL)
    trial = period_containing(known, JANUARY)

    assert trial == Period(JANUARY, FEBRUARY)
    assert is_trial(known, trial)
    assert not is_trial(known, period_containing(known, FEBRUARY))
    assert not is_trial(subscription(), trial)


@pytest.mark.parametrize(
    ("instant", "plan_id"),
    [(JANUARY - DAY, PLAN), (MIDDLE - INSTANT, PLAN), (MIDDLE, OTHER_PLAN), (APRIL, OTHER_PLAN)],
)
def test_an_instant_belongs_to_a_plan(instant, plan_id):
    assert phase_at(subscription(**CHANGED), instant).plan_id == plan_id


def test_a_plans_last_period_ends_where_the_next_plan_begins():
    known = subscription(**CHANGED)

    assert period_containing(known, FEBRUARY) == Period(FEBRUARY, MIDDLE)
    assert period_containing(known, MIDDLE).start == MIDDLE
    assert period_containing(known, JANUARY) == Period(JANUARY, FEBRUARY)


def test_the_last_period_ends_with_the_subscription():
    known = subscription(**CANCELED)

    assert period_containing(known, FEBRUARY) == Period(FEBRUARY, MIDDLE)
    assert period_containing(known, JANUARY) == Period(JANUARY, FEBRUARY)


@pytest.mark.parametrize(
    ("said", "now", "period"),
    [
        ({}, JANUARY - DAY, (JANUARY, FEBRUARY)),
        ({}, MIDDLE, (FEBRUARY, MARCH)),
        (CANCELED, JANUARY, (JANUARY, FEBRUARY)),
        (CANCELED, MIDDLE, (FEBRUARY, MIDDLE)),
        (CANCELED, APRIL, (FEBRUARY, MIDDLE)),
        ({"status": Status.CANCELED, "canceled_at": FEBRUARY}, APRIL, (JANUARY, FEBRUARY)),
        ({"status": Status.CANCELED, "canceled_at": FEBRUARY}, FEBRUARY, (JANUARY, FEBRUARY)),
        ({"status": Status.CANCELED, "canceled_at": JANUARY}, APRIL, (JANUARY, FEBRUARY)),
    ],
)
def test_the_period_to_show_is_the_present_the_first_or_the_last(said, now, period):
    assert current_period(subscription(**said), now) == Period(*period)


@pytest.mark.parametrize(
    ("said", "start", "end", "starts"),
    [
        ({}, JANUARY - DAY, JANUARY, []),
        ({}, JANUARY - DAY, JANUARY + INSTANT, [JANUARY]),
        ({}, JANUARY, MARCH, [JANUARY, FEBRUARY]),
        ({}, JANUARY + INSTANT, MARCH + INSTANT, [FEBRUARY, MARCH]),
        (CANCELED, JANUARY, APRIL, [JANUARY, FEBRUARY]),
        (CHANGED, JANUARY, APRIL, [JANUARY, FEBRUARY, MIDDLE, MIDDLE + 28 * DAY]),
    ],
)
def test_periods_are_told_by_their_start(said, start, end, starts):
    periods = periods_between(subscription(**said), start, end)

    assert [period.start for period in periods] == starts


@pytest.mark.parametrize(
    ("said", "instant", "is_over"),
    [({}, APRIL, False), (CANCELED, MIDDLE - INSTANT, False), (CANCELED, MIDDLE, True)],
)
def test_a_subscription_has_ended_from_the_instant_of_its_end(said, instant, is_over):
    assert has_ended(subscription(**said), instant) is is_over


@pytest.mark.parametrize(
    ("said", "first_open", "last_closed"),
    [
        ({"closed_until": JANUARY}, (JANUARY, FEBRUARY), None),
        ({"closed_until": FEBRUARY}, (FEBRUARY, MARCH), (JANUARY, FEBRUARY)),
        ({"closed_until": FEBRUARY, **CANCELED}, (FEBRUARY, MIDDLE), (JANUARY, FEBRUARY)),
        ({"closed_until": MIDDLE, **CANCELED}, None, (FEBRUARY, MIDDLE)),
    ],
)
def test_periods_are_closed_one_after_the_other(said, first_open, last_closed):
    known = subscription(**said)

    assert first_open_period(known) == (first_open and Period(*first_open))
    assert last_closed_period(known) == (last_closed and Period(*last_closed))


@pytest.mark.parametrize(
    ("said", "now", "due_at"),
    [
        ({}, JANUARY - DAY, JANUARY),
        ({}, JANUARY, FEBRUARY),
        ({}, MIDDLE, FEBRUARY),
        ({"end_date": MIDDLE}, JANUARY, FEBRUARY),
        ({"end_date": JANUARY + DAY}, JANUARY, JANUARY + DAY),
        (PAUSED, MIDDLE, None),
        ({**PAUSED, "end_date": MARCH}, MIDDLE, MARCH),
        ({**CANCELED, "closed_until": JANUARY}, APRIL, MIDDLE),
        ({**CANCELED, "closed_until": JANUARY}, JANUARY, JANUARY),
        ({**CANCELED, "closed_until": MIDDLE}, MIDDLE, MIDDLE + FIRST_LOOK),
        ({**CANCELED, "closed_until": MIDDLE}, MIDDLE + FIRST_LOOK - INSTANT, MIDDLE + FIRST_LOOK),
        ({**CANCELED, "closed_until": MIDDLE}, MIDDLE + FIRST_LOOK, MIDDLE + DAY),
        ({**CANCELED, "closed_until": MIDDLE}, MIDDLE + DAY - INSTANT, MIDDLE + DAY),
        ({**CANCELED, "closed_until": MIDDLE}, MIDDLE + DAY, MIDDLE + 2 * DAY),
        ({**CANCELED, "closed_until": MIDDLE}, MIDDLE + LOOKS_END - INSTANT, MIDDLE + LOOKS_END),
        ({**CANCELED, "closed_until": MIDDLE}, MIDDLE + LOOKS_END, None),
        ({**CANCELED, "closed_until": MIDDLE, "recheck_from": JANUARY}, APRIL, MIDDLE),
        (
            {"status": Status.CANCELED, "canceled_at": JANUARY, "recheck_from": JANUARY},
            JANUARY,
            JANUARY + FIRST_LOOK,
        ),
    ],
)
def test_something_is_to_be_done_at_its_time(said, now, due_at):
    assert next_due_at(subscription(**said), now) == due_at


@pytest.mark.parametrize(
    ("said", "now", "due"),
    [
        ({}, FEBRUARY - INSTANT, False),
        ({}, FEBRUARY, True),
        (PAUSED, APRIL, False),
        ({**PAUSED, "end_date": MARCH}, MARCH, True),
    ],
)
def test_what_is_due_is_due_from_that_instant(said, now, due):
    assert is_due(subscription(**said), now) is due


@pytest.mark.parametrize(
    ("closed_until", "now", "instant"),
    [
        (FEBRUARY, MIDDLE, MIDDLE),
        (FEBRUARY, FEBRUARY, FEBRUARY),
        (FEBRUARY, FEBRUARY - INSTANT, FEBRUARY),
        (START, START - DAY, START - DAY),
        (START, MIDDLE, MIDDLE),
    ],
)
def test_a_change_takes_effect_in_no_closed_period(closed_until, now, instant):
    assert effective_at(subscription(closed_until=closed_until), now) == instant

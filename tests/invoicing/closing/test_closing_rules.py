"""What a subscription's time asks for next; without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from monigo.catalog import BillingMode
from monigo.core.periods import Period
from monigo.invoicing.closing.rules import Action, Step, begun_realtime, next_step
from monigo.subscriptions import PauseReason, Status
from support.values import OTHER_PLAN, PLAN, phase, subscription

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)
JANUARY, FEBRUARY, MARCH = (datetime(2026, month, 1, tzinfo=UTC) for month in range(1, 4))
FIRST, SECOND = Period(JANUARY, FEBRUARY), Period(FEBRUARY, MARCH)
GRACE = timedelta(hours=6)

PAUSED = {"status": Status.PAUSED, "pause_reason": PauseReason.MERCHANT}
SHORT = {"status": Status.PAUSED, "pause_reason": PauseReason.INSUFFICIENT_BALANCE}
LAST = {"cancel_at_period_end": True}
IN_TRIAL = {"trial_ends_at": FEBRUARY, "phase": phase(started_at=JANUARY, anchor_at=FEBRUARY)}
AT_FEBRUARY = {"status": Status.CANCELED, "canceled_at": FEBRUARY}


@pytest.mark.parametrize(
    ("said", "now", "step"),
    [
        ({}, JANUARY - INSTANT, Step(Action.NOTHING)),
        ({}, JANUARY, Step(Action.OPEN, FIRST)),
        ({}, FEBRUARY - INSTANT, Step(Action.OPEN, FIRST)),
        ({}, FEBRUARY, Step(Action.DRAFT, FIRST)),
        ({}, FEBRUARY + GRACE - INSTANT, Step(Action.DRAFT, FIRST)),
        ({}, FEBRUARY + GRACE, Step(Action.CLOSE, FIRST)),
        ({"closed_until": FEBRUARY}, FEBRUARY, Step(Action.OPEN, SECOND)),
        (PAUSED, FEBRUARY + GRACE, Step(Action.NOTHING)),
        (PAUSED, JANUARY, Step(Action.NOTHING)),
        (SHORT, JANUARY, Step(Action.OPEN, FIRST)),
        (SHORT, FEBRUARY + GRACE, Step(Action.CLOSE, FIRST)),
        (IN_TRIAL, FEBRUARY - INSTANT, Step(Action.NOTHING)),
        (IN_TRIAL, FEBRUARY, Step(Action.TRIAL_END, FIRST)),
        ({"end_date": FEBRUARY}, FEBRUARY - INSTANT, Step(Action.OPEN, FIRST)),
        ({"end_date": FEBRUARY}, FEBRUARY, Step(Action.END, cancel_at=FEBRUARY)),
        ({"end_date": FEBRUARY, **PAUSED}, FEBRUARY, Step(Action.END, cancel_at=FEBRUARY)),
        ({"end_date": FEBRUARY, **AT_FEBRUARY}, FEBRUARY, Step(Action.CLOSE, FIRST)),
        (AT_FEBRUARY, FEBRUARY, Step(Action.CLOSE, FIRST)),
        ({**AT_FEBRUARY, "closed_until": FEBRUARY}, MARCH, Step(Action.CHECK_LATE_USAGE, FIRST)),
        (
            {"status": Status.CANCELED, "canceled_at": JANUARY},
            MARCH,
            Step(Action.NOTHING),
        ),
    ],
)
def test_one_thing_comes_after_the_other(said, now, step):
    assert next_step(subscription(**said), now, grace=GRACE) == step


@pytest.mark.parametrize("now", [FEBRUARY, FEBRUARY + INSTANT, MARCH + DAY])
def test_without_a_grace_time_a_period_closes_as_it_ends(now):
    assert next_step(subscription(), now, grace=timedelta()) == Step(Action.CLOSE, FIRST)


@pytest.mark.parametrize(
    ("said", "now", "step"),
    [
        (LAST, FEBRUARY - INSTANT, Step(Action.OPEN, FIRST)),
        (LAST, FEBRUARY, Step(Action.END, cancel_at=FEBRUARY)),
        ({**IN_TRIAL, **LAST}, FEBRUARY, Step(Action.END, cancel_at=FEBRUARY)),
        ({**AT_FEBRUARY, **LAST}, FEBRUARY, Step(Action.CLOSE, FIRST)),
    ],
)
def test_a_subscription_flagged_for_its_end_ends_with_its_period(said, now, step):
    assert next_step(subscription(**said), now, grace=GRACE) == step


@pytest.mark.parametrize(
    ("said", "action", "now", "mode", "is_charged"),
    [
        ({}, Action.CLOSE, FEBRUARY, BillingMode.REALTIME, True),
        ({}, Action.CLOSE, MARCH - INSTANT, BillingMode.REALTIME, True),
        ({}, Action.CLOSE, MARCH, BillingMode.REALTIME, False),
        ({}, Action.CLOSE, FEBRUARY - INSTANT, BillingMode.REALTIME, False),
        (IN_TRIAL, Action.TRIAL_END, FEBRUARY, BillingMode.REALTIME, True),
        ({}, Action.DRAFT, FEBRUARY, BillingMode.REALTIME, False),
        ({}, Action.CLOSE, FEBRUARY, BillingMode.PREPAID, False),
        ({}, Action.CLOSE, FEBRUARY, BillingMode.POSTPAID, False),
        (PAUSED, Action.CLOSE, FEBRUARY, BillingMode.REALTIME, False),
        (SHORT, Action.CLOSE, FEBRUARY, BillingMode.REALTIME, False),
        (AT_FEBRUARY, Action.CLOSE, FEBRUARY, BillingMode.REALTIME, False),
    ],
)
def test_a_realtime_period_that_a_step_let_begin_is_charged(said, action, now, mode, is_charged):
    known = subscription(closed_until=FEBRUARY, **said)

    assert begun_realtime(Step(action, FIRST), known, {PLAN: mode}, now) is is_charged


def test_the_period_that_begins_is_charged_as_its_own_plan_says():
    modes = {PLAN: BillingMode.POSTPAID, OTHER_PLAN: BillingMode.REALTIME}
    changed = subscription(
        closed_until=FEBRUARY,
        past_phases=(phase(PLAN, JANUARY),),
        phase=phase(OTHER_PLAN, FEBRUARY, agreed_at=FEBRUARY),
    )

    assert begun_realtime(Step(Action.CLOSE, FIRST), changed, modes, FEBRUARY)

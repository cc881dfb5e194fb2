"""Pure rules of the period close: what a subscription's time asks for next."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from monigo import subscriptions
from monigo.catalog import BillingMode
from monigo.core.ids import PlanId
from monigo.core.periods import Period
from monigo.subscriptions import PauseReason, Status, Subscription

# How each plan is paid for.
Modes = Mapping[PlanId, BillingMode]


class Action(StrEnum):
    """What is to be done with a subscription now."""

    NOTHING = "nothing"
    # The end has come, by its date or with a period.
    END = "end"
    # The period has ended as which another plan begins.
    CHANGE_PLAN = "change_plan"
    # A period begins, whose fee may be due in advance.
    OPEN = "open"
    # The trial is over: nothing is billed for it, and the first regular period opens.
    TRIAL_END = "trial_end"
    # A period has ended, and its invoice waits for late events.
    DRAFT = "draft"
    # A period has ended for good, and is billed.
    CLOSE = "close"
    # All periods of an ended subscription are closed; late events may still have come.
    CHECK_LATE_USAGE = "check_late_usage"


class Step(Struct, frozen=True):
    """One action on one period; `cancel_at` ends the subscription first."""

    action: Action
    period: Period | None = None
    cancel_at: datetime | None = None


def next_step(subscription: Subscription, now: datetime, *, grace: timedelta) -> Step:
    """What is to be done for a subscription at `now`; periods come one after the other.

    First comes what time does to the subscription itself, in a pause, too: a new plan, before the
    period is billed whose invoice carries its fee in advance, and an end. A paused one's periods
    wait: they are billed when it resumes or is canceled. One that lacks balance is tried again
    whenever it is due, which a credit makes it. The end of a subscription is not waited for with a
    grace time: its invoice is the last.
    """
    has_ended = subscription.status is Status.CANCELED
    ends_at, changes_at = subscriptions.ends_at(subscription), subscription.scheduled_at
    if changes_at is not None and changes_at <= now and (ends_at is None or changes_at < ends_at):
        return Step(Action.CHANGE_PLAN)
    if ends_at is not None and ends_at <= now:
        return Step(Action.END, cancel_at=ends_at)
    period = subscriptions.first_open_period(subscription)
    if period is None:
        last = subscriptions.last_closed_period(subscription)
        return Step(Action.CHECK_LATE_USAGE, last) if has_ended and last else Step(Action.NOTHING)
    is_running = subscription.status is Status.ACTIVE or (
        subscription.pause_reason is PauseReason.INSUFFICIENT_BALANCE
    )
    is_waiting = not is_running or now < period.start
    is_trial = subscriptions.is_trial(subscription, period)
    if now < period.end or (is_waiting and not has_ended):
        return Step(Action.NOTHING) if is_trial or is_waiting else Step(Action.OPEN, period)
    return _ended_step(subscription, period, now, grace)


def begun_realtime(step: Step, subscription: Subscription, modes: Modes, now: datetime) -> bool:
    """Whether a step let a realtime period begin, which is charged as it opens.

    It may have a fee in advance, after a trial, or usage that came while the period before waited
    for late events: nobody would look at it before the usage changes again.
    """
    if step.action not in {Action.TRIAL_END, Action.CLOSE}:
        return False
    period = subscriptions.first_open_period(subscription)
    if period is None or not period.contains(now) or subscription.status is not Status.ACTIVE:
        return False
    phase = subscriptions.phase_at(subscription, period.start)
    return modes[phase.plan_id] is BillingMode.REALTIME


def _ended_step(
    subscription: Subscription, period: Period, now: datetime, grace: timedelta
) -> Step:
    has_ended = subscription.status is Status.CANCELED
    is_trial = subscriptions.is_trial(subscription, period)
    if is_trial:
        return Step(Action.TRIAL_END, period)
    if now < period.end + grace and not has_ended:
        return Step(Action.DRAFT, period)
    return Step(Action.CLOSE, period)

"""Pure rules of subscriptions: when one starts, which period an instant belongs to."""

from datetime import datetime, timedelta

from monigo.core.errors import conflict, invalid
from monigo.core.periods import Period, Schedule, index_at, period_at
from monigo.subscriptions.types import PauseReason, Status, Subscription

BACKDATED_MAX = timedelta(days=90)
# A start further away than this is more likely a mistyped year than a plan.
AHEAD_MAX = timedelta(days=366)


def check_dates(*, start: datetime, end: datetime | None, now: datetime) -> None:
    """Raise invalid unless the subscription may run from `start` to `end`."""
    faults: dict[str, str] = {}
    if start < now - BACKDATED_MAX:
        faults["start_date"] = f"is more than {BACKDATED_MAX.days} days back"
    elif start > now + AHEAD_MAX:
        faults["start_date"] = f"is more than {AHEAD_MAX.days} days ahead"
    if end is not None and end <= max(start, now):
        faults["end_date"] = "must lie after the start, and in the future"
    if faults:
        raise invalid(faults)


def schedule_of(subscription: Subscription) -> Schedule:
    """The schedule of the regular periods."""
    return Schedule(
        anchor=subscription.anchor_at,
        billing_period=subscription.billing_period,
        billing_anchor=subscription.billing_anchor,
        timezone=subscription.timezone,
    )


def is_trial(subscription: Subscription, period: Period) -> bool:
    """Whether this is the trial's own period, which is never billed."""
    return subscription.trial_ends_at is not None and period.start < subscription.trial_ends_at


def period_containing(subscription: Subscription, instant: datetime) -> Period | None:
    """The billing period that contains an instant; None before the subscription's start.

    The trial is a period of its own. A canceled subscription's last period is cut at its end.
    """
    if instant < subscription.start_date:
        return None
    if instant < subscription.anchor_at:
        period = Period(subscription.start_date, subscription.anchor_at)
    else:
        schedule = schedule_of(subscription)
        period = period_at(schedule, index_at(schedule, instant))
    return _cut(period, subscription)


def current_period(subscription: Subscription, now: datetime) -> Period:
    """The period to show: the present one, the first before the start, the last after the end."""
    instant = max(now, subscription.start_date)
    if subscription.canceled_at is not None and instant >= subscription.canceled_at:
        # The last period that had begun; half-open periods need an instant before the cut.
        before = subscription.canceled_at - timedelta(microseconds=1)
        instant = max(subscription.start_date, before)
    period = period_containing(subscription, instant)
    return period or Period(subscription.start_date, subscription.anchor_at)


def periods_between(subscription: Subscription, start: datetime, end: datetime) -> list[Period]:
    """The periods whose start lies in `[start, end)`, in order."""
    periods: list[Period] = []
    instant = max(start, subscription.start_date)
    while instant < end:
        if subscription.canceled_at is not None and instant >= subscription.canceled_at:
            break
        period = period_containing(subscription, instant)
        if period is None:
            break
        if start <= period.start < end:
            periods.append(period)
        instant = period.end
    return periods


def check_can_pause(subscription: Subscription) -> None:
    """Raise conflict unless the merchant may pause it."""
    if subscription.status is not Status.ACTIVE:
        raise conflict(
            "subscription_not_active", f"the subscription is {subscription.status.value}"
        )


def check_can_resume(subscription: Subscription) -> None:
    """Raise conflict unless the merchant may lift the pause."""
    if subscription.status is Status.CANCELED:
        raise conflict("subscription_canceled", "the subscription is canceled")
    if subscription.pause_reason is not PauseReason.MERCHANT:
        raise conflict(
            "subscription_paused_by_system",
            f"the subscription is paused for {subscription.pause_reason}",
        )


def check_can_cancel(subscription: Subscription) -> None:
    """Raise conflict when it has ended already."""
    if subscription.status is Status.CANCELED:
        raise conflict("subscription_canceled", "the subscription is canceled already")


def _cut(period: Period, subscription: Subscription) -> Period:
    end = subscription.canceled_at
    if end is None or not period.start < end < period.end:
        return period
    return Period(period.start, end)

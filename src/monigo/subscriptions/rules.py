"""Pure rules of subscriptions: when one starts, which period an instant belongs to."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from monigo.catalog import Plan
from monigo.core.errors import conflict, invalid
from monigo.core.periods import Period, Schedule, period_around
from monigo.subscriptions.types import PauseReason, Phase, Status, Subscription

BACKDATED_MAX = timedelta(days=90)
# A start further away than this is more likely a mistyped year than a plan.
AHEAD_MAX = timedelta(days=366)
# After a subscription's end: an event that comes later than this leaves a mark of its own.
FIRST_LOOK = timedelta(hours=1, minutes=5)
LOOKS_EVERY = timedelta(days=1)
# No event is accepted that is older than 90 days; a replay puts an ended subscription on the
# agenda.
LOOKS_END = timedelta(days=91)


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


def schedule_of(subscription: Subscription, phase: Phase) -> Schedule:
    """The schedule of a phase's regular periods."""
    return Schedule(
        anchor=phase.anchor_at,
        billing_period=phase.billing_period,
        billing_anchor=subscription.billing_anchor,
        timezone=subscription.timezone,
    )


def is_trial(subscription: Subscription, period: Period) -> bool:
    """Whether this is the trial's own period, which is never billed."""
    return subscription.trial_ends_at is not None and period.start < subscription.trial_ends_at


def phase_at(subscription: Subscription, instant: datetime) -> Phase:
    """The phase that an instant belongs to; the first one for those before the start."""
    if not subscription.past_phases:
        return subscription.phase
    phases = (*subscription.past_phases, subscription.phase)
    return next((phase for phase in reversed(phases) if phase.started_at <= instant), phases[0])


def period_containing(subscription: Subscription, instant: datetime) -> Period | None:
    """The billing period that contains an instant; None before the subscription's start.

    The trial is a period of its own. A plan's last period is cut where the next plan starts, a
    canceled subscription's last one at its end.
    """
    if instant < subscription.start_date:
        return None
    phase = phase_at(subscription, instant)
    if instant < phase.anchor_at:
        period = Period(subscription.start_date, phase.anchor_at)
    else:
        period = period_around(schedule_of(subscription, phase), instant)
    return _cut(period, subscription, phase)


def current_period(subscription: Subscription, now: datetime) -> Period:
    """The period to show: the present one, the first before the start, the last after the end."""
    instant = max(now, subscription.start_date)
    if subscription.canceled_at is not None and instant >= subscription.canceled_at:
        # The last period that had begun; half-open periods need an instant before the cut.
        before = subscription.canceled_at - timedelta(microseconds=1)
        instant = max(subscription.start_date, before)
    period = period_containing(subscription, instant)
    return period or Period(subscription.start_date, subscription.phase.anchor_at)


def periods_between(subscription: Subscription, start: datetime, end: datetime) -> Iterator[Period]:
    """The periods whose start lies in `[start, end)`, in order."""
    instant = max(start, subscription.start_date)
    while instant < end:
        if has_ended(subscription, instant):
            break
        period = period_containing(subscription, instant)
        if period is None:
            break
        if start <= period.start:
            yield period
        instant = period.end


def effective_at(subscription: Subscription, now: datetime) -> datetime:
    """When a change that is asked for at `now` takes effect: never in a closed period.

    One that waited for the lock, while a period was closed whose end is after it began, takes
    effect at that end.
    """
    is_any_closed = subscription.closed_until > subscription.start_date
    return max(now, subscription.closed_until) if is_any_closed else now


def has_ended(subscription: Subscription, instant: datetime) -> bool:
    """Whether the subscription is over at an instant."""
    return subscription.canceled_at is not None and subscription.canceled_at <= instant


def first_open_period(subscription: Subscription) -> Period | None:
    """The earliest period that is not closed yet; None where all of them are."""
    if has_ended(subscription, subscription.closed_until):
        return None
    return period_containing(subscription, subscription.closed_until)


def ends_at(subscription: Subscription) -> datetime | None:
    """When a subscription is scheduled to end; None where it isn't, or has ended already."""
    if subscription.status is Status.CANCELED:
        return None
    ends = [subscription.end_date, subscription.cancel_at]
    if subscription.cancel_at_period_end and subscription.cancel_at is None:
        # It was flagged before the instant was kept: then the first open period decided.
        period = first_open_period(subscription)
        ends.append(period and period.end)
    return min((end for end in ends if end is not None), default=None)


def with_plan_from(
    subscription: Subscription, plan: Plan, revision: int, instant: datetime
) -> Subscription:
    """The subscription on a plan of this revision from an instant on, where its periods begin."""
    phase = Phase(
        plan_id=plan.id,
        billing_period=plan.details.billing_period,
        anchor_at=instant,
        started_at=instant,
        agreed_at=instant,
        agreed_revision=revision,
    )
    past_phases = (*subscription.past_phases, subscription.phase)
    return replace(subscription, phase=phase, past_phases=past_phases)


def next_due_at(subscription: Subscription, now: datetime) -> datetime | None:
    """When work is due for a subscription; None for never.

    The first period is opened at its start (a fee may be due in advance), each is closed at its
    end. A subscription is canceled when it is to end, and changes to a scheduled plan, in a pause,
    too. Otherwise no period is closed while paused: what was used before is billed on resuming or
    canceling (behaviour page, Subscriptions and periods). An ended one is looked at daily while
    late events may come.
    """
    period = first_open_period(subscription)
    if subscription.canceled_at is not None:
        is_rechecked = subscription.recheck_from is not None and last_closed_period(subscription)
        if period is not None or is_rechecked:
            return min(subscription.canceled_at, now)
        return _next_look(subscription.canceled_at, now)
    dues = [at for at in (ends_at(subscription), subscription.scheduled_at) if at is not None]
    if subscription.status is Status.ACTIVE and period is not None:
        dues.append(period.start if now < period.start else period.end)
    return min(dues, default=None)


def is_due(subscription: Subscription, now: datetime) -> bool:
    """Whether work is due for a subscription at `now`."""
    due_at = next_due_at(subscription, now)
    return due_at is not None and due_at <= now


def _next_look(ended_at: datetime, now: datetime) -> datetime | None:
    if now < ended_at + FIRST_LOOK:
        return ended_at + FIRST_LOOK
    following = ended_at + ((now - ended_at) // LOOKS_EVERY + 1) * LOOKS_EVERY
    return following if following <= ended_at + LOOKS_END else None


def last_closed_period(subscription: Subscription) -> Period | None:
    """The period that was closed last; None where none has been."""
    if subscription.closed_until <= subscription.start_date:
        return None
    return period_containing(subscription, subscription.closed_until - timedelta(microseconds=1))


def check_is_active(subscription: Subscription) -> None:
    """Raise conflict unless it is active: neither paused nor ended."""
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


def check_can_change_plan(subscription: Subscription, plan: Plan) -> None:
    """Raise conflict unless the subscription may go on under another plan."""
    check_can_cancel(subscription)
    if plan.id == subscription.plan_id:
        raise conflict("same_plan", "the subscription is on this plan already")
    if plan.details.plan_type is not subscription.plan_type:
        raise conflict("other_plan_type", "the new plan has another plan_type")


def _cut(period: Period, subscription: Subscription, phase: Phase) -> Period:
    if not subscription.past_phases and subscription.canceled_at is None:
        return period
    later = [known.started_at for known in (*subscription.past_phases, subscription.phase)]
    cuts = [started_at for started_at in later if started_at > phase.started_at]
    if subscription.canceled_at is not None:
        cuts.append(subscription.canceled_at)
    end = min((cut for cut in cuts if cut > period.start), default=period.end)
    return Period(period.start, min(end, period.end))

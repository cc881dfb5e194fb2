"""Pure rules of alerts: which thresholds may be set, which are reached, and in which periods."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from monigo import subscriptions
from monigo.alerts.types import Alert, AlertType, NewAlert, Threshold
from monigo.core.errors import invalid
from monigo.core.money import MONEY_PLACES
from monigo.core.periods import Period
from monigo.subscriptions import Subscription

# More steps than anybody acts on; each is a row, and may be one for each period.
THRESHOLDS_MAX = 20
# One, for late events; and one more, for those that came as it was the one and that no look had
# seen when the next began.
PERIODS_BEFORE = 2

# The shortest time there is.
_INSTANT = timedelta(microseconds=1)
_MONEY_STEP = Decimal(1).scaleb(-MONEY_PLACES)


def check_alert(wanted: NewAlert) -> None:
    """Raise invalid unless type, metric, currency and thresholds fit each other."""
    faults = threshold_faults(wanted.type, wanted.thresholds)
    is_of_usage = wanted.type is AlertType.USAGE_EXCEEDED
    if is_of_usage and not wanted.metric_id:
        faults["metric_id"] = "is required for usage_exceeded"
    if not is_of_usage and wanted.metric_id:
        faults["metric_id"] = "goes with usage_exceeded only"
    if is_of_usage and wanted.currency:
        faults["currency"] = "does not go with usage_exceeded"
    if faults:
        raise invalid(faults)


def check_thresholds(alert_type: AlertType, thresholds: Sequence[Threshold]) -> None:
    """Raise invalid unless an alert of this type may have these thresholds."""
    faults = threshold_faults(alert_type, thresholds)
    if faults:
        raise invalid(faults)


def threshold_faults(alert_type: AlertType, thresholds: Sequence[Threshold]) -> dict[str, str]:
    """What is wrong with thresholds, by the path of each field."""
    if not 1 <= len(thresholds) <= THRESHOLDS_MAX:
        return {"thresholds": f"must be 1 to {THRESHOLDS_MAX}"}
    faults: dict[str, str] = {}
    is_of_money = alert_type is not AlertType.USAGE_EXCEEDED
    for place, one in enumerate(thresholds):
        path = f"thresholds[{place}].value"
        if one.value <= 0:
            faults[path] = "must be above zero"
        elif is_of_money and one.value % _MONEY_STEP:
            faults[path] = f"has more than {MONEY_PLACES} decimal places"
        elif place and not _follows(alert_type, thresholds[place - 1].value, one.value):
            falls = alert_type is AlertType.WALLET_BALANCE_DROPPED
            faults[path] = f"must be {'below' if falls else 'above'} the one before"
    return faults


def _follows(alert_type: AlertType, before: Decimal, value: Decimal) -> bool:
    return value < before if alert_type is AlertType.WALLET_BALANCE_DROPPED else value > before


def reached(alert: Alert, value: Decimal) -> tuple[Threshold, ...]:
    """The thresholds that a value has reached, in order; a balance, those that it is below."""
    if alert.type is AlertType.WALLET_BALANCE_DROPPED:
        return tuple(one for one in alert.thresholds if value < one.value)
    return tuple(one for one in alert.thresholds if value >= one.value)


def running_period(subscription: Subscription, now: datetime) -> Period | None:
    """The period that contains now; None before the start and after the end."""
    ended_at = subscription.canceled_at
    if ended_at is not None and ended_at <= now:
        return None
    return subscriptions.period_containing(subscription, now)


def looked_at(subscription: Subscription, alert: Alert, now: datetime) -> list[Period]:
    """The periods whose thresholds may still be reached, in order: the running one is the last.

    Those before, for events that come late; none that had ended when the alert was armed.
    """
    periods = [one for one in _latest(subscription, now) if one.end > alert.armed_at]
    if alert.type is AlertType.COST_EXCEEDED:
        return [one for one in periods if not subscriptions.is_trial(subscription, one)]
    return periods


def _latest(subscription: Subscription, now: datetime) -> list[Period]:
    """The running period and some before it, in order."""
    running = running_period(subscription, now)
    ended_at = now if running is None else running.start
    if subscription.canceled_at is not None:
        ended_at = min(ended_at, subscription.canceled_at)
    found = [] if running is None else [running]
    for _ in range(PERIODS_BEFORE):
        if ended_at <= subscription.start_date:
            break
        before = subscriptions.period_containing(subscription, ended_at - _INSTANT)
        if before is None:
            break
        found.append(before)
        ended_at = before.start
    return found[::-1]


def next_look(subscription: Subscription, now: datetime) -> datetime | None:
    """When a subscription is to be looked at again, whatever is used: as another period begins."""
    running = running_period(subscription, now)
    if running is not None:
        return running.end
    return subscription.start_date if now < subscription.start_date else None

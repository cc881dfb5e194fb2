"""Pure rules of replays: which windows are possible, and what whole hours they touch."""

from datetime import UTC, datetime, timedelta

from monigo.core.errors import invalid
from monigo.core.periods import Period
from monigo.metering.types import ReplayRequest

# A year and a grace period: no bill that can still change is older.
REPLAY_SPAN_MAX = timedelta(days=400)
# Beyond the hour by which an event may be ahead.
AHEAD = timedelta(hours=2)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
# Before any event. (The very first instant would come back from the database as -infinity.)
_FIRST_INSTANT = datetime(2, 1, 1, tzinfo=UTC)


def check_replay(request: ReplayRequest, now: datetime) -> None:
    """Raise invalid unless a replay may go over this window."""
    if request.start > now + AHEAD:
        raise invalid({"from": "must not lie in the future"})
    if request.end <= request.start:
        raise invalid({"to": "must lie after from"})
    if request.end - request.start > REPLAY_SPAN_MAX:
        raise invalid({"to": f"must lie at most {REPLAY_SPAN_MAX.days} days after from"})


def whole_hours(start: datetime, end: datetime) -> Period:
    """The hours that a window touches, whole."""
    cut = floor_hour(end)
    return Period(floor_hour(start), cut if cut == end else cut + _HOUR)


def whole_days(start: datetime, end: datetime) -> Period:
    """The days that a window touches, whole, by UTC."""
    cut = _floor_day(end)
    return Period(_floor_day(start), cut if cut == end else cut + _DAY)


def floor_hour(instant: datetime) -> datetime:
    """The hour that an instant lies in, as buckets have it."""
    return instant.replace(minute=0, second=0, microsecond=0)


def _floor_day(instant: datetime) -> datetime:
    return floor_hour(instant).replace(hour=0)


def kept_from(retention_days: int | None, now: datetime) -> datetime:
    """From when on events keep their properties by the organisation's setting."""
    if retention_days is None:
        return _FIRST_INSTANT
    return floor_hour(now - timedelta(days=retention_days))

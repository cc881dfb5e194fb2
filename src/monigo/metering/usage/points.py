"""Points of a usage series: hours, days and months of a time zone. Pure.

Boundaries are local: an hour starts with the clock's full hour, a day at midnight, a month on its
first. The first and last points are cut where the series starts and ends.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count, islice
from zoneinfo import ZoneInfo

from monigo.core.errors import invalid
from monigo.core.periods import (
    BillingAnchor,
    BillingPeriod,
    Period,
    Schedule,
    boundary,
    parse_timezone,
)

# A year of hours and more; no chart shows as many.
POINTS_MAX = 10_000
# With a hundred values each.
GROUPED_POINTS_MAX = 1_000

_HOUR = timedelta(hours=1)


class Granularity(StrEnum):
    """How long a point of a series is."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


# How far back a series reaches without a start.
SPANS = {
    Granularity.HOUR: timedelta(days=1),
    Granularity.DAY: timedelta(days=30),
    Granularity.MONTH: timedelta(days=366),
}


def lay_out(
    span: Period, granularity: Granularity, timezone: str, *, points_max: int
) -> list[datetime]:
    """The boundaries of the points, one more than there are points.

    Raises:
        DomainError: invalid, when there are too many.
    """
    starts = list(islice(_starts(span, granularity, timezone), points_max + 1))
    if len(starts) > points_max:
        message = f"makes more than {points_max} points of the span: choose a longer one"
        raise invalid({"granularity": message})
    return [*starts, span.end]


def broken_hours(bounds: Sequence[datetime]) -> list[datetime]:
    """The hours (UTC) that a boundary falls into: they belong to no point as a whole."""
    hours = (bound.replace(minute=0, second=0, microsecond=0) for bound in bounds)
    return sorted({hour for hour, bound in zip(hours, bounds, strict=True) if hour != bound})


def _starts(span: Period, granularity: Granularity, timezone: str) -> Iterator[datetime]:
    """The points' starts, the first of which is the span's."""
    start = span.start
    following = _following(span.start, granularity, timezone)
    while start < span.end:
        yield start
        start = next(following)


def _following(start: datetime, granularity: Granularity, timezone: str) -> Iterator[datetime]:
    """All boundaries after an instant, without end."""
    if granularity is Granularity.HOUR:
        yield from _hours_after(start, parse_timezone(timezone))
    day = BillingPeriod.DAILY, BillingAnchor.SUBSCRIPTION_START
    month = BillingPeriod.MONTHLY, BillingAnchor.MONTH_START
    schedule = Schedule(start, *(day if granularity is Granularity.DAY else month), timezone)
    for index in count(1):
        yield boundary(schedule, index)


def _hours_after(start: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    while True:
        local = (start + _HOUR).astimezone(zone)
        full = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        # Clocks set back by half an hour would lead back to where we are.
        start = full if full > start else start + _HOUR
        yield start

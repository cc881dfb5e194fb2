"""Billing periods: calendar arithmetic on local wall time, with UTC instants as results.

Boundaries are computed from the anchor, never by adding to the last one, so that monthly from
31 January gives 28 February and then 31 March (behaviour page, Subscriptions and periods).
"""

import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from monigo.core.errors import DomainError, ensure, invalid

_NO_OFFSET = timedelta(0)
_DAY = timedelta(days=1)
_HALF_DAY = timedelta(hours=12)
_WEEK = timedelta(weeks=1)
_MONTHS_A_YEAR = 12

_ZONE_NAME_LENGTH_MAX = 64  # the longest name in use has 32 characters
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")
# Files beside the zones on some systems: leap-second variants, and whatever the host is set to.
_NO_ZONES = re.compile(r"(posix|right)/.*|localtime|posixrules|Factory")


class BillingPeriod(StrEnum):
    """How long a regular period is."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    ANNUALLY = "annually"


class BillingAnchor(StrEnum):
    """Where regular periods start: at the subscription's own instant or with a month."""

    SUBSCRIPTION_START = "subscription_start"
    MONTH_START = "month_start"


_MONTHS = {BillingPeriod.MONTHLY: 1, BillingPeriod.QUARTERLY: 3, BillingPeriod.ANNUALLY: 12}


class Period(Struct, frozen=True, gc=False):
    """The instants from `start` up to, not including, `end`; both are aware UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse an empty or reversed period, and times that are not UTC."""
        _ensure_utc(self.start)
        _ensure_utc(self.end)
        ensure(self.start < self.end, "a period starts before it ends")

    def contains(self, instant: datetime) -> bool:
        """Whether the instant belongs to this period."""
        return self.start <= instant < self.end


class Schedule(Struct, frozen=True):
    """What decides all of a subscription's boundaries; the anchor starts its first period.

    Raises DomainError where months are to start periods that are shorter than a month.
    """

    anchor: datetime
    billing_period: BillingPeriod
    billing_anchor: BillingAnchor
    timezone: str

    def __post_init__(self) -> None:
        """Refuse anchors that are not UTC and combinations that mean nothing."""
        _ensure_utc(self.anchor)
        if self.billing_anchor is BillingAnchor.MONTH_START and self.billing_period not in _MONTHS:
            message = f"month_start does not fit {self.billing_period} periods"
            raise invalid({"billing_anchor": message})


@lru_cache(maxsize=1_024)
def parse_timezone(name: str) -> ZoneInfo:
    """The IANA time zone called `name`, such as "Africa/Lagos"; ValueError if there is none."""
    plausible = len(name) <= _ZONE_NAME_LENGTH_MAX and _ZONE_NAME.fullmatch(name)
    if not plausible or _NO_ZONES.fullmatch(name):
        raise ValueError("must be an IANA time zone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError is what a folder such as "Africa" gives.
        raise ValueError("must be an IANA time zone") from None


def boundary(schedule: Schedule, index: int) -> datetime:
    """The start of period `index`, which is the end of the one before; 0 is the anchor.

    Raises DomainError where the calendar ends before the boundary comes.
    """
    ensure(index >= 0, "periods count from 0")
    if index == 0:
        # The anchor itself: its local time may be a repeated one, which would move it.
        return schedule.anchor
    zone = parse_timezone(schedule.timezone)
    try:
        if schedule.billing_period is BillingPeriod.DAILY:
            return _local_midnight(schedule.anchor, zone, index)
        if schedule.billing_anchor is BillingAnchor.MONTH_START:
            return _month_start(schedule, zone, index)
        return _same_local_time(schedule, zone, index)
    except OverflowError:
        raise _beyond_the_calendar() from None


def period_at(schedule: Schedule, index: int) -> Period:
    """Period `index`, from its boundary to the next."""
    return Period(start=boundary(schedule, index), end=boundary(schedule, index + 1))


def period_around(schedule: Schedule, instant: datetime) -> Period:
    """The period that contains `instant`; ValueError before the anchor."""
    _ensure_utc(instant)
    if instant < schedule.anchor:
        raise ValueError("is before the first period")
    index = _estimated_index(schedule, instant)
    # The estimate is off by two at most: short first periods, clamped days, clock changes.
    start = boundary(schedule, index)
    while start > instant:
        index -= 1
        start = boundary(schedule, index)
    end = boundary(schedule, index + 1)
    while end <= instant:
        index += 1
        start, end = end, boundary(schedule, index + 1)
    return Period(start, end)


def calendar_month(instant: datetime, timezone: str) -> Period:
    """The calendar month in the zone that contains `instant`."""
    zone = parse_timezone(timezone)
    try:
        start, end = _month_around(instant, zone)
        return Period(_midnight(start, zone), _midnight(end, zone))
    except OverflowError:
        raise _beyond_the_calendar() from None


def start_of_hour(instant: datetime, timezone: str) -> datetime:
    """The latest full hour that the zone's clocks showed by `instant`; of the same local day."""
    zone = parse_timezone(timezone)
    try:
        # The fold stays: in an hour that is repeated it is the one of now.
        full = instant.astimezone(zone).replace(minute=0, second=0, microsecond=0)
        return full.astimezone(UTC)
    except OverflowError:
        raise _beyond_the_calendar() from None


def midnight(day: date, timezone: str) -> datetime:
    """The instant at which a day begins in the zone; a midnight that is skipped moves forward.

    Raises:
        ValueError: outside the years 1 to 9999 in UTC.
    """
    try:
        return _midnight(day, parse_timezone(timezone))
    except OverflowError:
        raise ValueError("is not a time that exists") from None


def local_day(instant: datetime, timezone: str) -> date:
    """The day that the zone's calendars show at an instant."""
    return instant.astimezone(parse_timezone(timezone)).date()


def midnight_months_ago(instant: datetime, months: int, timezone: str) -> datetime:
    """The midnight in the zone that began the instant's day, so many months before.

    Raises:
        ValueError: outside the years 1 to 9999 in UTC.
    """
    return midnight(_months_later(local_day(instant, timezone), -months), timezone)


def midnight_days_ago(instant: datetime, days: int, timezone: str) -> datetime:
    """The midnight in the zone that began the instant's day, so many days before.

    Raises:
        ValueError: outside the years 1 to 9999 in UTC.
    """
    return midnight(local_day(instant, timezone) - days * _DAY, timezone)


def days_later(instant: datetime, days: int, timezone: str) -> datetime:
    """The same local time so many days later, as for the end of a trial."""
    zone = parse_timezone(timezone)
    try:
        local = instant.astimezone(zone).replace(tzinfo=None) + days * _DAY
        return _to_utc(local, zone)
    except OverflowError:
        raise _beyond_the_calendar() from None


def subtract(period: Period, holes: Sequence[Period]) -> tuple[Period, ...]:
    """What is left of `period` without the holes, in order; holes may overlap."""
    left: list[Period] = []
    start = period.start
    for hole in sorted(holes, key=lambda hole: hole.start):
        if hole.start >= period.end:
            break
        if hole.start > start:
            left.append(Period(start, hole.start))
        start = max(start, hole.end)
    if start < period.end:
        left.append(Period(start, period.end))
    return tuple(left)


def _local_midnight(anchor: datetime, zone: ZoneInfo, index: int) -> datetime:
    """The `index`-th local midnight after the anchor."""
    first = _first_midnight_after(anchor, zone)
    # The midnight nearest to so many times 24 hours, rather than the one so many dates later:
    # a zone that crosses the date line leaves out a date, which would make an empty period.
    near = (first + (index - 1) * _DAY).astimezone(zone).replace(tzinfo=None)
    return _midnight((near + _HALF_DAY).date(), zone)


def _first_midnight_after(anchor: datetime, zone: ZoneInfo) -> datetime:
    today = anchor.astimezone(zone).date()
    tomorrow = _midnight(today + _DAY, zone)
    # Clocks set back just after midnight repeat the evening: its midnight is then already past.
    return tomorrow if tomorrow > anchor else _midnight(today + 2 * _DAY, zone)


def _month_start(schedule: Schedule, zone: ZoneInfo, index: int) -> datetime:
    """A short period up to the next first of a month, then whole ones."""
    months = _MONTHS[schedule.billing_period]
    start, end = _month_around(schedule.anchor, zone)
    if _midnight(start, zone) == schedule.anchor:
        return _midnight(_months_later(start, index * months), zone)
    return _midnight(_months_later(end, (index - 1) * months), zone)


def _same_local_time(schedule: Schedule, zone: ZoneInfo, index: int) -> datetime:
    """The anchor's time of day, so many weeks or months later."""
    local = schedule.anchor.astimezone(zone).replace(tzinfo=None)
    if schedule.billing_period is BillingPeriod.WEEKLY:
        return _to_utc(local + index * _WEEK, zone)
    day = _months_later(local.date(), index * _MONTHS[schedule.billing_period])
    return _to_utc(datetime.combine(day, local.time()), zone)


def _month_around(instant: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """The first days of the month that contains the instant and of the next one."""
    start = instant.astimezone(zone).date().replace(day=1)
    end = _months_later(start, 1)
    # As in _first_midnight_after: a repeated evening already belongs to the new month.
    if _midnight(end, zone) <= instant:
        return end, _months_later(end, 1)
    return start, end


def _months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day where it is shorter."""
    years, month = divmod(day.month - 1 + months, _MONTHS_A_YEAR)
    year = day.year + years
    if year > MAXYEAR:
        raise OverflowError("year is out of range")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return _to_utc(datetime.combine(day, time.min), zone)


def _to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a wall time: skipped ones move forward, repeated ones take the first.

    Both are what fold=0 means (PEP 495): the offset from before the change.
    """
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _estimated_index(schedule: Schedule, instant: datetime) -> int:
    months = _MONTHS.get(schedule.billing_period)
    if months is None:
        length = _DAY if schedule.billing_period is BillingPeriod.DAILY else _WEEK
        return (instant - schedule.anchor) // length
    anchor = schedule.anchor
    elapsed = (instant.year - anchor.year) * _MONTHS_A_YEAR + instant.month - anchor.month
    return elapsed // months


def _ensure_utc(instant: datetime) -> None:
    ensure(instant.tzinfo is UTC or instant.utcoffset() == _NO_OFFSET, "instants are aware UTC")


def _beyond_the_calendar() -> DomainError:
    return invalid({"start_date": "leads to periods outside the years 1 to 9999"})

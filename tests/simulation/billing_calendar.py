"""Wall times and instants, written anew from the behaviour page."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from simulation.billing_wire import DAY


def instant_of(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The first instant of a wall time; one that is skipped comes as much later as was skipped."""
    naive = datetime.combine(day, wall.replace(tzinfo=None, fold=0))
    guesses = sorted(
        (naive - offset).replace(tzinfo=UTC)
        for offset in {
            (naive + shift).replace(tzinfo=zone).utcoffset() for shift in (-DAY, DAY * 0, DAY)
        }
    )
    for guess in guesses:
        if guess.astimezone(zone).replace(tzinfo=None) == naive:
            return guess
    before = (naive - DAY).replace(tzinfo=zone).utcoffset()
    return (naive - before).replace(tzinfo=UTC)


def months_on(day: date, months: int) -> date:
    """The same day some months later, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def days_on(instant: datetime, days: int, zone: str) -> datetime:
    """The same local time some days later."""
    local = instant.astimezone(ZoneInfo(zone))
    return instant_of(local.date() + days * DAY, local.time(), ZoneInfo(zone))


def hour_of(instant: datetime, zone: str) -> datetime:
    """The start of the hour that the clocks of a zone show."""
    local = instant.astimezone(ZoneInfo(zone))
    into = {"minutes": local.minute, "seconds": local.second, "microseconds": local.microsecond}
    return instant - timedelta(**into)

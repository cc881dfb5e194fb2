"""Pure rules of all of metering: how old events may be, how time is cut, what sums come to."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from monigo.core.aggregation import Aggregation, counts_numbers, round_average
from monigo.core.periods import Period

# How far back and ahead of its arrival an event's own time may lie.
AGE_MAX = timedelta(days=90)
LEAD_MAX = timedelta(hours=1)
# Beyond the hour by which an event may be ahead.
AHEAD = timedelta(hours=2)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

# Where each aggregation finds its quantity; an average has to be computed.
_QUANTITIES = {
    Aggregation.COUNT: "event_count",
    Aggregation.SUM: "number_sum",
    Aggregation.MAX: "number_max",
    Aggregation.MINIMUM: "number_min",
    Aggregation.UNIQUE: "distinct_count",
}


class Sums(Protocol):
    """A row of a bucket's sums, by their names."""

    def __getitem__(self, key: str, /) -> Any: ...


def first_of_month(instant: datetime) -> date:
    """The first day of the calendar month, UTC, whose events a quota counts together."""
    return instant.date().replace(day=1)


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


def quantity_of(row: Sums) -> Decimal:
    """The quantity that an aggregation makes of its sums."""
    column = _QUANTITIES.get(row["aggregation"])
    if column is not None:
        return Decimal(row[column] or 0)
    count = row["number_count"]
    return round_average(row["number_sum"], count) if count else Decimal(0)


def uncounted_of(row: Sums) -> int:
    """How many events hold no number, where the aggregation is made of numbers; else 0."""
    if not counts_numbers(row["aggregation"]):
        return 0
    return row["event_count"] - row["number_count"]


def _floor_day(instant: datetime) -> datetime:
    return floor_hour(instant).replace(hour=0)

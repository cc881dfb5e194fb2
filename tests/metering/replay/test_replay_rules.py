"""Which windows can be replayed, which hours and days they touch; without a database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.errors import DomainError
from monigo.core.periods import Period
from monigo.metering import ReplayRequest
from monigo.metering.replay.rules import REPLAY_SPAN_MAX, check_replay
from monigo.metering.retention.rules import kept_from
from monigo.metering.rules import AHEAD, whole_days, whole_hours
from support.values import made

NOW = datetime(2026, 3, 31, 12, 30, 15, 5, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def replay(start, end):
    return made(ReplayRequest, {}, {"start": start, "end": end})


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOW, NOW + INSTANT),
        (NOW + AHEAD, NOW + AHEAD + INSTANT),
        (NOW - REPLAY_SPAN_MAX, NOW),
        (NOW - timedelta(days=4_000), NOW - timedelta(days=3_999)),
    ],
)
def test_a_window_of_up_to_400_days_can_be_replayed(start, end):
    check_replay(replay(start, end), NOW)


@pytest.mark.parametrize(
    ("start", "end", "faults"),
    [
        (NOW + AHEAD + INSTANT, NOW + DAY, {"from": "must not lie in the future"}),
        (NOW, NOW, {"to": "must lie after from"}),
        (NOW, NOW - INSTANT, {"to": "must lie after from"}),
        (
            NOW - REPLAY_SPAN_MAX - INSTANT,
            NOW,
            {"to": "must lie at most 400 days after from"},
        ),
    ],
)
def test_another_window_is_refused(start, end, faults):
    with pytest.raises(DomainError) as refused:
        check_replay(replay(start, end), NOW)

    assert refused.value.fields == faults


def at(hour, minute=0, microsecond=0, day=1):
    return datetime(2026, 1, day, hour, minute, 0, microsecond, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (at(10), at(11), (at(10), at(11))),
        (at(10, 59), at(11, 0, 1), (at(10), at(12))),
        (at(10, 0, 1), at(10, 0, 2), (at(10), at(11))),
        (at(22, 30), at(23, 30), (at(22), at(0, day=2))),
    ],
)
def test_the_hours_that_a_window_touches_are_whole(start, end, hours):
    assert whole_hours(start, end) == Period(*hours)


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (at(0), at(0, day=2), (at(0), at(0, day=2))),
        (at(10), at(11), (at(0), at(0, day=2))),
        (at(23, 59), at(0, 0, 1, day=2), (at(0), at(0, day=3))),
    ],
)
def test_the_days_that_a_window_touches_are_whole(start, end, days):
    assert whole_days(start, end) == Period(*days)


@given(st.integers(0, 10**13), st.integers(1, 10**12))
def test_whole_hours_and_days_hold_the_window_with_nothing_to_spare(offset, length):
    start = at(0) + offset * INSTANT
    end = start + length * INSTANT

    for whole, unit in ((whole_hours(start, end), HOUR), (whole_days(start, end), DAY)):
        assert whole.start <= start < whole.start + unit
        assert whole.end - unit < end <= whole.end
        assert (whole.end - whole.start) % unit == timedelta()


def test_properties_are_kept_for_so_many_days_from_a_full_hour_on():
    assert kept_from(100, NOW) == datetime(2025, 12, 21, 12, tzinfo=UTC)
    assert kept_from(36_500, NOW) == datetime(1926, 4, 25, 12, tzinfo=UTC)


def test_properties_are_kept_for_ever_where_nothing_else_is_set():
    assert kept_from(None, NOW) == datetime(2, 1, 1, tzinfo=UTC)

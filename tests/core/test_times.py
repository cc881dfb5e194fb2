"""Instants and days as text."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.times import format_instant, parse_day, parse_instant

NO_TIME = r"^must be an RFC 3339 time such as 2026-01-31T10:17:33Z$"
IMPOSSIBLE = r"^is not a time that exists$"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-31T10:17:33Z", datetime(2026, 1, 31, 10, 17, 33, tzinfo=UTC)),
        ("2026-01-31t10:17:33z", datetime(2026, 1, 31, 10, 17, 33, tzinfo=UTC)),
        ("2026-01-31 10:17:33Z", datetime(2026, 1, 31, 10, 17, 33, tzinfo=UTC)),
        ("2026-01-31T00:30:00+01:00", datetime(2026, 1, 30, 23, 30, tzinfo=UTC)),
        ("2026-01-31T23:59:59-00:30", datetime(2026, 2, 1, 0, 29, 59, tzinfo=UTC)),
        ("2026-01-31T10:17:33.5Z", datetime(2026, 1, 31, 10, 17, 33, 500_000, tzinfo=UTC)),
        ("2026-01-31T10:17:33.1234569Z", datetime(2026, 1, 31, 10, 17, 33, 123_456, tzinfo=UTC)),
        (f"2026-01-31T10:17:33.{'9' * 30}Z", datetime(2026, 1, 31, 10, 17, 33, 999_999, UTC)),
        ("2024-02-29T19:00:00Z", datetime(2024, 2, 29, 19, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_time_with_its_zone_is_read_in_utc(text, instant):
    read = parse_instant(text)

    assert read == instant
    assert read.utcoffset() == timedelta()


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2026-01-31", "2026-01-31T10:17Z", "2026-01-31T10:17:33", "1767000000"),
        *("2026-01-31T24:00:00Z", "2026-01-31T10:17:33.Z", " 2026-01-31T10:17:33Z"),
        *("2026-01-31T10:17:33Z\n", "2026-1-31T10:17:33Z", "2026-01-31T10:17:33+0100"),
        *("２026-01-31T10:17:33Z", f"2026-01-31T10:17:33.{'9' * 31}Z", "2026-01-31_10:17:33Z"),  # noqa: RUF001 - a digit, but not ASCII
    ],
)
def test_what_is_no_complete_time_is_refused(text):
    with pytest.raises(ValueError, match=NO_TIME):
        parse_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T00:60:00Z"),
        *("2026-01-01T00:00:60Z", "0000-01-01T00:00:00Z", "2026-01-01T00:00:00+24:00"),
        *("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"),
    ],
)
def test_a_time_that_does_not_exist_is_refused(text):
    with pytest.raises(ValueError, match=IMPOSSIBLE):
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-31", date(2026, 1, 31)),
        ("2024-02-29", date(2024, 2, 29)),
        ("0001-01-01", date(1, 1, 1)),
        ("9999-12-31", date(9999, 12, 31)),
        # A day with a time, in another spelling, or of other digits, is no day by itself.
        ("2026-01-31T10:17:33Z", None),
        ("2026-1-31", None),
        ("20260131", None),
        (" 2026-01-31", None),
        ("2026-01-31\n", None),
        ("２026-01-31", None),  # noqa: RUF001 - a digit, but not ASCII
        ("2026-W05-6", None),
        ("", None),
    ],
)
def test_a_day_is_read_where_it_stands_alone(text, day):
    assert parse_day(text) == day


@pytest.mark.parametrize("text", ["2026-02-29", "2026-13-01", "2026-00-10", "0000-01-01"])
def test_a_day_that_no_calendar_has_is_refused(text):
    with pytest.raises(ValueError, match=r"^is not a day that exists$"):
        parse_day(text)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 1, 31, 10, 17, 33, tzinfo=UTC), "2026-01-31T10:17:33Z"),
        (datetime(2026, 1, 31, 10, 17, 33, 5, tzinfo=UTC), "2026-01-31T10:17:33.000005Z"),
        (datetime(2026, 1, 31, tzinfo=timezone(timedelta(hours=1))), "2026-01-30T23:00:00Z"),
    ],
)
def test_an_instant_is_written_in_utc(instant, text):
    assert format_instant(instant) == text


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_reads_back_as_it_was_written(instant):
    assert parse_instant(format_instant(instant)) == instant

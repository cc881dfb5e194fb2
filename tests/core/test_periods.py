"""Billing periods in local wall time."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.errors import DomainError, InvariantError
from monigo.core.periods import (
    BillingAnchor,
    BillingPeriod,
    Period,
    Schedule,
    boundary,
    calendar_month,
    parse_timezone,
    period_around,
    period_at,
    start_of_hour,
    subtract,
)

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "periods.json").read_text())
MICROSECOND = timedelta(microseconds=1)

ZONES = st.sampled_from(sorted(available_timezones() - {"Factory", "localtime"}))
INSTANTS = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - the strategy adds the zone itself
    max_value=datetime(2100, 12, 31),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)
SHORT_PERIODS = {BillingPeriod.DAILY, BillingPeriod.WEEKLY}
COMBINATIONS = [
    (period, anchor)
    for period in BillingPeriod
    for anchor in BillingAnchor
    if not (anchor is BillingAnchor.MONTH_START and period in SHORT_PERIODS)
]
SCHEDULES = st.builds(
    lambda anchor, combination, zone: Schedule(anchor, *combination, zone),
    INSTANTS,
    st.sampled_from(COMBINATIONS),
    ZONES,
)
HOURS = st.integers(min_value=0, max_value=200)


def at(text):
    return datetime.fromisoformat(text)


def schedule(anchor, period, *, start="subscription_start", zone="UTC"):
    local = at(anchor)
    return Schedule(local.astimezone(UTC), BillingPeriod(period), BillingAnchor(start), zone)


def hours(start, end):
    day = datetime(2026, 1, 1, tzinfo=UTC)
    return Period(day + timedelta(hours=start), day + timedelta(hours=end))


PERIODS = st.builds(
    lambda start, length: hours(start, start + length),
    HOURS,
    st.integers(min_value=1, max_value=50),
)


def measure(periods):
    return sum((period.end - period.start for period in periods), timedelta())


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: f"{case['anchor']} {case['timezone']}")
def test_boundaries_are_the_golden_ones(case):
    golden = Schedule(
        at(case["anchor"]),
        BillingPeriod(case["billing_period"]),
        BillingAnchor(case["billing_anchor"]),
        case["timezone"],
    )

    boundaries = [boundary(golden, index) for index in range(len(case["boundaries"]))]

    assert boundaries == [at(text) for text in case["boundaries"]]


@pytest.mark.parametrize(
    ("subject", "first_end", "second_end"),
    [
        pytest.param(
            schedule("2026-03-01T02:30:00-05:00", "weekly", zone="America/New_York"),
            "2026-03-08T03:30:00-04:00",
            "2026-03-15T02:30:00-04:00",
            id="a skipped time moves forward",
        ),
        pytest.param(
            schedule("2026-10-25T01:30:00-04:00", "weekly", zone="America/New_York"),
            "2026-11-01T01:30:00-04:00",
            "2026-11-08T01:30:00-05:00",
            id="a repeated time takes the first",
        ),
        pytest.param(
            schedule("2026-11-01T01:30:00-05:00", "weekly", zone="America/New_York"),
            "2026-11-08T01:30:00-05:00",
            "2026-11-15T01:30:00-05:00",
            id="an anchor in the second of repeated times stays there",
        ),
        pytest.param(
            schedule("2026-04-23T12:00:00+02:00", "daily", zone="Africa/Cairo"),
            "2026-04-24T01:00:00+03:00",
            "2026-04-25T00:00:00+03:00",
            id="a day whose midnight is skipped starts at one",
        ),
        pytest.param(
            schedule("2026-02-10T00:00:00+01:00", "daily", zone="Africa/Lagos"),
            "2026-02-11T00:00:00+01:00",
            "2026-02-12T00:00:00+01:00",
            id="a day from midnight is whole",
        ),
        pytest.param(
            schedule("2011-12-29T22:00:00-10:00", "daily", zone="Pacific/Apia"),
            "2011-12-31T00:00:00+14:00",
            "2012-01-01T00:00:00+14:00",
            id="a date that the zone left out is no period",
        ),
        pytest.param(
            schedule("2009-10-31T23:30:00-03:30", "daily", zone="America/St_Johns"),
            "2009-11-02T00:00:00-03:30",
            "2009-11-03T00:00:00-03:30",
            id="a repeated evening belongs to the day that has begun",
        ),
        pytest.param(
            schedule(
                "2026-03-01T00:00:00+03:00", "quarterly", start="month_start", zone="Africa/Nairobi"
            ),
            "2026-06-01T00:00:00+03:00",
            "2026-09-01T00:00:00+03:00",
            id="a quarter from the first of a month is whole",
        ),
        pytest.param(
            schedule("2024-02-29T08:00:00+00:00", "annually", start="month_start"),
            "2024-03-01T00:00:00+00:00",
            "2025-03-01T00:00:00+00:00",
            id="a short period, then a whole year",
        ),
    ],
)
def test_periods_follow_the_local_clock(subject, first_end, second_end):
    assert period_at(subject, 0) == Period(subject.anchor, at(first_end).astimezone(UTC))
    assert boundary(subject, 2) == at(second_end)


@given(SCHEDULES, st.integers(min_value=0, max_value=400))
def test_periods_join_without_gap_or_overlap(subject, index):
    period, following = period_at(subject, index), period_at(subject, index + 1)

    assert period.start < period.end == following.start < following.end


@given(SCHEDULES, st.integers(min_value=1, max_value=400))
def test_a_boundary_belongs_to_the_period_that_it_starts(subject, index):
    start = boundary(subject, index)

    assert period_around(subject, start) == period_at(subject, index)
    assert period_around(subject, start - MICROSECOND) == period_at(subject, index - 1)


@given(SCHEDULES, st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000)))
def test_every_instant_from_the_anchor_on_is_in_one_period(subject, elapsed):
    instant = subject.anchor + elapsed

    assert period_around(subject, instant).contains(instant)


def test_no_period_contains_what_was_before_the_anchor():
    subject = schedule("2026-02-10T08:00:00Z", "monthly")

    with pytest.raises(ValueError, match="before the first period"):
        period_around(subject, subject.anchor - MICROSECOND)


@pytest.mark.parametrize("period", ["daily", "weekly"])
def test_months_can_not_start_periods_shorter_than_a_month(period):
    with pytest.raises(DomainError) as caught:
        schedule("2026-02-10T08:00:00Z", period, start="month_start")

    assert caught.value.fields == {"billing_anchor": f"month_start does not fit {period} periods"}


@pytest.mark.parametrize(("period", "start"), COMBINATIONS)
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_end_of_the_calendar_is_an_error_of_the_start_date(period, start, zone):
    subject = Schedule(datetime.max.replace(tzinfo=UTC) - timedelta(hours=1), period, start, zone)

    with pytest.raises(DomainError) as caught:
        boundary(subject, 3)

    assert list(caught.value.fields) == ["start_date"]


@pytest.mark.parametrize(("period", "start"), COMBINATIONS)
def test_a_period_that_ends_within_the_calendar_is_found_in_its_last_years(period, start):
    subject = Schedule(datetime(9996, 12, 1, tzinfo=UTC), period, start, "UTC")
    instant = datetime(9998, 11, 30, 12, tzinfo=UTC)

    assert period_around(subject, instant).contains(instant)


def test_an_index_beyond_all_calendars_is_an_error_of_the_start_date():
    with pytest.raises(DomainError):
        boundary(schedule("2026-02-10T08:00:00Z", "weekly"), 10**12)


@pytest.mark.parametrize("index", [-1, -100])
def test_there_is_no_period_before_the_first(index):
    with pytest.raises(InvariantError):
        boundary(schedule("2026-02-10T08:00:00Z", "monthly"), index)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00", "2026-01-02T00:00:00"),
        ("2026-01-01T00:00:00+01:00", "2026-01-02T00:00:00+01:00"),
    ],
)
def test_a_period_is_a_stretch_of_utc_time(start, end):
    with pytest.raises(InvariantError):
        Period(at(start), at(end))


def test_a_period_contains_its_start_but_not_its_end():
    period = hours(0, 1)

    assert period.contains(period.start)
    assert period.contains(period.end - MICROSECOND)
    assert not period.contains(period.end)
    assert not period.contains(period.start - MICROSECOND)


@pytest.mark.parametrize("name", ["UTC", "Africa/Lagos", "America/Port-au-Prince", "Etc/GMT+12"])
def test_a_time_zone_goes_by_its_iana_name(name):
    assert parse_timezone(name).key == name


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "Mars/Olympus", "Lagos", "Africa", "Africa/", "/Africa/Lagos", "UTC\n"),
        *("../x", "../../etc/passwd", "Africa/../UTC", "/etc/localtime", "Africa\\Lagos", "a\0b"),
        *("posix/UTC", "right/UTC", "localtime", "Factory", "+01:00", "A" * 1000),
    ],
)
def test_anything_else_is_no_time_zone(name):
    with pytest.raises(ValueError, match="must be an IANA time zone"):
        parse_timezone(name)


@given(st.text())
def test_an_arbitrary_name_is_a_time_zone_or_a_value_error(name):
    try:
        zone = parse_timezone(name)
    except ValueError:
        return

    assert zone.key == name


@pytest.mark.parametrize(
    ("instant", "zone", "start", "end"),
    [
        ("2026-02-28T22:59:59Z", "Africa/Lagos", "2026-01-31T23:00:00Z", "2026-02-28T23:00:00Z"),
        ("2026-02-28T23:00:00Z", "Africa/Lagos", "2026-02-28T23:00:00Z", "2026-03-31T23:00:00Z"),
        ("2026-12-31T23:59:59Z", "UTC", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ],
)
def test_a_calendar_month_is_the_local_one(instant, zone, start, end):
    assert calendar_month(at(instant), zone) == Period(at(start), at(end))


@given(INSTANTS, ZONES)
def test_a_calendar_month_contains_its_instant(instant, zone):
    assert calendar_month(instant, zone).contains(instant)


@pytest.mark.parametrize(
    ("holes", "left"),
    [
        ([], [(10, 20)]),
        ([(0, 10), (20, 30)], [(10, 20)]),
        ([(12, 14)], [(10, 12), (14, 20)]),
        ([(15, 18), (12, 16), (13, 14)], [(10, 12), (18, 20)]),
        ([(5, 12), (18, 25)], [(12, 18)]),
        ([(10, 20)], []),
        ([(0, 30)], []),
    ],
)
def test_holes_are_cut_out_of_a_period(holes, left):
    remains = subtract(hours(10, 20), [hours(*hole) for hole in holes])

    assert remains == tuple(hours(*part) for part in left)


@given(PERIODS, st.lists(PERIODS, max_size=8), HOURS)
def test_an_instant_of_the_period_remains_once_unless_it_is_in_a_hole(period, holes, hour):
    instant = hours(hour, hour + 1).start

    remains = subtract(period, holes)

    in_hole = any(hole.contains(instant) for hole in holes)
    expected = period.contains(instant) and not in_hole
    assert sum(part.contains(instant) for part in remains) == expected


@given(PERIODS, st.lists(PERIODS, max_size=8))
def test_what_remains_and_what_was_cut_make_up_the_period(period, holes):
    remains = subtract(period, holes)
    cut = subtract(period, remains)

    assert measure(remains) + measure(cut) == period.end - period.start
    assert list(remains) == sorted(remains, key=lambda part: part.start)


@pytest.mark.parametrize(
    ("instant", "zone", "start"),
    [
        ("2027-03-03T01:00:00Z", "UTC", "2027-03-03T01:00:00Z"),
        ("2027-03-03T01:59:59.999999Z", "UTC", "2027-03-03T01:00:00Z"),
        ("2027-03-03T01:41:18Z", "Asia/Kolkata", "2027-03-03T01:30:00Z"),
        ("2027-03-03T01:41:18Z", "Asia/Kathmandu", "2027-03-03T01:15:00Z"),
        # Clocks are set back at 01:00Z: 02:20 there comes twice, and each has an hour of its own.
        ("2027-10-31T00:20:00Z", "Europe/Berlin", "2027-10-31T00:00:00Z"),
        ("2027-10-31T01:20:00Z", "Europe/Berlin", "2027-10-31T01:00:00Z"),
        # From 02:00 to 02:30 there: the hour begins where it is skipped to.
        ("2027-10-02T15:45:00Z", "Australia/Lord_Howe", "2027-10-02T15:30:00Z"),
        # From 02:00 back to 01:30 there: the hour is of ninety minutes.
        ("2027-04-03T15:10:00Z", "Australia/Lord_Howe", "2027-04-03T14:00:00Z"),
    ],
)
def test_an_hour_starts_where_the_zones_clocks_show_it(instant, zone, start):
    assert start_of_hour(datetime.fromisoformat(instant), zone) == datetime.fromisoformat(start)


@given(INSTANTS, ZONES)
def test_an_hour_starts_on_the_local_day_and_not_long_ago(instant, zone):
    start = start_of_hour(instant, zone)

    assert timedelta(0) <= instant - start < timedelta(minutes=90)
    local = parse_timezone(zone)
    assert start.astimezone(local).date() == instant.astimezone(local).date()

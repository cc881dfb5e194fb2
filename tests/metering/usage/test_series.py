"""Usage as a series against events added up by hand, whatever is folded, wherever hours break."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monigo.core.errors import DomainError
from monigo.core.periods import Period
from monigo.metering import Granularity
from monigo.metering.usage import series_store
from monigo.metering.usage.points import broken_hours, lay_out
from support.api import Api, event
from support.clock import STARTS_AT
from support.metering import aggregated, fold, trust_buckets

# A past hour boundary that all zones below have seen without a change of clocks for weeks.
BASE = STARTS_AT - timedelta(days=9)
ZONES = ("UTC", "Africa/Lagos", "Asia/Kolkata", "Asia/Kathmandu")
AGGREGATIONS = ("count", "sum", "max", "minimum", "average", "unique")
_names = (f"series-{number}" for number in itertools.count(1))


def instant(text):
    return datetime.fromisoformat(text).astimezone(UTC)


def at(minutes):
    return BASE + timedelta(minutes=minutes)


def wire(time):
    return time.isoformat().replace("+00:00", "Z")


def read(api, metric, start, end, granularity="hour", **query):
    params = {"metric_id": metric["id"], "from": wire(start), "to": wire(end), **query}
    answer = api.get("/v1/usage/series", params={"granularity": granularity, **params})
    assert answer.status_code == 200, answer.text
    return answer.json()


def values(series):
    return [(point["value"], point["event_count"]) for point in series["points"]]


def set_rollups_from(api, metric, time):
    api.backend.sql(
        "UPDATE metrics SET rollups_from = $1 WHERE id = $2 AND org_id = $3",
        time,
        metric["id"],
        api.org_id,
    )


@pytest.fixture(scope="module")
def merchant(backend):
    with Api.of_new_organization(backend) as client:
        yield client


def told(series, aggregation):
    return [
        (round(point["value"], 9) if aggregation == "average" else point["value"], count)
        for point, (_, count) in zip(series["points"], values(series), strict=True)
    ]


# Minutes on and around full and half hours, over a bit more than two days.
moments = st.builds(
    lambda half_hours, off: half_hours * 30 + off, st.integers(0, 100), st.sampled_from([-1, 0, 7])
)
sent_events = st.lists(st.tuples(moments, st.integers(-3, 3)), min_size=1, max_size=12)


@settings(max_examples=25)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(["hour", "day"]),
    sent_events,
    sent_events,
    st.tuples(moments, moments).filter(lambda ends: ends[0] != ends[1]).map(sorted),
    st.none() | st.integers(0, 50),
)
def test_each_point_holds_what_happened_in_it_folded_or_not(  # noqa: PLR0917 - drawn
    merchant, zone, granularity, folded, unfolded, span, rollups_hour
):
    merchant.patch("/v1/organization", json={"timezone": zone}).raise_for_status()
    name = next(_names)
    merchant.customer(name)
    metrics = {
        aggregation: merchant.metric(name, aggregation=aggregation, aggregation_property="n")
        for aggregation in AGGREGATIONS
    }
    trust_buckets(merchant, [metric["id"] for metric in metrics.values()])
    events = [
        event(f"{name}-{number}", name, name=name, timestamp=wire(at(minutes)), properties={"n": n})
        for number, (minutes, n) in enumerate([*folded, *unfolded])
    ]
    merchant.ingest(*events[: len(folded)])
    fold(merchant)
    merchant.ingest(*events[len(folded) :])
    if rollups_hour is not None:
        for metric in metrics.values():
            set_rollups_from(merchant, metric, at(rollups_hour * 60))

    start, end = map(at, span)
    for aggregation, metric in metrics.items():
        series = read(merchant, metric, start, end, granularity, customer_id=name)

        bounds = [instant(point["start"]) for point in series["points"]] + [end]
        assert bounds[0] == start
        assert told(series, aggregation) == [
            (round(float(aggregated(aggregation, numbers)), 9), len(numbers))
            for numbers in (
                [n for minutes, n in [*folded, *unfolded] if left <= at(minutes) < right]
                for left, right in pairwise(bounds)
            )
        ]
    for metric in metrics.values():
        merchant.delete(f"/v1/metrics/{metric['id']}")


def test_all_customers_are_added_up_where_none_is_named(api):
    for number in range(3):
        api.customer(f"c{number}")
    metrics = [api.metric("m"), api.metric("m", aggregation="sum", aggregation_property="n")]
    trust_buckets(api, [metrics[1]["id"]])
    sent = [
        event(str(n), f"c{n % 3}", name="m", timestamp=wire(at(n * 25)), properties={"n": f"{n}.5"})
        for n in range(12)
    ]
    api.ingest(*sent[:8])
    fold(api)
    api.ingest(*sent[8:])

    series = [read(api, metric, at(30), at(240)) for metric in metrics]

    assert [values(item) for item in series] == [
        [(1, 1), (2, 2), (3, 3), (2, 2)],
        [(2.5, 1), (8, 2), (19.5, 3), (18, 2)],
    ]
    assert (series[0]["customer_id"], series[0]["count"]) == (None, 4)


def test_a_series_is_of_one_metric_and_one_tenant(api, backend):
    api.customer()
    metric = api.metric("m", filters=[{"property": "ok", "operator": "=", "value": True}])
    api.ingest(
        event("1", name="m", timestamp=wire(at(0)), properties={"ok": True}),
        event("2", name="m", timestamp=wire(at(0))),
        event("3", name="other", timestamp=wire(at(0)), properties={"ok": True}),
    )

    with Api.of(backend, api.org_id, is_test=False) as live:
        other = live.get("/v1/usage/series", params={"metric_id": metric["id"]})

    assert values(read(api, metric, at(0), at(60))) == [(1, 1)]
    assert (other.status_code, list(other.json()["details"])) == (404, ["metric_id"])


def grouped(api, group_by="model"):
    """A sum grouped by model; the answer to which values had what, hour by hour."""
    api.customer()
    metric = api.metric("m", aggregation="sum", aggregation_property="n", group_by=group_by)
    trust_buckets(api, [metric["id"]])
    sent = [
        event(
            str(n),
            name="m",
            timestamp=wire(at(n * 20)),
            properties={"n": n, "model": f"m{n % 2}", "region": "eu" if n < 4 else "us"},
        )
        for n in range(6)
    ]
    api.ingest(*sent[:3])
    fold(api)
    api.ingest(*sent[3:])
    return metric


@pytest.mark.parametrize("customer", [{}, {"customer_id": "c1"}])
def test_the_metrics_own_grouping_comes_from_buckets(api, customer):
    metric = grouped(api)

    series = read(api, metric, at(0), at(120), group_by="model", **customer)
    whole = read(api, metric, at(0), at(120), **customer)

    assert [point["groups"] for point in series["points"]] == [
        {"m0": 2, "m1": 1},
        {"m0": 4, "m1": 8},
    ]
    assert values(series) == values(whole) == [(3, 3), (12, 3)]
    assert [point["groups"] for point in whole["points"]] == [None, None]


@pytest.mark.parametrize("own", ["", "model"])
def test_another_grouping_comes_from_a_customers_events(api, own):
    metric = grouped(api, group_by=own)

    series = read(api, metric, at(0), at(120), group_by="region", customer_id="c1")

    assert [point["groups"] for point in series["points"]] == [{"eu": 3}, {"eu": 3, "us": 9}]


def test_beyond_a_hundred_values_the_smallest_are_told_together(api):
    api.customer()
    metric = api.metric("m", aggregation="sum", aggregation_property="n", group_by="model")
    api.ingest(
        *[
            event(str(n), name="m", timestamp=wire(at(0)), properties={"n": n, "model": f"m{n}"})
            for n in range(1, 131)
        ],
        event("real", name="m", timestamp=wire(at(0)), properties={"n": 1_000, "model": "other"}),
    )

    point = read(api, metric, at(0), at(60), group_by="model")["points"][0]

    assert point["value"] == sum(range(1, 131)) + 1_000
    assert len(point["groups"]) == 100
    assert point["groups"]["other"] == sum(range(1, 32)) + 1_000
    assert "m31" not in point["groups"]


def test_too_many_events_to_count_one_by_one_are_refused(api, monkeypatch):
    statement = series_store.SELECT_SERIES
    assert "LIMIT 500001" in statement
    monkeypatch.setattr(series_store, "SELECT_SERIES", statement.replace("500001", "4"))
    monkeypatch.setattr(series_store, "EVENTS_COUNTED_MAX", 3)
    api.customer()
    metric = api.metric("m")
    api.ingest(*[event(str(n), name="m", timestamp=wire(at(n))) for n in range(4)])
    query = {"metric_id": metric["id"], "from": wire(at(0)), "to": wire(at(60))}

    whole = api.get("/v1/usage/series", params=query)
    one = api.get("/v1/usage/series", params={**query, "customer_id": "c1"})
    less = read(api, metric, at(0), at(3), customer_id="c1")

    assert [(it.status_code, list(it.json()["details"])) for it in (whole, one)] == [
        (400, ["customer_id"]),
        (400, ["from"]),
    ]
    assert values(less) == [(3, 3)]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("", 400, "metric_id"),
        ("metric_id=", 400, "metric_id"),
        ("metric_id=no-uuid", 404, "metric_id"),
        ("metric_id=0197b3c0-0000-7000-8000-000000000000", 404, "metric_id"),
        ("metric_id=$sum&customer_id=nobody", 404, "customer_id"),
        ("metric_id=$sum&customer_id=%00", 400, "customer_id"),
        ("metric_id=$sum&granularity=week", 400, "granularity"),
        ("metric_id=$sum&from=soon", 400, "from"),
        ("metric_id=$sum&from=0002-01-01T00:00:00Z", 400, "from"),
        ("metric_id=$sum&to=9999-12-31T23:59:59Z", 400, "to"),
        ("metric_id=$sum&from=2026-02-01T00:00:00Z&to=2026-02-01T00:00:00Z", 400, "to"),
        (
            "metric_id=$sum&granularity=hour&from=2020-01-01T00:00:00Z&to=2026-02-01T00:00:00Z",
            400,
            "granularity",
        ),
        ("metric_id=$max", 400, "customer_id"),
        ("metric_id=$max&customer_id=c1&group_by=model", 400, "group_by"),
        ("metric_id=$sum&group_by=model", 400, "customer_id"),
        (
            (
                "metric_id=$sum&customer_id=c1&group_by=model"
                "&from=2026-01-01T00:00:00Z&to=2026-02-02T00:00:00Z"
            ),
            400,
            "from",
        ),
    ],
)
def test_a_series_that_cannot_be_is_refused_and_named(merchant, query, status, field):
    merchant.customer("c1")
    for aggregation in ("sum", "max"):
        name = next(_names)
        metric = merchant.metric(name, aggregation=aggregation, aggregation_property="n")
        query = query.replace(f"${aggregation}", metric["id"])

    answer = merchant.get(f"/v1/usage/series?{query}")

    assert (answer.status_code, list(answer.json()["details"])) == (status, [field])


@pytest.mark.parametrize(
    ("granularity", "count"), [("", 31), ("hour", 25), ("day", 31), ("month", 13)]
)
def test_without_a_span_a_series_ends_now(api, granularity, count):
    metric = api.metric("m")
    now = api.backend.clock.stand_still()

    answer = api.get(
        "/api/v1/usage/series", params={"metric_id": metric["id"], "granularity": granularity}
    ).json()

    assert answer["count"] == count
    assert instant(answer["points"][-1]["end"]) == now


def laid_out(start, end, granularity, zone, points_max=10_000):
    span = Period(instant(start), instant(end))
    return lay_out(span, Granularity(granularity), zone, points_max=points_max)


def local(bounds, zone):
    return [f"{bound.astimezone(ZoneInfo(zone)):%m-%d %H:%M}" for bound in bounds]


@pytest.mark.parametrize(
    ("zone", "start", "end", "granularity", "expected"),
    [
        (
            "Africa/Lagos",
            "2026-01-30T12:00:00+01:00",
            "2026-02-02T00:00:00+01:00",
            "day",
            ["01-30 12:00", "01-31 00:00", "02-01 00:00", "02-02 00:00"],
        ),
        (
            "Asia/Kolkata",
            "2026-01-01T00:15:00+05:30",
            "2026-01-01T02:10:00+05:30",
            "hour",
            ["01-01 00:15", "01-01 01:00", "01-01 02:00", "01-01 02:10"],
        ),
        (
            "Africa/Lagos",
            "2026-01-31T00:00:00+01:00",
            "2026-04-01T00:00:00+01:00",
            "month",
            ["01-31 00:00", "02-01 00:00", "03-01 00:00", "04-01 00:00"],
        ),
        (  # Clocks go from 02:00 to 03:00: a day of 23 hours.
            "Europe/Berlin",
            "2026-03-29T00:00:00+01:00",
            "2026-03-29T05:00:00+02:00",
            "hour",
            ["03-29 00:00", "03-29 01:00", "03-29 03:00", "03-29 04:00", "03-29 05:00"],
        ),
        (  # Clocks go from 03:00 back to 02:00: an hour comes twice.
            "Europe/Berlin",
            "2026-10-25T01:00:00+02:00",
            "2026-10-25T04:00:00+01:00",
            "hour",
            ["10-25 01:00", "10-25 02:00", "10-25 02:00", "10-25 03:00", "10-25 04:00"],
        ),
        (  # Clocks go from 02:00 back to 01:30.
            "Australia/Lord_Howe",
            "2026-04-05T00:00:00+11:00",
            "2026-04-05T03:00:00+10:30",
            "hour",
            ["04-05 00:00", "04-05 01:00", "04-05 01:30", "04-05 02:00", "04-05 03:00"],
        ),
    ],
)
def test_points_begin_where_the_zones_clock_says(zone, start, end, granularity, expected):
    assert local(laid_out(start, end, granularity, zone), zone) == expected


@given(
    st.sampled_from([*ZONES, "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"]),
    st.sampled_from(list(Granularity)),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    st.integers(1, 100_000),
)
def test_points_follow_each_other_without_gap_from_start_to_end(zone, granularity, start, minutes):
    span = Period(start, start + timedelta(minutes=minutes))

    bounds = lay_out(span, granularity, zone, points_max=10_000)

    assert (bounds[0], bounds[-1]) == (span.start, span.end)
    assert all(left < right for left, right in pairwise(bounds))
    broken = set(broken_hours(bounds))
    hours = [bound.replace(minute=0, second=0, microsecond=0) for bound in bounds]
    assert all((hour in broken) or hour == bound for hour, bound in zip(hours, bounds, strict=True))


def test_more_points_than_asked_for_are_refused():
    with pytest.raises(DomainError, match="validation failed"):
        laid_out("2026-01-01T00:00:00Z", "2026-01-01T03:00:01Z", "hour", "UTC", points_max=3)

    assert len(laid_out("2026-01-01T00:00:00Z", "2026-01-01T03:00:00Z", "hour", "UTC", 3)) == 4


def test_ten_thousand_points_come_exact(api):
    api.customer()
    metric = api.metric("m", aggregation="sum", aggregation_property="n")
    api.ingest(event("1", name="m", timestamp=wire(at(90)), properties={"n": "0.1"}))
    end = at(0) + timedelta(hours=5_000)

    series = read(api, metric, end - timedelta(hours=10_000), end, customer_id="c1")

    found = {point["start"]: point["value"] for point in series["points"] if point["value"]}
    assert (series["count"], found) == (10_000, {wire(at(60)): 0.1})
    assert Decimal(str(sum(found.values()))) == Decimal("0.1")

"""Usage: one rollup per customer, metric and billing period, stable and complete."""

from datetime import timedelta

import pytest

from monigo.core.times import format_instant
from support.api import Api, event

LONG_AGO = "2000-01-01T00:00:00Z"


def rollups(api, **query):
    response = api.get("/v1/usage", params=query)
    assert response.status_code == 200, response.text
    return response.json()["rollups"]


@pytest.fixture
def new_year(api):
    """The clock stands at noon of 2 January: far from the ends of a month in any zone."""
    clock = api.backend.clock
    now = clock.now()
    clock.advance(
        seconds=(now.replace(year=now.year + 1, month=1, day=2, hour=12) - now).total_seconds()
    )
    return clock.now().year


def test_a_customer_without_subscription_has_calendar_months(api, new_year):
    api.customer()
    api.metric()
    api.ingest(event("now"), event("before", timestamp=f"{new_year - 1}-12-31T23:59:59.999999Z"))

    [rollup] = rollups(api)
    months = rollups(api, **{"from": LONG_AGO})

    assert (rollup["period_start"], rollup["period_end"], rollup["event_count"]) == (
        f"{new_year}-01-01T00:00:00Z",
        f"{new_year}-02-01T00:00:00Z",
        1,
    )
    assert sorted(month["period_start"] for month in months) == [
        f"{new_year - 1}-12-01T00:00:00Z",
        f"{new_year}-01-01T00:00:00Z",
    ]


@pytest.mark.usefixtures("new_year")
@pytest.mark.parametrize(
    ("timezone", "start"),
    [
        ("Africa/Lagos", "12-31T23:00:00Z"),
        ("Africa/Nairobi", "12-31T21:00:00Z"),
        ("America/New_York", "01-01T05:00:00Z"),
        ("UTC", "01-01T00:00:00Z"),
    ],
)
def test_calendar_months_are_those_of_the_organizations_zone(api, timezone, start):
    api.patch("/v1/organization", json={"timezone": timezone})
    api.customer()
    api.metric()
    api.ingest(event("1"))

    [rollup] = rollups(api)

    assert rollup["period_start"].endswith(start)


def test_a_subscriber_has_the_periods_of_the_subscription(api):
    *_, subscription = api.subscribed_customer()
    api.ingest(event("1"))

    [rollup] = rollups(api)

    assert (rollup["period_start"], rollup["period_end"]) == (
        subscription["current_period_start"],
        subscription["current_period_end"],
    )


def test_a_rollup_has_the_same_id_at_every_reading(api):
    api.subscribed_customer()
    api.ingest(event("1"))
    [before] = rollups(api)
    api.ingest(event("2"))

    [after] = rollups(api)

    assert before["id"] == after["id"]
    assert (before["value"], after["value"]) == (1, 2)


def test_a_period_without_events_has_no_rollup(api):
    api.subscribed_customer()

    assert rollups(api) == []


def test_events_of_another_name_do_not_count(api):
    api.subscribed_customer()
    api.ingest(event("1", name="something_else"))

    assert rollups(api) == []


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ({}, [1, 2, 2]),
        ({"customer_id": "c1"}, [1, 2]),
        ({"customer_id": "c2"}, [2]),
        ({"customer_id": "nobody"}, []),
        ({"metric_id": "no-uuid"}, []),
        ({"metric_id": "00000000-0000-7000-8000-000000000000"}, []),
    ],
)
def test_usage_is_read_by_customer_and_metric(api, query, values):
    api.customer("c1")
    api.customer("c2")
    api.metric()
    api.metric("login")
    api.ingest(event("1"), event("2"), event("3", name="login"))
    api.ingest(event("4", "c2"), event("5", "c2"))

    assert sorted(rollup["value"] for rollup in rollups(api, **query)) == values


def test_usage_is_read_by_the_customers_id_and_the_metrics(api):
    customer, metric = api.customer(), api.metric()
    api.metric("login")
    api.ingest(event("1"), event("2", name="login"))

    [rollup] = rollups(api, customer_id=customer["id"], metric_id=metric["id"])

    assert (rollup["customer_id"], rollup["metric_id"]) == (customer["id"], metric["id"])


def test_a_span_holds_the_periods_that_start_in_it(api, new_year):
    api.customer()
    api.metric()
    api.ingest(event("new"), event("old", timestamp=f"{new_year - 1}-12-15T00:00:00Z"))
    december, january = f"{new_year - 1}-12-01T00:00:00Z", f"{new_year}-01-01T00:00:00Z"

    spans = [
        rollups(api, **{"from": december, "to": january}),
        rollups(api, **{"from": january}),
        rollups(api, to=january),
        rollups(api, **{"from": f"{new_year - 1}-12-01T00:00:01Z", "to": january}),
    ]

    starts = [[rollup["period_start"] for rollup in span] for span in spans]
    assert starts == [[december], [january], [december], []]


def test_an_event_at_a_boundary_belongs_to_the_period_that_begins(api, new_year):
    api.customer()
    api.metric()
    api.ingest(
        event("first", timestamp=f"{new_year}-01-01T00:00:00Z"),
        event("last", timestamp=f"{new_year - 1}-12-31T23:59:59.999999999Z"),
    )

    counted = {
        rollup["period_start"][5:7]: rollup["value"]
        for rollup in rollups(api, **{"from": LONG_AGO})
    }

    assert counted == {"12": 1, "01": 1}


@pytest.mark.usefixtures("new_year")
def test_events_count_that_are_as_far_ahead_as_they_may_be(api):
    """No look goes further ahead than events can lie: here from just before a full hour."""
    api.backend.clock.stand_still()
    api.backend.clock.advance(minutes=59, seconds=59)
    ahead = api.backend.clock.now() + timedelta(minutes=59, seconds=59)
    api.customer()
    api.metric()
    api.ingest(event("ahead", timestamp=format_instant(ahead)))

    assert [rollup["event_count"] for rollup in rollups(api)] == [1]


def test_events_count_in_whatever_order_they_arrive(api, new_year):
    api.customer()
    api.metric("temperature", aggregation="max", aggregation_property="c")
    times = [f"{new_year}-01-0{day}T00:00:00Z" for day in (2, 1)]
    for number, time in enumerate(times):
        api.ingest(event(str(number), name="temperature", timestamp=time, properties={"c": number}))

    [rollup] = rollups(api)

    assert (rollup["value"], rollup["last_event_at"]) == (1, times[0])


def test_a_question_until_the_end_of_time_is_answered_at_once(api):
    customer, metric = api.customer(), api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    api.subscribe(customer["id"], api.plan(price, billing_period="daily")["id"])
    api.ingest(event("1"))

    [rollup] = rollups(api, **{"from": "0002-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"})

    assert rollup["value"] == 1


def test_usage_is_of_ones_own_organization_and_mode(api, backend):
    api.customer()
    api.metric()
    api.ingest(event("1"))

    with (
        Api.of(backend, api.org_id, is_test=False) as live,
        Api.of_new_organization(backend) as other,
    ):
        seen = [rollups(client) for client in (live, other)]

    assert seen == [[], []]
    assert rollups(api)[0]["is_test"] is True

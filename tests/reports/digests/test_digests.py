"""Digests: each customer's usage, and that of all, once for a day, a week and a month."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from monigo import metering
from monigo.core.periods import Period
from monigo.reports.digests import REPORT_USAGE, service
from monigo.reports.digests.rules import day_of, due_at, period_of, subject_of
from monigo.reports.digests.types import Span
from support.agenda import do, entries
from support.api import Api, event


def fold(api):
    api.backend.run(metering.fold_all(api.backend.services.database))


def told(api, name):
    """The digests of a name, the oldest first."""
    events = api.get("/v1/billing-events", params={"type": name}).json()["events"]
    return [one["data"]["usage"] for one in events[::-1]]


def values(digest):
    return [(one["name"], one["value"], one["event_count"]) for one in digest["metrics"]]


@pytest.fixture
def story(api, clock):
    """Two customers who used something on Wednesday, 17 June 2026; the third did not."""
    clock("2026-06-17T10:00:00Z")
    for name in ("c1", "c2", "c3"):
        api.customer(name)
    api.metric()
    api.metric("page", aggregation="unique", aggregation_property="path")
    api.metric("byte", aggregation="average", aggregation_property="size")
    api.ingest(event("a"), event("b"), event("c", "c2"))
    api.ingest(event("d", name="page", properties={"path": "/"}))
    api.ingest(event("e", "c2", "page", properties={"path": "/"}))
    api.ingest(event("f", "c2", "byte", properties={"size": 2}))
    api.ingest(event("g", "c1", "byte", properties={"size": 7}))
    fold(api)
    return api


def test_a_days_usage_is_reported_in_the_morning_after(story, clock):
    clock("2026-06-18T07:59:59Z")
    assert told(story, "usage.daily") == []

    clock("2026-06-18T08:00:00Z")

    (whole,) = told(story, "usage.daily")
    assert (whole["period_start"], whole["period_end"]) == (
        "2026-06-17T00:00:00Z",
        "2026-06-18T00:00:00Z",
    )
    assert values(whole) == [("api_call", "3", 3), ("byte", "4.5", 2), ("page", "2", 2)]
    assert [one["customers"] for one in whole["metrics"]] == [2, 2, 2]
    assert [values(one) for one in told(story, "customer.usage.daily")] == [
        [("api_call", "2", 2), ("byte", "7", 1), ("page", "1", 1)],
        [("api_call", "1", 1), ("byte", "2", 1), ("page", "1", 1)],
    ]


def test_a_week_is_reported_on_monday_and_a_month_on_the_first(story, clock):
    clock("2026-06-22T07:59:59Z")
    assert told(story, "usage.weekly") == []

    clock("2026-06-22T08:00:00Z")
    (week,) = told(story, "usage.weekly")
    assert (week["period_start"], week["period_end"]) == (
        "2026-06-15T00:00:00Z",
        "2026-06-22T00:00:00Z",
    )
    assert told(story, "usage.monthly") == []
    clock("2026-07-01T08:00:00Z")

    (month,) = told(story, "usage.monthly")
    assert values(month) == values(week)
    assert (month["period_start"], month["period_end"]) == (
        "2026-06-01T00:00:00Z",
        "2026-07-01T00:00:00Z",
    )
    assert len(told(story, "customer.usage.weekly")) == 2
    assert len(told(story, "customer.usage.monthly")) == 2


def test_a_day_without_usage_has_no_digest(story, clock):
    clock("2026-06-21T09:00:00Z")

    assert len(told(story, "usage.daily")) == 1


def test_a_digest_is_reported_once(story, clock, monkeypatch):
    monkeypatch.setattr(service, "CUSTOMERS_A_STEP", 1)
    clock("2026-06-18T08:00:00Z")
    day = Period(datetime(2026, 6, 17, tzinfo=UTC), datetime(2026, 6, 18, tzinfo=UTC))

    async def again():
        async with story.backend.services.database.transaction(story.tenant) as tx:
            return await service.report_some(tx, Span.DAILY, day)

    assert story.backend.run(again()) is False
    assert len(told(story, "usage.daily")) == 1
    assert len(told(story, "customer.usage.daily")) == 2
    assert values(told(story, "usage.daily")[0])[0] == ("api_call", "3", 3)


def test_a_digest_goes_on_where_it_was_cut_off(story, clock, monkeypatch):
    monkeypatch.setattr(service, "CUSTOMERS_A_STEP", 1)
    day = Period(datetime(2026, 6, 17, tzinfo=UTC), datetime(2026, 6, 18, tzinfo=UTC))

    async def some(*, fails):
        async with story.backend.services.database.transaction(story.tenant) as tx:
            await service.report_some(tx, Span.DAILY, day)
            if fails:
                raise asyncio.CancelledError

    story.backend.run(some(fails=False))
    with pytest.raises(BaseException, match=r"^$"):
        story.backend.run(some(fails=True))
    clock("2026-06-18T08:00:00Z")

    assert [one["customer_id"] for one in told(story, "customer.usage.daily")] == sorted(
        {one["customer_id"] for one in told(story, "customer.usage.daily")}
    )
    assert values(told(story, "usage.daily")[0])[0] == ("api_call", "3", 3)


@pytest.fixture
def live_api(backend):
    with Api.of_new_organization(backend, is_test=False) as client:
        yield client
    backend.clock.reset()


def test_live_usage_is_reported_by_real_time(backend, live_api):
    live_api.customer()
    live_api.metric()
    live_api.ingest(event("a"))
    fold(live_api)
    (kind,) = [one.kind for one in REPORT_USAGE if one.kind is metering.DIGEST_OF_DAY]
    first = entries(backend, live_api.tenant, kind)[0]["due_at"]
    assert (first.hour, first.minute) == (8, 0)

    backend.clock.advance(days=2)
    do(live_api, *REPORT_USAGE, *REPORT_USAGE)

    assert len(told(live_api, "usage.daily")) == 1


@pytest.mark.parametrize(
    ("span", "start", "end"),
    [
        (Span.DAILY, (2026, 2, 28), (2026, 3, 1)),
        (Span.WEEKLY, (2026, 2, 23), (2026, 3, 2)),
        (Span.MONTHLY, (2026, 2, 1), (2026, 3, 1)),
    ],
)
def test_periods_of_digests_are_of_utc(span, start, end):
    day = datetime(2026, 2, 28, tzinfo=UTC)

    period = period_of(span, day)

    assert period == Period(datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC))
    assert day_of(subject_of(period)) == period.start
    assert due_at(period) == period.end + timedelta(hours=8)

"""Buckets of days: the sums of their hours, from which whole days of usage are read."""

import asyncio
import itertools
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monigo import metering
from monigo.core.periods import Period
from monigo.metering.rollup import folding, rebuild_store
from support.api import Api, event
from support.clock import STARTS_AT
from support.jobs import run_replay
from support.metering import aggregated, differences, fold, measured, trust_buckets

# A midnight, UTC.
BASE = datetime(2026, 6, 8, tzinfo=UTC)
AGGREGATIONS = ("count", "sum", "max", "minimum", "average", "unique")
_names = (f"days-{number}" for number in itertools.count(1))

CUSTOMERS = "SELECT id, external_id FROM customers WHERE org_id = $1 AND external_id LIKE $2 || '%'"


def at(minutes):
    return BASE + timedelta(minutes=minutes)


@pytest.fixture(scope="module")
def merchant(backend):
    with Api.of_new_organization(backend) as client:
        metrics = [
            client.metric(aggregation=aggregation, aggregation_property="n")
            for aggregation in AGGREGATIONS
        ]
        metrics.append(client.metric(aggregation="sum", aggregation_property="n", group_by="n"))
        client.metrics = metrics
        trust_buckets(client, [metric["id"] for metric in metrics])
        yield client


@pytest.fixture
def customer(api):
    return api.customer()


# Minutes on and around hours and midnights, over five days.
moments = st.one_of(
    st.builds(lambda hours, off: hours * 60 + off, st.integers(0, 120), st.sampled_from([0, 29])),
    st.builds(lambda days, off: days * 1440 + off, st.integers(1, 5), st.sampled_from([-1, 0, 1])),
)
sent_events = st.lists(st.tuples(moments, st.integers(-3, 3)), min_size=1, max_size=12)
cuts = st.lists(moments, min_size=2, max_size=6, unique=True).map(sorted)


@settings(max_examples=30)
@given(sent_events, sent_events, cuts, st.integers(0, 120))
def test_a_reading_is_exact_however_windows_lie_in_days(merchant, folded, unfolded, cuts, whole):
    name = next(_names)
    ids = {merchant.customer(f"{name}-{n}")["external_id"]: n for n in range(2)}
    sent = [*folded, *unfolded]
    events = [
        event(
            f"{name}-{k}", f"{name}-{k % 2}", timestamp=at(minutes).isoformat(), properties={"n": n}
        )
        for k, (minutes, n) in enumerate(sent)
    ]
    merchant.ingest(*events[: len(folded)])
    fold(merchant)
    merchant.ingest(*events[len(folded) :])
    merchant.backend.sql(
        "UPDATE metrics SET rollups_from = $1 WHERE org_id = $2",
        BASE + timedelta(hours=whole),
        merchant.org_id,
    )
    windows = tuple(Period(at(left), at(right)) for left, right in itertools.pairwise(cuts))
    customers = merchant.backend.sql(CUSTOMERS, merchant.org_id, f"{name}-")
    # Every other window; the first of them is read from the events.
    queries = [
        (row["id"], metric, windows[2::2], windows[:1])
        for row in customers
        for metric in merchant.metrics
    ]

    usages = measured(merchant, queries)

    told = [(usage.quantity, usage.event_count) for usage in usages]
    assert told == [
        (aggregated(metric["aggregation"], numbers), len(numbers))
        for row in customers
        for metric in merchant.metrics
        for numbers in [
            [
                n
                for k, (minutes, n) in enumerate(sent)
                if k % 2 == ids[row["external_id"]]
                and any(window.contains(at(minutes)) for window in windows[::2])
            ]
        ]
    ]
    fold(merchant)
    assert differences(merchant) == []


def test_days_are_what_whole_days_are_read_from(api, customer):
    metric = api.metric()
    trust_buckets(api, [metric["id"]])
    minutes = [30, 23 * 60, 24 * 60, 47 * 60, 48 * 60, 49 * 60]
    api.ingest(
        *(event(f"e{m}", timestamp=at(m).isoformat()) for m in minutes),
    )
    fold(api)
    api.backend.sql("UPDATE usage_days SET event_count = 100 WHERE org_id = $1", api.org_id)

    # From 01:00 of the first day until 01:00 of the third: an hour, a day, an hour.
    windows = (Period(at(60), at(49 * 60)),)
    (usage,) = measured(api, [(UUID(customer["id"]), metric, windows, ())])

    assert usage.quantity == 1 + 100 + 1


def test_a_running_window_is_read_from_days_to_its_end(api, customer):
    metric = api.metric()
    trust_buckets(api, [metric["id"]])
    api.ingest(event("now"))
    fold(api)
    api.backend.sql("UPDATE usage_days SET event_count = 100 WHERE org_id = $1", api.org_id)
    today = STARTS_AT.replace(hour=0)

    windows = (Period(today, today + timedelta(days=20, minutes=7)),)
    (usage,) = measured(api, [(UUID(customer["id"]), metric, windows, ())])

    assert usage.quantity == 100


def test_a_replay_sums_up_broken_days_from_all_their_hours(api, customer):
    metric = api.metric()
    trust_buckets(api, [metric["id"]])
    hours = [1, 5, 23, 25, 30, 47]
    api.ingest(*(event(f"e{hour}", timestamp=at(hour * 60).isoformat()) for hour in hours))
    fold(api)
    api.backend.sql(
        "UPDATE usage_hours SET event_count = 7 WHERE org_id = $1 AND hour = $2",
        *(api.org_id, at(5 * 60)),
    )
    api.backend.sql("UPDATE usage_days SET event_count = 100 WHERE org_id = $1", api.org_id)
    window = {"from": at(4 * 60).isoformat(), "to": at(31 * 60).isoformat()}
    job = api.post("/v1/events/replay", json=window).json()["job"]

    run_replay(api, job["id"])

    days = api.backend.sql(
        "SELECT event_count FROM usage_days WHERE org_id = $1 ORDER BY day",
        api.org_id,
    )
    assert [row["event_count"] for row in days] == [3, 3]
    assert differences(api) == []
    windows = (Period(at(0), at(3 * 1440)),)
    (usage,) = measured(api, [(UUID(customer["id"]), metric, windows, ())])
    assert usage.quantity == len(hours)


def test_folds_side_by_side_of_the_same_days_wait_for_none_that_waits_for_them(api, monkeypatch):
    """Each batch has events of all customers and groups; of now, as late ones lock days before."""
    for aggregation in ("sum", "unique"):
        api.metric(aggregation=aggregation, aggregation_property="n")
    api.metric(group_by="n")
    names = [api.customer(f"c{number}")["external_id"] for number in range(20)]
    for batch in range(24):
        chosen = random.Random(batch)
        api.ingest(
            *(
                event(
                    f"b{batch}-{number}",
                    chosen.choice(names),
                    properties={"n": chosen.randrange(10)},
                )
                for number in range(60)
            )
        )
    monkeypatch.setattr(folding, "BATCHES_A_FOLD", 2)
    database = api.backend.services.database

    async def fold_side_by_side():
        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(metering.fold_all(database))

    api.backend.run(fold_side_by_side())

    counted = api.backend.sql(
        "SELECT metric_id, sum(event_count) AS count FROM usage_days WHERE org_id = $1 GROUP BY 1",
        api.org_id,
    )
    assert [row["count"] for row in counted] == [24 * 60] * 3
    assert differences(api) == []


@pytest.mark.usefixtures("customer")
def test_a_metric_deleted_amid_a_step_leaves_no_day_without_its_hours(api, monkeypatch):
    metric = api.metric()
    api.ingest(*(event(f"e{hour}", timestamp=at(hour * 60).isoformat()) for hour in (1, 30)))
    fold(api)
    window = {"from": at(0).isoformat(), "to": at(20 * 60).isoformat()}
    job = api.post("/v1/events/replay", json=window).json()["job"]
    concerned = rebuild_store.concerned_metrics

    async def found_and_deleted(tx, selection):
        found = await concerned(tx, selection)
        connection = await asyncpg.connect(api.backend.owner_url)
        await connection.execute(
            "UPDATE metrics SET deleted_at = now() WHERE id = $1", metric["id"]
        )
        await connection.close()
        return found

    monkeypatch.setattr(rebuild_store, "concerned_metrics", found_and_deleted)
    run_replay(api, job["id"])

    hours, days = (
        [
            row["event_count"]
            for row in api.backend.sql(
                f"SELECT event_count FROM {table} WHERE org_id = $1", api.org_id
            )
        ]
        for table in ("usage_hours", "usage_days")
    )
    assert hours == days == [1]
    assert differences(api) == []


@pytest.mark.usefixtures("customer")
@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("day = day + interval '1 hour'", "usage_days_begin_at_midnight"),
        ("event_count = 0, number_count = 0", "usage_days_not_empty"),
        ("number_count = event_count + 1", "usage_days_numbers_are_of_events"),
        ("last_event_at = day + interval '1 day'", "usage_days_day_holds_its_events"),
        ("first_event_at = day - interval '1 second'", "usage_days_day_holds_its_events"),
    ],
)
def test_the_database_refuses_a_day_that_cannot_be(api, change, constraint):
    api.metric()
    api.ingest(event("e", timestamp=at(60).isoformat()))
    fold(api)

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        api.backend.sql(f"UPDATE usage_days SET {change} WHERE org_id = $1 RETURNING 1", api.org_id)

    assert refused.value.constraint_name == constraint

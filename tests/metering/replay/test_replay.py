"""Replay: buckets are built anew, while ingestion goes on and every reading stays exact."""

import asyncio
import threading
from datetime import timedelta

import pytest

from monigo import metering
from monigo.infra.queue import TryLaterError
from monigo.metering import StepSize
from monigo.tenancy import Scope
from support import shapes
from support.api import Api, event
from support.clock import STARTS_AT
from support.jobs import run_replay
from support.metering import fold

# Each bucket's sums, as folding or a replay made them.
BUCKETS = """
    SELECT customer_id, metric_id, metric_version, hour, group_value, event_count, number_sum,
        (SELECT count(*) FROM usage_hour_values AS known
            WHERE known.customer_id = bucket.customer_id AND known.metric_id = bucket.metric_id
                AND known.metric_version = bucket.metric_version AND known.hour = bucket.hour)
    FROM usage_hours AS bucket
    WHERE org_id = $1
    ORDER BY 1, 2, 3, 4, 5
"""


def ago(**duration):
    return (STARTS_AT - timedelta(**duration)).isoformat()


def window(**fields):
    return {"from": ago(days=2), "to": ago(hours=-2), **fields}


def start(api, **fields):
    response = api.post("/v1/events/replay", json=window(**fields))
    assert response.status_code == 202, response.text
    return response.json()["job"]


def job(api, job_id):
    return api.get(f"/v1/events/replay/{job_id}").json()["job"]


def jobs(api):
    return api.get("/v1/events/replay").json()["jobs"]


def work(api, job_id, size=None, stop=None):
    """Take a replay to its end, as the worker does."""
    run_replay(api, job_id, size=size, stop=stop)
    return job(api, job_id)


def small(customers=1, events=2):
    """Steps so small that a replay takes several, and stays so."""
    return _Small(events_max=events, customers_max=customers)


class _Small(StepSize):
    def learn(self, _taken, *, was_cut):
        assert was_cut in {True, False}


def usage(api, metric):
    rollups = api.get("/v1/usage", params={"metric_id": metric["id"]}).json()["rollups"]
    return sum(rollup["value"] for rollup in rollups)


def buckets(api):
    return [tuple(row) for row in api.backend.sql(BUCKETS, api.org_id)]


def rollups_from(api, metric):
    query = "SELECT rollups_from::text AS hour FROM metrics WHERE id = $1"
    return api.backend.sql(query, metric["id"])[0]["hour"]


def corrupt(api):
    api.backend.sql(
        "UPDATE usage_hours SET event_count = event_count + 5, number_sum = number_sum + 5"
        " WHERE org_id = $1 RETURNING 1",
        api.org_id,
    )
    # Summed up wrongly, as the hours were.
    api.backend.sql(
        "UPDATE usage_days AS day SET event_count = bucket.event_count,"
        " number_sum = bucket.number_sum FROM ("
        "   SELECT customer_id, metric_id, group_value, date_trunc('day', hour, 'UTC') AS day,"
        "     sum(event_count) AS event_count, sum(number_sum) AS number_sum FROM usage_hours"
        "   WHERE org_id = $1 GROUP BY 1, 2, 3, 4"
        " ) AS bucket WHERE day.org_id = $1 AND (day.customer_id, day.metric_id, day.group_value,"
        "   day.day) = (bucket.customer_id, bucket.metric_id, bucket.group_value, bucket.day)"
        " RETURNING 1",
        api.org_id,
    )
    api.backend.sql("DELETE FROM usage_hour_values WHERE org_id = $1 RETURNING 1", api.org_id)


@pytest.fixture
def busy(api):
    """Three customers with events of several kinds and hours, folded into buckets."""
    for name in ("c1", "c2", "c3"):
        api.customer(name)
    calls = api.metric()
    tokens = api.metric("tokens", aggregation="sum", aggregation_property="n")
    pages = api.metric("visit", aggregation="unique", aggregation_property="page")
    for customer in ("c1", "c2", "c3"):
        times = [ago(hours=hours) for hours in (1, 5, 30)]
        api.ingest(*(event(f"{customer}-{at}", customer, timestamp=at) for at in times))
        api.ingest(event(f"t-{customer}", customer, "tokens", properties={"n": "2.5"}))
        api.ingest(event(f"v-{customer}", customer, "visit", properties={"page": "/"}))
    fold(api)
    api.metrics = calls, tokens, pages
    return api


def test_a_metric_before_the_first_event_needs_no_replay(api):
    metric = api.metric()

    assert jobs(api) == []
    assert rollups_from(api, metric) != "infinity"


def test_a_metric_made_after_events_counts_them(busy):
    late = busy.metric("api_call")
    before = usage(busy, late)

    done = work(busy, jobs(busy)[0]["id"])
    fold(busy)

    assert (before, usage(busy, late)) == (9, 9)
    assert (done["status"], done["initiated_by"]) == ("completed", "system:metric")
    assert (done["events_total"], done["events_replayed"]) == (9, 9)
    assert done["metric_id"] == late["id"]
    assert rollups_from(busy, late) != "infinity"


def test_a_reading_is_exact_before_during_and_after_a_metrics_edit(busy):
    calls, tokens, _ = busy.metrics
    changes = {"event_name": "tokens", "aggregation": "sum", "aggregation_property": "n"}
    busy.put(f"/v1/metrics/{calls['id']}", json=changes)
    refold = jobs(busy)[0]
    readings = [usage(busy, calls)]
    database = busy.backend.services.database

    async def step():
        async with database.transaction(busy.tenant) as tx:
            return await metering.replay_some(tx, refold["id"], small())

    async def begin():
        async with database.transaction(busy.tenant) as tx:
            await metering.begin_replay(tx, refold["id"])

    busy.backend.run(begin())
    while not busy.backend.run(step()).is_last:
        readings.append(usage(busy, calls))
        busy.ingest(event(f"late-{len(readings)}", "c1", "tokens", properties={"n": 1}))
        readings[-1] += usage(busy, calls) - usage(busy, tokens)
        fold(busy)
    work(busy, refold["id"])

    assert len(readings) >= 4
    assert [value - index for index, value in enumerate(readings[1:])] == [7.5] * len(readings[1:])
    assert usage(busy, calls) == usage(busy, tokens)
    assert rollups_from(busy, calls) != "infinity"
    versions = {row[2] for row in buckets(busy) if str(row[1]) == calls["id"]}
    assert versions == {2}


def test_an_edit_that_is_overtaken_leaves_the_field_to_the_newer_one(busy):
    calls, *_ = busy.metrics
    path = f"/v1/metrics/{calls['id']}"
    busy.put(path, json={"event_name": "visit"})
    busy.put(path, json={"event_name": "tokens"})
    newer, older = jobs(busy)

    overtaken = work(busy, older["id"])
    between = rollups_from(busy, calls)
    done = work(busy, newer["id"])

    assert (overtaken["status"], between) == ("canceled", "infinity")
    assert (done["status"], usage(busy, calls)) == ("completed", 3)


def test_an_edit_of_words_alone_needs_no_replay(busy):
    busy.put(f"/v1/metrics/{busy.metrics[0]['id']}", json={"name": "Calls", "description": "all"})

    assert jobs(busy) == []


def test_a_replay_repairs_buckets(busy):
    right = buckets(busy)
    corrupt(busy)
    wrong = buckets(busy)

    done = work(busy, start(busy)["id"])

    assert shapes.differences(done, shapes.REPLAY_JOB) == {}
    assert wrong != right
    assert buckets(busy) == right
    assert (done["status"], done["events_total"], done["events_replayed"]) == ("completed", 15, 15)
    assert done["started_at"] < done["completed_at"]


def test_a_replay_takes_out_distinct_values_that_no_event_has(busy):
    right = buckets(busy)
    pages = busy.metrics[2]
    busy.backend.sql(
        "INSERT INTO usage_hour_values (org_id, is_test, customer_id, metric_id, metric_version,"
        " hour, value) SELECT org_id, is_test, customer_id, metric_id, metric_version, hour,"
        " gen_random_uuid() FROM usage_hours WHERE org_id = $1 AND metric_id = $2",
        *(busy.org_id, pages["id"]),
    )
    before = usage(busy, pages)

    work(busy, start(busy)["id"])

    assert (before, usage(busy, pages)) == (6, 3)
    assert buckets(busy) == right


def test_a_replay_of_one_name_and_window_leaves_the_rest(busy):
    right = buckets(busy)
    corrupt(busy)
    wrong = buckets(busy)

    done = work(busy, start(busy, event_name="api_call", **{"from": ago(hours=8)})["id"])
    now = buckets(busy)

    repaired = [row for row in now if row in right]
    assert {str(row[1]) for row in repaired} == {busy.metrics[0]["id"]}
    assert len(repaired) == 6
    assert len([row for row in now if row in wrong]) == len(now) - 6
    assert done["events_replayed"] == 6


def test_events_that_are_not_folded_yet_are_not_counted_twice(busy):
    busy.ingest(event("waiting", "c2"))

    work(busy, start(busy)["id"])
    folded = usage(busy, busy.metrics[0])
    fold(busy)

    assert (folded, usage(busy, busy.metrics[0])) == (10, 10)


@pytest.mark.parametrize("events", [1, 2, 100])
def test_a_replay_that_was_interrupted_goes_on_where_it_stopped(busy, events):
    right = buckets(busy)
    corrupt(busy)
    replay = start(busy)
    database = busy.backend.services.database

    async def some_steps_and_a_crash():
        async with database.transaction(busy.tenant) as tx:
            await metering.begin_replay(tx, replay["id"])
        for _ in range(2):
            async with database.transaction(busy.tenant) as tx:
                await metering.replay_some(tx, replay["id"], small(events=events))
        async with database.transaction(busy.tenant) as tx:
            await metering.replay_some(tx, replay["id"], small(events=events))
            raise ConnectionError("killed")

    with pytest.raises(ConnectionError):
        busy.backend.run(some_steps_and_a_crash())
    between = job(busy, replay["id"])
    done = work(busy, replay["id"], small(events=events))

    assert between["status"] == "processing"
    assert 0 < between["events_replayed"] < 15
    assert (done["status"], done["events_replayed"]) == ("completed", 15)
    assert buckets(busy) == right


def test_a_worker_that_stops_leaves_the_replay_to_the_next(busy):
    replay = start(busy)
    stop = asyncio.Event()
    stop.set()

    with pytest.raises(TryLaterError):
        work(busy, replay["id"], stop=stop)
    between = job(busy, replay["id"])

    assert between["status"] == "processing"
    assert work(busy, replay["id"])["status"] == "completed"


def test_a_canceled_replay_does_nothing_more(busy):
    corrupt(busy)
    wrong = buckets(busy)
    replay = start(busy)

    canceled = busy.post(f"/v1/events/replay/{replay['id']}/cancel").json()["job"]
    worked = work(busy, replay["id"])
    again = busy.post(f"/v1/events/replay/{replay['id']}/cancel")

    assert canceled["status"] == worked["status"] == "canceled"
    assert canceled["completed_at"] is not None
    assert buckets(busy) == wrong
    assert again.status_code == 409


def test_a_replay_that_a_metric_needs_cannot_be_canceled(busy):
    busy.metric("late")

    answer = busy.post(f"/v1/events/replay/{jobs(busy)[0]['id']}/cancel")

    assert answer.status_code == 409


def test_two_replays_of_a_tenant_wait_for_each_other(busy):
    first, second = start(busy), start(busy)
    database = busy.backend.services.database

    async def begin():
        async with database.transaction(busy.tenant) as tx:
            await metering.begin_replay(tx, first["id"])

    busy.backend.run(begin())
    with pytest.raises(TryLaterError):
        work(busy, second["id"])
    waiting = job(busy, second["id"])
    statuses = [work(busy, known["id"])["status"] for known in (first, second)]

    assert waiting["status"] == "pending"
    assert statuses == ["completed", "completed"]


def test_ingestion_goes_on_during_a_replay(busy):
    sent = 300
    replay = start(busy)
    fold_every_now_and_then = threading.Event()

    def ingest(number):
        with Api(busy.backend, busy.org_id, busy.secret, is_test=True) as client:
            for index in range(0, sent, 10):
                keys = [f"more-{number}-{index + each}" for each in range(10)]
                client.ingest(*(event(key, f"c{number}") for key in keys))

    def keep_folding():
        while not fold_every_now_and_then.is_set():
            fold(busy)

    threads = [threading.Thread(target=ingest, args=(number,)) for number in (1, 2, 3)]
    folding = threading.Thread(target=keep_folding)
    for thread in (*threads, folding):
        thread.start()
    work(busy, replay["id"], small(events=20))
    while any(thread.is_alive() for thread in threads):
        work(busy, start(busy)["id"], small(customers=2, events=200))
    fold_every_now_and_then.set()
    folding.join()
    fold(busy)
    folded = buckets(busy)
    work(busy, start(busy)["id"])

    assert usage(busy, busy.metrics[0]) == 9 + 3 * sent
    assert buckets(busy) == folded


def test_drafts_are_refreshed_and_final_invoices_stay(busy):
    price = {"metric_id": busy.metrics[0]["id"], "model": "flat_unit", "unit_price": "2"}
    plan = busy.plan(price)
    drafts = [
        busy.draft(busy.subscribe(name, plan["id"], start_date=ago(days=2))["id"])
        for name in ("c1", "c2")
    ]
    final = busy.finalize(drafts[1]["id"])
    corrupt(busy)
    wrong = busy.draft(drafts[0]["subscription_id"])
    untouched = busy.get(f"/v1/invoices/{final['id']}").json()

    work(busy, start(busy)["id"])
    refreshed = busy.get(f"/v1/invoices/{wrong['id']}").json()["invoice"]

    assert (wrong["id"], wrong["total"] != "6.000000") == (drafts[0]["id"], True)
    assert (refreshed["status"], refreshed["total"]) == ("draft", "6.000000")
    assert busy.get(f"/v1/invoices/{final['id']}").json() == untouched


def test_a_dry_run_reports_the_difference_and_changes_nothing(busy):
    price = {"metric_id": busy.metrics[0]["id"], "model": "flat_unit", "unit_price": "2"}
    subscription = busy.subscribe("c1", busy.plan(price)["id"], start_date=ago(days=2))
    draft = busy.draft(subscription["id"])
    for table, more in (("usage_hours", 5), ("usage_days", 15)):
        busy.backend.sql(
            f"UPDATE {table} SET event_count = event_count + {more}"
            " WHERE org_id = $1 AND customer_id = $2 AND metric_id = $3 RETURNING 1",
            *(busy.org_id, draft["customer_id"], busy.metrics[0]["id"]),
        )
    wrong = buckets(busy)

    done = work(busy, start(busy, dry_run=True)["id"])
    report = done["report"]

    assert (done["status"], done["dry_run"]) == ("completed", True)
    assert buckets(busy) == wrong
    assert busy.get(f"/v1/invoices/{draft['id']}").json()["invoice"] == draft
    assert (report["changed"], report["truncated"]) == (1, False)
    row = report["rows"][0]
    amount = row.pop("amounts")[0]
    assert row == {
        "customer_id": draft["customer_id"],
        "metric_id": busy.metrics[0]["id"],
        "usage_before": "18",
        "usage_after": "3",
    }
    assert (amount["after"], amount["currency"]) == ("6.000000", "NGN")
    assert amount["difference"] == report["differences"]["NGN"]
    assert amount["difference"].startswith("-")


def test_a_dry_run_of_right_buckets_reports_nothing(busy):
    busy.metric("api_call")
    busy.ingest(event("waiting", "c2"))

    report = work(busy, start(busy, dry_run=True)["id"])["report"]

    assert report == {"changed": 0, "truncated": False, "differences": {}, "rows": []}


def test_a_report_is_for_keys_that_may_read(busy):
    done = work(busy, start(busy, dry_run=True)["id"])

    with Api.of(busy.backend, busy.org_id, is_test=True, scopes=[Scope.INGEST]) as ingester:
        polled = job(ingester, done["id"])
        begun = ingester.post("/v1/events/replay", json=window())
    with Api.of(busy.backend, busy.org_id, is_test=True, scopes=[Scope.READ]) as reader:
        read = job(reader, done["id"])
        refused = reader.post("/v1/events/replay", json=window())

    assert done["report"] is not None
    assert (polled, polled["report"]) == ({**done, "report": None}, None)
    assert (begun.status_code, read, refused.status_code) == (202, done, 403)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "from"),
        ({"from": "2026-01-01T00:00:00Z"}, "to"),
        ({"from": "yesterday", "to": "2026-01-01T00:00:00Z"}, "from"),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "to"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "to"),
        ({"from": "9999-12-31T23:00:00Z", "to": "9999-12-31T23:59:59.999999Z"}, "from"),
        ({"from": "2024-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "to"),
        (window(event_name=7), "event_name"),
        (window(dry_run="perhaps"), "dry_run"),
    ],
)
def test_a_bad_window_is_refused(api, body, field):
    answer = api.post("/v1/events/replay", json=body)

    assert answer.status_code == 400
    assert field in answer.json()["details"]


def test_a_window_long_before_any_event_is_empty(api):
    body = {"from": "0002-01-01T00:00:00Z", "to": "0002-01-01T00:30:00Z"}

    replay = api.post("/v1/events/replay", json=body).json()["job"]

    assert work(api, replay["id"])["status"] == "completed"


def test_an_unknown_replay_is_not_found(api, backend):
    with Api.of_new_organization(backend) as other:
        theirs = start(other)["id"]

    for path in (theirs, f"{theirs}/cancel"):
        method = "POST" if path.endswith("cancel") else "GET"
        assert api.http.request(method, f"/v1/events/replay/{path}").status_code == 404
    assert api.get("/v1/events/replay/7").status_code == 404


def test_a_replay_may_name_its_organisation_and_mode(api):
    mine = {"org_id": str(api.org_id), "is_test": True}
    others = ({"is_test": False}, {"org_id": "0197b3c0-0000-7000-8000-000000000000"})

    answers = [
        api.post("/api/v1/events/replay", json=window(**body))
        for body in (mine, *({**mine, **other} for other in others))
    ]

    assert [answer.status_code for answer in answers] == [202, 403, 403]

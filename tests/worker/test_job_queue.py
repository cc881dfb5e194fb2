"""The worker's job queue: jobs come with their transaction and survive workers and database."""

import asyncio
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest

from monigo import invoicing, metering
from monigo.infra.queue import lanes
from monigo.worker import run_worker
from support.agenda import do, entries
from support.agenda import waiting as waiting_on_the_agenda
from support.api import event
from support.backend import start_backend
from support.databases import fresh_database
from support.verification import faults

SECONDS_MAX = 10
WATCH_REPLAYS = invoicing.replay_job().watch()


@contextmanager
def worker(backend):
    """A worker on the server's loop."""
    stop = asyncio.Event()
    running = asyncio.run_coroutine_threadsafe(run_worker(backend.services, stop), backend.loop)
    try:
        yield
    finally:
        backend.loop.call_soon_threadsafe(stop.set)
        running.result(SECONDS_MAX)


def start(api):
    now = api.backend.clock.now()
    body = {"from": (now - timedelta(days=1)).isoformat(), "to": now.isoformat()}
    while (answer := api.post("/v1/events/replay", json=body)).status_code == 503:
        time.sleep(0.1)
    return answer.json()["job"]


def status(api, replay):
    return api.get(f"/v1/events/replay/{replay['id']}").json()["job"]["status"]


def ended(api, *replays):
    """The states of replays, as soon as they are all completed."""
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        states = [status(api, replay) for replay in replays]
        if set(states) == {"completed"} or time.monotonic() > deadline:
            return states
        time.sleep(0.02)


def queued(backend, replay):
    key = f"replay:{replay['id']}"
    query = "SELECT status::text AS status FROM pgqueuer WHERE dedupe_key = $1"
    return [row["status"] for row in backend.sql(query, key)]


def left(backend, replay):
    """What the queue holds of a replay, as soon as that is nothing."""
    deadline = time.monotonic() + SECONDS_MAX
    while (states := queued(backend, replay)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return states


def waiting(backend):
    return backend.sql("SELECT id FROM pgqueuer ORDER BY id")


@pytest.fixture(scope="module")
def backend(owner_url, tmp_path_factory):
    """A server of this file's own: a worker would also do what other tests left to be done."""
    with fresh_database(owner_url) as url:
        running = start_backend(url, tmp_path_factory.mktemp("jobs"))
        yield running
        running.stop()


@pytest.fixture
def used(api):
    api.customer()
    api.metric()
    api.ingest(event("1"), event("2"))
    return api


def test_the_worker_works_off_replays_one_after_the_other(used, backend):
    replays = [start(used) for _ in range(3)]

    with worker(backend):
        states = ended(used, *replays)

    assert states == ["completed"] * 3


def test_a_job_that_comes_while_the_worker_waits_is_begun_at_once(used, backend, monkeypatch):
    # Nobody looks by himself: only being told begins a job within this test's time.
    monkeypatch.setattr(lanes, "LOOK_INTERVAL", timedelta(hours=1))
    with worker(backend):
        ended(used, start(used))
        states = ended(used, start(used))

    assert states == ["completed"]


def test_a_job_of_a_transaction_that_fails_never_was(used, backend):
    async def enqueue_and_fail():
        async with backend.services.database.transaction(used.tenant) as tx:
            now = tx.now
            request = metering.ReplayRequest(now - timedelta(hours=1), now, "", dry_run=False)
            replay = await metering.start_replay(tx, request, initiated_by="test")
            assert replay.status is metering.ReplayStatus.PENDING
            raise ConnectionError("failed")

    before = waiting(backend)
    with pytest.raises(ConnectionError):
        backend.run(enqueue_and_fail())

    assert used.get("/v1/events/replay").json()["jobs"] == []
    assert waiting(backend) == before


def test_a_job_whose_worker_was_killed_is_taken_over(used, backend):
    replay = start(used)
    # As a killed worker leaves it: picked, with a heart that beat too long ago.
    backend.sql(
        "UPDATE pgqueuer SET status = 'picked', queue_manager_id = gen_random_uuid(),"
        " heartbeat = now() - $1::interval RETURNING id",
        lanes.HEARTBEAT_TIMEOUT + timedelta(seconds=1),
    )

    with worker(backend):
        states = ended(used, replay)

    assert states == ["completed"]
    seconds = (lanes.HEARTBEAT_TIMEOUT + lanes.LOOK_INTERVAL).total_seconds()
    assert seconds <= 30


def test_the_worker_finds_back_when_its_connections_break(used, backend):
    with worker(backend):
        ended(used, start(used))
        backend.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'monigo_app'"
            " AND datname = current_database()"
        )
        states = ended(used, start(used))

    assert states == ["completed"]


def test_a_replay_that_fell_out_of_the_queue_is_put_back_once(used, backend):
    replay = start(used)
    backend.sql("DELETE FROM pgqueuer RETURNING id")

    backend.clock.advance(minutes=10)

    for _ in range(2):
        do(used, WATCH_REPLAYS)

    assert queued(backend, replay) == ["queued"]
    (again,) = entries(backend, used.tenant, WATCH_REPLAYS.kind)
    assert again["due_at"] > backend.clock.now()


def test_a_replay_that_has_ended_is_not_watched_any_more(used, backend):
    replay = start(used)
    watched = waiting_on_the_agenda(backend, used.tenant, WATCH_REPLAYS.kind)

    with worker(backend):
        ended(used, replay)

    assert str(watched[0]) == replay["id"]
    assert entries(backend, used.tenant, WATCH_REPLAYS.kind) == []


def test_a_job_that_nobody_looks_after_is_found_by_verification(used, backend):
    replay = start(used)
    before = faults(backend, used.tenant)
    backend.sql("DELETE FROM agenda WHERE kind = $1", WATCH_REPLAYS.kind.name)

    found = faults(backend, used.tenant)

    assert before == []
    assert found == [("due work of a replay", replay["id"], None, "present")]


def test_a_job_that_is_done_leaves_the_queue(used, backend):
    replay = start(used)

    with worker(backend):
        done, held = ended(used, replay), left(backend, replay)

    assert (done, held) == (["completed"], [])

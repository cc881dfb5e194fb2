"""The worker that sends webhooks is killed at random: each event comes, none that never was."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monigo.webhooks.deliveries import RETRY, SEND
from support.hooks import Receiver, dispatch, endpoint, logs
from support.webhooks import tasks_of, work_off

TESTS = Path(__file__).parent.parent
KILLS = 4
FACTS_A_ROUND = 15
# A claim of a process that died lasts so long.
CLAIM_SECONDS = 16


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def work_and_die(backend, tmp_path):
    """Runs a worker for a while, and kills it."""

    def run(seconds, meanwhile):
        ahead = str(backend.clock.ahead.total_seconds())
        arguments = [backend.app_url, ahead, str(tmp_path)]
        worker = subprocess.Popen(
            [sys.executable, "-m", "support.hook_worker", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(TESTS)},
        )
        with worker:
            assert worker.stdout.readline() == "works\n"
            meanwhile()
            time.sleep(seconds)
            worker.kill()

    return run


@pytest.mark.parametrize("seed", [7])
def test_killed_at_random_each_event_is_sent_and_none_that_was_rolled_back(
    api, receiver, work_and_die, seed
):
    chance = random.Random(seed)
    endpoint(api, receiver.url)
    plan = api.plan({"metric_id": api.metric()["id"], "model": "flat_unit", "unit_price": "1"})

    def make_facts():
        for _ in range(FACTS_A_ROUND):
            name = f"c{chance.randrange(10**9)}"
            api.customer(name)
            api.subscribe(name, plan["id"])
            # Its fact is rolled back: there is one of the plan already.
            api.post("/v1/subscriptions", json={"customer_id": name, "plan_id": plan["id"]})

    for _ in range(KILLS):
        work_and_die(chance.uniform(0, 0.5), make_facts)
    api.backend.clock.advance(seconds=CLAIM_SECONDS)
    dispatch(api)
    work_off(api, *tasks_of(api, SEND, RETRY))

    made = {event["id"] for event in api.get("/v1/billing-events").json()["events"]}
    sent = [json.loads(raw)["id"] for raw in receiver.bodies]
    assert len(made) == KILLS * FACTS_A_ROUND
    assert set(sent) == made
    assert {log["status"] for log in logs(api)} == {"succeeded"}
    assert len(logs(api)) == len(made)
    # What came twice was under way when its worker died.
    assert len(sent) - len(made) <= KILLS * 8

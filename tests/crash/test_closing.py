"""Ten workers close the same periods and are killed at random: each period is billed once."""

import os
import random
import secrets
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monigo.cli.verification import verify_tenant
from support.api import Api, event
from support.backend import start_backend
from support.databases import fresh_database

WORKERS = 10
SUBSCRIPTIONS = 16
DAYS = 6
KILLS = 8
# A worker takes a second or two to start, where ten of them share two cores.
KILL_PAUSE_SECONDS = (0.05, 0.4)
POLL_SECONDS = 0.1
DONE_SECONDS_MAX = 150
TESTS = Path(__file__).parent.parent

OVERDUE = "SELECT count(*) FROM agenda WHERE kind = 'period_close' AND due_at <= $1"
LEFT = """
    SELECT subject, due_at, attempts,
        (SELECT count(*) FROM invoices AS bill WHERE bill.subscription_id = due.subject)
    FROM agenda AS due WHERE kind = 'period_close'
"""
CLOSINGS = """
    SELECT subscription_id, count(*) AS closings, count(DISTINCT period_start) AS periods,
        min(period_start) AS first_start, max(period_end) AS last_end,
        sum(period_end - period_start) AS covered
    FROM invoices
    WHERE kind = 'closing' AND status IN ('finalized', 'paid')
    GROUP BY subscription_id
"""


class Crew:
    """Workers in processes of their own; one that was killed is replaced at once."""

    def __init__(self, url, org_id, ahead):
        arguments = [url, str(org_id), str(ahead.total_seconds())]
        self.command = [sys.executable, "-m", "support.closer", *arguments]
        self.workers = []
        self.died_alone = []

    def __enter__(self):
        self.workers = [self.start() for _ in range(WORKERS)]
        for worker in self.workers:
            assert worker.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        for worker in self.workers:
            self.end(worker)

    def start(self):
        return subprocess.Popen(
            self.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"PYTHONPATH": str(TESTS)},
        )

    def end(self, worker):
        if worker.poll() is not None:
            self.died_alone.append(worker.returncode)
        worker.kill()
        worker.communicate()

    def replace_one(self, chance):
        place = chance.randrange(WORKERS)
        self.end(self.workers[place])
        self.workers[place] = self.start()


@pytest.fixture
def server(owner_url, tmp_path):
    """A server on a database of its own."""
    with fresh_database(owner_url) as url:
        running = start_backend(url, tmp_path)
        yield running
        running.stop()


def subscribe_all(api):
    """Customers on a plan that is billed daily; one of them owes more than can be written."""
    calls = api.metric("api_call")
    worth = api.metric("worth", aggregation="sum", aggregation_property="n")
    prices = [
        {"metric_id": calls["id"], "model": "flat_unit", "unit_price": "2"},
        {"metric_id": worth["id"], "model": "flat_unit", "unit_price": "9" * 18},
    ]
    plan = api.plan(*prices, billing_period="daily", base_fee="5")
    subscriptions = []
    for number in range(SUBSCRIPTIONS + 1):
        api.customer(f"c{number}")
        subscriptions.append(api.subscribe(f"c{number}", plan["id"])["id"])
        api.ingest(event(f"call-{number}", f"c{number}"))
    api.ingest(event("huge", "c0", "worth", properties={"n": "9" * 18}))
    return subscriptions[0], subscriptions[1:]


def overdue(server):
    """Subscriptions for which something is to be done by the workers' time."""
    return server.sql(OVERDUE, server.clock.now())[0]["count"]


def test_ten_killed_workers_bill_each_period_once(server):
    seed = int(os.environ.get("MONIGO_SIM_SEED") or secrets.randbelow(10**9))
    chance = random.Random(seed)
    with Api.of_new_organization(server, is_test=False) as api:
        broken, sound = subscribe_all(api)
        server.clock.advance(days=DAYS)
        deadline = time.monotonic() + DONE_SECONDS_MAX

        with Crew(server.app_url, api.org_id, server.clock.ahead) as crew:
            for _ in range(KILLS):
                time.sleep(chance.uniform(*KILL_PAUSE_SECONDS))
                crew.replace_one(chance)
            while overdue(server):
                assert time.monotonic() < deadline, f"seed {seed}, {server.sql(LEFT)}"
                time.sleep(POLL_SECONDS)

        closings = {str(row["subscription_id"]): row for row in server.sql(CLOSINGS)}
        numbers = server.sql("SELECT number FROM invoices WHERE number IS NOT NULL ORDER BY number")
        flagged = api.get(f"/v1/subscriptions/{broken}").json()["subscription"]["billing_error"]
        others = server.sql("SELECT id FROM subscriptions WHERE billing_error <> ''")
        totals = server.sql("SELECT sum(total)::text AS total FROM invoices")
        verified = server.run(verify_tenant(server.services.database, api.tenant))

    assert crew.died_alone == [], f"seed {seed}"
    assert set(closings) == set(sound)
    assert {row["closings"] - row["periods"] for row in closings.values()} == {0}
    assert {row["last_end"] - row["first_start"] - row["covered"] for row in closings.values()} == {
        closings[sound[0]]["covered"] * 0
    }
    assert {row["closings"] for row in closings.values()} == {DAYS}
    assert [row["number"] for row in numbers] == list(range(1, SUBSCRIPTIONS * DAYS + 1))
    assert totals[0]["total"] == f"{SUBSCRIPTIONS * (DAYS * 5 + 2)}.000000"
    assert "exceeds what an invoice can hold" in flagged
    assert [str(row["id"]) for row in others] == [broken]
    assert [each.differences for each in verified] == [[] for _ in verified]

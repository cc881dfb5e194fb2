"""Parts die at random moments while events come in and are folded: nothing is lost or doubled."""

import json
import os
import random
import secrets
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass, field

import httpx
import pytest

from monigo.infra.db import app_url
from support.api import event
from support.process import Program, command

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="finds the database's processes in /proc"
)

BATCH_SIZE = 20
SENDERS = 4
TRAFFIC_SECONDS = (0.2, 0.8)
BACK_SECONDS_MAX = 30
AWAY = {503}


class Fleet:
    """A server with its database, one more API and one more worker, all on one data directory."""

    def __init__(self, data_dir):
        self.program = Program(data_dir)
        self.others = {}
        self.api_url = ""

    def __enter__(self):
        self.program.start()
        self.start_others()
        return self

    def __exit__(self, *_):
        self.kill("worker")
        self.kill("api")
        self.program.kill()

    def start_others(self):
        """Start what does not run."""
        url = app_url(self.program.credentials()["database_url"], None)
        for name in ("api", "worker"):
            running = self.others.get(name)
            if running is None or running.poll() is not None:
                port = free_port()
                self.others[name] = command(
                    self.program.data_dir, name, port=port, app_database_url=url
                )
                if name == "api":
                    self.api_url = f"http://127.0.0.1:{port}"

    def url(self, number):
        """Where a sender goes: every other one to the second API."""
        return self.api_url if number % 2 else self.program.url

    def kill(self, name):
        """End one part at once."""
        match name:
            case "database":
                kill_database(self.program)
            case "server":
                self.program.kill_alone()
            case "everything":
                for other in ("worker", "api"):
                    self.kill(other)
                self.program.kill()
            case _:
                self.others[name].kill()
                self.others[name].communicate()

    def revive(self):
        """Start again whatever was killed but the database, which its server looks after."""
        if not self.program.is_running:
            self.program.start()
        self.start_others()


@dataclass
class Senders:
    """Threads that send batch after batch, each until it is acknowledged."""

    fleet: Fleet
    keys: set = field(default_factory=set)
    new: list = field(default_factory=list)
    statuses: set = field(default_factory=set)
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self):
        # Each two send the same keys, so that they also race for them.
        self.threads = [
            threading.Thread(target=self._send, args=(number,)) for number in range(SENDERS)
        ]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(BACK_SECONDS_MAX)

    def _send(self, sender):
        secret = self.fleet.program.credentials()["test_api_key"]
        headers = {"Authorization": f"Bearer {secret}"}
        number = 0
        with httpx.Client(headers=headers, timeout=30) as client:
            while not self.stopping.is_set():
                keys = [f"{sender // 2}-{number}-{place}" for place in range(BATCH_SIZE)]
                with self.lock:
                    self.keys.update(keys)
                self._until_acknowledged(client, sender, keys)
                number += 1

    def _until_acknowledged(self, client, sender, keys):
        deadline = time.monotonic() + BACK_SECONDS_MAX
        events = [
            event(key, properties={"n": place, "user": key[-1]}) for place, key in enumerate(keys)
        ]
        while time.monotonic() < deadline:
            try:
                url = f"{self.fleet.url(sender)}/v1/ingest"
                response = client.post(url, json={"events": events})
            except httpx.TransportError:
                time.sleep(0.02)
                continue
            self.statuses.add(response.status_code)
            if response.status_code == 202:
                self.new += response.json()["ingested"]
                return
            time.sleep(0.02)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def define_metrics(client):
    client.post("/v1/customers", json={"external_id": "c1"})
    made = []
    for aggregation in ("count", "sum", "unique"):
        body = {
            "name": aggregation,
            "event_name": "api_call",
            "aggregation": aggregation,
            "aggregation_property": {"sum": "n", "unique": "user"}.get(aggregation, ""),
        }
        made.append(client.post("/v1/metrics", json=body).json()["metric"])
    return made


def usage_settles(client, metric, expected):
    """The usage of a metric, as soon as it is as expected or has had its time."""
    deadline = time.monotonic() + 10
    while True:
        told = client.get("/v1/usage", params={"metric_id": metric["id"]}).json()["rollups"]
        if [rollup["value"] for rollup in told] == [expected] or time.monotonic() > deadline:
            return [rollup["value"] for rollup in told]
        time.sleep(0.05)


def test_whatever_dies_during_ingestion_every_event_counts_once(tmp_path):
    seed = int(os.environ.get("MONIGO_CRASH_SEED") or secrets.randbelow(10**9))
    dice = random.Random(seed)
    victims = ["worker", "api", "database", "server", "everything"]
    dice.shuffle(victims)

    with Fleet(tmp_path / "data") as fleet:
        with fleet.program.client() as client:
            count, total, unique = define_metrics(client)
        with Senders(fleet) as senders:
            for victim in victims:
                time.sleep(dice.uniform(*TRAFFIC_SECONDS))
                fleet.kill(victim)
                time.sleep(dice.uniform(0, 0.3))
                fleet.revive()
        with fleet.program.client() as client:
            counted = usage_settles(client, count, len(senders.keys))
            summed = usage_settles(client, total, sum(int(k.split("-")[2]) for k in senders.keys))
            distinct = usage_settles(client, unique, 10)
        verified = json.loads(fleet.program.run("verify", "--json"))

    hint = f"MONIGO_CRASH_SEED={seed} ({victims})"
    assert senders.statuses <= {202, *AWAY}, hint
    assert len(senders.keys) > 500, hint
    # An answer may be lost with its server; none tells a key as new that another told before.
    assert len(set(senders.new)) == len(senders.new), hint
    assert set(senders.new) <= senders.keys, hint
    assert counted == [len(senders.keys)], hint
    assert summed == [sum(int(key.split("-")[2]) for key in senders.keys)], hint
    assert distinct == [10], hint
    assert verified["differences"] == [], hint
    assert verified["looked_at"]["events"] == len(senders.keys), hint


def kill_database(program):
    lines = (program.data_dir / "postgres" / "postmaster.pid").read_text()
    os.kill(int(lines.split()[0]), signal.SIGKILL)


def asked_until_well(client, number):
    """Statuses of ingestion, reading and waiting from a kill on until all is well for a while."""
    told, well = [], 0
    deadline = time.monotonic() + BACK_SECONDS_MAX
    while well < 5 and time.monotonic() < deadline:
        ingested = client.post("/v1/ingest", json={"events": [event(f"k{number}")]})
        read = client.get("/v1/customers")
        told += [ingested, read]
        well = well + 1 if (ingested.status_code, read.status_code) == (202, 200) else 0
        time.sleep(0.02)
    return told


def test_a_database_that_is_killed_comes_back_by_itself(tmp_path):
    with Program(tmp_path / "data") as program, program.client() as client:
        count, *_ = define_metrics(client)
        told = []
        for number in range(3):
            kill_database(program)
            told += asked_until_well(client, number)
        counted = usage_settles(client, count, 3)
        program.terminate()
        exit_code = program.wait()

        left = program.database_processes()

    refused = [response for response in told if response.status_code == 503]
    assert {response.status_code for response in told} <= {200, 202, 503}
    assert {response.headers["retry-after"] for response in refused} <= {"1"}
    assert counted == [3]
    assert (exit_code, left) == (0, [])

"""A process is killed at its calls to providers: money moves once, and all ends right by itself.

Its worker pulls what is due, while clients have links, refunds, bank accounts and fundings made at
each provider; then it dies. Who comes after it, on a clock that runs ahead, finds out.
"""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest

from simulation.money_story import Story
from support.backend import start_backend
from support.databases import fresh_database
from support.payments import PROVIDERS, simulated_providers
from support.waiting import wait_until

TESTS = Path(__file__).parents[1]
# What every process writes before it writes what came of a call.
LOCK = "LOCK TABLE provider_calls IN ACCESS EXCLUSIVE MODE"
CALLS = {"charge": 1, "checkout": 2, "refund": 1, "virtual_account": 1}
SENT = """
    SELECT (SELECT count(*) FROM charges WHERE state = 'submitted')
        + (SELECT count(*) FROM refunds WHERE state = 'submitted')
        + (SELECT count(*) FROM virtual_accounts WHERE state = 'submitted') AS sent
"""
# The same asked for again within a minute would get the same link.
FUNDED = {"after": "500", "before": "600", "during": "700"}
# A request that was sent is at the provider by then, and not answered before HELD_MS.
ON_THEIR_WAY_SECONDS, HELD_MS = 0.5, 10_000
# By then a claim of a dead process has lapsed.
SOON = 95


class Serving:
    """A server with its worker in a process of its own."""

    def __init__(self, world, data_dir):
        self.world = world
        self.data_dir = data_dir
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        """Start it on the test's clock."""
        backend = self.world.backend
        seconds = backend.clock.ahead.total_seconds()
        where = [backend.owner_url, self.data_dir, self.world.simulated.url]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "support.serving", *map(str, (*where, self.port, seconds))],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"PYTHONPATH": str(TESTS)},
        )
        assert self.process.stdout.readline() == "ready\n"

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.communicate()

    def post_again(self, asked):
        """The answer to a request that got none before."""
        return self.post(*asked)

    def post(self, path, body, key):
        """The answer to a request; None where the process died at it."""
        headers = {**self.world.api.http.headers, "Idempotency-Key": key}
        try:
            return httpx.post(f"{self.url}{path}", json=body, headers=headers, timeout=60)
        except httpx.TransportError:
            return None


@pytest.fixture
def world(owner_url, tmp_path):
    """Three customers with a saved card and a paid invoice, one at each provider, and guests."""
    with simulated_providers() as simulated, fresh_database(owner_url) as url:
        backend = start_backend(
            url, tmp_path / "backend", simulator=False, simulator_url=simulated.url
        )
        backend.simulated = simulated
        with Story(backend, random.Random(1), people=4) as made:
            for person, provider in zip(made.people, PROVIDERS, strict=False):
                path = f"/v1/customers/{person.id}/payment-methods/setup"
                saved = made.request(path, {"provider": provider})
                made.pay(provider, saved["reference"])
            made.advance(timedelta(hours=2))
            for person in 3 * made.people[:3]:
                made.owe(person, 3)
            made.work()
            yield made
        backend.stop()


@pytest.fixture
def serving(world, tmp_path):
    running = Serving(world, tmp_path / "serving")
    yield running
    running.kill()


def requests_of(world, moment):
    """What clients ask of each provider: path, body and key."""
    guest = world.people[3]
    asked = []
    untouched = [
        one
        for one in world.invoices()
        if one["status"] == "paid" and one["amount_refunded"] == "0.000000"
    ]
    by_owner = {one["customer_id"]: one for one in untouched}
    for person, provider in zip(world.people, PROVIDERS, strict=False):
        invoice = world.owe(guest, 2)
        at = {"provider": provider}
        back = {"amount": "150", "reason": "a broken ride"}
        account = {**at, "currency": "NGN", "bvn": "22222222222"}
        asked += [
            (f"/v1/invoices/{invoice['id']}/initiate-payment", at),
            (f"/v1/wallets/{guest.wallet_id}/fund", {**at, "amount": FUNDED[moment]}),
            (f"/v1/invoices/{by_owner[person.id]['id']}/refunds", back),
        ]
        name = f"{moment}-{provider}"
        wallet = world.api.wallet(world.api.customer(name, email=f"{name}@example.com")["id"])
        asked.append((f"/v1/wallets/{wallet['id']}/virtual-accounts", account))
    return [(path, body, f"{moment}-{place}") for place, (path, body) in enumerate(asked)]


def kill_at(world, serving, moment, asked):
    """Have all be asked, and the process die at that moment."""
    outcome = {"before": "drop_before", "during": "success"}.get(moment)
    for provider in PROVIDERS:
        for verb, times in CALLS.items() if outcome else ():
            world.simulated.next(provider, verb, outcome, times=times, delay_ms=HELD_MS)
    count = len(asked) + len(PROVIDERS)
    before = provider_rows(world)
    with asyncio.Runner() as runner:
        blocking = runner.run(asyncpg.connect(world.backend.owner_url))
        runner.run(blocking.execute("BEGIN"))
        if moment == "after":
            runner.run(blocking.execute(LOCK))
        for person in world.people[:3]:
            world.owe(person, 1)
        wait_until(lambda: world.backend.sql(SENT)[0]["sent"] >= len(PROVIDERS))
        threads = [threading.Thread(target=serving.post, args=one) for one in asked]
        for thread in threads:
            thread.start()
        wait_until(lambda: world.backend.sql(SENT)[0]["sent"] >= count)
        if moment == "after":
            # Bank accounts are in no book.
            wait_until(lambda: provider_rows(world) >= before + count - len(PROVIDERS))
        time.sleep(ON_THEIR_WAY_SECONDS)
        serving.kill()
        runner.run(blocking.close())
    for thread in threads:
        thread.join()


def provider_rows(world):
    rows = world.rows()
    return len(rows["charges"]) + len(rows["refunds"])


# Four programs start, one after the other, which takes minutes where both cores are busy.
@pytest.mark.timeout(600)
def test_kills_at_calls_to_providers_move_money_once(world, serving):
    serving.start()
    # First the one at which all that writes of calls is held up: nothing else is under way then.
    for moment in ("after", "before", "during"):
        asked = requests_of(world, moment)
        kill_at(world, serving, moment, asked)
        time.sleep(HELD_MS / 1_000 if moment == "during" else 0)
        world.clear_scripts()
        world.backend.clock.advance(seconds=SOON)
        serving.start()
        answers = [(one[0], serving.post_again(one)) for one in asked]
        refused = [(path, answer.text) for path, answer in answers if not answer.is_success]
        assert refused == [], moment
    serving.kill()

    world.end()

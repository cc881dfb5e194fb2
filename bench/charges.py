"""Money in: charges a second against simulated providers that take 200 ms for a call.

Fills a fresh database by SQL with subscriptions whose customers have a saved card, makes all
periods due at once, and lets the worker of `monigo serve` close them and charge the cards. The
simulator is a process of its own, whose processor time is printed. Then, in the same run:
ingest beside charging, against ingest beside a second system's charging, which is as much work and
touches nothing of the first; and charging, ingest and reads while another provider hangs.
Usage: bench/charges.py [--count 100000] [--beside 2000] [--rounds 3] [--no-webhooks]
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

import closing
from filling import fill_subscriptions, fill_usage, metrics_and_prices
from monigo.infra.crypto import Vault
from rig import (
    MONIGO,
    System,
    events_body,
    free_port,
    get_request,
    http_request,
    is_listening,
    percentile,
    processor_seconds,
    processor_seconds_of,
    running_system,
    send_all,
    send_closed_loop,
    sql,
    watching,
)

SECRET_KEY = "the-benchmark-has-a-secret-key-of-its-own"
CALL_MS = 200
HANGS_MS = 60_000
SCRIPTED_MAX = 10_000
TOKENS = "payment method token"
EMAIL = "ada@example.com"
BATCH, BATCHES = 1_000, 40
PAID = "SELECT count(*) FROM payments"
CARDS = (
    "org_id",
    "is_test",
    "id",
    "customer_id",
    "connection_id",
    "provider",
    "type",
    "token",
    "fingerprint_hash",
    "email",
    "brand",
    "last4",
    "bank",
    "is_default",
    "created_at",
)


@dataclass
class Simulator:
    """A running simulator."""

    process: subprocess.Popen[bytes]
    url: str

    def control(self, action: str, **body: object) -> None:
        """Script what happens next, or have something happen."""
        request = urllib.request.Request(
            f"{self.url}/control/{action}",
            method="POST",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request):
            return

    def slow(
        self,
        provider: str,
        calls: int,
        milliseconds: int = CALL_MS,
        *,
        verb: str = "charge",
        outcome: str = "success",
    ) -> None:
        """Have the next answers take their time, and be so."""
        script = {"provider": provider, "verb": verb, "outcome": outcome}
        for first in range(0, calls, SCRIPTED_MAX):
            times = min(SCRIPTED_MAX, calls - first)
            self.control("next", **script, times=times, delay_ms=milliseconds)

    def processor_seconds(self) -> float:
        """What it has computed so far."""
        return processor_seconds_of(self.process.pid)


@contextmanager
def running_simulator() -> Generator[Simulator]:
    """A simulator in a process of its own."""
    port = free_port()
    process = subprocess.Popen(
        [MONIGO, "simulator", "--port", str(port)], stdout=subprocess.DEVNULL
    )
    try:
        while not is_listening(port):
            time.sleep(0.05)
        yield Simulator(process, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(60)


@dataclass
class Merchant:
    """A system with a plan, connected to simulated providers, and its simulator."""

    system: System
    simulator: Simulator
    with_webhooks: bool
    name: str
    plan: str = ""
    cards: dict[str, tuple[str, str]] = field(default_factory=dict)
    next_event: int = 0
    paid: int = 0

    def open(self) -> None:
        """Make the plan, and connect two providers; one customer saves a card at each."""
        self.metrics, prices = metrics_and_prices(self.system)
        wanted = {"name": "Plan", "prices": prices}
        self.plan = self.system.request("POST", "/v1/plans", wanted)["plan"]["id"]
        customer = {"external_id": "card", "name": "Ada", "email": EMAIL}
        self.system.request("POST", "/v1/customers", customer)
        for provider, secret, public in (
            ("paystack", f"sk_test_{self.name}", f"pk_test_{self.name}"),
            ("flutterwave", f"FLWSECK_TEST-{self.name}-X", f"FLWPUBK_TEST-{self.name}-X"),
        ):
            self.cards[provider] = self._card(provider, secret, public)

    def _card(self, provider: str, secret: str, public: str) -> tuple[str, str]:
        """A connection, and the token of a card that was saved there."""
        keys = {"test_secret_key": secret, "test_public_key": public}
        body = {"provider": provider, "is_test_mode": True, **keys, "webhook_signing_secret": "h"}
        if provider == "paystack":
            del body["webhook_signing_secret"]
        made = self.system.request("POST", "/v1/payment-connections", body)["payment_connection"]
        if self.with_webhooks:
            self.simulator.control(
                "merchants",
                provider=provider,
                secret_key=secret,
                public_key=public,
                webhook_secret="h",
                webhook_url=f"http://127.0.0.1:{self.system.port}{made['webhook_path']}",
            )
        path = "/v1/customers/card/payment-methods"
        link = self.system.request("POST", f"{path}/setup", {"provider": provider})
        self.simulator.control("pay", provider=provider, reference=link["reference"])
        while not (rows := self._tokens(provider)):
            time.sleep(0.2)
        (row,) = rows
        token = Vault([SECRET_KEY]).decrypt(TOKENS, row["token"], context=row["id"].bytes)
        return made["id"], token.decode()

    def _tokens(self, provider: str) -> list[Any]:
        known = f"SELECT id, token FROM payment_methods WHERE provider = '{provider}'"
        return sql(self.system.database_url, known)

    def fill(self, prefix: str, count: int, provider: str = "paystack") -> None:
        """Subscriptions that have had usage, whose customers have a card; nothing is due yet."""
        since = f"{closing.STARTED} + interval '1 day'"
        fill_subscriptions(self.system, self.plan, count, prefix=prefix, started=closing.STARTED)
        fill_usage(
            self.system, self.metrics, prefix=prefix, since=since, hours=closing.HOURS_OF_USAGE
        )
        asyncio.run(self._fill_cards(prefix, provider))

    async def _fill_cards(self, prefix: str, provider: str) -> None:
        import asyncpg  # noqa: PLC0415 - only this measurement needs it here

        connection_id, token = self.cards[provider]
        vault = Vault([SECRET_KEY])
        owner = await asyncpg.connect(self.system.database_url)
        try:
            customers = await owner.fetch(
                "SELECT org_id, id, now() FROM customers WHERE external_id LIKE $1", f"{prefix}%"
            )
            rows = []
            for org_id, customer_id, now in customers:
                method_id = uuid4()
                sealed = vault.encrypt(TOKENS, token.encode(), context=method_id.bytes)
                fixed = (provider, "card", sealed, method_id.bytes, EMAIL, "visa", "4081", "")
                rows.append(
                    (org_id, True, method_id, customer_id, connection_id, *fixed, True, now)
                )
            await owner.copy_records_to_table("payment_methods", records=rows, columns=CARDS)
            await owner.execute("VACUUM ANALYZE payment_methods")
        finally:
            await owner.close()

    def start(self, prefix: str) -> None:
        """Make all periods of these customers due."""
        closing.make_due(self.system, prefix)

    def ingest(self, batches: int = BATCHES) -> float:
        """Events a second, over four connections."""
        bodies = []
        for _ in range(batches):
            body = events_body(self.next_event, BATCH, ["card"])
            self.next_event += BATCH
            bodies.append(http_request("/v1/ingest", self.system.api_key, body))
        seconds, _ = send_all(self.system.port, bodies, 4)
        return batches * BATCH / seconds

    def wait(self, count: int, *, most: float = 3_600) -> tuple[float, float]:
        """Wait for so many payments more; seconds from the first one, and the highest memory."""
        highest = 0.0
        with watching(self.system.database_url) as look:
            first, started = self.paid, time.perf_counter()
            deadline = time.monotonic() + most
            while (known := look(PAID)) < self.paid + count and time.monotonic() < deadline:
                if first == self.paid < known:
                    first, started = known, time.perf_counter()
                highest = max(highest, self.system.memory_megabytes())
                time.sleep(0.1)
            seconds = (time.perf_counter() - started) * count / max(1, self.paid + count - first)
        self.paid = known
        return seconds, highest


def measure_rate(merchant: Merchant, count: int) -> None:
    """Invoices made and charged a second, memory, and who computes how long."""
    merchant.fill("rate-", count)
    merchant.simulator.slow("paystack", count)
    before = merchant.system.memory_megabytes()
    used = [*processor_seconds(merchant.system), merchant.simulator.processor_seconds()]
    merchant.start("rate-")
    seconds, highest = merchant.wait(count)
    now = [*processor_seconds(merchant.system), merchant.simulator.processor_seconds()]
    application, database, simulator = (b - a for a, b in zip(used, now, strict=True))
    print(
        f"{count:>9,} invoices made and charged: {count / seconds:,.0f}/s; processor seconds:"
        f" application {application:.0f}, PostgreSQL {database:.0f}, simulator {simulator:.0f};"
        f" memory {before:.0f} MB before, {highest:.0f} MB at most",
        flush=True,
    )


def measure_beside(first: Merchant, second: Merchant, count: int, rounds: int) -> None:
    """Ingest beside charging, against ingest beside another system's charging."""
    rates: dict[str, list[float]] = {"own": [], "other": []}
    for number in range(rounds):
        order = [("own", first), ("other", second)]
        for what, charging in order if number % 2 else reversed(order):
            prefix = f"{what}{number}-"
            charging.fill(prefix, count)
            charging.simulator.slow("paystack", count)
            waiting = threading.Thread(target=charging.wait, args=(count,))
            charging.start(prefix)
            waiting.start()
            time.sleep(2)
            rates[what].append(first.ingest())
            waiting.join()
    ratios = [own / other for own, other in zip(rates["own"], rates["other"], strict=True)]
    print(
        f"ingest beside charging {statistics.median(rates['own']):,.0f} events/s, beside another"
        f" system's charging {statistics.median(rates['other']):,.0f}; ratio"
        f" {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f},"
        f" {rounds} pairs)",
        flush=True,
    )


def measure_hang(merchant: Merchant, count: int) -> None:
    """Charging, ingest and reads, while another provider takes a minute for each answer."""
    figures: dict[str, tuple[float, float, float]] = {}
    for what in ("answers", "hangs"):
        merchant.fill(f"{what}-", count)
        merchant.simulator.slow("paystack", count)
        if what == "hangs":
            merchant.fill("stuck-", count // 4, "flutterwave")
            merchant.simulator.slow("flutterwave", count // 4, HANGS_MS)
            merchant.start("stuck-")
            time.sleep(3)
        figures[what] = _load(merchant, partial(merchant.start, f"{what}-"), count)
    for what, (rate, ingested, p99) in figures.items():
        print(
            f"another provider {what}: {rate:,.0f} charges/s, ingest {ingested:,.0f} events/s,"
            f" reads p99 {p99 * 1000:.0f} ms",
            flush=True,
        )


def _load(merchant: Merchant, start: Callable[[], None], count: int) -> tuple[float, float, float]:
    """Charges and events a second, and the p99 of reads beside both."""
    found: list[float] = []
    read = get_request("/v1/invoices?limit=10", merchant.system.api_key)

    def look() -> None:
        _, latencies = send_closed_loop(merchant.system.port, [read] * 300, 1)
        found.append(percentile(latencies, 99))

    start()
    looking = threading.Thread(target=look)
    looking.start()
    ingested = merchant.ingest()
    seconds, _ = merchant.wait(count)
    looking.join()
    return count / seconds, ingested, found[0]


def main() -> None:
    """Measure the rate, then ingest beside it, then a provider that hangs, in one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--beside", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-webhooks", action="store_true")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        merchants: list[Merchant] = []
        for name in ("first", "second")[: 2 if chosen.rounds else 1]:
            simulator = stack.enter_context(running_simulator())
            system = stack.enter_context(
                running_system(
                    MONIGO_SIMULATOR="false",
                    MONIGO_SIMULATOR_URL=simulator.url,
                    MONIGO_SECRET_KEY=SECRET_KEY,
                )
            )
            merchant = Merchant(system, simulator, not chosen.no_webhooks, name)
            merchant.open()
            merchant.paid = sql(system.database_url, PAID)[0][0]
            merchants.append(merchant)
        measure_rate(merchants[0], chosen.count)
        if chosen.rounds:
            measure_beside(merchants[0], merchants[1], chosen.beside, chosen.rounds)
        if chosen.beside:
            measure_hang(merchants[0], chosen.beside)


if __name__ == "__main__":
    main()

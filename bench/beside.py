"""This version beside another one, pair by pair in one run.

Both run at the same time, each on a database of its own, and are measured in turn: what the machine
does in a minute meets both alike. For each pair the ratio of the rates is taken; printed are their
median and an interval that contains the true median in at least 90 of 100 runs (order statistics),
and the same of the processor time that application and PostgreSQL took, before over now. That is
taken from when all is filled in until both rest again: it has what follows the measured work, as
the handing on of facts, and not the looks at how far it is. Usage: bench/beside.py CHECKOUT
[--pairs 9] [WHAT …], where CHECKOUT is another version's directory after `make setup`, and WHAT are
names of `KINDS`; without, all of them.
"""

import argparse
import importlib.util
import itertools
import math
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType

import closing
import realtime
from movements import open_wallets
from rig import (
    System,
    events_body,
    http_request,
    percentile,
    processor_seconds,
    running_system,
    send_all,
    send_closed_loop,
    sql,
)

BATCH = 1_000
CUSTOMERS = 500
# Few enough for a pair in some seconds, enough for several slices.
SUBSCRIPTIONS = 3_000
CONFIDENCE = 0.9
RUNNING_REPLAYS = """
    SELECT count(*) FROM replay_jobs WHERE status IN ('pending', 'processing')
"""
# How versions before the agenda note what is due.
CLOSING_DUE_BEFORE = """
    INSERT INTO due_subscriptions (org_id, is_test, subscription_id, due_at, attempts)
    SELECT known.org_id, known.is_test, known.id, {ended}, 0 FROM subscriptions AS known
    JOIN customers ON customers.id = known.customer_id AND customers.external_id LIKE '{prefix}%'
    WHERE known.org_id = '{org}'
"""
USAGE_CHANGED_BEFORE = """
    INSERT INTO watched_customers (org_id, is_test, customer_id, changed_at, charged_at)
    SELECT org_id, is_test, id, now(), '-infinity' FROM customers
    WHERE org_id = '{org}' AND external_id LIKE '{prefix}%'
"""
# A system rests when it takes less than a tenth of a core.
REST_SECONDS = 0.5
REST_SHARE = 0.1
# Prepares something, and returns what is measured of it: work that comes to a rate.
Kind = Callable[["Side"], Callable[[], float]]


class Side:
    """One version: its running system, how it fills a database, and what it has been sent."""

    def __init__(self, system: System, checkout: Path) -> None:
        self.system = system
        self.filling = _module(checkout / "bench/filling.py")
        self.realtime = _module(checkout / "bench/realtime.py")
        self.numbers = itertools.count()
        self.next_event = 0
        self.customers: list[str] = []
        self.wallets: list[str] = []
        self.metrics: list[str] = []
        self.plans: dict[str, str] = {}

    def events(self, requests: int, each: int) -> list[bytes]:
        """Requests of so many new events each."""
        if not self.customers:
            self._prepare_metering()
        bodies = []
        for _ in range(requests):
            body = events_body(self.next_event, each, self.customers)
            self.next_event += each
            bodies.append(http_request("/v1/ingest", self.system.api_key, body))
        return bodies

    def plan(self, billing_mode: str) -> str:
        """A plan with three prices, made once."""
        if not self.metrics:
            self.metrics, self.prices = self.filling.metrics_and_prices(self.system)
            # Each new metric's usage is counted by a job, which must not find the filled-in events.
            while sql(self.system.database_url, RUNNING_REPLAYS)[0][0]:
                time.sleep(0.05)
        if billing_mode not in self.plans:
            wanted = {"name": billing_mode, "prices": self.prices, "billing_mode": billing_mode}
            made = self.system.request("POST", "/v1/plans", wanted)
            self.plans[billing_mode] = made["plan"]["id"]
        return self.plans[billing_mode]

    def make_due(self, prefix: str) -> None:
        """Make all subscriptions of these customers due."""
        if self._has_agenda():
            closing.make_due(self.system, prefix)
            return
        org, ended = self.system.org_id, closing.ENDED
        note = CLOSING_DUE_BEFORE.format(ended=ended, org=org, prefix=prefix)
        sql(self.system.database_url, note, "SELECT 1")

    def note_changed(self, prefix: str) -> None:
        """Note that the usage of all these customers changed."""
        if self._has_agenda():
            realtime.note_changed(self.system, prefix)
            return
        note = USAGE_CHANGED_BEFORE.format(org=self.system.org_id, prefix=prefix)
        sql(self.system.database_url, note, "SELECT 1")

    def processor_seconds(self) -> float:
        """What it has taken, once it rests."""
        before = sum(processor_seconds(self.system))
        while True:
            time.sleep(REST_SECONDS)
            now = sum(processor_seconds(self.system))
            if now - before < REST_SECONDS * REST_SHARE:
                return now
            before = now

    def drain(self) -> None:
        """Wait until all usage is folded."""
        while sql(self.system.database_url, "SELECT count(*) FROM unfolded_batches")[0][0]:
            time.sleep(0.02)

    def _has_agenda(self) -> bool:
        (row,) = sql(self.system.database_url, "SELECT to_regclass('agenda') IS NOT NULL")
        return row[0]

    def _prepare_metering(self) -> None:
        for number in range(CUSTOMERS):
            made = self.system.request("POST", "/v1/customers", {"external_id": f"c{number}"})
            self.customers.append(made["customer"]["id"])
        metric = {
            "name": "Tokens",
            "event_name": "api_call",
            "aggregation": "sum",
            "aggregation_property": "tokens",
        }
        self.metric = self.system.request("POST", "/v1/metrics", metric)["metric"]["id"]


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{path.stem}_of_{path.parents[1].name}", path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{path} is no module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ingest(side: Side) -> Callable[[], float]:
    """Events a second in batches over 4 connections, with the fold running beside."""
    requests = side.events(60, BATCH)

    def run() -> float:
        seconds, _ = send_all(side.system.port, requests, 4)
        side.drain()
        return len(requests) * BATCH / seconds

    return run


def fold(side: Side) -> Callable[[], float]:
    """Events a second from the first request to the last folded batch."""
    requests = side.events(60, BATCH)

    def run() -> float:
        started = time.perf_counter()
        send_all(side.system.port, requests, 4)
        side.drain()
        return len(requests) * BATCH / (time.perf_counter() - started)

    return run


def singles(side: Side) -> Callable[[], float]:
    """Requests a second of one event each over 16 connections."""
    requests = side.events(6_000, 1)

    def run() -> float:
        seconds, _ = send_closed_loop(side.system.port, requests, 16)
        side.drain()
        return len(requests) / seconds

    return run


def lone_singles(side: Side) -> Callable[[], float]:
    """1 / median seconds of a request of one event over one connection."""
    requests = side.events(1_000, 1)

    def run() -> float:
        _, latencies = send_closed_loop(side.system.port, requests, 1)
        side.drain()
        return 1 / percentile(latencies, 50)

    return run


def usage_reads(side: Side) -> Callable[[], float]:
    """Usage of a customer's running period, read over one connection; reads a second."""
    if not side.customers:
        send_all(side.system.port, side.events(60, BATCH), 4)
        side.drain()
    path = f"/v1/usage?customer_id={side.customers[0]}&metric_id={side.metric}"
    head = (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {side.system.api_key}\r\n\r\n"
    ).encode()
    return lambda: 1_000 / send_closed_loop(side.system.port, [head] * 1_000, 1)[0]


def close(side: Side) -> Callable[[], float]:
    """Invoices a second of postpaid subscriptions whose customers have no wallet."""
    plan, prefix = side.plan("postpaid"), f"close{next(side.numbers)}-"
    _fill(side, plan, prefix, closing.STARTED, closing.HOURS_OF_USAGE)
    return lambda: 1 / closing.watch(side.system, SUBSCRIPTIONS, partial(side.make_due, prefix))


def close_with_credits(side: Side) -> Callable[[], float]:
    """Invoices a second of postpaid subscriptions whose customers have money and a grant."""
    plan, prefix = side.plan("postpaid"), f"credit{next(side.numbers)}-"
    _fill(side, plan, prefix, closing.STARTED, closing.HOURS_OF_USAGE)
    side.filling.fill_wallets(side.system, prefix=prefix)
    _fill_grants(side.system, prefix)
    return lambda: 1 / closing.watch(side.system, SUBSCRIPTIONS, partial(side.make_due, prefix))


def realtime_pass(side: Side) -> Callable[[], float]:
    """Subscriptions a second of a realtime pass that charges all of them."""
    plan, prefix = side.plan("realtime"), f"realtime{next(side.numbers)}-"
    _fill(side, plan, prefix, realtime.STARTED, realtime.HOURS_OF_USAGE)
    side.filling.fill_wallets(side.system, prefix=prefix)
    waiting = side.realtime.WAITING
    return lambda: (
        SUBSCRIPTIONS / realtime.watch(side.system, waiting, lambda: side.note_changed(prefix))
    )


def movements(side: Side) -> Callable[[], float]:
    """Movements a second over HTTP, 16 clients over many wallets."""
    if not side.wallets:
        side.wallets = open_wallets(side.system)
    requests = [
        http_request(
            f"/v1/wallets/{side.wallets[number % len(side.wallets)]}/debit",
            side.system.api_key,
            b'{"amount":"1","currency":"NGN","entry_type":"usage","description":"a ride",'
            b'"idempotency_key":"http-%d"}' % number,
        )
        for number in itertools.islice(side.numbers, 6_000)
    ]
    return lambda: len(requests) / send_closed_loop(side.system.port, requests, 16)[0]


KINDS: dict[str, Kind] = {
    "ingest": ingest,
    "fold": fold,
    "singles": singles,
    "lone_singles": lone_singles,
    "usage_reads": usage_reads,
    "close": close,
    "close_with_credits": close_with_credits,
    "realtime": realtime_pass,
    "movements": movements,
}


def _fill(side: Side, plan: str, prefix: str, started: str, hours: int) -> None:
    side.filling.fill_subscriptions(
        side.system, plan, SUBSCRIPTIONS, prefix=prefix, started=started
    )
    side.filling.fill_usage(
        side.system,
        side.metrics,
        prefix=prefix,
        since=f"{started} + interval '1 day'",
        hours=hours,
    )


def _fill_grants(system: System, prefix: str) -> None:
    """A grant without limits in each customer's wallet, as the database's owner may write it."""
    org = system.org_id
    sql(
        system.database_url,
        "SET synchronous_commit = off",
        f"""
        CREATE TEMPORARY TABLE given AS
        SELECT wallet.id AS wallet_id, gen_random_uuid() AS account_id
        FROM wallets AS wallet
        JOIN customers AS customer ON customer.id = wallet.customer_id
        WHERE wallet.org_id = '{org}' AND customer.external_id LIKE '{prefix}%'
        """,
        f"""
        INSERT INTO ledger_accounts (org_id, is_test, id, kind, currency, balance, created_at)
        SELECT '{org}', true, account_id, 'credit_grant', 'NGN', 50, now() FROM given
        """,
        f"""
        INSERT INTO credit_grants (org_id, is_test, id, wallet_id, account_id, currency, amount,
            priority, metric_ids, description, created_at, updated_at)
        SELECT '{org}', true, gen_random_uuid(), wallet_id, account_id, 'NGN', 50, 0, '{{}}', '',
            now(), now()
        FROM given
        """,
        "VACUUM ANALYZE credit_grants",
        "VACUUM ANALYZE ledger_accounts",
        "CHECKPOINT",
        "SELECT 1",
    )


def interval(ratios: Sequence[float]) -> tuple[float, float]:
    """The innermost pair of order statistics that holds the median at the confidence asked for."""
    ordered, count = sorted(ratios), len(ratios)
    outside = 0.0
    rank = 0
    while rank < count // 2:
        outside += 2 * math.comb(count, rank) / 2**count
        if outside > 1 - CONFIDENCE:
            break
        rank += 1
    rank = max(rank - 1, 0)
    return ordered[rank], ordered[count - 1 - rank]


def main() -> None:
    """Measure each kind pair by pair; who goes first changes from pair to pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("what", nargs="*", metavar="WHAT", help=", ".join(KINDS))
    chosen = parser.parse_args()
    if unknown := set(chosen.what) - KINDS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    here, there = Path(__file__).resolve().parents[1], chosen.checkout.resolve()
    with (
        running_system(program=there / ".venv/bin/monigo") as before,
        running_system() as now,
    ):
        sides = {"before": Side(before, there), "now": Side(now, here)}
        for name in chosen.what or KINDS:
            measure(name, sides, chosen.pairs)


def measure(name: str, sides: dict[str, Side], pairs: int) -> None:
    """One kind: a pair to warm up, which does not count, then the pairs."""
    ratios: list[float] = []
    work: list[float] = []
    rates: dict[str, list[float]] = {side: [] for side in sides}
    for pair in range(pairs + 1):
        order = list(sides) if pair % 2 else list(reversed(sides))
        found: dict[str, float] = {}
        used: dict[str, float] = {}
        for side in order:
            run = KINDS[name](sides[side])
            before = sides[side].processor_seconds()
            found[side] = run()
            used[side] = sides[side].processor_seconds() - before
        if pair:
            ratios.append(found["now"] / found["before"])
            work.append(used["before"] / used["now"])
            for side, rate in found.items():
                rates[side].append(rate)
    low, high = interval(ratios)
    least, most = interval(work)
    print(
        f"{name:<20} before {statistics.median(rates['before']):12,.1f}/s,"
        f" now {statistics.median(rates['now']):12,.1f}/s;"
        f" ratio {statistics.median(ratios):.3f} ({low:.3f} to {high:.3f}, {pairs} pairs);"
        f" by processor time {statistics.median(work):.3f} ({least:.3f} to {most:.3f})",
        flush=True,
    )


if __name__ == "__main__":
    main()

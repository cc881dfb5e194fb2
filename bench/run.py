"""All measurements, side by side in one run. `--full` goes to 20 million events (about an hour).

Figures and how to read them: bench/README.md.
"""

import argparse
import statistics
import subprocess
import time

from rig import (
    System,
    compiled_direct_client,
    events_body,
    http_request,
    percentile,
    running_system,
    send_all,
    send_closed_loop,
    sql,
)

CUSTOMERS = 500
BATCH = 1_000
# Filled-in events lie in this many hours, as a month's traffic does.
HOURS = 720
BARE_TABLE = """
    CREATE TABLE bare_events (
        org_id uuid NOT NULL, is_test boolean NOT NULL, idempotency_key text NOT NULL,
        customer_id uuid NOT NULL, event_name text NOT NULL, occurred_at timestamptz NOT NULL,
        properties jsonb NOT NULL, UNIQUE (org_id, is_test, idempotency_key)
    )
"""
OLDEST_BATCH = """
    SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0)::float FROM unfolded_batches
"""


class Measurements:
    """One system with a metric and customers; events are numbered on and on."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.direct_client = compiled_direct_client()
        self.next_event = 0
        self.next_direct = 0
        self.customers = [
            system.request("POST", "/v1/customers", {"external_id": f"c{number}"})["customer"]["id"]
            for number in range(CUSTOMERS)
        ]
        metric = {
            "name": "Tokens",
            "event_name": "api_call",
            "aggregation": "sum",
            "aggregation_property": "tokens",
        }
        self.metric = system.request("POST", "/v1/metrics", metric)["metric"]["id"]
        sql(system.database_url, BARE_TABLE, "SELECT 1")

    def direct(self, batches: int, connections: int) -> float:
        """Events a second of the C client into the bare table."""
        arguments = [connections, batches, BATCH, self.next_direct, CUSTOMERS]
        answer = subprocess.run(
            [self.direct_client, self.system.database_url, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=True,
        )
        rows, seconds = answer.stdout.split()
        self.next_direct += int(rows)
        return int(rows) / float(seconds)

    def batches(self, batches: int, connections: int) -> tuple[float, list[float]]:
        """Events a second through the API in batches, and the latencies."""
        requests = [self._request(BATCH) for _ in range(batches)]
        seconds, latencies = send_all(self.system.port, requests, connections)
        return batches * BATCH / seconds, latencies

    def singles(self, requests: int, connections: int) -> tuple[float, list[float]]:
        """Requests a second of one event each, and the latencies."""
        bodies = [self._request(1) for _ in range(requests)]
        seconds, latencies = send_closed_loop(self.system.port, bodies, connections)
        return requests / seconds, latencies

    def fold_lag_seconds(self) -> float:
        """How long the oldest batch waits to be folded, right now."""
        return sql(self.system.database_url, OLDEST_BATCH)[0][0]

    def drain_seconds(self) -> float:
        """How long until everything is folded."""
        started = time.perf_counter()
        while sql(self.system.database_url, "SELECT count(*) FROM unfolded_batches")[0][0]:
            time.sleep(0.05)
        return time.perf_counter() - started

    def fill(self, events: int) -> None:
        """Ingest through the API until there are so many events in all, hour by hour of a month."""
        while self.next_event < events:
            count = max(1, min(500, (events - self.next_event) // BATCH))
            hours_ago = self.next_event // BATCH // 500 * 36 % HOURS
            requests = [
                self._request(BATCH, hours_ago=(hours_ago + number // 14) % HOURS)
                for number in range(count)
            ]
            send_all(self.system.port, requests, 4)

    def _request(self, events: int, *, hours_ago: int = 0) -> bytes:
        body = events_body(self.next_event, events, self.customers, hours_ago=hours_ago)
        self.next_event += events
        return http_request("/v1/ingest", self.system.api_key, body)


def measure_ingest(measured: Measurements, rounds: int) -> None:
    """Batches beside the direct client, turn by turn."""
    ratios, lone_ratios, rates, p99s, lags = [], [], [], [], []
    for _ in range(rounds):
        alone = measured.direct(100, 1)
        direct = measured.direct(200, 4)
        rate, latencies = measured.batches(200, 4)
        lags.append(measured.fold_lag_seconds())
        measured.drain_seconds()
        rates.append(rate)
        ratios.append(rate / direct)
        lone_ratios.append(rate / alone)
        p99s.append(percentile(latencies, 99) * 1000)
        print(
            f"  direct on 1 connection {alone:9,.0f}/s, on 4 {direct:9,.0f}/s; API {rate:9,.0f}/s",
            flush=True,
        )
    report("batches of 1,000, 4 connections, folding", f"{statistics.median(rates):,.0f} events/s")
    report("  of the direct C client on 1 connection", f"{statistics.median(lone_ratios):.2f}")
    report("  of the direct C client on 4 connections", f"{statistics.median(ratios):.2f}")
    report("  p99", f"{statistics.median(p99s):.0f} ms")
    report("  fold lag at the end of a full load", f"{statistics.median(lags):.2f} s")


def measure_singles(measured: Measurements, rounds: int) -> None:
    """One event a request."""
    for connections, requests in ((64, 20_000), (1, 2_000)):
        results = [measured.singles(requests, connections) for _ in range(rounds)]
        rate = statistics.median(rate for rate, _ in results)
        latencies = [latency for _, many in results for latency in many]
        report(
            f"single events, {connections} connections",
            f"{rate:,.0f}/s, p50 {percentile(latencies, 50) * 1000:.2f} ms,"
            f" p99 {percentile(latencies, 99) * 1000:.1f} ms",
        )


def measure_size(measured: Measurements) -> None:
    """What it takes on disk and in memory."""
    rows = sql(
        measured.system.database_url,
        "SELECT pg_total_relation_size('usage_events')::float / count(*) FROM usage_events",
    )
    report("disk, indexes included", f"{rows[0][0]:.0f} bytes per event")
    report("API process", f"{measured.system.memory_megabytes():.0f} MB")


def measure_reads(measured: Measurements) -> None:
    """Usage of one customer and its running period."""
    customer = measured.customers[0]
    path = f"/v1/usage?customer_id={customer}&metric_id={measured.metric}"
    head = (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {measured.system.api_key}\r\n\r\n"
    ).encode()
    # A connection's first statements are planned; what is measured is a server that runs.
    send_closed_loop(measured.system.port, [head] * 100, 1)
    _, latencies = send_closed_loop(measured.system.port, [head] * 1_000, 1)
    events = sql(
        measured.system.database_url,
        f"SELECT count(*) FROM usage_events WHERE customer_id = '{customer}'",
    )[0][0]
    report(
        f"usage of a customer with {events:,} events",
        f"p50 {percentile(latencies, 50) * 1000:.2f} ms,"
        f" p99 {percentile(latencies, 99) * 1000:.2f} ms",
    )


def measure_rebuild(measured: Measurements) -> None:
    """All buckets from the events, by a replay job."""
    now = time.time()
    window = {
        "from": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 90 * 86400)),
        "to": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 3600)),
    }
    started = time.perf_counter()
    job = measured.system.request("POST", "/v1/events/replay", window)["job"]
    while job["status"] not in {"completed", "failed"}:
        time.sleep(0.2)
        job = measured.system.request("GET", f"/v1/events/replay/{job['id']}")["job"]
    seconds = time.perf_counter() - started
    report(
        f"rebuild of {measured.next_event:,} events' buckets",
        f"{seconds:.1f} s ({measured.next_event / seconds:,.0f} events/s), {job['status']}",
    )


def report(what: str, figure: str) -> None:
    """One line of the result."""
    print(f"{what:<48} {figure}", flush=True)


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="fill up to 10 and 20 million events")
    full = parser.parse_args().full
    with running_system() as system:
        measured = Measurements(system)
        measure_ingest(measured, rounds=5)
        measure_singles(measured, rounds=3)
        measure_size(measured)
        if full:
            # One customer of a million among ten million.
            everyone, measured.customers = measured.customers, measured.customers[:1]
            measured.fill(measured.next_event + 1_000_000)
            measured.customers = everyone
            measured.fill(10_000_000)
        measured.drain_seconds()
        measure_reads(measured)
        measure_rebuild(measured)
        if full:
            measured.fill(20_000_000)
            print("at 20 million events:", flush=True)
            measure_ingest(measured, rounds=5)
            measure_size(measured)


if __name__ == "__main__":
    main()

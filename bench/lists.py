"""Long lists: how long ten thousand invoices take, and how long ingestion waits beside them.

Closes as many subscriptions with three prices each, then sends batches of events over four
connections: alone, and while another program reads the whole list again and again.
Usage: bench/lists.py [INVOICES]; without, 10,000.
"""

import subprocess
import sys
import time

from closing import STARTED, close
from filling import fill_subscriptions, metrics_and_prices
from rig import System, events_body, http_request, percentile, running_system, send_closed_loop

BATCHES = 500
EVENTS_A_BATCH = 100
CONNECTIONS = 4
ROUNDS = 3

# In a process of its own: reading megabytes would hold up the threads that send events.
READER = """
import http.client, sys, time
port, key, path, times = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
while times:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    started = time.perf_counter()
    connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    size = len(answer.read())
    print(answer.status, time.perf_counter() - started, size, flush=True)
    times -= 1
"""


def reader(system: System, path: str, times: int) -> subprocess.Popen:
    """A program that reads a list so many times, or until it is ended with -1."""
    arguments = [str(system.port), system.api_key, path, str(times)]
    return subprocess.Popen(
        [sys.executable, "-c", READER, *arguments], stdout=subprocess.PIPE, text=True
    )


def read_once(system: System, path: str) -> tuple[float, int]:
    """The seconds until a whole list was read, and its bytes."""
    status, seconds, size = reader(system, path, 1).communicate()[0].split()
    if status != "200":
        raise RuntimeError(f"{path}: {status}")
    return float(seconds), int(size)


def ingest(system: System, first: int) -> tuple[float, float]:
    """The median and the 99th percentile of a batch's seconds."""
    requests = []
    for number in range(BATCHES):
        start = (first + number) * EVENTS_A_BATCH
        body = events_body(start, EVENTS_A_BATCH, ["list-1"])
        requests.append(http_request("/v1/ingest", system.api_key, body))
    _, latencies = send_closed_loop(system.port, requests, CONNECTIONS)
    return percentile(latencies, 50), percentile(latencies, 99)


def beside(system: System, path: str, first: int) -> tuple[float, float]:
    """As `ingest`, while a list is read all the time."""
    reading = reader(system, path, -1)
    try:
        time.sleep(0.5)
        return ingest(system, first)
    finally:
        reading.kill()
        reading.wait()


def main() -> None:
    """Measure in one run."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with running_system() as system:
        _, prices = metrics_and_prices(system)
        plan = system.request("POST", "/v1/plans", {"name": "Plan", "prices": prices})["plan"]
        fill_subscriptions(system, plan["id"], size, prefix="list-", started=STARTED)
        close(system, size)
        ingest(system, 0)
        for number, name in enumerate(("invoices", "customers")):
            path = f"/v1/{name}"
            seconds, size_bytes = read_once(system, path)
            print(f"GET {path}: {seconds:.2f} s, {size_bytes / 1e6:.1f} MB", flush=True)
            for turn in range(1, ROUNDS + 1):
                place = (number * ROUNDS + turn) * 2 * BATCHES
                _, alone = ingest(system, place)
                p50, p99 = beside(system, path, place + BATCHES)
                print(
                    f"  ingest p99 alone {alone * 1e3:.1f} ms, beside {p99 * 1e3:.1f} ms"
                    f" ({p99 / alone:.1f} x; p50 {p50 * 1e3:.1f} ms)",
                    flush=True,
                )
        print(f"memory of the API process: {system.memory_megabytes():.0f} MB")


if __name__ == "__main__":
    main()

"""Long lists: how long ten thousand invoices take, and how long ingestion waits beside them.

Closes as many subscriptions with three prices each. In this process their invoices are made a list,
in turn with msgspec's bare encoding of the domain's structs and of the responses' structs. Then
batches of events are sent over four connections: alone, and while another program reads the whole
list again and again. Usage: bench/lists.py [INVOICES]; without, 10,000.
"""

import asyncio
import gc
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from closing import STARTED, make_due, watch
from filling import fill_subscriptions, metrics_and_prices
from monigo import invoicing
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import encode
from monigo.api.merchant.invoices.schemas import InvoiceOut
from monigo.bootstrap import bring_up_to_date, open_services
from monigo.core.ids import OrganizationId
from monigo.core.paging import PageRequest
from monigo.infra.db import Tenant
from monigo.infra.settings import Settings
from monigo.invoicing import InvoiceFilter
from rig import System, events_body, http_request, percentile, running_system, send_closed_loop

BATCHES = 500
EVENTS_A_BATCH = 100
CONNECTIONS = 4
ROUNDS = 3
TURNS = 9

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


async def encodings(system: System) -> tuple[list[float], int]:
    """Medians of this process's seconds, by turns: both bare encodings, and the list; its bytes."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), database_url=system.database_url)
        app_url = await bring_up_to_date(settings, system.database_url)
        services = await open_services(settings, app_url)
        tenant = Tenant(OrganizationId(UUID(system.org_id)), is_test=True)
        async with services.database.transaction(tenant) as tx:
            page = await invoicing.list_page(tx, PageRequest(), InvoiceFilter())
        await services.database.close()
    on_the_wire = [InvoiceOut.of(tx, one) for one in page.items]
    sent = bytearray()

    async def send(message: dict) -> None:
        sent.extend(message.get("body", b""))

    async def list_them() -> None:
        sent.clear()
        await ListResponse("invoices", page, lambda one: InvoiceOut.of(tx, one))({}, None, send)

    async def bare(structs: list) -> None:
        for struct in structs:
            encode(struct)

    works = (lambda: bare(page.items), lambda: bare(on_the_wire), list_them)
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # as the server has it
    turns = [[await cpu_seconds(work) for work in works] for _ in range(TURNS)]
    return [statistics.median(times) for times in zip(*turns, strict=True)], len(sent)


async def cpu_seconds(work: Callable) -> float:
    """What some work takes of this process's time, which no other program lengthens much."""
    started = time.process_time()
    await work()
    return time.process_time() - started


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
        watch(system, size, lambda: make_due(system, "list-"))
        (domain, wire, made), size_bytes = asyncio.run(encodings(system))
        print(
            f"{size} invoices become {size_bytes / 1e6:.1f} MB in {made * 1e3:.0f} ms", flush=True
        )
        for whose, bare in (("the domain's", domain), ("the wire's", wire)):
            times = made / bare
            print(f"  {times:.1f} x msgspec's {bare * 1e3:.0f} ms for {whose} structs", flush=True)
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

"""Ingest beside 1,000 people who sign in at once; and how long responses take that reveal nothing.

The flood: a thousand connections, each from an address of its own, each of which logs in again and
again with an e-mail that nobody has, and retries after the given time (Retry-After). Ingest is
measured alone and beside it, turn by turn in one run. Then requests that must not reveal whether an
e-mail has an account, for e-mails that have one and such that have none, turn by turn. Figures and
how to read them: bench/README.md.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable

from monigo.infra.crypto.hashing_process import HASHER, give_way
from rig import (
    System,
    events_body,
    http_request,
    percentile,
    processor_seconds,
    running_system,
    send_closed_loop,
    sql,
)

PEOPLE = 1_000
CUSTOMERS = 500
PAIRS = 9
INGEST_CONNECTIONS, INGEST_REQUESTS = 16, 30_000
# Until the queue of those who wait for a hash is full.
FLOOD_STARTS_SECONDS = 8
# Until those who waited for a hash when it ended have had theirs.
DRAIN_SECONDS = 20
ACCOUNTS = 400
ANSWERS = 100
PASSWORD = "four words are enough"


def _request(path: str, body: object, address: str) -> bytes:
    content = json.dumps(body).encode()
    return (
        f"POST /api/v1/auth/{path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {address}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    ).encode() + content


def address_of(number: int) -> str:
    """An address of somebody's own."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


async def _flood(port: int, people: int) -> None:
    """Sign in until the standard input ends, and print what was answered."""
    numbers = itertools.count(1)
    statuses: Counter[str] = Counter()
    waits: list[float] = []

    async def somebody() -> None:
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            number = next(numbers)
            body = {"email": f"nobody-{number}@example.com", "password": PASSWORD}
            began = time.perf_counter()
            writer.write(_request("login", body, address_of(number)))
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            await reader.readexactly(int(_header(head, "content-length") or 0))
            writer.close()
            statuses[head.split()[1]] += 1
            if head.split()[1] == "401":
                waits.append(time.perf_counter() - began)
            await asyncio.sleep(float(_header(head, "retry-after") or 0))

    everybody = [asyncio.create_task(somebody()) for _ in range(people)]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for one in everybody:
        one.cancel()
    failed = await asyncio.gather(*everybody, return_exceptions=True)
    gone = sum(not isinstance(one, asyncio.CancelledError) for one in failed)
    print(json.dumps({"statuses": statuses, "gone": gone, "waits": waits}))


def _header(head: str, name: str) -> str | None:
    return next(
        (line.partition(":")[2].strip() for line in head.split("\r\n") if line.startswith(name)),
        None,
    )


class Flood:
    """The thousand people, in a process of lowest priority: they have machines of their own."""

    def __init__(self, port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--flood", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        time.sleep(FLOOD_STARTS_SECONDS)

    def end(self) -> dict:
        """What they were answered."""
        answered, _ = self._process.communicate(timeout=60)
        time.sleep(DRAIN_SECONDS)
        return json.loads(answered)


def beside_the_flood(system: System, pairs: int) -> None:
    """Ingest alone, and with the flood, turn by turn."""
    customers = [
        system.request("POST", "/v1/customers", {"external_id": f"c{number}"})["customer"]["id"]
        for number in range(CUSTOMERS)
    ]
    keys = itertools.count()

    def ingest() -> tuple[float, float]:
        """Requests a second, and the processor time of API and database for each."""
        bodies = [
            http_request("/v1/ingest", system.api_key, events_body(next(keys), 1, customers))
            for _ in range(INGEST_REQUESTS)
        ]
        before = sum(processor_seconds(system))
        seconds, latencies = send_closed_loop(system.port, bodies, INGEST_CONNECTIONS)
        each = (sum(processor_seconds(system)) - before) / INGEST_REQUESTS
        print(
            f"  {INGEST_REQUESTS / seconds:,.0f} requests/s,"
            f" p99 {percentile(latencies, 99) * 1_000:.1f} ms, {each * 1e6:.0f} µs each",
            flush=True,
        )
        return INGEST_REQUESTS / seconds, each

    ingest()  # Plans statements and warms caches.
    ratios, costs = [], []
    for number in range(pairs):
        alone = [] if number % 2 else [ingest()]
        flood = Flood(system.port)
        began = time.perf_counter()
        beside = ingest()
        seconds = time.perf_counter() - began + FLOOD_STARTS_SECONDS
        told = flood.end()
        alone = alone or [ingest()]
        ratios.append(beside[0] / alone[0][0])
        costs.append(alone[0][1] / beside[1])
        waits = told["waits"]
        print(
            f"  pair {number + 1}: {ratios[-1]:.3f}, by processor time {costs[-1]:.3f};"
            f" log-ins {told['statuses']},"
            f" {told['gone']} gone, {len(waits) / seconds:.1f}/s,"
            f" median {statistics.median(waits or [0]):.1f} s",
            flush=True,
        )
    print(
        f"ingest beside {PEOPLE} log-ins, of alone: {statistics.median(ratios):.3f}"
        f" ({interval(sorted(ratios))}); by processor time of API and database"
        f" {statistics.median(costs):.3f} ({interval(sorted(costs))})"
    )


def interval(ordered: list[float]) -> str:
    """A 90 % interval of the median, by the ranks of the binomial distribution."""
    count = len(ordered)
    rank = max(0, round(count / 2 - 1.645 * (count**0.5) / 2) - 1)
    return f"{ordered[rank]:.3f} to {ordered[count - 1 - rank]:.3f}"


def both_branches(system: System, answers: int) -> None:
    """How long an answer takes for an e-mail that has an account, and for one that has none."""
    sql(
        system.database_url,
        "INSERT INTO users (id, email, full_name, password_hash, created_at, updated_at)"
        f" SELECT gen_random_uuid(), 'known-' || number || '@example.com', 'Ada',"
        f" '{HASHER.hash(PASSWORD)}', now(), now() FROM generate_series(1, {ACCOUNTS}) AS number",
        "VACUUM ANALYZE users",
        "SELECT 1",
    )
    numbers = itertools.count(1 << 20)

    def timed(path: str, body: Callable[[str], dict], emails: list[str]) -> list[float]:
        requests = [_request(path, body(email), address_of(next(numbers))) for email in emails]
        return [_one(system.port, request) for request in requests]

    known = [f"known-{number + 1}@example.com" for number in range(ACCOUNTS)]
    unknown = [f"nobody-{number + 1}@example.com" for number in range(ACCOUNTS)]
    tried: dict[str, Callable[[str], dict]] = {
        "login": lambda email: {"email": email, "password": "not this one at all"},
        "forgot-password": lambda email: {"email": email},
        "verify-reset-code": lambda email: {"email": email, "code": "000000"},
        "resend-verification": lambda email: {"email": email},
    }
    for path, body in tried.items():
        found: dict[bool, list[float]] = {True: [], False: []}
        for number in range(answers):
            for is_known in (True, False) if number % 2 else (False, True):
                emails = [(known if is_known else unknown)[number]]
                found[is_known] += timed(path, body, emails)
        medians = {key: statistics.median(values) * 1_000 for key, values in found.items()}
        differences = sorted(
            1_000 * (one - other) for one, other in zip(found[True], found[False], strict=True)
        )
        print(
            f"{path:<20} known {medians[True]:7.2f} ms, unknown {medians[False]:7.2f} ms;"
            f" known less unknown, median {statistics.median(differences):+.2f} ms"
            f" ({interval(differences)})",
            flush=True,
        )


def _one(port: int, request: bytes) -> float:
    """Seconds until one answer, whatever its status."""
    began = time.perf_counter()
    answered = asyncio.run(_ask(port, request))
    assert answered in {200, 400, 401}, answered
    return time.perf_counter() - began


async def _ask(port: int, request: bytes) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    await reader.readexactly(int(_header(head, "content-length") or 0))
    writer.close()
    return int(head.split()[1])


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flood", type=int, help="be the flood on this port")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--answers", type=int, default=ANSWERS)
    chosen = parser.parse_args()
    if chosen.flood:
        give_way()
        asyncio.run(_flood(chosen.flood, PEOPLE))
        return
    with running_system(
        MONIGO_TRUSTED_PROXIES="127.0.0.1", MONIGO_CONNECTIONS_PER_ADDRESS="2000"
    ) as system:
        beside_the_flood(system, chosen.pairs)
        both_branches(system, chosen.answers)


if __name__ == "__main__":
    main()

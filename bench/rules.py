"""Ingestion and folding with a payout rule on every event, beside the same without one.

Live mode has a metric over its events, test mode the same metric and a rule. Batches go to one and
to the other, turn by turn in one run; compared is the processor time of API, worker and PostgreSQL
an event, from the first batch until all is folded, which other programs don't lengthen.
"""

import http.client
import json
import statistics
import time

from rig import System, processor_seconds, running_system, sql

BATCH = 1_000
BATCHES = 60
ROUNDS = 3
DRIVERS = 2_000
WAITING = "SELECT count(*) FROM unfolded_batches"


def key_of(system: System, mode: str) -> str:
    """The demo organisation's key of a mode."""
    return json.loads((system.data_dir / "credentials.json").read_text())[f"{mode}_api_key"]


def post(system: System, key: str, path: str, body: object) -> dict:
    """One request that must succeed."""
    connection = http.client.HTTPConnection("127.0.0.1", system.port)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    if answer.status not in {200, 201, 202}:
        raise RuntimeError(told)
    return json.loads(told)


def set_up(system: System, key: str) -> None:
    """A rider and drivers, and a metric over rides."""
    for name in ("rider", *(f"d{number}" for number in range(DRIVERS))):
        post(system, key, "/v1/customers", {"external_id": name})
    metric = {"name": "Fares", "event_name": "ride", "aggregation": "sum"}
    post(system, key, "/v1/metrics", {**metric, "aggregation_property": "fare"})


def batch(name: str, number: int) -> dict:
    """A thousand rides of many drivers."""
    return {
        "events": [
            {
                "event_name": "ride",
                "customer_id": "rider" if each % 2 else f"d{(number * 7 + each) % DRIVERS}",
                "idempotency_key": f"{name}-{number}-{each}",
                "properties": {
                    "fare": f"{each % 900 + 100}.50",
                    "driver": f"d{(number * 31 + each) % DRIVERS}",
                    "city": "Lagos",
                },
            }
            for each in range(BATCH)
        ]
    }


def microseconds_an_event(system: System, key: str, name: str) -> float:
    """The processor time of storing and folding some batches."""
    before = sum(processor_seconds(system))
    for number in range(BATCHES):
        post(system, key, "/v1/ingest", batch(name, number))
    while sql(system.database_url, WAITING)[0][0]:
        time.sleep(0.2)
    return (sum(processor_seconds(system)) - before) * 1e6 / (BATCH * BATCHES)


def main() -> None:
    """Measure in turns, and print the medians."""
    with running_system() as system:
        live, test = key_of(system, "live"), key_of(system, "test")
        set_up(system, live)
        set_up(system, test)
        rule = {
            "trigger_event": "ride",
            "recipient_field": "driver",
            "amount_expression": "fare * 0.80",
        }
        plan = {"name": "Drivers", "plan_type": "payout", "payout_rules": [rule]}
        post(system, test, "/v1/plans", plan)
        without, with_rule = list[float](), list[float]()
        for number in range(ROUNDS):
            without.append(microseconds_an_event(system, live, f"live-{number}"))
            with_rule.append(microseconds_an_event(system, test, f"test-{number}"))
    plain, paid = statistics.median(without), statistics.median(with_rule)
    print(f"without a rule: {plain:.1f} µs an event ({min(without):.1f} to {max(without):.1f})")
    print(f"with one rule: {paid:.1f} µs ({min(with_rule):.1f} to {max(with_rule):.1f})")
    print(f"rate with it, of that without: {plain / paid:.2f}")


if __name__ == "__main__":
    main()

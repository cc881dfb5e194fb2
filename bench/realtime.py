"""A realtime pass: how long until all of many subscriptions whose usage changed are charged.

Fills a fresh database by SQL (100 events for each subscription within its running period, their
buckets, a wallet with money), notes that all usage changed, and lets the worker of `monigo serve`
charge it. The first slice, of 500, is not in the seconds.
Usage: bench/realtime.py [SUBSCRIPTIONS]; without, 100,000.
"""

import sys
import time
from collections.abc import Callable

from filling import (
    fill_subscriptions,
    fill_usage,
    fill_wallets,
    metrics_and_prices,
)
from rig import System, running_system, sql, watching

STARTED = "date_trunc('day', now()) - interval '12 days'"
HOURS_OF_USAGE = 10 * 24
PREFIX = "driver-"
WAITING = "agenda WHERE kind = 'usage_changed'"


def note_changed(system: System, prefix: str) -> None:
    """Note that the usage of all these customers changed."""
    sql(
        system.database_url,
        f"""
        INSERT INTO agenda (org_id, is_test, kind, subject, due_at, runs_at, version, attempts,
            reason)
        SELECT org_id, is_test, 'usage_changed', id, now(), now(), 1, 0, '' FROM customers
        WHERE org_id = '{system.org_id}' AND external_id LIKE '{prefix}%'
        """,
        "SELECT 1",
    )


def watch(system: System, waiting: str, start: Callable[[], None]) -> float:
    """Start a pass; the seconds from its first slice until no rows of `waiting` are left.

    The pass comes every five seconds; it is measured, not the wait for it.
    """
    query = f"SELECT count(*) FROM {waiting}"
    with watching(system.database_url) as look:
        start()
        before = look(query)
        while look(query) == before:
            time.sleep(0.01)
        started = time.perf_counter()
        while look(query):
            time.sleep(0.02)
        return time.perf_counter() - started


def main() -> None:
    """Measure a pass that charges, then one that finds nothing more to charge."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with running_system() as system:
        metrics, prices = metrics_and_prices(system)
        plan = {"name": "Plan", "prices": prices, "billing_mode": "realtime"}
        plan_id = system.request("POST", "/v1/plans", plan)["plan"]["id"]
        fill_subscriptions(system, plan_id, size, prefix=PREFIX, started=STARTED)
        since = f"{STARTED} + interval '1 day'"
        fill_usage(system, metrics, prefix=PREFIX, since=since, hours=HOURS_OF_USAGE)
        fill_wallets(system, prefix=PREFIX)
        for told in ("all charged", "nothing more to charge"):
            seconds = watch(system, WAITING, lambda: note_changed(system, PREFIX))
            debits = sql(system.database_url, "SELECT count(*) FROM ledger_transfers")[0][0]
            print(
                f"{size:,} realtime subscriptions, {told}: {seconds:.1f} s;"
                f" {debits:,} debits in all",
                flush=True,
            )


if __name__ == "__main__":
    main()

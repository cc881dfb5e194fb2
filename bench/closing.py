"""The period close: invoices a second over many subscriptions with three prices each.

Fills a fresh database by SQL (100 events for each subscription, spread over its period, and their
buckets), makes all periods due at once, and lets the worker of `monigo serve` close them.
Usage: bench/closing.py [SUBSCRIPTIONS ...]; without, 1,000 and 100,000 in one run.
"""

import sys
import time
from collections.abc import Callable
from functools import partial

from filling import EVENTS_EACH, fill_subscriptions, fill_usage, metrics_and_prices
from rig import System, running_system, sql, watching

# The period has ended some days ago; the next one is still running.
STARTED = "date_trunc('day', now()) - interval '40 days'"
ENDED = "date_trunc('day', now()) - interval '9 days'"
HOURS_OF_USAGE = 29 * 24


def make_due(system: System, prefix: str) -> None:
    """Make all subscriptions of these customers due."""
    sql(
        system.database_url,
        f"""
        INSERT INTO agenda (org_id, is_test, kind, subject, due_at, runs_at, version, attempts,
            reason)
        SELECT known.org_id, known.is_test, 'period_close', known.id, {ENDED}, {ENDED}, 1, 0, ''
        FROM subscriptions AS known
        JOIN customers ON customers.id = known.customer_id
            AND customers.external_id LIKE '{prefix}%'
        WHERE known.org_id = '{system.org_id}'
        """,
        "SELECT 1",
    )


def watch(system: System, count: int, start: Callable[[], None]) -> float:
    """Start closing, and wait for so many invoices more; the seconds for one.

    The worker looks for due periods once a second; the time until it has begun is left out.
    """
    final = f"""
        SELECT coalesce(max(value), 0) FROM counters
        WHERE org_id = '{system.org_id}' AND is_test AND name = 'invoice'
    """
    with watching(system.database_url) as look:
        known = look(final)
        start()
        while (first := look(final) - known) <= 0:
            time.sleep(0.01)
        started = time.perf_counter()
        while look(final) < known + count:
            time.sleep(0.01)
        return (time.perf_counter() - started) / max(1, count - first)


def main() -> None:
    """Measure each size, from small to large, in one run."""
    sizes = [int(text) for text in sys.argv[1:]] or [1_000, 100_000]
    with running_system() as system:
        metrics, prices = metrics_and_prices(system)
        plan = system.request("POST", "/v1/plans", {"name": "Plan", "prices": prices})["plan"]
        for size in sizes:
            prefix, since = f"batch{size}-", f"{STARTED} + interval '1 day'"
            fill_subscriptions(system, plan["id"], size, prefix=prefix, started=STARTED)
            fill_usage(system, metrics, prefix=prefix, since=since, hours=HOURS_OF_USAGE)
            before = system.memory_megabytes()
            seconds = watch(system, size, partial(make_due, system, prefix))
            print(
                f"{size:>9,} subscriptions, {size * EVENTS_EACH:,} events: {1 / seconds:,.0f}"
                f" invoices/s, {seconds * 1000:.2f} ms each; memory {before:.0f} MB before,"
                f" {system.memory_megabytes():.0f} MB after",
                flush=True,
            )


if __name__ == "__main__":
    main()

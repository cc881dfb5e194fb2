"""The period close: invoices a second over many subscriptions with three prices each.

Fills a fresh database by SQL (100 events for each subscription, spread over its period, and their
buckets), makes all periods due at once, and lets the worker of `monigo serve` close them.
Usage: bench/closing.py [SUBSCRIPTIONS ...]; without, 1,000 and 100,000 in one run.
"""

import sys
import time
import uuid

from rig import System, running_system, sql

EVENTS_EACH = 100
EVENT_NAMES = ("request", "upload", "minute")
# The period has ended some days ago; the next one is still running.
STARTED = "date_trunc('day', now()) - interval '40 days'"
ENDED = "date_trunc('day', now()) - interval '9 days'"


def fill(system: System, plan_id: str, metrics: list[str], count: int, batch: str) -> None:
    """Customers, subscriptions, events and buckets of one batch; nothing is due yet."""
    org, prefix = system.org_id, f"{batch}-"
    names = ", ".join(
        f"('{metric}'::uuid, '{name}')" for metric, name in zip(metrics, EVENT_NAMES, strict=True)
    )
    sql(
        system.database_url,
        "SET synchronous_commit = off",
        f"""
        INSERT INTO customers (org_id, is_test, id, external_id, name, email, phone, metadata,
            created_at, updated_at)
        SELECT '{org}', true, gen_random_uuid(), '{prefix}' || number, 'c', '', '', '{{}}', now(),
            now()
        FROM generate_series(1, {count}) AS number
        """,
        f"""
        INSERT INTO subscriptions (org_id, is_test, id, customer_id, plan_id, plan_type, status,
            timezone, billing_period, billing_anchor, anchor_at, phase_started_at,
            phase_joined_at, start_date, cancel_at_period_end, closed_until, settled_at,
            billing_error, created_at, updated_at)
        SELECT '{org}', true, gen_random_uuid(), id, '{plan_id}', 'collection', 'active', 'UTC',
            'monthly', 'subscription_start', start, start, start, start, false, start, now(), '',
            now(), now()
        FROM (
            SELECT id, {STARTED} + random() * interval '1 day' AS start FROM customers
            WHERE org_id = '{org}' AND external_id LIKE '{prefix}%'
        ) AS begun
        """,
        f"""
        INSERT INTO usage_events (org_id, dedup, is_test, batch_id, idempotency_key, customer_id,
            event_name, occurred_at, properties, received_at)
        SELECT '{org}', md5(c.id::text || n)::uuid, true, '{uuid.uuid4()}', c.id::text || n, c.id,
            (ARRAY['request', 'upload', 'minute'])[1 + n % 3],
            {STARTED} + interval '1 day' + (n / 5) * interval '35 hours'
                + (n % 5) * interval '7 minutes',
            '{{"amount": 1.5}}', now() - interval '10 days'
        FROM customers AS c CROSS JOIN generate_series(1, {EVENTS_EACH}) AS n
        WHERE c.org_id = '{org}' AND c.external_id LIKE '{prefix}%'
        """,
        f"""
        INSERT INTO usage_buckets (org_id, is_test, customer_id, metric_id, metric_version, hour,
            group_value, event_count, number_count, number_sum, number_min, number_max,
            first_event_at, last_event_at)
        SELECT e.org_id, true, e.customer_id, m.id, 1, date_trunc('hour', e.occurred_at, 'UTC'), '',
            count(*), count(*), 1.5 * count(*), 1.5, 1.5, min(e.occurred_at), max(e.occurred_at)
        FROM usage_events AS e
        JOIN (VALUES {names}) AS m (id, name) ON m.name = e.event_name
        JOIN customers AS c ON c.id = e.customer_id AND c.external_id LIKE '{prefix}%'
        GROUP BY 1, 3, 4, 6
        """,
        "VACUUM ANALYZE customers",
        "VACUUM ANALYZE subscriptions",
        "VACUUM ANALYZE usage_events",
        "VACUUM ANALYZE usage_buckets",
        "SELECT 1",
    )


def close(system: System, count: int) -> float:
    """Make every subscription that is not closed yet due, and wait; the seconds that it took."""
    known = invoices(system)
    sql(
        system.database_url,
        f"""
        INSERT INTO due_subscriptions (org_id, is_test, subscription_id, due_at, attempts)
        SELECT org_id, is_test, id, {ENDED}, 0 FROM subscriptions
        WHERE org_id = '{system.org_id}' AND closed_until = start_date
        """,
        "SELECT 1",
    )
    started = time.perf_counter()
    while invoices(system) < known + count:
        time.sleep(0.05)
    return time.perf_counter() - started


def invoices(system: System) -> int:
    """How many invoices are final."""
    return sql(
        system.database_url,
        f"SELECT coalesce(max(value), 0) FROM counters WHERE org_id = '{system.org_id}' AND is_test"
        " AND name = 'invoice'",
    )[0][0]


def main() -> None:
    """Measure each size, from small to large, in one run."""
    sizes = [int(text) for text in sys.argv[1:]] or [1_000, 100_000]
    with running_system(MONIGO_DEMO_DATA="false") as system:
        metrics = [
            system.request(
                "POST",
                "/v1/metrics",
                {
                    "name": name,
                    "event_name": name,
                    "aggregation": "sum",
                    "aggregation_property": "amount",
                },
            )["metric"]["id"]
            for name in EVENT_NAMES
        ]
        prices = [
            {"metric_id": metrics[0], "model": "flat_unit", "unit_price": "2.5"},
            {
                "metric_id": metrics[1],
                "model": "tiered",
                "tiers": [{"up_to": 20, "unit_amount": "5"}, {"up_to": None, "unit_amount": "3"}],
            },
            {
                "metric_id": metrics[2],
                "model": "package",
                "tiers": {"package_size": 10, "package_price": "40"},
            },
        ]
        plan = system.request("POST", "/v1/plans", {"name": "Plan", "prices": prices})["plan"]
        for size in sizes:
            fill(system, plan["id"], metrics, size, f"batch{size}")
            before = system.memory_megabytes()
            seconds = close(system, size)
            print(
                f"{size:>9,} subscriptions, {size * EVENTS_EACH:,} events: {size / seconds:,.0f}"
                f" invoices/s, {seconds / size * 1000:.2f} ms each; memory {before:.0f} MB before,"
                f" {system.memory_megabytes():.0f} MB after"
            )


if __name__ == "__main__":
    main()

"""The start page of a large merchant: 100,000 customers, each with an invoice of this month.

Two thirds of the invoices are paid, and one in ten is a bill. The page is asked for over one
connection, by a key; then it is looked, once, which of the customers' usage fell.
Usage: bench/dashboard.py [CUSTOMERS]; without, 100,000.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

from filling import fill_subscriptions
from monigo.bootstrap import bring_up_to_date, open_services
from monigo.core.ids import OrganizationId
from monigo.infra.db import Tenant
from monigo.infra.settings import Settings
from monigo.reports.dashboard import find_declines
from rig import System, http_request, percentile, running_system, send_closed_loop, sql

PREFIX = "start-"
PAGES = 300
DAYS_EACH = 10

COPY_INVOICES = """
    INSERT INTO invoices SELECT (jsonb_populate_record(known, jsonb_build_object(
        'id', gen_random_uuid(), 'kind', 'interim', 'number', 10 + place,
        'customer_id', subscription.customer_id, 'subscription_id', subscription.id,
        'plan_type', CASE WHEN place % 10 = 0 THEN 'payout' ELSE 'collection' END,
        'status', CASE WHEN place % 3 = 0 THEN 'finalized' ELSE 'paid' END,
        'currency', (ARRAY['NGN', 'KES', 'XOF'])[1 + place % 3],
        'subtotal', place, 'vat_enabled', false, 'vat_amount', 0, 'wht_amount', 0,
        'total', place, 'amount_paid', CASE WHEN place % 3 = 0 THEN 0 ELSE place END,
        'wallet_paid', 0, 'finalized_at', at,
        'paid_at', CASE WHEN place % 3 = 0 THEN NULL ELSE at END
    ))).*
    FROM (
        SELECT id, customer_id, row_number() OVER () AS place,
            now() - random() * interval '20 days' AS at
        FROM subscriptions WHERE org_id = '{org}' AND plan_id = '{plan}'
    ) AS subscription
    CROSS JOIN invoices AS known
    WHERE known.id = '{invoice}'
"""

FILL_DAYS = """
    INSERT INTO usage_days (org_id, is_test, customer_id, metric_id, metric_version, day,
        group_value, event_count, number_count, number_sum, first_event_at, last_event_at)
    SELECT customer.org_id, true, customer.id, metric.id, metric.version, day, '', 5, 0, 0,
        day + interval '1 hour', day + interval '2 hours'
    FROM customers AS customer
    CROSS JOIN metrics AS metric
    CROSS JOIN generate_series(1, {days}) AS number
    CROSS JOIN LATERAL (
        SELECT date_trunc('day', now(), 'UTC') - number * interval '3 days' AS day
    ) AS dated
    WHERE customer.org_id = '{org}' AND metric.org_id = '{org}'
        AND customer.external_id LIKE '{prefix}%'
"""

FILL_VOLUMES = """
    INSERT INTO event_volumes (org_id, is_test, since, event_count)
    SELECT '{org}', true, date_bin('15 minutes', now(), '2000-01-01 00:00Z')
        - number * interval '15 minutes', 1000
    FROM generate_series(10, 9000) AS number
"""


def fill(system: System, customers: int) -> None:
    """Customers with invoices and usage, made of one that the API made."""
    metric = {"name": "calls", "event_name": "call", "aggregation": "count"}
    metric_id = system.request("POST", "/v1/metrics", metric)["metric"]["id"]
    prices = [{"metric_id": metric_id, "model": "flat_unit", "unit_price": "2"}]
    plan = system.request("POST", "/v1/plans", {"name": "Plan", "prices": prices})["plan"]
    fill_subscriptions(
        system, plan["id"], customers, prefix=PREFIX, started="now() - interval '21 days'"
    )
    system.request("POST", "/v1/customers", {"external_id": "one"})
    wanted = {"customer_id": "one", "plan_id": plan["id"]}
    subscription = system.request("POST", "/v1/subscriptions", wanted)["subscription"]
    asked = {"subscription_id": subscription["id"]}
    invoice = system.request("POST", "/v1/invoices/generate", asked)["invoice"]
    system.request("POST", f"/v1/invoices/{invoice['id']}/finalize")
    values = {"org": system.org_id, "plan": plan["id"], "invoice": invoice["id"]}
    sql(
        system.database_url,
        "SET synchronous_commit = off",
        COPY_INVOICES.format(**values),
        FILL_DAYS.format(**values, days=DAYS_EACH, prefix=PREFIX),
        FILL_VOLUMES.format(**values),
        "VACUUM ANALYZE invoices",
        "VACUUM ANALYZE usage_days",
        "ANALYZE event_volumes",
        "SELECT 1",
    )


async def seconds_of_looking(system: System) -> float:
    """How long it takes to find whose usage fell, of all customers."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), database_url=system.database_url)
        app_url = await bring_up_to_date(settings, system.database_url)
        services = await open_services(settings, app_url)
        started = time.perf_counter()
        await find_declines(
            services.database, Tenant(OrganizationId(UUID(system.org_id)), is_test=True)
        )
        took = time.perf_counter() - started
        await services.close()
    return took


def main() -> None:
    """Measure in one run."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with running_system() as system:
        fill(system, customers)
        for asked in ("today", "month", "3months"):
            path = f"/api/v1/dashboard?range={asked}"
            request = http_request(path, system.api_key, b"").replace(b"POST", b"GET", 1)
            _, latencies = send_closed_loop(system.port, [request] * PAGES, 1)
            print(
                f"range={asked}: median {percentile(latencies, 50) * 1000:.1f} ms,"
                f" p99 {percentile(latencies, 99) * 1000:.1f} ms"
            )
        took = asyncio.run(seconds_of_looking(system))
        print(f"whose usage fell, of {customers:,} customers: {took:.1f} s")


if __name__ == "__main__":
    main()

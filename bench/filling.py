"""Fills a database by SQL with what would take hours to send: customers, subscriptions, usage."""

import uuid

from rig import System, sql

EVENTS_EACH = 100
EVENT_NAMES = ("request", "upload", "minute")


def metrics_and_prices(system: System) -> tuple[list[str], list[dict]]:
    """A metric for each event name, and a price of another model for each."""
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
    tiers = [{"up_to": 20, "unit_amount": "5"}, {"up_to": None, "unit_amount": "3"}]
    package = {"package_size": 10, "package_price": "40"}
    return metrics, [
        {"metric_id": metrics[0], "model": "flat_unit", "unit_price": "2.5"},
        {"metric_id": metrics[1], "model": "tiered", "tiers": tiers},
        {"metric_id": metrics[2], "model": "package", "tiers": package},
    ]


def fill_subscriptions(
    system: System,
    plan_id: str,
    count: int,
    *,
    prefix: str,
    started: str,
    plan_type: str = "collection",
) -> None:
    """New customers on a monthly plan since some moment of a day; nothing is due yet."""
    org = system.org_id
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
            phase_agreed_at, start_date, cancel_at_period_end, closed_until, late_usage_checked_at,
            billing_error, created_at, updated_at, phase_agreed_revision)
        SELECT '{org}', true, gen_random_uuid(), id, '{plan_id}', '{plan_type}', 'active', 'UTC',
            'monthly', 'subscription_start', start, start, start, start, false, start,
            now(), '', now(), now(), 1
        FROM (
            SELECT id, {started} + random() * interval '1 day' AS start FROM customers
            WHERE org_id = '{org}' AND external_id LIKE '{prefix}%'
        ) AS begun
        """,
        f"""
        INSERT INTO subscription_stretches (org_id, is_test, subscription_id, customer_id,
            plan_type, started_at)
        SELECT s.org_id, true, s.id, s.customer_id, s.plan_type, s.start_date
        FROM subscriptions AS s
        JOIN customers AS c ON c.id = s.customer_id AND c.external_id LIKE '{prefix}%'
        WHERE s.org_id = '{org}'
        """,
        "VACUUM ANALYZE customers",
        "VACUUM ANALYZE subscriptions",
        "SELECT 1",
    )


def fill_usage(
    system: System, metrics: list[str], *, prefix: str, since: str, hours: float
) -> None:
    """Events of each customer, spread over so many hours, and their buckets."""
    org = system.org_id
    names = ", ".join(
        f"('{metric}'::uuid, '{name}')" for metric, name in zip(metrics, EVENT_NAMES, strict=True)
    )
    sql(
        system.database_url,
        "SET synchronous_commit = off",
        f"""
        INSERT INTO usage_events (org_id, dedup, is_test, batch_id, idempotency_key, customer_id,
            event_name, occurred_at, properties, received_at)
        SELECT '{org}', md5(c.id::text || n)::uuid, true, '{uuid.uuid4()}', c.id::text || n, c.id,
            (ARRAY['request', 'upload', 'minute'])[1 + n % 3],
            {since} + (n / 5) * interval '1 hour' * {hours * 5 / EVENTS_EACH}
                + (n % 5) * interval '7 minutes',
            '{{"amount": 1.5}}', {since} + interval '1 hour' * {hours}
        FROM customers AS c CROSS JOIN generate_series(1, {EVENTS_EACH}) AS n
        WHERE c.org_id = '{org}' AND c.external_id LIKE '{prefix}%'
        """,
        f"""
        INSERT INTO usage_hours (org_id, is_test, customer_id, metric_id, metric_version, hour,
            group_value, event_count, number_count, number_sum, number_min, number_max,
            first_event_at, last_event_at)
        SELECT e.org_id, true, e.customer_id, m.id, 1, date_trunc('hour', e.occurred_at, 'UTC'), '',
            count(*), count(*), 1.5 * count(*), 1.5, 1.5, min(e.occurred_at), max(e.occurred_at)
        FROM usage_events AS e
        JOIN (VALUES {names}) AS m (id, name) ON m.name = e.event_name
        JOIN customers AS c ON c.id = e.customer_id AND c.external_id LIKE '{prefix}%'
        GROUP BY 1, 3, 4, 6
        """,
        f"""
        INSERT INTO usage_days (org_id, is_test, customer_id, metric_id, metric_version, day,
            group_value, event_count, number_count, number_sum, number_min, number_max,
            first_event_at, last_event_at)
        SELECT h.org_id, true, customer_id, metric_id, 1, date_trunc('day', hour, 'UTC') AS day, '',
            sum(event_count), sum(number_count), sum(number_sum), min(number_min), max(number_max),
            min(first_event_at), max(last_event_at)
        FROM usage_hours AS h
        JOIN customers AS c ON c.id = h.customer_id AND c.external_id LIKE '{prefix}%'
        WHERE h.org_id = '{org}'
        GROUP BY h.org_id, customer_id, metric_id, day
        ORDER BY day
        """,
        "VACUUM ANALYZE usage_events",
        "VACUUM ANALYZE usage_hours",
        "VACUUM ANALYZE usage_days",
        "SELECT 1",
    )


def fill_wallets(system: System, *, prefix: str) -> None:
    """A wallet with plenty of money for each customer, as the database's owner may write it."""
    org = system.org_id
    sql(
        system.database_url,
        "SET synchronous_commit = off",
        f"""
        CREATE TEMPORARY TABLE opened AS
        SELECT id AS customer_id, gen_random_uuid() AS money, gen_random_uuid() AS reserved,
            gen_random_uuid() AS provider, gen_random_uuid() AS revenue
        FROM customers WHERE org_id = '{org}' AND external_id LIKE '{prefix}%'
        """,
        *(
            f"""
            INSERT INTO ledger_accounts (org_id, is_test, id, kind, currency, balance, created_at)
            SELECT '{org}', true, {column}, '{kind}', 'NGN', {balance}, now() FROM opened
            """
            for column, kind, balance in (
                ("money", "customer_wallet", 1_000_000),
                ("reserved", "reserved", 0),
                ("provider", "provider", -1_000_000),
                ("revenue", "revenue", 0),
            )
        ),
        f"""
        INSERT INTO wallets (org_id, is_test, id, customer_id, currency, status, money_account_id,
            reserved_account_id, provider_account_id, revenue_account_id, created_at, updated_at)
        SELECT '{org}', true, gen_random_uuid(), customer_id, 'NGN', 'active', money, reserved,
            provider, revenue, now(), now()
        FROM opened
        """,
        "VACUUM ANALYZE ledger_accounts",
        "VACUUM ANALYZE wallets",
        # What the fill left to write is not the pass's.
        "CHECKPOINT",
        "SELECT 1",
    )

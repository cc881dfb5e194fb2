"""Subscriptions from before there were stretches: nothing keeps them from being brought over."""

import asyncio

import asyncpg
import pytest

from monigo.infra.db import migrate
from support.databases import database_from_before

EMPTY = """
    DO $$ BEGIN
        EXECUTE (
            SELECT 'TRUNCATE ' || string_agg(oid::regclass::text, ', ') FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                AND relname <> 'schema_migrations'
        );
    END $$
"""
ORGANIZATION = """
    INSERT INTO organizations (org_id, name, country, timezone, default_currency,
        available_currencies, vat_enabled, vat_rate, wht_enabled, wht_rate,
        event_ingestion_grace_period_hours, created_at, updated_at)
    VALUES (gen_random_uuid(), 'Old', 'NG', 'UTC', 'NGN', '{NGN}', false, 0, false, 0, 0, now(),
        now())
"""
CUSTOMER = """
    INSERT INTO customers (org_id, is_test, id, external_id, name, email, phone, metadata,
        created_at, updated_at)
    SELECT org_id, true, gen_random_uuid(), 'c1', '', '', '', '{}', now(), now()
    FROM organizations
"""
PLANS = """
    INSERT INTO plans (org_id, is_test, id, name, description, currency, plan_type, billing_period,
        billing_mode, trial_period_days, created_at, updated_at)
    SELECT org_id, true, gen_random_uuid(), plan.name, '', 'NGN', 'collection', 'monthly',
        'postpaid', 2, now(), now()
    FROM organizations CROSS JOIN (VALUES ('tried'), ('present')) AS plan (name)
"""
# As made, as edited at the instant at which both subscribed, and as edited since.
REVISIONS = """
    INSERT INTO plan_revisions (org_id, is_test, plan_id, revision, apply_to, effective_at,
        base_fee, base_fee_timing, created_at)
    SELECT org_id, true, id, known.revision, 'all', known.effective_at::timestamptz, 0,
        'in_arrears', now()
    FROM plans CROSS JOIN (
        VALUES (1, '-infinity'), (2, '2027-01-01Z'), (3, '2027-01-01 00:00:01Z')
    ) AS known (revision, effective_at)
"""
# Both of one customer from the first of January on: one that ended on the tenth, and one that was
# backdated after it and is to end with its period.
SUBSCRIPTIONS = """
    INSERT INTO subscriptions (org_id, is_test, id, customer_id, plan_id, plan_type, status,
        timezone, billing_period, billing_anchor, anchor_at, phase_started_at, phase_joined_at,
        start_date, trial_ends_at, cancel_at_period_end, canceled_at, closed_until, settled_at,
        billing_error, created_at, updated_at)
    SELECT customers.org_id, true, gen_random_uuid(), customers.id, plans.id, 'collection',
        known.status, 'UTC', 'monthly', 'subscription_start', '2027-01-01Z', '2027-01-01Z',
        '2027-01-01Z', '2027-01-01Z', known.trial_ends_at::timestamptz, known.canceled_at IS NULL,
        known.canceled_at::timestamptz, '2027-01-01Z', now(), '', known.created_at::timestamptz,
        now()
    FROM customers
    JOIN plans ON plans.name = 'present'
    CROSS JOIN (
        VALUES ('canceled', '2027-01-03Z', '2027-01-10Z', '2027-01-01Z'),
            ('active', NULL, NULL, '2027-01-12Z')
    ) AS known (status, trial_ends_at, canceled_at, created_at)
"""
PAUSE = """
    INSERT INTO subscription_pauses (org_id, is_test, subscription_id, started_at, ended_at, reason)
    SELECT org_id, true, id, '2027-01-04Z', '2027-01-06Z', 'merchant' FROM subscriptions
    WHERE status = 'canceled'
"""
TIMELINE = """
    INSERT INTO subscription_timeline (org_id, is_test, subscription_id, position, happened_at,
        happening, detail)
    SELECT known.org_id, true, known.id, 1, known.created_at, 'created', plans.id::text
    FROM subscriptions AS known JOIN plans ON plans.name = 'tried'
"""
STRETCHES = """
    SELECT known.status, to_char(stretch.started_at, 'DD Mon') AS begun,
        to_char(stretch.ended_at, 'DD Mon') AS ended
    FROM subscription_stretches AS stretch
    JOIN subscriptions AS known ON known.id = stretch.subscription_id
    ORDER BY known.created_at, stretch.started_at
"""
TRIALS = """
    SELECT known.status, plans.name FROM subscriptions AS known
    LEFT JOIN plans ON plans.id = known.trial_plan_id ORDER BY known.created_at
"""
JOINED = "SELECT phase_agreed_revision FROM subscriptions"
DUE = """
    SELECT known.status, due.due_at = known.created_at AS is_at_once FROM agenda AS due
    JOIN subscriptions AS known ON known.id = due.subject AND due.kind = 'period_close'
"""


async def told_after_the_migration(url):
    connection = await asyncpg.connect(url)
    try:
        return [
            [tuple(row) for row in await connection.fetch(query)]
            for query in (STRETCHES, TRIALS, DUE, JOINED)
        ]
    finally:
        await connection.close()


async def fill(url):
    connection = await asyncpg.connect(url)
    try:
        for statement in (
            EMPTY,
            ORGANIZATION,
            CUSTOMER,
            PLANS,
            REVISIONS,
            SUBSCRIPTIONS,
            PAUSE,
            TIMELINE,
        ):
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def migrated(owner_url):
    """What is told of subscriptions that overlapped in a database from before the stretches."""
    with database_from_before(owner_url) as url:
        asyncio.run(fill(url))
        asyncio.run(migrate(url, None))
        yield asyncio.run(told_after_the_migration(url))


def test_instants_that_two_had_are_the_one_s_that_was_made_first(migrated):
    stretches, trials, due, _ = migrated

    assert stretches == [
        ("canceled", "01 Jan", "04 Jan"),
        ("canceled", "06 Jan", "10 Jan"),
        ("active", "04 Jan", "06 Jan"),
        ("active", "10 Jan", None),
    ]
    assert trials == [("canceled", "tried"), ("active", None)]
    assert due == [("active", True)]


def test_an_edit_of_the_instant_at_which_one_subscribed_counts_as_made_before_as_it_did(migrated):
    *_, joined = migrated

    assert joined == [(2,), (2,)]

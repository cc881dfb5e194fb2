"""Clearing test data takes all of one tenant's test rows, and nothing else."""

import json
import threading
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from monigo import metering
from monigo.core.times import format_instant
from monigo.infra.db import Tenant
from monigo.tenancy import Scope
from support.api import Api, event
from support.jobs import run_replay
from support.locks import wait_until_blocked
from support.tenants import fill

RESET = "/v1/test-data/reset"
# What a reset leaves of itself: its entry on the way to the audit log, which keeps all entries.
OWN_ENTRY = {"outbox_deliveries": 1, "outbox_facts": 1}


def left_after(before):
    """What there is after a reset: its own entry, and what the organisation is connected by."""
    kept = ("payment_credentials", "whatsapp_connections", "whatsapp_settings")
    return {**OWN_ENTRY, **{table: before[table] for table in kept}}


TABLES_WITH_MODE = """
    SELECT relname AS name FROM pg_class
    JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'is_test' AND NOT attisdropped
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND relname <> 'api_key_lookups'
    ORDER BY relname
"""


@pytest.fixture
def filled(backend):
    """Three tenants that are full of data: in test mode, the same one in live mode, another one."""
    with (
        Api.of_new_organization(backend) as test,
        Api.of(backend, test.org_id, is_test=False) as live,
        Api.of_new_organization(backend) as other,
    ):
        fill(test, "driver-1")
        fill(live, "driver-1")
        fill(other, "driver-1")
        backend.run(metering.fold_all(backend.services.database))
        yield test, live, other


def contents(backend, tenant):
    """The tenant's rows of every table that has a mode."""
    names = [row["name"] for row in backend.sql(TABLES_WITH_MODE)]
    counted = " UNION ALL ".join(
        f"SELECT '{name}' AS name, count(*) AS rows,"
        " md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) AS hash"
        f" FROM {name} AS t WHERE org_id = $1 AND is_test = $2"
        for name in names
    )
    rows = backend.sql(counted, tenant.org_id, tenant.is_test)
    return {row["name"]: (row["rows"], row["hash"]) for row in rows}


def row_counts(backend, tenant):
    return {name: rows for name, (rows, _) in contents(backend, tenant).items() if rows}


def jobs(backend, tenant):
    rows = backend.sql("SELECT convert_from(payload, 'UTF8') AS payload FROM pgqueuer")
    payloads = [json.loads(row["payload"]) for row in rows]
    own = {"org_id": str(tenant.org_id), "is_test": tenant.is_test}
    return [payload for payload in payloads if payload.items() >= own.items()]


async def begun(database, tenant, job_id):
    async with database.transaction(tenant) as tx:
        return await metering.begin_replay(tx, job_id)


def test_every_table_with_a_mode_is_emptied(backend, filled):
    test, *_ = filled
    before = row_counts(backend, test.tenant)

    answer = test.post(RESET)

    assert answer.status_code == 200, answer.text
    assert len(before) > 10
    assert row_counts(backend, test.tenant) == left_after(before)


def test_live_data_and_other_organisations_are_untouched(backend, filled):
    test, live, other = filled
    before = [contents(backend, client.tenant) for client in (live, other)]

    test.post(RESET)

    assert [contents(backend, client.tenant) for client in (live, other)] == before


def test_jobs_that_wait_are_taken_out_of_the_queue(backend, filled):
    test, live, _ = filled
    waiting = len(jobs(backend, live.tenant))

    test.post(RESET)

    assert jobs(backend, test.tenant) == []
    assert len(jobs(backend, live.tenant)) == waiting > 0


def test_a_replay_under_way_ends_without_its_data(backend, api):
    api.subscribed_customer()
    api.ingest(event("call-1"))
    now = backend.clock.now()
    window = {"from": format_instant(now - timedelta(days=1)), "to": format_instant(now)}
    job_id = UUID(api.post("/v1/events/replay", json=window).json()["job"]["id"])
    backend.run(begun(backend.services.database, api.tenant, job_id))
    api.post(RESET)

    run_replay(api, job_id)

    assert row_counts(backend, api.tenant) == OWN_ENTRY


def test_after_a_reset_everything_begins_anew(filled):
    test, *_ = filled
    test.post(RESET)

    *_, subscription = test.subscribed_customer()
    test.ingest(event("call-1"))
    invoice = test.finalize(test.draft(subscription["id"])["id"])

    assert invoice["number"] == "INV-000001"


def test_a_key_of_a_deleted_customer_is_unknown_to_ingestion(filled):
    test, *_ = filled
    test.ingest(event("remembered", "driver-1"))

    test.post(RESET)
    answer = test.post("/v1/ingest", json={"events": [event("new", "driver-1")]})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["events[0].customer_id"])


def test_a_customer_of_the_same_name_gets_its_own_events(backend, api):
    api.customer()
    api.ingest(event("first"))
    api.post(RESET)
    again = api.customer()

    api.ingest(event("first"))

    rows = backend.sql("SELECT customer_id FROM usage_events WHERE org_id = $1", api.org_id)
    assert [str(row["customer_id"]) for row in rows] == [again["id"]]


def test_the_quota_counts_anew(api, monkeypatch):
    api.customer()
    api.patch("/v1/organization", json={"monthly_event_quota": 1})
    # As after the second for which the limits are known.
    monkeypatch.setattr(api.backend.services.limits, "_known", {})
    api.ingest(event("first"))
    api.post(RESET)
    api.customer()

    answer = api.post("/v1/ingest", json={"events": [event("second")]})

    assert answer.status_code == 202


def test_a_reset_waits_for_the_transactions_under_way_and_takes_their_rows(backend, api):
    begun, may_end = threading.Event(), threading.Event()

    async def take_in():
        async with backend.services.database.transaction(api.tenant) as tx:
            begun.set()
            await backend.loop.run_in_executor(None, may_end.wait)
            await tx.execute(
                "INSERT INTO counters (org_id, is_test, name, value) VALUES ($1, $2, 'late', 1)"
            )

    answers = []
    writer = threading.Thread(target=lambda: backend.run(take_in()))
    resetter = threading.Thread(target=lambda: answers.append(api.post(RESET).status_code))
    writer.start()
    begun.wait(10)
    resetter.start()
    wait_until_blocked(backend)
    waited = resetter.is_alive()
    may_end.set()
    writer.join(10)
    resetter.join(10)

    assert (waited, answers) == (True, [200])
    assert row_counts(backend, api.tenant) == OWN_ENTRY


def test_a_reset_keeps_the_clock_and_the_answer_to_its_own_key(backend, api):
    soon = format_instant(backend.clock.now() + timedelta(days=1))
    api.post("/v1/test-clock/advance", json={"to": soon})
    headers = {"Idempotency-Key": "one"}

    first = api.post(RESET, headers=headers)
    customer = api.customer()
    repeated = api.post(RESET, headers=headers)

    assert (first.status_code, repeated.headers["Idempotent-Replayed"]) == (200, "true")
    assert api.get(f"/v1/customers/{customer['id']}").status_code == 200
    assert api.get("/v1/test-clock").json()["now"] == soon


def test_deleting_the_clock_returns_to_real_time_and_clears_the_data(backend, filled):
    test, live, _ = filled
    counts, before = row_counts(backend, test.tenant), contents(backend, live.tenant)

    answer = test.delete("/v1/test-clock")

    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert row_counts(backend, test.tenant) == left_after(counts)
    assert contents(backend, live.tenant) == before
    later = format_instant(backend.clock.now() + timedelta(hours=1))
    assert test.post("/v1/test-clock/advance", json={"to": later}).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("POST", RESET), ("DELETE", "/v1/test-clock")])
def test_a_live_key_and_one_without_the_scope_are_refused(backend, api, method, path):
    live = Api.of(backend, api.org_id, is_test=False)
    writer = Api.of(backend, api.org_id, is_test=True, scopes=[Scope.WRITE])
    api.customer()

    answers = [client.http.request(method, path).status_code for client in (live, writer)]

    assert answers == [403, 403]
    assert api.get("/v1/customers").json()["total"] == 1


CLEAR = "SELECT 1 FROM reset_test_data($1, $2)"


def test_the_function_refuses_live_mode(backend, api):
    live = Tenant(api.org_id, is_test=False)

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="test mode"):
        backend.sql(CLEAR, api.org_id, False, as_app=live)


@pytest.mark.parametrize("is_test", [True, False])
def test_the_function_refuses_any_tenant_but_the_transactions(backend, api, is_test):
    own = Tenant(api.org_id, is_test=is_test)

    with Api.of_new_organization(backend) as other:
        other.customer()
        for organization, test in (
            (other.org_id, is_test),
            (api.org_id, not is_test),
            (None, True),
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="not the tenant"):
                backend.sql(CLEAR, organization, test, as_app=own)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="not the tenant"):
            backend.sql(CLEAR, other.org_id, True)

        assert other.get("/v1/customers").json()["total"] == 1


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM invoices WHERE (SELECT count(*) FROM claim) = 1 AND status <> 'draft'",
        "DELETE FROM invoice_line_items WHERE (SELECT count(*) FROM claim) = 1",
        "DELETE FROM usage_events WHERE (SELECT count(*) FROM claim) = 1",
        "DELETE FROM customers WHERE (SELECT count(*) FROM claim) = 1",
    ],
)
def test_the_application_cannot_clear_rows_by_claiming_a_reset(backend, filled, statement):
    test, *_ = filled
    before = contents(backend, test.tenant)
    claim = "WITH claim AS MATERIALIZED (SELECT set_config('app.is_reset', 'on', true))"

    with pytest.raises((asyncpg.CheckViolationError, asyncpg.InsufficientPrivilegeError)):
        backend.sql(f"{claim} {statement}", as_app=test.tenant)

    assert contents(backend, test.tenant) == before


def test_the_owner_clears_nothing_by_accident(backend, filled):
    test, *_ = filled

    with pytest.raises(asyncpg.CheckViolationError, match="only a draft"):
        backend.sql("DELETE FROM invoices WHERE org_id = $1 AND is_test", test.org_id)

"""What was acknowledged survives: a kill, a stop, and programs that start at once."""

import asyncio
import http.client
import json
import os
import socket
import sys
import time
from urllib.parse import urlsplit

import asyncpg
import pytest

from monigo.infra.db.schema.sql_files import migrations
from support.databases import fresh_database
from support.process import Program, command
from support.traffic import Traffic

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="finds the database's processes in /proc"
)

# Usage reflects an acknowledged event within a second; a machine busy with recovery gets more.
USAGE_SECONDS_MAX = 5


@pytest.fixture
def program(tmp_path):
    with Program(tmp_path / "data") as running:
        yield running


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    """A server for tests that leave it running."""
    with Program(tmp_path_factory.mktemp("serving") / "data") as running:
        yield running


def make(client, path, body, envelope):
    response = client.post(path, json=body)
    assert response.status_code == 201, response.text
    return response.json()[envelope]


def make_subscription(client):
    """A customer `c1` that pays 2 for each `api_call`."""
    make(client, "/v1/customers", {"external_id": "c1"}, "customer")
    metric = {"name": "Calls", "event_name": "api_call", "aggregation": "count"}
    metric_id = make(client, "/v1/metrics", metric, "metric")["id"]
    price = {"metric_id": metric_id, "model": "flat_unit", "unit_price": "2"}
    plan = make(client, "/v1/plans", {"name": "Plan", "prices": [price]}, "plan")
    body = {"customer_id": "c1", "plan_id": plan["id"]}
    return make(client, "/v1/subscriptions", body, "subscription")


def settled_usage(client, expected):
    """The events that usage tells of, as soon as they are as many as expected."""
    deadline = time.monotonic() + USAGE_SECONDS_MAX
    while True:
        rollups = client.get("/v1/usage").json()["rollups"]
        counted = sum(rollup["event_count"] for rollup in rollups)
        if counted == expected or time.monotonic() > deadline:
            return counted


def test_acknowledged_events_count_once_however_often_the_machine_dies(program):
    traffic = Traffic(program)
    issued = program.credentials()
    with program.client() as client:
        subscription = make_subscription(client)

    traffic.until(program.kill, "all dies", batches=10)
    program.start()
    traffic.until(program.kill_alone, "the database lives on", batches=5)
    program.start()
    traffic.until(program.kill, "all dies again", batches=5)
    program.start()
    ingested, duplicates = traffic.send_again()
    ingested_again, duplicates_again = traffic.send_again()

    assert program.recoveries() == 2
    assert len(traffic.acknowledged) > 600
    assert traffic.acknowledged <= duplicates
    assert (ingested | duplicates, ingested & duplicates) == (traffic.sent, set())
    assert (ingested_again, duplicates_again) == (set(), traffic.sent)
    kept = program.credentials()
    assert {name: kept[name] for name in ("org_id", "test_api_key", "live_api_key")} == {
        name: issued[name] for name in ("org_id", "test_api_key", "live_api_key")
    }
    with program.client() as client:
        assert settled_usage(client, len(traffic.sent)) == len(traffic.sent)
        draft = make(
            client, "/v1/invoices/generate", {"subscription_id": subscription["id"]}, "invoice"
        )
        assert draft["total"] == f"{2 * len(traffic.sent)}.000000"


def wait_until_refused(url):
    """Return when a program takes no more connections."""
    address = urlsplit(url)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection((address.hostname, address.port), timeout=20).close()
        except OSError:
            return
        time.sleep(0.01)


def test_a_stop_finishes_the_requests_that_were_begun(program):
    with program.client() as client:
        make_subscription(client)
    event = {"event_name": "api_call", "customer_id": "c1", "idempotency_key": "late"}
    body = json.dumps({"events": [event]}).encode()
    connection = http.client.HTTPConnection(urlsplit(program.url).netloc, timeout=20)
    connection.putrequest("POST", "/v1/ingest")
    connection.putheader("Authorization", f"Bearer {program.credentials()['test_api_key']}")
    connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Expect", "100-continue")
    connection.endheaders(body[:20])
    begun = connection.sock.recv(100)  # The server reads the body: it has begun.

    program.terminate()
    wait_until_refused(program.url)
    was_running = program.is_running
    connection.send(body[20:])
    response = connection.getresponse()
    answer = json.loads(response.read())
    exit_code = program.wait()

    assert begun.startswith(b"HTTP/1.1 100 ")
    assert was_running
    assert (response.status, answer) == (202, {"ingested": ["late"], "duplicates": []})
    assert exit_code == 0
    assert program.database_processes() == []


def test_an_organisation_made_beside_the_server_can_use_it_at_once(serving):
    made = json.loads(serving.run("org", "create", "Lagos Rides", "--json"))

    with serving.client(made["test_api_key"]) as test, serving.client(made["live_api_key"]) as live:
        organization = test.get("/v1/organization").json()["organization"]
        customer = make(test, "/v1/customers", {"external_id": "c1"}, "customer")
        of_live = live.get("/v1/customers").json()

    assert (organization["id"], organization["name"]) == (made["org_id"], "Lagos Rides")
    assert customer["org_id"] == made["org_id"]
    assert of_live["customers"] == []


def test_a_key_works_from_its_making_to_its_revocation(serving):
    org_id = json.loads(serving.run("org", "create", "Keys", "--json"))["org_id"]
    options = ("--org", org_id, "--name", "reader", "--scope", "read", "--live", "--json")
    key = json.loads(serving.run("key", "create", *options))

    with serving.client(key["key"]) as client:
        read = client.get("/v1/customers").status_code
        written = client.post("/v1/customers", json={}).status_code
        listed = json.loads(serving.run("key", "list", "--org", org_id, "--json"))
        said = serving.run("key", "revoke", "--org", org_id, key["id"])
        after = client.get("/v1/customers").status_code

    assert (read, written, said, after) == (200, 403, "revoked\n", 401)
    assert listed[0] == {name: value for name, value in key.items() if name != "key"}
    assert (listed[0]["scopes"], listed[0]["is_test_mode"]) == (["read"], False)
    assert len(listed) == 3


def test_commands_say_what_is_wrong_in_one_line(serving):
    unknown = "0197b3c0-0000-7000-8000-000000000000"
    started = command(serving.data_dir, "key", "list", "--org", unknown)

    output, errors = started.communicate(timeout=30)

    assert (started.returncode, output) == (1, "")
    assert errors.splitlines()[-1] == "monigo: organization not found"


async def applied_migrations(url):
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT version FROM schema_migrations ORDER BY version")
    await connection.close()
    return [row["version"] for row in rows]


def test_four_programs_migrate_one_database_at_once(owner_url, tmp_path):
    with fresh_database(owner_url) as url:
        settings = {"database_url": url}
        if password := os.environ.get("MONIGO_APP_PASSWORD"):
            settings["app_password"] = password
        started = [command(tmp_path / str(n), "migrate", **settings) for n in range(4)]

        outputs = [process.communicate(timeout=60) for process in started]
        versions = asyncio.run(applied_migrations(url))

    assert [process.returncode for process in started] == [0, 0, 0, 0], outputs
    assert {output for output, _ in outputs} == {"the database has the present schema\n"}
    assert versions == [file.version for file in migrations()]

"""`monigo verify` finds keys and clocks that can't be found, and what finds nothing."""

from uuid import uuid4

import pytest

from monigo.cli.verification import verify_all
from support.backend import start_backend
from support.databases import fresh_database
from support.verification import faults

KEY, ORGANIZATION = "look-up of an API key", "look-up of an organization"
CLOCK = "due work of a test clock"


@pytest.fixture(scope="module")
def backend(owner_url, tmp_path_factory):
    """A server without the organisations of all other tests, which take long to verify."""
    with fresh_database(owner_url) as url:
        running = start_backend(url, tmp_path_factory.mktemp("tenancy"))
        yield running
        running.stop()


# A fault that is planted, what it is called, and what is stored and computed.
FAULTS = {
    "look-up lost": ("DELETE FROM api_key_lookups WHERE org_id = $1", KEY, None, "present"),
    "key lost": ("DELETE FROM api_keys WHERE org_id = $1", KEY, "present", None),
    "look-up of the other mode": (
        "UPDATE api_key_lookups SET is_test = false WHERE org_id = $1",
        KEY,
        None,
        "present",
    ),
    "look-up invented": (
        (
            "INSERT INTO api_key_lookups (key_hash, org_id, is_test, api_key_id)"
            " VALUES (sha256('x'), $1, true, gen_random_uuid())"
        ),
        KEY,
        "present",
        None,
    ),
    "organisation not found": (
        "DELETE FROM tenant_lookups WHERE org_id = $1",
        ORGANIZATION,
        None,
        "present",
    ),
    "clock not found": (
        "UPDATE test_clocks SET target_at = now_at + interval '1 day' WHERE org_id = $1",
        CLOCK,
        None,
        "present",
    ),
    "clock that stands": (
        (
            "INSERT INTO agenda (org_id, is_test, kind, subject, due_at, runs_at, version,"
            " attempts, reason) VALUES ($1, true, 'test_clock', $1, now(), now(), 1, 0, '')"
        ),
        CLOCK,
        "present",
        None,
    ),
}


@pytest.fixture
def merchant(api, clock):
    """A tenant whose clock is set. What a test plants goes with its rows."""
    clock("2027-01-01T00:00:00Z")
    yield api
    for table in ("api_key_lookups", "agenda", "tenant_lookups"):
        api.backend.sql(f"DELETE FROM {table} WHERE org_id = $1", api.org_id)
    api.backend.sql("DELETE FROM api_keys WHERE org_id = $1", api.org_id)
    api.backend.sql("DELETE FROM test_clocks WHERE org_id = $1", api.org_id)
    api.backend.sql("DELETE FROM organizations WHERE org_id = $1", api.org_id)


def test_a_sound_tenant_has_no_differences(backend, merchant):
    assert faults(backend, merchant.tenant) == []


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found(backend, merchant, name):
    statement, what, stored, computed = FAULTS[name]
    backend.sql(statement, merchant.org_id)

    found = faults(backend, merchant.tenant)

    assert [(kind, *sides) for kind, _, *sides in found] == [(what, stored, computed)]


@pytest.mark.parametrize(
    "statement",
    [
        (
            "INSERT INTO api_key_lookups (key_hash, org_id, is_test, api_key_id)"
            " VALUES (sha256('nobody'), $1, true, gen_random_uuid())"
        ),
        "INSERT INTO tenant_lookups (org_id) VALUES ($1)",
        (
            "INSERT INTO agenda (org_id, is_test, kind, subject, due_at, runs_at, version,"
            " attempts, reason) VALUES ($1, true, 'test_clock', $1, now(), now(), 1, 0, '')"
        ),
    ],
)
def test_what_names_an_organisation_that_is_none_is_found(backend, statement):
    nobody = uuid4()
    backend.sql(statement, nobody)

    report = backend.run(verify_all(backend.services))
    for table in ("api_key_lookups", "tenant_lookups", "agenda"):
        backend.sql(f"DELETE FROM {table} WHERE org_id = $1", nobody)

    assert nobody in {tenant.org_id for tenant, _ in report.differences}


def test_an_organisation_that_no_worker_finds_is_found(backend, merchant):
    backend.sql("DELETE FROM tenant_lookups WHERE org_id = $1", merchant.org_id)

    report = backend.run(verify_all(backend.services))

    assert (merchant.org_id, ORGANIZATION) in {
        (tenant.org_id, difference.what) for tenant, difference in report.differences
    }

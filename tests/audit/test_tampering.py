"""Nobody changes the log: the application may not, and what its owner changes is found."""

import asyncpg
import pytest

from monigo.infra.db import Tenant
from support.api import Api
from support.audit import entries
from support.verification import faults

SHOWN = {"audit entry", "end of the audit log", "audit entry that was written"}
FORBIDDEN = [
    "INSERT INTO audit_entries SELECT * FROM audit_entries",
    "UPDATE audit_entries SET actor_name = 'nobody'",
    "DELETE FROM audit_entries",
    "TRUNCATE audit_entries",
    "UPDATE audit_heads SET sequence = 0",
    "DELETE FROM audit_heads",
]

COLUMNS = """
    org_id, id, at, is_test_mode, actor_kind, actor_id, actor_name, permission, action, route,
    resource_type, resource_id, before, after, address, user_agent, request_id, chain_hash
"""
# What the owner of the database does to a log of four entries.
TAMPERING = {
    "changed": """
        UPDATE audit_entries SET actor_name = 'nobody' WHERE org_id = $1 AND sequence = 2
    """,
    "changed field": """
        UPDATE audit_entries SET after = '{"name": "Eve"}' WHERE org_id = $1 AND sequence = 2
    """,
    "changed time": """
        UPDATE audit_entries SET at = at - interval '1 day' WHERE org_id = $1 AND sequence = 2
    """,
    "removed": "DELETE FROM audit_entries WHERE org_id = $1 AND sequence = 2",
    "removed first": "DELETE FROM audit_entries WHERE org_id = $1 AND sequence = 1",
    "removed last": "DELETE FROM audit_entries WHERE org_id = $1 AND sequence = 4",
    "removed last, and the head with it": """
        WITH gone AS (DELETE FROM audit_entries WHERE org_id = $1 AND sequence = 4)
        UPDATE audit_heads SET sequence = 3, chain_hash = (
            SELECT chain_hash FROM audit_entries WHERE org_id = $1 AND sequence = 3
        )
        WHERE org_id = $1
    """,
    "reordered": """
        UPDATE audit_entries SET sequence = 100 WHERE org_id = $1 AND sequence = 2;
        UPDATE audit_entries SET sequence = 2 WHERE org_id = $1 AND sequence = 3;
        UPDATE audit_entries SET sequence = 3 WHERE org_id = $1 AND sequence = 100
    """,
    "added": f"""
        INSERT INTO audit_entries (sequence, {COLUMNS})
        SELECT 5, {COLUMNS.replace(" id,", " gen_random_uuid(),")} FROM audit_entries
        WHERE org_id = $1 AND sequence = 4
    """,
}


@pytest.fixture
def log(api):
    """A log of four entries."""
    for name in ("a", "b", "c", "d"):
        api.customer(name)
    assert [entry["sequence"] for entry in entries(api)] == [1, 2, 3, 4]
    return api


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_application_may_not_touch_the_log(backend, log, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        backend.sql(statement, as_app=log.tenant)


def test_a_log_as_it_was_written_has_no_fault(backend, log):
    assert faults(backend, log.tenant) == []


@pytest.mark.parametrize("how", TAMPERING)
def test_what_the_owner_changed_is_found(backend, log, how):
    for statement in TAMPERING[how].split(";"):
        backend.sql(statement, log.org_id)

    live, test = (faults(backend, Tenant(log.org_id, is_test)) for is_test in (False, True))

    assert {what for what, *_ in live + test} & SHOWN


def test_what_waits_to_be_linked_stays(backend, api):
    api.customer()
    deliveries, facts = (
        f"DELETE FROM {table} WHERE org_id = $1" for table in ("outbox_deliveries", "outbox_facts")
    )
    backend.sql(deliveries, api.org_id)

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        backend.sql(facts, api.org_id, as_app=api.tenant)

    assert refused.value.constraint_name == "audit_entries_stay_until_linked"


def test_an_entry_that_is_never_linked_is_found(backend, api):
    api.customer()
    backend.sql("DELETE FROM outbox_deliveries WHERE org_id = $1", api.org_id)

    found = faults(backend, api.tenant)

    assert [what for what, *_ in found] == ["audit entry that was written"]


def test_nothing_is_added_to_another_organisations_log(backend, api):
    with Api.of_new_organization(backend) as other, pytest.raises(asyncpg.PostgresError) as refused:
        backend.sql("SELECT chain_audit_entries($1, true, '{}')", other.org_id, as_app=api.tenant)

    assert refused.value.sqlstate == "42501"

"""No tenant reaches another's rows, whatever SQL it sends. New tables are covered by themselves."""

import json
import re

import asyncpg
import pytest

from house.checkout import (
    LOOKING_ACROSS,
    known_tables_with_foreign_keys,
    known_tenant_tables,
)
from support.tenants import make_tenants

# What is found before the tenant is known: ids, hashes and times, no data of anybody. They are held
# to their tenant, too; only functions of the owner's look across, and return ids.
LOOKUPS_WITH_MODE = {
    "agenda",  # what is to be done for whom, and when
    "api_key_lookups",  # a key's organisation by the hash of its secret
    "portal_token_lookups",  # the same of a portal token
    "watched_customers",  # whose usage is charged as it changes
    "unfolded_batches",  # which batches are not in the buckets yet
    "mails",  # what waits to be sent, sealed: for its own tenant only, too
    "outbox_deliveries",  # who has not handled which fact yet
    "outbox_facts",  # what happened, for its own tenant only: no function returns any of it
}
LOOKUPS = LOOKUPS_WITH_MODE | {
    "tenant_lookups",  # which organisations there are
}
# Of no tenant: shown to transactions of `people` alone; tests/people tries to see them otherwise.
PEOPLES_TABLES = {
    "authenticator_apps",
    "email_codes",
    "invitations",
    "memberships",
    "passkey_challenges",
    "passkeys",
    "platform_admins",
    "recovery_codes",
    "registrations",
    "sessions",
    "sign_in_attempts",
    "sign_in_challenges",
    "signing_keys",
    "users",
}
LOCAL_TABLES = LOOKUPS | {
    "schema_functions",  # which files of functions were applied
    "schema_migrations",  # which migrations were applied
}
PGQUEUER_PREFIX = "pgqueuer"
# Belong to an organisation as a whole, not to one of its modes.
WITHOUT_MODE = {
    "organizations",
    "api_keys",
    "onboarding_steps",
    "payment_connections",
    "payment_defaults",
    "test_clocks",
    "audit_entries",
    "audit_heads",
}
# Those of them that others point at.
TARGETS_WITHOUT_MODE = {"organizations", "payment_connections"}
# Act with the owner's rights, each for its own reason; what they may touch is told in their files.
OWNERS_FUNCTIONS = {
    "chain_audit_entries",  # adds to its own log, which the application may only read
    "post_ledger_transfers",  # moves balances, which the application may not, in its own tenant
    "session_membership",  # what a person is in the transaction's own organisation, if signed in
    "locked_session_membership",  # the same, and it stays so
    "reset_test_data",  # deletes test rows of a tenant; test_test_data tries to abuse it
}
# Indexes of a hash that the tenant is part of, so that they need no further column.
TENANT_IN_HASH = {
    "usage_events_pkey",  # by organisation, and the dedup hash of mode and key
    "price_overrides_never_overlap",  # by the slot of tenant, customer and price
    "subscription_stretches_never_overlap",  # by the slot of tenant, customer and plan type
}

TENANT_TABLES = sorted(known_tenant_tables().every - LOOKUPS)
TABLES_WITH_MODE = sorted(known_tenant_tables().with_mode - LOOKUPS)
# All of which each row is some tenant's.
SECURED_TABLES = sorted({*TENANT_TABLES, *LOOKUPS})
SECURED_WITH_MODE = sorted({*TABLES_WITH_MODE, *LOOKUPS_WITH_MODE})

# What rows point at that don't point at something else: money is for an invoice or for a wallet.
POINT_ELSEWHERE = {
    "charges": {"invoice_id", "top_up_id"},
    "payments": {"invoice_id", "virtual_account_id"},
    "refunds": {"invoice_id"},
}
# Whose keys are checked by a trigger, once for a statement.
CHECKED_BY_STATEMENT = {"ledger_transfers"}
TABLES_WITH_FOREIGN_KEYS = sorted({*known_tables_with_foreign_keys(), *CHECKED_BY_STATEMENT})
# Rows of a mode that point at what is of both modes.
POINTING_AT_BOTH_MODES = {"payment_credentials"}

TABLES = """
    SELECT relname AS name, relrowsecurity AS is_secured, pg_get_userbyid(relowner) AS owner,
        (SELECT count(*) FROM pg_policy WHERE polrelid = pg_class.oid) AS policies,
        (SELECT array_agg(attname::text) FROM pg_attribute
            WHERE attrelid = pg_class.oid AND attnum > 0 AND attnotnull AND NOT attisdropped)
            AS required
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
"""

TABLES_OF_ORGANISATIONS = """
    SELECT relname AS name, relrowsecurity AS is_secured,
        (SELECT count(*) FROM pg_policy WHERE polrelid = pg_class.oid) AS policies
    FROM pg_class
    JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'org_id' AND NOT attisdropped
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
"""

UNIQUE_INDEXES = """
    SELECT pg_class.relname AS table_name, index_class.relname AS name,
        array(
            SELECT pg_get_indexdef(indexrelid, position, true)
            FROM generate_series(1, indnkeyatts) AS position
        ) AS columns
    FROM pg_index
    JOIN pg_class ON pg_class.oid = indrelid
    JOIN pg_class AS index_class ON index_class.oid = indexrelid
    WHERE (indisunique OR indisexclusion) AND pg_class.relname = ANY ($1::text[])
        AND pg_class.relnamespace = 'public'::regnamespace
"""

FOREIGN_KEYS = f"""
    SELECT conname AS name, conrelid::regclass::text AS table_name,
        confrelid::regclass::text AS target,
        array(
            SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS key (number, position)
            JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY position
        ) AS columns,
        array(
            SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS key (number, position)
            JOIN pg_attribute ON attrelid = confrelid AND attnum = number ORDER BY position
        ) AS target_columns
    FROM pg_constraint
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conparentid = 0
        AND conrelid::regclass::text NOT IN ({", ".join(f"'{name}'" for name in PEOPLES_TABLES)})
"""

# Bytes may be hashes and counts may be counted, but nothing here can hold what somebody wrote. But
# for facts, and for why work failed, which only its own tenant can read; and for names of ours.
OUR_OWN_WORDS = {
    "agenda.kind",
    "agenda.reason",
    "outbox_deliveries.reason",
    "outbox_deliveries.subscriber",
    "outbox_facts.actor",
    "outbox_facts.payload",
    "outbox_facts.published_as",
    "outbox_facts.subject",
    "outbox_facts.type",
}
WORDY_COLUMNS = """
    SELECT table_name || '.' || column_name AS name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = ANY ($1::text[])
        AND data_type NOT IN ('uuid', 'boolean', 'bytea', 'integer', 'bigint',
            'timestamp with time zone')
"""


STATEMENTS = [
    "SELECT 1 FROM {table} WHERE {rows}",
    "UPDATE {table} SET org_id = org_id WHERE {rows} RETURNING 1",
    "DELETE FROM {table} WHERE {rows} RETURNING 1",
]
FORBIDDEN = asyncpg.InsufficientPrivilegeError
REFUSED = "row-level security policy|permission denied"


@pytest.fixture(scope="module")
def tenants(backend):
    made = make_tenants(backend)
    yield made
    made.close()


@pytest.fixture(scope="module")
def rows(backend, tenants):
    """One of A's rows of every table."""
    return {table: copy_of_a_row(backend, tenants, table) for table in SECURED_TABLES}


@pytest.fixture(scope="module")
def schema(backend):
    """The tables of schema public by name, but PgQueuer's own."""
    rows = {row["name"]: row for row in backend.sql(TABLES)}
    return {name: row for name, row in rows.items() if not name.startswith(PGQUEUER_PREFIX)}


def copy_of_a_row(backend, tenants, table, condition="true"):
    """One of A's rows as JSON; a new table needs one in `support.tenants` before it counts."""
    has_mode = table in SECURED_WITH_MODE
    mode = f" AND is_test = {tenants.a.tenant.is_test}" if has_mode else ""
    query = f"SELECT to_jsonb(t) AS row FROM {table} AS t WHERE org_id = $1{mode} AND {condition}"
    rows = backend.sql(query, tenants.a.org_id)
    assert rows, f"{table} holds no rows of a full organisation"
    return json.loads(rows[0]["row"])


def copy_of_a_pointing_row(backend, tenants, table):
    """One of A's rows that has all that its foreign keys are made of."""
    columns = {
        column
        for key in backend.sql(FOREIGN_KEYS)
        if key["table_name"] == table
        for column in key["columns"]
    }
    pointing = sorted(columns - POINT_ELSEWHERE.get(table, set()))
    condition = " AND ".join(f"{column} IS NOT NULL" for column in pointing) or "true"
    return copy_of_a_row(backend, tenants, table, condition)


def insertion(table):
    return f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, $1)).*"


async def as_application(backend, statements):
    """Send text as the application's role, without a tenant; the last command's tag."""
    connection = await asyncpg.connect(backend.app_url)
    try:
        async with connection.transaction():
            return await connection.execute(statements)
    finally:
        await connection.close()


def not_refused(backend, statements, kind, *, as_app=None):
    """The names of the statements, each with its arguments, that such a fault doesn't refuse."""
    return [
        name
        for name, (statement, *arguments) in statements.items()
        if not is_refused(backend, statement, arguments, kind, as_app)
    ]


def is_refused(backend, statement, arguments, kind, as_app):
    try:
        backend.sql(statement, *arguments, as_app=as_app)
    except kind as error:
        return kind is not FORBIDDEN or re.search(REFUSED, str(error))
    return False


def rows_reached(backend, statement, *arguments, tenant):
    """How many rows a statement returns; none where the role lacks the right altogether."""
    try:
        return len(backend.sql(statement, *arguments, as_app=tenant))
    except asyncpg.InsufficientPrivilegeError:
        return 0


def test_every_table_is_a_tenant_table_or_a_named_local_one(schema):
    assert set(schema) - LOCAL_TABLES - PEOPLES_TABLES == set(TENANT_TABLES)


def test_local_tables_hold_ids_only(backend):
    tables = sorted(LOOKUPS)

    assert {row["name"] for row in backend.sql(WORDY_COLUMNS, tables)} == OUR_OWN_WORDS


def test_every_table_with_an_organisation_is_held_to_it(backend, tenants):
    """Whatever tables there are: what this finds in the catalog, not what somebody listed."""
    reached = [
        (row["name"], statement)
        for row in backend.sql(TABLES_OF_ORGANISATIONS)
        for statement in STATEMENTS
        if not row["is_secured"]
        or not row["policies"]
        or rows_reached(
            backend,
            statement.format(table=row["name"], rows="org_id = $1"),
            tenants.a.org_id,
            tenant=tenants.other_organization.tenant,
        )
    ]

    assert reached == []


def test_tenant_tables_are_secured_and_not_the_applications_own(schema):
    found = [schema[table] for table in SECURED_TABLES]

    assert [each["name"] for each in found if not each["is_secured"]] == []
    assert [each["name"] for each in found if each["policies"] != 1] == []
    assert [each["name"] for each in found if each["owner"] == "monigo_app"] == []
    assert [each["name"] for each in found if "org_id" not in each["required"]] == []


def test_tenant_tables_have_a_mode(schema):
    tables = sorted(set(TENANT_TABLES) - WITHOUT_MODE)

    assert [table for table in tables if "is_test" not in schema[table]["required"]] == []


def test_unique_indexes_begin_with_the_tenant(backend):
    rows = backend.sql(UNIQUE_INDEXES, TENANT_TABLES)

    offending = [
        f"{row['name']} {row['columns']}"
        for row in rows
        if row["columns"][:2] != ["org_id", "is_test"]
        and row["table_name"] not in WITHOUT_MODE
        and row["name"] not in TENANT_IN_HASH
    ]
    first = {row["columns"][0].rpartition("_slot(")[2] for row in rows}

    assert offending == []
    assert {column.split(",")[0] for column in first} == {"org_id"}


def test_foreign_keys_begin_with_the_tenant_on_both_sides(backend):
    offending = [
        f"{row['name']} {row['columns']} → {row['target']} {row['target_columns']}"
        for row in backend.sql(FOREIGN_KEYS)
        if (row["columns"][:2], row["target_columns"][:2])
        != (["org_id", "is_test"], ["org_id", "is_test"])
        and not (
            (row["columns"][0], row["target_columns"][0]) == ("org_id", "org_id")
            and row["target"] in TARGETS_WITHOUT_MODE
        )
    ]

    assert offending == []


def test_every_foreign_key_joins_two_tenant_tables(backend):
    rows = backend.sql(FOREIGN_KEYS)

    ends = {(row["table_name"], row["target"]) for row in rows}

    # Or two local tables, which stay together, too.
    assert ends - {("outbox_deliveries", "outbox_facts")} <= {
        (one, other) for one in TENANT_TABLES for other in TENANT_TABLES
    }


def test_crossing_is_tried_for_every_table_with_a_foreign_key(backend):
    rows = backend.sql(FOREIGN_KEYS)

    joined = {row["table_name"] for row in rows} | CHECKED_BY_STATEMENT
    assert joined - WITHOUT_MODE - POINTING_AT_BOTH_MODES == set(TABLES_WITH_FOREIGN_KEYS)


def test_no_view_or_function_goes_around_row_level_security(backend):
    views = backend.sql(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('v', 'm')"
        " AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)"
    )
    functions = backend.sql(
        "SELECT proname, proconfig FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    )

    assert views == []
    assert {row["proname"] for row in functions} == OWNERS_FUNCTIONS | LOOKING_ACROSS


def test_what_looks_across_tenants_returns_ids_counts_and_times_only(backend):
    rows = backend.sql(
        "SELECT proname, pg_get_function_result(oid) AS result FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace AND proname = ANY ($1::text[])",
        sorted(LOOKING_ACROSS),
    )

    assert {row["result"] for row in rows} <= {
        "SETOF uuid",
        "TABLE(org_id uuid, is_test boolean)",
        "TABLE(org_id uuid, is_test boolean, api_key_id uuid)",
        "TABLE(org_id uuid, is_test boolean, token_id uuid)",
        "TABLE(org_id uuid, is_test boolean, kind text)",  # a kind is a name of ours
        "TABLE(org_id uuid, is_test boolean, subscriber text)",  # and so is a subscriber
        "timestamp with time zone",
        # Counts of all tenants together, by names of ours.
        "TABLE(kind text, due bigint, oldest_at timestamp with time zone, set_aside bigint)",
        "TABLE(subscriber text, waiting bigint, oldest_at timestamp with time zone)",
    }


def test_a_tenant_sees_its_own_rows(backend, rows, tenants):
    seen = {
        table: rows_reached(backend, f"SELECT 1 FROM {table}", tenant=tenants.a.tenant)
        for table in rows
    }

    assert [table for table, count in seen.items() if not count] == []


def test_another_organisation_reaches_no_row(backend, rows, tenants):
    reached = [
        query
        for table in rows
        for statement in STATEMENTS
        if (query := statement.format(table=table, rows="org_id = $1"))
        and rows_reached(backend, query, tenants.a.org_id, tenant=tenants.other_organization.tenant)
    ]

    assert reached == []


def test_the_other_mode_reaches_no_row(backend, rows, tenants):
    of_a = (tenants.a.org_id, tenants.a.tenant.is_test)

    reached = [
        query
        for table in SECURED_WITH_MODE
        if rows[table]
        for statement in STATEMENTS
        if (query := statement.format(table=table, rows="org_id = $1 AND is_test = $2"))
        and rows_reached(backend, query, *of_a, tenant=tenants.other_mode.tenant)
    ]

    assert reached == []


@pytest.mark.parametrize("intruder", ["other_organization", "other_mode"])
def test_nobody_plants_a_row_with_another_tenant(backend, rows, tenants, intruder):
    tables = SECURED_TABLES if intruder == "other_organization" else SECURED_WITH_MODE
    planting = {table: (insertion(table), json.dumps(rows[table])) for table in tables}
    as_app = getattr(tenants, intruder).tenant

    assert not_refused(backend, planting, FORBIDDEN, as_app=as_app) == []


@pytest.mark.parametrize("column", ["org_id = gen_random_uuid()", "is_test = NOT is_test"])
def test_no_row_moves_to_another_tenant(backend, rows, tenants, column):
    moving = {table: (f"UPDATE {table} SET {column}",) for table in SECURED_WITH_MODE}

    assert rows.keys() >= moving.keys()
    assert not_refused(backend, moving, FORBIDDEN, as_app=tenants.a.tenant) == []


def test_a_foreign_key_cannot_cross_tenants(backend, tenants):
    other = {"org_id": str(tenants.other_organization.org_id)}
    crossing = {
        table: (
            insertion(table),
            json.dumps(copy_of_a_pointing_row(backend, tenants, table) | other),
        )
        for table in [*TABLES_WITH_FOREIGN_KEYS, *POINTING_AT_BOTH_MODES]
    }

    assert not_refused(backend, crossing, asyncpg.ForeignKeyViolationError) == []


def test_a_foreign_key_cannot_cross_modes(backend, tenants):
    other = {"is_test": not tenants.a.tenant.is_test}
    crossing = {
        table: (
            insertion(table),
            json.dumps(copy_of_a_pointing_row(backend, tenants, table) | other),
        )
        for table in TABLES_WITH_FOREIGN_KEYS
    }

    assert not_refused(backend, crossing, asyncpg.ForeignKeyViolationError) == []


@pytest.mark.parametrize("setting", ["", "SET LOCAL app.org_id = ''; "])
def test_without_a_tenant_no_row_is_seen(backend, rows, setting):
    seen = {
        table: backend.run(as_application(backend, f"{setting}SELECT 1 FROM {table}"))
        for table in rows
    }

    assert [table for table, tag in seen.items() if tag != "SELECT 0"] == []


def test_without_a_mode_no_row_is_seen(backend, rows, tenants):
    setting = f"SET LOCAL app.org_id = '{tenants.a.org_id}'"

    seen = {
        table: backend.run(as_application(backend, f"{setting}; SELECT 1 FROM {table}"))
        for table in SECURED_WITH_MODE
        if rows[table]
    }

    assert [table for table, tag in seen.items() if tag != "SELECT 0"] == []


def test_the_application_has_no_power_over_roles_and_rows(backend):
    role = backend.sql(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication"
        " FROM pg_roles WHERE rolname = 'monigo_app'"
    )
    memberships = backend.sql(
        "SELECT roleid FROM pg_auth_members WHERE member = 'monigo_app'::regrole"
    )

    assert not any(role[0])
    assert memberships == []


def test_the_application_owns_nothing(backend):
    owned = backend.sql(
        "SELECT objid FROM pg_shdepend WHERE deptype = 'o' AND refobjid = 'monigo_app'::regrole"
    )

    assert owned == []


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE customers",
        "TRUNCATE api_key_lookups",
        "ALTER TABLE customers DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE customers OWNER TO monigo_app",
        "DROP POLICY own_rows ON customers",
        "CREATE POLICY all_rows ON customers USING (true)",
        "CREATE TABLE mine (id uuid)",
        "CREATE TEMPORARY TABLE mine (id uuid)",
        "CREATE TEMPORARY VIEW invoices AS SELECT 1",
        "CREATE FUNCTION pg_temp.mine() RETURNS integer LANGUAGE sql RETURN 1",
        "CREATE TABLE public.mine (id uuid)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION public.mine() RETURNS integer LANGUAGE sql RETURN 1",
        "DROP TABLE customers",
        "ALTER TABLE invoices DISABLE TRIGGER keep_final_invoice",
        "ALTER ROLE monigo_app BYPASSRLS",
        "SET session_replication_role = replica",
        "SET row_security = off; SELECT 1 FROM customers",
        "UPDATE schema_functions SET made = '{}'",
        "UPDATE schema_migrations SET checksum = 'x'",
        "UPDATE api_key_lookups SET org_id = gen_random_uuid()",
        "DELETE FROM api_key_lookups",
        "DELETE FROM usage_events",
        "UPDATE usage_events SET customer_id = gen_random_uuid()",
        "UPDATE plan_revisions SET base_fee = 0",
        "DELETE FROM plan_revisions",
        "UPDATE metric_versions SET aggregation = 'count'",
        "DELETE FROM metric_versions",
        "DELETE FROM price_overrides",
        "UPDATE price_revisions SET unit_price = 0",
        "DELETE FROM price_revisions",
        "UPDATE ledger_accounts SET balance = 0",
        "DELETE FROM ledger_accounts",
        "UPDATE ledger_transfers SET amount = 1",
        "DELETE FROM ledger_transfers",
        "UPDATE wallets SET customer_id = gen_random_uuid()",
        "DELETE FROM wallets",
    ],
)
def test_the_application_may_not(backend, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        backend.run(as_application(backend, statement))


@pytest.mark.parametrize("change", ["SET ROLE {}", "SET SESSION AUTHORIZATION {}"])
def test_the_application_cannot_become_the_owner(backend, change):
    owner = backend.sql("SELECT quote_ident(current_user) AS name")[0]["name"]

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        backend.run(as_application(backend, change.format(owner)))

"""Each house rule of the schema catches an offender, and leaves in peace what looks like one."""

import pytest

from house import schema_rules, sql_rules
from house.sql_trees import parsed

TABLES = """
    CREATE TABLE invoices (org_id uuid, is_test boolean, id uuid);
    CREATE POLICY own_rows ON invoices USING (true);
    CREATE TABLE settings (org_id uuid, name text);
    CREATE POLICY own_rows ON settings USING (true);
    CREATE TABLE countries (code text);
"""


def function(body, *, options="", head="f(organization uuid, test boolean) RETURNS void"):
    """A schema of these tables and one function."""
    made = f"CREATE FUNCTION {head} LANGUAGE plpgsql {options} AS $$ BEGIN {body} END $$;"
    return parsed(TABLES + made)


def test_functions_are_looked_into():
    known = parsed(
        """
        CREATE FUNCTION bind(x text) RETURNS void LANGUAGE plpgsql SET work_mem = '1MB' AS $$
        BEGIN
            FOR i IN 1..2 LOOP
                PERFORM set_config('a', x, true);
            END LOOP;
        END $$;
        CREATE FUNCTION add(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + b';
        CREATE FUNCTION check_all() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM 1 FROM made JOIN other ON other.id = made.id;
            RETURN NULL;
        END $$;
        CREATE TRIGGER checked AFTER INSERT ON a REFERENCING NEW TABLE AS made
            FOR EACH STATEMENT EXECUTE FUNCTION check_all();
        """
    )

    assert schema_rules.functions_run_on_a_cluster(known) == [
        "bind: set_config never reaches a cluster's workers: SET LOCAL"
    ]
    assert schema_rules.triggers_gather_first(known) == ["check_all joins made"]
    assert schema_rules.volatile_functions(known) == {"bind", "check_all"}
    assert schema_rules.functions_with_settings(known) == {"bind"}


@pytest.mark.parametrize(
    "statement",
    [
        "PERFORM set_config('a', 'b', true);",
        "EXECUTE 'SELECT set_config(''a'', ''b'', true)';",
        "INSERT INTO invoices (org_id) SELECT org_id FROM settings;",
        "UPDATE invoices SET id = gen_random_uuid() WHERE org_id = organization;",
        "UPDATE invoices SET id = f(organization, test) WHERE org_id = organization;",
    ],
)
def test_a_function_that_no_cluster_runs_is_caught(statement):
    assert schema_rules.functions_run_on_a_cluster(function(statement)) != []


@pytest.mark.parametrize(
    ("statement", "options"),
    [
        ("SET LOCAL app.a = 'b';", ""),
        ("EXECUTE format('DELETE FROM %s', organization);", ""),
        ("INSERT INTO invoices (org_id) SELECT org_id FROM settings ON CONFLICT DO NOTHING;", ""),
        ("INSERT INTO invoices (org_id) SELECT org_id FROM settings;", "SECURITY DEFINER"),
    ],
)
def test_a_function_that_a_cluster_runs_is_left_in_peace(statement, options):
    assert schema_rules.functions_run_on_a_cluster(function(statement, options=options)) == []


@pytest.mark.parametrize(
    ("head", "options", "is_refused"),
    [
        ("f() RETURNS int", "SET plan_cache_mode = force_generic_plan", True),
        ("f() RETURNS int", "SET search_path = public", True),
        ("f() RETURNS int", "STABLE", False),
        ("f() RETURNS trigger", "SET search_path = public", False),
        ("f() RETURNS int", "SECURITY DEFINER SET search_path = public", False),
    ],
)
def test_settings_of_a_function_that_queries_call_are_caught(head, options, is_refused):
    made = function("NULL;", head=head, options=options)

    assert (schema_rules.settings_are_pins(made) != []) is is_refused


@pytest.mark.parametrize(
    ("head", "body", "is_refused"),
    [
        ("f() RETURNS void", "NULL;", True),
        ("f(organization uuid) RETURNS void", f"{schema_rules.CHECK};", True),
        ("f(test boolean, organization uuid) RETURNS void", f"{schema_rules.CHECK};", True),
        ("f(organization uuid, test boolean) RETURNS void", "NULL;", True),
        ("f(organization uuid, test boolean) RETURNS void", "DELETE FROM invoices;", True),
        (
            "f(organization uuid, test boolean) RETURNS void",
            f"DELETE FROM invoices; {schema_rules.CHECK};",
            True,
        ),
        ("f(organization uuid, test boolean) RETURNS void", f"{schema_rules.CHECK};", False),
        ("f(organization uuid, test boolean, n int) RETURNS int", f"{schema_rules.CHECK};", False),
        ("known(n int) RETURNS int", "NULL;", False),
    ],
)
def test_an_owners_function_that_does_not_check_its_tenant_is_caught(head, body, is_refused):
    body = body.replace("SELECT public", "PERFORM public")
    made = function(body, head=head, options="SECURITY DEFINER")

    assert (schema_rules.owners_functions_take_their_tenant(made, {"known"}) != []) is is_refused


@pytest.mark.parametrize(
    ("statement", "is_refused"),
    [
        ("DELETE FROM invoices WHERE org_id = organization;", True),
        ("DELETE FROM invoices WHERE org_id = organization AND is_test = test;", False),
        ("EXECUTE 'DELETE FROM invoices WHERE org_id = $1' USING organization;", True),
        ("DELETE FROM settings WHERE org_id = organization;", False),
        (
            """
            PERFORM 1 FROM invoices JOIN settings ON true
            WHERE invoices.org_id = organization AND invoices.is_test = test;
            """,
            True,
        ),
        ("PERFORM 1 FROM countries;", False),
    ],
)
def test_a_function_that_joins_or_reads_without_its_tenant_is_caught(statement, is_refused):
    made = function(statement)

    assert (schema_rules.tenant_in_every_function(made, set()) != []) is is_refused
    assert schema_rules.tenant_in_every_function(made, {"f"}) == []


@pytest.mark.parametrize(
    ("made", "is_refused"),
    [
        ("ALTER TABLE invoices ADD CONSTRAINT key PRIMARY KEY (id)", True),
        ("ALTER TABLE invoices ADD CONSTRAINT key PRIMARY KEY (org_id, id)", True),
        ("ALTER TABLE invoices ADD CONSTRAINT key PRIMARY KEY (org_id, is_test, id)", False),
        ("ALTER TABLE settings ADD CONSTRAINT key UNIQUE (name)", True),
        ("ALTER TABLE settings ADD CONSTRAINT key UNIQUE (org_id, name)", False),
        ("CREATE UNIQUE INDEX key ON invoices (id) WHERE id IS NOT NULL", True),
        ("CREATE UNIQUE INDEX key ON invoices (org_id, is_test, id)", False),
        ("CREATE INDEX key ON invoices (id)", False),
        (
            "ALTER TABLE invoices ADD CONSTRAINT key FOREIGN KEY (id) REFERENCES a (id)",
            True,
        ),
        ("ALTER TABLE invoices ADD CONSTRAINT key EXCLUDE USING gist (id WITH =)", True),
        ("ALTER TABLE countries ADD CONSTRAINT key PRIMARY KEY (code)", False),
    ],
)
def test_a_key_that_begins_with_no_tenant_is_caught(made, is_refused):
    found = schema_rules.keys_begin_with_the_tenant(parsed(TABLES + made))

    assert found == (["key"] if is_refused else [])


@pytest.mark.parametrize(
    ("sql", "is_refused"),
    [
        ("ALTER TABLE a RENAME TO b", True),
        ("ALTER TABLE a RENAME COLUMN c TO d", True),
        ("ALTER TABLE a RENAME CONSTRAINT c TO d", True),
        ("ALTER FUNCTION a RENAME TO b", True),
        ("ALTER TABLE a ADD COLUMN b int, ADD COLUMN c int", True),
        ("ALTER TABLE a ADD COLUMN b int; ALTER TABLE a ADD COLUMN c int", False),
    ],
)
def test_a_joined_change_or_a_rename_is_caught(sql, is_refused):
    assert (sql_rules.one_change_a_statement("m.sql", sql) != []) is is_refused


@pytest.mark.parametrize(
    ("sql", "is_refused"),
    [
        ("SELECT 1; SELECT 2;", False),
        ("SELECT ';'; DO $$ BEGIN; END $$;", False),
        (r"SELECT E'\';'; SELECT 2;", True),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC; SELECT 1; END;", True),
    ],
)
def test_a_statement_that_is_cut_in_the_middle_is_caught(sql, is_refused):
    assert (sql_rules.statements_told_apart("m.sql", sql) != []) is is_refused


@pytest.mark.parametrize(
    ("sql", "is_refused"),
    [
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1", True),
        ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1", False),
        ("CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f()", True),
        ("CREATE OR REPLACE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f()", False),
        ("CREATE VIEW v AS SELECT 1 AS one", True),
        ("CREATE OR REPLACE VIEW v AS SELECT 1 AS one", False),
        ("DROP FUNCTION f", True),
        ("DROP FUNCTION IF EXISTS f", False),
        ("GRANT EXECUTE ON FUNCTION f TO a", False),
        ("CREATE TABLE IF NOT EXISTS a (id uuid)", True),
    ],
)
def test_a_function_that_is_made_once_only_is_caught(sql, is_refused):
    assert (sql_rules.made_again("f.sql", sql) != []) is is_refused


@pytest.mark.parametrize(
    ("sql", "is_refused"),
    [
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1", True),
        ("CREATE FUNCTION known() RETURNS int LANGUAGE sql RETURN 1", False),
        ("CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION known()", True),
        ("CREATE VIEW v AS SELECT 1 AS one", True),
        ("CREATE TABLE a (id uuid)", False),
    ],
)
def test_a_function_in_a_migration_is_caught(sql, is_refused):
    assert (sql_rules.no_functions_but({"known"})("m.sql", sql) != []) is is_refused


@pytest.mark.parametrize(
    ("sql", "is_refused"),
    [
        ("SELECT set_config('a', 'b', false)", True),
        ("UPDATE a SET x = gen_random_uuid()", True),
        ("UPDATE a SET x = CASE y WHEN 1 THEN 2 END", True),
        ("UPDATE a SET x = CASE WHEN y = 1 THEN 2 END", False),
        ("INSERT INTO a (x) SELECT x FROM b", False),
    ],
)
def test_a_migration_that_no_cluster_runs_is_caught(sql, is_refused):
    assert (sql_rules.migration_runs_on_a_cluster("m.sql", sql) != []) is is_refused


def test_a_constraint_that_skips_the_rows_that_are_there_is_caught():
    known = parsed(
        """
        ALTER TABLE invoices ADD CONSTRAINT paid CHECK (id IS NOT NULL) NOT VALID;
        ALTER TABLE invoices ADD CONSTRAINT due CHECK (id IS NOT NULL);
        """
    )

    assert schema_rules.unvalidated_constraints(known) == ["invoices: paid is not validated"]

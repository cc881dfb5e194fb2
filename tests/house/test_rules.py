"""Each house rule catches an offender, and leaves in peace what only looks like one."""

import pytest

from house import project_rules, rules, schema_rules, sql_rules
from house.sql_trees import parsed

PATH = "src/monigo/invoicing/service.py"
TABLES = sql_rules.TenantTables(
    every=frozenset({"organizations", "invoices", "customers"}),
    with_mode=frozenset({"invoices", "customers"}),
)


def lines_of(offences):
    """The line numbers that a rule complains of."""
    return [int(offence.removeprefix("m.sql").split(":")[1].split()[0]) for offence in offences]


def test_a_file_that_is_too_long_is_caught():
    rule = rules.lines_at_most(3)

    assert rule(PATH, "a\nb\nc\n") == []
    assert rule(PATH, "a\nb\nc\nd\n") == [f"{PATH}:4 has 4 lines, more than 3"]


def test_both_sides_of_a_conflict_are_caught():
    text = f"{'<' * 7} one\na\n{'=' * 7}\nb\n{'>' * 7} other\n"

    assert rules.merged(PATH, text) == [
        f"{PATH}:1 has both sides of a conflict",
        f"{PATH}:5 has both sides of a conflict",
    ]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (
            "made = {\n  events.Made: (one,),\n  events.Paid: (one,),\n  events.Made: (two,),\n}",
            [4],
        ),
        ("made = {\n  'a': 1,\n  'b': {'a': 1},\n  **known,\n  **known,\n}", []),
    ],
)
def test_a_key_that_a_dictionary_has_twice_is_caught(source, lines):
    assert lines_of(rules.keys_once(PATH, source)) == lines


def test_a_function_that_is_too_long_is_caught():
    rule = rules.functions_at_most(3)
    source = "def short():\n    a\n    b\nclass C:\n  async def long():\n    a\n    b\n    c"

    assert rule(PATH, source) == [f"{PATH}:5 long has 4 lines, more than 3"]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("total = float(amount)", [1]),
        ("\nrate = 0.075", [2]),
        ("tax = subtotal * 1e-2", [1]),
        ("POLL_SECONDS = 0.03", []),
        ("retry_seconds_max = 2.5", []),
        ("rate = Decimal('0.075')", []),
        ("count = 3", []),
        ("Field(examples=[7.5])", []),
        ('schema = {"type": "number", "examples": [7.5]}', []),
        ('schema = {"type": "number", "default": 7.5}', [1]),
    ],
)
def test_a_float_near_money_is_caught(source, lines):
    assert lines_of(rules.no_float(PATH, source)) == lines


def test_json_may_write_a_float():
    assert rules.no_float("src/monigo/infra/json.py", "float(value)") == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("@dataclass(frozen=True, slots=True)\nclass Price: ...", [1]),
        ("@dataclasses.dataclass(frozen=True)\nclass Price: ...", [1]),
        ("@dataclass(slots=True)\nclass Queue: ...", []),
        ("class Price(Struct, frozen=True): ...", []),
    ],
)
def test_frozen_dataclasses_are_caught(source, lines):
    assert lines_of(rules.values_are_structs(PATH, source)) == lines


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("class Teller:\n    pass", [1]),
        ("def reckon_all():\n    pass", [1]),
        ("subscription.thaw()", [1]),
        ("until = hotel = expression = 1", []),
        ('row["thaw"]  # reckoned', []),
    ],
)
def test_a_word_of_a_dialect_is_caught(source, lines):
    assert lines_of(rules.words_of_the_field(PATH, source)) == lines


def test_a_word_of_a_dialect_in_the_schema_is_caught():
    schema = "CREATE TABLE bills (\n    told_at timestamptz,\n    untold text\n)"

    assert lines_of(rules.names_of_the_field_in_sql("m.sql", schema)) == [2]


@pytest.mark.parametrize(
    ("path", "text", "lines"),
    [
        ("m.py", 'def pay():\n    """Pays, and\n    tells whoever waits."""', [3, 3]),
        ("m.py", "# Gives back the rest.\ntold = 1  # Told once.", [1, 2]),
        ("m.py", 'told = "the bank tells"\nx = 1  # a teller_id', []),
        ("m.sql", "SELECT told FROM bills;\n-- What is told.", [2]),
        ("m.md", "# Title\nWhat there is.\n`tell` is a name; it is a fortune-teller.", [2, 3]),
    ],
)
def test_a_sentence_that_hides_who_does_what_is_caught(path, text, lines):
    found = rules.plain_sentences(path, text)

    assert [int(offence.split(":")[1].split()[0]) for offence in found] == lines


def test_members_join():
    people = "src/monigo/people/organizations/types.py"

    assert rules.words_of_the_field(people, "member.joined_at") == []
    assert lines_of(rules.words_of_the_field(people, "member.reckoned_at")) == [1]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('await tx.fetch("SELECT id FROM invoices")', [1]),
        ('QUERY = """\n    INSERT INTO invoices (id) VALUES ($1)\n"""', [1]),
        ('f"UPDATE {table} SET total = 0"', [1]),
        ('execute("UPDATE invoices AS one SET total = 0")', [1]),
        ('f"DELETE FROM {table}"', [1]),
        ('execute("BEGIN")', [1]),
        ('execute("BEGIN; SET LOCAL app.org_id = 1")', [1]),
        ('execute("SAVEPOINT before")', [1]),
        ('execute("COMMIT")', [1]),
        ('Q = "WITH due AS (SELECT 1) SELECT id FROM due"', [1]),
        ('Q = "CREATE TABLE x (id uuid)"', [1]),
        ('Q = "TRUNCATE invoices"', [1]),
        ('methods = ["GET", "DELETE", "UPDATE"]', []),
        ('"""SELECT id FROM invoices is in the store."""', []),
        ('message = "Select a plan"', []),
    ],
)
def test_sql_outside_a_store_is_caught(source, lines):
    assert lines_of(rules.sql_in_stores_only(PATH, source)) == lines


@pytest.mark.parametrize(
    "path",
    [
        "src/monigo/invoicing/store.py",
        "src/monigo/infra/outbox_store.py",
        "src/monigo/infra/db/database.py",
    ],
)
def test_sql_in_a_store_is_at_home(path):
    assert rules.sql_in_stores_only(path, 'QUERY = "SELECT id FROM invoices"') == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("import asyncio", [1]),
        ("import os.path", [1]),
        ("from random import choice", [1]),
        ("from monigo.infra.db.database import Transaction", [1]),
        ("from monigo.infra import json", [1]),
        ("import logging", [1]),
        ("async def price():\n    return 1", [1]),
        ("text = open('x').read()", [1]),
        ("new = uuid.uuid4()", [1]),
        ("from decimal import Decimal", []),
        ("from uuid import UUID, uuid5", []),
        ("from monigo.core.errors import ensure", []),
    ],
)
def test_what_is_not_pure_is_caught(source, lines):
    assert sorted(set(lines_of(rules.pure("src/monigo/core/x.py", source)))) == lines


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("x = 1  # noqa", [1]),
        ("x = 1  # noqa: S104", [1]),
        ("x = 1  # noqa: S104, PLR2004", [1]),
        ("x = 1  # noqa: S104 - only compared with", []),
        ("# It has no event to wait for.\nx = 1  # noqa: ASYNC110", []),
    ],
)
def test_an_ignored_lint_without_reason_is_caught(source, lines):
    assert lines_of(rules.noqa_with_reason(PATH, source)) == lines


@pytest.mark.parametrize(
    ("sql", "lines"),
    [
        ("SELECT * FROM invoices", [1]),
        ("SELECT id,\n * FROM invoices", [1]),
        ("INSERT INTO x (id) VALUES (1) RETURNING *", [1]),
        ("SELECT DISTINCT * FROM invoices", [1]),
        ("SELECT i.* FROM invoices AS i", [1]),
        ("SELECT line.* FROM unnest($1::int[], $2::int[]) AS line", []),
        ("SELECT count(*) FROM invoices", []),
        ("-- SELECT * would also read what was added later\nSELECT id FROM invoices", []),
    ],
)
def test_a_star_instead_of_columns_is_caught(sql, lines):
    assert lines_of(sql_rules.columns_listed("m.sql", sql)) == lines


def test_a_star_in_a_python_statement_is_caught():
    source = 'GOOD = "SELECT count(*) FROM a"\nBAD = f"SELECT * FROM {table}"\nPRODUCT = "a, *b"'

    assert lines_of(sql_rules.columns_listed_in_python(PATH, source)) == [2]


@pytest.mark.parametrize(
    ("sql", "lines"),
    [
        ("CREATE TABLE a (id uuid PRIMARY KEY)", [1]),
        ("CREATE TABLE a (\n id uuid UNIQUE)", [2]),
        ("CREATE TABLE a (n int CHECK (n > 0))", [1]),
        ("CREATE TABLE a (b uuid REFERENCES b (id))", [1]),
        ("ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id)", [1]),
        ("CREATE TABLE a (n int, EXCLUDE USING gist (n WITH =))", [1]),
        ("CREATE TABLE a (n int, CONSTRAINT a_n_positive CHECK (n > 0))", []),
        ("ALTER TABLE a ADD CONSTRAINT a_b_fkey\n FOREIGN KEY (b) REFERENCES b (id)", []),
        ("CREATE TABLE a (b uuid CONSTRAINT a_b_fkey REFERENCES b (id))", []),
        ("CREATE UNIQUE INDEX a_n_unique ON a (n)", []),
        ("CREATE POLICY own ON a USING (true) WITH CHECK (true)", []),
        ("DO $$ BEGIN EXECUTE 'CHECK'; END $$;", []),
        ("-- UNIQUE per plan\nCREATE TABLE a (id uuid)", []),
    ],
)
def test_a_constraint_without_name_is_caught(sql, lines):
    assert lines_of(sql_rules.constraints_named("m.sql", sql)) == lines


@pytest.mark.parametrize(
    ("source", "held"),
    [
        ('Q = "SELECT id FROM invoices WHERE id = $1"', False),
        ('Q = "SELECT org_id, is_test FROM invoices WHERE id = $1"', False),
        ('Q = "SELECT id FROM invoices WHERE org_id = $1 AND id = $3"', False),
        ('Q = "UPDATE customers SET name = $1 WHERE id = $2"', False),
        ('Q = "DELETE FROM customers WHERE id = $1"', False),
        ('Q = "INSERT INTO customers (id) VALUES ($1)"', False),
        (
            """Q = (
                "SELECT a.id FROM invoices AS a JOIN customers AS b ON b.id = a.customer_id"
                " WHERE a.org_id = $1 AND a.is_test = $2"
            )""",
            False,
        ),
        ('WHERE = "WHERE id = $1"\nQ = f"SELECT id FROM invoices {WHERE}"', False),
        ('Q = "SELECT id FROM invoices WHERE org_id = $1 AND is_test = $2"', True),
        ('Q = "INSERT INTO customers (org_id, is_test, id) VALUES ($1, $2, $3)"', True),
        (
            'WHERE = "WHERE org_id = $1 AND is_test = $2"\nQ = f"SELECT id FROM invoices {WHERE}"',
            True,
        ),
        (
            """Q = (
                "SELECT a.id FROM invoices AS a JOIN customers AS b USING (org_id, is_test)"
                " WHERE a.org_id = b.org_id AND a.is_test = $2"
            )""",
            False,
        ),
        (
            """Q = (
                "SELECT id FROM invoices AS a WHERE org_id = $1 AND is_test = $2 AND id IN"
                " (SELECT id FROM customers WHERE a.org_id = $1 AND is_test = $2)"
            )""",
            False,
        ),
        (
            """Q = (
                "SELECT a.id FROM invoices AS a JOIN customers AS b USING (org_id, is_test)"
                " WHERE (a.org_id, b.is_test) = ($1, $2)"
            )""",
            True,
        ),
        ('Q = "SELECT name FROM organizations WHERE org_id = $1"', True),
        ('Q = "SELECT org_id FROM tenant_lookups"', True),
    ],
)
def test_a_query_without_its_tenant_is_caught(source, held):
    assert (sql_rules.tenant_in_every_query(TABLES)(PATH, source) == []) is held


@pytest.mark.parametrize(
    ("path", "caught"),
    [("src/monigo/people/store.py", []), ("src/monigo/wallets/store.py", [1])],
)
def test_a_table_of_people_asked_for_elsewhere_is_caught(path, caught):
    source = 'QUERY = "SELECT id FROM wallets AS w JOIN users ON users.id = w.id WHERE org_id = $1"'

    offences = sql_rules.tables_of({"users"}, "src/monigo/people/")(path, source)

    assert [int(one.split(":")[1].split()[0]) for one in offences] == caught


def test_tenant_tables_are_those_with_a_policy_on_the_organisation():
    known = parsed(
        """
        CREATE TABLE organizations (org_id uuid);
        CREATE POLICY own_rows ON organizations USING (true);
        CREATE TABLE invoices (org_id uuid, is_test boolean NOT NULL);
        CREATE POLICY own_rows ON invoices USING (true);
        CREATE TABLE settings (org_id uuid, is_test boolean);
        CREATE TABLE places (id uuid);
        CREATE POLICY all_rows ON places USING (true);
        CREATE TABLE memberships (org_id uuid);
        CREATE POLICY people_only ON memberships USING (true);
        ALTER TABLE invoices ADD CONSTRAINT a FOREIGN KEY (org_id, is_test) REFERENCES b (c, d);
        """
    )

    assert schema_rules.tenant_tables(known).every == {"organizations", "invoices"}
    assert schema_rules.tenant_tables(known).with_mode == {"invoices"}
    assert schema_rules.peoples_tables(known) == {"memberships"}
    assert schema_rules.tables_with_foreign_keys(known) == {"invoices"}


@pytest.mark.parametrize(
    ("sql", "is_refused"),
    [
        ("SELECT set_config('a', 'b', true)", True),
        ("INSERT INTO a (x) SELECT x FROM b", True),
        ("INSERT INTO a (x) SELECT x FROM b RETURNING 1", False),
        ("INSERT INTO a (x) SELECT x FROM b ON CONFLICT DO NOTHING", False),
        ("INSERT INTO a (x) VALUES (1)", False),
        ("UPDATE a SET x = random()", True),
        ("UPDATE a SET x = deal()", True),
        ("UPDATE a SET x = now()", False),
        ("UPDATE a SET x = CASE y WHEN 1 THEN 2 END", True),
        ("UPDATE a SET x = CASE WHEN y = 1 THEN 2 END", False),
        ("SELECT x FROM post(1)", False),
        ("SELECT x FROM post(1) JOIN a ON true", True),
    ],
)
def test_a_statement_that_no_cluster_runs_is_caught(sql, is_refused):
    rule = sql_rules.runs_on_a_cluster(volatile={"deal"}, with_settings={"post"})

    assert (rule(PATH, f"Q = {sql!r}") != []) is is_refused


def test_a_piece_of_a_statement_is_looked_at_where_it_is_used():
    rule = sql_rules.runs_on_a_cluster(volatile=set(), with_settings=set())
    piece = '_COPY = "INSERT INTO a (x) SELECT x FROM b"\n'

    assert lines_of(rule(PATH, piece)) == []
    assert lines_of(rule(PATH, piece + 'GOOD = f"{_COPY} RETURNING 1"')) == []
    assert lines_of(rule(PATH, piece + 'BAD = f"{_COPY} WHERE x > 1"')) == [2]


def test_a_domain_without_one_of_its_files_is_caught():
    files = ["README.md", "__init__.py", "types.py", "store.py", "service.py", "rules.py"]

    assert project_rules.domain_is_complete("wallets", files) == []
    assert project_rules.domain_is_complete("wallets", files[1:]) == ["wallets:1 has no README.md"]


def test_a_room_of_too_many_modules_or_lines_is_caught():
    few = {f"{letter}.py": 200 for letter in "abcdefghijk"}

    assert project_rules.room_fits("wallets", {**few, "__init__.py": 100}) == []
    assert project_rules.room_fits("wallets", {**few, "l.py": 1}) == [
        "wallets:1 has 12 modules, more than 11"
    ]
    assert project_rules.room_fits("wallets", {**few, "a.py": 501}) == [
        "wallets:1 has 2501 lines, more than 2500"
    ]


def test_a_name_that_a_readme_still_tells_of_is_caught():
    rule = project_rules.names_exist({"invoices_pkey"})
    text = "Kept by `invoices_pkey`,\nand `invoices_gone`; `Word`, `two words`."

    assert rule("README.md", text) == ["README.md:2 nothing is called invoices_gone"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('dependencies = [\n    "asyncpg>=0.31",\n]', [2]),
        ('dev = [\n    "ruff>=0.15",  #\n]', [2]),
        ('ignore = [\n    "EM",\n    "TC",  # read at run time\n]', [2]),
        ('"tests/**" = [\n    "D",\n]', [2]),
        ('"bench/**" = ["S", "T201"]', [1]),
        ('"bench/**" = ["S", "T201"] # scripts that print', []),
        ('dependencies = [\n    "asyncpg>=0.31",  # the fastest driver\n]', []),
        ('dependencies = [\n    "httpx[http2]>=0.28",  # calls providers\n]', []),
        ('requires = ["hatchling"]', []),
    ],
)
def test_a_dependency_or_ignored_lint_without_reason_is_caught(text, lines):
    assert lines_of(project_rules.reasons_given("pyproject.toml", text)) == lines


@pytest.mark.parametrize(
    ("statement", "lines"),
    [
        ("UPDATE invoices SET status = 'paid' WHERE id = $1", [1]),
        ("UPDATE invoices AS one SET status = made.status FROM made", [1]),
        ("INSERT INTO invoices (id, status) SELECT $1, 'paid' RETURNING 1", [1]),
        ("INSERT INTO invoices (id, status) VALUES ($1, 'draft'), ($2, $3)", [1]),
        ("INSERT INTO invoices (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET status = $2", [1]),
        ("WITH made AS (UPDATE invoices SET status = $1 RETURNING id) SELECT id FROM made", [1]),
        ("UPDATE invoices SET status = 'void' WHERE id = $1", []),
        ("INSERT INTO invoices (id, status) SELECT $1, 'draft' RETURNING 1", []),
        ("UPDATE wallets SET status = 'paid' WHERE id = $1", []),
        ("SELECT id FROM invoices WHERE status = 'paid'", []),
    ],
)
def test_a_second_way_to_be_paid_is_caught(statement, lines):
    rule = sql_rules.may_become("paid", "invoices", {"draft", "void"})

    assert lines_of(rule(PATH, f'Q = "{statement}"')) == lines


@pytest.mark.parametrize(
    ("call", "lines"),
    [
        ("await states_store.settle(tx, made)", [1]),
        ("states_store.settle(tx, made)", [1]),
        ("await states_store.void(tx, made)", []),
        ("await settle(tx, made)", []),
    ],
)
def test_a_call_past_the_one_that_may_is_caught(call, lines):
    rule = rules.called_in("src/monigo/settlement.py", {"states_store.settle"})

    assert lines_of(rule(PATH, call)) == lines
    assert rule("src/monigo/settlement.py", call) == []

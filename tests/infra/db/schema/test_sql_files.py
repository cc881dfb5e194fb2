"""A file of SQL is told apart into its statements."""

import pytest

from monigo.infra.db.schema.sql_files import MigrationError, SchemaFile


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("SELECT 1; SELECT 2;", ["SELECT 1;", "SELECT 2;"]),
        ("SELECT 1;\n\n\nSELECT\n2;\n", ["SELECT 1;", "SELECT\n2;"]),
        ("SELECT ';'; SELECT 'it''s; one';", ["SELECT ';';", "SELECT 'it''s; one';"]),
        ('SELECT 1 AS "a;b"; SELECT 2;', ['SELECT 1 AS "a;b";', "SELECT 2;"]),
        ("-- a; b\nSELECT 1; -- it's; one\n", ["-- a; b\nSELECT 1;", "-- it's; one"]),
        ("/* a; 'b */ SELECT 1;", ["/* a; 'b */ SELECT 1;"]),
        ("DO $$ BEGIN; '; $a$; END $$; SELECT 1;", ["DO $$ BEGIN; '; $a$; END $$;", "SELECT 1;"]),
        ("DO $a$ $$;$$ ; $a$; SELECT 1;", ["DO $a$ $$;$$ ; $a$;", "SELECT 1;"]),
        ("SELECT 1; SELECT 2", ["SELECT 1;", "SELECT 2"]),
        ("", []),
    ],
)
def test_a_statement_ends_where_the_server_says(text, statements):
    assert list(SchemaFile("a.sql", text).statements()) == statements


def test_a_migrations_name_begins_with_its_number():
    assert SchemaFile("0012_more.sql", "").version == 12


@pytest.mark.parametrize("name", ["12_more.sql", "more.sql", "0012_More.sql", "0012_more.txt"])
def test_a_migration_of_another_name_is_refused(name):
    with pytest.raises(MigrationError, match="is not named like"):
        _ = SchemaFile(name, "").version

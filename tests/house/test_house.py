"""This checkout keeps the house rules. What each rule catches is told in test_rules.py."""

import tomllib

import pytest

from house import project_rules, rules, schema_rules, sql_rules
from house.checkout import (
    LOOKING_ACROSS,
    ROOT,
    all_names,
    domain_files,
    domains,
    folders,
    known_tenant_tables,
    offences,
    rooms,
    schema,
)

SOURCE = "src/monigo/**/*.py"
CORE = "src/monigo/core/**/*.py"
STORES = ("src/monigo/**/store.py", "src/monigo/**/*_store.py")
MIGRATIONS = "db/migrations/*.sql"
SENTENCES = ("*.md", "docs/**/*.md", "bench/*.md", "bench/*.py", "src/monigo/**/*.md", "db/*/*.sql")
# What puts the parts together has no rules of its own to tell of.
THIN = ("bootstrap", "worker")
ADAPTER_ROOMS = ("port", "paystack", "flutterwave", "monnify")
FUNCTIONS = "db/functions/*.sql"
ALL_SQL = "db/*/*.sql"
FUNCTIONS_OF_MIGRATIONS = {
    "restrict_to_people",  # makes policies of tables
    "restrict_to_tenant",  # as above
    "override_slot",  # an index is made of it, so that it can't change
    "stretch_slot",  # as above
}
KEYS_OF_OTHER_BEGINNINGS = {
    "api_key_lookups_pkey",  # is looked into before the tenant is known
    "portal_token_lookups_pkey",  # likewise
    "usage_events_pkey",  # the organisation, and a hash of mode and key
    "payment_credentials_connection_fkey",  # a connection has the keys of both modes
    # By a hash of the tenant and more; a cluster puts `org_id WITH =` before it, by an extension.
    "price_overrides_never_overlap",
    "subscription_stretches_never_overlap",
}


def test_source_files_have_at_most_400_lines():
    assert offences(rules.lines_at_most(400), SOURCE) == []


def test_test_files_have_at_most_600_lines():
    assert offences(rules.lines_at_most(600), "tests/**/*.py") == []


def test_no_file_holds_both_sides_of_a_conflict():
    places = ("*.md", "*.toml", "docs/**/*.md", "bench/**/*.*", "tests/**/*.md")
    assert offences(rules.merged, SOURCE, ALL_SQL, "src/**/*.md", "tests/**/*.py", *places) == []


def test_dictionaries_have_each_key_once():
    assert offences(rules.keys_once, SOURCE, "tests/**/*.py") == []


def test_functions_have_at_most_60_lines():
    assert offences(rules.functions_at_most(60), SOURCE, "tests/**/*.py") == []


def test_no_float_comes_near_money():
    assert offences(rules.no_float, SOURCE) == []


def test_values_are_structs():
    assert offences(rules.values_are_structs, SOURCE) == []


def test_names_are_made_of_the_fields_words():
    assert offences(rules.words_of_the_field, SOURCE) == []


def test_names_of_the_schema_are_made_of_the_fields_words():
    assert offences(rules.names_of_the_field_in_sql, "db/schema.sql") == []


def test_sentences_are_plain():
    assert offences(rules.plain_sentences, SOURCE, *SENTENCES) == []


def test_sql_stands_in_stores_and_migrations_only():
    assert offences(rules.sql_in_stores_only, SOURCE) == []


def test_every_statement_lists_its_columns():
    assert offences(sql_rules.columns_listed_in_python, SOURCE) == []
    assert offences(sql_rules.columns_listed, ALL_SQL) == []


def test_import_linter_protects_every_room_and_all_routes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]

    protected = {
        made["allowed_importers"][0].removeprefix("monigo.").replace(".", "/"): {
            *made["protected_modules"]
        }
        for made in contracts
        if made["type"] == "protected"
    }
    routes = {
        "monigo.api.merchant.*.routes",
        "monigo.api.merchant.*.*.routes",
        "monigo.api.people.*.routes",
        "monigo.api.portal.*.routes",
    }

    assert protected.pop("api/app") == routes
    assert sorted(protected) == rooms()
    for room, modules in protected.items():
        assert modules == {f"monigo.{room.replace('/', '.')}.*"}


@pytest.mark.parametrize(("folder", "lines"), folders().items())
def test_a_room_can_be_known_as_a_whole(folder, lines):
    assert project_rules.room_fits(folder, lines) == []


@pytest.mark.parametrize("room", rooms())
def test_a_room_says_what_it_is_for(room):
    assert room in THIN or (ROOT / "src" / "monigo" / room / "README.md").exists()


def test_the_core_is_pure():
    assert offences(rules.pure, CORE) == []


def test_the_rules_of_domains_are_pure():
    assert offences(rules.pure, "src/monigo/**/rules.py") == []


def test_adapters_of_providers_are_pure():
    adapters = [f"src/monigo/providers/{name}/*.py" for name in ADAPTER_ROOMS]

    assert offences(rules.pure, *adapters, "src/monigo/providers/re*.py") == []


def test_adapters_of_providers_stay_small():
    adapters = [f"src/monigo/providers/{name}/*" for name in ADAPTER_ROOMS[1:]]

    assert offences(rules.lines_at_most(300), *adapters) == []


def test_every_query_of_tenant_data_is_held_to_its_tenant():
    rule = sql_rules.tenant_in_every_query(known_tenant_tables())

    assert offences(rule, *STORES) == []


def test_people_are_asked_for_by_their_own_stores_only():
    rule = sql_rules.tables_of(schema_rules.peoples_tables(schema()), "src/monigo/people/")

    assert offences(rule, *STORES) == []


def test_every_statement_runs_on_a_cluster():
    known = schema()
    rule = sql_rules.runs_on_a_cluster(
        schema_rules.volatile_functions(known), schema_rules.functions_with_settings(known)
    )

    assert offences(rule, *STORES) == []


def test_settlement_alone_makes_invoices_paid():
    folder = "src/monigo/invoicing/documents"
    statements = sql_rules.may_become(
        "paid", "invoices", {"draft", "void", "payment_failed", "uncollectible"}
    )
    calls = rules.called_in(
        f"{folder}/settlement.py", {"rated_store.write_final", "states_store.settle"}
    )

    # By an upsert what is rated becomes final, by an update what is final is paid; bills are by
    # what arrived at their payees.
    assert [place.partition(":")[0] for place in offences(statements, SOURCE)] == [
        *[f"{folder}/rated_store.py"] * 2,
        *[f"{folder}/states_store.py"] * 2,
    ]
    assert offences(calls, SOURCE) == []


def test_every_function_runs_on_a_cluster():
    assert schema_rules.functions_run_on_a_cluster(schema()) == []
    assert schema_rules.settings_are_pins(schema()) == []


def test_triggers_gather_what_changed_before_they_ask():
    assert schema_rules.triggers_gather_first(schema()) == []


def test_the_owners_functions_act_for_the_transactions_tenant():
    assert schema_rules.owners_functions_take_their_tenant(schema(), LOOKING_ACROSS) == []


def test_every_function_is_held_to_its_tenant():
    assert schema_rules.tenant_in_every_function(schema(), LOOKING_ACROSS) == []


def test_every_constraint_holds_for_all_rows():
    assert schema_rules.unvalidated_constraints(schema()) == []


def test_every_key_begins_with_its_tenant():
    assert set(schema_rules.keys_begin_with_the_tenant(schema())) == KEYS_OF_OTHER_BEGINNINGS


@pytest.mark.parametrize("domain", domains())
def test_a_domain_has_the_files_that_all_domains_have(domain):
    assert project_rules.domain_is_complete(domain, domain_files(domain)) == []


def test_domain_readmes_have_at_most_80_lines():
    assert offences(rules.lines_at_most(80), "src/monigo/**/README.md") == []


def test_readmes_name_what_exists():
    assert offences(project_rules.names_exist(all_names()), "src/monigo/**/README.md") == []


def test_dependencies_and_ignored_lints_have_their_reasons():
    assert offences(project_rules.reasons_given, "pyproject.toml", ".squawk.toml") == []


def test_lints_ignored_on_a_line_have_their_reasons():
    assert offences(rules.noqa_with_reason, SOURCE, "tests/**/*.py") == []


def test_constraints_are_named():
    assert offences(sql_rules.constraints_named, ALL_SQL) == []


def test_files_of_sql_are_told_apart_into_their_statements():
    assert offences(sql_rules.statements_told_apart, ALL_SQL) == []


def test_a_wheel_carries_all_files_of_sql():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    carried = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    folders_of_sql = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob(ALL_SQL)}

    assert carried == {folder: f"monigo/schema/{folder[3:]}" for folder in folders_of_sql}


def test_migrations_change_one_thing_at_a_time():
    assert offences(sql_rules.one_change_a_statement, MIGRATIONS) == []
    assert offences(sql_rules.migration_runs_on_a_cluster, MIGRATIONS) == []


def test_functions_can_be_made_again():
    assert offences(sql_rules.made_again, FUNCTIONS) == []


def test_migrations_make_no_functions_but_what_they_need_themselves():
    assert offences(sql_rules.no_functions_but(FUNCTIONS_OF_MIGRATIONS), MIGRATIONS) == []


@pytest.mark.parametrize(("name", "limit"), [("CONTRIBUTING.md", 40), ("ARCHITECTURE.md", 80)])
def test_the_pages_for_contributors_stay_short(name, limit):
    if not (ROOT / name).exists():
        pytest.skip(f"{name} is not written yet")

    assert offences(rules.lines_at_most(limit), name) == []

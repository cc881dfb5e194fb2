"""The files of this checkout, for the rules to look at."""

import re
from functools import cache
from pathlib import Path

from house.rules import Rule
from house.schema_rules import Schema, tables_with_foreign_keys, tenant_tables
from house.sql_rules import TenantTables
from house.sql_trees import parsed

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "monigo"
# The owner's functions that look across tenants: they return ids, names of ours, counts and times.
LOOKING_ACROSS = {
    "find_api_key",
    "find_portal_token",
    "organization_ids",
    "organization_ids_of_any_trace",
    "tenants_with_unfolded_batches",
    "oldest_unfolded_at",
    "tenants_with_due_work",
    "tenants_with_facts",
    "tenants_with_work_set_aside",
    "due_work_figures",
    "waiting_fact_figures",
}


def offences(rule: Rule, *patterns: str) -> list[str]:
    """What the rule has against the files that match."""
    files = sorted({path for pattern in patterns for path in ROOT.glob(pattern)})
    assert files, f"no file matches {patterns}"
    return [
        offence
        for path in files
        for offence in rule(path.relative_to(ROOT).as_posix(), path.read_text())
    ]


def domains() -> list[str]:
    """The folders that hold use cases, themselves or in their rooms."""
    apart = {"api", "bootstrap", "cli", "core", "infra", "providers", "worker"}
    return sorted(
        path.parent.name for path in SOURCE.glob("*/__init__.py") if path.parent.name not in apart
    )


def rooms() -> list[str]:
    """The packages with a door: those whose `__init__.py` lists public names; below the API."""
    return sorted(
        path.parent.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("__init__.py")
        if "__all__" in path.read_text() and path.relative_to(SOURCE).parts[0] not in {"api", "cli"}
    )


def domain_files(domain: str) -> set[str]:
    """The names of a domain's files, those of its rooms included."""
    own = {path.name for path in (SOURCE / domain).iterdir()}
    return own | {path.name for path in (SOURCE / domain).rglob("*.py")}


def folders() -> dict[str, dict[str, int]]:
    """Each folder of the source, with its modules and how many lines they have."""
    found: dict[str, dict[str, int]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        folder = path.parent.relative_to(SOURCE).as_posix()
        found.setdefault(folder, {})[path.name] = len(path.read_text().splitlines())
    return found


def all_names() -> set[str]:
    """Every word of the code, the tests, the migrations and the functions."""
    patterns = ("src/monigo/**/*.py", "tests/**/*.py", "db/[mf]*/*.sql")
    texts = [path.read_text() for pattern in patterns for path in ROOT.glob(pattern)]
    return {name for text in texts for name in re.findall(r"\w+", text)}


@cache
def schema() -> Schema:
    """What the migrations make, statement by statement; parsed once, which takes a while."""
    return parsed((ROOT / "db" / "schema.sql").read_text())


@cache
def known_tenant_tables() -> TenantTables:
    """The tables whose rows are some tenant's, those of look-ups included."""
    return tenant_tables(schema())


def known_tables_with_foreign_keys() -> list[str]:
    """The tables that point at others."""
    return sorted(tables_with_foreign_keys(schema()))

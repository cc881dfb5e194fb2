"""The lists of mutants fit the product as it is; whether tests notice them is `make mutants`'s."""

import ast

import pytest

from mutants.generating import made
from mutants.mutant import EQUIVALENTS, NAMED, ROOT, changes, pure_files

NAMED_CHANGES = [change for path in sorted(NAMED.glob("*.toml")) for change in changes(path)]
EQUIVALENT_CHANGES = changes(EQUIVALENTS)


@pytest.mark.parametrize("change", NAMED_CHANGES, ids=lambda change: change.name)
def test_a_named_mutant_changes_one_place(change):
    after = change.applied()

    assert after != (ROOT / change.file).read_text()
    if change.file.endswith(".py"):
        ast.parse(after)
    else:
        assert change.tests, "no coverage tells what is to notice it"


@pytest.mark.parametrize("change", NAMED_CHANGES, ids=lambda change: change.name)
def test_what_is_to_notice_a_named_mutant_exists(change):
    assert [name for name in change.tests if not (ROOT / name.partition("::")[0]).exists()] == []


def test_named_mutants_have_names_of_their_own():
    names = [change.name for change in NAMED_CHANGES]

    assert all(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("change", EQUIVALENT_CHANGES, ids=lambda change: change.after)
def test_an_equivalent_mutant_is_still_made_and_has_its_reason(change):
    assert change.reason
    assert made(change.file, change.applied())


def test_core_and_rules_are_all_mutated():
    pure = pure_files()

    assert "src/monigo/core/money.py" in pure
    assert "src/monigo/metering/replay/rules.py" in pure
    assert "src/monigo/catalog/plans/terms.py" in pure
    assert not [file for file in pure if file.endswith("store.py")]

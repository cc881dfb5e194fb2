"""Ids as text, and ids computed from what they stand for."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.ids import derived_id, parse_id

CANONICAL = "0190a5f2-7c3b-7def-8abc-0123456789ab"


@pytest.mark.parametrize("text", [CANONICAL, CANONICAL.upper()])
def test_a_hyphenated_id_is_read_in_either_case(text):
    assert parse_id(text) == UUID(CANONICAL)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "customer-1",
        CANONICAL.replace("-", ""),
        f"{{{CANONICAL}}}",
        f"urn:uuid:{CANONICAL}",
        f"{CANONICAL}\n",
        f" {CANONICAL}",
        CANONICAL.replace("0", "٠"),  # noqa: RUF001 - a digit, but not ASCII
        CANONICAL.replace("b", "g"),
        None,
        1,
        UUID(CANONICAL),
    ],
)
def test_any_other_spelling_is_no_id(text):
    assert parse_id(text) is None


@given(st.uuids())
def test_every_id_reads_back_as_it_was_written(identifier):
    assert parse_id(str(identifier)) == identifier


def test_a_derived_id_never_changes():
    derived = derived_id("rollup", CANONICAL, "2026-02-01T00:00:00Z")

    assert derived == UUID("4a9cf298-7296-5943-af19-05c2d0b46e55")
    assert derived.version == 5


def test_parts_that_join_alike_give_different_ids():
    assert derived_id("ab", "c") != derived_id("a", "bc")
    assert derived_id("a", "") != derived_id("", "a")
    assert derived_id("a") != derived_id("a", "")

"""Drafts that are recomputed change in place: what points at them, or at their lines, stays."""

import asyncpg
import pytest

from support.api import event

SCRATCH = (
    "CREATE TABLE memos (org_id uuid, is_test boolean, invoice_id uuid, line_id uuid, memo text)",
    (
        "ALTER TABLE memos ADD CONSTRAINT memos_invoice_fkey FOREIGN KEY (org_id, is_test,"
        " invoice_id) REFERENCES invoices (org_id, is_test, id) ON DELETE RESTRICT"
    ),
    (
        "ALTER TABLE memos ADD CONSTRAINT memos_line_fkey FOREIGN KEY (org_id, is_test, line_id)"
        " REFERENCES invoice_line_items (org_id, is_test, id) ON DELETE RESTRICT"
    ),
)
# With the transaction that wrote each row last.
LINES = """
    SELECT id, group_value, amount, created_at, xmin::text AS written, position
    FROM invoice_line_items WHERE invoice_id = $1 ORDER BY position
"""


@pytest.fixture
def memos(backend):
    """A table whose rows point at drafts and their lines."""
    for statement in SCRATCH:
        backend.sql(statement)
    yield
    backend.sql("DROP TABLE memos")


@pytest.fixture
def subscription(api):
    """Calls at 2, with a line for each of their cities."""
    api.customer()
    metric = api.metric("call", group_by="city")
    plan = api.plan({"metric_id": metric["id"], "model": "flat_unit", "unit_price": "2"})
    return api.subscribe("c1", plan["id"])


def call(api, *cities):
    for city in cities:
        key = f"{city} {len(calls := api.__dict__.setdefault('calls', []))}"
        calls.append(key)
        api.ingest(event(key, name="call", properties={"city": city}))


def lines(backend, draft):
    return {row["group_value"]: row for row in backend.sql(LINES, draft["id"])}


@pytest.mark.usefixtures("memos")
def test_what_points_at_a_draft_and_its_lines_survives(api, backend, subscription):
    call(api, "Kano")
    draft = api.draft(subscription["id"])
    (line,) = lines(backend, draft).values()
    backend.sql(
        "INSERT INTO memos VALUES ($1, true, $2, $3, 'look at this')",
        api.org_id,
        draft["id"],
        line["id"],
    )
    call(api, "Kano", "Abuja", "Zaria")

    again = api.draft(subscription["id"])
    final = api.finalize(again["id"])

    assert again["id"] == draft["id"]
    assert (again["total"], final["total"]) == ("8.000000", "8.000000")
    assert backend.sql("SELECT memo FROM memos WHERE line_id = $1", line["id"])


def test_a_line_keeps_its_identity_and_its_creation(api, backend, subscription):
    call(api, "Kano", "Lagos")
    draft = api.draft(subscription["id"])
    before = lines(backend, draft)
    call(api, "Kano", "Abuja")

    api.draft(subscription["id"])

    after = lines(backend, draft)
    assert {value: row["amount"] for value, row in after.items()} == {
        "Abuja": 2,
        "Kano": 4,
        "Lagos": 2,
    }
    for city in ("Kano", "Lagos"):
        for name in ("id", "created_at"):
            assert after[city][name] == before[city][name]
    assert [row["position"] for row in after.values()] == [0, 1, 2]


def test_what_nothing_changed_of_is_not_written_again(api, backend, subscription):
    call(api, "Kano", "Lagos")
    draft = api.draft(subscription["id"])
    before = lines(backend, draft)

    api.draft(subscription["id"])

    assert lines(backend, draft) == before


def test_lines_that_change_places_do_not_meet(api, backend, subscription):
    call(api, "Kano", "Lagos", "Lagos")
    draft = api.draft(subscription["id"])
    first = [row["group_value"] for row in lines(backend, draft).values()]
    call(api, "Abuja", "Abuja", "Abuja", "Kano", "Kano", "Zaria")

    again = api.draft(subscription["id"])

    assert again["total"] == "18.000000"
    assert [row["position"] for row in lines(backend, draft).values()] == [0, 1, 2, 3]
    assert first != [row["group_value"] for row in lines(backend, draft).values()][:2]


def test_a_line_that_is_billed_no_more_goes(api, backend, subscription):
    call(api, "Kano")
    draft = api.draft(subscription["id"])
    other = {"metric_id": api.metric("other")["id"], "model": "flat_unit", "unit_price": "1"}
    body = {"name": "Plan", "prices": [other]}

    answer = api.put(f"/v1/plans/{subscription['plan_id']}", json=body)
    assert answer.status_code == 200, answer.text
    again = api.draft(subscription["id"])

    assert again["id"] == draft["id"]
    assert (again["total"], set(lines(backend, draft))) == ("0.000000", {""})


def test_what_is_not_recomputed_of_a_draft_is_kept(api, backend, subscription):
    call(api, "Kano")
    draft = api.draft(subscription["id"])
    backend.sql(
        "UPDATE invoices SET due_date = '2030-01-01 00:00Z' WHERE id = $1",
        draft["id"],
        as_app=api.tenant,
    )
    call(api, "Kano")

    again = api.draft(subscription["id"])

    assert (again["total"], again["due_date"]) == ("4.000000", "2030-01-01T00:00:00Z")
    assert again["created_at"] == draft["created_at"]


def test_a_line_does_not_move_into_a_final_invoice(api, backend, subscription):
    call(api, "Kano")
    final = api.finalize(api.draft(subscription["id"])["id"])
    call(api, "Kano")
    draft = api.draft(subscription["id"])

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        backend.sql(
            "UPDATE invoice_line_items SET invoice_id = $1, position = 9 WHERE invoice_id = $2",
            final["id"],
            draft["id"],
            as_app=api.tenant,
        )

    assert refused.value.constraint_name == "invoice_line_items_final_immutable"

"""The database lets an invoice's status move along the allowed arrows only."""

import asyncio

import asyncpg
import pytest

from support.api import event

# From each status, where it may go.
ARROWS = {
    "draft": {"finalized", "paid", "void"},
    "finalized": {"paid", "payment_failed", "void"},
    "payment_failed": {"finalized", "paid", "uncollectible", "void"},
    "uncollectible": {"paid", "void"},
    "paid": set(),
    "void": set(),
}
ALLOWED = [(old, new) for old, known in ARROWS.items() for new in sorted(known)]
FORBIDDEN = [
    (old, new) for old, known in ARROWS.items() for new in ARROWS if new not in {old, *known}
]
# With the times and numbers that each status must have.
BECOME = """
    UPDATE invoices SET status = $2,
        number = CASE WHEN $2 = 'draft' THEN NULL ELSE 9 END,
        finalized_at = CASE WHEN $2 = 'draft' THEN NULL ELSE timestamptz '2027-01-01 00:00Z' END,
        paid_at = CASE WHEN $2 = 'paid' THEN now() END,
        amount_paid = CASE WHEN $2 = 'paid' THEN total ELSE 0 END,
        voided_at = CASE WHEN $2 = 'void' THEN now() END,
        voided_after = CASE WHEN $2 = 'void' THEN 1 END
    WHERE id = $1
"""


@pytest.fixture
def invoice(api):
    """A draft of one call."""
    *_, subscription = api.subscribed_customer()
    api.ingest(event("1"))
    return api.draft(subscription["id"])["id"]


def put(backend, invoice, status):
    """As if the invoice had always been so."""

    async def run():
        connection = await asyncpg.connect(backend.owner_url)
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL session_replication_role = replica")
                await connection.execute(BECOME, invoice, status)
        finally:
            await connection.close()

    asyncio.run(run())


def status(backend, invoice):
    return backend.sql("SELECT status FROM invoices WHERE id = $1", invoice)[0]["status"]


@pytest.mark.parametrize(("old", "new"), ALLOWED)
def test_a_status_moves_along_an_arrow(api, backend, invoice, old, new):
    put(backend, invoice, old)

    backend.sql(BECOME, invoice, new, as_app=api.tenant)

    assert status(backend, invoice) == new


@pytest.mark.parametrize(("old", "new"), FORBIDDEN)
def test_a_status_does_not_move_elsewhere(api, backend, invoice, old, new):
    put(backend, invoice, old)

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        backend.sql(BECOME, invoice, new, as_app=api.tenant)

    assert refused.value.constraint_name == "invoices_status_moves_forward"
    assert status(backend, invoice) == old


@pytest.mark.parametrize("old", [known for known in ARROWS if known != "draft"])
def test_only_a_draft_is_deleted(api, backend, invoice, old):
    put(backend, invoice, old)

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        backend.sql("DELETE FROM invoices WHERE id = $1", invoice, as_app=api.tenant)

    assert refused.value.constraint_name == "invoices_final_immutable"


@pytest.mark.parametrize(
    "change",
    [
        "subtotal = subtotal + 1, total = total + 1",
        "vat_enabled = true, vat_amount = 1, total = total + 1",
        "vat_rate = 5",
        "wht_rate = 5",
        "number = 10",
        "kind = 'closing'",
        "currency = 'USD'",
        "period_start = period_start - interval '1 day'",
        "period_end = period_end + interval '1 day'",
        "finalized_at = now()",
        "terms = '{}'",
        "has_credit = NOT has_credit",
        "billing_mode = 'prepaid'",
        "rounded_off = 1",
    ],
)
def test_what_a_final_invoice_says_stays_said(api, backend, invoice, change):
    put(backend, invoice, "finalized")

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        backend.sql(f"UPDATE invoices SET {change} WHERE id = $1", invoice, as_app=api.tenant)

    assert refused.value.constraint_name == "invoices_final_immutable"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoice_line_items SET amount = amount + 1 WHERE invoice_id = $1",
        "DELETE FROM invoice_line_items WHERE invoice_id = $1",
        (
            "INSERT INTO invoice_line_items SELECT org_id, is_test, gen_random_uuid(), invoice_id,"
            " subscription_id, position + 9, kind, price_id, metric_id, period_start, period_end,"
            " description, quantity, unit_price, amount, cumulative_quantity, cumulative_amount,"
            " price_revision, created_at, group_value, event_count, first_event_at, last_event_at,"
            " whole_quantity FROM invoice_line_items WHERE invoice_id = $1"
        ),
    ],
)
def test_the_lines_of_a_final_invoice_stay(backend, invoice, statement):
    put(backend, invoice, "paid")

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        backend.sql(statement, invoice)

    assert refused.value.constraint_name == "invoice_line_items_final_immutable"

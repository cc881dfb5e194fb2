"""`monigo verify` finds an invoice that doesn't carry what those before it rounded."""

import asyncio

import asyncpg
import pytest

from support.api import event
from support.verification import faults

START = "2027-01-01T00:00:00Z"

LINE = "line.invoice_id = last.id"
OF_LAST = "FROM last WHERE invoices.id = last.id"
# What is changed of the last final invoice, and what `verify` says of it: what, stored, computed.
FAULTS = {
    "rounding lost": (
        [f"DELETE FROM invoice_line_items AS line USING last WHERE {LINE} AND kind = 'rounding'"],
        ("invoice rounding carried", "0", "-0.5"),
    ),
    "another amount carried": (
        [
            (
                "UPDATE invoice_line_items AS line SET amount = amount"
                f" + CASE kind WHEN 'rounding' THEN -0.25 ELSE 0.25 END FROM last WHERE {LINE}"
            ),
            f"UPDATE invoices SET rounded_off = rounded_off + 0.25 {OF_LAST}",
        ],
        ("invoice rounding carried", "-0.75", "-0.5"),
    ),
    "half rounded the wrong way": (
        [
            (
                "UPDATE invoices SET subtotal = -1, vat_enabled = true, vat_amount = 1,"
                f" rounded_off = 1 {OF_LAST}"
            )
        ],
        ("invoice subtotal after rounding", "-1", "0"),
    ),
    "left another amount than it did": (
        [f"UPDATE invoices SET rounded_off = 0.25 {OF_LAST}"],
        ("invoice rounded_off", "0.25", "0"),
    ),
}


@pytest.fixture
def merchant(api, clock):
    """Five invoices at 0.5 a call: 1, 0, 1 (void), 0 and, without a call, 0; and a draft."""
    clock(START)
    api.customer()
    price = {"metric_id": api.metric()["id"], "model": "flat_unit", "unit_price": "0.5"}
    plan = api.plan(price, currency="XOF")
    subscription = api.subscribe("c1", plan["id"], start_date=START)
    for number in range(1, 6):
        if number < 4:
            api.ingest(event(f"{number}"))
        made = api.finalize(api.draft(subscription["id"])["id"])
        if number == 3:
            api.post(f"/v1/invoices/{made['id']}/void")
    api.draft(subscription["id"])
    return api


def plant(backend, org_id, statements):
    async def run():
        connection = await asyncpg.connect(backend.owner_url)
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL session_replication_role = replica")
                for statement in statements:
                    tag = await connection.execute(
                        "WITH last AS (SELECT id FROM invoices WHERE org_id = $1 AND number = 5)"
                        f" {statement}",
                        org_id,
                    )
                    assert not tag.endswith(" 0"), statement
        finally:
            await connection.close()

    asyncio.run(run())


def test_invoices_that_carry_what_was_rounded_have_no_differences(merchant, backend):
    made = sorted(merchant.get("/v1/invoices").json()["invoices"], key=lambda one: one["number"])

    told = [(one["number"], one["status"], one["subtotal"]) for one in made]

    assert faults(backend, merchant.tenant) == []
    assert told == [
        ("", "draft", "0.000000"),
        ("INV-000001", "finalized", "1.000000"),
        ("INV-000002", "paid", "0.000000"),
        ("INV-000003", "void", "1.000000"),
        ("INV-000004", "finalized", "1.000000"),
        ("INV-000005", "paid", "0.000000"),
    ]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_of_rounding_is_found(merchant, backend, fault):
    statements, told = FAULTS[fault]
    plant(backend, merchant.org_id, statements)

    found = faults(backend, merchant.tenant)

    assert told in [(what, stored, computed) for what, _, stored, computed in found]

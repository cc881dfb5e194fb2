"""What wallets paid before its sources were kept is found in the ledger as it is brought over."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from monigo.infra import json
from support.wallets import cancel, charge, grant, invoices, plan_of, use

START = "2027-01-01T00:00:00Z"
MIDDLE = "2027-01-15T00:00:00Z"
STEP = Path(__file__).parents[2] / "db/bring_over/0029_paid_by_credits_before.sql"

CHARGES = "SELECT charged, parts::text FROM realtime_charges WHERE org_id = $1"
PAID = "SELECT wallet_paid, wallet_parts::text FROM invoices WHERE org_id = $1"


@pytest.fixture
def wallet(api, clock):
    """A realtime customer, who used 70: of 50 from a credit for the metric, and 20 from money."""
    clock(START)
    api.customer()
    wallet = api.wallet(funds="20")
    plan_id, limit = plan_of(api, "realtime", "a")
    api.subscription = api.subscribe("c1", plan_id, start_date=START)
    wallet["credit"] = grant(api, wallet, "50", metric_ids=[limit])["id"]
    wallet["metric"] = limit
    use(api, "a", 30)
    charge(api)
    use(api, "a", 40)
    charge(api)
    return wallet


def migrated(backend, api, *before):
    """Charges and invoices as the step leaves them; nothing of it stays."""

    async def run():
        connection = await asyncpg.connect(backend.owner_url)
        transaction = connection.transaction()
        await transaction.start()
        try:
            for statement in before:
                await connection.execute(statement)
            await connection.execute(STEP.read_text())
            return [await connection.fetch(query, api.org_id) for query in (CHARGES, PAID)]
        finally:
            await transaction.rollback()
            await connection.close()

    return [[(row[0], json.decode(row[1])) for row in rows] for rows in asyncio.run(run())]


def test_a_running_periods_charges_are_told_by_source(api, backend, wallet):
    forgotten = "UPDATE realtime_charges SET parts = '[]'"

    charges, paid = migrated(backend, api, forgotten)

    ((charged, parts),) = charges
    assert (charged, sorted(parts, key=str), paid) == (
        70,
        sorted(
            [[wallet["credit"], wallet["metric"], "50.000000"], [None, None, "20.000000"]], key=str
        ),
        [],
    )


def test_what_an_interim_invoice_used_is_left_out(api, backend, wallet):
    # The newest payments, of 40, are those that no invoice used.
    used = f"UPDATE realtime_charges SET parts = '[]', charged = 40 WHERE org_id = '{api.org_id}'"

    ((charged, parts),), _ = migrated(backend, api, used)

    amounts = {grant_id: amount for grant_id, _, amount in parts}
    assert (charged, amounts) == (40, {None: "20.000000", wallet["credit"]: "20.000000"})


def test_what_was_charged_for_an_invoice_that_waits_belongs_to_it(api, backend, wallet, clock):
    use(api, "a", 30)
    charge(api)
    clock(MIDDLE)
    cancel(api, api.subscription)
    invoice_id = invoices(api)[0]["id"]

    charges, paid = migrated(
        backend,
        api,
        f"UPDATE invoices SET wallet_paid = 0, wallet_parts = '[]' WHERE id = '{invoice_id}'",
        f"UPDATE realtime_charges SET charged = 70, parts = '[]' WHERE org_id = '{api.org_id}'",
    )

    assert charges == [(0, [])]
    ((amount, parts),) = paid
    assert (amount, len(parts)) == (70, 2)
    assert wallet["credit"] in {grant_id for grant_id, *_ in parts}

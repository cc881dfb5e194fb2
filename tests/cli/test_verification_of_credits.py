"""`monigo verify` finds credits that paid what they may not, or came back as money."""

import asyncio

import asyncpg
import pytest

from support.verification import faults
from support.wallets import charge, grant, plan_of, use

START = "2027-01-01T00:00:00Z"
END = "2027-02-01T00:00:00Z"

OF_LIMITED = "(SELECT id FROM credit_grants WHERE org_id = $1 AND amount = 25)"
AS_MONEY = """
    jsonb_build_array(jsonb_build_array(NULL, {parts} -> 0 -> 1, {parts} -> 0 -> 2))
"""

# A fault, and what `verify` calls it with the amounts on both sides. The parameter is the
# organisation.
FAULTS = {
    "credit given back as money": (
        (
            "UPDATE ledger_transfers AS transfer SET to_account_id = wallet.money_account_id"
            " FROM wallets AS wallet WHERE transfer.org_id = $1 AND wallet.org_id = $1"
            " AND transfer.entry_type = 'refund'"
            " AND wallet.revenue_account_id = transfer.from_account_id"
        ),
        ("payment by its source", "0", "-40"),
    ),
    "refund of a credit lost": (
        "DELETE FROM ledger_transfers WHERE org_id = $1 AND entry_type = 'refund'",
        ("payment by its source", "60", "100"),
    ),
    "an invoice's credit told as money": (
        (
            f"UPDATE invoices SET wallet_parts = {AS_MONEY.format(parts='wallet_parts')}"
            " WHERE org_id = $1 AND wallet_paid = 25"
        ),
        ("payment by its source", "25", "0"),
    ),
    "a running period's credit told as money": (
        (
            f"UPDATE realtime_charges SET parts = {AS_MONEY.format(parts='parts')}"
            " WHERE org_id = $1 AND charged = 7"
        ),
        ("payment by its source", "7", "0"),
    ),
    "what credits paid of a postpaid invoice changed": (
        (
            "UPDATE invoices SET wallet_paid = 26, amount_paid = 26"
            " WHERE org_id = $1 AND wallet_paid = 25"
        ),
        ("payment of an invoice", "26", "25"),
    ),
    "credit for another metric": (
        (
            "UPDATE ledger_transfers SET metadata = '{}' WHERE org_id = $1 AND amount = 25"
            " AND entry_type = 'usage'"
        ),
        ("credit for another metric", "25", "0"),
    ),
    "credit limited since": (
        (
            "UPDATE credit_grants SET metric_ids = ARRAY[gen_random_uuid()]"
            f" WHERE org_id = $1 AND id = {OF_LIMITED}"
        ),
        ("credit beyond its lines", "25", "0"),
    ),
    "credit for a period that ended after it": (
        (
            "UPDATE credit_grants SET expires_at = '2027-01-31T23:59:59Z'"
            f" WHERE org_id = $1 AND id = {OF_LIMITED}"
        ),
        ("credit for a period after it", "25", "0"),
    ),
    "credit that a running period used after it": (
        (
            "UPDATE credit_grants SET expires_at = '2027-01-31T23:59:59Z',"
            " created_at = '2027-01-01T00:00:00Z'"
            " WHERE org_id = $1 AND amount = 7"
        ),
        ("credit for a period after it", "7", "0"),
    ),
}


def advance(api, to):
    answer = api.post("/v1/test-clock/advance", json={"to": to}, timeout=60)
    assert answer.status_code == 200, answer.text


@pytest.fixture
def merchant(api):
    """Realtime credit given back, a limited one on a postpaid invoice, one of a running period."""
    advance(api, START)
    realtime, *_ = plan_of(api, "realtime", "a")
    postpaid, _, limit = plan_of(api, "postpaid", "b", "c")
    for name, plan_id in (("live", realtime), ("owes", postpaid)):
        api.customer(name)
        api.subscribe(name, plan_id, start_date=START)
    live, owes = api.wallet("live"), api.wallet("owes")
    grant(api, live, "100")
    grant(api, owes, "25", metric_ids=[limit])
    use(api, "a", 100, "live")
    charge(api)
    use(api, "a", -40, "live")
    use(api, "b", 30, "owes")
    use(api, "c", 40, "owes")
    advance(api, END)
    grant(api, live, "7", priority=0, expires_at="2027-06-01T00:00:00Z")
    use(api, "a", 7, "live")
    charge(api)
    return api


def plant(backend, api, statement):
    async def run():
        connection = await asyncpg.connect(backend.owner_url)
        try:
            async with connection.transaction():
                await connection.execute("ALTER TABLE invoices DISABLE TRIGGER USER")
                tag = await connection.execute(statement, api.org_id)
                await connection.execute("ALTER TABLE invoices ENABLE TRIGGER USER")
                return tag
        finally:
            await connection.close()

    return asyncio.run(run())


def test_credits_that_paid_what_they_may_are_no_fault(merchant, backend):
    assert faults(backend, merchant.tenant) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(merchant, backend, fault):
    statement, difference = FAULTS[fault]
    tag = plant(backend, merchant, statement)

    found = faults(backend, merchant.tenant)

    assert tag.endswith(" 1")
    assert difference in [(what, stored, computed) for what, _, stored, computed in found]


def test_a_revoked_credit_with_something_left_is_found(merchant, backend):
    statement = (
        "UPDATE credit_grants SET revoked_at = created_at WHERE org_id = $1 AND amount = 100"
    )
    tag = plant(backend, merchant, statement)

    found = faults(backend, merchant.tenant)

    assert tag.endswith(" 1")
    assert [what for what, *_ in found] == ["credit grant"]

"""`monigo verify` matches what wallets paid with invoices and running realtime periods."""

import asyncio

import asyncpg
import pytest

from monigo import invoicing, metering
from support.agenda import do
from support.api import event
from support.verification import faults

START = "2027-01-01T00:00:00Z"
END = "2027-02-01T00:00:00Z"

SEVERAL = """
    INSERT INTO ledger_transfers (org_id, is_test, id, transaction_id, from_account_id,
        to_account_id, amount, currency, entry_type, description, reference_type, reference_id,
        counterparty, idempotency_key, metadata, created_at, from_balance_before,
        from_balance_after, from_sequence, from_chain_hash, to_balance_before, to_balance_after,
        to_sequence, to_chain_hash)
    SELECT org_id, is_test, gen_random_uuid(), transaction_id, from_account_id, to_account_id,
        amount, currency, entry_type, description, reference_type, reference_id, counterparty,
        idempotency_key, metadata, created_at, from_balance_before, from_balance_after,
        from_sequence + 100, from_chain_hash, to_balance_before, to_balance_after,
        to_sequence + 100, to_chain_hash
    FROM ledger_transfers WHERE org_id = $1 AND
"""
LOST = "DELETE FROM ledger_transfers WHERE org_id = $1 AND"
OF_INVOICE = "reference_type = 'invoice'"
CHARGED = "SELECT subscription_id FROM realtime_charges WHERE org_id = $1 AND charged = 11"

# A fault, what `verify` calls it, and the amounts on both sides. The parameter is the organisation.
FAULTS = {
    "payment in money lost": (
        f"{LOST} {OF_INVOICE} AND amount = 170",
        ("payment of an invoice", "200", "30"),
    ),
    "payment in credit lost": (
        f"{LOST} {OF_INVOICE} AND amount = 30",
        ("payment of an invoice", "200", "170"),
    ),
    "payment made twice": (
        f"{SEVERAL} {OF_INVOICE} AND amount = 170",
        ("payment of an invoice", "200", "370"),
    ),
    "paid elsewhere, too": (
        "UPDATE invoices SET paid_reference = 'cash' WHERE org_id = $1 AND total = 200",
        ("payment of an invoice", "0", "200"),
    ),
    "paid by nobody": (
        (
            "UPDATE invoices SET paid_reference = '' WHERE org_id = $1 AND total = 300"
            " AND billing_mode = 'prepaid'"
        ),
        ("payment of an invoice", "300", "0"),
    ),
    "paid for another invoice": (
        (
            "UPDATE ledger_transfers SET reference_id = 'nothing' WHERE org_id = $1"
            f" AND {OF_INVOICE} AND amount = 170"
        ),
        ("payment of an invoice", None, "170"),
    ),
    "invoice lost": (
        "DELETE FROM invoices WHERE org_id = $1 AND total = 200",
        ("payment of an invoice", None, "200"),
    ),
    "charge of a running period lost": (
        f"{LOST} reference_type = 'subscription_period' AND amount = 11",
        ("payment of a period", "11", "0"),
    ),
    "charge of a running period forgotten": (
        "DELETE FROM realtime_charges WHERE org_id = $1 AND charged = 11",
        ("payment of a period", None, "11"),
    ),
    "charge of a running period changed": (
        "UPDATE realtime_charges SET charged = 12 WHERE org_id = $1 AND charged = 11",
        ("payment of a period", "12", "11"),
    ),
    "charge of a closed period lost": (
        f"{LOST} reference_type = 'subscription_period' AND amount = 40",
        ("payment of a period", "25", "-15"),
    ),
    "refund lost": (
        f"{LOST} {OF_INVOICE} AND amount = 15",
        ("payment of a period", "25", "40"),
    ),
    "charge kept of a period that was canceled as it began": (
        (
            "UPDATE subscriptions SET status = 'canceled', canceled_at = closed_until"
            f" WHERE org_id = $1 AND id = ({CHARGED})"
        ),
        ("payment for no invoice", "11", "0"),
    ),
    "charge kept of a period that is closed": (
        (
            "UPDATE subscriptions SET closed_until = closed_until + interval '1 day'"
            f" WHERE org_id = $1 AND id = ({CHARGED})"
        ),
        ("payment for no invoice", "11", "0"),
    ),
    "charge kept under a plan that is not paid in realtime": (
        (
            "UPDATE plans SET billing_mode = 'postpaid' WHERE org_id = $1"
            " AND billing_mode = 'realtime'"
        ),
        ("payment for no invoice", "11", "0"),
    ),
}


def work(api):
    """What the workers would do in the next seconds."""
    database = api.backend.services.database
    api.backend.run(metering.fold_all(database))
    do(api, invoicing.CHARGE)


def advance(api, to):
    answer = api.post("/v1/test-clock/advance", json={"to": to}, timeout=60)
    assert answer.status_code == 200, answer.text


def use(api, customer_id, amount):
    api.ingest(event(f"{customer_id} {amount}", customer_id, "use", properties={"n": amount}))


def plan(api, billing_mode, metric):
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    return api.plan(price, billing_mode=billing_mode)["id"]


def mark_paid(api):
    (invoice,) = (
        one for one in api.get("/v1/invoices").json()["invoices"] if one["total"] == "300.000000"
    )
    body = {"reference": "bank transfer"}
    assert api.post(f"/v1/invoices/{invoice['id']}/mark-paid", json=body).status_code == 200


@pytest.fixture
def merchant(api):
    """Prepaid periods paid by credit and money, or by bank; realtime ones, running and closed."""
    advance(api, START)
    metric = api.metric("use", aggregation="sum", aggregation_property="n")
    prepaid, realtime = plan(api, "prepaid", metric), plan(api, "realtime", metric)
    for name, plan_id in (("pays", prepaid), ("short", prepaid), ("live", realtime)):
        api.customer(name)
        api.subscribe(name, plan_id)
    wallet = api.wallet("pays", funds="1000")
    granted = {"amount": "30", "currency": "NGN", "idempotency_key": "grant"}
    assert api.post(f"/v1/wallets/{wallet['id']}/credits", json=granted).status_code == 201
    api.wallet("live", funds="1000")
    use(api, "pays", 200)
    use(api, "short", 300)
    use(api, "live", 40)
    work(api)
    use(api, "live", -15)
    advance(api, END)
    for subscription in api.get("/v1/subscriptions", params={"customer_id": "short"}).json()[
        "subscriptions"
    ]:
        api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "canceled"})
    mark_paid(api)
    use(api, "live", 11)
    work(api)
    api.own = wallet
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


def of_payments(backend, api):
    return [
        (what, stored, computed)
        for what, _, stored, computed in faults(backend, api.tenant)
        if what.startswith("payment")
    ]


def test_what_was_paid_is_what_invoices_and_running_periods_say(merchant, backend):
    assert faults(backend, merchant.tenant) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(merchant, backend, fault):
    statement, difference = FAULTS[fault]
    tag = plant(backend, merchant, statement)

    found = of_payments(backend, merchant)

    assert tag.endswith(" 1")
    assert difference in found


def test_what_a_merchant_moves_by_itself_pays_no_invoice(merchant, backend):
    invoices = merchant.get("/v1/invoices").json()["invoices"]
    named = {"reference_type": "invoice", "reference_id": invoices[0]["id"]}
    merchant.move(merchant.own, "debit", "5", "usage", **named)
    merchant.move(merchant.own, "credit", "3", "refund", **named)
    path = f"/v1/wallets/{merchant.own['id']}/reservations"
    holding = {"amount": "7", "currency": "NGN", "idempotency_key": "hold", **named}
    held = merchant.make(path, holding, "reservation")

    captured = merchant.post(f"{path}/{held['id']}/capture")

    assert captured.status_code == 200
    assert faults(backend, merchant.tenant) == []

"""Settlement: payments in one or in several parts, and what the database keeps of them."""

from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
import pytest

from monigo import invoicing
from monigo.core.errors import InvariantError
from monigo.core.money import Money
from monigo.invoicing import InvoiceStatus
from monigo.invoicing.documents import ByWallet, InvoicePayment, Received, settle
from monigo.invoicing.documents.rules import settled
from monigo.wallets import PaidPart
from support.api import event

AT = datetime(2027, 3, 1, tzinfo=UTC)


def naira(amount):
    return Money(Decimal(amount), "NGN")


@pytest.fixture
def invoice(api):
    """A final invoice of 40."""
    *_, subscription = api.subscribed_customer(unit_price="40")
    api.ingest(event("1"))
    return api.finalize(api.draft(subscription["id"])["id"])


def pay(api, invoice_id, *amounts):
    """Pay so much, one after the other, in a transaction each; what each of them came to."""

    async def once(amount):
        async with api.backend.services.database.transaction(api.tenant) as tx:
            stored = await invoicing.get(tx, invoice_id, for_update=True)
            received = Received(naira(amount), f"cash {amount}", AT)
            return (await settle(tx, [InvoicePayment(stored, received)]))[0]

    return [api.backend.run(once(amount)) for amount in amounts]


def told(api, invoice_id):
    found = api.get(f"/v1/invoices/{invoice_id}").json()["invoice"]
    return found["status"], *(
        Decimal(found[name]) for name in ("total", "amount_paid", "amount_due")
    )


def paid_facts(api):
    events = api.get("/v1/billing-events").json()["events"]
    return [one["data"]["invoice"] for one in events if one["type"] == "invoice.paid"]


@pytest.mark.parametrize(
    ("status", "due", "payment", "expected"),
    [
        ("finalized", 40, 40, ("paid", 40, 0)),
        ("finalized", 40, 10, ("finalized", 10, 0)),
        ("payment_failed", 40, 10, ("payment_failed", 10, 0)),
        ("uncollectible", 40, 10, ("uncollectible", 10, 0)),
        ("uncollectible", 40, 40, ("paid", 40, 0)),
        ("finalized", 40, 50, ("paid", 40, 10)),
        ("draft", 40, 0, ("finalized", 0, 0)),
        ("draft", 40, 10, ("finalized", 10, 0)),
        ("draft", 40, 40, ("paid", 40, 0)),
        ("draft", 0, 0, ("paid", 0, 0)),
        ("paid", 0, 5, ("paid", 0, 5)),
        ("void", 0, 5, ("void", 0, 5)),
    ],
)
def test_a_payment_is_taken_as_far_as_something_is_due(status, due, payment, expected):
    found = settled(InvoiceStatus(status), due=naira(due), payment=naira(payment))

    assert (found.status, found.taken.amount, found.excess.amount) == expected


def test_a_payment_in_another_currency_is_never_taken():
    with pytest.raises(InvariantError):
        settled(InvoiceStatus.FINALIZED, due=naira(40), payment=Money(Decimal(40), "USD"))


def test_a_payment_of_less_than_nothing_is_never_taken():
    with pytest.raises(InvariantError):
        settled(InvoiceStatus.FINALIZED, due=naira(40), payment=naira(-1))


def test_parts_add_up_and_the_last_one_pays(api, invoice):
    pay(api, invoice["id"], 10)
    first = told(api, invoice["id"])
    pay(api, invoice["id"], "29.999999")
    second = told(api, invoice["id"])
    pay(api, invoice["id"], "0.000001")

    assert first == ("finalized", 40, 10, 30)
    assert second == ("finalized", 40, Decimal("39.999999"), Decimal("0.000001"))
    assert told(api, invoice["id"]) == ("paid", 40, 40, 0)
    (fact,) = paid_facts(api)
    assert (fact["amount_paid"], fact["amount_due"]) == ("40.000000", "0.000000")


def test_what_is_in_excess_is_told_and_not_kept(api, invoice):
    found = pay(api, invoice["id"], 30, 30, 30)

    assert [one.excess for one in found] == [naira(0), naira(20), naira(30)]
    assert told(api, invoice["id"]) == ("paid", 40, 40, 0)
    assert len(paid_facts(api)) == 1


def test_what_is_left_after_a_part_is_what_is_marked_as_paid(api, backend, invoice):
    pay(api, invoice["id"], 15)

    body = {"reference": "bank transfer"}
    marked = api.post(f"/v1/invoices/{invoice['id']}/mark-paid", json=body).json()["invoice"]

    assert told(api, invoice["id"]) == ("paid", 40, 40, 0)
    assert (marked["status"], marked["paid_reference"]) == ("paid", "bank transfer")
    (row,) = backend.sql("SELECT wallet_paid FROM invoices WHERE id = $1", invoice["id"])
    assert row["wallet_paid"] == 0


def test_a_wallet_that_pays_too_much_is_a_fault_and_changes_nothing(api, invoice):
    async def overpay():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            stored = await invoicing.get(tx, invoice["id"], for_update=True)
            parts = (PaidPart(None, None, Decimal(41)),)
            await settle(tx, [InvoicePayment(stored, ByWallet(parts))])

    with pytest.raises(InvariantError, match="at most what is due"):
        api.backend.run(overpay())

    assert told(api, invoice["id"]) == ("finalized", 40, 0, 40)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("status = 'paid', paid_at = now()", "invoices_paid_is_nothing_due"),
        ("status = 'paid', amount_paid = total", "invoices_paid_is_nothing_due"),
        ("status = 'paid', amount_paid = 39, paid_at = now()", "invoices_paid_is_nothing_due"),
        ("amount_paid = total", "invoices_paid_is_nothing_due"),
        ("amount_paid = total + 1", "invoices_paid_is_nothing_due"),
        ("amount_paid = -1", "invoices_paid_is_nothing_due"),
        ("paid_at = now()", "invoices_paid_is_nothing_due"),
        (
            "status = 'void', voided_at = now(), voided_after = 1, amount_paid = 1",
            "invoices_paid_is_nothing_due",
        ),
        ("wallet_paid = 1", "invoices_wallet_paid_is_part_of_it"),
        ("wallet_paid = 11, amount_paid = 10", "invoices_wallet_paid_is_part_of_it"),
        ("wallet_paid = -1", "invoices_wallet_paid_is_part_of_it"),
    ],
)
def test_the_database_ties_the_state_to_what_is_due(api, backend, invoice, change, constraint):
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        backend.sql(f"UPDATE invoices SET {change} WHERE id = $1", invoice["id"], as_app=api.tenant)

    assert refused.value.constraint_name == constraint
    assert told(api, invoice["id"]) == ("finalized", 40, 0, 40)


@pytest.mark.parametrize("change", ["amount_paid = 1", "paid_at = now()"])
def test_nothing_is_paid_of_a_draft(api, backend, change):
    *_, subscription = api.subscribed_customer(unit_price="40")
    api.ingest(event("1"))
    draft = api.draft(subscription["id"])

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        backend.sql(f"UPDATE invoices SET {change} WHERE id = $1", draft["id"], as_app=api.tenant)

    assert refused.value.constraint_name == "invoices_paid_is_nothing_due"

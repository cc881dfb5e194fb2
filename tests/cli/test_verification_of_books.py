"""`monigo verify` matches the books with invoices, bills and what was paid of them."""

from decimal import Decimal

import pytest

from support.books import receive, write_off
from support.verification import faults
from support.wallets import plan_of, use

DOCUMENT = "reference_type = 'document'"
LOST = f"DELETE FROM ledger_transfers WHERE org_id = $1 AND {DOCUMENT} AND"
INVOICE = "UPDATE invoices SET {} WHERE org_id = $1 AND total = {}"

# A fault, what `verify` calls it, and the amounts on both sides. The parameter is the organisation.
FAULTS = {
    "booking lost": (
        f"{LOST} entry_type = 'invoice' AND amount = 100",
        ("receivable of an invoice", "-7.5", "-107.5"),
    ),
    "VAT lost": (
        f"{LOST} entry_type = 'invoice' AND amount = 7.5",
        ("VAT of an invoice", "0", "7.5"),
    ),
    "payment lost": (
        f"{LOST} entry_type = 'payment'",
        ("payments of an invoice", "0", "15"),
    ),
    "payment noted elsewhere only": (
        INVOICE.format("amount_paid = 20", "215"),
        ("receivable of an invoice", "-200", "-195"),
    ),
    "write-off lost": (
        f"{LOST} entry_type = 'write_off'",
        ("bad debt of an invoice", "0", "-322.5"),
    ),
    "void that was not booked": (
        (
            "UPDATE invoices SET status = 'void', voided_at = now(), voided_after = 9"
            " WHERE org_id = $1 AND total = 107.5"
        ),
        ("receivable of an invoice", "-107.5", "0"),
    ),
    "booked for another": (
        (
            "UPDATE ledger_transfers SET reference_id = 'nothing' WHERE org_id = $1"
            f" AND {DOCUMENT} AND amount = 7.5"
        ),
        ("VAT of an invoice", "7.5", None),
    ),
    "bill lost": (f"{LOST} amount = 57", ("payable of a bill", "0", "57")),
    "tax withheld lost": (f"{LOST} amount = 3", ("tax withheld of a bill", "0", "3")),
    "balance changed": (
        (
            "UPDATE ledger_accounts SET balance = balance - 1 WHERE org_id = $1"
            " AND kind = 'receivable'"
        ),
        ("receivable of a customer", "-308.5", "-307.5"),
    ),
    "bad debt changed": (
        "UPDATE ledger_accounts SET balance = balance - 1 WHERE org_id = $1 AND kind = 'bad_debt'",
        ("bad_debt of a customer", "-323.5", "-322.5"),
    ),
    "never booked": (
        INVOICE.format("is_booked = false", "107.5"),
        ("receivable of an invoice", "-107.5", None),
    ),
}


@pytest.fixture
def merchant(api):
    """An open invoice of 107.5, one of 215 with 15 paid, an uncollectible one, and a bill of 57."""
    vat = {"vat_enabled": True, "vat_rate": 7.5}
    api.patch("/v1/organization", json={**vat, "wht_enabled": True, "wht_rate": 5})
    api.customer()
    plan_id, *_ = plan_of(api, "postpaid", "a")
    made = []
    for amount in (100, 200, 300):
        use(api, "a", amount)
        subscription = made[0]["subscription_id"] if made else api.subscribe("c1", plan_id)["id"]
        made.append(api.finalize(api.draft(subscription)["id"]))
    receive(api, made[1]["id"], "15")
    write_off(api, made[2]["id"])
    earned_id, *_ = plan_of(api, "postpaid", "b", plan_type="payout")
    earned = api.subscribe("c1", earned_id)
    use(api, "b", 60)
    bill = api.make("/v1/bills", {"subscription_id": earned["id"]}, "bill")
    api.post(f"/v1/bills/{bill['id']}/finalize")
    return api


def test_books_that_agree_have_no_faults(merchant, backend):
    assert faults(backend, merchant.tenant) == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_of_the_books_is_found(merchant, backend, name):
    statement, expected = FAULTS[name]
    backend.sql(statement, merchant.org_id)

    found = faults(backend, merchant.tenant)

    what, *sides = expected
    assert [*map(number, sides)] in [
        [*map(number, told)] for named, _, *told in found if named == what
    ]


def number(text):
    return None if text is None else Decimal(text)

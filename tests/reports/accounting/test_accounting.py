"""Trial balance and receivables by age, as merchants read them."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from monigo.ledger import AccountKind
from monigo.reports.accounting.rules import SIDES
from support.api import Api
from support.books import write_off
from support.wallets import grant, plan_of, use

START = "2027-01-01T00:00:00Z"


@pytest.fixture
def merchant(api, clock):
    """A customer with a wallet and VAT, who owes 107.5 since the year began."""
    clock(START)
    api.patch("/v1/organization", json={"vat_enabled": True, "vat_rate": 7.5})
    api.customer()
    wallet = api.wallet(funds="50")
    grant(api, wallet, "3")
    bill(api, "c1", 100)
    return api


def bill(api, customer, amount):
    """A final invoice of so much and VAT, whatever credits there are."""
    plan_id, *_ = plan_of(api, "postpaid", f"used by {customer} {amount}")
    subscription = api.subscribe(customer, plan_id)
    use(api, f"used by {customer} {amount}", amount, customer)
    invoice = api.finalize(api.draft(subscription["id"])["id"])
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "canceled"})
    return invoice


def trial_balance(api, path="/v1/reports/trial-balance"):
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()["trial_balance"]


def receivables(api, query=""):
    return api.get(f"/v1/reports/receivables-aging{query}").json()


def test_the_trial_balance_has_each_account_on_its_side_and_comes_to_zero(merchant):
    told = trial_balance(merchant)

    (naira,) = told["currencies"]
    assert (told["is_test"], told["at"], naira["currency"], naira["total"]) == (
        True,
        START,
        "NGN",
        "0.000000",
    )
    assert {one["kind"]: (one["side"], one["balance"]) for one in naira["accounts"]} == {
        "customer_wallet": ("never_negative", "50.000000"),
        "reserved": ("never_negative", "0.000000"),
        "credit_grant": ("never_negative", "0.000000"),
        "provider": ("either", "-50.000000"),
        "revenue": ("either", "97.000000"),
        "receivable": ("never_positive", "-104.500000"),
        "tax_payable": ("never_negative", "7.500000"),
    }
    assert trial_balance(merchant, "/api/v1/reports/trial-balance") == told


def test_every_kind_of_account_has_its_side():
    assert SIDES.keys() == set(AccountKind)


def test_a_past_trial_balance_is_what_it_was(merchant, clock):
    before = trial_balance(merchant)
    clock("2027-01-10T00:00:00Z")
    (invoice,) = merchant.get("/v1/invoices").json()["invoices"]
    merchant.post(f"/v1/invoices/{invoice['id']}/mark-paid", json={"reference": "bank"})

    assert trial_balance(merchant, "/v1/reports/trial-balance?at=2027-01-09T23:59:59Z") == {
        **before,
        "at": "2027-01-09T23:59:59Z",
        "currencies": [
            {
                **before["currencies"][0],
                "accounts": trial_balance(merchant, f"/v1/reports/trial-balance?at={START}")[
                    "currencies"
                ][0]["accounts"],
            }
        ],
    }
    after = {
        one["kind"]: one["balance"] for one in trial_balance(merchant)["currencies"][0]["accounts"]
    }
    assert (after["receivable"], after["external"]) == ("0.000000", "-104.500000")


@pytest.mark.parametrize("at", ["2027-01-01T00:00:01Z", "yesterday", "2027-13-01"])
def test_a_trial_balance_of_no_past_instant_is_refused(merchant, at):
    answer = merchant.get(f"/v1/reports/trial-balance?at={at}")

    assert answer.status_code == 400
    assert "at" in answer.json()["details"]


def test_what_is_overdue_is_reported_by_its_age(merchant, clock):
    oldest = datetime.fromisoformat(START)
    (first,) = receivables(merchant)["receivables"]
    due_at = datetime.fromisoformat(first["oldest_due_at"])
    merchant.customer("c2")
    seen = [first]
    for days in (31, 61, 91):
        clock((due_at + timedelta(days=days)).isoformat().replace("+00:00", "Z"))
        seen.append(receivables(merchant)["receivables"][0])
    clock((due_at + timedelta(days=91, seconds=1)).isoformat().replace("+00:00", "Z"))
    bill(merchant, "c2", 40)
    lost = bill(merchant, "c2", 60)
    write_off(merchant, lost["id"])

    names = ("not_yet_due", "up_to_30_days", "up_to_60_days", "up_to_90_days", "over_90_days")
    assert oldest < due_at
    assert [[name for name in names if Decimal(one[name])] for one in seen] == [
        ["not_yet_due"],
        ["up_to_60_days"],
        ["up_to_90_days"],
        ["over_90_days"],
    ]
    assert {one["amount"] for one in seen} == {"104.500000"}
    told = receivables(merchant)
    assert (told["total"], [one["amount"] for one in told["receivables"]]) == (
        2,
        ["104.500000", "43.000000"],
    )
    assert sum(Decimal(one["amount"]) for one in told["receivables"]) == -Decimal(
        next(
            one["balance"]
            for one in trial_balance(merchant)["currencies"][0]["accounts"]
            if one["kind"] == "receivable"
        )
    )
    page = receivables(merchant, "?limit=1&offset=1")
    assert (page["count"], page["total"], page["has_more"]) == (1, 2, False)
    assert page["receivables"] == told["receivables"][1:]


def test_nobody_sees_the_books_of_another_tenant(merchant, backend):
    with (
        Api.of_new_organization(backend) as stranger,
        Api.of(backend, merchant.org_id, is_test=False) as live,
    ):
        for other in (stranger, live):
            assert trial_balance(other)["currencies"] == []
            assert receivables(other)["receivables"] == []

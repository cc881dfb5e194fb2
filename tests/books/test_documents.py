"""What becomes of invoices and bills, in the books: each story ends with books that agree."""

import random
from decimal import Decimal

import pytest

from support.books import balances, receive, write_off
from support.verification import faults
from support.wallets import cancel, grant, invoices, plan_of, use

START = "2027-01-01T00:00:00Z"
END = "2027-02-01T00:00:00Z"


@pytest.fixture
def wallet(api, clock):
    """A customer's wallet with 1,000, as the year begins; VAT is 7.5 %."""
    clock(START)
    api.customer()
    api.patch("/v1/organization", json={"vat_enabled": True, "vat_rate": 7.5})
    return api.wallet(funds="1000")


@pytest.fixture(autouse=True)
def verified(api, backend):
    """All agree: the books, documents and wallets; and nothing comes from nowhere."""
    yield
    assert faults(backend, api.tenant) == []
    assert sum(balances(api).values()) == 0


def close(api, clock, mode="postpaid", used=100):
    """An invoice of a month, in which so much was used."""
    plan_id, *_ = plan_of(api, mode, "a")
    api.subscribe("c1", plan_id, start_date=START)
    use(api, "a", used)
    clock(END)
    return invoices(api)[0]


def booked(api):
    """Without the wallet's money, and where it came from."""
    found = balances(api)
    deposited = found.pop("customer_wallet", Decimal(0)) + found.get("provider", Decimal(0))
    found.pop("provider", None)
    return {
        kind: f"{amount.normalize():f}"
        for kind, amount in {**found, "money": deposited}.items()
        if amount
    }


@pytest.mark.usefixtures("wallet")
def test_what_is_due_is_a_receivable_until_it_is_paid_elsewhere(api, clock):
    invoice = close(api, clock)

    due = booked(api)
    api.post(f"/v1/invoices/{invoice['id']}/mark-paid", json={"reference": "bank"})

    assert due == {"receivable": "-107.5", "revenue": "100", "tax_payable": "7.5"}
    assert booked(api) == {"external": "-107.5", "revenue": "100", "tax_payable": "7.5"}


@pytest.mark.usefixtures("wallet")
def test_what_a_wallet_paid_as_the_invoice_was_made_gives_its_vat_out_of_revenue(api, clock):
    close(api, clock, "prepaid")

    assert booked(api) == {"money": "-107.5", "revenue": "100", "tax_payable": "7.5"}


@pytest.mark.usefixtures("wallet")
def test_what_a_running_period_was_charged_gives_its_vat_as_it_is_billed(api, clock):
    close(api, clock, "realtime")

    assert booked(api) == {"money": "-107.5", "revenue": "100", "tax_payable": "7.5"}


def test_credits_pay_a_part_and_the_rest_is_due(api, clock, wallet):
    grant(api, wallet, "43")

    invoice = close(api, clock)
    due = booked(api)
    api.post(f"/v1/invoices/{invoice['id']}/void")

    # The grant's 43 came out of revenue when it was given.
    assert due == {"receivable": "-64.5", "revenue": "57", "tax_payable": "7.5"}
    assert booked(api) == {"credit_grant": "43", "revenue": "-43"}


def test_what_a_wallet_pays_later_goes_to_the_receivable(api, clock):
    clock(START)
    api.customer()
    wallet = api.wallet()
    plan_id, *_ = plan_of(api, "prepaid", "a")
    subscription = api.subscribe("c1", plan_id, start_date=START)
    use(api, "a", 40)
    clock("2027-01-01T01:00:00Z")
    cancel(api, subscription)
    due = booked(api)

    api.move(wallet, "credit", "100", "deposit")
    clock("2027-01-01T02:00:00Z")

    assert due == {"receivable": "-40", "revenue": "40"}
    assert booked(api) == {"money": "-40", "revenue": "40"}


def test_all_received_elsewhere_returns_what_credits_paid(api, clock, wallet):
    grant(api, wallet, "43")
    invoice = close(api, clock)

    body = {"reference": "bank", "whole": True}
    api.post(f"/v1/invoices/{invoice['id']}/mark-paid", json=body)

    assert booked(api) == {
        "credit_grant": "43",
        "external": "-107.5",
        "revenue": "57",
        "tax_payable": "7.5",
    }


@pytest.mark.usefixtures("wallet")
def test_what_is_uncollectible_is_a_bad_debt_until_it_is_paid(api, clock):
    invoice = close(api, clock)

    write_off(api, invoice["id"])
    lost = booked(api)
    receive(api, invoice["id"], "50")
    in_part = booked(api)
    receive(api, invoice["id"], "57.5", is_by_provider=False)

    assert lost == {"bad_debt": "-107.5", "revenue": "100", "tax_payable": "7.5"}
    assert (in_part["bad_debt"], in_part["money"]) == ("-57.5", "-50")
    assert "bad_debt" not in booked(api)


@pytest.mark.usefixtures("wallet")
def test_an_uncollectible_invoice_that_is_voided_leaves_nothing(api, clock):
    invoice = close(api, clock)
    write_off(api, invoice["id"])

    api.post(f"/v1/invoices/{invoice['id']}/void")

    assert booked(api) == {}


def test_a_bill_is_payable_net_of_the_tax_withheld_until_it_is_voided(api, clock):
    clock(START)
    api.customer()
    api.patch("/v1/organization", json={"wht_enabled": True, "wht_rate": 5})
    plan_id, *_ = plan_of(api, "postpaid", "a", plan_type="payout")
    api.subscribe("c1", plan_id, start_date=START)
    use(api, "a", 60)
    clock(END)
    (bill,) = api.get("/v1/bills").json()["bills"]

    due = booked(api)
    api.post(f"/v1/bills/{bill['id']}/void")

    assert due == {"payout_expense": "-60", "payable": "57", "withholding_payable": "3"}
    assert booked(api) == {}


@pytest.mark.usefixtures("wallet")
def test_a_draft_is_in_no_books(api):
    plan_id, *_ = plan_of(api, "postpaid", "a")
    subscription = api.subscribe("c1", plan_id, start_date=START)
    use(api, "a", 40)
    draft = api.draft(subscription["id"])

    api.post(f"/v1/invoices/{draft['id']}/void")

    assert booked(api) == {}


def test_what_was_final_before_there_were_books_comes_in_when_it_is_paid(
    api, backend, clock, wallet
):
    grant(api, wallet, "43")
    invoice = close(api, clock)
    forget(backend, api)

    receive_all = api.post(f"/v1/invoices/{invoice['id']}/mark-paid", json={"reference": "bank"})

    assert receive_all.json()["invoice"]["status"] == "paid"
    assert booked(api) == {"external": "-64.5", "revenue": "57", "tax_payable": "7.5"}


def forget(backend, api):
    """Have the books empty, as before there were any."""
    for statement in (
        "UPDATE invoices SET is_booked = false WHERE org_id = $1",
        ("DELETE FROM ledger_transfers WHERE org_id = $1 AND reference_type = 'document'"),
        ("DELETE FROM ledger_accounts WHERE org_id = $1 AND customer_id IS NOT NULL"),
    ):
        backend.sql(statement, api.org_id)


STEPS = ("use", "grant", "final", "void", "paid", "whole", "part", "write_off", "deposit")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_happens_the_receivable_is_what_is_due(api, wallet, seed):
    chance = random.Random(seed)
    plan_id, *_ = plan_of(api, "postpaid", "a")
    subscription = api.subscribe("c1", plan_id, start_date=START)

    for _ in range(30):
        step(api, chance, wallet, subscription["id"])

        open_ones = {
            status: sum(
                Decimal(one["amount_due"]) for one in invoices(api) if one["status"] in status
            )
            for status in (("finalized", "payment_failed"), ("uncollectible",))
        }
        found = balances(api)
        assert [-found.get(kind, 0) for kind in ("receivable", "bad_debt")] == [*open_ones.values()]
        assert sum(found.values()) == 0


def step(api, chance, wallet, subscription_id):
    """One thing that happens, which may be refused."""
    known = [one for one in invoices(api) if one["status"] != "draft"]
    one = chance.choice(known) if known else None
    amount = f"{chance.randint(1, 5000) / Decimal(100):f}"
    what = chance.choice(STEPS)
    if what == "use":
        use(api, "a", chance.randint(1, 99))
    elif what == "grant":
        grant(api, wallet, amount)
    elif what == "deposit":
        api.move(wallet, "credit", amount, "deposit")
    elif what == "final" or one is None:
        use(api, "a", chance.randint(1, 200))
        api.finalize(api.draft(subscription_id)["id"])
    elif what == "part" and one["status"] in {"finalized", "payment_failed", "uncollectible"}:
        receive(api, one["id"], amount, is_by_provider=chance.random() < 0.5)
    elif what == "write_off" and one["status"] in {"finalized", "payment_failed"}:
        write_off(api, one["id"])
    elif what == "void":
        api.post(f"/v1/invoices/{one['id']}/void")
    elif what in {"paid", "whole"}:
        body = {"reference": "bank", "whole": what == "whole"}
        api.post(f"/v1/invoices/{one['id']}/mark-paid", json=body)

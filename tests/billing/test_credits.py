"""Credits pay before money in every billing mode: for which lines, and until when."""

import pytest

from support.books import write_off
from support.verification import faults
from support.wallets import (
    amounts,
    balance,
    cancel,
    charge,
    grant,
    invoices,
    left,
    plan_of,
    use,
    withdrawal,
    work,
)

START = "2027-01-01T00:00:00Z"
MIDDLE = "2027-01-15T00:00:00Z"
END = "2027-02-01T00:00:00Z"
HOUR_LATER = "2027-02-01T01:00:00Z"
DAY_LATER = "2027-02-02T00:00:00Z"
# What an unpaid invoice goes through.
STATUSES = ["finalized", "payment_failed", "uncollectible"]


@pytest.fixture
def wallet(api, clock):
    """A customer's wallet with 1,000, as the year begins."""
    clock(START)
    api.customer()
    return api.wallet(funds="1000")


@pytest.fixture(autouse=True)
def verified(api, backend):
    """Each of these stories ends with books that agree with each other."""
    yield
    assert faults(backend, api.tenant) == []


def subscribe(api, plan_id, **fields):
    return api.subscribe("c1", plan_id, **{"start_date": START, **fields})


def credits_told(api, wallet):
    listed = api.get(f"/v1/wallets/{wallet['id']}/credits").json()["credits"]
    return [(one["remaining"], one["expired_at"]) for one in reversed(listed)]


def test_a_credit_for_a_metric_pays_its_lines_whatever_was_charged_before(api, wallet):
    plan_id, _, b = plan_of(api, "realtime", "a", "b")
    subscribe(api, plan_id)
    use(api, "a", 100)
    charge(api)
    grant(api, wallet, "50", metric_ids=[b])
    use(api, "b", 50)

    charge(api)

    assert (balance(api, wallet), left(api, wallet)) == ("900", ["0"])


def test_a_credit_for_a_metric_that_is_paid_pays_no_other(api, wallet):
    plan_id, a, _ = plan_of(api, "realtime", "a", "b")
    subscribe(api, plan_id)
    use(api, "a", 100)
    charge(api)
    grant(api, wallet, "50", metric_ids=[a])
    use(api, "b", 50)

    charge(api)

    assert (balance(api, wallet), left(api, wallet)) == ("850", ["50"])


def test_money_that_pays_after_a_credit_is_used_up_pays_its_metric(api, wallet):
    plan_id, a, b = plan_of(api, "realtime", "a", "b")
    subscribe(api, plan_id)
    grant(api, wallet, "30", metric_ids=[a])
    use(api, "a", 100)
    charge(api)
    use(api, "b", 20)
    charge(api)
    grant(api, wallet, "500", metric_ids=[b])
    use(api, "a", 10)

    charge(api)

    assert (balance(api, wallet), left(api, wallet)) == ("900", ["0", "500"])


def test_a_later_credit_pays_of_a_waiting_invoice_only_what_its_metric_has_left(api, wallet, clock):
    plan_id, a, b = plan_of(api, "realtime", "a", "b")
    api.move(wallet, "debit", "900", "withdrawal")
    subscription = subscribe(api, plan_id)
    use(api, "a", 100)
    charge(api)
    use(api, "b", 50)
    charge(api)
    clock(MIDDLE)
    cancel(api, subscription)

    grant(api, wallet, "500", metric_ids=[a])
    work(api)
    before = amounts(invoices(api)[0])
    grant(api, wallet, "60", metric_ids=[b])
    work(api)

    assert before == ("finalized", "150", "100", "50")
    assert amounts(invoices(api)[0]) == ("paid", "150", "150", "0")
    assert left(api, wallet) == ["500", "10"]


@pytest.mark.parametrize("billing_mode", ["prepaid", "realtime"])
def test_a_credit_for_a_metric_pays_the_tax_on_its_lines(api, wallet, clock, billing_mode):
    api.patch("/v1/organization", json={"vat_enabled": True, "vat_rate": 7.5})
    plan_id, _, b = plan_of(api, billing_mode, "a", "b")
    subscribe(api, plan_id)
    grant(api, wallet, "500", metric_ids=[b])
    use(api, "a", 100)
    use(api, "b", 50)
    charge(api)

    clock(END)

    assert amounts(invoices(api)[0]) == ("paid", "161.250000", "161.250000", "0")
    assert (balance(api, wallet), left(api, wallet)) == ("892.500000", ["446.250000"])


def test_a_fee_is_paid_by_no_credit_for_a_metric(api, wallet, clock):
    plan_id, a = plan_of(api, "prepaid", "a", base_fee="20")
    subscribe(api, plan_id)
    grant(api, wallet, "500", metric_ids=[a])
    use(api, "a", 100)

    clock(END)

    assert (balance(api, wallet), left(api, wallet)) == ("980", ["400"])


@pytest.mark.parametrize(
    "valid", [(END, 0), (HOUR_LATER, 24), (DAY_LATER, 24), (END, 24)], ids=lambda valid: valid[0]
)
@pytest.mark.parametrize("billing_mode", ["prepaid", "realtime", "postpaid"])
def test_a_credit_that_is_valid_for_the_whole_period_pays_it(
    api, wallet, clock, billing_mode, valid
):
    expires_at, grace_hours = valid
    api.patch("/v1/organization", json={"event_ingestion_grace_period_hours": grace_hours})
    plan_id, _ = plan_of(api, billing_mode, "a")
    subscribe(api, plan_id)
    grant(api, wallet, "100", expires_at=expires_at)
    use(api, "a", 60)

    clock("2027-02-01T12:00:00Z")
    waiting = left(api, wallet)
    clock("2027-02-09T00:00:00Z")

    assert waiting == (["100"] if grace_hours else ["0" if expires_at == END else "40"])
    assert amounts(invoices(api)[0]) == ("paid", "60", "60", "0")
    assert balance(api, wallet) == "1000"
    assert left(api, wallet) == ["0"]


def test_what_is_left_expires_at_the_instant_of_the_close(api, wallet, clock):
    plan_id, _ = plan_of(api, "prepaid", "a")
    subscribe(api, plan_id)
    grant(api, wallet, "100", expires_at=END)
    use(api, "a", 60)

    clock(END)

    assert credits_told(api, wallet) == [("0.000000", END)]
    assert (balance(api, wallet), amounts(invoices(api)[0])[0]) == ("1000", "paid")


def test_a_credit_that_expires_within_the_period_pays_until_then(api, wallet, clock):
    plan_id, _ = plan_of(api, "realtime", "a")
    subscribe(api, plan_id)
    grant(api, wallet, "100", expires_at=MIDDLE)
    use(api, "a", 30)
    charge(api)
    clock("2027-01-14T23:59:59Z")
    use(api, "a", 20)
    charge(api)
    before = (balance(api, wallet), left(api, wallet))
    clock("2027-01-15T00:00:01Z")
    use(api, "a", 40)
    charge(api)

    assert before == ("1000", ["50"])
    assert (balance(api, wallet), credits_told(api, wallet)) == ("960", [("0.000000", MIDDLE)])


def test_a_credit_given_after_the_period_pays_it(api, wallet, clock):
    plan_id, _ = plan_of(api, "prepaid", "a")
    api.move(wallet, "debit", "1000", "withdrawal")
    subscription = subscribe(api, plan_id)
    use(api, "a", 60)
    clock("2027-02-05T00:00:00Z")
    paused = api.get(f"/v1/subscriptions/{subscription['id']}").json()["subscription"]["status"]

    grant(api, wallet, "60", expires_at="2027-02-06T00:00:00Z")
    work(api)

    assert paused == "paused"
    assert amounts(invoices(api)[0]) == ("paid", "60", "60", "0")


@pytest.mark.parametrize("expires_at", [END, "2027-02-03T00:00:00Z"])
def test_an_expired_credit_pays_its_period_again_after_a_void(api, wallet, clock, expires_at):
    plan_id, _ = plan_of(api, "postpaid", "a")
    subscription = subscribe(api, plan_id)
    grant(api, wallet, "40", expires_at=expires_at)
    use(api, "a", 60)
    clock("2027-02-10T00:00:00Z")
    first = invoices(api)[0]
    api.post(f"/v1/invoices/{first['id']}/void")
    voided = left(api, wallet)
    clock("2027-02-20T00:00:00Z")
    again = api.make(
        "/v1/invoices/generate",
        {"subscription_id": subscription["id"], "period_start": START},
        "invoice",
    )

    final = api.finalize(again["id"])

    assert amounts(first) == ("finalized", "60", "40", "20")
    assert voided == ["40"]
    assert amounts(final) == ("finalized", "60", "40", "20")
    assert left(api, wallet) == ["0"]


def test_what_came_back_to_an_expired_credit_pays_no_later_period_and_goes_in_the_end(
    api, wallet, clock
):
    plan_id, _ = plan_of(api, "postpaid", "a")
    subscribe(api, plan_id)
    grant(api, wallet, "40", expires_at=END)
    use(api, "a", 60)
    clock("2027-02-10T00:00:00Z")
    api.post(f"/v1/invoices/{invoices(api)[0]['id']}/void")
    use(api, "a", 70)
    clock("2027-03-01T00:00:00Z")
    later = (amounts(invoices(api)[1]), left(api, wallet))

    clock("2027-05-12T00:00:00Z")

    assert later == (("finalized", "70", "0", "70"), ["40"])
    assert left(api, wallet) == ["0"]


def test_a_paused_subscription_keeps_an_expired_credit_for_so_long_only(api, wallet, clock):
    plan_id, _ = plan_of(api, "prepaid", "a")
    subscription = subscribe(api, plan_id)
    grant(api, wallet, "100", expires_at=END)
    use(api, "a", 60)
    clock(MIDDLE)
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "paused"})
    clock("2027-04-20T00:00:00Z")
    kept = left(api, wallet)

    clock("2027-05-02T00:00:01Z")

    assert kept == ["100"]
    assert credits_told(api, wallet) == [("0.000000", "2027-05-02T00:00:00Z")]


def test_resuming_has_an_expired_credit_pay_what_was_used_before_the_pause(api, wallet, clock):
    plan_id, _ = plan_of(api, "prepaid", "a")
    subscription = subscribe(api, plan_id)
    grant(api, wallet, "100", expires_at=END)
    use(api, "a", 60)
    clock(MIDDLE)
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "paused"})
    clock("2027-02-10T00:00:00Z")

    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "active"})

    assert amounts(invoices(api)[0]) == ("paid", "60", "60", "0")
    assert (balance(api, wallet), left(api, wallet)) == ("1000", ["40"])


def test_credits_pay_a_postpaid_invoice_and_the_rest_is_due(api, wallet, clock):
    plan_id, _ = plan_of(api, "postpaid", "a")
    subscribe(api, plan_id)
    grant(api, wallet, "25")
    use(api, "a", 60)

    clock(END)
    grant(api, wallet, "500")
    work(api)

    (invoice,) = invoices(api)
    explained = api.get(f"/v1/invoices/{invoice['id']}/explain").json()["explanation"]
    assert amounts(invoice) == ("finalized", "60", "25", "35")
    assert (explained["amount_paid"], explained["amount_due"]) == ("25.000000", "35.000000")
    assert (balance(api, wallet), left(api, wallet)) == ("1000", ["0", "500"])


def test_credits_that_suffice_pay_a_postpaid_invoice_at_once(api, wallet, clock):
    plan_id, _ = plan_of(api, "postpaid", "a")
    subscribe(api, plan_id)
    grant(api, wallet, "100")
    use(api, "a", 60)

    clock(END)

    events = api.get("/v1/billing-events").json()["events"]
    told = next(one for one in events if one["type"] == "invoice.paid")["data"]["invoice"]
    assert amounts(invoices(api)[0]) == ("paid", "60", "60", "0")
    assert (told["amount_paid"], told["amount_due"]) == ("60.000000", "0.000000")
    assert (balance(api, wallet), left(api, wallet)) == ("1000", ["40"])


def test_credits_pay_an_interim_invoice_that_is_finalized_by_hand(api, wallet, clock):
    plan_id, _ = plan_of(api, "postpaid", "a")
    subscription = subscribe(api, plan_id)
    grant(api, wallet, "100")
    use(api, "a", 60)
    final = api.finalize(api.draft(subscription["id"])["id"])
    use(api, "a", 70)

    clock(END)

    assert amounts(final) == ("paid", "60", "60", "0")
    assert amounts(invoices(api)[1]) == ("finalized", "70", "40", "30")


def test_credits_pay_no_bill(api, wallet, clock):
    plan_id, _ = plan_of(api, "postpaid", "a", plan_type="payout")
    subscribe(api, plan_id)
    grant(api, wallet, "100")
    use(api, "a", 60)

    clock(END)

    (bill,) = api.get("/v1/bills").json()["bills"]
    assert (bill["status"], bill["total"]) == ("finalized", "60.000000")
    assert left(api, wallet) == ["100"]


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_a_wallet_that_is_not_active_pays_nothing_of_a_postpaid_invoice(api, wallet, clock, status):
    plan_id, _ = plan_of(api, "postpaid", "a")
    subscribe(api, plan_id)
    grant(api, wallet, "100")
    api.move(wallet, "debit", "1000", "withdrawal")
    api.patch(f"/v1/wallets/{wallet['id']}", json={"status": status})
    use(api, "a", 60)

    clock(END)

    assert amounts(invoices(api)[0]) == ("finalized", "60", "0", "60")
    assert left(api, wallet) == ["100"]


@pytest.mark.usefixtures("wallet")
def test_credits_in_another_currency_pay_nothing(api, clock):
    dollars = api.wallet(currency="USD")
    plan_id, _ = plan_of(api, "postpaid", "a")
    subscribe(api, plan_id)
    grant(api, dollars, "100")
    use(api, "a", 60)

    clock(END)

    assert amounts(invoices(api)[0]) == ("finalized", "60", "0", "60")
    assert left(api, dollars) == ["100"]


@pytest.mark.usefixtures("wallet")
def test_what_credits_leave_due_is_in_the_currencys_own_units(api, clock):
    francs = api.wallet(currency="XOF")
    plan_id, _ = plan_of(api, "postpaid", "a", currency="XOF")
    subscribe(api, plan_id)
    grant(api, francs, "10.5")
    use(api, "a", 60)

    clock(END)

    assert amounts(invoices(api)[0]) == ("finalized", "60", "10", "50")
    assert left(api, francs) == ["0.500000"]


@pytest.fixture(params=STATUSES)
def owed(request, api, backend, wallet, clock):
    """An invoice of 60, of which a credit paid 25, in each state in which the rest is due."""
    plan_id, _ = plan_of(api, "postpaid", "a")
    subscribe(api, plan_id)
    grant(api, wallet, "25")
    use(api, "a", 60)
    clock(END)
    (invoice,) = invoices(api)
    if request.param != "finalized":
        backend.sql("UPDATE invoices SET status = 'payment_failed' WHERE id = $1", invoice["id"])
    if request.param == "uncollectible":
        write_off(api, invoice["id"])
    return invoice


@pytest.mark.parametrize("how", ["void", "mark-paid"])
def test_what_credits_paid_of_a_postpaid_invoice_goes_back(api, owed, wallet, how):
    body = {"reference": "bank", "whole": True}
    answer = api.post(f"/v1/invoices/{owed['id']}/{how}", json=body)

    due = {"void": ("void", "60", "0", "0"), "mark-paid": ("paid", "60", "60", "0")}[how]
    assert amounts(answer.json()["invoice"]) == due
    assert (balance(api, wallet), left(api, wallet)) == ("1000", ["25"])


def test_the_revenue_report_tells_what_credits_paid(api, wallet, clock):
    plan_id, _ = plan_of(api, "postpaid", "a")
    subscribe(api, plan_id)
    grant(api, wallet, "25")
    use(api, "a", 60)
    clock(END)

    lines = api.get("/v1/reports/export").text.splitlines()

    told = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    assert (told["paid"], told["outstanding"]) == ("25.000000", "35.000000")


def revoke(api, wallet, credit):
    return api.post(f"/v1/wallets/{wallet['id']}/credits/{credit['id']}/revoke")


def test_a_credit_is_revoked_once_and_pays_nothing_more(api, wallet):
    plan_id, _ = plan_of(api, "realtime", "a")
    subscribe(api, plan_id)
    credit = grant(api, wallet, "100")
    use(api, "a", 30)
    charge(api)

    revoked, again = revoke(api, wallet, credit), revoke(api, wallet, credit)
    use(api, "a", 10)
    charge(api)

    told = revoked.json()["credit"]
    assert (revoked.status_code, again.status_code) == (200, 409)
    assert (told["remaining"], told["revoked_at"]) == ("0.000000", START)
    assert (balance(api, wallet), left(api, wallet)) == ("990", ["0"])


def test_what_comes_back_to_a_revoked_credit_is_taken_back_with_it(api, wallet, clock):
    plan_id, _ = plan_of(api, "realtime", "a")
    subscribe(api, plan_id)
    api.move(wallet, "debit", "1000", "withdrawal")
    credit = grant(api, wallet, "100")
    use(api, "a", 100)
    charge(api)
    revoke(api, wallet, credit)
    use(api, "a", -100)

    clock(END)

    assert (left(api, wallet), withdrawal(api, wallet)) == (["0"], 402)


def test_a_revoked_credit_does_not_expire(api, wallet, clock):
    credit = grant(api, wallet, "100", expires_at=MIDDLE)
    revoke(api, wallet, credit)

    clock(END)

    assert credits_told(api, wallet) == [("0.000000", None)]


def test_only_credits_of_the_wallet_can_be_revoked(api, wallet):
    credit = grant(api, wallet, "100")
    dollars = api.wallet(currency="USD")
    unknown = {"id": "0197b3c0-0000-7000-8000-000000000000"}

    answers = [revoke(api, dollars, credit), revoke(api, wallet, unknown)]

    assert [one.status_code for one in answers] == [404, 404]
    assert left(api, wallet) == ["100"]


def test_a_repeated_revocation_with_its_key_gets_the_first_answer(api, wallet):
    credit = grant(api, wallet, "100")
    path = f"/v1/wallets/{wallet['id']}/credits/{credit['id']}/revoke"
    key = {"Idempotency-Key": "revoke-1"}

    first, again = api.post(path, headers=key), api.post(path, headers=key)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_repeated_grant_is_told_as_it_was_after_its_revocation(api, wallet):
    body = {"amount": "5", "currency": "NGN", "idempotency_key": "g"}
    first = api.post(f"/v1/wallets/{wallet['id']}/credits", json=body)
    revoke(api, wallet, first.json()["credit"])

    again = api.post(f"/v1/wallets/{wallet['id']}/credits", json=body)

    assert again.json() == first.json()


def test_a_canceled_prepaid_invoice_waits_and_an_expired_credit_for_it_is_kept(api, wallet, clock):
    plan_id, _ = plan_of(api, "prepaid", "a")
    api.move(wallet, "debit", "1000", "withdrawal")
    subscription = subscribe(api, plan_id)
    grant(api, wallet, "40", expires_at="2027-01-20T00:00:00Z")
    use(api, "a", 60)
    clock(MIDDLE)
    cancel(api, subscription)
    clock("2027-01-25T00:00:00Z")

    api.move(wallet, "credit", "20", "deposit")
    work(api)

    assert amounts(invoices(api)[0]) == ("paid", "60", "60", "0")
    assert (balance(api, wallet), left(api, wallet)) == ("0", ["0"])

"""What waits for a wallet: who is paid first, by what, and what wakes them."""

import pytest

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
    work,
)

START = "2027-01-01T00:00:00Z"
MIDDLE = "2027-01-15T00:00:00Z"
END = "2027-02-01T00:00:00Z"
HOUR_LATER = "2027-02-01T01:00:00Z"


@pytest.fixture
def wallet(api, clock):
    """A customer's empty wallet, as the year begins."""
    clock(START)
    api.customer()
    return api.wallet()


@pytest.fixture(autouse=True)
def verified(api, backend):
    """Each of these stories ends with books that agree with each other."""
    yield
    assert faults(backend, api.tenant) == []


def status(api, subscription):
    return api.get(f"/v1/subscriptions/{subscription['id']}").json()["subscription"]["status"]


def deposit(api, wallet, amount):
    assert api.move(wallet, "credit", amount, "deposit").status_code == 200


def hold(api, wallet, amount, expires_at):
    body = {
        "amount": amount,
        "currency": "NGN",
        "idempotency_key": "hold",
        "expires_at": expires_at,
    }
    return api.make(f"/v1/wallets/{wallet['id']}/reservations", body, "reservation")


def short_invoice(api, clock, plan_id, amount, *, starts, ends):
    """A prepaid subscription that is canceled while its wallet is empty."""
    clock(starts)
    subscription = api.subscribe("c1", plan_id, start_date=starts)
    use(api, "a", amount)
    clock(ends)
    cancel(api, subscription)


@pytest.mark.parametrize("by", ["money", "credit"])
@pytest.mark.parametrize("is_canceled", [True, False])
def test_what_comes_pays_no_postpaid_invoice(api, wallet, clock, by, is_canceled):
    postpaid, _ = plan_of(api, "postpaid", "a")
    prepaid, _ = plan_of(api, "prepaid", "b")
    first = api.subscribe("c1", postpaid, start_date=START)
    use(api, "a", 60)
    clock(MIDDLE)
    cancel(api, first)
    second = api.subscribe("c1", prepaid, start_date=MIDDLE)
    use(api, "b", 70)
    clock("2027-01-20T00:00:00Z" if is_canceled else "2027-02-15T00:00:00Z")
    if is_canceled:
        cancel(api, second)

    if by == "money":
        deposit(api, wallet, "500")
    else:
        grant(api, wallet, "500")
    work(api)

    told = [amounts(one) for one in invoices(api)]
    assert told[:2] == [("finalized", "60", "0", "60"), ("paid", "70", "70", "0")]
    rest = (balance(api, wallet), left(api, wallet))
    assert rest == {"money": ("430", []), "credit": ("0", ["430"])}[by]


def test_the_older_of_two_waiting_invoices_is_paid_first(api, wallet, clock):
    plan_id, _ = plan_of(api, "prepaid", "a")
    short_invoice(
        api, clock, plan_id, 100, starts="2027-01-02T00:00:00Z", ends="2027-01-05T00:00:00Z"
    )
    short_invoice(
        api, clock, plan_id, 100, starts="2027-01-10T00:00:00Z", ends="2027-01-12T00:00:00Z"
    )

    deposit(api, wallet, "100")
    work(api)

    assert [amounts(one)[0] for one in invoices(api)] == ["paid", "finalized"]
    assert balance(api, wallet) == "0"


def test_a_credit_pays_the_first_of_two_waiting_invoices_and_not_the_other(api, wallet, clock):
    plan_id, _ = plan_of(api, "prepaid", "a")
    short_invoice(
        api, clock, plan_id, 80, starts="2027-01-02T00:00:00Z", ends="2027-01-05T00:00:00Z"
    )
    short_invoice(
        api, clock, plan_id, 80, starts="2027-01-10T00:00:00Z", ends="2027-01-12T00:00:00Z"
    )

    grant(api, wallet, "100")
    work(api)

    assert [amounts(one)[0] for one in invoices(api)] == ["paid", "finalized"]
    assert left(api, wallet) == ["20"]


def test_a_suspended_wallet_pays_no_period_and_pays_it_when_active_again(api, wallet, clock):
    plan_id, _ = plan_of(api, "prepaid", "a")
    subscription = api.subscribe("c1", plan_id, start_date=START)
    deposit(api, wallet, "500")
    api.patch(f"/v1/wallets/{wallet['id']}", json={"status": "suspended"})
    use(api, "a", 60)
    clock(END)
    suspended = (status(api, subscription), balance(api, wallet), amounts(invoices(api)[0])[0])

    api.patch(f"/v1/wallets/{wallet['id']}", json={"status": "active"})
    work(api)

    assert suspended == ("paused", "500", "draft")
    assert (status(api, subscription), balance(api, wallet)) == ("active", "440")


def test_a_suspended_wallet_pays_no_running_period(api, wallet):
    plan_id, _ = plan_of(api, "realtime", "a")
    subscription = api.subscribe("c1", plan_id, start_date=START)
    deposit(api, wallet, "500")
    grant(api, wallet, "500")
    api.patch(f"/v1/wallets/{wallet['id']}", json={"status": "suspended"})
    use(api, "a", 60)

    charge(api)

    assert (status(api, subscription), balance(api, wallet)) == ("paused", "500")
    assert left(api, wallet) == ["500"]


def test_held_money_that_comes_back_as_its_reservation_expires_resumes(api, wallet, clock):
    plan_id, _ = plan_of(api, "prepaid", "a")
    subscription = api.subscribe("c1", plan_id, start_date=START)
    deposit(api, wallet, "100")
    clock(MIDDLE)
    hold(api, wallet, "70", HOUR_LATER)
    use(api, "a", 60)
    clock(END)
    waiting = (status(api, subscription), balance(api, wallet))

    clock("2027-02-01T01:00:01Z")

    assert waiting == ("paused", "30")
    assert (status(api, subscription), balance(api, wallet)) == ("active", "40")


@pytest.mark.parametrize("settled", [("release", None, "40"), ("capture", {"amount": "40"}, "0")])
def test_held_money_that_is_not_spent_resumes(api, wallet, clock, settled):
    action, body, balance_left = settled
    plan_id, _ = plan_of(api, "prepaid", "a")
    subscription = api.subscribe("c1", plan_id, start_date=START)
    deposit(api, wallet, "100")
    clock(MIDDLE)
    held = hold(api, wallet, "70", "2027-02-10T00:00:00Z")
    use(api, "a", 60)
    clock(END)

    api.post(f"/v1/wallets/{wallet['id']}/reservations/{held['id']}/{action}", json=body)
    work(api)

    assert (status(api, subscription), balance(api, wallet)) == ("active", balance_left)


def test_a_credit_given_back_pays_what_waits(api, wallet, clock):
    plan_id, _ = plan_of(api, "realtime", "a")
    grant(api, wallet, "80")
    first = api.subscribe("c1", plan_id, start_date=START)
    use(api, "a", 100)
    charge(api)
    clock("2027-01-05T00:00:00Z")
    cancel(api, first)
    short_invoice(
        api, clock, plan_id, 70, starts="2027-01-10T00:00:00Z", ends="2027-01-12T00:00:00Z"
    )
    waiting = [amounts(one) for one in invoices(api)]

    api.post(f"/v1/invoices/{invoices(api)[0]['id']}/void")
    work(api)

    assert waiting == [("finalized", "100", "80", "20"), ("finalized", "70", "0", "70")]
    assert [amounts(one)[0] for one in invoices(api)] == ["void", "paid"]
    assert left(api, wallet) == ["10"]

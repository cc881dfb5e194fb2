"""A realtime period is charged as it opens; what was charged for one without length goes back."""

import pytest

from support.locks import hanging
from support.verification import faults
from support.wallets import balance, cancel, charge, grant, invoices, left, plan_of, use, work

START, MIDDLE = "2027-01-01T00:00:00Z", "2027-01-15T00:00:00Z"
END, HOUR_LATER = "2027-02-01T00:00:00Z", "2027-02-01T01:00:00Z"
DAY_LATER = "2027-02-02T00:00:00Z"
LOCKED_CUSTOMER = "SELECT 1 FROM customers WHERE id = $1 FOR UPDATE"
PATH = "/v1/subscriptions"
FEE = {"base_fee": "20", "base_fee_timing": "in_advance"}


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
    return api.subscribe("c1", plan_id, start_date=START, **fields)


def delete(api, subscription):
    assert api.delete(f"{PATH}/{subscription['id']}").status_code == 200


def change_plan(api, subscription):
    other = api.plan(name="Other")
    answer = api.patch(f"{PATH}/{subscription['id']}", json={"plan_id": other["id"]})
    assert answer.status_code == 200, answer.text


def status(api, subscription):
    return api.get(f"{PATH}/{subscription['id']}").json()["subscription"]["status"]


def event_types(api):
    listed = api.get("/v1/billing-events").json()["events"]
    return [one["type"] for one in listed if one["type"].startswith("subscription.")]


@pytest.mark.parametrize("undo", [cancel, delete, change_plan])
def test_what_was_charged_in_the_instant_of_the_start_goes_back(api, wallet, undo):
    plan_id, _ = plan_of(api, "realtime", "a", **FEE)
    grant(api, wallet, "100")
    subscription = subscribe(api, plan_id)
    use(api, "a", 140)
    charge(api)
    charged = balance(api, wallet), left(api, wallet)

    undo(api, subscription)
    work(api)

    assert charged == ("940", ["0"])
    assert (balance(api, wallet), left(api, wallet)) == ("1000", ["100"])
    assert invoices(api) == []


@pytest.mark.parametrize("undo", [cancel, delete, change_plan])
def test_what_was_charged_in_the_instant_of_a_boundary_goes_back(api, wallet, clock, undo):
    plan_id, _ = plan_of(api, "realtime", "a")
    subscription = subscribe(api, plan_id)
    use(api, "a", 10)
    clock(END)
    use(api, "a", 40)
    charge(api)
    charged = balance(api, wallet)

    undo(api, subscription)
    work(api)

    assert (charged, balance(api, wallet)) == ("950", "990")
    assert [one["total"] for one in invoices(api)] == ["10.000000"]


@pytest.mark.parametrize("undo", [cancel, delete, change_plan])
def test_what_goes_back_waits_for_the_customer_before_it_holds_the_wallet(
    api, backend, wallet, undo
):
    plan_id, _ = plan_of(api, "realtime", "a", **FEE)
    subscription = subscribe(api, plan_id)

    with hanging(backend, lambda: undo(api, subscription), LOCKED_CUSTOMER, wallet["customer_id"]):
        moved = api.move(wallet, "credit", "1", "deposit")

    assert moved.status_code == 200, moved.text
    assert balance(api, wallet) == "1001"


@pytest.mark.parametrize("undo", [cancel, delete])
def test_a_period_that_has_a_length_keeps_what_its_invoice_takes(api, wallet, clock, undo):
    plan_id, _ = plan_of(api, "realtime", "a", **FEE)
    subscription = subscribe(api, plan_id)
    use(api, "a", 40)
    charge(api)
    clock("2027-01-01T00:00:01Z")

    undo(api, subscription)

    assert [one["total"] for one in invoices(api)] == ["60.000000"]
    assert balance(api, wallet) == "940"


def test_one_that_was_paused_as_it_began_has_back_what_there_was(api, wallet):
    api.move(wallet, "debit", "985", "withdrawal")
    plan_id, _ = plan_of(api, "realtime", "a", **FEE)
    subscription = subscribe(api, plan_id)
    before = status(api, subscription), balance(api, wallet)

    cancel(api, subscription)

    assert (before, balance(api, wallet)) == (("paused", "0"), "15")
    assert invoices(api) == []


def test_a_fee_in_advance_is_charged_as_the_trial_ends(api, wallet, clock):
    plan_id, _ = plan_of(api, "realtime", "a", **FEE)
    subscribe(api, plan_id, trial_period_days=14)
    in_trial = balance(api, wallet)

    clock(MIDDLE)
    opened = balance(api, wallet)
    clock("2027-02-15T00:00:00Z")

    assert (in_trial, opened) == ("1000", "980")
    # The next period's fee comes with the invoice.
    assert [one["total"] for one in invoices(api)] == ["40.000000"]
    assert balance(api, wallet) == "960"


def test_a_fee_that_is_too_much_as_the_trial_ends_pauses(api, wallet, clock):
    api.move(wallet, "debit", "990", "withdrawal")
    plan_id, _ = plan_of(api, "realtime", "a", **FEE)
    subscription = subscribe(api, plan_id, trial_period_days=14)

    clock(MIDDLE)
    short = status(api, subscription), balance(api, wallet)
    api.move(wallet, "credit", "30", "deposit")
    work(api)

    assert short == ("paused", "0")
    assert (status(api, subscription), balance(api, wallet)) == ("active", "20")
    assert event_types(api).count("subscription.realtime_balance_exhausted") == 1


@pytest.mark.parametrize("funds", [None, "965"])
def test_usage_that_came_in_grace_is_charged_as_the_next_period_opens(api, wallet, clock, funds):
    api.patch("/v1/organization", json={"event_ingestion_grace_period_hours": 24})
    plan_id, _ = plan_of(api, "realtime", "a")
    subscription = subscribe(api, plan_id)
    use(api, "a", 10)
    charge(api)
    if funds:
        api.move(wallet, "debit", funds, "withdrawal")
    clock(HOUR_LATER)
    use(api, "a", 40)
    charge(api)
    in_grace = balance(api, wallet)

    clock(DAY_LATER)

    assert in_grace == ("25" if funds else "990")
    assert balance(api, wallet) == ("0" if funds else "950")
    assert status(api, subscription) == ("paused" if funds else "active")
    assert [one["total"] for one in invoices(api)] == ["10.000000"]

"""What credits paid goes back to the grants that paid it, and never becomes money."""

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
    withdrawal,
    work,
)

START = "2027-01-01T00:00:00Z"
MIDDLE = "2027-01-15T00:00:00Z"
END = "2027-02-01T00:00:00Z"


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


def subscribe(api, plan_id):
    return api.subscribe("c1", plan_id, start_date=START)


def settle(api, invoice, how, **body):
    answer = api.post(f"/v1/invoices/{invoice['id']}/{how}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["invoice"]


def test_a_cancel_before_the_event_gives_the_credit_back(api, wallet, clock):
    plan_id, _ = plan_of(api, "realtime", "a")
    subscription = subscribe(api, plan_id)
    grant(api, wallet, "100")
    clock(MIDDLE)
    use(api, "a", 100, timestamp="2027-01-15T00:30:00Z")
    charge(api)
    charged = left(api, wallet)

    cancel(api, subscription)

    assert charged == ["0"]
    assert left(api, wallet) == ["100"]
    assert (balance(api, wallet), withdrawal(api, wallet)) == ("0", 402)


def test_a_negative_event_gives_the_credit_back(api, wallet, clock):
    plan_id, _ = plan_of(api, "realtime", "a")
    subscribe(api, plan_id)
    grant(api, wallet, "100")
    use(api, "a", 100)
    charge(api)
    use(api, "a", -100)
    charge(api)

    clock(END)

    assert left(api, wallet) == ["100"]
    assert (balance(api, wallet), withdrawal(api, wallet)) == ("0", 402)


@pytest.mark.parametrize(
    ("how", "amounts_told"),
    [("void", ("void", "200", "0", "0")), ("mark-paid", ("paid", "200", "200", "0"))],
)
def test_what_credits_paid_of_an_invoice_settled_elsewhere_goes_back(
    api, wallet, clock, how, amounts_told
):
    plan_id, _ = plan_of(api, "realtime", "a")
    subscription = subscribe(api, plan_id)
    grant(api, wallet, "100")
    use(api, "a", 200)
    charge(api)
    clock(MIDDLE)
    cancel(api, subscription)
    (invoice,) = invoices(api)

    settled = settle(api, invoice, how, reference="bank", whole=True)

    assert amounts(invoice) == ("finalized", "200", "100", "100")
    assert amounts(settled) == amounts_told
    assert left(api, wallet) == ["100"]
    assert (balance(api, wallet), withdrawal(api, wallet)) == ("0", 402)


def test_what_was_due_is_marked_as_paid_and_nothing_goes_back(api, wallet, clock):
    plan_id, _ = plan_of(api, "realtime", "a")
    subscription = subscribe(api, plan_id)
    grant(api, wallet, "60")
    api.move(wallet, "credit", "40", "deposit")
    use(api, "a", 200)
    charge(api)
    clock(MIDDLE)
    cancel(api, subscription)
    (invoice,) = invoices(api)

    settled = settle(api, invoice, "mark-paid", reference="bank")

    assert amounts(settled) == ("paid", "200", "200", "0")
    assert (left(api, wallet), balance(api, wallet)) == (["0"], "0")


def test_each_source_of_a_voided_invoice_has_back_what_it_paid(api, wallet, clock):
    plan_id, _, b = plan_of(api, "realtime", "a", "b")
    subscription = subscribe(api, plan_id)
    grant(api, wallet, "30", metric_ids=[b])
    grant(api, wallet, "25")
    api.move(wallet, "credit", "40", "deposit")
    use(api, "a", 50)
    use(api, "b", 70)
    charge(api)
    clock(MIDDLE)
    cancel(api, subscription)
    (invoice,) = invoices(api)
    taken = (left(api, wallet), balance(api, wallet))

    settle(api, invoice, "void")

    assert amounts(invoice) == ("finalized", "120", "95", "25")
    assert taken == (["0", "0"], "0")
    assert (left(api, wallet), balance(api, wallet)) == (["30", "25"], "40")


def test_usage_of_a_limited_credits_metric_that_is_taken_back_gives_the_credit_back(
    api, wallet, clock
):
    plan_id, _, b = plan_of(api, "realtime", "a", "b")
    subscribe(api, plan_id)
    api.move(wallet, "credit", "1000", "deposit")
    use(api, "a", 100)
    charge(api)
    grant(api, wallet, "50", metric_ids=[b])
    use(api, "b", 50)
    charge(api)
    charged = (balance(api, wallet), left(api, wallet))
    use(api, "b", -50)
    charge(api)

    clock(END)

    assert charged == ("900", ["0"])
    assert (balance(api, wallet), left(api, wallet)) == ("900", ["50"])
    assert amounts(invoices(api)[0]) == ("paid", "100", "100", "0")


def test_an_excess_goes_to_money_before_credits_for_anything(api, wallet, clock):
    plan_id, _ = plan_of(api, "realtime", "a")
    subscribe(api, plan_id)
    grant(api, wallet, "60")
    api.move(wallet, "credit", "100", "deposit")
    use(api, "a", 100)
    charge(api)
    use(api, "a", -70)

    clock(END)

    assert (balance(api, wallet), left(api, wallet)) == ("100", ["30"])


def test_the_credit_used_last_has_its_excess_back_first(api, wallet, clock):
    plan_id, _ = plan_of(api, "realtime", "a")
    subscribe(api, plan_id)
    grant(api, wallet, "50", priority=2)
    grant(api, wallet, "50", priority=1)
    use(api, "a", 80)
    charge(api)
    use(api, "a", -40)

    clock(END)

    assert left(api, wallet) == ["50", "10"]


def test_usage_that_moves_to_another_metric_is_paid_by_money(api, wallet, clock):
    plan_id, _, b = plan_of(api, "realtime", "a", "b")
    subscribe(api, plan_id)
    api.move(wallet, "credit", "100", "deposit")
    grant(api, wallet, "50", metric_ids=[b])
    use(api, "b", 50)
    charge(api)
    use(api, "b", -50)
    use(api, "a", 50)
    charge(api)

    clock(END)

    assert amounts(invoices(api)[0]) == ("paid", "50", "50", "0")
    assert (balance(api, wallet), left(api, wallet)) == ("50", ["50"])


def test_what_an_interim_invoice_leaves_pays_the_next_one(api, wallet, clock):
    plan_id, _ = plan_of(api, "realtime", "a")
    subscription = subscribe(api, plan_id)
    grant(api, wallet, "60")
    api.move(wallet, "credit", "100", "deposit")
    use(api, "a", 100)
    charge(api)
    use(api, "a", -50)
    interim = api.finalize(api.draft(subscription["id"])["id"])
    use(api, "a", 30)

    clock(END)

    # Of 60 and 40 that were charged, 50 pay the interim, 30 the closing, and 20 of money go back.
    assert amounts(interim) == ("paid", "50", "50", "0")
    assert [amounts(one)[1] for one in invoices(api)] == ["50", "30"]
    assert (balance(api, wallet), left(api, wallet)) == ("80", ["0"])


def test_a_credit_given_back_pays_again(api, wallet, clock):
    plan_id, _ = plan_of(api, "realtime", "a")
    subscription = subscribe(api, plan_id)
    grant(api, wallet, "100")
    use(api, "a", 100)
    charge(api)
    use(api, "a", -100)
    clock(MIDDLE)
    cancel(api, subscription)
    api.subscribe("c1", plan_id, start_date=MIDDLE)
    use(api, "a", 70)

    work(api)

    assert (left(api, wallet), balance(api, wallet)) == (["30"], "0")


@pytest.mark.parametrize(
    ("billing_mode", "money", "given"),
    [("postpaid", "1000", "100"), ("prepaid", "1000", "100"), ("realtime", "960", "0")],
)
def test_a_plan_changed_as_its_period_begins_gives_back_what_was_charged(  # noqa: PLR0917 - parametrized
    api, wallet, clock, billing_mode, money, given
):
    api.move(wallet, "credit", "1000", "deposit")
    grant(api, wallet, "100")
    plan_id, metric_id = plan_of(api, "realtime", "a")
    subscription = subscribe(api, plan_id)
    use(api, "a", 140)
    charge(api)
    charged = balance(api, wallet), left(api, wallet)
    price = {"metric_id": metric_id, "model": "flat_unit", "unit_price": "1"}
    other = api.plan(price, billing_mode=billing_mode)

    answer = api.patch(f"/v1/subscriptions/{subscription['id']}", json={"plan_id": other["id"]})
    charge(api)

    assert answer.status_code == 200, answer.text
    assert charged == ("960", ["0"])
    assert (balance(api, wallet), left(api, wallet)) == (money, [given])
    clock(END)
    work(api)
    (invoice,) = invoices(api)
    assert (invoice["total"], left(api, wallet)) == ("140.000000", ["0"])
    assert balance(api, wallet) == ("1000" if billing_mode == "postpaid" else "960")


def test_an_exhausted_subscription_is_resumed_only_by_paying_what_is_due(api, wallet):
    plan_id, _ = plan_of(api, "realtime", "a")
    subscription = subscribe(api, plan_id)
    api.move(wallet, "credit", "100", "deposit")
    use(api, "a", 150)
    charge(api)
    api.move(wallet, "credit", "20", "deposit")

    refused = api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "active"})

    assert (refused.status_code, balance(api, wallet)) == (402, "20")
    api.move(wallet, "credit", "40", "deposit")
    resumed = api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "active"})
    assert resumed.json()["subscription"]["status"] == "active"
    assert balance(api, wallet) == "10"

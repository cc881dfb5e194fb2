"""Cost alerts: what the upcoming invoice shows, with what was invoiced of the period already."""

import pytest

from support.alerts import alert, reached, settle, states
from support.api import event


def use(api, count, key="use", **fields):
    api.ingest(*(event(f"{key}-{number}", **fields) for number in range(count)))


@pytest.fixture
def world(api):
    """A customer who pays 2 for each call."""
    customer, _, plan, subscription = api.subscribed_customer()
    settle(api)
    return api, customer, plan, subscription


def test_a_cost_is_what_the_upcoming_invoice_shows(world):
    api, _, plan, subscription = world
    made = alert(api, "cost_exceeded", "plan", plan["id"], "10", "20", "30")
    settle(api)
    assert (made["currency"], made["thresholds"][0]["value"]) == ("NGN", "10.000000")

    use(api, 11)
    settle(api)

    upcoming = api.get(f"/v1/subscriptions/{subscription['id']}/upcoming-invoice").json()
    assert reached(api) == ["10.000000", "20.000000"]
    assert {one["value"] for one in states(api)} == {upcoming["upcoming_invoice"]["total"]}


def test_what_was_invoiced_in_the_period_counts(world):
    api, _, _, subscription = world
    alert(api, "cost_exceeded", "subscription", subscription["id"], "15")
    use(api, 5)
    api.finalize(api.draft(subscription["id"])["id"])
    settle(api)
    assert reached(api) == []

    use(api, 3, "more")
    settle(api)

    assert [(one["threshold"]["value"], one["value"]) for one in states(api)] == [
        ("15.000000", "16.000000")
    ]


def test_a_new_period_costs_anew(world, clock):
    api, customer, _, subscription = world
    alert(api, "cost_exceeded", "customer", customer["id"], "10", currency="NGN")
    settle(api)
    use(api, 5)
    clock(subscription["current_period_end"])
    assert reached(api) == ["10.000000"]

    use(api, 4, "next")
    settle(api)
    assert reached(api) == ["10.000000"]
    use(api, 1, "last")
    settle(api)

    assert reached(api) == ["10.000000", "10.000000"]


def test_a_customers_cost_in_another_currency_is_another_one(world):
    api, customer, _, _ = world
    alert(api, "cost_exceeded", "customer", customer["id"], "1", currency="KES")
    settle(api)

    use(api, 5)
    settle(api)

    assert reached(api) == []


def test_a_trial_costs_nothing(api):
    api.customer()
    price = {"metric_id": api.metric()["id"], "model": "flat_unit", "unit_price": "2"}
    plan = api.plan(price, trial_period_days=7)
    api.subscribe("c1", plan["id"])
    alert(api, "cost_exceeded", "plan", plan["id"], "1")
    settle(api)

    use(api, 5)
    settle(api)

    assert reached(api) == []

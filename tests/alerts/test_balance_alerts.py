"""Alerts of balances: below a threshold once, until the balance is back."""

import pytest

from support.alerts import alert, reached, settle, states, told


@pytest.fixture
def world(api):
    """A customer with 100 in the wallet, who is on a plan."""
    customer, _, plan, subscription = api.subscribed_customer()
    return api, customer, plan, subscription, api.wallet(funds="100")


def test_a_balance_falls_below_thresholds_in_order(world):
    api, customer, _, _, wallet = world
    alert(api, "wallet_balance_dropped", "customer", customer["id"], "50", "20", currency="NGN")
    settle(api)

    api.move(wallet, "debit", "50")
    settle(api)
    assert reached(api) == []
    api.move(wallet, "debit", "45")
    settle(api)

    assert reached(api) == ["50.000000", "20.000000"]
    assert [(one["wallet_id"], one["value"]) for one in told(api)] == [
        (wallet["id"], "5.000000"),
        (wallet["id"], "5.000000"),
    ]


def test_a_balance_that_is_back_can_fall_again(world):
    api, _, plan, _, wallet = world
    alert(api, "wallet_balance_dropped", "plan", plan["id"], "50", "20")
    settle(api)
    api.move(wallet, "debit", "90")
    settle(api)

    api.move(wallet, "credit", "15", "deposit")
    settle(api)
    assert reached(api) == ["50.000000", "20.000000"]
    api.move(wallet, "debit", "10")
    settle(api)
    assert reached(api) == ["50.000000", "20.000000", "20.000000"]
    api.move(wallet, "credit", "100", "deposit")
    settle(api)

    assert {one["status"] for one in states(api)} == {"resolved"}


def test_what_is_to_be_acknowledged_stays_open_though_the_balance_is_back(world):
    api, _, _, subscription, wallet = world
    made = alert(
        api,
        "wallet_balance_dropped",
        "subscription",
        subscription["id"],
        "50",
        require_acknowledgment=True,
    )
    settle(api)
    api.move(wallet, "debit", "90")
    settle(api)

    api.move(wallet, "credit", "90", "deposit")
    settle(api)

    assert [one["status"] for one in states(api)] == ["triggered"]
    assert api.get(f"/v1/alerts/{made['id']}").json()["alert"]["status"] == "triggered"


def test_a_balance_that_is_low_already_counts_as_the_alert_is_made(world):
    api, customer, _, _, _ = world

    alert(api, "wallet_balance_dropped", "customer", customer["id"], "500")
    settle(api)

    assert [(one["currency"], one["value"]) for one in states(api)] == [("NGN", "100.000000")]


def test_a_wallet_in_another_currency_is_not_watched(world):
    api, customer, _, _, _ = world
    alert(api, "wallet_balance_dropped", "customer", customer["id"], "500", currency="KES")
    settle(api)

    assert reached(api) == []

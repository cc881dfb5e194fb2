"""Charges against simulated providers over HTTP: money is counted once, whatever goes wrong."""

import pytest

from monigo.payments.charges import ChargeState
from support.charges import Till
from support.payments import PROVIDERS


@pytest.fixture(params=PROVIDERS)
def till(request, api, connections):
    return Till(api, connections[request.param])


def test_a_link_is_paid(till):
    charge = till.submit(till.checkout())

    assert charge.state is ChargeState.NEEDS_ACTION
    assert charge.url.startswith("http")
    till.pay(charge)
    charge = till.submit(charge)
    assert charge.state is ChargeState.SUCCEEDED
    (payment,) = till.payments()
    assert (payment["amount"], payment["charge_id"]) == (charge.amount.amount, charge.id)


def test_a_saved_card_is_pulled(till):
    method = till.card()

    charge = till.submit(till.pull(method, "700"))

    assert charge.state is ChargeState.SUCCEEDED
    assert [row["amount"] for row in till.payments()] == [2500, 700]

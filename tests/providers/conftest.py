"""A simulator for a module's tests, and one with a listener for webhooks."""

import pytest

from support.simulator import Listener, simulation


@pytest.fixture(scope="module")
def running():
    with simulation() as found:
        yield found


@pytest.fixture
def simulated(running):
    """The running simulator, with nothing in its books."""
    running.control("clear")
    for provider in ("paystack", "flutterwave", "monnify"):
        running.forget_listener(provider)
    return running


@pytest.fixture
def listener():
    made = Listener()
    yield made
    made.close()

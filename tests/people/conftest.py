"""People of one's own for each test, and a clock that is set right afterwards."""

import pytest

from support.people import Person


@pytest.fixture(autouse=True)
def _clock_set_right(backend):
    yield
    backend.clock.reset()


@pytest.fixture
def person(backend):
    """Somebody who has not registered yet."""
    with Person(backend) as somebody:
        yield somebody


@pytest.fixture
def ada(backend):
    """Somebody who has just signed in."""
    with Person.signed_in(backend) as somebody:
        yield somebody


@pytest.fixture
def bola(backend):
    """Somebody else who has."""
    with Person.signed_in(backend) as somebody:
        yield somebody

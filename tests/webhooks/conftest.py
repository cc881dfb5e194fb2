"""A merchant's server that takes webhooks."""

import pytest

from support.hooks import Receiver


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()

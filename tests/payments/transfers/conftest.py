"""Transfers alone: nobody above them has a say, so that what they pay may be anything."""

import pytest

from monigo.bootstrap.registry import REGISTRY
from monigo.payments import transfers


@pytest.fixture(autouse=True)
def _without_bills(monkeypatch):
    monkeypatch.setitem(REGISTRY.sources, transfers.TransferSubmission, ())

"""Flutterwave v3 as the simulator speaks it: major units, words without codes, a literal hash."""

from monigo.providers.simulator.flutterwave import collection, payouts
from monigo.providers.simulator.flutterwave.shapes import SHAPES, event
from monigo.providers.simulator.protocol import Protocol

PROTOCOL = Protocol(
    SHAPES, "/flutterwave/v3", (*collection.ROUTES, *payouts.ROUTES), event, is_retried=False
)

"""Monnify as the simulator speaks it: naira, tokens, refusals under 200, HMAC-SHA512."""

from monigo.providers.simulator.monnify import collection, payouts
from monigo.providers.simulator.monnify.shapes import SHAPES, event
from monigo.providers.simulator.protocol import Protocol

PROTOCOL = Protocol(
    SHAPES, "/monnify", (*collection.ROUTES, *payouts.ROUTES), event, is_retried=True
)

"""Paystack as the simulator speaks it: subunits, 200 for what failed, HMAC-SHA512 by the key."""

from monigo.providers.simulator.paystack import collection, payouts
from monigo.providers.simulator.paystack.shapes import SHAPES, event
from monigo.providers.simulator.protocol import Protocol

PROTOCOL = Protocol(
    SHAPES, "/paystack", (*collection.ROUTES, *payouts.ROUTES), event, is_retried=True
)

"""WhatsApp's Cloud API as the simulator speaks it: messages by templates, and their statuses."""

from monigo.providers.simulator.protocol import Protocol
from monigo.providers.simulator.whatsapp.messaging import ROUTES
from monigo.providers.simulator.whatsapp.shapes import SHAPES, event

PROTOCOL = Protocol(SHAPES, "/whatsapp", ROUTES, event, is_retried=True)

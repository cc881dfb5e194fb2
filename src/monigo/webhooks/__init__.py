"""Webhooks: facts as billing events, the endpoints that take them, and their delivery."""

from monigo.webhooks import deliveries, endpoints
from monigo.webhooks.deliveries import ATTEMPTS_MAX, Attempt, Delivery, DeliveryStatus
from monigo.webhooks.endpoints import DisabledReason, Endpoint, EndpointChanges, Issued
from monigo.webhooks.projection import body_of, public_name, shape_of
from monigo.webhooks.service import Webhooks, list_page, verify
from monigo.webhooks.types import BillingEvent, EventType, WebhookBody

__all__ = [
    "ATTEMPTS_MAX",
    "Attempt",
    "BillingEvent",
    "Delivery",
    "DeliveryStatus",
    "DisabledReason",
    "Endpoint",
    "EndpointChanges",
    "EventType",
    "Issued",
    "WebhookBody",
    "Webhooks",
    "body_of",
    "deliveries",
    "endpoints",
    "list_page",
    "public_name",
    "shape_of",
    "verify",
]

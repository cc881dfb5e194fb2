"""Billing events, which merchants receive: a projection of facts."""

from monigo.webhooks.projection import public_name
from monigo.webhooks.service import list_page, verify
from monigo.webhooks.types import BillingEvent, EventType

__all__ = [
    "BillingEvent",
    "EventType",
    "list_page",
    "public_name",
    "verify",
]

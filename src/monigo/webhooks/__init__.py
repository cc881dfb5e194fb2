"""Billing events, which merchants receive: a projection of facts."""

from monigo.webhooks.service import BILLING_EVENTS, FORGET, list_page, verify
from monigo.webhooks.types import BillingEvent, EventType

__all__ = [
    "BILLING_EVENTS",
    "FORGET",
    "BillingEvent",
    "EventType",
    "list_page",
    "verify",
]

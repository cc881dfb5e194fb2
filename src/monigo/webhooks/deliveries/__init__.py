"""Deliveries: events on their way to endpoints, each attempt logged."""

from monigo.webhooks.deliveries.listening import listen
from monigo.webhooks.deliveries.posting import RESPONSE_BYTES_MAX
from monigo.webhooks.deliveries.rules import ATTEMPTS_MAX, RETRIED_AFTER, signatures
from monigo.webhooks.deliveries.sending import RETRY, SEND, Sender
from monigo.webhooks.deliveries.service import (
    FORGET,
    KEPT_FOR,
    SUBSCRIBER,
    TEST_TYPE,
    get,
    list_page,
    retry,
    send_test,
)
from monigo.webhooks.deliveries.types import Attempt, Delivery, DeliveryStatus

__all__ = [
    "ATTEMPTS_MAX",
    "FORGET",
    "KEPT_FOR",
    "RESPONSE_BYTES_MAX",
    "RETRIED_AFTER",
    "RETRY",
    "SEND",
    "SUBSCRIBER",
    "TEST_TYPE",
    "Attempt",
    "Delivery",
    "DeliveryStatus",
    "Sender",
    "get",
    "list_page",
    "listen",
    "retry",
    "send_test",
    "signatures",
]

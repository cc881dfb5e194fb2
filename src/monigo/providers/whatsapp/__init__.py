"""WhatsApp: the client of the Cloud API, and its webhooks."""

from monigo.providers.whatsapp.answers import OBJECT_CODE, TOKEN_CODES
from monigo.providers.whatsapp.client import WhatsAppClient
from monigo.providers.whatsapp.hooks import SIGNATURE_HEADER, is_signed, read_hook
from monigo.providers.whatsapp.types import (
    Accepted,
    Advice,
    Hook,
    Keys,
    NoAnswer,
    NotSent,
    Outcome,
    PhoneNumber,
    Received,
    Refused,
    Status,
    StatusReport,
    TemplateMessage,
)

__all__ = [
    "OBJECT_CODE",
    "SIGNATURE_HEADER",
    "TOKEN_CODES",
    "Accepted",
    "Advice",
    "Hook",
    "Keys",
    "NoAnswer",
    "NotSent",
    "Outcome",
    "PhoneNumber",
    "Received",
    "Refused",
    "Status",
    "StatusReport",
    "TemplateMessage",
    "WhatsAppClient",
    "is_signed",
    "read_hook",
]

"""The facts of endpoints."""

from datetime import datetime

from monigo.core.ids import WebhookEndpointId
from monigo.infra.outbox import Fact


class WebhookEndpointDisabled(Fact, frozen=True, kw_only=True):
    """An endpoint took nothing for too long, and gets no more events."""

    subject = "webhook_endpoint"
    subject_field = "endpoint_id"
    endpoint_id: WebhookEndpointId
    failing_since: datetime

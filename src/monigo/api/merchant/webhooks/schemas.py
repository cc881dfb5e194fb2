"""Webhook endpoints and deliveries on the wire. A secret goes out once, as it is made."""

from typing import Annotated, Self
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType
from pydantic import ConfigDict, Field

from monigo.api.kernel.changes import Changes
from monigo.api.kernel.wire.incoming import Incoming, Text
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing
from monigo.core.ids import OrganizationId, WebhookDeliveryId, WebhookEndpointId
from monigo.infra.db import Transaction
from monigo.webhooks import (
    ATTEMPTS_MAX,
    Attempt,
    Delivery,
    DeliveryStatus,
    DisabledReason,
    Endpoint,
    EndpointChanges,
    Issued,
)

KEY_FORM = (
    "`whsec_` and 24 to 64 bytes as base64, or 16 to 200 other signs; the one before signs, too,"
    " for 72 hours more"
)


class _EndpointFields(Incoming):
    events: list[Text] | None = Field(
        default=None,
        description="types of events, or beginnings of several such as `invoice.*`; `*` for all",
        examples=[["invoice.*", "payment.success"]],
    )
    enabled: bool | None = None
    secret_key: Text | None = Field(default=None, description=KEY_FORM)

    def with_url(self, url: str | None) -> EndpointChanges:
        """What is to be changed; an empty secret is one that was not sent."""
        return EndpointChanges(
            url=url,
            events=None if self.events is None else tuple(dict.fromkeys(self.events)),
            is_enabled=self.enabled,
            secret=self.secret_key or None,
        )


class EndpointUpdate(_EndpointFields):
    """Changes of an endpoint; what is not sent stays as it is."""

    url: Text | None = Field(default=None, examples=["https://shop.example/hooks/monigo"])

    def changes(self) -> EndpointChanges:
        """What is to be changed."""
        return self.with_url(self.url)


class EndpointIn(_EndpointFields):
    """An endpoint to make. Without `events` it gets all; without `secret_key` a random one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"url": "https://shop.example/hooks/monigo", "events": ["invoice.*"]},
            ]
        }
    )

    url: Text = Field(examples=["https://shop.example/hooks/monigo"])

    def changes(self) -> EndpointChanges:
        """What the endpoint is to be."""
        return self.with_url(self.url)


class EndpointOut(Outgoing, frozen=True):
    """An endpoint. `secret_key` is shown when it is made, and never again."""

    id: WebhookEndpointId
    org_id: OrganizationId
    url: str
    events: tuple[str, ...]
    enabled: bool
    disabled_reason: DisabledReason
    failing_since: Annotated[
        Instant | None, Meta(description="the first failure after which nothing succeeded")
    ]
    previous_secret_until: Annotated[
        Instant | None, Meta(description="until then the secret before signs, too")
    ]
    is_test: bool
    created_at: Instant
    updated_at: Instant
    secret_key: Annotated[str | UnsetType, Meta(description="shown once")] = UNSET

    @classmethod
    def of(cls, tx: Transaction, endpoint: Endpoint) -> Self:
        """The wire form, without the secret."""
        return cls(
            id=endpoint.id,
            org_id=tx.org_id,
            url=endpoint.url,
            events=endpoint.events,
            enabled=endpoint.is_enabled,
            disabled_reason=endpoint.disabled_reason,
            failing_since=endpoint.failing_since,
            previous_secret_until=endpoint.previous_until,
            is_test=tx.is_test,
            created_at=endpoint.created_at,
            updated_at=endpoint.updated_at,
        )

    @classmethod
    def of_issued(cls, tx: Transaction, issued: Issued) -> Self:
        """The wire form with the secret."""
        return msgspec.structs.replace(cls.of(tx, issued.endpoint), secret_key=issued.secret)


WEBHOOK_ENDPOINT = Changes("webhook_endpoint", Endpoint, EndpointOut.of)


class EndpointEnvelope(Outgoing, frozen=True):
    """One endpoint."""

    webhook_endpoint: EndpointOut


class EndpointList(ListEnvelope, frozen=True):
    """Endpoints, newest first."""

    webhook_endpoints: list[EndpointOut]


class AttemptOut(Outgoing, frozen=True):
    """A request to an endpoint, and what came back; `response_status` is null where nothing did.

    Of a response the first 4,096 bytes are kept. An attempt without an error succeeded.
    """

    number: int
    url: str
    request_headers: dict[str, str]
    response_status: int | None
    response_body: str
    error: str
    duration_ms: int
    attempted_at: Instant

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """The wire form."""
        return cls(
            number=attempt.number,
            url=attempt.url,
            request_headers=dict(attempt.request_headers),
            response_status=attempt.response_status,
            response_body=attempt.response_body,
            error=attempt.error,
            duration_ms=attempt.duration_ms,
            attempted_at=attempt.attempted_at,
        )


class DeliveryOut(Outgoing, frozen=True):
    """An event's delivery to an endpoint, with its last attempt; `history` has them all."""

    id: WebhookDeliveryId
    org_id: OrganizationId
    endpoint_id: WebhookEndpointId
    event_id: UUID
    event_type: str
    status: DeliveryStatus
    attempts: int
    url: str
    request_headers: dict[str, str]
    request_body: str
    response_status: int | None
    response_body: str
    error: str
    duration_ms: int | None
    next_attempt_at: Instant | None
    retry_of: Annotated[
        WebhookDeliveryId | None, Meta(description="the delivery that was sent again by hand")
    ]
    created_at: Instant
    updated_at: Instant
    history: Annotated[
        list[AttemptOut] | UnsetType, Meta(description="of one delivery; not in lists")
    ] = UNSET

    @classmethod
    def of(cls, tx: Transaction, delivery: Delivery) -> Self:
        """The wire form."""
        last = delivery.history[-1] if delivery.history else None
        attempted_at = last.attempted_at if last else delivery.created_at
        return cls(
            id=delivery.id,
            org_id=tx.org_id,
            endpoint_id=delivery.endpoint_id,
            event_id=delivery.event_id,
            event_type=delivery.event_type,
            status=delivery.status,
            attempts=delivery.attempts,
            url=last.url if last else "",
            request_headers=dict(last.request_headers) if last else {},
            request_body=delivery.body,
            response_status=last.response_status if last else None,
            response_body=last.response_body if last else "",
            error=_error_of(delivery),
            duration_ms=last.duration_ms if last else None,
            next_attempt_at=delivery.next_attempt_at,
            retry_of=delivery.retry_of,
            created_at=delivery.created_at,
            updated_at=delivery.ended_at or attempted_at,
        )

    @classmethod
    def whole(cls, tx: Transaction, delivery: Delivery) -> Self:
        """The wire form with all attempts."""
        history = [AttemptOut.of(one) for one in delivery.history]
        return msgspec.structs.replace(cls.of(tx, delivery), history=history)


def _error_of(delivery: Delivery) -> str:
    """Why an event was not taken: what failed last, or that there was nobody to take it."""
    if delivery.status is DeliveryStatus.FAILED and delivery.attempts < ATTEMPTS_MAX:
        return "the endpoint was disabled or deleted"
    return delivery.history[-1].error if delivery.history else ""


class DeliveryEnvelope(Outgoing, frozen=True):
    """One delivery."""

    delivery_log: DeliveryOut


class DeliveryList(ListEnvelope, frozen=True):
    """Deliveries of the last thirty days, newest first."""

    delivery_logs: list[DeliveryOut]


class DeliveryShown(Outgoing, frozen=True):
    """What the audit log has of a delivery: which event, and to whom."""

    id: WebhookDeliveryId
    endpoint_id: WebhookEndpointId
    event_id: UUID
    event_type: str
    next_attempt_at: Instant | None
    retry_of: WebhookDeliveryId | None

    @classmethod
    def of(cls, _tx: Transaction, delivery: Delivery) -> Self:
        """The wire form."""
        return cls(
            id=delivery.id,
            endpoint_id=delivery.endpoint_id,
            event_id=delivery.event_id,
            event_type=delivery.event_type,
            next_attempt_at=delivery.next_attempt_at,
            retry_of=delivery.retry_of,
        )


WEBHOOK_DELIVERY = Changes("webhook_delivery", Delivery, DeliveryShown.of)

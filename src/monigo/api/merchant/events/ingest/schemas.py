"""The ingest route in OpenAPI's words, which the framework can't find out of bare ASGI."""

from typing import Annotated, Any

from msgspec import Meta, Raw, Struct, field

from monigo.api.kernel.http.errors import ERROR_RESPONSES, ErrorBody
from monigo.api.kernel.wire.openapi import content_of, described
from monigo.core.access import Permission
from monigo.metering import Event, IngestResult

# For documentation; `metering` decodes and checks events itself.
_Text = Annotated[str, Meta(min_length=1, max_length=255)]


class EventIn(Event):
    """Something that was used: of whom, what, when, with which properties."""

    event_name: Annotated[_Text, Meta(examples=["api_call"])]
    customer_id: Annotated[_Text, Meta(description="UUID or external_id", examples=["driver-42"])]
    idempotency_key: Annotated[_Text, Meta(examples=["call-1"])]
    timestamp: Annotated[
        str | None,
        Meta(
            description="not older than 90 days, nor over an hour ahead; missing: now",
            extra_json_schema={"format": "date-time"},
        ),
    ] = None
    properties: Annotated[Raw, Meta(extra_json_schema={"type": ["object", "null"]})] = field(
        default_factory=Raw
    )


class EventBatchIn(Struct):
    """The events of one request, stored together or not at all."""

    events: Annotated[list[EventIn], Meta(min_length=1, max_length=1000)]


# What the document describes for this route.
STRUCTS = (EventBatchIn, IngestResult)

_STATUSES = (400, 401, 403, 408, 413, 429, 503)
_EXAMPLE = {
    "events": [
        {
            "event_name": "api_call",
            "customer_id": "driver-42",
            "idempotency_key": "call-1",
            "properties": {"tokens": 17},
        }
    ]
}


def path_item() -> dict[str, Any]:
    """The entry of `paths` for the ingest route."""
    body = content_of(EventBatchIn)
    body["application/json"]["example"] = _EXAMPLE
    stored = described(IngestResult, "Stored. Repeats of known keys are reported as duplicates.")
    used_up = described(ErrorBody, "The month's event quota is used up.")
    errors = {str(status): ERROR_RESPONSES[status] for status in _STATUSES}
    return {
        "post": {
            "tags": ["ingest"],
            "summary": "Ingest events",
            "operationId": "ingest",
            "description": "Stores 1 to 1,000 events, all or none. 202 means durably stored.",
            "security": [{"HTTPBearer": []}],
            "x-permission": Permission.EVENTS_INGEST.value,
            "requestBody": {"required": True, "content": body},
            "responses": {"202": stored, **errors, "402": used_up},
        }
    }

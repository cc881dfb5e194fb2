"""The ingest route in OpenAPI's words, which the framework can't find out of bare ASGI."""

from typing import Any

from monigo.api.kernel.http.errors import ERROR_RESPONSES
from monigo.core.permissions import Permission

_STATUSES = (400, 401, 403, 408, 413, 429, 503)
_TEXT = {"type": "string", "minLength": 1, "maxLength": 255}
_KEYS = {"type": "array", "items": {"type": "string"}}
_ERROR_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}

_EVENT = {
    "type": "object",
    "required": ["event_name", "customer_id", "idempotency_key"],
    "properties": {
        "event_name": _TEXT,
        "customer_id": {**_TEXT, "description": "UUID or external_id"},
        "idempotency_key": _TEXT,
        "timestamp": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "not older than 90 days, nor over an hour ahead; missing: now",
        },
        "properties": {"type": ["object", "null"], "additionalProperties": True},
    },
}

_REQUEST = {
    "type": "object",
    "required": ["events"],
    "properties": {"events": {"type": "array", "items": _EVENT, "minItems": 1, "maxItems": 1000}},
}

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

_STORED = {
    "type": "object",
    "required": ["ingested", "duplicates"],
    "properties": {"ingested": _KEYS, "duplicates": _KEYS},
}


def path_item() -> dict[str, Any]:
    """The entry of `paths` for the ingest route."""
    errors = {
        str(status): {
            "description": ERROR_RESPONSES[status]["description"],
            "content": _ERROR_CONTENT,
        }
        for status in _STATUSES
    }
    return {
        "post": {
            "tags": ["ingest"],
            "summary": "Ingest events",
            "operationId": "ingest",
            "description": "Stores 1 to 1,000 events, all or none. 202 means durably stored.",
            "security": [{"HTTPBearer": []}],
            "x-permission": Permission.EVENTS_INGEST.value,
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _REQUEST, "example": _EXAMPLE}},
            },
            "responses": {
                "202": {
                    "description": "Stored. Repeats of known keys are told as duplicates.",
                    "content": {"application/json": {"schema": _STORED}},
                },
                **errors,
                "402": {
                    "description": "The month's event quota is used up.",
                    "content": _ERROR_CONTENT,
                },
            },
        }
    }

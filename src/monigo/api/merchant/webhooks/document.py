"""The events that are sent to merchants, as `/openapi.json` describes them under `webhooks`."""

from typing import Any

from monigo.api.kernel.wire.openapi import reference
from monigo.webhooks import EventType, shape_of

SHAPES = frozenset(shape_of(name)[1] for name in EventType)
SIGNATURES = {
    "webhook-id": "the event's id, the same at every attempt",
    "webhook-timestamp": "seconds since 1970, of the attempt",
    "webhook-signature": "by the Standard Webhooks; while a secret is replaced there are two",
    "X-Monigo-Signature": "`sha256=` and the HMAC-SHA256 of the body, keyed by the secret as shown",
}


def webhooks() -> dict[str, Any]:
    """The request of each type of event."""
    return {name.value: {"post": _request(name)} for name in EventType}


def _request(name: EventType) -> dict[str, Any]:
    return {
        "operationId": f"webhook_{name.value.replace('.', '_')}",
        "summary": name.value,
        "tags": ["webhooks"],
        "parameters": [
            {
                "name": header,
                "in": "header",
                "required": True,
                "description": description,
                "schema": {"type": "string"},
            }
            for header, description in SIGNATURES.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _body(name)}},
        },
        "responses": {"2XX": {"description": "Taken; anything else is tried again."}},
    }


def _body(name: EventType) -> dict[str, Any]:
    field, shape = shape_of(name)
    properties: dict[str, Any] = {
        "id": {"type": "string", "format": "uuid"},
        "type": {"const": name.value},
        "version": {"const": 1},
        "created_at": {"type": "string", "format": "date-time"},
        "org_id": {"type": "string", "format": "uuid"},
        "is_test": {"type": "boolean"},
        "sequence": {"type": "integer", "minimum": 1},
        "data": {
            "type": "object",
            "properties": {field: reference(shape)},
            "required": [field],
        },
    }
    return {"type": "object", "properties": properties, "required": list(properties)}

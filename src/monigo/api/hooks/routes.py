"""The route that payment providers send their webhooks to; a signature is all that it asks for.

A webhook is stored and answered at once, and worked off afterwards. A sender who can't sign
learns nothing: not whether an organisation is known here, nor whether it has a connection.
"""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from monigo.api.hooks.rates import HookRates
from monigo.api.kernel.http.bodies import BodyMemory
from monigo.api.kernel.http.errors import ERROR_RESPONSES, plain_error
from monigo.api.kernel.routes.raw import answer_raw
from monigo.api.kernel.wire.openapi import described
from monigo.api.kernel.wire.outgoing import Answer, Message
from monigo.bootstrap import Services
from monigo.core.access import Permission
from monigo.core.errors import DomainError, ErrorKind, not_found
from monigo.core.ids import OrganizationId, parse_id
from monigo.infra.db import INSTALLATION
from monigo.infra.metrics import PROVIDER_EVENTS
from monigo.payments.events import Verdict
from monigo.providers.registry import adapter_of

PATH = "/webhooks/{provider}/{org_id}"
_PATH = re.compile(r"/webhooks/([^/]+)/([^/]+)")
BODY_BYTES_MAX = 1024 * 1024


class ProviderWebhookRoute:
    """POST /webhooks/{provider}/{org_id}. A 200 means that the event is on disk."""

    permissions = frozenset[Permission]()
    path_format = PATH

    def __init__(self, services: Services, memory: BodyMemory) -> None:
        self._services = services
        self._memory = memory
        self._rates = HookRates()

    def takes(self, scope: Scope) -> bool:
        """Whether a request is for this route."""
        return _PATH.fullmatch(scope["path"]) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "POST":
            refusal = plain_error(
                405, "method_not_allowed", "method not allowed", {"Allow": "POST"}
            )
            await refusal(scope, receive, send)
            return
        request = Request(scope, receive)
        await answer_raw(scope, receive, send, lambda: self._respond(request))

    async def _respond(self, request: Request) -> Response:
        found = _PATH.fullmatch(request.scope["path"])
        provider, given = (found[1], found[2]) if found else ("", "")
        adapter = adapter_of(provider)
        org_id = parse_id(given)
        if org_id is None:
            raise not_found("organization")
        self._rates.admit(OrganizationId(org_id))
        services = self._services
        senders = await services.desk.webhook_secrets(
            services.database, OrganizationId(org_id), provider
        )
        # Organisations that nobody knows share one account of memory.
        payer = OrganizationId(org_id) if senders else INSTALLATION.org_id
        with self._memory.reader(payer) as reader:
            raw = await reader.read(request, BODY_BYTES_MAX, _anybody)
            verdict = await services.provider_events.inbox.receive(
                services.database, adapter, senders, dict(request.headers), raw
            )
        PROVIDER_EVENTS.labels(provider, verdict.value).inc()
        if verdict is Verdict.REFUSED:
            raise DomainError(
                ErrorKind.FORBIDDEN, "invalid_signature", "the signature is missing or wrong"
            )
        return Answer(Message(message="received"))


async def _anybody() -> None:
    """Who signed it is known once the whole body is."""


def path_item() -> dict[str, Any]:
    """The entry of `paths` for this route, which the framework can't find out of bare ASGI."""
    statuses = (400, 403, 404, 408, 413, 429, 503)
    names = {"provider": "paystack, flutterwave or monnify", "org_id": "the organisation"}
    return {
        "post": {
            "tags": ["provider events"],
            "summary": "Receive a provider's webhook",
            "operationId": "receive_provider_event",
            "description": "The address to enter on a provider's dashboard. The body is signed as"
            " the provider signs it; 200 means that it is stored, once however often it comes.",
            "security": [],
            "parameters": [
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "description": means,
                    "schema": {"type": "string"},
                }
                for name, means in names.items()
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"type": "object"},
                        "example": {
                            "event": "charge.success",
                            "data": {"reference": "mo0f3b", "status": "success"},
                        },
                    }
                },
            },
            "responses": {
                "200": described(Message, "Stored."),
                **{str(status): ERROR_RESPONSES[status] for status in statuses},
            },
        },
    }

"""The route that WhatsApp sends its webhooks to; the app's secret signs them.

What a webhook reports is noted before it is answered, so that WhatsApp sends again what could not
be. A sender who can't sign learns nothing.
"""

import re
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
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
from monigo.notifications import whatsapp

PATH = "/webhooks/whatsapp/{org_id}"
_PATH = re.compile(r"/webhooks/whatsapp/([^/]+)")
# Meta sends up to a thousand reports at once, of half a kilobyte each, and says 3 MB at most.
BODY_BYTES_MAX = 3 * 1024 * 1024
# What is echoed is a number; nothing that a browser could take for a page.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{1,100}")


class WhatsAppWebhookRoute:
    """GET and POST /webhooks/whatsapp/{org_id}. A 200 to a POST means that it is on disk."""

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
        respond = {"GET": self._verify, "POST": self._receive}.get(scope["method"])
        if respond is None:
            allowed = {"Allow": "GET, POST"}
            refusal = plain_error(405, "method_not_allowed", "method not allowed", allowed)
            await refusal(scope, receive, send)
            return
        request = Request(scope, receive)
        await answer_raw(scope, receive, send, lambda: respond(request))

    async def _verify(self, request: Request) -> Response:
        """Echo the challenge to a sender that knows the word which was entered at both ends."""
        receivers = await self._receivers(request)
        query = parse_qs(request.scope["query_string"].decode("latin-1"))
        mode, token, challenge = (
            query.get(f"hub.{name}", [""])[0] for name in ("mode", "verify_token", "challenge")
        )
        is_known = whatsapp.knows(receivers, token)
        if mode != "subscribe" or not is_known or not _CHALLENGE.fullmatch(challenge):
            raise DomainError(
                ErrorKind.FORBIDDEN, "invalid_verify_token", "the verify token is missing or wrong"
            )
        return PlainTextResponse(challenge)

    async def _receive(self, request: Request) -> Response:
        receivers = await self._receivers(request)
        # Organisations that nobody knows share one account of memory.
        payer = receivers[0].tenant.org_id if receivers else INSTALLATION.org_id
        with self._memory.reader(payer) as reader:
            raw = await reader.read(request, BODY_BYTES_MAX, _anybody)
            senders = whatsapp.signed_for(receivers, dict(request.headers), raw)
            if not senders:
                raise DomainError(
                    ErrorKind.FORBIDDEN, "invalid_signature", "the signature is missing or wrong"
                )
            await whatsapp.receive(self._services.database, senders, raw)
        return Answer(Message(message="received"))

    async def _receivers(self, request: Request) -> list[whatsapp.Receiver]:
        found = _PATH.fullmatch(request.scope["path"])
        org_id = parse_id(found[1] if found else "")
        if org_id is None:
            raise not_found("organization")
        known = OrganizationId(org_id)
        self._rates.admit(known)
        services = self._services
        return await whatsapp.receivers(services.database, services.messenger.vault, known)


async def _anybody() -> None:
    """Who signed it is known once the whole body is."""


def path_item() -> dict[str, Any]:
    """The entry of `paths` for this route, which the framework can't find out of bare ASGI."""
    of_organization = _parameter("org_id", "path", "the organisation")
    queried = [
        _parameter("hub.mode", "query", "subscribe"),
        _parameter("hub.verify_token", "query", "the word that the number was connected with"),
        _parameter("hub.challenge", "query", "what is echoed"),
    ]
    refused = {str(status): ERROR_RESPONSES[status] for status in (403, 404, 429, 503)}
    refused_bodies = {str(status): ERROR_RESPONSES[status] for status in (400, 408, 413)}
    return {
        "get": {
            "tags": ["whatsapp"],
            "summary": "Confirm the webhook's address to WhatsApp",
            "operationId": "verify_whatsapp_webhook",
            "description": "Meta asks once, as the address is entered on its dashboard.",
            "security": [],
            "parameters": [of_organization, *queried],
            "responses": {
                "200": {
                    "description": "The challenge.",
                    "content": {"text/plain": {"schema": {"type": "string"}}},
                },
                **refused,
            },
        },
        "post": {
            "tags": ["whatsapp"],
            "summary": "Receive WhatsApp's webhook",
            "operationId": "receive_whatsapp_webhook",
            "description": "Statuses of messages, and texts of people (STOP, START). The body is"
            " signed by the app's secret; 200 means that it is stored.",
            "security": [],
            "parameters": [of_organization],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"type": "object"},
                        "example": {"object": "whatsapp_business_account", "entry": []},
                    }
                },
            },
            "responses": {"200": described(Message, "Stored."), **refused, **refused_bodies},
        },
    }


def _parameter(name: str, place: str, means: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": means,
        "schema": {"type": "string"},
    }

"""The one way to ask the Cloud API: sends what is asked once, and returns what came of it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from monigo.core.errors import ensure
from monigo.infra import json
from monigo.infra.db import is_in_transaction
from monigo.infra.http_client import HttpAnswer, HttpClient, NoAnswerError, NotSentError
from monigo.infra.logging import logger
from monigo.providers.whatsapp.answers import (
    PHONE_FIELDS,
    message_body,
    message_outcome,
    phone_number,
    secret_proof,
)
from monigo.providers.whatsapp.types import (
    Keys,
    NoAnswer,
    NotSent,
    Outcome,
    PhoneNumber,
    Refused,
    TemplateMessage,
)

log = logger(__name__)


class WhatsAppClient:
    """Asks the Cloud API at `url`, the version included; that of test mode may be elsewhere."""

    def __init__(self, http: HttpClient, *, live_url: str, test_url: str) -> None:
        self._http = http
        self._urls = {False: live_url.rstrip("/"), True: test_url.rstrip("/")}

    async def send(
        self, keys: Keys, phone_number_id: str, message: TemplateMessage, *, is_test: bool
    ) -> Outcome:
        """Send a message, once: the Cloud API does not recognise a repeat.

        That it is to be sent must be committed before, and no transaction be open.
        """
        path = f"{quote(phone_number_id, safe='')}/messages"
        answer = await self._ask("POST", path, keys, is_test=is_test, body=message_body(message))
        made = message_outcome(*_parts(answer)) if isinstance(answer, HttpAnswer) else answer
        log.info("whatsapp message", outcome=type(made).__name__.lower())
        return made

    async def look_up(
        self, keys: Keys, phone_number_id: str, *, is_test: bool
    ) -> PhoneNumber | Refused | NotSent | NoAnswer:
        """A merchant's number, which a right token and secret find."""
        path = quote(phone_number_id, safe="")
        query = {"fields": PHONE_FIELDS}
        answer = await self._ask("GET", path, keys, is_test=is_test, query=query)
        return phone_number(*_parts(answer)) if isinstance(answer, HttpAnswer) else answer

    async def _ask(
        self,
        method: str,
        path: str,
        keys: Keys,
        *,
        is_test: bool,
        query: Mapping[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> HttpAnswer | NotSent | NoAnswer:
        ensure(not is_in_transaction(), "no transaction is open while WhatsApp is asked")
        asked = urlencode({**(query or {}), "appsecret_proof": secret_proof(keys)})
        headers = {"Authorization": f"Bearer {keys.access_token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            return await self._http.send(
                method,
                f"{self._urls[is_test]}/{path}?{asked}",
                headers=headers,
                content=None if body is None else json.encode(body).encode(),
            )
        except NotSentError as error:
            return NotSent(str(error))
        except NoAnswerError as error:
            return NoAnswer(str(error))


def _parts(answer: HttpAnswer) -> tuple[int, bytes]:
    return answer.status, answer.body

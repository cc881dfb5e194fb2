"""Forwards events of test mode to a developer's machine, to which no webhook finds its way."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from cachetools import LRUCache

from monigo.core.errors import invalid
from monigo.core.ids import parse_id
from monigo.infra import json
from monigo.infra.clock import SystemClock
from monigo.infra.http_client import HttpClient, NoAnswerError, NotSentError
from monigo.webhooks import endpoints
from monigo.webhooks.deliveries.rules import signatures

PAUSE_SECONDS = 1
ANSWER_SECONDS = 10
PAGE = 100
# Of events that were seen: more than come while one page is read.
SEEN_MAX = 10_000
TEST_KEY_PREFIX = "mk_test_"


class Listening:
    """Asks a server for new events, and posts them to a URL, signed as webhooks are.

    `say` gets a line about each.
    """

    def __init__(
        self, http: HttpClient, server: str, key: str, forward_to: str, say: Callable[[str], None]
    ) -> None:
        self._http = http
        self._say = say
        self._events_url = f"{server.rstrip('/')}/v1/billing-events"
        self._key = key
        self._forward_to = forward_to
        self._seen: LRUCache[str, bool] = LRUCache(SEEN_MAX)
        self.secret = endpoints.random_secret()

    async def begin(self) -> None:
        """Pass over the events until now.

        Raises:
            ConnectionError: the server does not answer, or does not take the key.
        """
        for event in await self._page(0):
            self._seen[event["id"]] = True

    async def forward_new(self) -> None:
        """Post what has come since the last time, the oldest first.

        Raises:
            ConnectionError: the server does not answer, or does not take the key.
        """
        found: list[dict[str, Any]] = []
        while True:
            page = await self._page(len(found))
            new = [event for event in page if event["id"] not in self._seen]
            found += new
            # What commits late stands among those that were seen, on the same page.
            if len(new) < PAGE:
                break
        for event in reversed(found):
            self._seen[event["id"]] = True
            self._say(f"{event['type']}  {event['id']}  {await self._post(event)}")

    async def _page(self, offset: int) -> Sequence[dict[str, Any]]:
        url = f"{self._events_url}?limit={PAGE}&offset={offset}"
        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            answer = await self._http.send("GET", url, headers=headers, seconds=ANSWER_SECONDS)
        except (NotSentError, NoAnswerError) as error:
            raise ConnectionError(f"{self._events_url} does not answer: {error}") from error
        if answer.status != 200:  # noqa: PLR2004 - HTTP's own
            raise ConnectionError(f"{self._events_url} answered HTTP {answer.status}")
        return json.decode(answer.body)["events"]

    async def _post(self, event: dict[str, Any]) -> str:
        """Post an event; what came of it, for people."""
        body = msgspec.json.encode(event)
        event_id = parse_id(event["id"])
        if event_id is None:
            return "has no id"
        key = (self.secret, endpoints.signing_key(self.secret))
        signed = signatures(body, event_id, SystemClock().now(), [key])
        headers = {"Content-Type": "application/json", **signed}
        try:
            answer = await self._http.send(
                "POST", self._forward_to, headers=headers, content=body, seconds=ANSWER_SECONDS
            )
        except (NotSentError, NoAnswerError) as error:
            return f"not taken: {error}"
        return f"HTTP {answer.status}"


async def listen(server: str, key: str, forward_to: str, say: Callable[[str], None]) -> None:
    """Forward events until the program is ended.

    Raises:
        ConnectionError: at the start, the server does not answer, or does not take the key.
        DomainError: invalid, for a key that is not of test mode.
    """
    if not key.startswith(TEST_KEY_PREFIX):
        raise invalid({"key": "must be one of test mode: mk_test_…"})
    http = HttpClient()
    try:
        listening = Listening(http, server, key, forward_to, say)
        await listening.begin()
        say(f"forwarding events of test mode to {forward_to}, signed with {listening.secret}")
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                await listening.forward_new()
            except ConnectionError as error:
                say(f"waiting: {error}")
    finally:
        await http.close()

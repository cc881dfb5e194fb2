"""Webhooks: sent as the providers send them, or lost, doubled, late or out of order as scripted."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import httpx
from msgspec import Struct
from msgspec.structs import replace

from monigo.infra.logging import logger
from monigo.providers.simulator.script import WEBHOOK, Script

log = logger(__name__)

# Answers are awaited as long as Paystack waits in test mode.
ANSWER_SECONDS = 30
_OK = 200
# Sent at once; of hundreds that wait for a busy receiver the client looks through all for each.
AT_ONCE = 32
# After so many seconds each, by a provider that sends again; real ones take minutes to hours.
RETRY_SECONDS = (1, 2, 4, 8, 16, 32)
# A webhook comes after its answer, unless it is scripted to be early.
USUAL_MS, LATE_MS, HELD_MS = 50, 2_000, 2_000


class Event(Struct, frozen=True):
    """A webhook to be sent, signed already."""

    provider: str
    url: str
    signature_header: str
    signature: str
    body: bytes
    is_retried: bool


class Sender:
    """Sends webhooks in the background."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._client = httpx.AsyncClient(timeout=ANSWER_SECONDS, follow_redirects=False)
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: dict[str, list[Event]] = {}

    async def send(self, event: Event) -> None:
        """Send a webhook, or what is scripted of it. Returns at once, but for an early one."""
        scripted = self._script.take(event.provider, (WEBHOOK,))
        outcome = scripted.outcome if scripted else ""
        delay_ms = scripted.delay_ms if scripted else USUAL_MS
        if outcome == "lost":
            return
        if outcome == "early":
            await self._deliver(event, 0)
            return
        if outcome == "reordered":
            self._held.setdefault(event.provider, []).append(event)
            self._begin(self._release(event, delay_ms or HELD_MS))
            return
        if outcome == "bad_signature":
            event = replace(event, signature="0" * len(event.signature), is_retried=False)
        if outcome == "late":
            delay_ms = delay_ms or LATE_MS
        held = self._held.pop(event.provider, [])
        self._begin(self._deliver_all([event, *held], delay_ms))
        if outcome == "duplicate":
            self._begin(self._deliver(event, delay_ms))

    async def _release(self, event: Event, delay_ms: int) -> None:
        """Send what was held back for a later event that did not come."""
        await asyncio.sleep(delay_ms / 1000)
        held = self._held.get(event.provider, [])
        if event in held:
            held.remove(event)
            await self._deliver(event, 0)

    async def _deliver_all(self, events: list[Event], delay_ms: int) -> None:
        for event in events:
            await self._deliver(event, delay_ms)

    async def _deliver(self, event: Event, delay_ms: int) -> None:
        await asyncio.sleep(delay_ms / 1000)
        if not await self._post(event) and event.is_retried:
            self._begin(self._retry(event))

    async def _retry(self, event: Event) -> None:
        for seconds in RETRY_SECONDS:
            await asyncio.sleep(seconds)
            if await self._post(event):
                return

    async def _post(self, event: Event) -> bool:
        """Whether it was taken: any other status than 200 says it was not."""
        try:
            headers = {
                "Content-Type": "application/json",
                event.signature_header: event.signature,
            }
            async with self._at_once:
                answer = await self._client.post(event.url, content=event.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.info("webhook not taken", provider=event.provider, reason=type(error).__name__)
            return False
        return answer.status_code == _OK

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop; what was not sent yet is not sent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

"""Due work: events are passed on as they came, for the merchant's own shop has no other address."""

import asyncio
from datetime import timedelta

from monigo.core.errors import DomainError, ErrorKind
from monigo.core.ids import ConnectionId, ProviderEventId
from monigo.infra.agenda import BackOff, Claim, Steps, Task
from monigo.infra.db import Database, Transaction
from monigo.infra.http_client import HttpClient, NoAnswerError, NotSentError, Outward
from monigo.payments import connections
from monigo.payments.events import store
from monigo.payments.events.service import FORWARD, Inbox
from monigo.payments.events.types import Letter

# Some three days in all.
BACK_OFF = BackOff(first=timedelta(seconds=10), most=timedelta(hours=1), attempts_max=80)
# A shop that hangs holds up no other for long.
ANSWER_SECONDS = 10
AT_ONCE = 8
_FINE = range(200, 300)


async def forward_url_of(tx: Transaction, connection_id: ConnectionId) -> str:
    """Where a connection's events are forwarded to; empty for nowhere."""
    connection = await connections.find(tx, connection_id)
    return connection.forward_url if connection else ""


class Forwarding:
    """Sends events on to the URL of their connection, until it takes them."""

    def __init__(self, inbox: Inbox, outward: Outward) -> None:
        self._inbox = inbox
        # Of its own, so that shops that hang take none of the providers' connections.
        self._http = HttpClient(AT_ONCE, keeps_connections=False)
        self._outward = outward
        self.task = Task(FORWARD, Steps(self._forward), back_off=BACK_OFF, concurrency=AT_ONCE)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    async def _forward(self, database: Database, claim: Claim, stop: asyncio.Event) -> None:
        del stop  # It is over soon.
        event_id = ProviderEventId(claim.subject)
        async with database.transaction(claim.tenant) as tx:
            event = await store.load(tx, event_id)
            url = "" if event is None else await forward_url_of(tx, event.connection_id)
            if not url:
                await claim.finish(tx)
                return
            letter = await self._inbox.letter_of(tx, event_id)
        await self._send(url, letter)
        async with database.transaction(claim.tenant) as tx:
            await claim.finish(tx)

    async def _send(self, url: str, letter: Letter) -> None:
        try:
            pinned = await self._outward.pin(url)
            answer = await self._http.send(
                "POST",
                pinned.url,
                headers={
                    "Host": pinned.host,
                    "Content-Type": letter.content_type or "application/json",
                    letter.signature_header: letter.signature,
                },
                content=letter.body,
                seconds=ANSWER_SECONDS,
                server_name=pinned.server_name,
            )
        except NotSentError as error:
            raise _not_taken(f"could not be reached: {error}") from error
        except NoAnswerError as error:
            raise _not_taken(f"did not answer: {error}") from error
        if answer.status not in _FINE:
            raise _not_taken(f"answered HTTP {answer.status}")


def _not_taken(what: str) -> DomainError:
    return DomainError(ErrorKind.UNAVAILABLE, "forward_failed", f"the forward URL {what}")

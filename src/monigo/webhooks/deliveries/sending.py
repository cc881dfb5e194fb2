"""Due work: events are sent to endpoints, outside of transactions.

An endpoint is one entry of the agenda, so that one worker sends to it at a time. Those whose last
attempts failed are another kind of work with lanes of its own: they wait for each other, and what
works waits for none of them. An endpoint changes its kind in the transaction that ends its claim.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from monigo.infra import agenda
from monigo.infra.agenda import Batches, Claims, Follows, Kind, Task
from monigo.infra.crypto import Vault
from monigo.infra.db import Database, Transaction
from monigo.infra.http_client import Outward
from monigo.webhooks import endpoints
from monigo.webhooks.deliveries import store
from monigo.webhooks.deliveries.posting import Post, Round
from monigo.webhooks.deliveries.rules import next_attempt_at
from monigo.webhooks.deliveries.types import DeliveryStatus, Letter, Outcome
from monigo.webhooks.endpoints import Endpoint

# Their entries are endpoints that work, and those that fail.
SEND = Kind("webhook_sending", Follows.REAL)
RETRY = Kind("webhook_retrying", Follows.REAL)
# Of an endpoint at once: a rush is over soon, and one that hangs keeps few connections.
LETTERS_AT_ONCE = 8
# Endpoints that a worker takes at once; they end one by one.
ENDPOINTS_AT_ONCE = 50
# Lanes cost nothing while they wait: as many endpoints may begin to hang before others wait.
LANES = 64
CONNECTIONS, RETRY_CONNECTIONS = 384, 128
# Events are to be there within a second.
LOOK_SECONDS = 0.25
GIVEN_UP_AT_ONCE = 5_000


def kind_of(endpoint: Endpoint) -> Kind:
    """The kind of work that sends to an endpoint."""
    return SEND if endpoint.failing_since is None else RETRY


class Sender:
    """Sends what is due, working endpoints and failing ones apart."""

    def __init__(self, vault: Vault, outward: Outward) -> None:
        self._lanes = (
            _Lanes(SEND, Post(vault, outward, CONNECTIONS)),
            _Lanes(RETRY, Post(vault, outward, RETRY_CONNECTIONS)),
        )

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The due work of both kinds."""
        return tuple(lanes.task for lanes in self._lanes)

    async def close(self) -> None:
        """Close all connections."""
        for lanes in self._lanes:
            await lanes.post.close()


class _Lanes:
    """The sending to endpoints of one kind."""

    def __init__(self, kind: Kind, post: Post) -> None:
        self.kind = kind
        self.post = post
        work = Batches(self._work, size=ENDPOINTS_AT_ONCE)
        self.task = Task(kind, work, concurrency=LANES, every_seconds=LOOK_SECONDS)

    async def _work(self, database: Database, claims: Claims, stop: asyncio.Event) -> None:
        """Send what is due of the claimed endpoints, and record each answer as it comes."""
        del stop  # It is over soon.
        rounds = await self._begin(database, claims)
        left = Counter({one.endpoint.id: len(one.letters) for one in rounds})
        answers: defaultdict[UUID, list[Outcome]] = defaultdict(list)
        waiting = {
            asyncio.create_task(sent)
            for one in rounds
            for sent in self._send(database, claims, one)
        }
        try:
            while waiting:
                # While some are recorded, others come in, and share the next transaction.
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                outcomes = [task.result() for task in done]
                for one in outcomes:
                    left[one.letter.endpoint_id] -= 1
                    answers[one.letter.endpoint_id].append(one)
                ended = {id_ for id_, count in left.items() if count == 0}
                left = Counter({id_: count for id_, count in left.items() if count})
                async with database.transaction(claims.tenant) as tx:
                    await _record(tx, outcomes)
                    await self._finish(tx, claims, {id_: answers[id_] for id_ in ended})
        finally:
            for task in waiting:
                task.cancel()

    def _send(
        self, database: Database, claims: Claims, begun: Round
    ) -> list[Coroutine[Any, Any, Outcome]]:
        """Send the letters of a round; their endpoint's address is looked up once."""
        endpoint = begun.endpoint
        finding = asyncio.ensure_future(self.post.find(endpoint.url))

        async def send(letter: Letter) -> Outcome:
            found = await asyncio.shield(finding)
            return await self.post.send(database, claims.tenant, endpoint, letter, found)

        return [send(letter) for letter in begun.letters]

    async def _begin(self, database: Database, claims: Claims) -> list[Round]:
        """What is due of the claimed endpoints that are of this kind; the others are finished."""
        async with database.transaction(claims.tenant) as tx:
            known = await endpoints.load(tx, claims.subjects)
            own = [one for one in known.values() if one.is_enabled and kind_of(one) is self.kind]
            letters = await store.load_due(tx, [one.id for one in own], LETTERS_AT_ONCE)
            rounds = [
                Round(one, mine)
                for one in own
                if (mine := [letter for letter in letters if letter.endpoint_id == one.id])
            ]
            begun = {one.endpoint.id for one in rounds}
            idle = [subject for subject in claims.subjects if subject not in begun]
            gone = [one for one in idle if one not in known or not known[one].is_enabled]
            if gone:
                await store.give_up(tx, gone, GIVEN_UP_AT_ONCE)
            if idle:
                await self._end(tx, claims, {one: known.get(one) for one in idle})
        return rounds

    async def _finish(
        self, tx: Transaction, claims: Claims, ended: Mapping[UUID, Sequence[Outcome]]
    ) -> None:
        """Note of endpoints whose letters were all answered how they are, and end their claims."""
        if ended:
            successes = {
                id_: any(one.attempt.is_success for one in outcomes)
                for id_, outcomes in ended.items()
            }
            known = await endpoints.note_outcomes(tx, successes)
            await self._end(tx, claims, {id_: known.get(id_) for id_ in ended})

    async def _end(
        self, tx: Transaction, claims: Claims, ended: Mapping[UUID, Endpoint | None]
    ) -> None:
        """End claims: where more is due one day, by the kind that the endpoint is of now."""
        due = await store.next_due(tx, list(ended))
        moved = [
            one.id for one in ended.values() if one is not None and kind_of(one) is not self.kind
        ]
        again = {id_: at for id_, at in due.items() if id_ not in moved}
        await claims.finish(tx, list(ended), again_at=again)
        # At once: what is due later is found then, and what came meanwhile is not put off.
        other = RETRY if self.kind is SEND else SEND
        await agenda.put(tx, other, {id_: tx.real_now for id_ in moved if id_ in due})


async def _record(tx: Transaction, outcomes: Sequence[Outcome]) -> None:
    recorded: list[tuple[Outcome, DeliveryStatus, datetime | None]] = []
    for one in outcomes:
        again_at = (
            None if one.attempt.is_success else next_attempt_at(one.letter.number, tx.real_now)
        )
        if one.attempt.is_success:
            status = DeliveryStatus.SUCCEEDED
        else:
            status = DeliveryStatus.FAILED if again_at is None else DeliveryStatus.PENDING
        recorded.append((one, status, again_at))
    await store.record(tx, recorded)

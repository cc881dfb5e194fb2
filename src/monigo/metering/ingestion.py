"""Ingestion: concurrent requests of one tenant share a transaction, without ever waiting for one.

An idle server stores a request at once. While transactions are under way, further requests gather
and go together with the next one, so that the busier the server is, the less each event costs.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import asyncpg

from monigo import tenancy
from monigo.core.errors import DomainError, ErrorKind, without_frames
from monigo.core.ids import ApiKeyId, CustomerId
from monigo.core.permissions import Permission
from monigo.infra.database import Database, Tenant, Transaction, as_unavailable
from monigo.infra.ids import new_id
from monigo.metering import store
from monigo.metering.customer_cache import CustomerCache
from monigo.metering.quota import Allowance, EventQuotas, QuotaTurn
from monigo.metering.rules import (
    dedup_hashes,
    event_times,
    unknown_customers,
    unstorable_properties,
)
from monigo.metering.types import Event, IngestResult
from monigo.tenancy import KeyReference, Limits

# Transactions of one tenant under way at once: one computes here while others are in the database.
FLUSHES_MAX = 4
# Enough to make a transaction's own cost small; more would only delay the first of them.
FLUSH_EVENTS_MAX = 1_000
# What may wait, over all tenants; beyond it a client is told to come again.
WAITING_EVENTS_MAX = 50_000
# After a repeat so many transactions expect another: failing costs more than what they could save.
WARY_FLUSHES = 100
# Tenants of whom a repeat is remembered; beyond it all are forgotten, which costs a failure each.
WARY_TENANTS_MAX = 10_000


@dataclass(slots=True)
class _Request:
    """One client's batch, and the future that its route awaits."""

    api_key_id: ApiKeyId
    events: list[Event]
    answer: "asyncio.Future[IngestResult]"


class _Insert(Protocol):
    """One of the ways to store events, which returns the hashes of those that were new."""

    async def __call__(
        self, tx: Transaction, rows: store.EventColumns, *, batch_id: UUID
    ) -> set[bytes]: ...


@dataclass(slots=True)
class _Lane:
    """One tenant's requests that wait, and how many transactions are under way."""

    waiting: deque[_Request] = field(default_factory=deque[_Request])
    flushes: int = 0


class Ingestor:
    """Stores events for all tenants of this process."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits
        self.quotas = EventQuotas()
        self._customers = CustomerCache()
        self._lanes: dict[Tenant, _Lane] = {}
        # For how many transactions yet a tenant's events are expected to hold repeats.
        self._wary: dict[Tenant, int] = {}
        self._waiting_events = 0
        # The loop itself keeps only weak references to its tasks.
        self._tasks: set[asyncio.Task[None]] = set()

    async def ingest(self, caller: KeyReference, events: list[Event]) -> IngestResult:
        """Store a batch whole; the answer comes when it is on disk.

        The first use of an idempotency key counts, for ever; repeats are told as duplicates.

        Raises:
            DomainError: unauthenticated, forbidden; invalid, naming each event with an unknown
                customer or a time out of bounds; insufficient, when the month's event quota is
                used up; unavailable, when too much waits already.
        """
        if self._waiting_events + len(events) > WAITING_EVENTS_MAX:
            raise DomainError(
                ErrorKind.UNAVAILABLE, "overloaded", "too busy to take more", retry_after_seconds=1
            )
        lane = self._lanes.setdefault(caller.tenant, _Lane())
        request = _Request(caller.api_key_id, events, asyncio.get_running_loop().create_future())
        lane.waiting.append(request)
        self._waiting_events += len(events)
        if lane.flushes < FLUSHES_MAX:
            lane.flushes += 1
            task = asyncio.create_task(self._drain(caller.tenant, lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        answer = request.answer
        # A refusal's traceback holds this frame, which must not hold the events.
        del request, lane
        return await answer

    async def _drain(self, tenant: Tenant, lane: _Lane) -> None:
        """Store what waits in a lane until nothing does."""
        try:
            while lane.waiting:
                requests = [lane.waiting.popleft()]
                size = len(requests[0].events)
                while lane.waiting and size + len(lane.waiting[0].events) <= FLUSH_EVENTS_MAX:
                    requests.append(lane.waiting.popleft())
                    size += len(requests[-1].events)
                self._waiting_events -= size
                await self._flush(tenant, requests)
        finally:
            lane.flushes -= 1
            if not lane.flushes and not lane.waiting:
                self._lanes.pop(tenant, None)

    async def _flush(self, tenant: Tenant, requests: Sequence[_Request]) -> None:
        try:
            answers = await self._store_new(tenant, requests)
            if answers is None:
                answers = await self._store(tenant, requests, store.insert_events)
        except asyncpg.DataError as error:
            await self._flush_apart(tenant, requests, error)
        except Exception as error:  # noqa: BLE001 - each request's route answers it
            unavailable = as_unavailable(error)
            _answer(requests, [unavailable or error] * len(requests))
        else:
            _answer(requests, answers)

    async def _flush_apart(
        self, tenant: Tenant, requests: Sequence[_Request], error: Exception
    ) -> None:
        """Something in these requests can't be stored; the others must not suffer from it."""
        if len(requests) == 1:
            _answer(requests, [unstorable_properties(requests[0].events) or error])
            return
        for request in requests:
            await self._flush(tenant, [request])

    async def _store_new(
        self, tenant: Tenant, requests: Sequence[_Request]
    ) -> list[IngestResult | Exception] | None:
        """Store requests in the hope that they hold no repeats; None where nothing was stored."""
        wary = self._wary.pop(tenant, 0)
        if wary:
            if wary > 1:
                self._wary[tenant] = wary - 1
            return None
        try:
            return await self._store(tenant, requests, store.insert_new_events)
        except asyncpg.UniqueViolationError:
            self._expect_repeats(tenant)
            return None

    def _expect_repeats(self, tenant: Tenant) -> None:
        if len(self._wary) >= WARY_TENANTS_MAX:
            self._wary.clear()
        self._wary[tenant] = WARY_FLUSHES

    async def _store(
        self, tenant: Tenant, requests: Sequence[_Request], insert: _Insert
    ) -> list[IngestResult | Exception]:
        """Check and store requests in one transaction; an answer for each, good or bad."""
        async with self.quotas.turn() as turn, self._database.transaction(tenant) as tx:
            return await self._check_and_insert(tx, turn, requests, insert)

    async def _check_and_insert(
        self, tx: Transaction, turn: QuotaTurn, requests: Sequence[_Request], insert: _Insert
    ) -> list[IngestResult | Exception]:
        key_ids = {request.api_key_id for request in requests}
        principals = await tenancy.principals(tx, key_ids)
        known = await self._customers.resolve(
            tx, {event.customer_id for request in requests for event in request.events}
        )
        allowance = await self._allowance(tx, turn, requests)
        answers: list[IngestResult | Exception | None] = []
        rows = store.EventColumns()
        for request in requests:
            principal = principals.get(request.api_key_id)
            refusal = tenancy.refusal_of(principal, Permission.EVENTS_INGEST)
            try:
                if refusal is not None:
                    raise refusal
                _append(rows, request.events, known, tx, allowance)
                answers.append(None)
            except DomainError as error:
                answers.append(without_frames(error))
        stored: set[bytes] = set()
        if rows.hashes:
            stored = await insert(tx, rows, batch_id=new_id())
            if len(stored) < len(set(rows.hashes)):
                self._expect_repeats(tx.tenant)
        turn.stored = len(stored)
        hashes = iter(rows.hashes)
        return [
            _result(request.events, hashes, stored) if answer is None else answer
            for request, answer in zip(requests, answers, strict=True)
        ]

    async def _allowance(
        self, tx: Transaction, turn: QuotaTurn, requests: Sequence[_Request]
    ) -> Allowance | None:
        """What these requests may store of the month's quota; None where there is no quota."""
        quota = (await self._limits.of(tx)).monthly_event_quota
        if quota is None:
            return None
        events = [event for request in requests for event in request.events]
        return await turn.allowance(
            tx, quota, lambda: dedup_hashes(events, is_test=tx.is_test), len(events)
        )


def _append(
    rows: store.EventColumns,
    events: Sequence[Event],
    known: dict[str, CustomerId],
    tx: Transaction,
    allowance: Allowance | None,
) -> None:
    """Add a request's events to the rows; nothing of a request that has a fault."""
    times = event_times(events, tx.now)
    try:
        customer_ids = [known[event.customer_id] for event in events]
    except KeyError:
        positions = [at for at, event in enumerate(events) if event.customer_id not in known]
        raise unknown_customers(positions) from None
    hashes = dedup_hashes(events, is_test=tx.is_test)
    if allowance is not None:
        allowance.take(hashes)
    rows.hashes += hashes
    rows.events += events
    rows.customer_ids += customer_ids
    rows.times += times


def _result(events: Sequence[Event], hashes: Iterator[bytes], stored: set[bytes]) -> IngestResult:
    """Which of a request's events were new; the first of several with one key is."""
    ingested: list[str] = []
    duplicates: list[str] = []
    for event, dedup in zip(events, hashes, strict=False):
        if dedup in stored:
            stored.remove(dedup)
            ingested.append(event.idempotency_key)
        else:
            duplicates.append(event.idempotency_key)
    return IngestResult(ingested, duplicates)


def _answer(requests: Sequence[_Request], answers: Sequence[IngestResult | Exception]) -> None:
    for request, answer in zip(requests, answers, strict=True):
        if request.answer.done():
            continue  # Its client hung up.
        if isinstance(answer, Exception):
            request.answer.set_exception(answer)
        else:
            request.answer.set_result(answer)

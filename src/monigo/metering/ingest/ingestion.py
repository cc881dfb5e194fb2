"""Ingestion: checks and stores events, those of a tenant's concurrent requests together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import asyncpg

from monigo import tenancy
from monigo.core.access import Permission
from monigo.core.errors import DomainError, ErrorKind, without_frames
from monigo.core.ids import ApiKeyId
from monigo.infra import metrics
from monigo.infra.batching import Batcher, BatchLimits
from monigo.infra.db import Database, Tenant
from monigo.infra.ids import new_id
from monigo.metering.ingest import store
from monigo.metering.ingest.basis import Basis, KnownTenants
from monigo.metering.ingest.quota import Allowance, Asked, EventQuotas, QuotaTurn
from monigo.metering.ingest.rules import (
    dedup_hashes,
    event_times,
    unknown_customers,
    unstorable_properties,
)
from monigo.metering.ingest.types import Event, IngestResult
from monigo.tenancy import KeyReference, Limits

BATCH_LIMITS = BatchLimits(
    flushes_max=4,
    # Enough to make a transaction's own cost small; more would only delay the first of them.
    flush_count_max=1_000,
    # Properties of 4 kB each; encoding more would keep the others from their turn.
    flush_bytes_max=4 * 1024 * 1024,
    waiting_count_max=50_000,
)
# How often a tenant's keys, customers or test clock may change while its events are being stored.
ATTEMPTS_MAX = 10
# After a repeat so many transactions expect another: failing costs more than what they could save.
REPEATS_EXPECTED_FLUSHES = 100
# Tenants of whom a repeat is remembered; beyond it all are forgotten, which costs a failure each.
REPEATS_EXPECTED_TENANTS_MAX = 10_000


@dataclass(slots=True)
class _Request:
    """One client's batch, and the key it came with."""

    api_key_id: ApiKeyId
    events: list[Event]


class _Insert(Protocol):
    """One of the ways to store events: the hashes of those that were new, None on an old basis."""

    async def __call__(
        self,
        database: Database,
        basis: Basis,
        rows: store.EventColumns,
        *,
        batch_id: UUID,
        received_at: datetime,
    ) -> set[bytes] | None: ...


class Ingestor:
    """Stores events for all tenants of this process."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self.quotas = EventQuotas()
        self._tenants = KnownTenants(database, limits)
        self._batcher = Batcher(self._flush, BATCH_LIMITS, may_be_of_one=_is_of_content)
        # For how many transactions yet a tenant's events are expected to hold repeats.
        self._repeats_expected: dict[Tenant, int] = {}

    async def ingest(self, caller: KeyReference, events: list[Event]) -> IngestResult:
        """Store a batch whole; the answer comes when it is on disk.

        The first use of an idempotency key counts, for ever; repeats are reported as duplicates.

        Raises:
            DomainError: unauthenticated, forbidden; invalid, naming each event with an unknown
                customer or a time out of bounds; insufficient, when the month's event quota is
                used up; unavailable, when too much waits already.
        """
        request = _Request(caller.api_key_id, events)
        size_bytes = sum([len(event.properties) for event in events])
        waiting = self._batcher.submit(
            caller.tenant, request, count=len(events), size_bytes=size_bytes
        )
        # A refusal's traceback holds this frame, which must not hold the events.
        del request, events
        return await waiting

    async def _flush(
        self, tenant: Tenant, requests: Sequence[_Request]
    ) -> Sequence[IngestResult | Exception]:
        try:
            answers = await self._store_new(tenant, requests)
            if answers is None:
                answers = await self._store(tenant, requests, store.insert_events)
        except asyncpg.DataError:
            fault = unstorable_properties(requests[0].events) if len(requests) == 1 else None
            if fault is None:
                raise
            return [fault]
        return answers

    async def _store_new(
        self, tenant: Tenant, requests: Sequence[_Request]
    ) -> list[IngestResult | Exception] | None:
        """Store requests in the hope that they hold no repeats; None where nothing was stored."""
        expected = self._repeats_expected.pop(tenant, 0)
        if expected:
            if expected > 1:
                self._repeats_expected[tenant] = expected - 1
            return None
        try:
            return await self._store(tenant, requests, store.insert_new_events)
        except asyncpg.UniqueViolationError:
            self._expect_repeats(tenant)
            return None

    def _expect_repeats(self, tenant: Tenant) -> None:
        if len(self._repeats_expected) >= REPEATS_EXPECTED_TENANTS_MAX:
            self._repeats_expected.clear()
        self._repeats_expected[tenant] = REPEATS_EXPECTED_FLUSHES

    async def _store(
        self, tenant: Tenant, requests: Sequence[_Request], insert: _Insert
    ) -> list[IngestResult | Exception]:
        """Check and store requests in one transaction; an answer for each, good or bad."""
        key_ids = {request.api_key_id for request in requests}
        references = {event.customer_id for request in requests for event in request.events}
        basis = self._tenants.remembered(tenant, key_ids, references)
        for _ in range(ATTEMPTS_MAX):
            is_remembered = basis is not None
            basis = basis or await self._tenants.read(tenant, key_ids, references)
            real_now = self._database.real_now()
            async with self.quotas.turn() as turn:
                allowance = await self._allowance(basis, real_now, turn, requests)
                rows, refusals = _decide(basis, real_now, allowance, requests)
                stored = None
                if not (is_remembered and any(refusals)):  # Nothing is refused from memory.
                    stored = await self._insert(basis, rows, insert, real_now)
                if stored is not None:
                    turn.stored = len(stored)
                    metrics.EVENTS_INGESTED.inc(len(stored))
                    metrics.EVENTS_REPEATED.inc(len(rows.events) - len(stored))
                    return _answers(requests, rows, refusals, stored)
            basis = None
        raise DomainError(
            ErrorKind.UNAVAILABLE, "overloaded", "too busy to take more", retry_after_seconds=1
        )

    async def _insert(
        self, basis: Basis, rows: store.EventColumns, insert: _Insert, real_now: datetime
    ) -> set[bytes] | None:
        """Store rows; the hashes of those that were new, or None where the basis is outdated."""
        if not rows.hashes:
            return set()
        stored = await insert(self._database, basis, rows, batch_id=new_id(), received_at=real_now)
        if stored is not None and len(stored) < len(set(rows.hashes)):
            self._expect_repeats(basis.tenant)
        return stored

    async def _allowance(
        self, basis: Basis, real_now: datetime, turn: QuotaTurn, requests: Sequence[_Request]
    ) -> Allowance | None:
        """What these requests may store of the month's quota; None where there is no quota."""
        quota = basis.limits.monthly_event_quota
        if quota is None:
            return None
        tenant = basis.tenant
        events = [event for request in requests for event in request.events]
        asked = Asked(
            tenant,
            real_now,
            basis.resets,
            lambda: self._database.transaction(tenant),
            len(events),
            lambda: dedup_hashes(events, is_test=tenant.is_test),
        )
        return await turn.allowance(asked, quota)


def _is_of_content(error: Exception) -> bool:
    """Whether a group failed for what the database can't store of one of its requests."""
    return isinstance(error, asyncpg.DataError)


def _decide(
    basis: Basis, real_now: datetime, allowance: Allowance | None, requests: Sequence[_Request]
) -> tuple[store.EventColumns, list[DomainError | None]]:
    """The rows to store, and for each request why not it; nothing of one that has a fault."""
    rows = store.EventColumns()
    refusals: list[DomainError | None] = []
    for request in requests:
        key = basis.keys.get(request.api_key_id)
        refusal = tenancy.refusal_of(key, basis.tenant, real_now, Permission.EVENTS_INGEST)
        if refusal is None:
            try:
                _append(rows, request, basis, real_now, allowance)
            except DomainError as error:
                refusal = without_frames(error)
        refusals.append(refusal)
    return rows, refusals


def _append(
    rows: store.EventColumns,
    request: _Request,
    basis: Basis,
    real_now: datetime,
    allowance: Allowance | None,
) -> None:
    """Add a request's events to the rows."""
    events, known = request.events, basis.customers
    times = event_times(events, basis.test_now or real_now)
    try:
        customer_ids = [known[event.customer_id] for event in events]
    except KeyError:
        positions = [at for at, event in enumerate(events) if event.customer_id not in known]
        raise unknown_customers(positions) from None
    hashes = dedup_hashes(events, is_test=basis.tenant.is_test)
    if allowance is not None:
        allowance.take(hashes)
    rows.hashes += hashes
    rows.events += events
    rows.customer_ids += customer_ids
    rows.times += times
    rows.api_key_ids.add(request.api_key_id)


def _answers(
    requests: Sequence[_Request],
    rows: store.EventColumns,
    refusals: Sequence[DomainError | None],
    stored: set[bytes],
) -> list[IngestResult | Exception]:
    hashes = iter(rows.hashes)
    return [
        refusal or _result(request.events, hashes, stored)
        for request, refusal in zip(requests, refusals, strict=True)
    ]


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

"""Movements of a tenant's concurrent requests, posted together.

While a wallet is being moved, what comes for it gathers and goes with the next transaction, so that
a busy wallet costs a lock and a commit for many. Other wallets don't wait for it: no two
transactions of a process touch the same one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from monigo import tenancy
from monigo.audit import Call
from monigo.core.errors import DomainError
from monigo.core.ids import ApiKeyId
from monigo.infra.batching import Batcher, BatchLimits
from monigo.infra.db import Database, Tenant
from monigo.tenancy import ApiKey, KeyReference, Limits
from monigo.wallets.movements.rules import MOVE_PERMISSIONS
from monigo.wallets.movements.service import locked_for, locking, post_on
from monigo.wallets.types import Movement, MovementResult

BATCH_LIMITS = BatchLimits(
    flushes_max=2,
    # What a transaction costs by itself, however little it moves, is what ten movements cost more.
    beside_count_min=8,
    # Enough to make a transaction's own cost small; more would only delay the first of them.
    flush_count_max=200,
    # Each is bounded by what a request may hold, so that they are only counted.
    flush_bytes_max=0,
    waiting_count_max=20_000,
)
# About 30 MB; beyond it all are forgotten and read again.
KEYS_MAX = 100_000
# Faults that one request's content can cause.
_OF_ONE = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, DomainError)


@dataclass(slots=True)
class _Request:
    """One client's movement, and the key and the call that it came with."""

    api_key_id: ApiKeyId
    movement: Movement
    call: Call


class MovementBatcher:
    """Credits and debits wallets for all tenants of this process."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits
        self._batcher = Batcher(
            self._flush, BATCH_LIMITS, may_be_of_one=lambda error: isinstance(error, _OF_ONE)
        )
        # As they were last read; each transaction finds out whether they still are.
        self._keys: dict[ApiKeyId, ApiKey] = {}

    async def move(self, caller: KeyReference, movement: Movement, call: Call) -> MovementResult:
        """Credit or debit a wallet; the answer comes when it is on disk.

        The audit log records the call.

        Raises:
            DomainError: unauthenticated, forbidden; as `wallets.move`; unavailable, when too much
                waits already.
        """
        request = _Request(caller.api_key_id, movement, call)
        return await self._batcher.submit(caller.tenant, request, subject=movement.wallet_id)

    async def _flush(
        self, tenant: Tenant, requests: Sequence[_Request]
    ) -> list[MovementResult | Exception]:
        """Check the keys and move, in one transaction; an answer for each, good or bad."""
        key_ids = {request.api_key_id for request in requests}
        known = {one: key for one in key_ids if (key := self._keys.get(one)) is not None}
        movements = [one.movement for one in requests]
        opening = locking(movements, known.values())
        async with self._database.transaction(tenant, opening) as tx:
            batch = await locked_for(tx, movements, tx.opened[0])
            if not batch.are_api_keys_same or len(known) < len(key_ids):
                known = await tenancy.get_keys(tx, key_ids)
                self._remember(known, tx.real_now)
            await self._limits.of(tx)
            refusals = [
                tenancy.refusal_of(
                    known.get(one.api_key_id),
                    tenant,
                    tx.real_now,
                    MOVE_PERMISSIONS[one.movement.direction],
                )
                for one in requests
            ]
            allowed = [
                one for one, refusal in zip(requests, refusals, strict=True) if refusal is None
            ]
            principals = {one: tenancy.principal_of(key) for one, key in known.items()}
            outcomes = iter(
                await post_on(
                    batch,
                    [one.movement for one in allowed],
                    [(principals[one.api_key_id], one.call) for one in allowed],
                    is_end=True,
                )
            )
        return [refusal or next(outcomes) for refusal in refusals]

    def _remember(self, keys: Mapping[ApiKeyId, ApiKey], real_now: datetime) -> None:
        if len(self._keys) + len(keys) > KEYS_MAX:
            self._keys.clear()
        # `lock_for` finds out whether one still counts, not whether it does so again.
        self._keys.update({one: key for one, key in keys.items() if key.is_unrestricted(real_now)})

"""The teller: concurrent movements of one tenant share transactions, without ever waiting for one.

An idle server moves at once. While a wallet is being moved, what comes for it gathers and goes
together with the next transaction, so that a hot wallet costs a lock and a commit for many. Other
wallets don't wait for it: no two transactions of a process touch the same one.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg

from monigo import tenancy
from monigo.core.errors import DomainError, ErrorKind, without_frames
from monigo.core.ids import ApiKeyId, WalletId
from monigo.infra.database import Database, Tenant, Transaction, as_unavailable
from monigo.tenancy import KeyReference, Limits, Scope
from monigo.wallets.movements import post
from monigo.wallets.types import Movement, MovementResult

# Transactions of one tenant under way at once: one computes here while another is in the database.
FLUSHES_MAX = 2
# Enough to make a transaction's own cost small; more would only delay the first of them.
FLUSH_MOVEMENTS_MAX = 200
# What may wait, over all tenants; beyond it a client is told to come again.
WAITING_MOVEMENTS_MAX = 20_000


@dataclass(slots=True)
class _Request:
    """One client's movement, and the future that its route awaits."""

    api_key_id: ApiKeyId
    movement: Movement
    answer: "asyncio.Future[MovementResult]"


@dataclass(slots=True)
class _Lane:
    """One tenant's requests that wait, by wallet, and the wallets that are being moved."""

    waiting: dict[WalletId, deque[_Request]] = field(
        default_factory=dict[WalletId, "deque[_Request]"]
    )
    moving: set[WalletId] = field(default_factory=set[WalletId])
    flushes: int = 0
    # Of those, transactions that are under way.
    busy: int = 0


class Teller:
    """Moves money for all tenants of this process."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits
        self._lanes: dict[Tenant, _Lane] = {}
        self._waiting = 0
        # The loop itself keeps only weak references to its tasks.
        self._tasks: set[asyncio.Task[None]] = set()

    async def move(self, caller: KeyReference, movement: Movement) -> MovementResult:
        """Credit or debit a wallet; the answer comes when it is on disk.

        Raises:
            DomainError: unauthenticated, forbidden; as `wallets.move`; unavailable, when too much
                waits already.
        """
        if self._waiting >= WAITING_MOVEMENTS_MAX:
            raise DomainError(
                ErrorKind.UNAVAILABLE, "overloaded", "too busy to take more", retry_after_seconds=1
            )
        lane = self._lanes.setdefault(caller.tenant, _Lane())
        request = _Request(caller.api_key_id, movement, asyncio.get_running_loop().create_future())
        lane.waiting.setdefault(movement.wallet_id, deque()).append(request)
        self._waiting += 1
        if lane.flushes < FLUSHES_MAX and movement.wallet_id not in lane.moving:
            lane.flushes += 1
            task = asyncio.create_task(self._drain(caller.tenant, lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await request.answer

    async def _drain(self, tenant: Tenant, lane: _Lane) -> None:
        """Move what waits in a lane until all of it is taken."""
        try:
            while requests := self._take(lane):
                taken = {request.movement.wallet_id for request in requests}
                lane.moving |= taken
                lane.busy += 1
                try:
                    await self._flush(tenant, requests)
                finally:
                    lane.moving -= taken
                    lane.busy -= 1
                # Those just answered may send their next movement along with what waits.
                await asyncio.sleep(0)
        finally:
            lane.flushes -= 1
            if not (lane.flushes or lane.waiting):
                self._lanes.pop(tenant, None)

    def _take(self, lane: _Lane) -> list[_Request]:
        """What waits for wallets that nobody moves, those that came first before others.

        Each transaction that could be under way and is not has its share of the wallets.
        """
        free = [known for known in lane.waiting if known not in lane.moving]
        share = -(-len(free) // (FLUSHES_MAX - lane.busy))
        taken: list[_Request] = []
        for wallet_id in free[:share]:
            queue = lane.waiting[wallet_id]
            while queue and len(taken) < FLUSH_MOVEMENTS_MAX:
                taken.append(queue.popleft())
            if not queue:
                del lane.waiting[wallet_id]
        self._waiting -= len(taken)
        return taken

    async def _flush(self, tenant: Tenant, requests: Sequence[_Request]) -> None:
        try:
            async with self._database.transaction(tenant) as tx:
                answers = await self._move(tx, requests)
        except Exception as error:  # noqa: BLE001 - each request's route answers it
            unavailable = as_unavailable(error)
            if unavailable is None and len(requests) > 1 and isinstance(error, _OF_ONE):
                # Something of one request can't be stored; the others must not suffer from it.
                for request in requests:
                    await self._flush(tenant, [request])
            else:
                _answer(requests, [unavailable or error] * len(requests))
        else:
            _answer(requests, answers)

    async def _move(
        self, tx: Transaction, requests: Sequence[_Request]
    ) -> list[MovementResult | Exception]:
        """Check the keys and move, in one transaction; an answer for each, good or bad."""
        key_ids = {request.api_key_id for request in requests}
        refusals = await tenancy.refusals(tx, key_ids, Scope.WRITE)
        await self._limits.of(tx)
        allowed = [request for request in requests if request.api_key_id not in refusals]
        moved = iter(await post(tx, [request.movement for request in allowed]))
        return [
            without_frames(refusals[request.api_key_id])
            if request.api_key_id in refusals
            else next(moved)
            for request in requests
        ]


# Faults that one request's content can cause.
_OF_ONE = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, DomainError)


def _answer(requests: Sequence[_Request], answers: Sequence[MovementResult | Exception]) -> None:
    for request, answer in zip(requests, answers, strict=True):
        if request.answer.done():
            continue  # Its client hung up.
        if isinstance(answer, Exception):
            request.answer.set_exception(answer)
        else:
            request.answer.set_result(answer)

"""Batching: concurrent requests of one tenant share a transaction, without ever waiting for one.

An idle server flushes a request at once. While a tenant's flushes are under way, its further
requests gather and go together with the next one, so that the busier the server is, the less each
request costs. No timer is involved, and no tenant waits for another's flush.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from msgspec import Struct

from monigo.core.errors import DomainError, ErrorKind, ensure, without_frames
from monigo.infra.db import Tenant, as_unavailable

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class BatchLimits(Struct, frozen=True):
    """How much goes together, and how much may wait.

    Counts are in whatever the items hold: events, movements. An item that is larger than a flush
    goes alone. Of what may wait over all tenants, each may take as much as it leaves free for the
    others, so that the first to come gets half and the next one always finds some.
    """

    # Flushes of one tenant under way at once: one computes here while others are in the database.
    flushes_max: int
    flush_count_max: int
    flush_bytes_max: int
    waiting_count_max: int
    # How much each flush has at least while others are under way. Less waits for one of them to
    # end, and then shares a transaction.
    beside_count_min: int = 1


@dataclass(slots=True, eq=False)
class _Request(Generic[Item, Outcome]):
    """One item, and the future that its caller awaits."""

    item: Item
    count: int
    size_bytes: int
    answer: "asyncio.Future[Outcome]"


@dataclass(slots=True)
class _Lane(Generic[Item, Outcome]):
    """One tenant's requests that wait, by subject, and the subjects of those being flushed."""

    waiting: "dict[Hashable, deque[_Request[Item, Outcome]]]" = field(
        default_factory=dict[Hashable, "deque[_Request[Item, Outcome]]"]
    )
    waiting_count: int = 0
    busy: set[Hashable] = field(default_factory=set[Hashable])
    # Tasks that flush what waits, and those of them that are inside a flush.
    tasks: int = 0
    flushes: int = 0


class Batcher(Generic[Item, Outcome]):
    """Gathers the items of all tenants of this process and flushes them in groups."""

    def __init__(
        self,
        flush: Callable[[Tenant, Sequence[Item]], Awaitable[Sequence[Outcome | Exception]]],
        limits: BatchLimits,
        *,
        may_be_of_one: Callable[[Exception], bool],
    ) -> None:
        """`flush` does what a group asks for, in as few transactions as it can.

        `flush` returns an outcome or an exception for each item, in their order; where it raises,
        nothing of the group may have been done. `may_be_of_one` decides whether one item's content
        may be the cause: if so, each item is flushed alone, so that none fails because of another.
        """
        self._flush = flush
        self._limits = limits
        self._may_be_of_one = may_be_of_one
        self._lanes: dict[Tenant, _Lane[Item, Outcome]] = {}
        self._free_count = limits.waiting_count_max
        # The loop itself keeps only weak references to its tasks.
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(
        self,
        tenant: Tenant,
        item: Item,
        *,
        count: int = 1,
        size_bytes: int = 0,
        subject: Hashable | None = None,
    ) -> Outcome:
        """Flush an item, alone or with others of its tenant; what became of it.

        Items of one subject are flushed in the order they came, and never by two flushes at once;
        those without one may be. An item whose caller goes away while it waits is not flushed.

        Raises:
            DomainError: unavailable, when too much waits already or the database is away.
            Exception: what the flush returned or raised for this item.
        """
        lane = self._lanes.get(tenant)
        if (lane.waiting_count if lane else 0) + count > self._free_count - count:
            raise DomainError(
                ErrorKind.UNAVAILABLE, "overloaded", "too busy to take more", retry_after_seconds=1
            )
        if lane is None:
            lane = self._lanes[tenant] = _Lane()
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        lane.waiting.setdefault(subject, deque()).append(_Request(item, count, size_bytes, answer))
        lane.waiting_count += count
        self._free_count -= count
        if self._may_begin(lane) and subject not in lane.busy:
            lane.tasks += 1
            task = asyncio.create_task(self._drain(tenant, lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        # A refusal's traceback holds this frame, which must not hold the item.
        del item, lane
        return await answer

    def _may_begin(self, lane: _Lane[Item, Outcome]) -> bool:
        """Whether one more flush of a lane may begin now."""
        if not lane.tasks:
            return True
        is_enough = lane.waiting_count >= self._limits.beside_count_min
        return is_enough and lane.tasks < self._limits.flushes_max

    async def _drain(self, tenant: Tenant, lane: _Lane[Item, Outcome]) -> None:
        """Flush what waits in a lane until nothing does that could be flushed now."""
        try:
            while lane.waiting:
                requests, subjects = self._take(lane)
                if not subjects:
                    break  # All that waits is of subjects that are being flushed.
                subjects.discard(None)
                lane.busy |= subjects
                lane.flushes += 1
                try:
                    if requests:
                        await self._answer(tenant, requests)
                finally:
                    lane.busy -= subjects
                    lane.flushes -= 1
                # Those just answered may send their next item along with what waits.
                await asyncio.sleep(0)
                if lane.flushes and lane.waiting_count < self._limits.beside_count_min:
                    break  # The flush under way takes it along when it ends.
        finally:
            lane.tasks -= 1
            if not (lane.tasks or lane.waiting):
                self._lanes.pop(tenant, None)

    def _take(
        self, lane: _Lane[Item, Outcome]
    ) -> tuple[list[_Request[Item, Outcome]], set[Hashable]]:
        """The next group, and the subjects that its flush is to keep to itself.

        Those that came first go first. Each flush that could be under way and is not has its share
        of the subjects; one of which more waits than a flush takes lines up again behind the rest.
        """
        limits = self._limits
        free = [subject for subject in lane.waiting if subject not in lane.busy]
        flushes = min(
            limits.flushes_max - lane.flushes,
            max(lane.waiting_count // limits.beside_count_min, 1),
        )
        share = -(-len(free) // flushes)
        taken: list[_Request[Item, Outcome]] = []
        subjects: set[Hashable] = set()
        count = size_bytes = 0
        for subject in free[:share]:
            queue = lane.waiting.pop(subject)
            while queue:
                request = queue[0]
                is_full = (
                    count + request.count > limits.flush_count_max
                    or size_bytes + request.size_bytes > limits.flush_bytes_max
                )
                if is_full and taken:
                    lane.waiting[subject] = queue
                    break
                queue.popleft()
                lane.waiting_count -= request.count
                self._free_count += request.count
                subjects.add(subject)
                if not request.answer.done():
                    taken.append(request)
                    count += request.count
                    size_bytes += request.size_bytes
            if queue:
                break
        return taken, subjects

    async def _answer(self, tenant: Tenant, requests: Sequence[_Request[Item, Outcome]]) -> None:
        """Flush a group and give each caller the outcome of its item."""
        answers: Sequence[Outcome | Exception]
        try:
            answers = await self._flush(tenant, [request.item for request in requests])
            ensure(len(answers) == len(requests), "a flush answers each of its items")
        except Exception as error:  # noqa: BLE001 - each item's caller answers it
            unavailable = as_unavailable(error)
            if unavailable is None and len(requests) > 1 and self._may_be_of_one(error):
                for request in requests:
                    await self._answer(tenant, [request])
                return
            answers = [unavailable or error] * len(requests)
        except BaseException:
            for request in requests:
                request.answer.cancel()
            raise
        for request, answer in zip(requests, answers, strict=True):
            if request.answer.done():
                continue  # Its client hung up.
            if isinstance(answer, DomainError):
                request.answer.set_exception(without_frames(answer))
            elif isinstance(answer, Exception):
                request.answer.set_exception(answer)
            else:
                request.answer.set_result(answer)

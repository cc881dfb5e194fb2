"""The due work of transfers: to send them, and to ask about what is not final."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from cachetools import LRUCache

from monigo.core.ids import PayoutTransferId
from monigo.infra.agenda import BATCH_MAX, Batches, Claims, Task
from monigo.infra.db import Database
from monigo.payments.charges import Desk
from monigo.payments.transfers import store
from monigo.payments.transfers.asking import ask_about
from monigo.payments.transfers.outcomes import ASK, SUBMIT
from monigo.payments.transfers.sending import Line, send_together
from monigo.payments.transfers.types import Transfer, TransferState
from monigo.providers.registry import adapter_of

# Batches under way at once in one process; each waits for its provider most of the time. One
# connection has a part of them, one only where bulks must be some time apart.
AT_ONCE = 4
OF_CONNECTION = 2
# How long a batch waits for its turn, and when what had none is due again.
TURN_SECONDS = 5
PUT_OFF = timedelta(seconds=5)
# Of connections whose batches are counted; beyond it those asked longest ago are counted anew.
COUNTED_MAX = 10_000
# Transfers that a provider takes one by one are sent so many at a time.
ALONE_AT_ONCE = 20


class _Sending:
    """Sends transfers, each connection's and currency's by themselves."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._turns: LRUCache[tuple[UUID, bool], asyncio.Semaphore] = LRUCache(COUNTED_MAX)

    async def work(self, database: Database, claims: Claims, stop: asyncio.Event) -> None:
        """Send all that was claimed; one connection's failure is not another's."""
        async with database.transaction(claims.tenant) as tx:
            found = await store.load(tx, claims.subjects)
        groups: defaultdict[tuple[UUID, str, bool], list[Transfer]] = defaultdict(list)
        for one in found.values():
            if one.state is TransferState.CREATED:
                groups[one.connection_id, one.amount.currency, one.is_alone].append(one)
        waiting = {one.id for group in groups.values() for one in group}
        over = [one for one in claims.subjects if one not in waiting]
        if over:
            async with database.transaction(claims.tenant) as tx:
                await claims.finish(tx, over)
        ended = await asyncio.gather(
            *(self._take_turn(database, claims, group, stop) for group in groups.values()),
            return_exceptions=True,
        )
        for error in ended:
            if error is not None:
                raise error

    async def _take_turn(
        self, database: Database, claims: Claims, group: Sequence[Transfer], stop: asyncio.Event
    ) -> None:
        first = group[0]
        capabilities = adapter_of(first.provider).capabilities
        most = 1 if capabilities.bulk_gap else OF_CONNECTION
        known = (first.connection_id, claims.tenant.is_test)
        turns = self._turns.setdefault(known, asyncio.Semaphore(most))
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await turns.acquire()
        except TimeoutError:
            async with database.transaction(claims.tenant) as tx:
                again: dict[UUID, datetime] = {one.id: tx.real_now + PUT_OFF for one in group}
                await claims.finish(tx, list(again), again_at=again)
            return
        try:
            line = Line(self._desk, database, claims.tenant)
            size = ALONE_AT_ONCE if first.is_alone else max(1, capabilities.bulk_rows_max)
            for start in range(0, len(group), size):
                if stop.is_set():
                    return
                part = group[start : start + size]
                await send_together(line, part)
                async with database.transaction(claims.tenant) as tx:
                    # What is to be sent again was put on the agenda as it was recorded.
                    await claims.finish(tx, [one.id for one in part])
        finally:
            turns.release()


def submit_task(desk: Desk) -> Task:
    """Due work that sends transfers nobody waits for, as many together as providers take."""
    return Task(SUBMIT, Batches(_Sending(desk).work, size=BATCH_MAX), concurrency=AT_ONCE)


def ask_task(desk: Desk) -> Task:
    """Due work that asks about transfers that are not final."""

    async def work(database: Database, claims: Claims, stop: asyncio.Event) -> None:
        del stop
        ids = [PayoutTransferId(subject) for subject in claims.subjects]
        await ask_about(desk, database, claims.tenant, ids)
        async with database.transaction(claims.tenant) as tx:
            # What is to be asked again was put on the agenda as it was recorded.
            await claims.finish(tx)

    return Task(ASK, Batches(work), concurrency=AT_ONCE)

"""Turns of work that waits for other machines, so that one that hangs does not keep all lanes."""

import asyncio
from collections.abc import AsyncGenerator, Hashable
from contextlib import asynccontextmanager
from datetime import timedelta

from cachetools import LRUCache

# How long work waits for its turn, and when what had none is due again.
TURN_SECONDS = 2
PUT_OFF = timedelta(seconds=5)
# Of machines whose turns are counted; beyond it those asked longest ago are counted anew.
COUNTED_MAX = 10_000


class Turns:
    """So many turns at once for each machine, fewer than a kind of work has lanes.

    The lanes that are left over go on with what waits for another one.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._turns: LRUCache[Hashable, asyncio.Semaphore] = LRUCache(COUNTED_MAX)

    @asynccontextmanager
    async def at(self, machine: Hashable) -> AsyncGenerator[bool]:
        """Wait a moment for a turn at a machine; whether there was one.

        Work that had none comes again after `PUT_OFF`.
        """
        turns = self._turns.get(machine)
        if turns is None:
            turns = self._turns[machine] = asyncio.Semaphore(self._at_once)
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await turns.acquire()
        except TimeoutError:
            yield False
            return
        try:
            yield True
        finally:
            turns.release()

"""The monthly event quota: what a tenant may still send, as far as this process knows.

The count comes from the database at most once a second; what this process takes in meanwhile it
adds itself. Other processes' events are seen a second late, and so the quota may be overshot by
that second's traffic.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

from monigo.core.rate import SECOND
from monigo.infra.database import Tenant, Transaction
from monigo.metering import quota_store
from monigo.metering.rules import first_of_month, quota_exceeded

# About 10 MB; beyond it everything is forgotten and counted again.
TENANTS_MAX = 50_000


@dataclass(slots=True)
class MonthlyCount:
    """The events of a tenant in a month: those counted in the database, and ours since."""

    month: date
    resets: int
    read_at: int
    used: int


@dataclass(slots=True)
class Allowance:
    """What one transaction may store. Where `known` is None, there is room for all it asks."""

    count: MonthlyCount
    quota: int
    known: set[bytes] | None
    taken: int = 0

    def take(self, hashes: Collection[bytes]) -> None:
        """Use up room for a batch; its repeats need none.

        Raises:
            DomainError: insufficient, when the batch does not fit as a whole.
        """
        if self.known is None:
            needed = len(hashes)
        else:
            new = set(hashes) - self.known
            needed = len(new)
            if self.count.used + needed > self.quota:
                raise quota_exceeded()
            self.known |= new
        self.count.used += needed
        self.taken += needed

    def settle(self, stored: int) -> None:
        """Give back what was taken for events that were not stored after all."""
        self.count.used -= self.taken - stored
        self.taken = stored


class EventQuotas:
    """The counts of all tenants of this process that have a quota."""

    def __init__(self, monotonic: Callable[[], int] = time.monotonic_ns) -> None:
        self._monotonic = monotonic
        self._counts: dict[Tenant, MonthlyCount] = {}

    async def allowance(
        self, tx: Transaction, quota: int, hashes: Callable[[], Collection[bytes]], size: int
    ) -> Allowance:
        """What a transaction that asks to store `size` events may store.

        Only where the room is short are their `hashes` looked up, to tell which are repeats.
        """
        count = await self._count(tx)
        # Nothing may come between this look and `take`: transactions of a tenant run side by side.
        if count.used + size <= quota:
            return Allowance(count, quota, known=None)
        return Allowance(count, quota, await quota_store.known_hashes(tx, hashes()))

    async def _count(self, tx: Transaction) -> MonthlyCount:
        now, month = self._monotonic(), first_of_month(tx.real_now)
        count = self._counts.get(tx.tenant)
        is_same = count is not None and (count.month, count.resets) == (month, tx.resets)
        if count is None or not is_same or now - count.read_at >= SECOND:
            if len(self._counts) >= TENANTS_MAX:
                self._counts.clear()
            # A new object: what is under way under the old one is left out or counted already.
            used = await quota_store.count_events(tx, month)
            count = MonthlyCount(month, tx.resets, now, used)
            self._counts[tx.tenant] = count
        return count

"""The monthly event quota: what a tenant may still send, as far as this process knows.

The count comes from the database at most once a second; what this process takes in meanwhile it
adds itself. Other processes' events are seen a second late, and so the quota may be overshot by
that second's traffic.

Where there is room for all, transactions go side by side, and each holds room for all its events
until it knows which of them were repeats. Where there is not, one goes alone, after those that hold
more room than they may need: so no batch is refused that fits once repeats are left out.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Self

from msgspec import Struct

from monigo.core.rate import SECOND
from monigo.infra.db import Tenant, Transaction
from monigo.metering.ingest import quota_store
from monigo.metering.ingest.rules import quota_exceeded
from monigo.metering.rules import first_of_month

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
            # Nothing but repeats needs no room, though there be less than none.
            if needed and self.count.used + needed > self.quota:
                raise quota_exceeded()
            self.known |= new
        self.count.used += needed
        self.taken += needed

    def settle(self, stored: int) -> None:
        """Return the quota that was reserved for events that were not stored."""
        self.count.used -= self.taken - stored
        self.taken = stored


class Asked(Struct, frozen=True):
    """What one transaction asks to store: for whom, when, and how many events of which hashes.

    `begin` opens a transaction to read in. `hashes` is called only where the quota is nearly used
    up, to find the repeats, which are free.
    """

    tenant: Tenant
    real_now: datetime
    resets: int
    begin: Callable[[], AbstractAsyncContextManager[Transaction]]
    size: int
    hashes: Callable[[], Collection[bytes]]


@dataclass(slots=True)
class Gate:
    """What a tenant's transactions wait at: they go side by side, or one of them alone."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_empty: asyncio.Event = field(default_factory=asyncio.Event)
    inside: int = 0
    users: int = 0

    async def empty(self) -> None:
        """Wait until all that went in side by side have come out."""
        self.is_empty.clear()
        if self.inside:
            await self.is_empty.wait()

    def leave(self) -> None:
        """Come out again."""
        self.inside -= 1
        if not self.inside:
            self.is_empty.set()


class EventQuotas:
    """The counts of all tenants of this process that have a quota."""

    def __init__(self, monotonic: Callable[[], int] = time.monotonic_ns) -> None:
        self._monotonic = monotonic
        self._counts: dict[Tenant, MonthlyCount] = {}
        self.gates: dict[Tenant, Gate] = {}

    def turn(self) -> "QuotaTurn":
        """What one transaction is to be wrapped in, so that it ends after the commit."""
        return QuotaTurn(self)

    async def count(self, asked: "Asked") -> MonthlyCount:
        """The tenant's count of this month, at most a second old."""
        now, month = self._monotonic(), first_of_month(asked.real_now)
        count = self._counts.get(asked.tenant)
        is_same = count is not None and (count.month, count.resets) == (month, asked.resets)
        if count is None or not is_same or now - count.read_at >= SECOND:
            if len(self._counts) >= TENANTS_MAX:
                self._counts.clear()
            # A new object: what is under way under the old one is left out or counted already.
            async with asked.begin() as tx:
                used = await quota_store.count_events(tx, month)
            count = MonthlyCount(month, asked.resets, now, used)
            self._counts[asked.tenant] = count
        return count


class QuotaTurn:
    """One transaction's share in its tenant's quota, from its first look until it has committed."""

    def __init__(self, quotas: EventQuotas) -> None:
        self._quotas = quotas
        self._tenant: Tenant | None = None
        self._gate = Gate()
        self._is_inside = self._is_alone = False
        self._allowance: Allowance | None = None
        # How many events the transaction stored.
        self.stored = 0

    async def allowance(self, asked: Asked, quota: int) -> Allowance:
        """What the transaction may store of what it asks."""
        self._tenant = asked.tenant
        self._gate = gate = self._quotas.gates.setdefault(asked.tenant, Gate())
        gate.users += 1
        await gate.turn.acquire()
        self._is_alone = True
        count = await self._quotas.count(asked)
        known = None
        if count.used + asked.size > quota:
            await gate.empty()
            if count.used + asked.size > quota:
                async with asked.begin() as tx:
                    known = await quota_store.known_hashes(tx, asked.hashes())
        else:
            gate.inside += 1
            self._is_inside, self._is_alone = True, False
            gate.turn.release()
        # Nothing may come between the last look and `take`.
        self._allowance = Allowance(count, quota, known)
        return self._allowance

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Return the reserved quota that was not used; all of it if the transaction failed."""
        if self._allowance is not None:
            self._allowance.settle(0 if kind else self.stored)
        if self._is_inside:
            self._gate.leave()
        if self._is_alone:
            self._gate.turn.release()
        if self._tenant is not None:
            self._gate.users -= 1
            if not self._gate.users:
                self._quotas.gates.pop(self._tenant, None)

"""What due work is: its kinds, how they are worked off, and the entries that wait."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from monigo.core.errors import ensure
from monigo.infra.db import Database, Tenant, Transaction

# Shares out each query's cost, and is over soon.
SLICE_MAX = 500
# Worked on at once by one process, which may have to call another machine for each.
BATCH_USUAL = 100
# Where one call is for all of them: as many as providers take at most.
BATCH_MAX = 500


class Follows(StrEnum):
    """Whose time a kind of work follows."""

    # The tenant's: in test mode that of a test clock, where one is set.
    TENANT = "tenant"
    # The machine's: what belongs to the system and not to the merchant's data.
    REAL = "real"


class Kind(Struct, frozen=True):
    """A kind of due work, as the domain that puts it on the agenda knows it.

    What a subject is (a subscription, a wallet, the organisation) is the kind's own affair.
    """

    name: str
    follows: Follows

    def now(self, tx: Transaction) -> datetime:
        """The present instant of the time that the kind follows."""
        return tx.now if self.follows is Follows.TENANT else tx.real_now


class BackOff(Struct, frozen=True):
    """When failed work is tried again: after `first`, then twice as long each time, up to `most`.

    After `attempts_max` failures an entry waits for a change, which puts it on the agenda again.
    """

    first: timedelta = timedelta(minutes=1)
    most: timedelta = timedelta(days=1)
    attempts_max: int | None = None

    def pause(self, attempts: int) -> timedelta | None:
        """How long to wait after so many failures; None: until the entry is put again."""
        if self.attempts_max is not None and attempts >= self.attempts_max:
            return None
        return min(self.first * 2 ** min(attempts - 1, 16), self.most)


class Entry(Struct, frozen=True):
    """Work that is due; `version` is another one each time that it is put on the agenda."""

    subject: UUID
    due_at: datetime
    version: int
    attempts: int


class DueFigures(Struct, frozen=True):
    """How much of a kind is due, since when the oldest of it, and how much was set aside."""

    kind: str
    due: int
    oldest_at: datetime | None
    set_aside: int


class SetAside(Struct, frozen=True):
    """Work that failed, and why; `due_at` is its next try, None where there is none."""

    kind: str
    subject: UUID
    due_at: datetime | None
    attempts: int
    reason: str


class SetAsideCount(Struct, frozen=True):
    """How much of a kind of work was set aside, and the first few subjects of it."""

    count: int
    subjects: tuple[UUID, ...]


# Works on a slice in the transaction that removes it from the agenda; returns the subjects that are
# locked elsewhere, which stay on it. Entries that the handler puts stay, too.
WorkSlice = Callable[[Transaction, Sequence[Entry]], Awaitable[Collection[UUID]]]
# Notes where people look for it that the work on a subject failed, and why.
Flag = Callable[[Transaction, UUID, str], Awaitable[None]]


class Slices(Struct, frozen=True):
    """Work that is done for many subjects at once, in one transaction."""

    work: WorkSlice
    size: int = SLICE_MAX
    flag: Flag | None = None

    def __post_init__(self) -> None:
        """Refuse slices that would hold too many rows."""
        ensure(0 < self.size <= SLICE_MAX, "a slice has 1 to 500 entries")


class Claim(Protocol):
    """One entry that is worked on in several transactions, as the handler sees it."""

    @property
    def tenant(self) -> Tenant:
        """Whose work it is."""
        ...

    @property
    def subject(self) -> UUID:
        """What is worked on."""
        ...

    async def finish(self, tx: Transaction, *, again_at: datetime | None = None) -> None:
        """Take the entry off the agenda, or have it come again, with what `tx` does.

        An entry that was put again meanwhile stays as it was put.

        Raises:
            ClaimLostError: somebody else took it over, or it is gone; `tx` must not commit.
        """
        ...


# Works on one subject in transactions of its own until done, or until the worker stops; the last
# one finishes the claim. A claim that is not finished is left to the next look.
WorkSteps = Callable[[Database, Claim, asyncio.Event], Awaitable[None]]


class Steps(Struct, frozen=True):
    """Work on one subject that takes several transactions, or other machines."""

    work: WorkSteps


class Claims(Protocol):
    """Entries of one tenant that are worked on together, as the handler sees them."""

    @property
    def tenant(self) -> Tenant:
        """Whose work it is."""
        ...

    @property
    def subjects(self) -> Sequence[UUID]:
        """What is worked on, the earliest first, without what was finished."""
        ...

    async def finish(
        self,
        tx: Transaction,
        subjects: Collection[UUID] | None = None,
        *,
        again_at: Mapping[UUID, datetime] | None = None,
    ) -> None:
        """Take entries (without `subjects`, all that are left) off the agenda with what `tx` does.

        Those in `again_at` come again then. An entry that was put again meanwhile stays as it was
        put.

        Raises:
            ClaimLostError: somebody else took one over, or it is gone; `tx` must not commit.
        """
        ...


# As `WorkSteps`, on many subjects of one tenant.
WorkBatch = Callable[[Database, Claims, asyncio.Event], Awaitable[None]]


class Batches(Struct, frozen=True):
    """Work on many subjects at once that takes several transactions, or other machines."""

    work: WorkBatch
    size: int = BATCH_USUAL

    def __post_init__(self) -> None:
        """Refuse batches that would keep too much from other workers."""
        ensure(0 < self.size <= BATCH_MAX, "a batch has 1 to 500 entries")


class Task(Struct, frozen=True):
    """How a kind of work is done: the handler, and how much of it at once in one process.

    The worker looks for it every `every_seconds`, which is also how late it may be.
    """

    kind: Kind
    handler: Slices | Steps | Batches
    concurrency: int = 2
    back_off: BackOff = BackOff()
    every_seconds: float = 1


class ClaimLostError(Exception):
    """Somebody else works on an entry now, or did: what was done under the claim must not count."""

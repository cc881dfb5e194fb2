"""Claims of entries that are worked on in several transactions, held while a process lives."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from monigo.infra.agenda import store
from monigo.infra.agenda.service import runs_at
from monigo.infra.agenda.types import ClaimLostError, Entry, Task
from monigo.infra.db import Database, Tenant, Transaction

# Work whose process died is taken over after this long.
CLAIM_LASTS = timedelta(seconds=15)
# Several times while a claim lasts.
RENEW_SECONDS = 4


async def set_aside(tx: Transaction, task: Task, entry: Entry, reason: str) -> None:
    """Note why the work on a locked entry failed, and when it is tried again."""
    pause = task.back_off.pause(entry.attempts + 1)
    due_at = None if pause is None else task.kind.now(tx) + pause
    await store.set_aside(
        tx,
        task.kind.name,
        entry,
        due_at=due_at,
        runs_at=None if due_at is None else runs_at(tx, task.kind, due_at),
        reason=reason,
    )


class HeldClaims:
    """Entries of one tenant that were claimed together, each until it is finished."""

    def __init__(
        self, task: Task, tenant: Tenant, entries: Sequence[Entry], until: datetime
    ) -> None:
        self._task = task
        self._tenant = tenant
        self._entries = {entry.subject: entry for entry in entries}
        self._finished: set[UUID] = set()
        self._until = until
        # The claims are renewed by one transaction and finished by others.
        self._lock = asyncio.Lock()

    @property
    def tenant(self) -> Tenant:
        """Whose work it is."""
        return self._tenant

    @property
    def subjects(self) -> Sequence[UUID]:
        """What is worked on, without what was finished."""
        return [subject for subject in self._entries if subject not in self._finished]

    @property
    def count_finished(self) -> int:
        """How much was finished, if those transactions have committed."""
        return len(self._finished)

    async def finish(
        self,
        tx: Transaction,
        subjects: Collection[UUID] | None = None,
        *,
        again_at: Mapping[UUID, datetime] | None = None,
    ) -> None:
        """Take entries off the agenda, or have them come again, with what `tx` does.

        Raises:
            ClaimLostError: somebody else took one over, or it is gone; `tx` must not commit.
        """
        again = again_at or {}
        chosen = self.subjects if subjects is None else subjects
        finished = [self._entries[one] for one in chosen]
        async with self._lock:
            versions = await store.lock_claimed(
                tx, self._name, [one.subject for one in finished], held=self._until
            )
            if lost := [one.subject for one in finished if one.subject not in versions]:
                raise ClaimLostError(f"{self._name} {lost[0]}")
            await store.finish(
                tx, self._name, [one for one in finished if one.subject not in again]
            )
            await store.come_again(
                tx,
                self._name,
                [
                    (one, again[one.subject], runs_at(tx, self._task.kind, again[one.subject]))
                    for one in finished
                    if one.subject in again
                ],
            )
            await store.release(
                tx,
                self._name,
                [one.subject for one in finished if versions[one.subject] != one.version],
                held=self._until,
            )
            self._finished |= {one.subject for one in finished}

    @asynccontextmanager
    async def renewing(self, database: Database) -> AsyncGenerator[None]:
        """Hold the claims for as long as their process lives."""
        renewal = asyncio.create_task(self._renew(database))
        try:
            yield
        finally:
            renewal.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewal

    async def give_up(self, database: Database, reason: str | None) -> None:
        """Leave what is still claimed to the next look, or set it aside where it failed."""
        async with database.transaction(self._tenant) as tx:
            versions = await store.lock_claimed(
                tx, self._name, list(self._entries), held=self._until
            )
            released: list[UUID] = []
            for subject, version in versions.items():
                entry = self._entries[subject]
                if reason is not None and version == entry.version:
                    await set_aside(tx, self._task, entry, reason)
                else:
                    released.append(subject)
            await store.release(tx, self._name, released, held=self._until)

    async def _renew(self, database: Database) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            # Where the database is away, the work itself fails.
            with contextlib.suppress(Exception):
                async with self._lock, database.transaction(self._tenant) as tx:
                    until = tx.real_now + CLAIM_LASTS
                    await store.renew(tx, self._name, self.subjects, held=self._until, until=until)
                self._until = until

    @property
    def _name(self) -> str:
        return self._task.kind.name


class HeldClaim:
    """The claim of one entry, for work on one subject."""

    def __init__(self, held: HeldClaims) -> None:
        self._held = held
        self._subject = held.subjects[0]

    @property
    def tenant(self) -> Tenant:
        """Whose work it is."""
        return self._held.tenant

    @property
    def subject(self) -> UUID:
        """What is worked on."""
        return self._subject

    async def finish(self, tx: Transaction, *, again_at: datetime | None = None) -> None:
        """As `HeldClaims.finish`."""
        again = {} if again_at is None else {self._subject: again_at}
        await self._held.finish(tx, [self._subject], again_at=again)

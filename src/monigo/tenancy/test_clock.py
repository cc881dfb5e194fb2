"""The test clock: an organisation's test time stands still until it is advanced.

On its way it stops at each instant at which something is to happen, lets it happen, and goes on.
Each stop is committed before its work begins, so that whoever comes after a crash goes on there.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Protocol
from uuid import UUID

from monigo.core.errors import DomainError, ErrorKind, conflict, invalid
from monigo.core.times import format_instant
from monigo.infra.database import Database, Tenant, Transaction, as_unavailable
from monigo.infra.ids import new_id
from monigo.infra.logging import logger
from monigo.tenancy import test_clock_store as store
from monigo.tenancy.types import ClockReading, ClockStatus, SetClock

log = logger(__name__)

# Of real time. Enough for any story told in tests; each period on the way is really closed.
AHEAD_MAX = timedelta(days=10 * 366)
# Work at one instant may make more work there; beyond this it goes in a circle.
STEPS_AT_ONE_INSTANT_MAX = 100
# What a request or another worker holds for a moment is due again at once. So many steps follow
# each other without a pause, then whoever holds it is given time: most of a minute in all.
PROMPT_STEPS = 10
HELD_SECONDS = 0.5
# A clock whose runner was silent for so long was left behind by a process that died.
LEFT_BEHIND_AFTER = timedelta(seconds=10)
# Several times while others wait for a sign of life.
RENEW_SECONDS = 2
# Between two looks at a clock that another runner has.
POLL_SECONDS = 0.2
# Then other organisations' clocks have their turn, and a worker that stops can.
STEPS_A_ROUND = 100
# A database that is away or locked is waited for so often, then left to the worker.
RETRIES_MAX = 5
RETRY_SECONDS = 1


class DueWork(Protocol):
    """Something that happens to a tenant at instants that its data tells."""

    async def next_due(self, tx: Transaction) -> datetime | None:
        """The earliest instant, past or future, at which something is to happen.

        It only reads. What `run` could not settle now must not be told again for the same instant.
        """
        ...

    async def run(self, database: Database, tenant: Tenant) -> None:
        """Do what is due by the tenant's now; once, even if two of these run side by side."""
        ...


async def read_test_clock(tx: Transaction) -> ClockReading:
    """Test time, which is real where no clock is set. Raises forbidden in live mode."""
    refuse_live(tx)
    clock = await store.load(tx)
    if clock is None:
        return ClockReading(tx.now, ClockStatus.READY, "")
    return ClockReading(clock.now, _status(clock), clock.failure)


async def start_advance(tx: Transaction, to: datetime | None) -> datetime:
    """Send the clock to a later instant; `advance` takes it there once this is committed.

    Raises:
        DomainError: invalid, naming `to`; conflict, while it is on its way; forbidden in live mode.
    """
    refuse_live(tx)
    clock = await store.load(tx)
    if clock is not None and clock.target is not None:
        raise _on_its_way()
    if to is None:
        raise invalid({"to": "is required"})
    if to <= tx.now:
        raise invalid({"to": f"must be after the clock's now, {format_instant(tx.now)}"})
    if to > tx.real_now + AHEAD_MAX:
        raise invalid({"to": "must be at most ten years ahead of real time"})
    if not await store.start(tx, to):
        raise _on_its_way()
    return to


async def advance(database: Database, tenant: Tenant, work: Sequence[DueWork]) -> None:
    """Take the tenant's clock to its target, or wait for another runner that does.

    Raises:
        Exception: the database stays away; the worker goes on later.
    """
    retries = 0
    async with _runner(database, tenant) as runner_id:
        while True:
            try:
                outcome = await _step(database, tenant, work, runner_id)
            except Exception as error:
                retries += 1
                if as_unavailable(error) is None or retries > RETRIES_MAX:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
                continue
            retries = 0
            if outcome is _Outcome.STANDS:
                return
            if outcome is _Outcome.ANOTHERS:
                await asyncio.sleep(POLL_SECONDS)


async def advance_some(database: Database, tenant: Tenant, work: Sequence[DueWork]) -> bool:
    """Go to the next instant at which something is due, and do it; whether there is more to do.

    Raises:
        Exception: the database is away or busy. All else that goes wrong stops the clock.
    """
    async with _runner(database, tenant) as runner_id:
        return await _step(database, tenant, work, runner_id) is not _Outcome.STANDS


async def keep_up(database: Database, tenant: Tenant, work: Sequence[DueWork]) -> None:
    """Do what became due at the instant where a clock stands, and take on one left behind."""
    async with database.snapshot(tenant) as tx:
        clock = await store.load(tx)
        if clock is None or clock.failure:
            return
        is_left_behind = tx.real_now - clock.updated_at >= LEFT_BEHIND_AFTER
        due = await _due(tx, work, by=clock.now) if clock.target is None else []
    for _, item in due:
        await item.run(database, tenant)
    if clock.target is None or not is_left_behind:
        return
    async with _runner(database, tenant) as runner_id:
        for _ in range(STEPS_A_ROUND):
            if await _step(database, tenant, work, runner_id) is not _Outcome.MOVED:
                return


class _Outcome(Enum):
    """What a step came to."""

    MOVED = auto()
    STANDS = auto()
    ANOTHERS = auto()


@asynccontextmanager
async def _runner(database: Database, tenant: Tenant) -> AsyncGenerator[UUID]:
    """A runner's id; what it has taken is left to others at the end."""
    runner_id = new_id()
    try:
        yield runner_id
    finally:
        # Where the database is away, others wait until the runner has been silent for long.
        with contextlib.suppress(Exception):
            async with database.transaction(tenant) as tx:
                await store.release(tx, runner_id)


async def _step(
    database: Database, tenant: Tenant, work: Sequence[DueWork], runner_id: UUID
) -> _Outcome:
    """Take the clock, unless another runner has it, and do what is due next on its way.

    One runner has a clock at a time: a second one would find nothing to do where the first is
    still at it, and take that for work that stays due.
    """
    async with database.transaction(tenant) as tx:
        is_ours = await store.take(tx, runner_id, lasting=LEFT_BEHIND_AFTER)
        clock = await store.load(tx)
    if clock is None or clock.target is None:
        return _Outcome.STANDS
    if not is_ours:
        return _Outcome.ANOTHERS
    renewing = asyncio.create_task(_keep_taken(database, tenant, runner_id))
    try:
        return await _go_on(database, tenant, work, runner_id)
    except Exception as error:
        if as_unavailable(error) is not None:
            raise
        log.exception("test clock stopped", org_id=str(tenant.org_id))
        reason = error.message if isinstance(error, DomainError) else "internal error"
        await _stop(database, tenant, runner_id, reason)
        return _Outcome.STANDS
    finally:
        renewing.cancel()


async def _go_on(
    database: Database, tenant: Tenant, work: Sequence[DueWork], runner_id: UUID
) -> _Outcome:
    """Move a taken clock to the next instant, and do there what is due.

    It is decided on one snapshot of the tenant's data, in which nothing is left to do before.
    """
    async with database.snapshot(tenant) as tx:
        clock = await store.load(tx)
        if clock is None or clock.target is None:
            return _Outcome.STANDS
        due = await _due(tx, work, by=clock.target)
    if not due:
        async with database.transaction(tenant) as tx:
            arrived = await store.arrive(tx, clock, runner_id)
        return _Outcome.STANDS if arrived else _Outcome.ANOTHERS
    at = max(clock.now, min(instant for instant, _ in due))
    if at == clock.now and clock.steps >= STEPS_AT_ONE_INSTANT_MAX:
        stays = f"what is due at {format_instant(at)} stays due"
        await _stop(database, tenant, runner_id, stays)
        return _Outcome.STANDS
    if at == clock.now and clock.steps >= PROMPT_STEPS:
        await asyncio.sleep(HELD_SECONDS)
    async with database.transaction(tenant) as tx:
        if not await store.move(tx, clock, runner_id, at):
            return _Outcome.ANOTHERS
    for instant, item in due:
        if instant <= at:
            await item.run(database, tenant)
    return _Outcome.MOVED


async def _keep_taken(database: Database, tenant: Tenant, runner_id: UUID) -> None:
    """Tell others, while a step takes long, that somebody is at it."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        # Where the database is away, the step itself fails.
        with contextlib.suppress(Exception):
            async with database.transaction(tenant) as tx:
                await store.take(tx, runner_id, lasting=LEFT_BEHIND_AFTER)


async def tenants_with_test_clock(database: Database) -> list[Tenant]:
    """The tenants whose time is a test clock's."""
    return [Tenant(org_id, is_test=True) for org_id in await store.organization_ids(database)]


def refuse_live(tx: Transaction) -> None:
    """Raise forbidden in live mode, whose time is real and whose data stays."""
    if not tx.is_test:
        raise DomainError(
            ErrorKind.FORBIDDEN, "test_mode_only", "this is for test mode: use a test key"
        )


async def _due(
    tx: Transaction, work: Sequence[DueWork], *, by: datetime
) -> list[tuple[datetime, DueWork]]:
    """What is due up to an instant, each with its first one."""
    found = [(await item.next_due(tx), item) for item in work]
    return [(instant, item) for instant, item in found if instant is not None and instant <= by]


async def _stop(database: Database, tenant: Tenant, runner_id: UUID, reason: str) -> None:
    log.error("test clock stopped", org_id=str(tenant.org_id), reason=reason)
    async with database.transaction(tenant) as tx:
        clock = await store.load(tx)
        if clock is not None and clock.target is not None:
            await store.fail(tx, runner_id, at=clock.now, target=clock.target, failure=reason)


def _status(clock: SetClock) -> ClockStatus:
    if clock.target is not None:
        return ClockStatus.ADVANCING
    return ClockStatus.FAILED if clock.failure else ClockStatus.READY


def _on_its_way() -> DomainError:
    return conflict("clock_advancing", "the test clock is on its way already")

"""The test clock: an organisation's test time stands still until it is advanced.

An advancing clock stops at each instant at which work on the agenda is due, has it done, and
advances further. Each stop is committed before its work begins, so that another process resumes
there after a crash. The clock moves only while no transaction of the test mode is open: `now` is
constant within a transaction.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

from monigo.core.errors import DomainError
from monigo.core.times import format_instant
from monigo.infra import agenda
from monigo.infra.agenda import Claim, Follows, Kind, Task
from monigo.infra.db import Database, Tenant, Transaction, as_unavailable
from monigo.infra.ids import new_id
from monigo.infra.logging import logger
from monigo.test_mode import store

log = logger(__name__)

# Of an organisation: its clock is on its way, and may have been left behind.
TEST_CLOCK = Kind("test_clock", Follows.REAL)

# Of real time. Enough for any test; each period on the way is really closed.
AHEAD_MAX = timedelta(days=10 * 366)
# Work at one instant may make more work there; beyond this it goes in a circle.
STEPS_AT_ONE_INSTANT_MAX = 100
# Work on a row that a request or another worker has locked is due again at once. So many steps
# follow each other without a pause; then the runner waits for the lock, most of a minute in all.
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


async def advance(database: Database, tenant: Tenant, tasks: Sequence[Task]) -> None:
    """Take the tenant's clock to its target, or wait for another runner that does.

    On the way those of the tasks are done that follow the clock, at one instant in their order.

    Raises:
        Exception: the database stays away; the worker goes on later.
    """
    retries = 0
    async with _runner(database, tenant) as runner_id:
        while True:
            try:
                outcome = await _step(database, tenant, tasks, runner_id)
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


async def advance_some(database: Database, tenant: Tenant, tasks: Sequence[Task]) -> bool:
    """Go to the next instant at which something is due, and do it; whether there is more to do.

    Raises:
        Exception: the database is away or busy. All else that goes wrong stops the clock.
    """
    async with _runner(database, tenant) as runner_id:
        return await _step(database, tenant, tasks, runner_id) is not _Outcome.STANDS


async def take_on(
    database: Database, claim: Claim, stop: asyncio.Event, *, tasks: Sequence[Task]
) -> None:
    """Go on with a clock that is still on its way, if its runner has died.

    It is looked at again while it is on its way; when it has arrived, it is off the agenda.
    """
    outcome = _Outcome.MOVED
    async with _runner(database, claim.tenant) as runner_id:
        for _ in range(STEPS_A_ROUND):
            if stop.is_set() or outcome is not _Outcome.MOVED:
                break
            outcome = await _step(database, claim.tenant, tasks, runner_id)
    if outcome is _Outcome.STANDS:
        return  # The request that stopped the clock took it off the agenda.
    wait = timedelta(0) if outcome is _Outcome.MOVED else LEFT_BEHIND_AFTER
    async with database.transaction(claim.tenant) as tx:
        await claim.finish(tx, again_at=tx.real_now + wait)


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
    database: Database, tenant: Tenant, tasks: Sequence[Task], runner_id: UUID
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
        return await _go_on(database, tenant, tasks, runner_id)
    except Exception as error:
        if as_unavailable(error) is not None:
            raise
        log.exception("test clock stopped", org_id=str(tenant.org_id))
        reason = error.message if isinstance(error, DomainError) else "internal error"
        async with database.transaction(tenant) as tx:
            if await store.lock_alone(tx):
                await _stop(tx, tasks, runner_id, reason)
        return _Outcome.STANDS
    finally:
        renewing.cancel()


async def _go_on(
    database: Database, tenant: Tenant, tasks: Sequence[Task], runner_id: UUID
) -> _Outcome:
    """Move a taken clock to the next instant, and do there what is due.

    Nothing can be put on the agenda while it is decided where that is.
    """
    following = agenda.clock_tasks(tasks)
    async with database.transaction(tenant) as tx:
        if not await store.lock_alone(tx):
            return _Outcome.ANOTHERS
        clock = await store.load(tx)
        if clock is None or clock.target is None:
            return _Outcome.STANDS
        due = await agenda.next_due(tx, following)
        first = min(due.values(), default=None)
        if first is None or first > clock.target:
            arrived = await store.arrive(tx, clock, runner_id)
            if arrived:
                await _stands(tx, tasks, clock.target)
            return _Outcome.STANDS if arrived else _Outcome.ANOTHERS
        at = max(clock.now, first)
        if at == clock.now and clock.steps >= STEPS_AT_ONE_INSTANT_MAX:
            await _stop(tx, tasks, runner_id, f"what is due at {format_instant(at)} stays due")
            return _Outcome.STANDS
        if not await store.move(tx, clock, runner_id, at):
            return _Outcome.ANOTHERS
    if at == clock.now and clock.steps >= PROMPT_STEPS:
        await asyncio.sleep(HELD_SECONDS)
    for task in following:
        if task.kind in due and due[task.kind] <= at:
            await agenda.work_off(database, task, tenant, by_clock=True)
    return _Outcome.MOVED


async def _stands(tx: Transaction, tasks: Sequence[Task], now: datetime) -> None:
    """Leave what follows a clock that stands from now on to the workers."""
    await agenda.follow_clock(tx, tasks, now)
    await agenda.cancel(tx, TEST_CLOCK, [tx.org_id])


async def _keep_taken(database: Database, tenant: Tenant, runner_id: UUID) -> None:
    """Renew the runner's claim while a step takes long."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        # Where the database is away, the step itself fails.
        with contextlib.suppress(Exception):
            async with database.transaction(tenant) as tx:
                await store.take(tx, runner_id, lasting=LEFT_BEHIND_AFTER)


async def _stop(tx: Transaction, tasks: Sequence[Task], runner_id: UUID, reason: str) -> None:
    """Stop the runner's clock where it is; no other transaction of the test mode is under way."""
    log.error("test clock stopped", org_id=str(tx.org_id), reason=reason)
    clock = await store.load(tx)
    if clock is not None and clock.target is not None:
        await store.fail(tx, runner_id, at=clock.now, target=clock.target, failure=reason)
        await _stands(tx, tasks, clock.now)

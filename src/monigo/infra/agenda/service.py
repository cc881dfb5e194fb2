"""The agenda for domains: put work on it, and read what waits."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from monigo.core.paging import Page, PageRequest
from monigo.core.verification import DIFFERENCES_MAX, Difference, Verification
from monigo.infra.agenda import store
from monigo.infra.agenda.types import DueFigures, Follows, Kind, SetAside, SetAsideCount, Task
from monigo.infra.db import ClockState, Database, Statement, Tenant, Transaction

# No transaction of ours lasts longer, by far.
TRANSACTION_MAX = timedelta(hours=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Each domain has its own type of id.
Subject = TypeVar("Subject", bound=UUID)
# Monitoring wants to see that much waits; how much more does not matter.
FIGURES_MAX = 100_000


async def put(tx: Transaction, kind: Kind, due: Mapping[Subject, datetime]) -> None:
    """Note when something is to be done for subjects, instead of what was noted before.

    The entries commit with `tx`. Each instant is of the clock that the kind follows; work in the
    past is done at once. Work on the subject that is running now does not remove the entry.
    """
    if due:
        await tx.send(*prepare(tx, kind, due))


def prepare(tx: Transaction, kind: Kind, due: Mapping[Subject, datetime]) -> Sequence[Statement]:
    """As `put`, by statements to be sent along with others of `tx`."""
    entries = [(one, due_at, runs_at(tx, kind, due_at)) for one, due_at in due.items()]
    return [store.putting(kind.name, entries)] if entries else []


async def put_unless_there(tx: Transaction, kind: Kind, subject: UUID, due_at: datetime) -> None:
    """As `put`, but an entry that is there stays as it is.

    For work that its handler can't take off the agenda before `tx` commits: what was there must
    still be there then.
    """
    await store.put_unless_there(tx, kind.name, subject, due_at, runs_at(tx, kind, due_at))


async def put_for_span(
    tx: Transaction, kind: Kind, instant: datetime, *, span: timedelta, after: timedelta
) -> None:
    """Have what comes up at `instant`, now or a moment ago, seen to `after` its span of time ends.

    One entry serves all of a span (an hour, a month). It is due when no transaction that has seen
    it can be under way any more, so that it costs no lock and none is forgotten.
    """
    number = (instant - _EPOCH) // span
    due_at = _EPOCH + (number + 1) * span + after + TRANSACTION_MAX
    entry = (tx.tenant, tx.resets, kind.name, number)
    # Until it is due nobody takes it off, so that most transactions need not ask.
    now = tx.now if kind.follows is Follows.TENANT else tx.real_now
    if entry not in tx.committed or due_at <= now:
        await put_unless_there(tx, kind, UUID(int=number), due_at)
        tx.committed.add(entry)


async def cancel(tx: Transaction, kind: Kind, subjects: Iterable[UUID]) -> None:
    """Note that nothing is to be done for subjects, which the caller holds or has just changed."""
    found = list(subjects)
    if found:
        await store.delete(tx, kind.name, found)


async def due_of(tx: Transaction, kind: Kind, subjects: Sequence[UUID]) -> dict[UUID, datetime]:
    """When something is to be done for these subjects; those without an entry are absent."""
    return await store.due_of(tx, kind.name, subjects)


def runs_at(tx: Transaction, kind: Kind, due_at: datetime) -> datetime | None:
    """The real instant at which an entry runs; None while it waits for a test clock.

    A clock that is on its way takes what follows it along (`follow_clock`), so that nothing runs
    beside its runner.
    """
    if kind.follows is Follows.REAL or tx.clock is ClockState.UNSET:
        return due_at
    if tx.clock is ClockState.MOVES or due_at > tx.now:
        return None
    return tx.real_now


async def next_due(tx: Transaction, tasks: Sequence[Task]) -> dict[Kind, datetime]:
    """When the first entry of each of these kinds is due, past or future; absent for never."""
    kinds = {task.kind.name: task.kind for task in tasks}
    return {kinds[name]: at for name, at in (await store.next_due(tx, list(kinds))).items()}


async def follow_clock(tx: Transaction, tasks: Sequence[Task], now: datetime) -> None:
    """Have what follows the tenant's time go by its test clock, which stands at `now` from now on.

    No other transaction of the test mode may be under way.
    """
    await store.follow_clock(tx, [task.kind.name for task in clock_tasks(tasks)], now)


def clock_tasks(tasks: Sequence[Task]) -> tuple[Task, ...]:
    """Those of the tasks that follow the tenant's time, in their order."""
    return tuple(task for task in tasks if task.kind.follows is Follows.TENANT)


async def list_set_aside(tx: Transaction, request: PageRequest) -> Page[SetAside]:
    """The tenant's work that failed and was set aside, with its reasons."""
    return await store.list_set_aside(tx, request)


async def count_set_aside(tx: Transaction, shown_max: int) -> dict[str, SetAsideCount]:
    """How much of the tenant's work of each kind was set aside, with the first few subjects."""
    return await store.count_set_aside(tx, shown_max)


async def tenants_with_set_aside(database: Database) -> list[Tenant]:
    """The tenants that have work which was set aside."""
    async with database.lookups() as connection:
        return await store.tenants_with_set_aside(connection)


async def figures(database: Database) -> list[DueFigures]:
    """How much is due of each kind now, for monitoring; of all tenants together."""
    async with database.lookups() as connection:
        return await store.figures(connection, database.real_now(), FIGURES_MAX)


async def verify(tx: Transaction) -> Verification:
    """Find what waits for a test clock that is past it: nobody would ever run it."""
    found: list[Difference] = []
    if tx.clock is ClockState.STANDS:
        found = [
            Difference(
                "due work that nobody runs",
                f"{row['kind']} {row['subject']}",
                None,
                row["due_at"].isoformat(),
            )
            for row in await store.list_forgotten(tx, DIFFERENCES_MAX)
        ]
    return Verification({"due work": await store.count(tx)}, found)

"""What domains ask of the outbox: to report facts, and to have seen those that were reported."""

from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from uuid import UUID

from monigo.core.verification import DIFFERENCES_MAX, Difference, Verification
from monigo.infra import agenda
from monigo.infra.agenda import Entry, Follows, Kind, Slices, Task
from monigo.infra.db import Database, Statement, Transaction
from monigo.infra.facts import Fact, Subscriber
from monigo.infra.outbox import store
from monigo.infra.outbox.types import WaitingFigures
from monigo.infra.registry import registry_of

# Long enough to look into what a subscriber made of them.
KEPT_FOR = timedelta(days=30)
# What is published: longer than anything that reads it may be away.
PUBLISHED_KEPT_FOR = timedelta(days=90)
# Of the facts of a span of time.
EXPIRY = Kind("fact_expiry", Follows.TENANT)
PUBLISHED_EXPIRY = Kind("published_fact_expiry", Follows.TENANT)
EXPIRY_SPAN = timedelta(days=30)
HANDLED_AT_ONCE = 10_000
# Monitoring wants to see that much waits; how much more does not matter.
FIGURES_MAX = 100_000


async def emit(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Report facts, and do what must commit with them; they are there if `tx` commits.

    The caller has the lock of each subject, or has created the subject in `tx`.

    Raises:
        DomainError: unavailable, when another transaction reported one of the same subject without
            its lock; what a reaction raises.
        InvariantError: there is no registry, so that nobody knows who wants them.
    """
    if facts:
        names = _public_names(tx, facts)
        await tx.send(_insertion(tx, facts, names))
        await _follow(tx, facts, names)


async def prepare(tx: Transaction, facts: Sequence[Fact]) -> Sequence[Statement]:
    """As `emit`, by statements to be sent along with others of `tx`; reactions are done already.

    Raises:
        DomainError: what a reaction raises.
        InvariantError: as `emit`.
    """
    if not facts:
        return ()
    # Its ids are made before those of what reactions report, so that causes come first.
    names = _public_names(tx, facts)
    insertion = _insertion(tx, facts, names)
    await _follow(tx, facts, names)
    return (insertion,)


def _public_names(tx: Transaction, facts: Sequence[Fact]) -> list[str | None]:
    public_name = registry_of(tx).public_name
    return [public_name(fact) for fact in facts]


def _insertion(
    tx: Transaction, facts: Sequence[Fact], public_names: Sequence[str | None]
) -> Statement:
    registry = registry_of(tx)
    names = {type(fact).__name__ for fact in facts}
    wanted = [(name, one) for name in names for one in registry.wanted.get(name, ())]
    known = {one: registry.subscribers[one] for _, one in wanted}
    return store.insertion(
        tx,
        facts,
        public_names,
        wanted,
        wakes=any(one.is_woken for one in known.values()),
        of_some=[name for name, one in known.items() if one.is_of_some],
    )


async def listen(tx: Transaction, subscriber: str) -> None:
    """Have a subscriber that is of some tenants get this tenant's facts, from now on for ever.

    Who listens once is not taken off: somebody else might begin to at that moment.
    """
    await store.listen(tx, subscriber)


async def _follow(
    tx: Transaction, facts: Sequence[Fact], public_names: Sequence[str | None]
) -> None:
    """Do what commits with facts: their expiry is due one day, and reactions."""
    await agenda.put_for_span(tx, EXPIRY, tx.now, span=EXPIRY_SPAN, after=KEPT_FOR)
    if any(public_names):
        await agenda.put_for_span(
            tx, PUBLISHED_EXPIRY, tx.now, span=EXPIRY_SPAN, after=PUBLISHED_KEPT_FOR
        )
    await registry_of(tx).react(tx, facts)


async def forget(tx: Transaction, _entries: Sequence[Entry]) -> tuple[()]:
    """Delete facts of long ago that everybody has who wants them."""
    await store.delete_before(tx, tx.now - KEPT_FOR, published=tx.now - PUBLISHED_KEPT_FOR)
    return ()


FORGET = Task(EXPIRY, Slices(forget), concurrency=1, every_seconds=60)
FORGET_PUBLISHED = Task(PUBLISHED_EXPIRY, Slices(forget), concurrency=1, every_seconds=60)


async def handled(tx: Transaction, subscriber: Subscriber) -> AsyncGenerator[dict[UUID, UUID]]:
    """The subjects of all kept facts that a subscriber wants and has handled, by the facts' ids."""
    names = [fact_type.__name__ for fact_type in subscriber.facts]
    after: tuple[UUID, int] = (UUID(int=0), 0)
    while True:
        found = await store.list_handled(
            tx, subscriber.name, names, after=after, limit=HANDLED_AT_ONCE
        )
        if not found:
            return
        yield {fact_id: subject_id for fact_id, (subject_id, _) in found}
        after = found[-1][1]


async def figures(database: Database) -> list[WaitingFigures]:
    """How many facts wait for each subscriber, for monitoring; of all tenants together."""
    async with database.lookups() as connection:
        return await store.figures(connection, FIGURES_MAX)


async def verify(tx: Transaction) -> Verification:
    """Find facts that don't reach who wants them."""
    subscribers = list(registry_of(tx).subscribers)
    return Verification(
        {"facts": await store.count(tx)},
        [
            Difference("fact that does not reach its subscriber", f"{name} {fact}", None, reason)
            for name, fact, reason in await store.list_stuck(tx, subscribers, DIFFERENCES_MAX)
        ],
    )

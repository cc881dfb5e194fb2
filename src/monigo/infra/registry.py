"""The registry: guards, reactions and subscribers of lower domains, and the names of facts.

A domain asks a question (may this customer be deleted? what needs a person?) or reports a fact, and
knows nobody of those above it. Bootstrap builds one registry of their guards, sources, reactions
and subscribers; a transaction carries it, so that nobody passes it on.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from typing import Any

from monigo.core.errors import InvariantError, ensure
from monigo.infra.db import Database, Transaction
from monigo.infra.facts import Fact, Subscriber

# Raises the conflict that forbids what is asked; it runs in the transaction that would do it.
Guard = Callable[[Transaction, Any], Awaitable[None]]
# Returns its part of the answer to a question; nothing, where it has none.
Source = Callable[[Transaction, Any], Awaitable[Sequence[Any]]]
# Does what must commit with facts of one type, in the transaction that reports them.
Reaction = Callable[[Transaction, Sequence[Any]], Awaitable[None]]
# The name under which a fact is published to merchants; None where it is not.
PublicName = Callable[[Fact], str | None]


def _unpublished(_fact: Fact) -> None:
    return None


class Registry:
    """Guards and sources by the type of the question, reactions by the fact's, and subscribers.

    `public_name` names the facts that are published.
    """

    def __init__(
        self,
        *,
        guards: Mapping[type, Sequence[Guard]],
        reactions: Mapping[type[Fact], Sequence[Reaction]],
        subscribers: Sequence[Subscriber],
        sources: Mapping[type, Sequence[Source]] | None = None,
        public_name: PublicName = _unpublished,
    ) -> None:
        names = [one.name for one in subscribers]
        ensure(len(names) == len(set(names)), "each subscriber has a name of its own")
        self.guards = guards
        self.sources = sources or {}
        self.reactions = reactions
        self.public_name = public_name
        self.subscribers = {one.name: one for one in subscribers}
        # The names of a fact type's subscribers; none, where the type is absent.
        self.wanted: Mapping[str, tuple[str, ...]] = _wanted(subscribers)

    def with_reaction(self, fact_type: type[Fact], reaction: Reaction) -> "Registry":
        """This registry with a reaction more, after those that there are of the fact."""
        extended = copy(self)
        reactions = (*self.reactions.get(fact_type, ()), reaction)
        extended.reactions = {**self.reactions, fact_type: reactions}
        return extended

    async def ask(self, tx: Transaction, question: Any) -> None:
        """Raise what the first guard that refuses raises; nothing when all agree.

        Raises:
            DomainError: a guard's.
            InvariantError: nobody was registered for questions of this type.
        """
        guards = self.guards.get(type(question))
        if guards is None:
            raise InvariantError(f"nobody is registered for {type(question).__name__}")
        for guard in guards:
            await guard(tx, question)

    async def gather(self, tx: Transaction, question: Any) -> list[Any]:
        """The answers of all sources of a question, in their order.

        Raises:
            InvariantError: nobody decided who answers questions of this type.
        """
        sources = self.sources.get(type(question))
        if sources is None:
            raise InvariantError(f"no sources are named for {type(question).__name__}")
        return [part for source in sources for part in await source(tx, question)]

    async def react(self, tx: Transaction, facts: Sequence[Fact]) -> None:
        """Do what must commit with these facts."""
        by_type: defaultdict[type[Fact], list[Fact]] = defaultdict(list)
        for fact in facts:
            if type(fact) in self.reactions:
                by_type[type(fact)].append(fact)
        for fact_type, reported in by_type.items():
            for reaction in self.reactions[fact_type]:
                await reaction(tx, reported)


async def ask(tx: Transaction, question: Any) -> None:
    """Ask all guards of a question.

    Raises:
        DomainError: somebody refuses.
        InvariantError: there is no registry, or it knows no such question.
    """
    await registry_of(tx).ask(tx, question)


async def gather(tx: Transaction, question: Any) -> list[Any]:
    """The answers of all sources of a question, in their order; none without sources.

    Raises:
        InvariantError: there is no registry, or it knows no such question.
    """
    return await registry_of(tx).gather(tx, question)


def registry_of(source: Transaction | Database) -> Registry:
    """The registry of a transaction. A transaction without one can't consult guards: an error.

    Raises:
        InvariantError: the database was opened without one.
    """
    if source.registry is None:
        raise InvariantError("this needs a registry of those who have a say")
    return source.registry


def _wanted(subscribers: Sequence[Subscriber]) -> dict[str, tuple[str, ...]]:
    wanted: dict[str, tuple[str, ...]] = {}
    for subscriber in subscribers:
        for fact_type in subscriber.facts:
            name = fact_type.__name__
            wanted[name] = (*wanted.get(name, ()), subscriber.name)
    return wanted

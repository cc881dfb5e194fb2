"""Facts: what happened, as domains report it and as subscribers get it (see `outbox`)."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from msgspec import Struct

from monigo.infra.db import Transaction


class Fact(Struct, frozen=True, kw_only=True):
    """Something that happened, named in the past tense; its fields are ids, amounts and instants.

    `subject` is the kind of what it happened to, `subject_field` the field with its id. The
    reporting transaction has the subject's lock, or has just created the subject. The class's name
    is stored.
    """

    subject: ClassVar[str]
    subject_field: ClassVar[str]

    @property
    def subject_id(self) -> UUID:
        """The id of what it happened to."""
        return getattr(self, self.subject_field)


class Recorded(Struct, frozen=True):
    """A fact as it was committed: when, by the tenant's time, and by whom, the principal `actor`.

    `position` rises by one with each fact of the subject.
    """

    id: UUID
    position: int
    fact: Fact
    actor: str
    occurred_at: datetime


# Does what follows from facts, in the transaction that takes them off the outbox. Those of a
# subject come in the order of their commits, those of several subjects in any.
Handler = Callable[[Transaction, Sequence[Recorded]], Awaitable[None]]


class Subscriber(Struct, frozen=True):
    """Who wants to know of facts of these types, from when it is registered on.

    Its effects in our database happen once, since they commit with the removal of the delivery. It
    gets a fact again only where they did not commit. One that is not woken is given facts when the
    dispatcher looks by itself, so that they cost no word. One that is of some tenants only gets
    the facts of those that listen (`outbox.listen`).
    """

    name: str
    facts: tuple[type[Fact], ...]
    handle: Handler
    is_woken: bool = True
    is_of_some: bool = False

"""Facts of no domain, subscribers that keep a diary, and a database with a registry of its own."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from types import UnionType
from typing import Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from monigo.infra import outbox
from monigo.infra.db import Database
from monigo.infra.facts import Fact, Subscriber
from monigo.infra.ids import new_id
from monigo.infra.registry import Registry


class Noted(Fact, frozen=True, kw_only=True):
    """Something was noted of a thing."""

    subject = "thing"
    subject_field = "thing_id"
    thing_id: UUID
    text: str


class Unheard(Noted, frozen=True, kw_only=True):
    """What nobody wants to know."""


class Diary:
    """A subscriber that writes down, beside what it does in the transaction, what it was given."""

    def __init__(self, name="diary", fails_at=()):
        self.subscriber = Subscriber(name, (Noted,), self.write)
        self.fails_at = set(fails_at)
        self.entries = []

    async def write(self, tx, facts):
        for recorded in facts:
            await tx.execute(
                "INSERT INTO agenda (org_id, is_test, kind, subject, due_at, runs_at, version,"
                " attempts, reason) VALUES ($1, $2, $3, $4, 'infinity', 'infinity', 1, 0, '')",
                f"{self.subscriber.name}.{recorded.fact.text}",
                recorded.id,
            )
            if recorded.fact.text in self.fails_at:
                raise ValueError(recorded.fact.text)
        self.entries += [recorded.fact.text for recorded in facts]


def written(backend, tenant):
    """The effects of diaries that are there, in the order of their facts' ids."""
    rows = backend.sql(
        "SELECT kind FROM agenda WHERE org_id = $1 AND is_test = $2 AND kind LIKE '%.%'"
        " ORDER BY subject, kind",
        tenant.org_id,
        tenant.is_test,
    )
    return [row["kind"] for row in rows]


def deliveries(backend, tenant):
    """What waits for whom: subscriber, position, attempts, reason."""
    rows = backend.sql(
        "SELECT subscriber, position, attempts, reason FROM outbox_deliveries"
        " WHERE org_id = $1 AND is_test = $2 ORDER BY subscriber, subject_id, position",
        tenant.org_id,
        tenant.is_test,
    )
    return [tuple(row) for row in rows]


@asynccontextmanager
async def database_with(backend, *subscribers, reactions=None):
    """A database whose registry knows these subscribers."""
    registry = Registry(guards={}, reactions=reactions or {}, subscribers=subscribers)
    database = await Database.connect(
        backend.app_url, clock=backend.clock, pool_size=4, registry=registry
    )
    try:
        yield database
    finally:
        await database.close()


def report(backend, tenant, facts, *subscribers):
    """Report facts, each in a transaction of its own, for these subscribers."""

    async def run():
        async with database_with(backend, *subscribers) as database:
            for fact in facts:
                async with database.transaction(tenant) as tx:
                    await outbox.emit(tx, [fact])

    backend.run(run())


def deliver(backend, tenant, subscriber, workers=1):
    """Have a subscriber handle what waits, by several workers at once."""

    async def run():
        async with database_with(backend, subscriber) as database:
            work = [outbox.deliver_all(database, subscriber, tenant) for _ in range(workers)]
            await asyncio.gather(*work)

    backend.run(run())


def noted(*texts, thing_id=None):
    """Facts of one thing, in order."""
    thing_id = thing_id or new_id()
    return [Noted(thing_id=thing_id, text=text) for text in texts]


def sample(fact_type):
    """A fact, or a struct in one, with some value in each field."""
    hints = get_type_hints(fact_type)
    return fact_type(**{name: _value(hints[name]) for name in fact_type.__struct_fields__})


def _value(hint):
    hint = getattr(hint, "__supertype__", hint)
    if get_origin(hint) in {UnionType, Union}:
        return _value(get_args(hint)[0])
    if get_args(hint):
        return (_value(get_args(hint)[0]),)
    if issubclass(hint, msgspec.Struct):
        return sample(hint)
    if issubclass(hint, StrEnum):
        return next(iter(hint))
    values = {
        UUID: new_id(),
        Decimal: Decimal("1.500000"),
        datetime: datetime(2026, 1, 31, 12, tzinfo=UTC),
        str: "some",
        bool: True,
        int: 3,
        msgspec.Raw: msgspec.Raw(b"[]"),
    }
    return values[hint]

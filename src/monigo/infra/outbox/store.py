"""All SQL of the outbox.

`outbox_facts` and `outbox_deliveries` are local tables: a function of the owner's finds the tenants
whose facts wait, and for which subscriber.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from monigo.core.errors import DomainError, ErrorKind
from monigo.core.ids import OrganizationId
from monigo.infra.db import (
    Argument,
    Connection,
    Statement,
    Tenant,
    Transaction,
    violation_in,
)
from monigo.infra.facts import Fact, Recorded, Subscriber
from monigo.infra.ids import new_id
from monigo.infra.outbox.types import Delivery, WaitingFigures

# Dispatchers listen to it. The notification is empty: they read what waits.
CHANNEL = "monigo_facts"

# The positions follow the subject's last one; `$5` counts from one within this statement. A
# sub-select hides an array's length from the planner, so that one plan serves all.
_INSERT_FACTS = """
    INSERT INTO outbox_facts (
        org_id, is_test, subject_id, position, subject, id, type, published_as, payload, actor,
        occurred_at
    )
    SELECT $1, $2, fact.subject_id, coalesce(last.position, 0) + fact.place, fact.subject, fact.id,
        fact.type, nullif(fact.published_as, ''), fact.payload::jsonb, $10, $11
    FROM unnest(
        (SELECT $3::uuid[]), (SELECT $4::uuid[]), (SELECT $5::integer[]), (SELECT $6::text[]),
        (SELECT $7::text[]), (SELECT $8::text[]), (SELECT $9::text[])
    ) AS fact (id, subject_id, place, subject, type, published_as, payload)
    LEFT JOIN LATERAL (
        SELECT position FROM outbox_facts AS known
        WHERE known.org_id = $1 AND known.is_test = $2 AND known.subject_id = fact.subject_id
        ORDER BY position DESC
        LIMIT 1
    ) AS last ON true
"""

# For those who want it; the dispatchers are woken when it commits, if any of those is to be.
INSERT_WANTED = f"""
    WITH stored AS (
        {_INSERT_FACTS}
        RETURNING subject_id, position, type
    ), waiting AS (
        INSERT INTO outbox_deliveries (
            org_id, is_test, subscriber, subject_id, position, runs_at, attempts, reason
        )
        SELECT $1, $2, wanted.subscriber, stored.subject_id, stored.position, $14, 0, ''
        FROM stored
        JOIN unnest($12::text[], $13::text[]) AS wanted (type, subscriber)
            ON wanted.type = stored.type
        WHERE NOT wanted.subscriber = ANY ($16::text[]) OR EXISTS (
            SELECT 1 FROM outbox_listeners AS listener
            WHERE listener.org_id = $1 AND listener.is_test = $2
                AND listener.subscriber = wanted.subscriber
        )
        RETURNING 1
    )
    SELECT pg_notify('{CHANNEL}', '') FROM (SELECT 1 FROM waiting LIMIT 1) AS any_of_them
    WHERE $15
"""

INSERT_UNWANTED = _INSERT_FACTS
# From subject to subject, however many facts each has: a subject's first one is what it waits for.
SELECT_FIRST = """
    WITH RECURSIVE first AS (
        (
            SELECT subject_id, position, runs_at, 1 AS place FROM outbox_deliveries
            WHERE org_id = $1 AND is_test = $2 AND subscriber = $3 AND subject_id > $4
            ORDER BY subject_id, position
            LIMIT 1
        )
        UNION ALL
        SELECT following.subject_id, following.position, following.runs_at, first.place + 1
        FROM first
        CROSS JOIN LATERAL (
            SELECT subject_id, position, runs_at FROM outbox_deliveries
            WHERE org_id = $1 AND is_test = $2 AND subscriber = $3
                AND subject_id > first.subject_id
            ORDER BY subject_id, position
            LIMIT 1
        ) AS following
        WHERE first.place < $5
    )
    SELECT subject_id, position, runs_at FROM first
"""

# The worker that locks a subject's first delivery handles the subject. Subjects are locked in
# order, so that workers cannot deadlock.
_LOCK = """
    SELECT delivery.subject_id, delivery.position, delivery.attempts
    FROM outbox_deliveries AS delivery
    JOIN unnest($4::uuid[], $5::bigint[]) AS first (subject_id, position)
        ON first.subject_id = delivery.subject_id AND first.position = delivery.position
    WHERE delivery.org_id = $1 AND delivery.is_test = $2 AND delivery.subscriber = $3
    ORDER BY delivery.subject_id
    FOR UPDATE OF delivery
"""

LOCK = _LOCK

LOCK_FREE = f"{_LOCK} SKIP LOCKED"

SELECT_FACTS = """
    SELECT fact.id, fact.subject_id, fact.position, fact.type, fact.payload::text AS payload,
        fact.actor, fact.occurred_at
    FROM unnest($4::uuid[]) AS held (subject_id)
    CROSS JOIN LATERAL (
        SELECT position FROM outbox_deliveries AS delivery
        WHERE delivery.org_id = $1 AND delivery.is_test = $2 AND delivery.subscriber = $3
            AND delivery.subject_id = held.subject_id
        ORDER BY position
        LIMIT $5
    ) AS waiting
    JOIN outbox_facts AS fact
        ON fact.org_id = $1 AND fact.is_test = $2 AND fact.subject_id = held.subject_id
        AND fact.position = waiting.position
    ORDER BY fact.subject_id, fact.position
"""

DELETE_DELIVERIES = """
    DELETE FROM outbox_deliveries AS delivery
    USING unnest($4::uuid[], $5::bigint[]) AS handled (subject_id, position)
    WHERE delivery.org_id = $1 AND delivery.is_test = $2 AND delivery.subscriber = $3
        AND delivery.subject_id = handled.subject_id AND delivery.position = handled.position
"""

LISTEN = """
    INSERT INTO outbox_listeners (org_id, is_test, subscriber) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING
"""

SET_ASIDE = """
    UPDATE outbox_deliveries SET attempts = attempts + 1, runs_at = $6, reason = $7
    WHERE org_id = $1 AND is_test = $2 AND subscriber = $3 AND subject_id = $4 AND position = $5
"""

SELECT_FIGURES = "SELECT subscriber, waiting, oldest_at FROM waiting_fact_figures($1)"

SELECT_TENANTS = "SELECT org_id, is_test, subscriber FROM tenants_with_facts($1)"

# What somebody still waits for stays. What is published is kept for longer.
DELETE_BEFORE = """
    DELETE FROM outbox_facts AS fact
    WHERE fact.org_id = $1 AND fact.is_test = $2
        AND (fact.occurred_at < $4 OR fact.occurred_at < $3 AND fact.published_as IS NULL)
        AND NOT EXISTS (
            SELECT 1 FROM outbox_deliveries AS delivery
            WHERE delivery.org_id = $1 AND delivery.is_test = $2
                AND delivery.subject_id = fact.subject_id AND delivery.position = fact.position
        )
"""

COUNT = "SELECT count(*) FROM outbox_facts WHERE org_id = $1 AND is_test = $2"

SELECT_HANDLED = """
    SELECT fact.id, fact.subject_id, fact.position FROM outbox_facts AS fact
    WHERE fact.org_id = $1 AND fact.is_test = $2 AND fact.type = ANY ($4::text[])
        AND (fact.subject_id, fact.position) > ($5, $6)
        AND NOT EXISTS (
            SELECT 1 FROM outbox_deliveries AS delivery
            WHERE delivery.org_id = $1 AND delivery.is_test = $2 AND delivery.subscriber = $3
                AND delivery.subject_id = fact.subject_id AND delivery.position = fact.position
        )
    ORDER BY fact.subject_id, fact.position
    LIMIT $7
"""

# Handled by nobody: a subscriber fails at it, or is none any more.
SELECT_STUCK = """
    SELECT delivery.subscriber, fact.type, fact.subject_id, fact.position, delivery.reason
    FROM outbox_deliveries AS delivery
    JOIN outbox_facts AS fact
        ON fact.org_id = $1 AND fact.is_test = $2 AND fact.subject_id = delivery.subject_id
        AND fact.position = delivery.position
    WHERE delivery.org_id = $1 AND delivery.is_test = $2
        AND (delivery.attempts > 0 OR NOT delivery.subscriber = ANY ($3::text[]))
    ORDER BY delivery.subscriber, fact.subject_id, fact.position
    LIMIT $4
"""

_encode = msgspec.json.Encoder().encode


def _together() -> DomainError:
    return DomainError(
        ErrorKind.UNAVAILABLE,
        "changed_together",
        "something else happened to this at the same moment, please try again",
        retry_after_seconds=1,
    )


_refusal = partial(violation_in, {"outbox_facts_pkey": _together})


class Visit(Struct, frozen=True):
    """Subjects that a look came by, in order: the last of them, and those that are due."""

    last: UUID | None
    is_end: bool
    due: Sequence[Delivery]


class Waiting(Struct, frozen=True):
    """A tenant that has facts for a subscriber."""

    tenant: Tenant
    subscriber: str


def insertion(
    tx: Transaction,
    facts: Sequence[Fact],
    names: Sequence[str | None],
    wanted: Sequence[tuple[str, str]],
    *,
    wakes: bool,
    of_some: Sequence[str],
) -> Statement:
    """The statement that stores facts, in their order, with a delivery for each subscriber.

    `names` has the name under which each is published, if it is. Where it `wakes`, the dispatchers
    look at once. Those subscribers that are `of_some` tenants get none of the others. It is refused
    as unavailable, when another transaction reported one of the subject just now.
    """
    places: Counter[UUID] = Counter()
    numbered: list[int] = []
    for fact in facts:
        places[fact.subject_id] += 1
        numbered.append(places[fact.subject_id])
    columns = (
        Argument.uuids([new_id().bytes for _ in facts]),
        Argument.uuids([fact.subject_id.bytes for fact in facts]),
        Argument.integers(numbered),
        Argument.texts([fact.subject for fact in facts]),
        Argument.texts([type(fact).__name__ for fact in facts]),
        Argument.texts([name or "" for name in names]),
        Argument.texts([_encode(fact).decode() for fact in facts]),
        Argument.text(str(tx.principal).encode()),
        Argument.instant(tx.now),
    )
    if not wanted:
        return Statement(INSERT_UNWANTED, columns, refusal=_refusal)
    wanting = (
        Argument.texts([one[0] for one in wanted]),
        Argument.texts([one[1] for one in wanted]),
        Argument.instant(tx.real_now),
        Argument.boolean(wakes),
        Argument.texts(list(of_some)),
    )
    return Statement(INSERT_WANTED, (*columns, *wanting), refusal=_refusal)


async def listen(tx: Transaction, subscriber: str) -> None:
    """Note that a subscriber wants the tenant's facts."""
    await tx.execute(LISTEN, subscriber)


async def first_due(tx: Transaction, subscriber: str, *, after: UUID, limit: int) -> Visit:
    """The next subjects that have facts for a subscriber, by id."""
    rows = await tx.fetch(SELECT_FIRST, subscriber, after, limit)
    return Visit(
        rows[-1]["subject_id"] if rows else None,
        len(rows) < limit,
        [
            Delivery(row["subject_id"], row["position"], 0)
            for row in rows
            if row["runs_at"] <= tx.real_now
        ],
    )


async def lock(
    tx: Transaction, subscriber: str, found: Sequence[Delivery], *, is_waiting: bool
) -> list[Delivery]:
    """Those that nobody else has handled or, unless `is_waiting`, is at; locked."""
    rows = await tx.fetch(
        LOCK if is_waiting else LOCK_FREE,
        subscriber,
        [one.subject_id for one in found],
        [one.position for one in found],
    )
    return [Delivery(row["subject_id"], row["position"], row["attempts"]) for row in rows]


async def load(
    tx: Transaction, subscriber: Subscriber, subject_ids: Sequence[UUID], *, limit: int
) -> list[tuple[UUID, int, Recorded | None]]:
    """The first facts of these subjects that wait, so many of each; None where it wants it no more.

    By subject, in their order.
    """
    types = {one.__name__: one for one in subscriber.facts}
    return [
        (row["subject_id"], row["position"], known and recorded_of(row, known))
        for row in await tx.fetch(SELECT_FACTS, subscriber.name, subject_ids, limit)
        for known in (types.get(row["type"]),)
    ]


async def delete_deliveries(
    tx: Transaction, subscriber: str, handled: Sequence[tuple[UUID, int]]
) -> None:
    """Note that facts were handled, by subject and position."""
    await tx.execute(
        DELETE_DELIVERIES,
        subscriber,
        [subject_id for subject_id, _ in handled],
        [position for _, position in handled],
    )


async def set_aside(
    tx: Transaction, subscriber: str, failed: Delivery, *, pause: timedelta, reason: str
) -> None:
    """Note that a subscriber failed at a fact, and when it is tried again."""
    again_at = tx.real_now + pause
    await tx.execute(SET_ASIDE, subscriber, failed.subject_id, failed.position, again_at, reason)


async def tenants_waiting(connection: Connection, now: datetime) -> list[Waiting]:
    """The tenants that have facts to be handled, and by whom."""
    return [
        Waiting(Tenant(OrganizationId(row["org_id"]), row["is_test"]), row["subscriber"])
        for row in await connection.fetch(SELECT_TENANTS, now)
    ]


async def figures(connection: Connection, most: int) -> list[WaitingFigures]:
    """How many facts wait for each subscriber, of all tenants together; `most` in all."""
    return [WaitingFigures(**row) for row in await connection.fetch(SELECT_FIGURES, most)]


async def delete_before(tx: Transaction, instant: datetime, *, published: datetime) -> None:
    """Delete facts of before an instant for which nobody waits; another one for published ones."""
    await tx.execute(DELETE_BEFORE, instant, published)


async def count(tx: Transaction) -> int:
    """How many facts are kept."""
    return await tx.fetchval(COUNT)


async def list_handled(
    tx: Transaction,
    subscriber: str,
    types: Sequence[str],
    *,
    after: tuple[UUID, int],
    limit: int,
) -> list[tuple[UUID, tuple[UUID, int]]]:
    """The next facts of these types that don't wait for a subscriber: ids, subjects, positions."""
    return [
        (row["id"], (row["subject_id"], row["position"]))
        for row in await tx.fetch(SELECT_HANDLED, subscriber, types, *after, limit)
    ]


async def list_stuck(
    tx: Transaction, subscribers: Sequence[str], limit: int
) -> list[tuple[str, str, str]]:
    """Facts that a subscriber failed at, or whose subscriber is not among these.

    Subscriber, fact, and the reason, which is empty in the second case.
    """
    return [
        (row["subscriber"], f"{row['type']} {row['subject_id']} {row['position']}", row["reason"])
        for row in await tx.fetch(SELECT_STUCK, subscribers, limit)
    ]


def recorded_of(row: Any, fact_type: type[Fact]) -> Recorded:
    """A fact as its row has it: id, position, payload, actor, occurred_at."""
    fact = _decoder(fact_type).decode(row["payload"])
    return Recorded(row["id"], row["position"], fact, row["actor"], row["occurred_at"])


@cache
def _decoder(fact_type: type[Fact]) -> msgspec.json.Decoder[Fact]:
    return msgspec.json.Decoder(fact_type)

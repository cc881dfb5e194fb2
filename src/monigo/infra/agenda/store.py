"""All SQL of the agenda.

`agenda` is a local table of ids: functions of the owner's find the tenants with due work.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.core.ids import OrganizationId
from monigo.core.paging import Page, PageRequest
from monigo.infra.agenda.types import DueFigures, Entry, SetAside, SetAsideCount
from monigo.infra.db import Argument, Connection, Statement, Tenant, Transaction

# Of a bigint, and so many that none comes twice.
VERSION_BITS = 62

# In the order of the subjects, so that two transactions that put the same wait for each other.
PUT = """
    INSERT INTO agenda (
        org_id, is_test, kind, subject, due_at, runs_at, version, attempts, reason
    )
    SELECT $1, $2, $3, due.subject, due.due_at, due.runs_at, $7, 0, ''
    FROM unnest(
        (SELECT $4::uuid[]), (SELECT $5::timestamptz[]), (SELECT $6::timestamptz[])
    ) AS due (subject, due_at, runs_at)
    ORDER BY due.subject
    ON CONFLICT (org_id, is_test, kind, subject) DO UPDATE
    SET due_at = excluded.due_at, runs_at = excluded.runs_at, version = excluded.version,
        attempts = 0, reason = ''
"""

PUT_UNLESS_THERE = """
    INSERT INTO agenda (
        org_id, is_test, kind, subject, due_at, runs_at, version, attempts, reason
    )
    VALUES ($1, $2, $3, $4, $5, coalesce($6::timestamptz, 'infinity'), $7, 0, '')
    ON CONFLICT (org_id, is_test, kind, subject) DO NOTHING
"""

DELETE = """
    DELETE FROM agenda
    WHERE org_id = $1 AND is_test = $2 AND kind = $3 AND subject = ANY ($4::uuid[])
"""

# Entries that others work on are skipped, by lock or claim; a crash frees them. The runner of a
# test clock ignores `runs_at`.
_DUE = """
    org_id = $1 AND is_test = $2 AND kind = $3 AND due_at <= $4
        AND ($5::timestamptz IS NULL OR runs_at <= $5)
        AND (claimed_until IS NULL OR claimed_until <= $6)
"""

LOCK_DUE = f"""
    SELECT subject, due_at, version, attempts FROM agenda
    WHERE {_DUE}
    ORDER BY due_at, subject
    LIMIT $7
    FOR UPDATE SKIP LOCKED
"""

LOCK_ONE_DUE = f"""
    SELECT subject, due_at, version, attempts FROM agenda
    WHERE {_DUE} AND subject = $7
    FOR UPDATE SKIP LOCKED
"""

CLAIM = f"""
    UPDATE agenda SET claimed_until = $7
    WHERE org_id = $1 AND is_test = $2 AND kind = $3 AND subject = ANY (ARRAY (
        SELECT subject FROM agenda WHERE {_DUE} AND ($8::uuid IS NULL OR subject = $8)
        ORDER BY due_at, subject
        LIMIT $9
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING subject, due_at, version, attempts
"""

RENEW = """
    UPDATE agenda SET claimed_until = $6
    WHERE org_id = $1 AND is_test = $2 AND kind = $3
        AND subject = ANY ($4::uuid[]) AND claimed_until = $5
"""

LOCK_CLAIMED = """
    SELECT subject, version FROM agenda
    WHERE org_id = $1 AND is_test = $2 AND kind = $3
        AND subject = ANY ($4::uuid[]) AND claimed_until = $5
    ORDER BY subject
    FOR UPDATE
"""

RELEASE = """
    UPDATE agenda SET claimed_until = NULL
    WHERE org_id = $1 AND is_test = $2 AND kind = $3
        AND subject = ANY ($4::uuid[]) AND claimed_until = $5
"""

# An entry that was put again meanwhile stays.
FINISH = """
    DELETE FROM agenda USING unnest($4::uuid[], $5::bigint[]) AS done (subject, version)
    WHERE org_id = $1 AND is_test = $2 AND kind = $3
        AND agenda.subject = done.subject AND agenda.version = done.version
"""

COME_AGAIN = """
    UPDATE agenda
    SET due_at = again.due_at, runs_at = coalesce(again.runs_at, 'infinity'), attempts = 0,
        reason = '', claimed_until = NULL
    FROM unnest($4::uuid[], $5::bigint[], $6::timestamptz[], $7::timestamptz[])
        AS again (subject, version, due_at, runs_at)
    WHERE org_id = $1 AND is_test = $2 AND kind = $3
        AND agenda.subject = again.subject AND agenda.version = again.version
"""

SET_ASIDE = """
    UPDATE agenda
    SET due_at = coalesce($6::timestamptz, 'infinity'),
        runs_at = coalesce($7::timestamptz, 'infinity'), attempts = attempts + 1, reason = $8,
        claimed_until = NULL
    WHERE org_id = $1 AND is_test = $2 AND kind = $3 AND subject = $4 AND version = $5
"""

SELECT_DUE_OF = """
    SELECT subject, due_at FROM agenda
    WHERE org_id = $1 AND is_test = $2 AND kind = $3 AND subject = ANY ($4::uuid[])
"""

# One look into the index for each kind.
SELECT_NEXT_DUE = """
    SELECT known.kind, (
        SELECT min(due_at) FROM agenda
        WHERE org_id = $1 AND is_test = $2 AND agenda.kind = known.kind AND due_at < 'infinity'
    ) AS due_at
    FROM unnest($3::text[]) AS known (kind)
"""

# Where a clock stands from now on: what is past runs at once, all else waits for the clock.
FOLLOW_CLOCK = """
    UPDATE agenda SET runs_at = CASE WHEN due_at <= $4 THEN $5::timestamptz ELSE 'infinity' END
    WHERE org_id = $1 AND is_test = $2 AND kind = ANY ($3::text[])
        AND (due_at <= $4) <> (runs_at < 'infinity')
"""

SELECT_TENANTS_WITH_DUE = "SELECT org_id, is_test, kind FROM tenants_with_due_work($1)"

SELECT_FIGURES = "SELECT kind, due, oldest_at, set_aside FROM due_work_figures($1, $2)"

SELECT_TENANTS_WITH_SET_ASIDE = "SELECT org_id, is_test FROM tenants_with_work_set_aside()"

SELECT_SET_ASIDE = """
    SELECT kind, subject, nullif(due_at, 'infinity') AS due_at, attempts, reason FROM agenda
    WHERE org_id = $1 AND is_test = $2 AND attempts > 0
    ORDER BY kind, subject
    LIMIT $3 OFFSET $4
"""

COUNT_SET_ASIDE = """
    SELECT count(*) FROM agenda WHERE org_id = $1 AND is_test = $2 AND attempts > 0
"""

COUNT_SET_ASIDE_BY_KIND = """
    SELECT kind, count(*) AS count, (array_agg(subject ORDER BY subject))[:$3] AS subjects
    FROM agenda
    WHERE org_id = $1 AND is_test = $2 AND attempts > 0
    GROUP BY kind
    ORDER BY kind
"""

COUNT = "SELECT count(*) FROM agenda WHERE org_id = $1 AND is_test = $2"

# Nobody would run it, though its instant is past on the clock that stands.
SELECT_FORGOTTEN = """
    SELECT kind, subject, due_at FROM agenda
    WHERE org_id = $1 AND is_test = $2 AND due_at <= $3 AND runs_at = 'infinity'
    ORDER BY kind, subject
    LIMIT $4
"""


def putting(kind: str, entries: Sequence[tuple[UUID, datetime, datetime | None]]) -> Statement:
    """What stores subjects with their `due_at` and `runs_at`, instead of what was there before."""
    return Statement(
        PUT,
        (
            Argument.text(kind.encode()),
            Argument.uuids([subject.bytes for subject, _, _ in entries]),
            Argument.instants([due_at for _, due_at, _ in entries]),
            Argument.instants([at for _, _, at in entries]),
            Argument.integer(_new_version()),
        ),
    )


async def put_unless_there(
    tx: Transaction, kind: str, subject: UUID, due_at: datetime, runs_at: datetime | None
) -> None:
    """Store an entry; one that is there stays as it is."""
    await tx.execute(PUT_UNLESS_THERE, kind, subject, due_at, runs_at, _new_version())


async def delete(tx: Transaction, kind: str, subjects: Sequence[UUID]) -> None:
    """Delete entries, whatever became of them."""
    await tx.execute(DELETE, kind, subjects)


async def lock_due(
    tx: Transaction, kind: str, *, by: datetime, runs_by: datetime | None, limit: int
) -> list[Entry]:
    """Entries that are due and nobody else has, earliest first, locked."""
    rows = await tx.fetch(LOCK_DUE, kind, by, runs_by, tx.real_now, limit)
    return [_entry(row) for row in rows]


async def lock_one_due(
    tx: Transaction, kind: str, subject: UUID, *, by: datetime, runs_by: datetime | None
) -> Entry | None:
    """A subject's entry, locked, if it is due and nobody else has it."""
    row = await tx.fetchrow(LOCK_ONE_DUE, kind, by, runs_by, tx.real_now, subject)
    return None if row is None else _entry(row)


async def claim(
    tx: Transaction,
    kind: str,
    *,
    by: datetime,
    runs_by: datetime | None,
    until: datetime,
    only: UUID | None,
    limit: int,
) -> list[Entry]:
    """The earliest entries that are due and nobody else has, claimed until an instant.

    With `only` that subject's, if it is one of them.
    """
    rows = await tx.fetch(CLAIM, kind, by, runs_by, tx.real_now, until, only, limit)
    return sorted((_entry(row) for row in rows), key=lambda one: (one.due_at, one.subject))


async def renew(
    tx: Transaction, kind: str, subjects: Sequence[UUID], *, held: datetime, until: datetime
) -> None:
    """Claim entries for longer, but those whose claim is lost."""
    await tx.execute(RENEW, kind, subjects, held, until)


async def lock_claimed(
    tx: Transaction, kind: str, subjects: Sequence[UUID], *, held: datetime
) -> dict[UUID, int]:
    """The versions of claimed entries, locked; those whose claim is lost are absent."""
    rows = await tx.fetch(LOCK_CLAIMED, kind, subjects, held)
    return {row["subject"]: row["version"] for row in rows}


async def release(tx: Transaction, kind: str, subjects: Sequence[UUID], *, held: datetime) -> None:
    """Release the claims of entries."""
    if subjects:
        await tx.execute(RELEASE, kind, subjects, held)


async def finish(tx: Transaction, kind: str, entries: Sequence[Entry]) -> None:
    """Delete locked entries, except those that were put again."""
    if not entries:
        return
    subjects = [entry.subject for entry in entries]
    await tx.execute(FINISH, kind, subjects, [entry.version for entry in entries])


async def come_again(
    tx: Transaction, kind: str, again: Sequence[tuple[Entry, datetime, datetime | None]]
) -> None:
    """Reschedule claimed entries, unless they were put again: when each is due, and runs."""
    if again:
        entries, due_at, runs_at = zip(*again, strict=True)
        subjects = [entry.subject for entry in entries]
        versions = [entry.version for entry in entries]
        await tx.execute(COME_AGAIN, kind, subjects, versions, list(due_at), list(runs_at))


async def set_aside(
    tx: Transaction,
    kind: str,
    entry: Entry,
    *,
    due_at: datetime | None,
    runs_at: datetime | None,
    reason: str,
) -> None:
    """Note why an entry failed, and when it is tried again; None for never."""
    await tx.execute(SET_ASIDE, kind, entry.subject, entry.version, due_at, runs_at, reason)


async def due_of(tx: Transaction, kind: str, subjects: Sequence[UUID]) -> dict[UUID, datetime]:
    """When something is due for these subjects; absent for never."""
    rows = await tx.fetch(SELECT_DUE_OF, kind, subjects)
    return {row["subject"]: row["due_at"] for row in rows}


async def next_due(tx: Transaction, kinds: Sequence[str]) -> dict[str, datetime]:
    """When the first entry of each kind is due; kinds without any are absent."""
    rows = await tx.fetch(SELECT_NEXT_DUE, kinds)
    return {row["kind"]: row["due_at"] for row in rows if row["due_at"] is not None}


async def follow_clock(tx: Transaction, kinds: Sequence[str], now: datetime) -> None:
    """Have entries of these kinds run now where they are past by a standing clock, or wait."""
    await tx.execute(FOLLOW_CLOCK, kinds, now, tx.real_now)


async def tenants_with_due(connection: Connection, now: datetime) -> list[tuple[Tenant, str]]:
    """The tenants that have work to run at a real instant, each with its kinds."""
    rows = await connection.fetch(SELECT_TENANTS_WITH_DUE, now)
    return [(_tenant(row), row["kind"]) for row in rows]


async def tenants_with_set_aside(connection: Connection) -> list[Tenant]:
    """The tenants that have work which was set aside."""
    return [_tenant(row) for row in await connection.fetch(SELECT_TENANTS_WITH_SET_ASIDE)]


async def figures(connection: Connection, now: datetime, most: int) -> list[DueFigures]:
    """How much is due at a real instant, of all tenants together; each count up to `most`."""
    return [DueFigures(**row) for row in await connection.fetch(SELECT_FIGURES, now, most)]


async def list_set_aside(tx: Transaction, request: PageRequest) -> Page[SetAside]:
    """Work of the tenant that was set aside, by kind and subject."""
    rows = await tx.fetch(SELECT_SET_ASIDE, request.limit, request.offset)
    return Page(
        [SetAside(**row) for row in rows], await tx.fetchval(COUNT_SET_ASIDE), request.offset
    )


async def count_set_aside(tx: Transaction, shown_max: int) -> dict[str, SetAsideCount]:
    """How much of each kind was set aside, with the first few subjects."""
    return {
        row["kind"]: SetAsideCount(row["count"], tuple(row["subjects"]))
        for row in await tx.fetch(COUNT_SET_ASIDE_BY_KIND, shown_max)
    }


async def count(tx: Transaction) -> int:
    """How many entries the tenant has."""
    return await tx.fetchval(COUNT)


async def list_forgotten(tx: Transaction, limit: int) -> list[asyncpg.Record]:
    """Entries that are past by the clock that stands, and wait for it all the same."""
    return await tx.fetch(SELECT_FORGOTTEN, tx.now, limit)


def _new_version() -> int:
    """A version that no entry had: one may be deleted and put again in one transaction."""
    return secrets.randbits(VERSION_BITS) + 1


def _entry(row: asyncpg.Record) -> Entry:
    return Entry(row["subject"], row["due_at"], row["version"], row["attempts"])


def _tenant(row: asyncpg.Record) -> Tenant:
    return Tenant(OrganizationId(row["org_id"]), row["is_test"])

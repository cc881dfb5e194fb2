"""All SQL of replay jobs: their rows, and what they set on a metric when they are done."""

from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from monigo.catalog import Metric
from monigo.core.errors import DomainError, conflict
from monigo.core.ids import CustomerId, MetricId, ReplayJobId
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import Period
from monigo.infra import json
from monigo.infra.db import Transaction, violations_as
from monigo.metering.replay.types import ReplayJob, ReplayRequest, ReplayStatus

COLUMNS = """
    id, initiated_by, status, from_timestamp, to_timestamp, event_name, metric_id, metric_version,
    dry_run, events_total, events_replayed, report, error_message, started_at, completed_at,
    created_at, updated_at
"""

INSERT = f"""
    INSERT INTO replay_jobs (
        org_id, is_test, id, initiated_by, status, from_timestamp, to_timestamp, event_name,
        metric_id, metric_version, dry_run, events_total, events_replayed, error_message,
        created_at, updated_at
    ) VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7, $8, $9, $10, 0, 0, '', $11, $11)
    RETURNING {COLUMNS}
"""

SELECT = f"""
    SELECT {COLUMNS} FROM replay_jobs WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

SELECT_PAGE = f"""
    SELECT {COLUMNS} FROM replay_jobs WHERE org_id = $1 AND is_test = $2
    ORDER BY created_at DESC, id DESC
    LIMIT $3 OFFSET $4
"""

COUNT = "SELECT count(*) FROM replay_jobs WHERE org_id = $1 AND is_test = $2"

# What a metric's own definition began reads the same before and after; a dry run changes nothing.
SELECT_RUNNING = """
    SELECT from_timestamp, to_timestamp FROM replay_jobs
    WHERE org_id = $1 AND is_test = $2 AND status IN ('pending', 'processing')
        AND metric_id IS NULL AND NOT dry_run
"""

SELECT_PROGRESS = """
    SELECT next_customer_id, next_hour FROM replay_jobs
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

# A dry run keeps its findings in memory, so an interrupted one starts from the beginning.
BEGIN = f"""
    UPDATE replay_jobs
    SET status = 'processing', started_at = coalesce(started_at, $4), updated_at = $4,
        next_customer_id = CASE WHEN dry_run THEN NULL ELSE next_customer_id END,
        next_hour = CASE WHEN dry_run THEN NULL ELSE next_hour END,
        events_replayed = CASE WHEN dry_run THEN 0 ELSE events_replayed END
    WHERE org_id = $1 AND is_test = $2 AND id = $3
    RETURNING {COLUMNS}
"""

SET_TOTAL = """
    UPDATE replay_jobs SET events_total = greatest($4, events_replayed)
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

ADVANCE = """
    UPDATE replay_jobs
    SET next_customer_id = $4, next_hour = $5, events_replayed = events_replayed + $6,
        events_total = greatest(events_total, events_replayed + $6), updated_at = $7
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

# Not after a newer definition, which has a replay of its own, and not for a deleted metric, whose
# buckets were not all made.
SET_ROLLUPS_FROM = """
    UPDATE metrics SET rollups_from = $5
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND version = $4 AND deleted_at IS NULL
"""


# The code of the conflict with another replay of the tenant.
REPLAY_RUNNING = "replay_running"


def _busy() -> DomainError:
    return conflict(REPLAY_RUNNING, "another replay is running")


ERRORS = {"replay_jobs_one_processing": _busy}


class Progress(Struct, frozen=True):
    """The last customer that is done, and up to when the next one is, if it is done in parts."""

    customer_id: CustomerId | None
    next_hour: datetime | None


async def insert(
    tx: Transaction,
    job_id: ReplayJobId,
    request: ReplayRequest,
    *,
    initiated_by: str,
    metric: Metric | None,
) -> ReplayJob:
    """Store a pending replay, of one metric or of all."""
    row = await tx.fetchrow(
        INSERT,
        job_id,
        initiated_by,
        request.start,
        request.end,
        request.event_name,
        metric and metric.id,
        metric and metric.version,
        request.dry_run,
        tx.now,
    )
    return _present(row)


async def load(tx: Transaction, job_id: UUID, *, for_update: bool = False) -> ReplayJob | None:
    """One replay."""
    row = await tx.fetchrow(SELECT + (" FOR UPDATE" if for_update else ""), job_id)
    return None if row is None else _job(row)


async def list_page(tx: Transaction, request: PageRequest) -> Page[ReplayJob]:
    """Replays, newest first."""
    pages = tx.pieces(SELECT_PAGE, request.limit, request.offset)
    found = [_job(row) async for rows in pages for row in rows]
    return Page(found, await tx.fetchval(COUNT), request.offset)


async def load_running(tx: Transaction) -> list[Period]:
    """The windows of asked-for replays that are not done yet."""
    return [
        Period(row["from_timestamp"], row["to_timestamp"]) for row in await tx.fetch(SELECT_RUNNING)
    ]


async def load_progress(tx: Transaction, job_id: ReplayJobId) -> Progress:
    """How far a locked replay has come."""
    row = (await tx.fetch(SELECT_PROGRESS, job_id))[0]
    return Progress(row["next_customer_id"], row["next_hour"])


async def begin(tx: Transaction, job_id: ReplayJobId) -> ReplayJob:
    """Mark a locked replay as under way. Raises conflict while another one of the tenant is."""
    with violations_as(ERRORS):
        return _present(await tx.fetchrow(BEGIN, job_id, tx.now))


async def set_total(tx: Transaction, job_id: ReplayJobId, event_count: int) -> None:
    """Note how many events a replay has to count."""
    await tx.execute(SET_TOTAL, job_id, event_count)


async def advance(
    tx: Transaction, job_id: ReplayJobId, progress: Progress, event_count: int
) -> None:
    """Note how far a replay has come, in the transaction that brought it there."""
    await tx.execute(ADVANCE, job_id, progress.customer_id, progress.next_hour, event_count, tx.now)


async def set_rollups_from(
    tx: Transaction, *, metric_id: MetricId, version: int, hour: datetime
) -> None:
    """Let a metric's usage be read from its buckets from this hour on."""
    await tx.execute(SET_ROLLUPS_FROM, metric_id, version, hour)


def _present(row: asyncpg.Record | None) -> ReplayJob:
    if row is None:
        raise AssertionError("an INSERT or UPDATE by key returns its row")
    return _job(row)


def _job(row: asyncpg.Record) -> ReplayJob:
    return ReplayJob(
        id=ReplayJobId(row["id"]),
        initiated_by=row["initiated_by"],
        status=ReplayStatus(row["status"]),
        request=ReplayRequest(
            start=row["from_timestamp"],
            end=row["to_timestamp"],
            event_name=row["event_name"],
            dry_run=row["dry_run"],
        ),
        metric_id=row["metric_id"] and MetricId(row["metric_id"]),
        metric_version=row["metric_version"],
        events_total=row["events_total"],
        events_replayed=row["events_replayed"],
        report=None if row["report"] is None else json.decode(row["report"]),
        error_message=row["error_message"],
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )

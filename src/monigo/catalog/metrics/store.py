"""All SQL of metrics and their versions."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.catalog.metrics.types import Metric, MetricDefinition, MetricFilter
from monigo.core.aggregation import Aggregation
from monigo.core.ids import MetricId
from monigo.core.paging import Page, PageRequest
from monigo.infra import json
from monigo.infra.db import RowLock, Transaction

METRIC_COLUMNS = """
    id, name, event_name, aggregation, aggregation_property, description, filters, group_by,
    value_expression, customer_property, version, created_at, updated_at
"""

INSERT_METRIC = f"""
    INSERT INTO metrics (
        org_id, is_test, id, name, event_name, aggregation, aggregation_property, description,
        filters, group_by, value_expression, customer_property, version, rollups_from, created_at,
        updated_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, 'infinity', $13, $13)
    RETURNING {METRIC_COLUMNS}
"""

SELECT_METRICS = f"""
    SELECT {METRIC_COLUMNS} FROM metrics
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[]) AND deleted_at IS NULL
"""

# Deleted metrics too: a period that used one is still priced by it.
SELECT_METRICS_EVER = f"""
    SELECT {METRIC_COLUMNS} FROM metrics
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

SELECT_METRIC_PAGE = f"""
    SELECT {METRIC_COLUMNS} FROM metrics
    WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL
    ORDER BY created_at DESC, id DESC
    LIMIT $3 OFFSET $4
"""

COUNT_METRICS = """
    SELECT count(*) FROM metrics WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL
"""

# A new way of counting begins with no whole buckets; until they are made, events are read.
UPDATE_METRIC = f"""
    UPDATE metrics
    SET name = $4, event_name = $5, aggregation = $6, aggregation_property = $7,
        description = $8, filters = $9, group_by = $10, version = version + $11,
        rollups_from = CASE WHEN $11 = 0 THEN rollups_from ELSE 'infinity' END, updated_at = $12
    WHERE org_id = $1 AND is_test = $2 AND id = $3
    RETURNING {METRIC_COLUMNS}
"""

# A hidden metric is folded no more, so that its usage is read from the events again.
DELETE_METRIC = """
    UPDATE metrics SET deleted_at = $4, updated_at = $4, rollups_from = 'infinity'
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

# Payout rules that still look at events: a hidden one only at what happened before it was hidden.
COUNT_RULES = """
    SELECT count(*) FROM metrics
    WHERE org_id = $1 AND is_test = $2 AND customer_property <> '' AND deleted_at IS NULL
"""

HIDE_RULES = """
    UPDATE metrics SET deleted_at = $4, updated_at = $4, rollups_from = 'infinity'
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[]) AND customer_property <> ''
        AND deleted_at IS NULL
"""

INSERT_VERSION = """
    INSERT INTO metric_versions (
        org_id, is_test, metric_id, version, name, event_name, aggregation, aggregation_property,
        filters, group_by, value_expression, customer_property, created_at
    )
    SELECT org_id, is_test, id, version, name, event_name, aggregation, aggregation_property,
        filters, group_by, value_expression, customer_property, updated_at
    FROM metrics WHERE org_id = $1 AND is_test = $2 AND id = $3
    RETURNING 1
"""

VERSION_COLUMNS = """
    metrics.id, known.name, known.event_name, known.aggregation, known.aggregation_property,
    metrics.description, known.filters, known.group_by, known.value_expression,
    known.customer_property, known.version, metrics.created_at, known.created_at AS updated_at
"""

SELECT_VERSIONS = f"""
    SELECT {VERSION_COLUMNS}
    FROM metric_versions AS known
    JOIN metrics ON metrics.org_id = known.org_id AND metrics.is_test = known.is_test
        AND metrics.id = known.metric_id
    JOIN unnest($3::uuid[], $4::integer[]) AS wanted (metric_id, version)
        ON wanted.metric_id = known.metric_id AND wanted.version = known.version
    WHERE known.org_id = $1 AND known.is_test = $2
"""

# The latest version at the instant, or the first one of a metric that is younger.
SELECT_VERSIONS_AT = f"""
    SELECT DISTINCT ON (known.metric_id) {VERSION_COLUMNS}
    FROM metric_versions AS known
    JOIN metrics ON metrics.org_id = known.org_id AND metrics.is_test = known.is_test
        AND metrics.id = known.metric_id
    WHERE known.org_id = $1 AND known.is_test = $2 AND known.metric_id = ANY ($3::uuid[])
        AND (known.created_at <= $4 OR known.version = 1)
    ORDER BY known.metric_id, known.version DESC
"""


async def insert(tx: Transaction, metric_id: MetricId, definition: MetricDefinition) -> Metric:
    """Store a new metric, and its first version."""
    row = await tx.fetchrow(
        INSERT_METRIC,
        metric_id,
        *_definition_arguments(definition),
        definition.value_expression,
        definition.customer_property,
        tx.now,
    )
    await tx.execute(INSERT_VERSION, metric_id)
    return _metric(_present(row))


async def load(
    tx: Transaction, metric_ids: Sequence[UUID], *, with_deleted: bool = False
) -> dict[MetricId, Metric]:
    """The metrics with these ids; unknown ones are absent."""
    query = SELECT_METRICS_EVER if with_deleted else SELECT_METRICS
    rows = await tx.fetch(query, metric_ids)
    return {MetricId(row["id"]): _metric(row) for row in rows}


async def lock(tx: Transaction, metric_id: UUID) -> Metric | None:
    """One metric, locked until the transaction ends."""
    row = await tx.fetchrow(f"{SELECT_METRICS} {RowLock.EXCLUSIVE}", [metric_id])
    return None if row is None else _metric(row)


async def lock_shared(tx: Transaction, metric_ids: Sequence[UUID]) -> dict[MetricId, Metric]:
    """The metrics with these ids, which can't be deleted until the transaction ends."""
    rows = await tx.fetch(f"{SELECT_METRICS} ORDER BY id {RowLock.FREEZE}", metric_ids)
    return {MetricId(row["id"]): _metric(row) for row in rows}


async def list_page(tx: Transaction, request: PageRequest) -> Page[Metric]:
    """Living metrics, newest first."""
    pages = tx.pieces(SELECT_METRIC_PAGE, request.limit, request.offset)
    found = [_metric(row) async for rows in pages for row in rows]
    return Page(found, await tx.fetchval(COUNT_METRICS), request.offset)


async def update(
    tx: Transaction, metric_id: MetricId, definition: MetricDefinition, *, is_recounted: bool
) -> Metric:
    """Replace a locked metric's definition, as a new version if it counts otherwise."""
    row = await tx.fetchrow(
        UPDATE_METRIC, metric_id, *_definition_arguments(definition), int(is_recounted), tx.now
    )
    if is_recounted:
        await tx.execute(INSERT_VERSION, metric_id)
    return _metric(_present(row))


async def hide(tx: Transaction, metric_id: MetricId) -> None:
    """Delete softly."""
    await tx.execute(DELETE_METRIC, metric_id, tx.now)


async def count_rules(tx: Transaction) -> int:
    """How many payout rules' metrics are not hidden."""
    return await tx.fetchval(COUNT_RULES)


async def hide_rules(tx: Transaction, metric_ids: Sequence[MetricId]) -> None:
    """Delete those of these metrics softly that are payout rules'."""
    await tx.execute(HIDE_RULES, metric_ids, tx.now)


async def load_versions(
    tx: Transaction, wanted: Sequence[tuple[MetricId, int]]
) -> dict[tuple[MetricId, int], Metric]:
    """Metrics as they counted under these versions; unknown ones are absent."""
    ids, versions = [known for known, _ in wanted], [version for _, version in wanted]
    rows = await tx.fetch(SELECT_VERSIONS, ids, versions)
    return {(MetricId(row["id"]), row["version"]): _metric(row) for row in rows}


async def load_versions_at(
    tx: Transaction, metric_ids: Sequence[MetricId], instant: datetime
) -> dict[MetricId, Metric]:
    """Metrics as they counted at an instant, or first did if they are younger."""
    rows = await tx.fetch(SELECT_VERSIONS_AT, metric_ids, instant)
    return {MetricId(row["id"]): _metric(row) for row in rows}


def _present(row: asyncpg.Record | None) -> asyncpg.Record:
    if row is None:
        raise AssertionError("an INSERT or UPDATE by key returns its row")
    return row


def _definition_arguments(definition: MetricDefinition) -> tuple[str, ...]:
    return (
        definition.name,
        definition.event_name,
        definition.aggregation.value,
        definition.aggregation_property,
        definition.description,
        json.encode(definition.filters),
        definition.group_by,
    )


def _metric(row: asyncpg.Record) -> Metric:
    return Metric(
        id=MetricId(row["id"]),
        definition=MetricDefinition(
            name=row["name"],
            event_name=row["event_name"],
            aggregation=Aggregation(row["aggregation"]),
            aggregation_property=row["aggregation_property"],
            description=row["description"],
            filters=tuple(MetricFilter(**item) for item in json.decode(row["filters"])),
            group_by=row["group_by"],
            value_expression=row["value_expression"],
            customer_property=row["customer_property"],
        ),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )

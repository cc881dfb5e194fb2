"""All SQL of alerts and their thresholds."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from uuid import UUID

import asyncpg

from monigo.alerts.types import (
    Alert,
    AlertFilter,
    AlertScope,
    AlertStatus,
    AlertType,
    NewAlert,
    Threshold,
)
from monigo.core.errors import conflict
from monigo.core.ids import AlertId, MetricId
from monigo.core.paging import Page, PageRequest
from monigo.infra.db import Transaction, violations_as

# Looks of a tenant come one after the other, so that each sees what those before it found.
LOCK_LOOKS = (
    "SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text || $2::boolean::text, 43))"
)
# What is watched at all is decided by one after the other.
LOCK_SETTINGS = (
    "SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text || $2::boolean::text, 44))"
)

COLUMNS = """
    alert.id, alert.type, alert.scope,
    coalesce(alert.plan_id, alert.subscription_id, alert.customer_id) AS scope_id,
    alert.metric_id, alert.currency, alert.require_acknowledgment, alert.is_enabled,
    alert.armed_at, alert.created_at, alert.updated_at,
    ARRAY(
        SELECT value FROM alert_thresholds
        WHERE org_id = $1 AND is_test = $2 AND alert_id = alert.id ORDER BY value
    ) AS threshold_values,
    ARRAY(
        SELECT label FROM alert_thresholds
        WHERE org_id = $1 AND is_test = $2 AND alert_id = alert.id ORDER BY value
    ) AS threshold_labels,
    EXISTS (
        SELECT 1 FROM alert_states
        WHERE org_id = $1 AND is_test = $2 AND alert_id = alert.id AND status = 'triggered'
    ) AS is_triggered
"""

INSERT = """
    INSERT INTO alerts (
        org_id, is_test, id, type, scope, plan_id, subscription_id, customer_id, metric_id,
        currency, require_acknowledgment, is_enabled, armed_at, created_at, updated_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, true, $12, $12, $12)
"""

INSERT_THRESHOLDS = """
    INSERT INTO alert_thresholds (org_id, is_test, alert_id, value, label)
    SELECT $1, $2, $3, value, label FROM unnest($4::numeric[], $5::text[]) AS new (value, label)
    RETURNING value
"""

DELETE_THRESHOLDS = """
    DELETE FROM alert_thresholds WHERE org_id = $1 AND is_test = $2 AND alert_id = $3
"""

SELECT = f"""
    SELECT {COLUMNS} FROM alerts AS alert
    WHERE alert.org_id = $1 AND alert.is_test = $2 AND alert.id = $3 AND alert.deleted_at IS NULL
"""

LOCK = """
    SELECT id FROM alerts WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
    ORDER BY id
    FOR NO KEY UPDATE
"""

MATCHING = """
    FROM alerts AS alert
    WHERE alert.org_id = $1 AND alert.is_test = $2 AND alert.deleted_at IS NULL
        AND ($3::text IS NULL OR alert.type = $3) AND ($4::text IS NULL OR alert.scope = $4)
        AND ($5::uuid IS NULL OR alert.customer_id = $5)
        AND ($6::uuid IS NULL OR alert.subscription_id = $6)
        AND ($7::uuid IS NULL OR alert.plan_id = $7)
"""

SELECT_PAGE = f"""
    SELECT {COLUMNS} {MATCHING}
    ORDER BY alert.created_at DESC, alert.id DESC
    LIMIT $8 OFFSET $9
"""

COUNT = f"SELECT count(*) {MATCHING}"

UPDATE = """
    UPDATE alerts SET is_enabled = $4, armed_at = $5, updated_at = $6, deleted_at = $7
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

COUNT_ALL = "SELECT count(*) FROM alerts WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL"

SELECT_TYPES = """
    SELECT DISTINCT type FROM alerts
    WHERE org_id = $1 AND is_test = $2 AND is_enabled AND deleted_at IS NULL
"""

# A deleted metric's usage is not measured any more.
SELECT_OF_SCOPES = f"""
    SELECT {COLUMNS} FROM alerts AS alert
    WHERE alert.org_id = $1 AND alert.is_test = $2 AND alert.is_enabled
        AND alert.deleted_at IS NULL AND alert.type = ANY ($3::text[])
        AND (
            alert.plan_id = ANY ($4::uuid[]) OR alert.subscription_id = ANY ($5::uuid[])
            OR alert.customer_id = ANY ($6::uuid[])
        )
        AND (
            alert.metric_id IS NULL OR EXISTS (
                SELECT 1 FROM metrics
                WHERE org_id = $1 AND is_test = $2 AND id = alert.metric_id AND deleted_at IS NULL
            )
        )
    ORDER BY alert.id
"""

SELECT_OF_METRIC = """
    SELECT id FROM alerts
    WHERE org_id = $1 AND is_test = $2 AND metric_id = ANY ($3::uuid[]) AND is_enabled
        AND deleted_at IS NULL
"""

ERRORS = {
    "alerts_one_per_scope": lambda: conflict("alert_exists", "Alert already exists for this scope")
}


async def lock_looks(tx: Transaction) -> None:
    """Keep other looks of the tenant from starting until the transaction ends."""
    await tx.execute(LOCK_LOOKS)


async def lock_settings(tx: Transaction) -> None:
    """Keep the tenant's alerts as they are, but for this transaction."""
    await tx.execute(LOCK_SETTINGS)


async def insert(tx: Transaction, alert_id: AlertId, wanted: NewAlert, scope_id: UUID) -> None:
    """Store a new alert. Raises conflict beside one of the same kind."""
    places = {scope: scope_id if scope is wanted.scope else None for scope in AlertScope}
    with violations_as(ERRORS):
        await tx.execute(
            INSERT,
            alert_id,
            wanted.type.value,
            wanted.scope.value,
            places[AlertScope.PLAN],
            places[AlertScope.SUBSCRIPTION],
            places[AlertScope.CUSTOMER],
            UUID(wanted.metric_id) if wanted.metric_id else None,
            wanted.currency,
            wanted.require_acknowledgment,
            tx.now,
        )
    await _insert_thresholds(tx, alert_id, wanted.thresholds)


async def replace_thresholds(
    tx: Transaction, alert_id: AlertId, thresholds: Sequence[Threshold]
) -> None:
    """Store other thresholds of a locked alert."""
    await tx.execute(DELETE_THRESHOLDS, alert_id)
    await _insert_thresholds(tx, alert_id, thresholds)


async def _insert_thresholds(
    tx: Transaction, alert_id: AlertId, thresholds: Sequence[Threshold]
) -> None:
    values = [one.value for one in thresholds]
    await tx.execute(INSERT_THRESHOLDS, alert_id, values, [one.label for one in thresholds])


async def update(tx: Transaction, alert: Alert, *, is_deleted: bool = False) -> None:
    """Store whether a locked alert is enabled, since when, and whether it is deleted."""
    deleted_at = tx.now if is_deleted else None
    await tx.execute(
        UPDATE, alert.id, alert.is_enabled, alert.armed_at, alert.updated_at, deleted_at
    )


async def load(tx: Transaction, alert_id: UUID) -> Alert | None:
    """One alert that is not deleted."""
    row = await tx.fetchrow(SELECT, alert_id)
    return None if row is None else _alert(row)


async def lock(tx: Transaction, alert_ids: Collection[UUID]) -> None:
    """Lock alerts, deleted or not, in the order of their ids until the transaction ends."""
    await tx.execute(LOCK, sorted(alert_ids))


async def list_page(
    tx: Transaction,
    request: PageRequest,
    wanted: AlertFilter,
    scope_ids: tuple[UUID | None, UUID | None, UUID | None],
) -> Page[Alert]:
    """Alerts that match, newest first; of this customer, subscription and plan."""
    matching = (
        wanted.type and wanted.type.value,
        wanted.scope and wanted.scope.value,
        *scope_ids,
    )
    pages = tx.pieces(SELECT_PAGE, *matching, request.limit, request.offset)
    found = [_alert(row) async for rows in pages for row in rows]
    return Page(found, await tx.fetchval(COUNT, *matching), request.offset)


async def count(tx: Transaction) -> int:
    """How many alerts the tenant has."""
    return await tx.fetchval(COUNT_ALL)


async def enabled_types(tx: Transaction) -> set[AlertType]:
    """Of which types the tenant has enabled alerts."""
    return {AlertType(row["type"]) for row in await tx.fetch(SELECT_TYPES)}


async def list_of_scopes(
    tx: Transaction,
    types: Collection[AlertType],
    *,
    plan_ids: Collection[UUID] = (),
    subscription_ids: Collection[UUID] = (),
    customer_ids: Collection[UUID] = (),
) -> list[Alert]:
    """The enabled alerts of these types whose scope is any of these."""
    rows = await tx.fetch(
        SELECT_OF_SCOPES,
        [one.value for one in types],
        list(plan_ids),
        list(subscription_ids),
        list(customer_ids),
    )
    return [_alert(row) for row in rows]


async def ids_of_metrics(tx: Transaction, metric_ids: Collection[MetricId]) -> list[AlertId]:
    """The enabled alerts of these metrics' usage."""
    rows = await tx.fetch(SELECT_OF_METRIC, list(metric_ids))
    return [AlertId(row["id"]) for row in rows]


def _alert(row: asyncpg.Record) -> Alert:
    alert_type = AlertType(row["type"])
    pairs: list[tuple[Decimal, str]] = list(
        zip(row["threshold_values"], row["threshold_labels"], strict=True)
    )
    if alert_type is AlertType.WALLET_BALANCE_DROPPED:
        pairs.reverse()
    status = AlertStatus.TRIGGERED if row["is_triggered"] else AlertStatus.ACTIVE
    return Alert(
        id=AlertId(row["id"]),
        type=alert_type,
        scope=AlertScope(row["scope"]),
        scope_id=row["scope_id"],
        metric_id=row["metric_id"] and MetricId(row["metric_id"]),
        currency=row["currency"],
        thresholds=tuple(Threshold(value, label) for value, label in pairs),
        require_acknowledgment=row["require_acknowledgment"],
        is_enabled=row["is_enabled"],
        status=status if row["is_enabled"] else AlertStatus.DISABLED,
        armed_at=row["armed_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )

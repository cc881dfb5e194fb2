"""All SQL of metrics, plans and prices."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import asyncpg

from monigo.catalog.types import (
    BillingMode,
    Metric,
    MetricDefinition,
    MetricFilter,
    Plan,
    PlanDetails,
    PlanType,
    Price,
    PriceTerms,
)
from monigo.core.aggregation import Aggregation
from monigo.core.ids import MetricId, PlanId, PriceId
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import BillingPeriod
from monigo.core.pricing import parse_price_model, price_model_json
from monigo.infra import json
from monigo.infra.database import RowLock, Transaction

METRIC_COLUMNS = """
    id, name, event_name, aggregation, aggregation_property, description, filters, group_by,
    version, created_at, updated_at
"""

INSERT_METRIC = f"""
    INSERT INTO metrics (
        org_id, is_test, id, name, event_name, aggregation, aggregation_property, description,
        filters, group_by, version, rollups_from, created_at, updated_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, 'infinity', $11, $11)
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

# A metric is in use while the latest revision of a live plan's price refers to it.
SELECT_PLAN_USING_METRIC = """
    SELECT plans.name
    FROM plans
    JOIN prices ON prices.org_id = plans.org_id AND prices.is_test = plans.is_test
        AND prices.plan_id = plans.id
    JOIN LATERAL (
        SELECT metric_id, removed FROM price_revisions
        WHERE org_id = prices.org_id AND is_test = prices.is_test AND price_id = prices.id
        ORDER BY revision DESC LIMIT 1
    ) AS latest ON latest.metric_id = $3 AND NOT latest.removed
    WHERE plans.org_id = $1 AND plans.is_test = $2 AND plans.deleted_at IS NULL
    LIMIT 1
"""

PLAN_COLUMNS = """
    id, name, description, currency, plan_type, billing_period, billing_mode, trial_period_days,
    created_at, updated_at
"""

INSERT_PLAN = f"""
    INSERT INTO plans (
        org_id, is_test, id, name, description, currency, plan_type, billing_period, billing_mode,
        trial_period_days, created_at, updated_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
    RETURNING {PLAN_COLUMNS}
"""

SELECT_PLANS = f"""
    SELECT {PLAN_COLUMNS} FROM plans
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

SELECT_PLAN = f"""
    SELECT {PLAN_COLUMNS} FROM plans
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND deleted_at IS NULL
"""

SELECT_PLAN_PAGE = f"""
    SELECT {PLAN_COLUMNS} FROM plans
    WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL
    ORDER BY created_at DESC, id DESC
    LIMIT $3 OFFSET $4
"""

COUNT_PLANS = """
    SELECT count(*) FROM plans WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL
"""

UPDATE_PLAN = f"""
    UPDATE plans
    SET name = $4, description = $5, currency = $6, plan_type = $7, billing_period = $8,
        billing_mode = $9, trial_period_days = $10, updated_at = $11
    WHERE org_id = $1 AND is_test = $2 AND id = $3
    RETURNING {PLAN_COLUMNS}
"""

DELETE_PLAN = """
    UPDATE plans SET deleted_at = $4, updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

SELECT_PRICES = """
    SELECT prices.id, prices.plan_id, prices.created_at, latest.revision, latest.metric_id,
        latest.model, latest.unit_price, latest.tiers,
        latest.created_at AS revised_at
    FROM prices
    JOIN LATERAL (
        SELECT revision, metric_id, position, model, unit_price, tiers, removed,
            created_at
        FROM price_revisions
        WHERE org_id = prices.org_id AND is_test = prices.is_test AND price_id = prices.id
        ORDER BY revision DESC LIMIT 1
    ) AS latest ON NOT latest.removed
    WHERE prices.org_id = $1 AND prices.is_test = $2 AND prices.plan_id = ANY ($3::uuid[])
    ORDER BY prices.plan_id, latest.position, prices.id
"""

INSERT_PRICE = """
    INSERT INTO prices (org_id, is_test, id, plan_id, created_at) VALUES ($1, $2, $3, $4, $5)
"""

INSERT_REVISION = """
    INSERT INTO price_revisions (
        org_id, is_test, price_id, revision, metric_id, position, model, unit_price,
        tiers, removed, created_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""


async def insert_metric(
    tx: Transaction, metric_id: MetricId, definition: MetricDefinition
) -> Metric:
    """Store a new metric."""
    row = await tx.fetchrow(INSERT_METRIC, metric_id, *_definition_arguments(definition), tx.now)
    return _metric(_present(row))


async def load_metrics(
    tx: Transaction, metric_ids: Sequence[UUID], *, with_deleted: bool = False
) -> dict[MetricId, Metric]:
    """The metrics with these ids; unknown ones are absent."""
    query = SELECT_METRICS_EVER if with_deleted else SELECT_METRICS
    rows = await tx.fetch(query, metric_ids)
    return {MetricId(row["id"]): _metric(row) for row in rows}


async def lock_metric(tx: Transaction, metric_id: UUID) -> Metric | None:
    """One metric, locked until the transaction ends."""
    row = await tx.fetchrow(f"{SELECT_METRICS} {RowLock.EXCLUSIVE}", [metric_id])
    return None if row is None else _metric(row)


async def hold_metrics(tx: Transaction, metric_ids: Sequence[UUID]) -> dict[MetricId, Metric]:
    """The metrics with these ids, which can't be deleted until the transaction ends."""
    rows = await tx.fetch(f"{SELECT_METRICS} ORDER BY id {RowLock.FREEZE}", metric_ids)
    return {MetricId(row["id"]): _metric(row) for row in rows}


async def list_metrics(tx: Transaction, request: PageRequest) -> Page[Metric]:
    """Living metrics, newest first."""
    rows = await tx.fetch(SELECT_METRIC_PAGE, request.limit, request.offset)
    return Page([_metric(row) for row in rows], await tx.fetchval(COUNT_METRICS), request.offset)


async def update_metric(
    tx: Transaction, metric_id: MetricId, definition: MetricDefinition, *, counts_anew: bool
) -> Metric:
    """Replace a locked metric's definition, as a new version if it counts otherwise."""
    row = await tx.fetchrow(
        UPDATE_METRIC, metric_id, *_definition_arguments(definition), int(counts_anew), tx.now
    )
    return _metric(_present(row))


async def hide_metric(tx: Transaction, metric_id: MetricId) -> None:
    """Delete softly."""
    await tx.execute(DELETE_METRIC, metric_id, tx.now)


async def plan_using_metric(tx: Transaction, metric_id: MetricId) -> str | None:
    """The name of a live plan with a price on this metric, if there is one."""
    return await tx.fetchval(SELECT_PLAN_USING_METRIC, metric_id)


async def insert_plan(tx: Transaction, plan_id: PlanId, details: PlanDetails) -> None:
    """Store a new plan, without its prices."""
    await tx.fetchrow(INSERT_PLAN, plan_id, *_details_arguments(details), tx.now)


async def load_plan(tx: Transaction, plan_id: UUID, lock: RowLock = RowLock.NONE) -> Plan | None:
    """A living plan with its prices."""
    row = await tx.fetchrow(f"{SELECT_PLAN} {lock}", plan_id)
    if row is None:
        return None
    return (await _with_prices(tx, [row]))[0]


async def load_plans(tx: Transaction, plan_ids: Sequence[UUID]) -> dict[PlanId, Plan]:
    """Plans by id, deleted ones included."""
    if not plan_ids:
        return {}
    plans = await _with_prices(tx, await tx.fetch(SELECT_PLANS, plan_ids))
    return {plan.id: plan for plan in plans}


async def list_plans(tx: Transaction, request: PageRequest) -> Page[Plan]:
    """Living plans, newest first."""
    rows = await tx.fetch(SELECT_PLAN_PAGE, request.limit, request.offset)
    plans = await _with_prices(tx, rows)
    return Page(plans, await tx.fetchval(COUNT_PLANS), request.offset)


async def update_plan(tx: Transaction, plan_id: PlanId, details: PlanDetails) -> None:
    """Replace a locked plan's details."""
    await tx.execute(UPDATE_PLAN, plan_id, *_details_arguments(details), tx.now)


async def hide_plan(tx: Transaction, plan_id: PlanId) -> None:
    """Delete softly."""
    await tx.execute(DELETE_PLAN, plan_id, tx.now)


async def insert_price(tx: Transaction, price_id: PriceId, plan_id: PlanId) -> None:
    """Give a price its id, to which revisions are then added."""
    await tx.execute(INSERT_PRICE, price_id, plan_id, tx.now)


async def insert_revision(
    tx: Transaction,
    price_id: PriceId,
    terms: PriceTerms,
    *,
    revision: int,
    position: int,
    removed: bool,
) -> None:
    """Add a revision; `position` orders the plan's prices."""
    unit_price, tiers = price_model_json(terms.model)
    await tx.execute(
        INSERT_REVISION,
        price_id,
        revision,
        terms.metric_id,
        position,
        terms.model_name,
        None if unit_price is None else Decimal(unit_price),
        None if tiers is None else json.encode(tiers),
        removed,
        tx.now,
    )


async def _with_prices(tx: Transaction, rows: Sequence[asyncpg.Record]) -> list[Plan]:
    prices: dict[UUID, list[Price]] = {row["id"]: [] for row in rows}
    for price_row in await tx.fetch(SELECT_PRICES, list(prices)):
        prices[price_row["plan_id"]].append(_price(price_row))
    return [_plan(row, tuple(prices[row["id"]])) for row in rows]


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


def _details_arguments(details: PlanDetails) -> tuple[object, ...]:
    return (
        details.name,
        details.description,
        details.currency,
        details.plan_type.value,
        details.billing_period.value,
        details.billing_mode.value,
        details.trial_period_days,
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
        ),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _plan(row: asyncpg.Record, prices: tuple[Price, ...]) -> Plan:
    return Plan(
        id=PlanId(row["id"]),
        details=PlanDetails(
            name=row["name"],
            description=row["description"],
            currency=row["currency"],
            plan_type=PlanType(row["plan_type"]),
            billing_period=BillingPeriod(row["billing_period"]),
            billing_mode=BillingMode(row["billing_mode"]),
            trial_period_days=row["trial_period_days"],
        ),
        prices=prices,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _price(row: asyncpg.Record) -> Price:
    model = parse_price_model(
        model=row["model"],
        unit_price=row["unit_price"],
        tiers=None if row["tiers"] is None else json.decode(row["tiers"]),
        path="price",
    )
    return Price(
        id=PriceId(row["id"]),
        plan_id=PlanId(row["plan_id"]),
        revision=row["revision"],
        terms=PriceTerms(MetricId(row["metric_id"]), model, row["model"]),
        created_at=row["created_at"],
        updated_at=row["revised_at"],
    )

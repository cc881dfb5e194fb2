"""All SQL of plans, their prices and the revisions of both."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import asyncpg

from monigo.catalog.types import (
    BEGINNING,
    ApplyTo,
    BaseFee,
    BillingMode,
    Plan,
    PlanDetails,
    PlanHistory,
    PlanRevision,
    PlanType,
    Price,
    PriceRevision,
    PriceTerms,
)
from monigo.core.ids import MetricId, PlanId, PriceId
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import BillingPeriod
from monigo.core.pricing import parse_charge, price_model_json
from monigo.infra import json
from monigo.infra.db import RowLock, Transaction

_IN_ARREARS = "in_arrears"
_IN_ADVANCE = "in_advance"

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

SELECT_LATEST_REVISIONS = """
    SELECT DISTINCT ON (plan_id) plan_id, revision, base_fee, base_fee_timing
    FROM plan_revisions
    WHERE org_id = $1 AND is_test = $2 AND plan_id = ANY ($3::uuid[])
    ORDER BY plan_id, revision DESC
"""

SELECT_REVISIONS = """
    SELECT plans.id, plans.name, plans.description, plans.currency, plans.plan_type,
        plans.billing_period, plans.billing_mode, plans.trial_period_days, known.revision,
        known.apply_to, nullif(known.effective_at, '-infinity') AS effective_at, known.base_fee,
        known.base_fee_timing, known.created_at
    FROM plans
    JOIN plan_revisions AS known ON known.org_id = plans.org_id
        AND known.is_test = plans.is_test AND known.plan_id = plans.id
    WHERE plans.org_id = $1 AND plans.is_test = $2 AND plans.id = ANY ($3::uuid[])
    ORDER BY plans.id, known.revision
"""

SELECT_STANDING_REVISION = """
    SELECT max(revision) FROM plan_revisions
    WHERE org_id = $1 AND is_test = $2 AND plan_id = $3 AND effective_at <= $4
"""

INSERT_PLAN_REVISION = """
    INSERT INTO plan_revisions (
        org_id, is_test, plan_id, revision, apply_to, effective_at, base_fee, base_fee_timing,
        created_at
    ) VALUES (
        $1, $2, $3, $4, $5,
        CASE WHEN $4::integer = 1 THEN '-infinity'::timestamptz ELSE $8::timestamptz END,
        $6, $7, $8::timestamptz
    )
"""

PRICE_COLUMNS = """
    prices.id, prices.plan_id, prices.created_at, known.revision, known.plan_revision,
    known.metric_id, known.position, known.model, known.unit_price, known.tiers, known.flat_fee,
    known.minimum_amount, known.maximum_amount, known.removed, known.created_at AS revised_at
"""

SELECT_PRICES = f"""
    SELECT {PRICE_COLUMNS}
    FROM prices
    JOIN LATERAL (
        SELECT revision, plan_revision, metric_id, position, model, unit_price, tiers, flat_fee,
            minimum_amount, maximum_amount, removed, created_at
        FROM price_revisions
        WHERE org_id = prices.org_id AND is_test = prices.is_test AND price_id = prices.id
        ORDER BY revision DESC LIMIT 1
    ) AS known ON NOT known.removed
    WHERE prices.org_id = $1 AND prices.is_test = $2 AND prices.plan_id = ANY ($3::uuid[])
    ORDER BY prices.plan_id, known.position, prices.id
"""

SELECT_PRICE_REVISIONS = f"""
    SELECT {PRICE_COLUMNS}
    FROM prices
    JOIN price_revisions AS known ON known.org_id = prices.org_id
        AND known.is_test = prices.is_test AND known.plan_id = prices.plan_id
        AND known.price_id = prices.id
    WHERE prices.org_id = $1 AND prices.is_test = $2 AND prices.plan_id = ANY ($3::uuid[])
    ORDER BY prices.plan_id, known.plan_revision, known.position, prices.id
"""

SELECT_PRICE = f"""
    SELECT {PRICE_COLUMNS}
    FROM prices
    JOIN price_revisions AS known ON known.org_id = prices.org_id
        AND known.is_test = prices.is_test AND known.plan_id = prices.plan_id
        AND known.price_id = prices.id
    WHERE prices.org_id = $1 AND prices.is_test = $2 AND prices.id = $3
    ORDER BY known.revision DESC LIMIT 1
"""

INSERT_PRICE = """
    INSERT INTO prices (org_id, is_test, id, plan_id, created_at) VALUES ($1, $2, $3, $4, $5)
"""

INSERT_PRICE_REVISION = """
    INSERT INTO price_revisions (
        org_id, is_test, price_id, revision, plan_id, plan_revision, metric_id, position, model,
        unit_price, tiers, flat_fee, minimum_amount, maximum_amount, removed, created_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""


async def insert_plan(tx: Transaction, plan_id: PlanId, details: PlanDetails) -> None:
    """Store a new plan, without its first revision and prices."""
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
    plans: list[Plan] = []
    async for rows in tx.pieces(SELECT_PLAN_PAGE, request.limit, request.offset):
        plans += await _with_prices(tx, rows)
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


async def insert_plan_revision(
    tx: Transaction, plan_id: PlanId, revision: int, *, apply_to: ApplyTo, base_fee: BaseFee
) -> None:
    """Add a revision to a locked plan; the first takes effect before everything."""
    await tx.execute(
        INSERT_PLAN_REVISION,
        plan_id,
        revision,
        apply_to.value,
        base_fee.amount,
        _IN_ADVANCE if base_fee.in_advance else _IN_ARREARS,
        tx.now,
    )


async def insert_price_revision(
    tx: Transaction,
    price_id: PriceId,
    terms: PriceTerms,
    *,
    revision: int,
    plan: tuple[PlanId, int],
    position: int,
    removed: bool,
) -> None:
    """Add a revision of a price, made by a revision of its plan."""
    charge = terms.charge
    unit_price, tiers = price_model_json(charge.model)
    await tx.execute(
        INSERT_PRICE_REVISION,
        price_id,
        revision,
        *plan,
        terms.metric_id,
        position,
        terms.model_name,
        None if unit_price is None else Decimal(unit_price),
        None if tiers is None else json.encode(tiers),
        charge.flat_fee,
        charge.minimum_amount,
        charge.maximum_amount,
        removed,
        tx.now,
    )


async def standing_revision(tx: Transaction, plan_id: PlanId, at: datetime) -> int:
    """The number of a plan's latest revision of those made by an instant."""
    return await tx.fetchval(SELECT_STANDING_REVISION, plan_id, at)


async def load_price(tx: Transaction, price_id: UUID) -> PriceRevision | None:
    """A price's latest revision, also where that removed it."""
    row = await tx.fetchrow(SELECT_PRICE, price_id)
    return None if row is None else _price_revision(row)


async def load_histories(tx: Transaction, plan_ids: Sequence[PlanId]) -> dict[PlanId, PlanHistory]:
    """Plans with all their revisions, deleted ones included."""
    if not plan_ids:
        return {}
    details: dict[PlanId, PlanDetails] = {}
    revisions: dict[UUID, list[PlanRevision]] = {known: [] for known in plan_ids}
    for row in await tx.fetch(SELECT_REVISIONS, plan_ids):
        details[PlanId(row["id"])] = _details(row)
        revisions[row["id"]].append(_plan_revision(row))
    price_revisions: dict[UUID, list[PriceRevision]] = {known: [] for known in plan_ids}
    for row in await tx.fetch(SELECT_PRICE_REVISIONS, plan_ids):
        price_revisions[row["plan_id"]].append(_price_revision(row))
    return {
        plan_id: PlanHistory(known, tuple(revisions[plan_id]), tuple(price_revisions[plan_id]))
        for plan_id, known in details.items()
    }


async def _with_prices(tx: Transaction, rows: Sequence[asyncpg.Record]) -> list[Plan]:
    """The plans of these rows; what they cost is read after them, as they may have been locked."""
    plan_ids = [row["id"] for row in rows]
    latest = {row["plan_id"]: row for row in await tx.fetch(SELECT_LATEST_REVISIONS, plan_ids)}
    prices: dict[UUID, list[Price]] = {plan_id: [] for plan_id in plan_ids}
    for price_row in await tx.fetch(SELECT_PRICES, plan_ids):
        prices[price_row["plan_id"]].append(_price(price_row))
    return [_plan(row, latest[row["id"]], tuple(prices[row["id"]])) for row in rows]


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


def _plan(row: asyncpg.Record, latest: asyncpg.Record, prices: tuple[Price, ...]) -> Plan:
    return Plan(
        id=PlanId(row["id"]),
        details=_details(row),
        revision=latest["revision"],
        base_fee=_base_fee(latest),
        prices=prices,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _details(row: asyncpg.Record) -> PlanDetails:
    return PlanDetails(
        name=row["name"],
        description=row["description"],
        currency=row["currency"],
        plan_type=PlanType(row["plan_type"]),
        billing_period=BillingPeriod(row["billing_period"]),
        billing_mode=BillingMode(row["billing_mode"]),
        trial_period_days=row["trial_period_days"],
    )


def _base_fee(row: asyncpg.Record) -> BaseFee:
    return BaseFee(row["base_fee"], in_advance=row["base_fee_timing"] == _IN_ADVANCE)


def _plan_revision(row: asyncpg.Record) -> PlanRevision:
    return PlanRevision(
        revision=row["revision"],
        apply_to=ApplyTo(row["apply_to"]),
        effective_at=row["effective_at"] or BEGINNING,
        base_fee=_base_fee(row),
        created_at=row["created_at"],
    )


def _price_revision(row: asyncpg.Record) -> PriceRevision:
    return PriceRevision(_price(row), row["plan_revision"], row["position"], row["removed"])


def _price(row: asyncpg.Record) -> Price:
    charge = parse_charge(
        model=row["model"],
        unit_price=row["unit_price"],
        tiers=None if row["tiers"] is None else json.decode(row["tiers"]),
        flat_fee=row["flat_fee"],
        minimum_amount=row["minimum_amount"],
        maximum_amount=row["maximum_amount"],
        path="price",
    )
    return Price(
        id=PriceId(row["id"]),
        plan_id=PlanId(row["plan_id"]),
        revision=row["revision"],
        terms=PriceTerms(MetricId(row["metric_id"]), charge, row["model"]),
        created_at=row["created_at"],
        updated_at=row["revised_at"],
    )

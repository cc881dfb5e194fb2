"""All SQL of plans, their prices and the revisions of both."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.catalog import payout_rules, prices
from monigo.catalog.payout_rules import PayoutRule
from monigo.catalog.plans.types import (
    BEGINNING,
    ApplyTo,
    BaseFee,
    BillingMode,
    Plan,
    PlanDetails,
    PlanHistory,
    PlanRevision,
    PlanType,
)
from monigo.catalog.prices import Price
from monigo.core.ids import MetricId, PlanId
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import BillingPeriod
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


async def insert(tx: Transaction, plan_id: PlanId, details: PlanDetails) -> None:
    """Store a new plan, without its first revision and prices."""
    await tx.fetchrow(INSERT_PLAN, plan_id, *_details_arguments(details), tx.now)


async def load(tx: Transaction, plan_id: UUID, lock: RowLock = RowLock.NONE) -> Plan | None:
    """A living plan with its prices."""
    row = await tx.fetchrow(f"{SELECT_PLAN} {lock}", plan_id)
    if row is None:
        return None
    return (await _with_prices(tx, [row]))[0]


async def load_all(tx: Transaction, plan_ids: Sequence[UUID]) -> dict[PlanId, Plan]:
    """Plans by id, deleted ones included."""
    if not plan_ids:
        return {}
    plans = await _with_prices(tx, await tx.fetch(SELECT_PLANS, plan_ids))
    return {plan.id: plan for plan in plans}


async def list_page(tx: Transaction, request: PageRequest) -> Page[Plan]:
    """Living plans, newest first."""
    plans: list[Plan] = []
    async for rows in tx.pieces(SELECT_PLAN_PAGE, request.limit, request.offset):
        plans += await _with_prices(tx, rows)
    return Page(plans, await tx.fetchval(COUNT_PLANS), request.offset)


async def update(tx: Transaction, plan_id: PlanId, details: PlanDetails) -> None:
    """Replace a locked plan's details."""
    await tx.execute(UPDATE_PLAN, plan_id, *_details_arguments(details), tx.now)


async def hide(tx: Transaction, plan_id: PlanId) -> None:
    """Delete softly."""
    await tx.execute(DELETE_PLAN, plan_id, tx.now)


async def insert_revision(
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


async def standing_revision(tx: Transaction, plan_id: PlanId, at: datetime) -> int:
    """The number of a plan's latest revision of those made by an instant."""
    return await tx.fetchval(SELECT_STANDING_REVISION, plan_id, at)


async def load_histories(tx: Transaction, plan_ids: Sequence[PlanId]) -> dict[PlanId, PlanHistory]:
    """Plans with all their revisions, deleted ones included."""
    if not plan_ids:
        return {}
    details: dict[PlanId, PlanDetails] = {}
    revisions: dict[UUID, list[PlanRevision]] = {known: [] for known in plan_ids}
    for row in await tx.fetch(SELECT_REVISIONS, plan_ids):
        details[PlanId(row["id"])] = _details(row)
        revisions[row["id"]].append(_plan_revision(row))
    price_revisions = await prices.revisions_of(tx, plan_ids)
    return {
        plan_id: PlanHistory(known, tuple(revisions[plan_id]), tuple(price_revisions[plan_id]))
        for plan_id, known in details.items()
    }


async def _with_prices(tx: Transaction, rows: Sequence[asyncpg.Record]) -> list[Plan]:
    """The plans of these rows; what they cost is read after them, as they may have been locked."""
    plan_ids = [row["id"] for row in rows]
    latest = {row["plan_id"]: row for row in await tx.fetch(SELECT_LATEST_REVISIONS, plan_ids)}
    priced = await prices.present_of(tx, plan_ids)
    paying_out = [row["id"] for row in rows if row["plan_type"] == PlanType.PAYOUT]
    rules = await payout_rules.rules_among(
        tx, [price for plan_id in paying_out for price in priced[plan_id]]
    )
    return [
        _plan(
            row,
            latest[row["id"]],
            tuple(priced[row["id"]]),
            tuple(rule for rule in rules if rule.price.plan_id == row["id"]),
        )
        for row in rows
    ]


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


def _plan(
    row: asyncpg.Record,
    latest: asyncpg.Record,
    priced: tuple[Price, ...],
    rules: tuple[PayoutRule, ...],
) -> Plan:
    return Plan(
        id=PlanId(row["id"]),
        details=_details(row),
        revision=latest["revision"],
        base_fee=_base_fee(latest),
        prices=priced,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        rules=rules,
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


# As above, where a percentage is taken of the metric: by the price itself, or by an override of it.
SELECT_PLAN_WITH_PERCENTAGE = """
    SELECT plans.name
    FROM plans
    JOIN prices ON prices.org_id = plans.org_id AND prices.is_test = plans.is_test
        AND prices.plan_id = plans.id
    JOIN LATERAL (
        SELECT metric_id, model, removed FROM price_revisions
        WHERE org_id = prices.org_id AND is_test = prices.is_test AND price_id = prices.id
        ORDER BY revision DESC LIMIT 1
    ) AS latest ON latest.metric_id = $3 AND NOT latest.removed
    WHERE plans.org_id = $1 AND plans.is_test = $2 AND plans.deleted_at IS NULL
        AND (latest.model = 'percentage' OR EXISTS (
            SELECT 1 FROM price_overrides
            WHERE org_id = prices.org_id AND is_test = prices.is_test AND price_id = prices.id
                AND model = 'percentage' AND deleted_at IS NULL
        ))
    LIMIT 1
"""


async def plan_using_metric(tx: Transaction, metric_id: MetricId) -> str | None:
    """The name of a live plan with a price on this metric, if there is one."""
    return await tx.fetchval(SELECT_PLAN_USING_METRIC, metric_id)


async def plan_with_percentage(tx: Transaction, metric_id: MetricId) -> str | None:
    """The name of a live plan that takes a percentage of this metric, if there is one."""
    return await tx.fetchval(SELECT_PLAN_WITH_PERCENTAGE, metric_id)

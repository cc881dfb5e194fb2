"""All SQL of prices and their revisions."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import asyncpg

from monigo.catalog.prices.types import Price, PriceRevision, PriceTerms
from monigo.core.ids import MetricId, PlanId, PriceId
from monigo.core.pricing import parse_charge, price_model_json
from monigo.infra import json
from monigo.infra.db import RowLock, Transaction

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

LOCK_PLAN = f"""
    SELECT id FROM plans
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND deleted_at IS NULL
    {RowLock.FREEZE}
"""


async def insert(tx: Transaction, price_id: PriceId, plan_id: PlanId) -> None:
    """Give a price its id, to which revisions are then added."""
    await tx.execute(INSERT_PRICE, price_id, plan_id, tx.now)


async def insert_revision(
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


async def load_present(tx: Transaction, plan_ids: Sequence[UUID]) -> dict[UUID, list[Price]]:
    """The present prices of each plan, in the plan's order."""
    prices: dict[UUID, list[Price]] = {plan_id: [] for plan_id in plan_ids}
    for row in await tx.fetch(SELECT_PRICES, plan_ids):
        prices[row["plan_id"]].append(_price(row))
    return prices


async def load_revisions(
    tx: Transaction, plan_ids: Sequence[UUID]
) -> dict[UUID, list[PriceRevision]]:
    """All revisions of each plan's prices, in the order of the plan's revisions."""
    revisions: dict[UUID, list[PriceRevision]] = {plan_id: [] for plan_id in plan_ids}
    for row in await tx.fetch(SELECT_PRICE_REVISIONS, plan_ids):
        revisions[row["plan_id"]].append(_price_revision(row))
    return revisions


async def lock_plan(tx: Transaction, plan_id: PlanId) -> bool:
    """Keep a plan and its prices from being edited; False where the plan is deleted."""
    return await tx.fetchval(LOCK_PLAN, plan_id) is not None


async def load(tx: Transaction, price_id: UUID) -> PriceRevision | None:
    """A price's latest revision, also where that removed it."""
    row = await tx.fetchrow(SELECT_PRICE, price_id)
    return None if row is None else _price_revision(row)


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

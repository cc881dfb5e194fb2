"""All SQL of simulations, and how what was asked for is kept."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from monigo.catalog import PriceDraft, PriceTerms
from monigo.core.ids import CustomerId, MetricId, PlanId, PlanSimulationId, PriceId
from monigo.core.money import format_money
from monigo.core.periods import Period
from monigo.core.pricing import charge_from_json, charge_json
from monigo.core.times import format_instant, parse_instant
from monigo.infra import json
from monigo.infra.db import Transaction
from monigo.invoicing.simulate.types import Proposal, Simulation, SimulationStatus

COLUMNS = """
    id, plan_id, status, request::text AS request, subscriptions_total, subscriptions_done,
    report, error_message, created_at, completed_at
"""

INSERT = f"""
    INSERT INTO plan_simulations (
        org_id, is_test, id, plan_id, status, request, subscriptions_total, subscriptions_done,
        error_message, created_at, updated_at
    ) VALUES ($1, $2, $3, $4, 'pending', $5, $6, 0, '', $7, $7)
    RETURNING {COLUMNS}
"""

SELECT = f"""
    SELECT {COLUMNS} FROM plan_simulations WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

BEGIN = f"""
    UPDATE plan_simulations
    SET status = 'processing', started_at = coalesce(started_at, $4), updated_at = $4,
        subscriptions_done = 0
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND status IN ('pending', 'processing')
    RETURNING {COLUMNS}
"""

ADVANCE = """
    UPDATE plan_simulations SET subscriptions_done = $4, updated_at = $5
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND status = 'processing'
    RETURNING id
"""


async def insert(
    tx: Transaction, simulation_id: PlanSimulationId, proposal: Proposal, *, total: int
) -> Simulation:
    """Store a pending simulation."""
    request = json.encode(request_of(proposal))
    row = await tx.fetchrow(INSERT, simulation_id, proposal.plan_id, request, total, tx.now)
    if row is None:
        raise AssertionError("an INSERT returns its row")
    return _simulation(row)


async def load(tx: Transaction, simulation_id: UUID) -> Simulation | None:
    """One simulation."""
    row = await tx.fetchrow(SELECT, simulation_id)
    return None if row is None else _simulation(row)


async def begin(tx: Transaction, simulation_id: PlanSimulationId) -> Simulation | None:
    """Mark a simulation as under way, from nothing; None where it has ended or is gone."""
    row = await tx.fetchrow(BEGIN, simulation_id, tx.now)
    return None if row is None else _simulation(row)


async def advance(tx: Transaction, simulation_id: PlanSimulationId, done: int) -> bool:
    """Note how many subscriptions are done; false where the simulation has ended or is gone."""
    return await tx.fetchval(ADVANCE, simulation_id, done, tx.now) is not None


def request_of(proposal: Proposal) -> dict[str, Any]:
    """A proposal as it is stored, without its plan."""
    span = proposal.span
    customer_ids = proposal.customer_ids
    return {
        "prices": [
            {
                "id": None if draft.id is None else str(draft.id),
                "metric_id": str(draft.terms.metric_id),
                "model_name": draft.terms.model_name,
                "charge": charge_json(draft.terms.charge),
            }
            for draft in proposal.prices
        ],
        "base_fee": None if proposal.base_fee is None else format_money(proposal.base_fee),
        "customer_ids": None if customer_ids is None else [str(known) for known in customer_ids],
        "span": None if span is None else [format_instant(span.start), format_instant(span.end)],
    }


def proposal_of(plan_id: PlanId, request: Mapping[str, Any]) -> Proposal:
    """The proposal that was stored."""
    base_fee, customer_ids, span = request["base_fee"], request["customer_ids"], request["span"]
    return Proposal(
        plan_id=plan_id,
        prices=tuple(
            PriceDraft(
                None if price["id"] is None else PriceId(UUID(price["id"])),
                PriceTerms(
                    MetricId(UUID(price["metric_id"])),
                    charge_from_json(price["charge"]),
                    price["model_name"],
                ),
            )
            for price in request["prices"]
        ),
        base_fee=None if base_fee is None else Decimal(base_fee),
        customer_ids=customer_ids and tuple(CustomerId(UUID(known)) for known in customer_ids),
        span=span and Period(parse_instant(span[0]), parse_instant(span[1])),
    )


def _simulation(row: asyncpg.Record) -> Simulation:
    return Simulation(
        id=PlanSimulationId(row["id"]),
        proposal=proposal_of(PlanId(row["plan_id"]), json.decode(row["request"])),
        status=SimulationStatus(row["status"]),
        subscriptions_total=row["subscriptions_total"],
        subscriptions_done=row["subscriptions_done"],
        report=None if row["report"] is None else json.decode(row["report"]),
        error_message=row["error_message"],
        created_at=row["created_at"],
        completed_at=row["completed_at"],
    )

"""Simulations: what past usage of a plan's subscribers would have cost under other prices."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from msgspec import Struct

from monigo.catalog import PriceDraft
from monigo.core.ids import CustomerId, PlanId, PlanSimulationId
from monigo.core.periods import Period


class SimulationStatus(StrEnum):
    """Where a simulation stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


class Proposal(Struct, frozen=True):
    """What is to be simulated: these prices in place of the plan's.

    Without `base_fee` the fee stays. Without `customer_ids` all subscribers count. `span` holds the
    periods that are priced; without it, each subscription's last full one is.
    """

    plan_id: PlanId
    prices: tuple[PriceDraft, ...]
    base_fee: Decimal | None
    customer_ids: tuple[CustomerId, ...] | None
    span: Period | None


class NewSimulation(Struct, frozen=True):
    """A simulation as a client asks for it; customers by id or external_id."""

    plan: str
    prices: Sequence[PriceDraft]
    base_fee: Decimal | None
    customers: Sequence[str] | None
    start: datetime | None
    end: datetime | None


class SimulatedPeriod(Struct, frozen=True):
    """A past period's subtotal before taxes: by the terms that held, and as proposed."""

    customer_id: CustomerId
    period: Period
    old_amount: Decimal
    new_amount: Decimal


class Simulation(Struct, frozen=True):
    """A simulation; one that was answered at once has no id, and is stored nowhere."""

    id: PlanSimulationId | None
    proposal: Proposal
    status: SimulationStatus
    subscriptions_total: int
    subscriptions_done: int
    report: Any | None
    error_message: str
    created_at: datetime
    completed_at: datetime | None

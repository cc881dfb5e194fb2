"""Prices: what one metric's usage costs on a plan."""

from datetime import datetime

from msgspec import Struct

from monigo.core.ids import MetricId, PlanId, PriceId
from monigo.core.pricing import Charge


class PriceTerms(Struct, frozen=True):
    """What one metric's usage costs. `model_name` is the model's name as the client wrote it."""

    metric_id: MetricId
    charge: Charge
    model_name: str


class PriceDraft(Struct, frozen=True):
    """A price as asked for: with the id of the one it revises, or as a new one."""

    id: PriceId | None
    terms: PriceTerms


class Price(Struct, frozen=True):
    """A price under one of its revisions. The id stays for life.

    `created_at` is the price's, `updated_at` the revision's.
    """

    id: PriceId
    plan_id: PlanId
    revision: int
    terms: PriceTerms
    created_at: datetime
    updated_at: datetime


class PriceRevision(Struct, frozen=True):
    """What a price became by a revision of its plan; `position` orders the plan's prices."""

    price: Price
    plan_revision: int
    position: int
    removed: bool

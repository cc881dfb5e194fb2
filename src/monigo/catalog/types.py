"""Metrics, plans and prices: what is measured and what it costs."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from monigo.core.aggregation import Aggregation
from monigo.core.ids import MetricId, PlanId, PriceId
from monigo.core.periods import BillingPeriod
from monigo.core.pricing import PriceModel


class PlanType(StrEnum):
    """Which way the money goes: from the customer, or to it."""

    COLLECTION = "collection"
    PAYOUT = "payout"


class BillingMode(StrEnum):
    """When usage is paid for."""

    POSTPAID = "postpaid"
    PREPAID = "prepaid"
    REALTIME = "realtime"


@dataclass(frozen=True, slots=True)
class MetricFilter:
    """A condition on one property; events that fail it are not counted.

    `value` is a JSON value, a list for `in` and `not in`, None for `exists`.
    """

    property: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """How events become a quantity.

    With `group_by`, a count or sum is also told for each value of that property.
    """

    name: str
    event_name: str
    aggregation: Aggregation
    aggregation_property: str
    description: str
    filters: tuple[MetricFilter, ...] = ()
    group_by: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as stored. Its version rises with each change of how events are counted."""

    id: MetricId
    definition: MetricDefinition
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """What one metric's usage costs. `model_name` is the model's name as the client wrote it."""

    metric_id: MetricId
    model: PriceModel
    model_name: str


@dataclass(frozen=True, slots=True)
class PriceDraft:
    """A price as asked for: with the id of the one it revises, or as a new one."""

    id: PriceId | None
    terms: PriceTerms


@dataclass(frozen=True, slots=True)
class Price:
    """A price under its present revision. The id stays for life."""

    id: PriceId
    plan_id: PlanId
    revision: int
    terms: PriceTerms
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class PlanDetails:
    """What the merchant says of a plan."""

    name: str
    description: str
    currency: str
    plan_type: PlanType
    billing_period: BillingPeriod
    billing_mode: BillingMode
    trial_period_days: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan with its present prices."""

    id: PlanId
    details: PlanDetails
    prices: tuple[Price, ...]
    created_at: datetime
    updated_at: datetime

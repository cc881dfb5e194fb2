"""Metrics, plans and prices: what is measured and what it costs."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from monigo.core.aggregation import Aggregation
from monigo.core.ids import CustomerId, MetricId, PlanId, PriceId, PriceOverrideId
from monigo.core.periods import BillingPeriod
from monigo.core.pricing import Charge, PriceModel

# When a plan's first revision takes effect: before everything.
BEGINNING = datetime.min.replace(tzinfo=UTC)


class PlanType(StrEnum):
    """Which way the money goes: from the customer, or to it."""

    COLLECTION = "collection"
    PAYOUT = "payout"


class BillingMode(StrEnum):
    """When usage is paid for."""

    POSTPAID = "postpaid"
    PREPAID = "prepaid"
    REALTIME = "realtime"


class ApplyTo(StrEnum):
    """Whose periods an edit of a plan's prices or base fee counts for."""

    ALL = "all"  # all that end after the edit
    NEXT_PERIOD = "next_period"  # those that start after the edit
    NEW = "new"  # those of subscriptions made since


class MetricFilter(Struct, frozen=True):
    """A condition on one property; events that fail it are not counted.

    `value` is a JSON value, a list for `in` and `not in`, None for `exists`.
    """

    property: str
    operator: str
    value: Any


class MetricDefinition(Struct, frozen=True):
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


class Metric(Struct, frozen=True):
    """A metric as stored. Its version rises with each change of how events are counted."""

    id: MetricId
    definition: MetricDefinition
    version: int
    created_at: datetime
    updated_at: datetime


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


class PlanDetails(Struct, frozen=True):
    """What the merchant says of a plan."""

    name: str
    description: str
    currency: str
    plan_type: PlanType
    billing_period: BillingPeriod
    billing_mode: BillingMode
    trial_period_days: int


class BaseFee(Struct, frozen=True):
    """What a plan costs per period, whatever is used: on the closing invoice, or one earlier."""

    amount: Decimal = Decimal(0)
    in_advance: bool = False


NO_BASE_FEE = BaseFee()


class Plan(Struct, frozen=True):
    """A plan with its present prices and base fee, under its latest revision."""

    id: PlanId
    details: PlanDetails
    revision: int
    base_fee: BaseFee
    prices: tuple[Price, ...]
    created_at: datetime
    updated_at: datetime


class PlanChanges(Struct, frozen=True):
    """An edit of a plan; None leaves what it is of.

    `details` are fields of PlanDetails. `prices` is the whole new list.
    """

    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    prices: Sequence[PriceDraft] | None = None
    base_fee: Decimal | None = None
    in_advance: bool | None = None
    apply_to: ApplyTo = ApplyTo.ALL


class PlanRevision(Struct, frozen=True):
    """An edit of a plan's prices or base fee. The first takes effect at the BEGINNING."""

    revision: int
    apply_to: ApplyTo
    effective_at: datetime
    base_fee: BaseFee
    created_at: datetime


class PriceRevision(Struct, frozen=True):
    """What a price became by a revision of its plan; `position` orders the plan's prices."""

    price: Price
    plan_revision: int
    position: int
    removed: bool


class PlanHistory(Struct, frozen=True):
    """A plan and all its revisions, in their order."""

    details: PlanDetails
    revisions: tuple[PlanRevision, ...]
    price_revisions: tuple[PriceRevision, ...]


class AgreedTerms(Struct, frozen=True):
    """What a subscription's period is billed by; prices in the plan's order.

    `base_fee_revision` is the one that made the fee what it is.
    """

    plan_revision: int
    base_fee: BaseFee
    base_fee_revision: int
    prices: tuple[Price, ...]


class OverrideTerms(Struct, frozen=True):
    """A model in place of a price's own, from `valid_from` up to, not including, `valid_until`.

    None: without end. `model_name` is the model's name as the client wrote it.
    """

    model: PriceModel
    model_name: str
    valid_from: datetime
    valid_until: datetime | None


class NewOverride(Struct, frozen=True):
    """An override as asked for; the customer by id or external_id."""

    customer: str
    price: str
    model: PriceModel
    model_name: str
    valid_from: datetime | None
    valid_until: datetime | None


class OverrideChanges(Struct, frozen=True):
    """An edit of an override, the model as the client wrote it; None leaves what it is of."""

    model_name: str | None = None
    unit_price: object = None
    tiers: object = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None


class OverrideFilter(Struct, frozen=True):
    """Which overrides are asked for; None: all of them."""

    customer_id: CustomerId | None
    price_id: UUID | None


class PriceOverride(Struct, frozen=True):
    """What one customer pays in place of a price's own model; fee and bounds stay the price's."""

    id: PriceOverrideId
    customer_id: CustomerId
    price_id: PriceId
    model: PriceModel
    model_name: str
    valid_from: datetime
    valid_until: datetime | None
    created_at: datetime
    updated_at: datetime


class MetricDeletion(Struct, frozen=True):
    """The question whether a locked metric may be deleted."""

    metric_id: MetricId


class PlanDeletion(Struct, frozen=True):
    """The question whether a locked plan may be deleted."""

    plan_id: PlanId


class PlanTermsChange(Struct, frozen=True):
    """The question whether the terms of a locked plan may change that subscribers rely on."""

    plan_id: PlanId

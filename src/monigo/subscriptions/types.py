"""Subscriptions: who is on which plan, and when that is billed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monigo.catalog import PlanType
from monigo.core.ids import CustomerId, MetricId, PlanId, SubscriptionId
from monigo.core.periods import BillingAnchor, BillingPeriod, Period
from monigo.metering import Usage


class Status(StrEnum):
    """Where a subscription stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    CANCELED = "canceled"
    SUSPENDED = "suspended"


class PauseReason(StrEnum):
    """Who or what stopped the billing."""

    MERCHANT = "merchant"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    DUNNING = "dunning"


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """What the merchant asks for. Without `start_date` it starts now."""

    customer: str
    plan: str
    billing_anchor: BillingAnchor
    start_date: datetime | None
    end_date: datetime | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as stored. `anchor_at` is where its regular periods begin."""

    id: SubscriptionId
    customer_id: CustomerId
    plan_id: PlanId
    plan_type: PlanType
    status: Status
    pause_reason: PauseReason | None
    timezone: str
    billing_period: BillingPeriod
    billing_anchor: BillingAnchor
    anchor_at: datetime
    start_date: datetime
    end_date: datetime | None
    trial_ends_at: datetime | None
    canceled_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SubscriptionFilter:
    """Which subscriptions to list; None means any."""

    customer: str | None = None
    plan: str | None = None
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class UsageRollup:
    """One customer's usage of one metric in one billing period.

    `billable` leaves out what was used while the subscription was paused.
    """

    customer_id: CustomerId
    metric_id: MetricId
    period: Period
    aggregation: str
    usage: Usage
    billable: Usage


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Which rollups to read: of whom, of what, with `period_start` in `[start, end)`."""

    customer: str | None
    metric: str | None
    start: datetime | None
    end: datetime | None

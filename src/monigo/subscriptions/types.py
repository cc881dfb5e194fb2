"""Subscriptions: who is on which plan, and when that is billed."""

from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct

from monigo.catalog import PlanType
from monigo.core.ids import CustomerId, PlanId, SubscriptionId
from monigo.core.periods import BillingAnchor, BillingPeriod


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


class NewSubscription(Struct, frozen=True):
    """What the merchant asks for.

    Without `start_date` it begins at the start of the current hour of its own time zone. With
    `trial_period_days` the trial has that many days instead of the plan's; 0: no trial.
    """

    customer: str
    plan: str
    billing_anchor: BillingAnchor
    start_date: datetime | None
    end_date: datetime | None
    trial_period_days: int | None = None


class Phase(Struct, frozen=True):
    """A stretch of a subscription's life on one plan; its regular periods begin at `anchor_at`.

    `agreed_at` is when it was put on the plan: later than `started_at` where it was backdated, if
    only to the start of the hour, and earlier where it was made for a later start.
    `agreed_revision` is the plan's revision that stood then.
    """

    plan_id: PlanId
    billing_period: BillingPeriod
    anchor_at: datetime
    started_at: datetime
    agreed_at: datetime
    agreed_revision: int


class Subscription(Struct, frozen=True):
    """A subscription as stored.

    `phase` is the stretch on its present plan, and `past_phases` are those on the plans before, in
    order. All periods that end at `closed_until` or before are closed. `recheck_from`: closed
    periods that end after it are to be looked at again with the next one, or soon where none comes.
    `late_usage_checked_at` is when, by the machine's clock, closed periods were last checked for
    usage that came in late. `billing_error` says why a period could not be closed; empty where
    nothing is wrong. `trial_plan_id` is the plan whose trial it began with. With
    `cancel_at_period_end` it ends at `cancel_at`, the end of the period that ran when the flag was
    set. From `scheduled_at` on, the end of a period, it is to be on the plan `scheduled_plan_id`.
    """

    id: SubscriptionId
    customer_id: CustomerId
    phase: Phase
    past_phases: tuple[Phase, ...]
    plan_type: PlanType
    status: Status
    pause_reason: PauseReason | None
    timezone: str
    billing_anchor: BillingAnchor
    start_date: datetime
    end_date: datetime | None
    trial_ends_at: datetime | None
    trial_plan_id: PlanId | None
    cancel_at_period_end: bool
    cancel_at: datetime | None
    scheduled_plan_id: PlanId | None
    scheduled_at: datetime | None
    canceled_at: datetime | None
    closed_until: datetime
    recheck_from: datetime | None
    late_usage_checked_at: datetime
    billing_error: str
    created_at: datetime
    updated_at: datetime

    @property
    def plan_id(self) -> PlanId:
        """The plan that it is on now."""
        return self.phase.plan_id


class SubscriptionFilter(Struct, frozen=True):
    """Which subscriptions to list; None means any."""

    customer: str | None = None
    plan: str | None = None
    status: Status | None = None


# The end of an open pause; the last instant there is.
FOREVER = datetime.max.replace(tzinfo=UTC)

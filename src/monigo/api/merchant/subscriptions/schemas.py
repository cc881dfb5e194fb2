"""Subscriptions on the wire."""

from enum import StrEnum
from typing import Annotated, Self

from msgspec import Meta
from pydantic import BeforeValidator, Field

from monigo import catalog, subscriptions
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.wire.incoming import (
    CANCELED,
    Incoming,
    InstantIn,
    Name,
    Whole,
    also_spelled,
    empty_as_none,
)
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing
from monigo.core.ids import CustomerId, OrganizationId, PlanId, SubscriptionId
from monigo.core.periods import BillingAnchor
from monigo.infra.db import Transaction
from monigo.subscriptions import Status, Subscription


class SubscriptionIn(Incoming):
    """Who is to be on which plan.

    Without `start_date` it begins at the start of the current hour of its own time zone, but not
    before the last instant that another subscription of the plan's type may bill.
    """

    customer_id: Name = Field(examples=["driver-42"], description="UUID or external_id")
    plan_id: Name = Field(examples=["0197b3c0-0000-7000-8000-000000000000"])
    billing_anchor: Annotated[BillingAnchor | None, BeforeValidator(empty_as_none)] = None
    start_date: InstantIn = None
    end_date: InstantIn = None
    trial_period_days: Whole | None = Field(
        default=None,
        ge=0,
        le=catalog.TRIAL_DAYS_MAX,
        description="a trial of so many days in place of the plan's; 0: none",
    )


class ApplyAt(StrEnum):
    """When a new plan begins."""

    NOW = "now"
    PERIOD_END = "period_end"


class SubscriptionChangeIn(Incoming):
    """One change of a subscription: its status, its plan, or whether it ends with its period.

    With `apply_at` `period_end` the plan changes as the running period ends; then a `plan_id` of
    null takes that back.
    """

    status: Annotated[Status | None, also_spelled(CANCELED)] = Field(
        default=None, examples=["paused"]
    )
    plan_id: Name | None = None
    apply_at: Annotated[ApplyAt | None, BeforeValidator(empty_as_none)] = None
    cancel_at_period_end: bool | None = None

    def withdraws_plan_change(self) -> bool:
        """Whether it takes back a change of plan."""
        is_of_period_end = self.apply_at is ApplyAt.PERIOD_END
        return is_of_period_end and "plan_id" in self.model_fields_set and self.plan_id is None


class SubscriptionOut(Outgoing, frozen=True):
    """A subscription and its present billing period."""

    id: SubscriptionId
    org_id: OrganizationId
    customer_id: CustomerId
    plan_id: PlanId
    status: Status
    current_period_start: Instant
    current_period_end: Instant
    trial_ends_at: Instant | None
    billing_anchor: str
    timezone: str
    start_date: Instant
    end_date: Instant | None
    cancel_at_period_end: bool
    cancel_at: Annotated[
        Instant | None, Meta(description="when it ends with its period; null: it does not")
    ]
    scheduled_plan_id: Annotated[
        PlanId | None, Meta(description="the plan that it is to change to")
    ]
    scheduled_at: Instant | None
    canceled_at: Instant | None
    billing_error: Annotated[
        str, Meta(description="why a period could not be billed; mostly empty")
    ]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, subscription: Subscription) -> Self:
        """The wire form, as of now."""
        period = subscriptions.current_period(subscription, tx.now)
        return cls(
            id=subscription.id,
            org_id=tx.org_id,
            customer_id=subscription.customer_id,
            plan_id=subscription.plan_id,
            status=subscription.status,
            current_period_start=period.start,
            current_period_end=period.end,
            trial_ends_at=subscription.trial_ends_at,
            billing_anchor=subscription.billing_anchor.value,
            timezone=subscription.timezone,
            start_date=subscription.start_date,
            end_date=subscription.end_date,
            cancel_at_period_end=subscription.cancel_at_period_end,
            cancel_at=subscription.cancel_at,
            scheduled_plan_id=subscription.scheduled_plan_id,
            scheduled_at=subscription.scheduled_at,
            canceled_at=subscription.canceled_at,
            billing_error=subscription.billing_error,
            created_at=subscription.created_at,
            updated_at=subscription.updated_at,
        )


class SubscriptionEnvelope(Outgoing, frozen=True):
    """One subscription."""

    subscription: SubscriptionOut


class SubscriptionList(ListEnvelope, frozen=True):
    """Subscriptions, newest first."""

    subscriptions: list[SubscriptionOut]


class TimelineEntryOut(Outgoing, frozen=True):
    """Something that happened; `detail` is the reason of a pause, or a plan's id."""

    happened_at: Instant
    event: str
    detail: str


class Timeline(Outgoing, frozen=True):
    """A subscription's life so far."""

    timeline: list[TimelineEntryOut]
    count: int


SUBSCRIPTION = Changes("subscription", Subscription, SubscriptionOut.of)

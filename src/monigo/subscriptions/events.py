"""The facts of subscriptions."""

from datetime import datetime
from typing import TypeVar

from monigo.core.ids import CustomerId, PlanId, SubscriptionId
from monigo.infra import outbox
from monigo.infra.db import Transaction
from monigo.infra.outbox import Fact
from monigo.subscriptions.types import PauseReason, Status, Subscription


class SubscriptionFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a subscription; its plan and status are those after it."""

    subject = "subscription"
    subject_field = "subscription_id"
    subscription_id: SubscriptionId
    customer_id: CustomerId
    plan_id: PlanId
    status: Status


class SubscriptionCreated(SubscriptionFact, frozen=True, kw_only=True):
    """A customer was put on a plan."""


class SubscriptionPaused(SubscriptionFact, frozen=True, kw_only=True):
    """Billing stops; `is_realtime` where a balance is exhausted that usage is charged to."""

    reason: PauseReason
    is_realtime: bool = False


class SubscriptionSuspended(SubscriptionFact, frozen=True, kw_only=True):
    """Billing stops, because what is owed could not be collected."""


class SubscriptionResumed(SubscriptionFact, frozen=True, kw_only=True):
    """Billing goes on."""


class SubscriptionPlanChanged(SubscriptionFact, frozen=True, kw_only=True):
    """A subscription is on another plan from now on."""

    plan_id_before: PlanId


class SubscriptionPlanChangeScheduled(SubscriptionFact, frozen=True, kw_only=True):
    """A subscription is to be on another plan as its period ends."""

    scheduled_plan_id: PlanId
    scheduled_at: datetime


class SubscriptionPlanChangeWithdrawn(SubscriptionFact, frozen=True, kw_only=True):
    """A change of plan that was to come is dropped."""

    scheduled_plan_id: PlanId


class SubscriptionCancelScheduled(SubscriptionFact, frozen=True, kw_only=True):
    """A subscription is to end with its period."""

    cancel_at: datetime


class SubscriptionCancelWithdrawn(SubscriptionFact, frozen=True, kw_only=True):
    """An end that was to come is dropped."""


class SubscriptionCanceled(SubscriptionFact, frozen=True, kw_only=True):
    """A subscription ended."""

    canceled_at: datetime


class SubscriptionDeleted(SubscriptionFact, frozen=True, kw_only=True):
    """An ended subscription was taken off the lists."""


Reported = TypeVar("Reported", bound=SubscriptionFact)


async def report(
    tx: Transaction, fact_type: type[Reported], subscription: Subscription, **details: object
) -> None:
    """Report a fact of a locked subscription, as it is after it."""
    fact = fact_type(
        subscription_id=subscription.id,
        customer_id=subscription.customer_id,
        plan_id=subscription.plan_id,
        status=subscription.status,
        **details,  # pyright: ignore[reportArgumentType] - the fact's own fields
    )
    await outbox.emit(tx, [fact])

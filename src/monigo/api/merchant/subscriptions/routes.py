"""Routes of subscriptions."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, Field

from monigo import catalog, invoicing, subscriptions
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.fields import (
    CANCELED,
    Id,
    Incoming,
    Instant,
    InstantIn,
    ListEnvelope,
    Message,
    Name,
    Outgoing,
    Whole,
    also_spelled,
    empty_as_none,
)
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.invoices.routes import UpcomingInvoiceEnvelope
from monigo.core.errors import invalid
from monigo.core.ids import CustomerId, OrganizationId, PlanId, SubscriptionId, parse_id
from monigo.core.periods import BillingAnchor
from monigo.core.permissions import Permission
from monigo.infra.db import Transaction
from monigo.subscriptions import NewSubscription, Status, Subscription, SubscriptionFilter

router = APIRouter(route_class=TenantRoute, tags=["subscriptions"])

StatusQuery = Annotated[Status | None, also_spelled(CANCELED)]


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


class SubscriptionOut(Outgoing):
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
    cancel_at: Instant | None = Field(description="when it ends with its period; null: it does not")
    scheduled_plan_id: PlanId | None = Field(description="the plan that it is to change to")
    scheduled_at: Instant | None
    canceled_at: Instant | None
    billing_error: str = Field(description="why a period could not be billed; mostly empty")
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


class SubscriptionEnvelope(Outgoing):
    """One subscription."""

    subscription: SubscriptionOut


class SubscriptionList(ListEnvelope):
    """Subscriptions, newest first."""

    subscriptions: list[SubscriptionOut]


class TimelineEntryOut(Outgoing):
    """Something that happened; `detail` is the reason of a pause, or a plan's id."""

    happened_at: Instant
    happening: str
    detail: str


class Timeline(Outgoing):
    """A subscription's life so far."""

    timeline: list[TimelineEntryOut]
    count: int


@router.post("/subscriptions", status_code=201)
@atomic(Permission.SUBSCRIPTIONS_WRITE)
async def create_subscription(tx: Tx, body: SubscriptionIn) -> SubscriptionEnvelope:
    """Put a customer on a plan; one active subscription per customer and plan type."""
    subscription = await invoicing.subscribe(
        tx,
        NewSubscription(
            customer=body.customer_id,
            plan=body.plan_id,
            billing_anchor=body.billing_anchor or BillingAnchor.SUBSCRIPTION_START,
            start_date=body.start_date,
            end_date=body.end_date,
            trial_period_days=body.trial_period_days,
        ),
    )
    return SubscriptionEnvelope(subscription=SubscriptionOut.of(tx, subscription))


@router.get("/subscriptions", response_model=SubscriptionList)
@atomic(Permission.SUBSCRIPTIONS_READ)
async def list_subscriptions(
    tx: Tx,
    paging: Paging,
    customer_id: Annotated[Name | None, Query()] = None,
    plan_id: Annotated[Name | None, Query()] = None,
    status: Annotated[StatusQuery, Query()] = None,
) -> ListResponse:
    """List subscriptions, newest first."""
    wanted = SubscriptionFilter(customer_id or None, plan_id or None, status)
    page = await subscriptions.list_page(tx, paging, wanted)
    return ListResponse("subscriptions", page, lambda item: SubscriptionOut.of(tx, item))


@router.get("/subscriptions/{subscription_id}")
@atomic(Permission.SUBSCRIPTIONS_READ)
async def get_subscription(tx: Tx, subscription_id: Id) -> SubscriptionEnvelope:
    """Read a subscription."""
    subscription = await subscriptions.get(tx, subscription_id)
    return SubscriptionEnvelope(subscription=SubscriptionOut.of(tx, subscription))


@router.patch("/subscriptions/{subscription_id}")
@atomic(Permission.SUBSCRIPTIONS_WRITE)
async def update_subscription(
    tx: Tx, subscription_id: Id, body: SubscriptionChangeIn
) -> SubscriptionEnvelope:
    """Pause, resume or cancel, now or with the period; or go on under another plan, likewise.

    Canceling and changing the plan at once invoice what was used so far.
    """
    changes = body.given("status", "plan_id", "cancel_at_period_end")
    withdraws = body.withdraws_plan_change()
    if len(changes) + withdraws != 1:
        fault = "send one of status, plan_id and cancel_at_period_end"
        raise invalid(dict.fromkeys(changes or ["status"], fault))
    if body.apply_at is not None and not (withdraws or "plan_id" in changes):
        raise invalid({"apply_at": "goes with plan_id"})
    if body.plan_id is not None or withdraws:
        subscription = await _with_plan(tx, subscription_id, body)
    elif body.cancel_at_period_end is not None:
        subscription = await invoicing.schedule_cancel(
            tx, subscription_id, wanted=body.cancel_at_period_end
        )
    else:
        subscription = await _with_status(tx, subscription_id, body.status)
    return SubscriptionEnvelope(subscription=SubscriptionOut.of(tx, subscription))


async def _with_plan(
    tx: Transaction, subscription_id: UUID, body: SubscriptionChangeIn
) -> Subscription:
    if body.plan_id is None:
        return await invoicing.schedule_plan_change(tx, subscription_id, None)
    plan_id = parse_id(body.plan_id)
    if plan_id is None:
        raise invalid({"plan_id": "must be a UUID"})
    if body.apply_at is ApplyAt.PERIOD_END:
        return await invoicing.schedule_plan_change(tx, subscription_id, plan_id)
    return await invoicing.change_plan(tx, subscription_id, plan_id)


async def _with_status(
    tx: Transaction, subscription_id: UUID, status: Status | None
) -> Subscription:
    match status:
        case Status.ACTIVE:
            return await invoicing.resume_subscription(tx, subscription_id)
        case Status.PAUSED:
            return await subscriptions.pause(tx, subscription_id)
        case Status.CANCELED:
            return await invoicing.cancel_subscription(tx, subscription_id)
        case _:
            raise invalid({"status": "must be active, paused or canceled"})


@router.get("/subscriptions/{subscription_id}/timeline")
@atomic(Permission.SUBSCRIPTIONS_READ)
async def get_subscription_timeline(tx: Tx, subscription_id: Id) -> Timeline:
    """Tell what happened to a subscription, in order."""
    entries = await subscriptions.timeline(tx, subscription_id)
    return Timeline(
        timeline=[
            TimelineEntryOut(
                happened_at=entry.happened_at, happening=entry.event, detail=entry.detail
            )
            for entry in entries
        ],
        count=len(entries),
    )


@router.get("/subscriptions/{subscription_id}/upcoming-invoice")
@atomic(Permission.SUBSCRIPTIONS_READ)
async def preview_invoice(tx: Tx, subscription_id: Id) -> UpcomingInvoiceEnvelope:
    """Preview the invoice that would close the running period if nothing more were used."""
    return UpcomingInvoiceEnvelope.of(await invoicing.preview(tx, subscription_id))


@router.delete("/subscriptions/{subscription_id}")
@atomic(Permission.SUBSCRIPTIONS_WRITE)
async def delete_subscription(tx: Tx, subscription_id: Id) -> Message:
    """Cancel a subscription and take it off the lists; its history stays."""
    await invoicing.delete_subscription(tx, subscription_id)
    return Message(message="subscription deleted")

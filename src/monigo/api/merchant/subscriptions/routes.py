"""Routes of subscriptions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from monigo import invoicing, subscriptions
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import CANCELED, Id, Name, also_spelled
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.invoices.schemas import UpcomingInvoiceEnvelope
from monigo.api.merchant.subscriptions.schemas import (
    SUBSCRIPTION,
    ApplyAt,
    SubscriptionChangeIn,
    SubscriptionEnvelope,
    SubscriptionIn,
    SubscriptionList,
    SubscriptionOut,
    Timeline,
    TimelineEntryOut,
)
from monigo.core.access import Permission
from monigo.core.errors import invalid
from monigo.core.ids import parse_id
from monigo.core.periods import BillingAnchor
from monigo.infra.db import Transaction
from monigo.subscriptions import NewSubscription, Status, Subscription, SubscriptionFilter

router = APIRouter(route_class=TenantRoute, tags=["subscriptions"])

StatusQuery = Annotated[Status | None, also_spelled(CANCELED)]


@router.post("/subscriptions", status_code=201)
@atomic(Permission.SUBSCRIPTIONS_WRITE, changes=SUBSCRIPTION)
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
@atomic(Permission.SUBSCRIPTIONS_WRITE, changes=SUBSCRIPTION)
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
    """List the events of a subscription's timeline, oldest first."""
    entries = await subscriptions.read_timeline(tx, subscription_id)
    return Timeline(
        timeline=[
            TimelineEntryOut(happened_at=entry.happened_at, event=entry.event, detail=entry.detail)
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
@atomic(Permission.SUBSCRIPTIONS_WRITE, changes=SUBSCRIPTION)
async def delete_subscription(tx: Tx, subscription_id: Id) -> Message:
    """Cancel a subscription and take it off the lists; its history stays."""
    await invoicing.delete_subscription(tx, subscription_id)
    return Message(message="subscription deleted")

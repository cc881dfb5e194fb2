"""Routes of a customer's own subscriptions."""

from uuid import UUID

from fastapi import APIRouter

from monigo import catalog, invoicing, subscriptions
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.merchant.subscriptions.schemas import SUBSCRIPTION
from monigo.api.portal.paging import PortalPaging, head_of
from monigo.api.portal.routing import PortalRoute, check_own, own_customer
from monigo.api.portal.subscriptions.schemas import (
    PortalSubscriptionEnvelope,
    PortalSubscriptionList,
    PortalSubscriptionOut,
)
from monigo.core.access import Permission
from monigo.core.errors import DomainError, ErrorKind
from monigo.core.paging import PageRequest, page_of
from monigo.core.times import format_instant
from monigo.infra.db import Transaction
from monigo.invoicing import RatedInvoice
from monigo.subscriptions import Status, Subscription, SubscriptionFilter

# A customer has a few: one of each type of plan at a time.
EVERYTHING = PageRequest()

router = APIRouter(route_class=PortalRoute, tags=["portal"], prefix="/subscriptions")


async def _own(tx: Transaction, subscription_id: UUID) -> Subscription:
    """One of the customer's own. Raises not_found."""
    subscription = await subscriptions.get(tx, subscription_id)
    check_own(tx, subscription.customer_id, "subscription")
    return subscription


async def _shown(tx: Transaction, subscription: Subscription) -> PortalSubscriptionOut:
    plans = await catalog.get_plans(tx, [subscription.plan_id])
    rated = await _so_far(tx, subscription)
    metric_ids = {line.metric_id for line in rated.lines if line.metric_id} if rated else ()
    metrics = await catalog.get_metrics(tx, metric_ids)
    return PortalSubscriptionOut.of(tx, subscription, plans[subscription.plan_id], rated, metrics)


async def _so_far(tx: Transaction, subscription: Subscription) -> RatedInvoice | None:
    """What the running period has come to; None before it begins, and in a trial."""
    try:
        return await invoicing.preview(tx, subscription.id)
    except DomainError as error:
        if error.kind is not ErrorKind.CONFLICT:
            raise
        return None


@router.get("", response_model=PortalSubscriptionList)
@atomic(Permission.PORTAL_READ)
async def list_own_subscriptions(tx: Tx, paging: PortalPaging) -> ListResponse:
    """List the customer's subscriptions that have not ended, with what they have come to so far."""
    wanted = SubscriptionFilter(customer=str(own_customer(tx)))
    found = (await subscriptions.list_page(tx, EVERYTHING, wanted)).items
    page = page_of([one for one in found if one.status is not Status.CANCELED], paging)
    shown = {one.id: await _shown(tx, one) for one in page.items}
    return ListResponse("subscriptions", page, lambda one: shown[one.id], head=head_of(page))


@router.get("/{subscription_id}")
@atomic(Permission.PORTAL_READ)
async def get_own_subscription(tx: Tx, subscription_id: Id) -> PortalSubscriptionEnvelope:
    """Read one of the customer's subscriptions, with what it has come to so far."""
    subscription = await _own(tx, subscription_id)
    return PortalSubscriptionEnvelope(subscription=await _shown(tx, subscription))


@router.post("/{subscription_id}/cancel")
@atomic(Permission.PORTAL_CANCEL, changes=SUBSCRIPTION)
async def cancel_own_subscription(tx: Tx, subscription_id: Id) -> Message:
    """Have the subscription end with its running period, which is billed as ever. No body."""
    subscription = await _own(tx, subscription_id)
    ending = await invoicing.schedule_cancel(tx, subscription.id, wanted=True)
    at = ending.cancel_at or ending.canceled_at or tx.now
    return Message(message=f"the subscription ends at {format_instant(at)}")

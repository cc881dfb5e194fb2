"""Routes of webhook endpoints, and of the log of what was delivered to them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from monigo import webhooks
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.webhooks.schemas import (
    WEBHOOK_DELIVERY,
    WEBHOOK_ENDPOINT,
    DeliveryEnvelope,
    DeliveryList,
    DeliveryOut,
    EndpointEnvelope,
    EndpointIn,
    EndpointList,
    EndpointOut,
    EndpointUpdate,
)
from monigo.bootstrap import Services
from monigo.core.access import Permission
from monigo.webhooks import Webhooks

router = APIRouter(route_class=TenantRoute, tags=["webhooks"])


# Async, because FastAPI sends plain functions to a thread.
async def _webhooks(request: Request) -> Webhooks:
    services: Services = request.app.state.services
    return services.webhooks


Desk = Annotated[Webhooks, Depends(_webhooks)]


@router.get("/webhook-endpoints", response_model=EndpointList)
@atomic(Permission.WEBHOOK_ENDPOINTS_READ)
async def list_webhook_endpoints(tx: Tx, paging: Paging) -> ListResponse:
    """List the endpoints of this mode, newest first."""
    page = await webhooks.endpoints.list_page(tx, paging)
    return ListResponse("webhook_endpoints", page, lambda one: EndpointOut.of(tx, one))


@router.post("/webhook-endpoints", status_code=201)
@atomic(Permission.WEBHOOK_ENDPOINTS_WRITE, changes=WEBHOOK_ENDPOINT, has_secret=True)
async def create_webhook_endpoint(tx: Tx, desk: Desk, body: EndpointIn) -> EndpointEnvelope:
    """Have events sent to a URL from now on. The secret that signs them is shown once."""
    issued = await webhooks.endpoints.create(tx, desk.vault, desk.outward, body.changes())
    return EndpointEnvelope(webhook_endpoint=EndpointOut.of_issued(tx, issued))


@router.get("/webhook-endpoints/{webhook_endpoint_id}")
@atomic(Permission.WEBHOOK_ENDPOINTS_READ)
async def get_webhook_endpoint(tx: Tx, webhook_endpoint_id: Id) -> EndpointEnvelope:
    """Read an endpoint; its secret is not shown."""
    endpoint = await webhooks.endpoints.get(tx, webhook_endpoint_id)
    return EndpointEnvelope(webhook_endpoint=EndpointOut.of(tx, endpoint))


@router.put("/webhook-endpoints/{webhook_endpoint_id}")
@atomic(Permission.WEBHOOK_ENDPOINTS_WRITE, changes=WEBHOOK_ENDPOINT)
async def update_webhook_endpoint(
    tx: Tx, desk: Desk, webhook_endpoint_id: Id, body: EndpointUpdate
) -> EndpointEnvelope:
    """Change what is sent. A disabled endpoint gets none of the events of that time."""
    endpoint = await webhooks.endpoints.change(
        tx, desk.vault, desk.outward, webhook_endpoint_id, body.changes()
    )
    return EndpointEnvelope(webhook_endpoint=EndpointOut.of(tx, endpoint))


@router.delete("/webhook-endpoints/{webhook_endpoint_id}")
@atomic(Permission.WEBHOOK_ENDPOINTS_WRITE, changes=WEBHOOK_ENDPOINT)
async def delete_webhook_endpoint(tx: Tx, webhook_endpoint_id: Id) -> Message:
    """Delete an endpoint and its secret. What was delivered to it stays in the log for its time."""
    await webhooks.endpoints.delete(tx, webhook_endpoint_id)
    return Message(message="webhook endpoint deleted")


@router.post("/webhook-endpoints/{webhook_endpoint_id}/rotate-secret")
@atomic(Permission.WEBHOOK_ENDPOINTS_WRITE, changes=WEBHOOK_ENDPOINT, has_secret=True)
async def rotate_webhook_secret(tx: Tx, desk: Desk, webhook_endpoint_id: Id) -> EndpointEnvelope:
    """Make a new secret, which is shown once; the one before signs, too, for 72 hours more."""
    issued = await webhooks.endpoints.rotate(tx, desk.vault, webhook_endpoint_id)
    return EndpointEnvelope(webhook_endpoint=EndpointOut.of_issued(tx, issued))


@router.post("/webhook-endpoints/{webhook_endpoint_id}/test", status_code=201)
@atomic(Permission.WEBHOOK_ENDPOINTS_WRITE, changes=WEBHOOK_DELIVERY)
async def test_webhook_endpoint(tx: Tx, webhook_endpoint_id: Id) -> DeliveryEnvelope:
    """Send an event of the type `webhook.test`; 409 where the endpoint is disabled."""
    delivery = await webhooks.deliveries.send_test(tx, webhook_endpoint_id)
    return DeliveryEnvelope(delivery_log=DeliveryOut.whole(tx, delivery))


@router.get("/webhook-delivery-logs", response_model=DeliveryList)
@atomic(Permission.WEBHOOK_ENDPOINTS_READ)
async def list_webhook_deliveries(
    tx: Tx, paging: Paging, endpoint_id: Annotated[Id | None, Query()] = None
) -> ListResponse:
    """List what was delivered in the last thirty days, or is on its way, newest first."""
    page = await webhooks.deliveries.list_page(tx, endpoint_id, paging)
    return ListResponse("delivery_logs", page, lambda one: DeliveryOut.of(tx, one))


@router.get("/webhook-delivery-logs/{webhook_delivery_id}")
@atomic(Permission.WEBHOOK_ENDPOINTS_READ)
async def get_webhook_delivery(tx: Tx, webhook_delivery_id: Id) -> DeliveryEnvelope:
    """Read a delivery with all its attempts."""
    delivery = await webhooks.deliveries.get(tx, webhook_delivery_id)
    return DeliveryEnvelope(delivery_log=DeliveryOut.whole(tx, delivery))


@router.post("/webhook-delivery-logs/{webhook_delivery_id}/retry", status_code=201)
@atomic(Permission.WEBHOOK_ENDPOINTS_WRITE, changes=WEBHOOK_DELIVERY)
async def retry_webhook_delivery(tx: Tx, webhook_delivery_id: Id) -> DeliveryEnvelope:
    """Send an event again at once, under its id and in a log of its own.

    One that waits for its next attempt is only sent earlier. 409 where the endpoint is disabled.
    """
    delivery = await webhooks.deliveries.retry(tx, webhook_delivery_id)
    return DeliveryEnvelope(delivery_log=DeliveryOut.whole(tx, delivery))

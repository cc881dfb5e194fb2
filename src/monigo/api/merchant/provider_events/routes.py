"""Routes of provider events: the log of a connection, and the inbox of money that fits nothing."""

from typing import Annotated

from fastapi import APIRouter, Query
from msgspec import Struct
from starlette.responses import Response

from monigo import invoicing, wallets
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import Outside, atomic, staged
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Answer
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.provider_events.schemas import (
    EventRefundEnvelope,
    EventRefundOut,
    IgnoreIn,
    MatchIn,
    ProviderEventEnvelope,
    ProviderEventList,
    ProviderEventOut,
    RefundEventIn,
)
from monigo.core.access import Permission
from monigo.core.errors import invalid
from monigo.core.ids import ProviderEventId, RefundId
from monigo.infra.db import Transaction
from monigo.payments import connections, events, refunds
from monigo.payments.events import ProviderEvent, Use
from monigo.payments.refunds import Refund

router = APIRouter(route_class=TenantRoute, tags=["provider events"])

PROVIDER_EVENT = Changes(
    "provider_event", ProviderEvent, lambda _tx, event: ProviderEventOut.of(event)
)


@router.get("/payment-connections/{connection_id}/events", response_model=ProviderEventList)
@atomic(Permission.PROVIDER_EVENTS_READ)
async def list_connection_events(tx: Tx, connection_id: Id, paging: Paging) -> ListResponse:
    """List a connection's events of this mode, newest first."""
    connection = await connections.get(tx, connection_id)
    page = await events.list_of_connection(tx, connection.id, paging)
    return ListResponse("events", page, ProviderEventOut.of)


@router.get("/provider-events", response_model=ProviderEventList)
@atomic(Permission.PROVIDER_EVENTS_READ)
async def list_provider_events(
    tx: Tx,
    paging: Paging,
    matched: Annotated[
        bool | None, Query(description="false: the inbox, what waits for a person")
    ] = None,
) -> ListResponse:
    """List events of all connections, newest first."""
    page = await events.list_page(tx, paging, is_matched=matched)
    return ListResponse("events", page, ProviderEventOut.of)


@router.post("/provider-events/{provider_event_id}/replay")
@atomic(Permission.PROVIDER_EVENTS_WRITE, changes=PROVIDER_EVENT)
async def replay_provider_event(tx: Tx, provider_event_id: Id) -> ProviderEventEnvelope:
    """Have an event worked off again. What it said before counts once."""
    event = await events.replay(tx, ProviderEventId(provider_event_id))
    return ProviderEventEnvelope(event=ProviderEventOut.of(event))


@router.post("/provider-events/{provider_event_id}/match")
@atomic(Permission.PROVIDER_EVENTS_WRITE, changes=PROVIDER_EVENT)
async def match_provider_event(
    tx: Tx, provider_event_id: Id, body: MatchIn
) -> ProviderEventEnvelope:
    """Say which invoice or wallet an event's money is for; it is credited at once."""
    await events.get_event(tx, ProviderEventId(provider_event_id))
    use = await _use(tx, body)
    event = await events.match(tx, ProviderEventId(provider_event_id), use)
    return ProviderEventEnvelope(event=ProviderEventOut.of(event))


@router.post("/provider-events/{provider_event_id}/ignore")
@atomic(Permission.PROVIDER_EVENTS_WRITE, changes=PROVIDER_EVENT)
async def ignore_provider_event(
    tx: Tx, provider_event_id: Id, body: IgnoreIn
) -> ProviderEventEnvelope:
    """Take an event out of the inbox, for a reason."""
    event = await events.ignore(tx, ProviderEventId(provider_event_id), body.reason)
    return ProviderEventEnvelope(event=ProviderEventOut.of(event))


class EventRefund(Struct, frozen=True):
    """The refund that was made of an event's money, and is to be sent."""

    event_id: ProviderEventId
    refund_id: RefundId


async def _send(outside: Outside, intent: EventRefund) -> Refund:
    services = outside.services
    return await refunds.submit_refund(
        services.desk, services.database, outside.tenant, intent.refund_id
    )


async def _sent(tx: Transaction, intent: EventRefund, refund: Refund) -> Response:
    event = await events.get_event(tx, intent.event_id)
    shown = EventRefundEnvelope(event=ProviderEventOut.of(event), refund=EventRefundOut.of(refund))
    return Answer(shown, 202 if refund.is_live else 201)


@router.post(
    "/provider-events/{provider_event_id}/refund",
    status_code=201,
    response_model=EventRefundEnvelope,
    responses={202: {"model": EventRefundEnvelope, "description": "Not decided yet."}},
)
@staged(Permission.PROVIDER_EVENTS_WRITE, changes=PROVIDER_EVENT, call=_send, record=_sent)
async def refund_provider_event(tx: Tx, provider_event_id: Id, body: RefundEventIn) -> EventRefund:
    """Return an event's money to who paid it, all of it.

    Where the provider refuses, the event is in the inbox again, with the reason.
    """
    event_id = ProviderEventId(provider_event_id)
    refund = await events.refund(tx, event_id, body.reason)
    return EventRefund(event_id, refund.id)


async def _use(tx: Tx, body: MatchIn) -> Use:
    """What is named, and whose it is."""
    if (body.invoice_id is None) == (body.wallet_id is None):
        raise invalid({"wallet_id": "give this or invoice_id, not both"})
    if body.invoice_id is not None:
        invoice = await invoicing.get(tx, body.invoice_id)
        return Use(
            customer_id=invoice.customer_id, currency=invoice.currency, invoice_id=invoice.id
        )
    if body.wallet_id is None:
        raise AssertionError("the body names one of the two")
    wallet = await wallets.get(tx, body.wallet_id)
    return Use(customer_id=wallet.customer_id, currency=wallet.currency, wallet_id=wallet.id)

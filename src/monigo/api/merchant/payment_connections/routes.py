"""Routes of payment connections: merchants' accounts at payment providers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from msgspec import Struct
from starlette.responses import Response

from monigo.api.kernel.http.errors import error_response
from monigo.api.kernel.routes.declarations import Outside, atomic, staged
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id, Name
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Answer, Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.payment_connections.schemas import (
    PAYMENT_CONNECTION,
    CallList,
    CallOut,
    ConnectionEnvelope,
    ConnectionIn,
    ConnectionList,
    ConnectionOut,
    ConnectionUpdate,
    ProviderCurrencies,
)
from monigo.bootstrap import Services
from monigo.core.access import Permission
from monigo.core.errors import DomainError, invalid
from monigo.infra.db import Transaction
from monigo.payments import connections
from monigo.payments.connections import Accepted, ProviderDesk, Purpose, Saving
from monigo.providers.registry import adapter_of

router = APIRouter(
    route_class=TenantRoute, tags=["payment connections"], prefix="/payment-connections"
)


# Async, because FastAPI sends plain functions to a thread.
async def _desk(request: Request) -> ProviderDesk:
    services: Services = request.app.state.services
    return services.desk


Desk = Annotated[ProviderDesk, Depends(_desk)]


class _Tried(Struct, frozen=True):
    """What the provider said of the keys, and the desk that asked it."""

    desk: ProviderDesk
    accepted: dict[bool, Accepted] | DomainError


async def _try(outside: Outside, saving: Saving) -> _Tried:
    services = outside.services
    accepted = await connections.try_keys(services.desk, services.database, outside.tenant, saving)
    return _Tried(services.desk, accepted)


async def _store(tx: Transaction, saving: Saving, tried: _Tried) -> Response:
    if isinstance(tried.accepted, DomainError):
        return error_response(tried.accepted)
    connection = await connections.record(tx, tried.desk, saving, tried.accepted)
    shown = ConnectionEnvelope(payment_connection=ConnectionOut.of(tx, connection))
    return Answer(shown, 201 if saving.is_new else 200)


@router.get("", response_model=ConnectionList)
@atomic(Permission.PAYMENT_CONNECTIONS_READ)
async def list_payment_connections(tx: Tx, paging: Paging) -> ListResponse:
    """List the organisation's connections, newest first. They hold the keys of both modes."""
    page = await connections.list_page(tx, paging)
    return ListResponse("payment_connections", page, lambda one: ConnectionOut.of(tx, one))


@router.post("", status_code=201, response_model=ConnectionEnvelope)
@staged(Permission.PAYMENT_CONNECTIONS_WRITE, changes=PAYMENT_CONNECTION, call=_try, record=_store)
async def create_payment_connection(tx: Tx, desk: Desk, body: ConnectionIn) -> Saving:
    """Connect an account at a payment provider, which is asked whether it knows the keys.

    503 where it can't be asked now.
    """
    return await connections.plan_creation(tx, desk, body.provider, body.changes())


@router.get("/provider-currencies")
@atomic(Permission.PAYMENT_CONNECTIONS_READ)
async def list_provider_currencies(
    tx: Tx, provider: Annotated[Name, Query(examples=["paystack"])]
) -> ProviderCurrencies:
    """List what a provider can do, and in which currencies."""
    del tx
    try:
        found = adapter_of(provider).capabilities
    except DomainError as error:
        raise invalid({"provider": "must be a known provider"}) from error
    by_purpose = [connections.currencies_of(found.name, purpose) for purpose in Purpose]
    return ProviderCurrencies.of(found, *by_purpose)


@router.get("/{connection_id}")
@atomic(Permission.PAYMENT_CONNECTIONS_READ)
async def get_payment_connection(tx: Tx, connection_id: Id) -> ConnectionEnvelope:
    """Read a connection; no key or secret of it is shown."""
    connection = await connections.get(tx, connection_id)
    return ConnectionEnvelope(payment_connection=ConnectionOut.of(tx, connection))


@router.put("/{connection_id}", response_model=ConnectionEnvelope)
@staged(Permission.PAYMENT_CONNECTIONS_WRITE, changes=PAYMENT_CONNECTION, call=_try, record=_store)
async def update_payment_connection(
    tx: Tx, desk: Desk, connection_id: Id, body: ConnectionUpdate
) -> Saving:
    """Change what is sent. Other keys must be of the same account: 409 for those of another.

    The secrets that signed webhooks so far are valid for 72 hours more.
    """
    return await connections.plan_update(tx, desk, connection_id, body.changes())


@router.delete("/{connection_id}")
@atomic(Permission.PAYMENT_CONNECTIONS_WRITE, changes=PAYMENT_CONNECTION)
async def delete_payment_connection(tx: Tx, connection_id: Id) -> Message:
    """Delete a connection and its keys; 409 while a payment is under way, or something needs it."""
    await connections.delete(tx, connection_id)
    return Message(message="payment connection deleted")


@router.post("/{connection_id}/toggle")
@atomic(Permission.PAYMENT_CONNECTIONS_WRITE, changes=PAYMENT_CONNECTION)
async def toggle_payment_connection(tx: Tx, connection_id: Id) -> ConnectionEnvelope:
    """Switch a connection off that is on, or on that is off.

    One that is off starts nothing new; what is under way ends, and webhooks are heard.
    """
    connection = await connections.toggle(tx, connection_id)
    return ConnectionEnvelope(payment_connection=ConnectionOut.of(tx, connection))


@router.get("/{connection_id}/calls", response_model=CallList)
@atomic(Permission.PAYMENT_CONNECTIONS_READ)
async def list_provider_calls(tx: Tx, connection_id: Id, paging: Paging) -> ListResponse:
    """List the requests to the provider in the last thirty days, newest first."""
    page = await connections.list_calls(tx, connection_id, paging)
    return ListResponse("calls", page, CallOut.of)

"""Routes of customers' saved payment methods."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from monigo import collection, customers, tenancy
from monigo.api.kernel.routes.declarations import atomic, staged
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id, Name
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Answer, Message
from monigo.api.merchant.customers.payment_methods.schemas import (
    PAYMENT_METHOD,
    PaymentMethodEnvelope,
    PaymentMethodList,
    PaymentMethodOut,
)
from monigo.api.merchant.invoices.payments.schemas import (
    TRANSACTION,
    InitiatedOut,
    SetupIn,
)
from monigo.api.merchant.payment_links import ChargeIntent, failed_link, send_charge, usual_url
from monigo.core.access import Permission
from monigo.core.paging import Page
from monigo.infra.db import Transaction
from monigo.payments import methods
from monigo.payments.charges import Charge

router = APIRouter(route_class=TenantRoute, tags=["payments"])

# What is asked for without a body.
USUAL = SetupIn()


async def _set_up(tx: Transaction, _intent: ChargeIntent, charge: Charge) -> Response:
    return failed_link(charge) or Answer(InitiatedOut.of(tx, charge), 200)


@router.get("/customers/{customer_id}/payment-methods", response_model=PaymentMethodList)
@atomic(Permission.CUSTOMERS_READ)
async def list_payment_methods(tx: Tx, customer_id: Name) -> ListResponse:
    """List the cards and accounts that a customer can be charged by, oldest first."""
    customer = await customers.get(tx, customer_id)
    found = await methods.list_methods(tx, customer.id)
    page = Page(found, len(found), 0)
    return ListResponse("payment_methods", page, lambda one: PaymentMethodOut.of(tx, one))


@router.post("/customers/{customer_id}/payment-methods/setup", response_model=InitiatedOut)
@staged(Permission.CUSTOMERS_WRITE, changes=TRANSACTION, call=send_charge, record=_set_up)
async def set_up_payment_method(
    tx: Tx, request: Request, customer_id: Name, body: SetupIn = USUAL
) -> ChargeIntent:
    """Make a link by which a customer's card is saved; what it takes is credited to the wallet."""
    billing = (await tenancy.get_organization(tx)).billing
    charge = await collection.set_up_method(
        tx,
        customer_id,
        body.wanted(usual_url(request)),
        body.currency or billing.default_currency,
    )
    return ChargeIntent(charge.id)


@router.put("/customers/{customer_id}/payment-methods/{payment_method_id}/default")
@atomic(Permission.CUSTOMERS_WRITE, changes=PAYMENT_METHOD)
async def set_default_payment_method(
    tx: Tx, customer_id: Name, payment_method_id: Id
) -> PaymentMethodEnvelope:
    """Charge a customer by this method from now on; what is unpaid is tried by it. No body."""
    customer = await customers.get(tx, customer_id)
    method = await methods.set_default(tx, customer.id, payment_method_id)
    return PaymentMethodEnvelope(payment_method=PaymentMethodOut.of(tx, method))


@router.delete("/customers/{customer_id}/payment-methods/{payment_method_id}")
@atomic(Permission.CUSTOMERS_WRITE, changes=PAYMENT_METHOD)
async def delete_payment_method(tx: Tx, customer_id: Name, payment_method_id: Id) -> Message:
    """Charge a payment method no more; its provider is to forget it, too."""
    customer = await customers.get(tx, customer_id)
    await methods.remove(tx, customer.id, payment_method_id)
    return Message(message="payment method deleted")

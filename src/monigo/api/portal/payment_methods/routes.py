"""Routes of a customer's own saved payment methods."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from monigo import collection, tenancy
from monigo.api.kernel.routes.declarations import atomic, staged
from monigo.api.kernel.routes.tenant import Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Answer, Message
from monigo.api.merchant.customers.payment_methods.schemas import PAYMENT_METHOD
from monigo.api.merchant.invoices.payments.schemas import TRANSACTION
from monigo.api.merchant.payment_links import (
    ChargeIntent,
    failed_link,
    send_charge,
    usual_url,
)
from monigo.api.portal.invoices.schemas import PaymentBegunOut
from monigo.api.portal.paging import head_of
from monigo.api.portal.payment_methods.schemas import PortalMethodList, PortalMethodOut
from monigo.api.portal.routing import PortalRoute, own_customer
from monigo.collection import WantedLink
from monigo.core.access import Permission
from monigo.core.paging import Page
from monigo.infra.db import Transaction
from monigo.payments import methods
from monigo.payments.charges import Charge

router = APIRouter(route_class=PortalRoute, tags=["portal"], prefix="/payment-methods")


async def _set_up(_tx: Transaction, _intent: ChargeIntent, charge: Charge) -> Response:
    return failed_link(charge) or Answer(PaymentBegunOut.of(charge), 200)


@router.get("", response_model=PortalMethodList)
@atomic(Permission.PORTAL_READ)
async def list_own_payment_methods(tx: Tx) -> ListResponse:
    """List the cards and accounts that the customer can be charged by, oldest first."""
    found = await methods.list_methods(tx, own_customer(tx))
    page = Page(found, len(found), 0)
    return ListResponse("payment_methods", page, PortalMethodOut.of, head=head_of(page))


@router.post("/setup", response_model=PaymentBegunOut)
@staged(Permission.PORTAL_METHODS_WRITE, changes=TRANSACTION, call=send_charge, record=_set_up)
async def set_up_own_payment_method(tx: Tx, request: Request) -> ChargeIntent:
    """Make a link by which the customer's card is saved; what it takes is credited. No body."""
    wanted = WantedLink(None, save_method=True, return_url=usual_url(request))
    currency = (await tenancy.get_organization(tx)).billing.default_currency
    charge = await collection.set_up_method(tx, str(own_customer(tx)), wanted, currency)
    return ChargeIntent(charge.id)


@router.put("/{payment_method_id}/default")
@atomic(Permission.PORTAL_METHODS_WRITE, changes=PAYMENT_METHOD)
async def set_own_default_payment_method(tx: Tx, payment_method_id: Id) -> Message:
    """Charge the customer by this method from now on. No body."""
    await methods.set_default(tx, own_customer(tx), payment_method_id)
    return Message(message="this payment method is the default now")


@router.delete("/{payment_method_id}")
@atomic(Permission.PORTAL_METHODS_WRITE, changes=PAYMENT_METHOD)
async def delete_own_payment_method(tx: Tx, payment_method_id: Id) -> Message:
    """Charge a payment method no more; its provider is to forget it, too."""
    await methods.remove(tx, own_customer(tx), payment_method_id)
    return Message(message="payment method deleted")

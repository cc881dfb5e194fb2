"""Routes of a customer's own invoices."""

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from monigo import collection, invoicing
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic, staged
from monigo.api.kernel.routes.tenant import Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Answer, Message
from monigo.api.merchant.invoices.payments.schemas import TRANSACTION
from monigo.api.merchant.payment_links import (
    ChargeIntent,
    failed_link,
    send_charge,
    usual_url,
)
from monigo.api.portal.invoices.schemas import (
    CardIn,
    ChargedOut,
    PaymentBegunOut,
    PortalInvoiceEnvelope,
    PortalInvoiceList,
    PortalInvoiceOut,
    WalletChoiceIn,
)
from monigo.api.portal.paging import PortalPaging, head_of
from monigo.api.portal.routing import PortalRoute, check_own, own_customer
from monigo.api.portal.schemas import PortalTransactionList, PortalTransactionOut
from monigo.collection import WantedLink
from monigo.core.access import Permission
from monigo.core.errors import not_found
from monigo.core.paging import Page
from monigo.infra.db import Transaction
from monigo.invoicing import Invoice, InvoiceFilter, InvoiceStatus
from monigo.payments.charges import Charge, ChargeState

router = APIRouter(route_class=PortalRoute, tags=["portal"], prefix="/invoices")

PAID = Changes("invoice", Invoice, lambda _tx, invoice: PortalInvoiceOut.of(invoice))


async def _own(tx: Transaction, invoice_id: UUID) -> Invoice:
    """One of the customer's own that it sees. Raises not_found."""
    invoice = await invoicing.get(tx, invoice_id)
    check_own(tx, invoice.customer_id, "invoice")
    if invoice.status is InvoiceStatus.DRAFT or not invoice.totals.total:
        raise not_found("invoice")
    return invoice


async def _begun(_tx: Transaction, _intent: ChargeIntent, charge: Charge) -> Response:
    return failed_link(charge) or Answer(PaymentBegunOut.of(charge), 200)


async def _charged(_tx: Transaction, _intent: ChargeIntent, charge: Charge) -> Response:
    failure = charge.failure
    if charge.state is ChargeState.SUCCEEDED:
        return Answer(ChargedOut("the invoice is paid", True, "paid", None), 200)
    if charge.state is ChargeState.FAILED:
        reason = (failure.reason or failure.code) if failure else "it failed"
        return Answer(ChargedOut(f"the payment failed: {reason}", False, "failed", None), 200)
    if charge.state is ChargeState.NEEDS_ACTION:
        said = "the payment waits for your confirmation"
        return Answer(ChargedOut(said, False, "pending", charge.url or None), 200)
    said = "the provider has not answered yet; the invoice is paid once it has"
    return Answer(ChargedOut(said, False, "pending", None), 200)


@router.get("", response_model=PortalInvoiceList)
@atomic(Permission.PORTAL_READ)
async def list_own_invoices(tx: Tx, paging: PortalPaging) -> ListResponse:
    """List the customer's invoices, newest first; no drafts, and none that come to nothing."""
    wanted = InvoiceFilter(customer=str(own_customer(tx)), is_for_customer=True)
    page = await invoicing.list_page(tx, paging, wanted)
    return ListResponse("invoices", page, PortalInvoiceOut.of, head=head_of(page))


@router.get("/{invoice_id}")
@atomic(Permission.PORTAL_READ)
async def get_own_invoice(tx: Tx, invoice_id: Id) -> PortalInvoiceEnvelope:
    """Read one of the customer's invoices with its lines."""
    return PortalInvoiceEnvelope(invoice=PortalInvoiceOut.of(await _own(tx, invoice_id)))


@router.get("/{invoice_id}/transactions", response_model=PortalTransactionList)
@atomic(Permission.PORTAL_READ)
async def list_own_invoice_transactions(tx: Tx, invoice_id: Id) -> ListResponse:
    """List the tries to pay one of the customer's invoices, newest first."""
    invoice = await _own(tx, invoice_id)
    found = await collection.list_transactions(tx, invoice.id)
    page = Page(found, len(found), 0)
    return ListResponse(
        "transactions",
        page,
        lambda one: PortalTransactionOut.of_charge(tx, one),
        head=head_of(page),
    )


@router.post("/{invoice_id}/pay", response_model=PaymentBegunOut)
@staged(Permission.PORTAL_PAY, changes=TRANSACTION, call=send_charge, record=_begun)
async def pay_own_invoice(tx: Tx, request: Request, invoice_id: Id) -> ChargeIntent:
    """Make a link by which the invoice is paid; the open one stands for it. Takes no body.

    503 where the provider has not answered: asked again, the same link is made.
    """
    invoice = await _own(tx, invoice_id)
    wanted = WantedLink(None, save_method=False, return_url=usual_url(request))
    charge = await collection.initiate_payment(tx, invoice.id, wanted)
    return ChargeIntent(charge.id)


@router.post("/{invoice_id}/pay-with-card", response_model=ChargedOut)
@staged(Permission.PORTAL_PAY, changes=TRANSACTION, call=send_charge, record=_charged)
async def pay_own_invoice_with_card(tx: Tx, invoice_id: Id, body: CardIn) -> ChargeIntent:
    """Pay what is due of the invoice by a saved method."""
    invoice = await _own(tx, invoice_id)
    charge = await collection.pay_by_method(tx, invoice.id, body.payment_method_id)
    return ChargeIntent(charge.id)


@router.post("/{invoice_id}/pay-with-wallet")
@atomic(Permission.PORTAL_PAY, changes=PAID)
async def pay_own_invoice_with_wallet(tx: Tx, invoice_id: Id, body: WalletChoiceIn) -> Message:
    """Pay all that is due of the invoice from the customer's wallet. 402 where less is there."""
    invoice = await _own(tx, invoice_id)
    await collection.pay_from_wallet(tx, invoice.id, body.wallet_id)
    return Message(message="the invoice is paid")

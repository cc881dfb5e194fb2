"""Routes of invoices."""

from typing import Annotated

from fastapi import APIRouter, Query

from monigo import invoicing
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id, Name
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.invoices.schemas import (
    GenerateIn,
    InvoiceEnvelope,
    InvoiceList,
    InvoiceOut,
    PaymentIn,
    StatusQuery,
)
from monigo.catalog import PlanType
from monigo.core.access import Permission
from monigo.invoicing import Invoice, InvoiceFilter

router = APIRouter(route_class=TenantRoute, tags=["invoices"])

INVOICE = Changes("invoice", Invoice, InvoiceOut.of)


@router.get("/invoices", response_model=InvoiceList)
@atomic(Permission.INVOICES_READ)
async def list_invoices(
    tx: Tx,
    paging: Paging,
    status: Annotated[StatusQuery, Query()] = None,
    customer_id: Annotated[Name | None, Query()] = None,
) -> ListResponse:
    """List invoices, newest first."""
    page = await invoicing.list_page(
        tx, paging, InvoiceFilter(customer=customer_id or None, status=status)
    )
    return ListResponse("invoices", page, lambda item: InvoiceOut.of(tx, item))


@router.post("/invoices/generate", status_code=201)
@atomic(Permission.INVOICES_GENERATE, changes=INVOICE)
async def generate_invoice(tx: Tx, body: GenerateIn) -> InvoiceEnvelope:
    """Make or refresh the draft of the running period; it charges nothing."""
    invoice = await invoicing.generate(
        tx,
        body.subscription_id,
        plan_type=PlanType.COLLECTION,
        period_start=body.period_start,
    )
    return InvoiceEnvelope(invoice=InvoiceOut.of(tx, invoice))


@router.get("/invoices/{invoice_id}")
@atomic(Permission.INVOICES_READ)
async def get_invoice(tx: Tx, invoice_id: Id) -> InvoiceEnvelope:
    """Read an invoice with its lines."""
    return InvoiceEnvelope(invoice=InvoiceOut.of(tx, await invoicing.get(tx, invoice_id)))


@router.delete("/invoices/{invoice_id}")
@atomic(Permission.INVOICES_GENERATE, changes=INVOICE)
async def delete_invoice(tx: Tx, invoice_id: Id) -> Message:
    """Delete a draft; what has a number is voided instead."""
    await invoicing.delete(tx, invoice_id)
    return Message(message="invoice deleted")


@router.post("/invoices/{invoice_id}/finalize")
@atomic(Permission.INVOICES_FINALIZE, changes=INVOICE)
async def finalize_invoice(tx: Tx, invoice_id: Id) -> InvoiceEnvelope:
    """Recompute a draft, number it, and make it final. Takes no body."""
    return InvoiceEnvelope(invoice=InvoiceOut.of(tx, await invoicing.finalize(tx, invoice_id)))


@router.post("/invoices/{invoice_id}/void")
@atomic(Permission.INVOICES_VOID, changes=INVOICE)
async def void_invoice(tx: Tx, invoice_id: Id) -> InvoiceEnvelope:
    """Take an invoice back: a running period's usage falls due again. Takes no body."""
    return InvoiceEnvelope(invoice=InvoiceOut.of(tx, await invoicing.void(tx, invoice_id)))


@router.post("/invoices/{invoice_id}/mark-paid")
@atomic(Permission.INVOICES_MARK_PAID, changes=INVOICE)
async def mark_invoice_paid(tx: Tx, invoice_id: Id, body: PaymentIn) -> InvoiceEnvelope:
    """Note that what is due of an invoice was received elsewhere; with `whole`, all of it."""
    invoice = await invoicing.mark_paid(
        tx,
        invoice_id,
        reference=body.reference,
        paid_at=body.paid_at,
        is_whole=body.whole or False,
    )
    return InvoiceEnvelope(invoice=InvoiceOut.of(tx, invoice))

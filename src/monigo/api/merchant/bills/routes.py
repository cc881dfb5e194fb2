"""Routes of bills: what is owed to customers on payout plans."""

from typing import Annotated

from fastapi import APIRouter, Query

from monigo import customers, invoicing, payouts
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id, Name
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.bills.schemas import (
    BillEnvelope,
    BillList,
    BillOut,
    StatusQuery,
    parse_status,
)
from monigo.api.merchant.invoices.schemas import GenerateIn
from monigo.catalog import PlanType
from monigo.core.access import Permission
from monigo.invoicing import Invoice, InvoiceFilter

router = APIRouter(route_class=TenantRoute, tags=["bills"])

# The customer is identified by the id alone.
BILL = Changes("bill", Invoice, lambda tx, bill: BillOut.of(tx, bill, "", None))


@router.get("/bills", response_model=BillList)
@atomic(Permission.BILLS_READ)
async def list_bills(
    tx: Tx,
    paging: Paging,
    status: Annotated[StatusQuery, Query()] = None,
    customer_id: Annotated[Name | None, Query()] = None,
) -> ListResponse:
    """List bills, newest first."""
    wanted = InvoiceFilter(PlanType.PAYOUT, customer_id or None, parse_status(status))
    page = await invoicing.list_page(tx, paging, wanted)
    names = await customers.names(tx, {bill.customer_id for bill in page.items})
    found = await payouts.get_payouts(tx, [bill.id for bill in page.items])
    return ListResponse(
        "bills",
        page,
        lambda bill: BillOut.of(tx, bill, names[bill.customer_id], found.get(bill.id)),
    )


@router.post("/bills", status_code=201)
@atomic(Permission.BILLS_GENERATE, changes=BILL)
async def generate_bill(tx: Tx, body: GenerateIn) -> BillEnvelope:
    """Make or refresh the draft of a payout plan's running period; it owes nothing yet."""
    bill = await invoicing.generate(
        tx, body.subscription_id, plan_type=PlanType.PAYOUT, period_start=body.period_start
    )
    return await BillEnvelope.of(tx, bill)


@router.get("/bills/{bill_id}")
@atomic(Permission.BILLS_READ)
async def get_bill(tx: Tx, bill_id: Id) -> BillEnvelope:
    """Read a bill with its lines."""
    bill = await invoicing.get(tx, bill_id, plan_type=PlanType.PAYOUT)
    return await BillEnvelope.of(tx, bill)


@router.delete("/bills/{bill_id}")
@atomic(Permission.BILLS_GENERATE, changes=BILL)
async def delete_bill(tx: Tx, bill_id: Id) -> Message:
    """Delete a draft; what has a number is voided instead."""
    await invoicing.delete(tx, bill_id, plan_type=PlanType.PAYOUT)
    return Message(message="bill deleted")


@router.post("/bills/{bill_id}/finalize")
@atomic(Permission.BILLS_FINALIZE, changes=BILL)
async def finalize_bill(tx: Tx, bill_id: Id) -> BillEnvelope:
    """Recompute a draft, number it, and make it final. Takes no body."""
    bill = await invoicing.finalize(tx, bill_id, plan_type=PlanType.PAYOUT)
    return await BillEnvelope.of(tx, bill)


@router.post("/bills/{bill_id}/void")
@atomic(Permission.BILLS_VOID, changes=BILL)
async def void_bill(tx: Tx, bill_id: Id) -> BillEnvelope:
    """Take a bill back: a running period's usage falls due again. Takes no body.

    409 while a transfer of it is on its way, and once a part of it was paid.
    """
    bill = await payouts.void(tx, bill_id)
    return await BillEnvelope.of(tx, bill)

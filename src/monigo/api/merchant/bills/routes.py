"""Routes of bills: what is owed to customers on payout plans."""

from typing import Annotated, Self

from fastapi import APIRouter, Query

from monigo import customers, invoicing
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.fields import (
    Id,
    Instant,
    ListEnvelope,
    Message,
    Money,
    Name,
    Outgoing,
    RateText,
    also_spelled,
)
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.invoices.routes import GenerateIn, LineItemOut
from monigo.catalog import PlanType
from monigo.core.errors import invalid
from monigo.core.ids import CustomerId, InvoiceId, OrganizationId, SubscriptionId
from monigo.core.permissions import Permission
from monigo.infra.db import Transaction
from monigo.invoicing import Invoice, InvoiceFilter, InvoiceKind, InvoiceStatus

router = APIRouter(route_class=TenantRoute, tags=["bills"])

# How the contract calls the states of a bill.
STATUS_NAMES = {
    InvoiceStatus.DRAFT: "draft",
    InvoiceStatus.FINALIZED: "finalized",
    InvoiceStatus.PAID: "paid",
    InvoiceStatus.PAYMENT_FAILED: "payout_failed",
    InvoiceStatus.VOID: "voided",
}
STATUSES = {name: status for status, name in STATUS_NAMES.items()}


def parse_status(text: str | None) -> InvoiceStatus | None:
    """The status of that name; None for any. Raises invalid."""
    if not text:
        return None
    if text not in STATUSES:
        raise invalid({"status": f"must be one of {', '.join(STATUSES)}"})
    return STATUSES[text]


class BillOut(Outgoing):
    """A bill with its lines. A draft's number is empty."""

    id: InvoiceId
    org_id: OrganizationId
    customer_id: CustomerId
    customer_name: str
    subscription_id: SubscriptionId
    kind: InvoiceKind
    status: str
    number: str
    currency: str
    subtotal: Money
    wht_rate: RateText
    wht_amount: Money
    total: Money
    issued_at: Instant | None
    due_date: Instant | None
    paid_at: Instant | None
    voided_at: Instant | None
    period_start: Instant
    period_end: Instant
    line_items: list[LineItemOut]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, bill: Invoice, customer_name: str) -> Self:
        """The wire form."""
        return cls(
            id=bill.id,
            org_id=tx.org_id,
            customer_id=bill.customer_id,
            customer_name=customer_name,
            subscription_id=bill.subscription_id,
            kind=bill.kind,
            status=STATUS_NAMES[bill.status],
            number=invoicing.invoice_number(bill.number, bill.plan_type),
            currency=bill.currency,
            subtotal=bill.totals.subtotal,
            wht_rate=bill.totals.wht_rate,
            wht_amount=bill.totals.wht_amount,
            total=bill.totals.total,
            issued_at=bill.finalized_at,
            due_date=bill.due_date,
            paid_at=bill.paid_at,
            voided_at=bill.voided_at,
            period_start=bill.period.start,
            period_end=bill.period.end,
            line_items=[LineItemOut.of(line) for line in bill.lines],
            created_at=bill.created_at,
            updated_at=bill.updated_at,
        )


class BillEnvelope(Outgoing):
    """One bill."""

    bill: BillOut

    @classmethod
    async def of(cls, tx: Transaction, bill: Invoice) -> Self:
        """The wire form."""
        names = await customers.names(tx, [bill.customer_id])
        return cls(bill=BillOut.of(tx, bill, names[bill.customer_id]))


class BillList(ListEnvelope):
    """Bills, newest first."""

    bills: list[BillOut]


StatusQuery = Annotated[str | None, also_spelled({"void": "voided"})]


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
    return ListResponse("bills", page, lambda bill: BillOut.of(tx, bill, names[bill.customer_id]))


@router.post("/bills", status_code=201)
@atomic(Permission.BILLS_GENERATE)
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
@atomic(Permission.BILLS_GENERATE)
async def delete_bill(tx: Tx, bill_id: Id) -> Message:
    """Delete a draft; what has a number is voided instead."""
    await invoicing.delete(tx, bill_id, plan_type=PlanType.PAYOUT)
    return Message(message="bill deleted")


@router.post("/bills/{bill_id}/finalize")
@atomic(Permission.BILLS_FINALIZE)
async def finalize_bill(tx: Tx, bill_id: Id) -> BillEnvelope:
    """Recompute a draft, number it, and make it final. Takes no body."""
    bill = await invoicing.finalize(tx, bill_id, plan_type=PlanType.PAYOUT)
    return await BillEnvelope.of(tx, bill)


@router.post("/bills/{bill_id}/void")
@atomic(Permission.BILLS_VOID)
async def void_bill(tx: Tx, bill_id: Id) -> BillEnvelope:
    """Take a bill back: a running period's usage falls due again. Takes no body."""
    bill = await invoicing.void(tx, bill_id, plan_type=PlanType.PAYOUT)
    return await BillEnvelope.of(tx, bill)

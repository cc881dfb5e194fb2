"""Routes of invoices."""

from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, Field

from monigo import invoicing
from monigo.api.fields import (
    Id,
    Incoming,
    Instant,
    ListEnvelope,
    Message,
    Money,
    Name,
    Outgoing,
    Quantity,
    RateText,
    UnitPrice,
    empty_as_none,
)
from monigo.api.pagination import Paging, counts
from monigo.api.routing import TenantRoute, Tx
from monigo.core.ids import (
    CustomerId,
    InvoiceId,
    LineItemId,
    MetricId,
    OrganizationId,
    PriceId,
    SubscriptionId,
)
from monigo.infra.database import Transaction
from monigo.invoicing import Invoice, InvoiceFilter, InvoiceKind, InvoiceStatus, StoredLine

router = APIRouter(route_class=TenantRoute, tags=["invoices"])

StatusQuery = Annotated[InvoiceStatus | None, BeforeValidator(empty_as_none)]


class GenerateIn(Incoming):
    """Whose running period to draft."""

    subscription_id: Name = Field(examples=["0197b3c0-0000-7000-8000-000000000000"])


class LineItemOut(Outgoing):
    """What one price bills, for one value of its metric's `group_by` if it has one; or a credit."""

    id: LineItemId
    invoice_id: InvoiceId
    metric_id: MetricId | None
    price_id: PriceId | None
    description: str = Field(examples=["Tokens (gpt-4)"])
    group_value: str = Field(description="empty where nothing groups", examples=["gpt-4"])
    quantity: Quantity
    unit_price: UnitPrice
    amount: Money
    period_start: Instant
    period_end: Instant
    created_at: Instant

    @classmethod
    def of(cls, stored: StoredLine) -> Self:
        """The wire form."""
        line = stored.line
        return cls(
            id=stored.id,
            invoice_id=stored.invoice_id,
            metric_id=line.metric_id,
            price_id=line.price_id,
            description=line.description,
            group_value=line.group_value,
            quantity=line.quantity,
            unit_price=line.unit_price,
            amount=line.amount,
            period_start=line.period.start,
            period_end=line.period.end,
            created_at=stored.created_at,
        )


class InvoiceOut(Outgoing):
    """An invoice with its lines. A draft's number is empty."""

    id: InvoiceId
    org_id: OrganizationId
    customer_id: CustomerId
    subscription_id: SubscriptionId
    kind: InvoiceKind
    status: InvoiceStatus
    number: str = Field(examples=["INV-000123"])
    currency: str
    subtotal: Money
    vat_enabled: bool
    vat_rate: RateText
    vat_amount: Money
    total: Money
    period_start: Instant
    period_end: Instant
    finalized_at: Instant | None
    paid_at: Instant | None
    voided_at: Instant | None
    due_date: Instant | None
    provider_invoice_id: str
    line_items: list[LineItemOut]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, invoice: Invoice) -> Self:
        """The wire form."""
        totals = invoice.totals
        return cls(
            id=invoice.id,
            org_id=tx.org_id,
            customer_id=invoice.customer_id,
            subscription_id=invoice.subscription_id,
            kind=invoice.kind,
            status=invoice.status,
            number=invoicing.invoice_number(invoice.number),
            currency=invoice.currency,
            subtotal=totals.subtotal,
            vat_enabled=totals.vat_enabled,
            vat_rate=totals.vat_rate,
            vat_amount=totals.vat_amount,
            total=totals.total,
            period_start=invoice.period.start,
            period_end=invoice.period.end,
            finalized_at=invoice.finalized_at,
            paid_at=invoice.paid_at,
            voided_at=invoice.voided_at,
            due_date=invoice.due_date,
            provider_invoice_id="",  # No provider keeps invoices for us.
            line_items=[LineItemOut.of(line) for line in invoice.lines],
            created_at=invoice.created_at,
            updated_at=invoice.updated_at,
        )


class InvoiceEnvelope(Outgoing):
    """One invoice."""

    invoice: InvoiceOut


class InvoiceList(ListEnvelope):
    """Invoices, newest first."""

    invoices: list[InvoiceOut]


@router.get("/invoices")
async def list_invoices(
    tx: Tx,
    paging: Paging,
    status: Annotated[StatusQuery, Query()] = None,
    customer_id: Annotated[Name | None, Query()] = None,
) -> InvoiceList:
    """List invoices, newest first."""
    page = await invoicing.list_page(tx, paging, InvoiceFilter(customer_id or None, status))
    return InvoiceList(invoices=[InvoiceOut.of(tx, item) for item in page.items], **counts(page))


@router.post("/invoices/generate", status_code=201)
async def generate_invoice(tx: Tx, body: GenerateIn) -> InvoiceEnvelope:
    """Make or refresh the draft of the running period; it charges nothing."""
    invoice = await invoicing.generate(tx, body.subscription_id)
    return InvoiceEnvelope(invoice=InvoiceOut.of(tx, invoice))


@router.get("/invoices/{invoice_id}")
async def get_invoice(tx: Tx, invoice_id: Id) -> InvoiceEnvelope:
    """Read an invoice with its lines."""
    return InvoiceEnvelope(invoice=InvoiceOut.of(tx, await invoicing.get(tx, invoice_id)))


@router.delete("/invoices/{invoice_id}")
async def delete_invoice(tx: Tx, invoice_id: Id) -> Message:
    """Delete a draft; what has a number is voided instead."""
    await invoicing.delete(tx, invoice_id)
    return Message(message="invoice deleted")


@router.post("/invoices/{invoice_id}/finalize")
async def finalize_invoice(tx: Tx, invoice_id: Id) -> InvoiceEnvelope:
    """Recompute a draft, number it, and make it final. Takes no body."""
    return InvoiceEnvelope(invoice=InvoiceOut.of(tx, await invoicing.finalize(tx, invoice_id)))


@router.post("/invoices/{invoice_id}/void")
async def void_invoice(tx: Tx, invoice_id: Id) -> InvoiceEnvelope:
    """Take an invoice back; its usage falls due again. Takes no body."""
    return InvoiceEnvelope(invoice=InvoiceOut.of(tx, await invoicing.void(tx, invoice_id)))

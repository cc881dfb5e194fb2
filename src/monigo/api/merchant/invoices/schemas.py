"""Invoices on the wire."""

from typing import Annotated, Self

from msgspec import Meta
from pydantic import Field

from monigo import invoicing
from monigo.api.kernel.wire.incoming import Incoming, InstantIn, Name, also_spelled
from monigo.api.kernel.wire.outgoing import (
    Instant,
    ListEnvelope,
    Money,
    Outgoing,
    Quantity,
    RateText,
    Uncounted,
    UnitPrice,
)
from monigo.core.ids import (
    CustomerId,
    InvoiceId,
    LineItemId,
    MetricId,
    OrganizationId,
    PriceId,
    SubscriptionId,
)
from monigo.core.money import format_decimal, format_money, format_unit_price
from monigo.infra.db import Transaction
from monigo.invoicing import (
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    Line,
    LineKind,
    RatedInvoice,
    StoredLine,
)

StatusQuery = Annotated[InvoiceStatus | None, also_spelled({"voided": "void"})]


class GenerateIn(Incoming):
    """Whose running period to draft; with `period_start` an ended one whose invoices are void."""

    subscription_id: Name = Field(examples=["0197b3c0-0000-7000-8000-000000000000"])
    period_start: InstantIn = None


class PaymentIn(Incoming):
    """Where and when an invoice's money was received; without `paid_at` it was now."""

    reference: Name = Field(examples=["bank transfer 4711"])
    paid_at: InstantIn = None
    whole: bool | None = Field(
        default=None,
        description="all of it was received there: what wallet and credits paid of it goes back",
    )


class LineOut(Outgoing, frozen=True):
    """What one price bills, for one value of its metric's `group_by` if it has one; or a credit."""

    kind: LineKind
    metric_id: MetricId | None
    price_id: PriceId | None
    description: Annotated[str, Meta(examples=["Tokens (gpt-4)"])]
    group_value: Annotated[str, Meta(description="empty where nothing groups", examples=["gpt-4"])]
    quantity: Quantity
    unit_price: UnitPrice
    amount: Money
    period_start: Instant
    period_end: Instant
    uncounted_events: Uncounted

    @classmethod
    def of(cls, line: Line) -> Self:
        """The wire form of what is not stored."""
        return cls(
            kind=line.kind,
            metric_id=line.metric_id,
            price_id=line.price_id,
            description=line.description,
            group_value=line.group_value,
            quantity=format_decimal(line.quantity),
            unit_price=format_unit_price(line.unit_price),
            amount=format_money(line.amount),
            period_start=line.period.start,
            period_end=line.period.end,
            uncounted_events=line.uncounted_events,
        )


class LineItemOut(LineOut, frozen=True):
    """A line of a stored invoice."""

    id: LineItemId
    invoice_id: InvoiceId
    created_at: Instant

    @classmethod
    def stored(cls, stored: StoredLine) -> Self:
        """The wire form; written out, for long lists have tens of thousands of them."""
        line = stored.line
        return cls(
            kind=line.kind,
            metric_id=line.metric_id,
            price_id=line.price_id,
            description=line.description,
            group_value=line.group_value,
            quantity=format_decimal(line.quantity),
            unit_price=format_unit_price(line.unit_price),
            amount=format_money(line.amount),
            period_start=line.period.start,
            period_end=line.period.end,
            uncounted_events=line.uncounted_events,
            id=stored.id,
            invoice_id=stored.invoice_id,
            created_at=stored.created_at,
        )


class InvoiceOut(Outgoing, frozen=True):
    """An invoice with its lines. A draft's number is empty."""

    id: InvoiceId
    org_id: OrganizationId
    customer_id: CustomerId
    subscription_id: SubscriptionId
    kind: InvoiceKind
    status: InvoiceStatus
    number: Annotated[str, Meta(examples=["INV-000123"])]
    currency: str
    subtotal: Money
    vat_enabled: bool
    vat_rate: RateText
    vat_amount: Money
    total: Money
    amount_paid: Annotated[
        Money, Meta(description="of the total, by wallet, by credits or elsewhere")
    ]
    amount_due: Annotated[Money, Meta(description="what is still to be paid of it")]
    amount_refunded: Annotated[
        Money, Meta(description="what went back of amount_paid, or is on its way")
    ]
    amount_reversed: Annotated[
        Money, Meta(description="what a provider took back of amount_paid; it is not due again")
    ]
    collection_reason: Annotated[
        str, Meta(description="why it is not paid yet; empty where nothing was tried")
    ]
    next_collection_at: Annotated[
        Instant | None, Meta(description="when it is tried, or reminded of, next")
    ]
    period_start: Instant
    period_end: Instant
    finalized_at: Instant | None
    paid_at: Instant | None
    voided_at: Instant | None
    due_date: Instant | None
    paid_reference: Annotated[
        str, Meta(description="of the last payment by a provider, or received elsewhere")
    ]
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
            subtotal=format_money(totals.subtotal),
            vat_enabled=totals.vat_enabled,
            vat_rate=format_decimal(totals.vat_rate),
            vat_amount=format_money(totals.vat_amount),
            total=format_money(totals.total),
            amount_paid=format_money(invoice.amount_paid),
            amount_due=format_money(invoice.amount_due),
            amount_refunded=format_money(invoice.amount_refunded),
            amount_reversed=format_money(invoice.amount_reversed),
            collection_reason=invoice.collection_reason,
            next_collection_at=invoice.next_collection_at,
            period_start=invoice.period.start,
            period_end=invoice.period.end,
            finalized_at=invoice.finalized_at,
            paid_at=invoice.paid_at,
            voided_at=invoice.voided_at,
            due_date=invoice.due_date,
            paid_reference=invoice.paid_reference,
            provider_invoice_id="",  # No provider keeps invoices for us.
            line_items=[LineItemOut.stored(line) for line in invoice.lines],
            created_at=invoice.created_at,
            updated_at=invoice.updated_at,
        )


class InvoiceEnvelope(Outgoing, frozen=True):
    """One invoice."""

    invoice: InvoiceOut


class UpcomingInvoiceOut(Outgoing, frozen=True):
    """What a closing invoice would be if its period ended with what was used so far."""

    subscription_id: SubscriptionId
    customer_id: CustomerId
    currency: str
    subtotal: Money
    vat_enabled: bool
    vat_rate: RateText
    vat_amount: Money
    wht_amount: Money
    total: Money
    period_start: Instant
    period_end: Instant
    line_items: list[LineOut]


class UpcomingInvoiceEnvelope(Outgoing, frozen=True):
    """A preview; nothing of it is stored."""

    upcoming_invoice: UpcomingInvoiceOut

    @classmethod
    def of(cls, rated: RatedInvoice) -> Self:
        """The wire form."""
        wanted, totals = rated.wanted, rated.totals
        return cls(
            upcoming_invoice=UpcomingInvoiceOut(
                subscription_id=wanted.subscription.id,
                customer_id=wanted.subscription.customer_id,
                currency=rated.currency,
                subtotal=format_money(totals.subtotal),
                vat_enabled=totals.vat_enabled,
                vat_rate=format_decimal(totals.vat_rate),
                vat_amount=format_money(totals.vat_amount),
                wht_amount=format_money(totals.wht_amount),
                total=format_money(totals.total),
                period_start=wanted.period.start,
                period_end=wanted.period.end,
                line_items=[LineOut.of(line) for line in rated.lines],
            )
        )


class InvoiceList(ListEnvelope, frozen=True):
    """Invoices, newest first."""

    invoices: list[InvoiceOut]

"""Invoices on the portal's wire."""

from typing import Self

from pydantic import Field

from monigo import invoicing
from monigo.api.kernel.wire.incoming import Id, Incoming
from monigo.api.kernel.wire.outgoing import Instant, Money, Outgoing, RateText
from monigo.api.portal.paging import PortalList
from monigo.api.portal.schemas import PortalLineOut
from monigo.core.ids import ChargeId, InvoiceId, SubscriptionId
from monigo.core.money import format_decimal, format_money
from monigo.invoicing import Invoice, InvoiceKind, InvoiceStatus
from monigo.payments.charges import Charge


class PortalInvoiceOut(Outgoing, frozen=True):
    """An invoice, as its customer reads it."""

    id: InvoiceId
    subscription_id: SubscriptionId
    kind: InvoiceKind
    status: InvoiceStatus
    number: str
    currency: str
    subtotal: Money
    vat_rate: RateText
    vat_amount: Money
    total: Money
    amount_paid: Money
    amount_due: Money
    amount_refunded: Money
    period_start: Instant
    period_end: Instant
    finalized_at: Instant | None
    due_date: Instant | None
    paid_at: Instant | None
    voided_at: Instant | None
    line_items: list[PortalLineOut]
    created_at: Instant

    @classmethod
    def of(cls, invoice: Invoice) -> Self:
        """The wire form."""
        totals = invoice.totals
        return cls(
            id=invoice.id,
            subscription_id=invoice.subscription_id,
            kind=invoice.kind,
            status=invoice.status,
            number=invoicing.invoice_number(invoice.number),
            currency=invoice.currency,
            subtotal=format_money(totals.subtotal),
            vat_rate=format_decimal(totals.vat_rate),
            vat_amount=format_money(totals.vat_amount),
            total=format_money(totals.total),
            amount_paid=format_money(invoice.amount_paid),
            amount_due=format_money(invoice.amount_due),
            amount_refunded=format_money(invoice.amount_refunded),
            period_start=invoice.period.start,
            period_end=invoice.period.end,
            finalized_at=invoice.finalized_at,
            due_date=invoice.due_date,
            paid_at=invoice.paid_at,
            voided_at=invoice.voided_at,
            line_items=[PortalLineOut.of(line) for line in invoice.lines],
            created_at=invoice.created_at,
        )


class PortalInvoiceEnvelope(Outgoing, frozen=True):
    """One invoice."""

    invoice: PortalInvoiceOut


class PortalInvoiceList(PortalList, frozen=True):
    """Final invoices, newest first."""

    invoices: list[PortalInvoiceOut]


class CardIn(Incoming):
    """By which saved method is paid."""

    payment_method_id: Id = Field(examples=["0197b3c0-0000-7000-8000-000000000000"])


class WalletChoiceIn(Incoming):
    """From which wallet is paid."""

    wallet_id: Id = Field(examples=["0197b3c0-0000-7000-8000-000000000000"])


class PaymentBegunOut(Outgoing, frozen=True):
    """Where the customer goes to pay."""

    authorization_url: str
    reference: str
    transaction_id: ChargeId
    provider: str

    @classmethod
    def of(cls, charge: Charge) -> Self:
        """The wire form of a link that is open."""
        return cls(charge.url, charge.reference, charge.id, charge.provider)


class ChargedOut(Outgoing, frozen=True):
    """What became of a payment by a saved method."""

    message: str
    charged: bool
    status: str
    authorization_url: str | None

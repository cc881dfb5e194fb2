"""Bills on the portal's wire."""

from typing import Annotated, Self

from msgspec import Meta

from monigo import invoicing
from monigo.api.kernel.wire.outgoing import Instant, Money, Outgoing, RateText
from monigo.api.merchant.bills.schemas import STATUS_NAMES
from monigo.api.portal.paging import PortalList
from monigo.api.portal.schemas import PortalLineOut
from monigo.core.ids import InvoiceId, SubscriptionId
from monigo.core.money import format_decimal, format_money
from monigo.invoicing import Invoice


class PortalBillOut(Outgoing, frozen=True):
    """What a customer is owed for a period. Why a merchant holds it stays with the merchant."""

    id: InvoiceId
    subscription_id: SubscriptionId
    status: str
    number: str
    currency: str
    subtotal: Money
    wht_rate: RateText
    wht_amount: Money
    total: Money
    amount_paid: Money
    amount_due: Money
    is_held: Annotated[bool, Meta(description="the payout is stopped for now")]
    issued_at: Instant | None
    paid_at: Instant | None
    voided_at: Instant | None
    period_start: Instant
    period_end: Instant
    line_items: list[PortalLineOut]
    created_at: Instant

    @classmethod
    def of(cls, bill: Invoice, *, is_held: bool) -> Self:
        """The wire form."""
        totals = bill.totals
        return cls(
            id=bill.id,
            subscription_id=bill.subscription_id,
            status=STATUS_NAMES[bill.status],
            number=invoicing.invoice_number(bill.number, bill.plan_type),
            currency=bill.currency,
            subtotal=format_money(totals.subtotal),
            wht_rate=format_decimal(totals.wht_rate),
            wht_amount=format_money(totals.wht_amount),
            total=format_money(totals.total),
            amount_paid=format_money(bill.amount_paid),
            amount_due=format_money(bill.amount_due),
            is_held=is_held,
            issued_at=bill.finalized_at,
            paid_at=bill.paid_at,
            voided_at=bill.voided_at,
            period_start=bill.period.start,
            period_end=bill.period.end,
            line_items=[PortalLineOut.of(line) for line in bill.lines],
            created_at=bill.created_at,
        )


class PortalBillEnvelope(Outgoing, frozen=True):
    """One bill."""

    bill: PortalBillOut


class PortalBillList(PortalList, frozen=True):
    """Final bills, newest first."""

    bills: list[PortalBillOut]

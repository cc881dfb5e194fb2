"""Bills on the wire."""

from typing import Annotated, Self

from msgspec import Meta

from monigo import customers, invoicing, payouts
from monigo.api.kernel.wire.incoming import also_spelled
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Money, Outgoing, RateText
from monigo.api.merchant.invoices.schemas import LineItemOut
from monigo.core.errors import invalid
from monigo.core.ids import CustomerId, InvoiceId, OrganizationId, SubscriptionId
from monigo.core.money import format_decimal, format_money
from monigo.infra.db import Transaction
from monigo.invoicing import Invoice, InvoiceKind, InvoiceStatus
from monigo.payouts import Payout, PayoutState

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


PayoutStateOut = Annotated[
    PayoutState | None, Meta(description="null where nothing of the bill is owed: a draft, or zero")
]

StatusQuery = Annotated[str | None, also_spelled({"void": "voided"})]


class BillOut(Outgoing, frozen=True):
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
    amount_paid: Money
    amount_due: Money
    payout_state: PayoutStateOut
    payout_reason: Annotated[str, Meta(description="why it is not paid yet")]
    hold_reason: str
    held_at: Instant | None
    voided_at: Instant | None
    period_start: Instant
    period_end: Instant
    line_items: list[LineItemOut]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, bill: Invoice, customer_name: str, payout: Payout | None) -> Self:
        """The wire form."""
        hold = payout.hold if payout is not None else None
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
            subtotal=format_money(bill.totals.subtotal),
            wht_rate=format_decimal(bill.totals.wht_rate),
            wht_amount=format_money(bill.totals.wht_amount),
            total=format_money(bill.totals.total),
            issued_at=bill.finalized_at,
            due_date=bill.due_date,
            paid_at=bill.paid_at,
            amount_paid=format_money(bill.amount_paid),
            amount_due=format_money(bill.amount_due),
            payout_state=payout.state if payout is not None else None,
            payout_reason=payout.reason if payout is not None else "",
            hold_reason=hold.reason if hold is not None else "",
            held_at=hold.at if hold is not None else None,
            voided_at=bill.voided_at,
            period_start=bill.period.start,
            period_end=bill.period.end,
            line_items=[LineItemOut.stored(line) for line in bill.lines],
            created_at=bill.created_at,
            updated_at=bill.updated_at,
        )


class BillEnvelope(Outgoing, frozen=True):
    """One bill."""

    bill: BillOut

    @classmethod
    async def of(cls, tx: Transaction, bill: Invoice) -> Self:
        """The wire form."""
        names = await customers.names(tx, [bill.customer_id])
        payout = (await payouts.get_payouts(tx, [bill.id])).get(bill.id)
        return cls(bill=BillOut.of(tx, bill, names[bill.customer_id], payout))


class BillList(ListEnvelope, frozen=True):
    """Bills, newest first."""

    bills: list[BillOut]

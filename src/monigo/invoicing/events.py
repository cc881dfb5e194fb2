"""The facts of invoices, and of the bills that payout plans have instead."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from monigo.catalog import PlanType
from monigo.core.ids import CustomerId, InvoiceId, SubscriptionId
from monigo.core.money import EXACT
from monigo.infra import outbox
from monigo.infra.db import Transaction
from monigo.infra.outbox import Fact
from monigo.invoicing.rules import invoice_number
from monigo.invoicing.types import Invoice, InvoiceKind, InvoiceStatus, RatedInvoice, Settlement


class DocumentFact(Fact, frozen=True, kw_only=True):
    """Something that happened to an invoice or a bill, with what it is after it."""

    subject_field = "id"

    id: InvoiceId
    number: str
    status: InvoiceStatus
    kind: InvoiceKind
    customer_id: CustomerId
    subscription_id: SubscriptionId
    currency: str
    total: Decimal
    amount_paid: Decimal
    amount_due: Decimal
    period_start: datetime
    period_end: datetime


class InvoiceFact(DocumentFact, frozen=True, kw_only=True):
    """Something that happened to an invoice."""

    subject = "invoice"


class InvoiceCreated(InvoiceFact, frozen=True, kw_only=True):
    """An invoice was written for the first time, as a draft or final at once."""


class InvoiceFinalized(InvoiceFact, frozen=True, kw_only=True):
    """An invoice got its number, and changes no more."""


class InvoicePaid(InvoiceFact, frozen=True, kw_only=True):
    """Nothing is due any more of a final invoice."""


class InvoicePaymentFailed(InvoiceFact, frozen=True, kw_only=True):
    """A try to take what is due of an invoice failed."""


class InvoiceUncollectible(InvoiceFact, frozen=True, kw_only=True):
    """What is due of an invoice is not tried any more; it may still be paid."""


class InvoiceVoided(InvoiceFact, frozen=True, kw_only=True):
    """An invoice was taken back."""


class InvoiceDeleted(InvoiceFact, frozen=True, kw_only=True):
    """A draft was removed."""


class BillFact(DocumentFact, frozen=True, kw_only=True):
    """Something that happened to a bill."""

    subject = "bill"


class BillCreated(BillFact, frozen=True, kw_only=True):
    """A bill was written for the first time, as a draft or final at once."""


class BillFinalized(BillFact, frozen=True, kw_only=True):
    """A bill got its number, and changes no more."""


class BillPaid(BillFact, frozen=True, kw_only=True):
    """Nothing is due any more of a final bill."""


class BillPayoutFailed(BillFact, frozen=True, kw_only=True):
    """A transfer of what is due of a bill failed."""


class BillReopened(BillFact, frozen=True, kw_only=True):
    """What had been paid of a bill came back, and is due again."""


class BillVoided(BillFact, frozen=True, kw_only=True):
    """A bill was taken back."""


class BillDeleted(BillFact, frozen=True, kw_only=True):
    """A draft was removed."""


# Of each kind of document: the fact for an invoice, and the one for a bill.
FactPair = Mapping[PlanType, type[DocumentFact]]

CREATED: FactPair = {PlanType.COLLECTION: InvoiceCreated, PlanType.PAYOUT: BillCreated}
FINALIZED: FactPair = {PlanType.COLLECTION: InvoiceFinalized, PlanType.PAYOUT: BillFinalized}
PAID: FactPair = {PlanType.COLLECTION: InvoicePaid, PlanType.PAYOUT: BillPaid}
PAYMENT_FAILED: FactPair = {
    PlanType.COLLECTION: InvoicePaymentFailed,
    PlanType.PAYOUT: BillPayoutFailed,
}
REOPENED: FactPair = {PlanType.PAYOUT: BillReopened}
UNCOLLECTIBLE: FactPair = {PlanType.COLLECTION: InvoiceUncollectible}
VOIDED: FactPair = {PlanType.COLLECTION: InvoiceVoided, PlanType.PAYOUT: BillVoided}
DELETED: FactPair = {PlanType.COLLECTION: InvoiceDeleted, PlanType.PAYOUT: BillDeleted}


async def emit_created(tx: Transaction, rated: Sequence[RatedInvoice]) -> None:
    """Report those that are written for the first time in `tx`, before what is paid of them."""
    await outbox.emit(
        tx, [_rated(CREATED, item, InvoiceStatus.DRAFT) for item in rated if item.wanted.is_new]
    )


async def emit_settled(
    tx: Transaction, documents: Sequence[Invoice | RatedInvoice], settlements: Sequence[Settlement]
) -> None:
    """Report what payments made of documents, in their order: final ones, and then paid ones."""
    facts: list[Fact] = []
    for document, settled in zip(documents, settlements, strict=True):
        after = settled.status, settled.number, settled.taken
        if document.status is InvoiceStatus.DRAFT:
            facts.append(_after(FINALIZED, document, *after))
        if settled.status is InvoiceStatus.PAID:
            facts.append(_after(PAID, document, *after))
    await outbox.emit(tx, facts)


async def emit(tx: Transaction, pair: FactPair, invoice: Invoice) -> None:
    """Report what became of one stored, locked invoice or bill."""
    await emit_all(tx, pair, [invoice])


async def emit_all(tx: Transaction, pair: FactPair, invoices: Sequence[Invoice]) -> None:
    """Report what became of stored, locked invoices or bills, the same of each."""
    await outbox.emit(tx, [_stored(pair, one) for one in invoices])


def _after(
    pair: FactPair,
    document: Invoice | RatedInvoice,
    status: InvoiceStatus,
    number: int,
    taken: Decimal,
) -> DocumentFact:
    """The fact of a document of which more was paid."""
    if isinstance(document, RatedInvoice):
        return _rated(pair, document, status, number, taken)
    paid = EXACT.add(document.amount_paid, taken)
    return _stored(pair, replace(document, status=status, number=number, amount_paid=paid))


def _stored(pair: FactPair, invoice: Invoice) -> DocumentFact:
    return pair[invoice.plan_type](
        id=invoice.id,
        number=invoice_number(invoice.number, invoice.plan_type),
        status=invoice.status,
        kind=invoice.kind,
        customer_id=invoice.customer_id,
        subscription_id=invoice.subscription_id,
        currency=invoice.currency,
        total=invoice.totals.total,
        amount_paid=invoice.amount_paid,
        amount_due=invoice.amount_due,
        period_start=invoice.period.start,
        period_end=invoice.period.end,
    )


def _rated(
    pair: FactPair,
    item: RatedInvoice,
    status: InvoiceStatus,
    number: int | None = None,
    paid: Decimal = Decimal(0),
) -> DocumentFact:
    wanted, subscription = item.wanted, item.wanted.subscription
    return pair[subscription.plan_type](
        id=wanted.id,
        number=invoice_number(number, subscription.plan_type),
        status=status,
        kind=wanted.kind,
        customer_id=subscription.customer_id,
        subscription_id=subscription.id,
        currency=item.currency,
        total=item.totals.total,
        amount_paid=paid,
        amount_due=EXACT.subtract(item.totals.total, paid),
        period_start=wanted.period.start,
        period_end=wanted.period.end,
    )

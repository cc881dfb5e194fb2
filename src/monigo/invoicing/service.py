"""Use cases of invoices: draft, finalize, void, and the bills that payout plans have instead."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from monigo import customers, subscriptions
from monigo.catalog import PlanType
from monigo.core.errors import DomainError, conflict, invalid, not_found
from monigo.core.ids import InvoiceId, parse_id
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import Period
from monigo.customers import CustomerDeletion
from monigo.infra.db import Transaction
from monigo.invoicing import documents, events, rating
from monigo.invoicing.closing import catch_up, close_period, lock_customers, make_final
from monigo.invoicing.collecting import refuse_in_flight, refuse_voiding
from monigo.invoicing.documents import (
    InvoicePayment,
    Received,
    check_can_delete,
    check_can_finalize,
    check_can_mark_paid,
    check_can_void,
    settle,
)
from monigo.invoicing.paying_out import refuse_bill_in_flight
from monigo.invoicing.rating import rate
from monigo.invoicing.retention import check_can_be_read
from monigo.invoicing.types import (
    Invoice,
    InvoiceFilter,
    InvoiceKind,
    InvoiceRequest,
    InvoiceStatus,
    RatedInvoice,
)
from monigo.subscriptions import Subscription


async def generate(
    tx: Transaction,
    subscription_reference: str,
    *,
    plan_type: PlanType,
    period_start: datetime | None = None,
) -> Invoice:
    """Make or refresh the draft of the period that contains now; it charges nothing.

    With `period_start`, the draft of an ended period all of whose invoices were voided.

    Raises:
        DomainError: not_found, naming the field; invalid, when no period starts there; conflict on
            a plan of the other type, before the start, in the trial, after the end, or for a period
            that is not waived, or whose events are redacted.
    """
    subscription_id = parse_id(subscription_reference)
    try:
        if subscription_id is None:
            raise not_found("subscription")
        subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    except DomainError as error:
        fields = {"subscription_id": error.message}
        raise DomainError(error.kind, error.code, error.message, fields=fields) from error
    _check_plan_type(subscription, plan_type)
    subscription = await catch_up(tx, subscription)
    if period_start is None:
        period = _running_period(tx, subscription)
        wanted = InvoiceRequest.interim_of(subscription, period)
    else:
        period = await _waived_period(tx, subscription, period_start)
        wanted = InvoiceRequest.waived_of(subscription, period)
    await customers.lock(tx, [subscription.customer_id])
    drafts = await documents.load_drafts_of_periods(tx, [(subscription.id, period)])
    known = drafts.get((subscription.id, period.start))
    before = None if known is None else await get(tx, known, plan_type=plan_type)
    wanted = wanted if known is None else wanted.replacing(known)
    await _write_draft(tx, wanted)
    return await _changed(tx, before, wanted.id, plan_type)


async def preview(tx: Transaction, subscription_id: UUID) -> RatedInvoice:
    """What the running period's closing invoice would be if it ended with what was used so far.

    Raises:
        DomainError: not_found; conflict before the start, in the trial or after the end.
    """
    subscription = await subscriptions.get(tx, subscription_id)
    period = _running_period(tx, subscription)
    subscription, period = await foreseen(tx, subscription, period)
    (rated,) = await rate(tx, [InvoiceRequest.closing_of(subscription, period)])
    return rated


async def list_drafts(
    tx: Transaction, window: Period, *, after: InvoiceId | None, limit: int
) -> list[InvoiceId]:
    """The next drafts, by id, whose periods overlap a window."""
    return await documents.list_drafts(tx, window, after=after, limit=limit)


async def refresh_draft(tx: Transaction, invoice_id: UUID) -> None:
    """Recompute a draft under its id; what is no draft any more stays as it is.

    Raises:
        DomainError: not_found; conflict, when the amounts are more than an invoice can hold, or
            events of a closed period are redacted.
    """
    seen = await documents.load(tx, invoice_id)
    if seen is None:
        raise not_found("invoice")
    invoice, subscription = await _locked(tx, invoice_id, seen.plan_type)
    if invoice.status is InvoiceStatus.DRAFT:
        await _write_draft(tx, _again(invoice, subscription))


async def recheck(tx: Transaction, window: Period, event_name: str) -> None:
    """Schedule a check of the closed periods that overlap a replay's window.

    Their differences, under the metrics of now, come with the next closing or supplementary
    invoice. `event_name` "" is for all events.
    """
    await rating.remeasure(tx, window, event_name)
    await subscriptions.recheck(tx, window)


async def get(
    tx: Transaction,
    invoice_id: UUID,
    *,
    plan_type: PlanType = PlanType.COLLECTION,
    for_update: bool = False,
) -> Invoice:
    """One invoice, or for a payout plan one bill. Raises not_found."""
    return _of_type(await documents.load(tx, invoice_id, for_update=for_update), plan_type)


async def heads(tx: Transaction, invoice_ids: Collection[InvoiceId]) -> dict[InvoiceId, Invoice]:
    """Invoices and bills by id, without their lines; those that are gone are absent."""
    return await documents.load_heads(tx, list(invoice_ids))


async def list_page(tx: Transaction, request: PageRequest, wanted: InvoiceFilter) -> Page[Invoice]:
    """Invoices that match, newest first; none for an unknown customer."""
    customer_id = None
    if wanted.customer is not None:
        customer_id = (await customers.resolve(tx, [wanted.customer])).get(wanted.customer)
        if customer_id is None:
            return Page([], 0, request.offset)
    return await documents.list_page(tx, request, wanted, customer_id)


async def finalize(
    tx: Transaction, invoice_id: UUID, *, plan_type: PlanType = PlanType.COLLECTION
) -> Invoice:
    """Recompute a draft, number it, and make it final. A zero total is paid at once.

    The draft of a period that has ended becomes its closing invoice, without its grace time.

    Raises:
        DomainError: not_found; conflict, unless it is a draft, or when events are redacted of its
            closed period; insufficient, when the plan is paid from a wallet that has too little.
    """
    invoice, subscription = await _locked(tx, invoice_id, plan_type)
    check_can_finalize(invoice)
    subscription = await catch_up(tx, subscription)
    await lock_customers(tx, [subscription])
    open_period = subscriptions.first_open_period(subscription)
    if (
        open_period is not None
        and open_period.end <= tx.now
        and (invoice.period.start >= open_period.start)
    ):
        if invoice.period.start > open_period.start:
            raise conflict("earlier_period_open", "an earlier period is still to be closed")
        await close_period(tx, subscription, open_period)
        return await _changed(tx, invoice, invoice.id, plan_type)
    rated = await _rated(tx, _again(invoice, subscription))
    paid = await documents.pay(tx, rated)
    if paid.short:
        raise documents.insufficient(rated[0])
    await make_final(tx, rated, paid)
    return await _changed(tx, invoice, invoice.id, plan_type)


async def mark_paid(
    tx: Transaction,
    invoice_id: UUID,
    *,
    reference: str,
    paid_at: datetime | None,
    is_whole: bool = False,
) -> Invoice:
    """Note that an invoice's money was received elsewhere, under the merchant's reference.

    The payment is what was still due, and nothing is refunded. With `is_whole` all of the invoice
    was received elsewhere, so that what wallet and credits paid of it is refunded.

    Raises:
        DomainError: not_found; invalid (reference, paid_at); conflict, unless it is to be paid, or
            while a payment of it is on its way.
    """
    unpaid, _ = await _locked(tx, invoice_id)
    faults: dict[str, str] = {}
    if not reference.strip():
        faults["reference"] = "is required"
    if paid_at is not None and paid_at > tx.now:
        faults["paid_at"] = "must not lie in the future"
    if faults:
        raise invalid(faults)
    check_can_mark_paid(unpaid)
    await refuse_in_flight(tx, unpaid.id)
    invoice = unpaid
    if is_whole:
        await documents.refund(tx, invoice)
        invoice = await get(tx, invoice.id)
    received = Received(invoice.due, reference.strip(), paid_at or tx.now)
    await settle(tx, [InvoicePayment(invoice, received)])
    return await _changed(tx, unpaid, invoice.id)


async def void(
    tx: Transaction, invoice_id: UUID, *, plan_type: PlanType = PlanType.COLLECTION
) -> Invoice:
    """Take an invoice back.

    In a running period its usage is left to the closing invoice, in an ended one it is waived.
    What it carried of other periods falls due again, what wallet and credits had paid of it goes
    back to them, and what providers received to the customer's wallet.

    Raises:
        DomainError: not_found; conflict, when paid or void already, or while a payment of it or a
            refund is on its way.
    """
    invoice, subscription = await _locked(tx, invoice_id, plan_type)
    check_can_void(invoice)
    if plan_type is PlanType.COLLECTION:
        await refuse_voiding(tx, invoice.id)
    elif invoice.status is not InvoiceStatus.DRAFT:
        await refuse_bill_in_flight(tx, invoice.id)
    await documents.void(tx, invoice)
    await _recheck_carried(tx, invoice, subscription)
    voided = await _changed(tx, invoice, invoice.id, plan_type)
    await events.emit(tx, events.VOIDED, voided)
    return voided


async def delete(
    tx: Transaction, invoice_id: UUID, *, plan_type: PlanType = PlanType.COLLECTION
) -> None:
    """Remove a draft.

    Raises:
        DomainError: not_found; conflict, unless it is a draft.
    """
    invoice, _ = await _locked(tx, invoice_id, plan_type)
    check_can_delete(invoice)
    await documents.delete(tx, invoice.id)
    await events.emit(tx, events.DELETED, invoice)
    tx.changed(invoice, None)


async def refuse_customer_with_unpaid_invoice(tx: Transaction, asked: CustomerDeletion) -> None:
    """Raise conflict while a customer has an unpaid invoice."""
    if await documents.count_unpaid(tx, asked.customer_id):
        raise conflict("customer_owes", "the customer has an unpaid invoice")


async def _locked(
    tx: Transaction, invoice_id: UUID, plan_type: PlanType = PlanType.COLLECTION
) -> tuple[Invoice, Subscription]:
    """An invoice, under the locks that make sums over its period and customer stand still.

    The order is the same everywhere: subscription, customer, invoice.
    """
    seen = await get(tx, invoice_id, plan_type=plan_type)
    subscription = await subscriptions.lock(tx, seen.subscription_id)
    await customers.lock(tx, [seen.customer_id])
    # It may have been deleted while we waited.
    invoice = _of_type(await documents.load(tx, invoice_id, for_update=True), plan_type)
    return invoice, subscription


async def _changed(
    tx: Transaction,
    before: Invoice | None,
    invoice_id: InvoiceId,
    plan_type: PlanType = PlanType.COLLECTION,
) -> Invoice:
    """An invoice as it stands after what was done to it, which is noted."""
    invoice = await get(tx, invoice_id, plan_type=plan_type)
    tx.changed(before, invoice)
    return invoice


def _of_type(invoice: Invoice | None, plan_type: PlanType) -> Invoice:
    if invoice is None or invoice.plan_type is not plan_type:
        raise not_found("invoice" if plan_type is PlanType.COLLECTION else "bill")
    return invoice


def _again(draft: Invoice, subscription: Subscription) -> InvoiceRequest:
    """A draft to be recomputed under its id; one of the grace time with all that a closing has."""
    if draft.kind is not InvoiceKind.CLOSING:
        wanted = InvoiceRequest.interim_of(subscription, draft.period, kind=draft.kind)
    elif draft.period.end > subscription.closed_until:
        wanted = InvoiceRequest.closing_of(subscription, draft.period)
    else:
        wanted = InvoiceRequest.waived_of(subscription, draft.period)
    return wanted.replacing(draft.id)


async def _write_draft(tx: Transaction, wanted: InvoiceRequest) -> None:
    """Store a draft with its present amounts, unless these can't be computed any more."""
    rated = await _rated(tx, wanted)
    await events.emit_created(tx, rated)
    await documents.write_drafts(tx, rated)


async def _rated(tx: Transaction, wanted: InvoiceRequest) -> list[RatedInvoice]:
    """The invoice with its present amounts, unless these can't be computed any more."""
    rated = await rate(tx, [wanted])
    await check_can_be_read(tx, rated)
    return rated


def _check_plan_type(subscription: Subscription, plan_type: PlanType) -> None:
    if subscription.plan_type is plan_type:
        return
    if plan_type is PlanType.COLLECTION:
        raise conflict("payout_plan", "a payout plan is billed by bills, not by invoices")
    raise conflict("collection_plan", "a collection plan is billed by invoices, not by bills")


def _running_period(tx: Transaction, subscription: Subscription) -> Period:
    if subscription.status is subscriptions.Status.CANCELED:
        raise conflict("subscription_canceled", "the subscription is canceled")
    period = subscriptions.period_containing(subscription, tx.now)
    if period is None:
        raise conflict("subscription_not_started", "the subscription has not started yet")
    if subscriptions.is_trial(subscription, period):
        raise conflict("subscription_in_trial", "a trial is not billed")
    return period


async def foreseen(
    tx: Transaction, subscription: Subscription, period: Period
) -> tuple[Subscription, Period]:
    """The subscription as it will stand at its running period's end, if it is left alone."""
    ends_at = subscriptions.ends_at(subscription)
    if ends_at is not None and ends_at <= period.end:
        status = subscriptions.Status.CANCELED
        ended = replace(subscription, status=status, canceled_at=ends_at)
        return ended, Period(period.start, max(ends_at, tx.now))
    if subscription.scheduled_at == period.end:
        return await subscriptions.as_after_plan_change(tx, subscription), period
    return subscription, period


async def _waived_period(
    tx: Transaction, subscription: Subscription, period_start: datetime
) -> Period:
    if period_start > tx.now:
        # Also keeps instants out from which the calendar would end before the period does.
        raise invalid({"period_start": "must not lie in the future"})
    period = subscriptions.period_containing(subscription, period_start)
    if period is None or period.start != period_start:
        raise invalid({"period_start": "is not the start of one of the subscription's periods"})
    if period.end > subscription.closed_until:
        raise conflict("period_open", "the period has not been closed yet")
    if not await documents.is_waived(tx, subscription.id, period):
        raise conflict("period_billed", "the period has an invoice that is not void")
    return period


async def _recheck_carried(tx: Transaction, invoice: Invoice, subscription: Subscription) -> None:
    """Look again at the closed periods whose adjustments or fees a voided invoice carried."""
    carried = [
        stored.line.period.start
        for stored in invoice.lines
        if stored.line.period.start != invoice.period.start
    ]
    if invoice.finalized_at is None or not carried:
        return
    known = [instant for instant in (subscription.recheck_from, *carried) if instant is not None]
    await subscriptions.save(tx, replace(subscription, recheck_from=min(known)))

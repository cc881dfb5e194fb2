"""Use cases of invoices: draft, finalize, void, and the closing one when a subscription ends."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from monigo import catalog, customers, metering, subscriptions, tenancy
from monigo.catalog import Plan, PlanType
from monigo.core.errors import DomainError, conflict, ensure, not_found
from monigo.core.ids import CustomerId, InvoiceId, parse_id
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import Period
from monigo.core.pricing import Charge, FlatUnit
from monigo.infra.database import Transaction
from monigo.infra.ids import new_id
from monigo.invoicing import store
from monigo.invoicing.rules import (
    check_can_delete,
    check_can_finalize,
    check_can_void,
    totals,
    usage_lines,
    with_credit,
)
from monigo.invoicing.types import (
    BilledGroups,
    Invoice,
    InvoiceFilter,
    InvoiceKind,
    InvoiceStatus,
    Line,
    PricedUsage,
    Totals,
)
from monigo.metering import UsageQuery
from monigo.subscriptions import Subscription

_NO_TOTALS = Totals(Decimal(0), False, Decimal(0), Decimal(0), Decimal(0))
# A price that is no longer on the plan is worth nothing, whatever was used.
_WORTHLESS = Charge(FlatUnit(Decimal(0)))


async def generate(tx: Transaction, subscription_reference: str) -> Invoice:
    """Make or refresh the draft of the period that contains now; it charges nothing.

    Raises:
        DomainError: not_found, naming the field; conflict on a payout plan, before the start, in
            the trial or after the end.
    """
    subscription_id = parse_id(subscription_reference)
    try:
        if subscription_id is None:
            raise not_found("subscription")
        subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    except DomainError as error:
        fields = {"subscription_id": error.message}
        raise DomainError(error.kind, error.code, error.message, fields=fields) from error
    if subscription.plan_type is PlanType.PAYOUT:
        raise conflict("payout_plan", "a payout plan is billed by bills, not by invoices")
    if subscription.status is subscriptions.Status.CANCELED:
        raise conflict("subscription_canceled", "the subscription is canceled")
    period = subscriptions.period_containing(subscription, tx.now)
    if period is None:
        raise conflict("subscription_not_started", "the subscription has not started yet")
    if subscriptions.is_trial(subscription, period):
        raise conflict("subscription_in_trial", "a trial is not billed")
    await customers.hold(tx, subscription.customer_id)
    draft = await _draft_of(tx, subscription, period)
    await _fill(tx, draft, subscription)
    return await get(tx, draft.id)


async def list_drafts(
    tx: Transaction, window: Period, *, after: InvoiceId | None, limit: int
) -> list[InvoiceId]:
    """The next drafts, by id, whose periods overlap a window."""
    return await store.list_drafts(tx, window, after=after, limit=limit)


async def refresh_draft(tx: Transaction, invoice_id: UUID) -> None:
    """Recompute a draft under its id; what is no draft any more stays as it is.

    Raises:
        DomainError: not_found; conflict, when the amounts are more than an invoice can hold.
    """
    invoice, subscription = await _locked(tx, invoice_id)
    if invoice.status is InvoiceStatus.DRAFT:
        await _fill(tx, invoice, subscription)


async def get(tx: Transaction, invoice_id: UUID) -> Invoice:
    """One invoice. Raises not_found."""
    invoice = await store.load(tx, invoice_id)
    if invoice is None:
        raise not_found("invoice")
    return invoice


async def list_page(tx: Transaction, request: PageRequest, wanted: InvoiceFilter) -> Page[Invoice]:
    """Invoices that match, newest first; none for an unknown customer."""
    customer_id = None
    if wanted.customer is not None:
        customer_id = (await customers.resolve(tx, [wanted.customer])).get(wanted.customer)
        if customer_id is None:
            return Page([], 0, request.offset)
    return await store.list_page(tx, request, customer_id=customer_id, status=wanted.status)


async def finalize(tx: Transaction, invoice_id: UUID) -> Invoice:
    """Recompute a draft, number it, and make it final. A zero total is paid at once.

    Raises:
        DomainError: not_found; conflict, unless it is a draft.
    """
    invoice, subscription = await _locked(tx, invoice_id)
    check_can_finalize(invoice)
    return await _finalize(tx, invoice, subscription)


async def void(tx: Transaction, invoice_id: UUID) -> Invoice:
    """Take an invoice back: its usage falls due again on the next one of its period.

    Raises:
        DomainError: not_found; conflict, when paid or void already.
    """
    invoice, _ = await _locked(tx, invoice_id)
    check_can_void(invoice)
    await store.void(tx, invoice.id)
    return await get(tx, invoice.id)


async def delete(tx: Transaction, invoice_id: UUID) -> None:
    """Remove a draft.

    Raises:
        DomainError: not_found; conflict, unless it is a draft.
    """
    invoice, _ = await _locked(tx, invoice_id)
    check_can_delete(invoice)
    await store.delete(tx, invoice.id)


async def cancel_subscription(tx: Transaction, subscription_id: UUID) -> Subscription:
    """End a subscription now and invoice what it used in the period that this cuts short.

    Raises:
        DomainError: not_found; conflict, when it has ended already.
    """
    subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    canceled = await subscriptions.cancel(tx, subscription)
    period = subscriptions.current_period(canceled, tx.now)
    is_billed = (
        canceled.plan_type is PlanType.COLLECTION
        and period.start < tx.now
        and not subscriptions.is_trial(canceled, period)
    )
    if is_billed:
        await customers.hold(tx, canceled.customer_id)
        draft = await _draft_of(tx, canceled, period)
        await _finalize(tx, replace(draft, kind=InvoiceKind.CLOSING, period=period), canceled)
    return canceled


async def delete_subscription(tx: Transaction, subscription_id: UUID) -> None:
    """Cancel a subscription, unless it has ended, and take it off the lists. Raises not_found."""
    subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    if subscription.status is not subscriptions.Status.CANCELED:
        await cancel_subscription(tx, subscription_id)
    await subscriptions.hide(tx, subscription.id)


async def refuse_customer_with_unpaid_invoice(tx: Transaction, customer_id: CustomerId) -> None:
    """Raise conflict while a customer owes an invoice."""
    if await store.count_unpaid(tx, customer_id):
        raise conflict("customer_owes", "the customer has an unpaid invoice")


async def _locked(tx: Transaction, invoice_id: UUID) -> tuple[Invoice, Subscription]:
    """An invoice, under the locks that make sums over its period and customer stand still.

    The order is the same everywhere: subscription, customer, invoice.
    """
    seen = await get(tx, invoice_id)
    subscription = await subscriptions.hold(tx, seen.subscription_id)
    await customers.hold(tx, seen.customer_id)
    invoice = await store.load(tx, invoice_id, for_update=True)
    if invoice is None:  # Deleted while we waited.
        raise not_found("invoice")
    return invoice, subscription


async def _draft_of(tx: Transaction, subscription: Subscription, period: Period) -> Invoice:
    """The draft of a period, locked; a new one where there is none."""
    draft = await store.load_draft_of_period(tx, subscription.id, period)
    if draft is not None:
        return draft
    plan = await _plan_of(tx, subscription)
    draft = Invoice(
        id=InvoiceId(new_id()),
        customer_id=subscription.customer_id,
        subscription_id=subscription.id,
        kind=InvoiceKind.INTERIM,
        status=InvoiceStatus.DRAFT,
        number=None,
        currency=plan.details.currency,
        totals=_NO_TOTALS,
        period=period,
        lines=(),
        created_at=tx.now,
        updated_at=tx.now,
        finalized_at=None,
        paid_at=None,
        voided_at=None,
        due_date=None,
    )
    await store.insert_draft(tx, draft)
    return draft


async def _finalize(tx: Transaction, draft: Invoice, subscription: Subscription) -> Invoice:
    filled = await _fill(tx, draft, subscription)
    is_free = filled.totals.total == 0
    status = InvoiceStatus.PAID if is_free else InvoiceStatus.FINALIZED
    await store.finalize(tx, draft.id, status)
    return await get(tx, draft.id)


async def _fill(tx: Transaction, draft: Invoice, subscription: Subscription) -> Invoice:
    """Recompute a locked draft's lines and sums from the events."""
    billed = await store.sum_billed(tx, subscription.id, draft.period)
    usages = await _priced_usage(tx, subscription, draft.period, billed)
    lines: Sequence[Line] = with_credit(
        usage_lines(draft.period, usages, billed),
        period=draft.period,
        currency=draft.currency,
        available=await store.sum_credit(tx, draft.customer_id, draft.currency),
    )
    organization = await tenancy.get_organization(tx)
    filled = replace(
        draft,
        totals=totals(
            lines,
            currency=draft.currency,
            vat_enabled=organization.vat_enabled,
            vat_rate=organization.vat_rate,
        ),
    )
    await store.fill_draft(tx, filled, lines)
    return filled


async def _priced_usage(
    tx: Transaction,
    subscription: Subscription,
    period: Period,
    billed: BilledGroups,
) -> list[PricedUsage]:
    """The period's whole usage under each price of the plan, and under those it had before."""
    plan = await _plan_of(tx, subscription)
    metrics = await catalog.get_metrics(tx, {price.terms.metric_id for price in plan.prices})
    windows = await subscriptions.billable_windows(tx, subscription, period)
    usages = await metering.measure(
        tx,
        [
            UsageQuery(subscription.customer_id, metrics[price.terms.metric_id], windows)
            for price in plan.prices
        ],
    )
    priced = [
        PricedUsage(
            price_id=price.id,
            metric_id=price.terms.metric_id,
            description=metrics[price.terms.metric_id].definition.name,
            charge=price.terms.charge,
            revision=price.revision,
            quantity=usage.quantity,
            event_count=usage.event_count,
            groups=usage.groups,
        )
        for price, usage in zip(plan.prices, usages, strict=True)
    ]
    removed = billed.keys() - {price.id for price in plan.prices}
    return priced + [
        PricedUsage(price_id, metric_id, description, _WORTHLESS, 0, Decimal(0), 0)
        for price_id, metric_id, description in await store.load_billed_prices(
            tx, list(removed), subscription.id, period
        )
    ]


async def _plan_of(tx: Transaction, subscription: Subscription) -> Plan:
    plans = await catalog.get_plans(tx, [subscription.plan_id])
    ensure(subscription.plan_id in plans, "a subscription's plan exists")
    return plans[subscription.plan_id]

"""How invoices are paid from customers' wallets, and how what they paid goes back.

Prepaid and realtime invoices are paid by credits and money, in one transaction with what makes
them final; postpaid ones by credits and by money that came in excess, as far as these go.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from msgspec import Struct

from monigo import books, catalog, subscriptions, tenancy, wallets
from monigo.catalog import BillingMode, PlanType
from monigo.core.errors import DomainError, ErrorKind
from monigo.core.ids import CustomerId, InvoiceId, MetricId, SubscriptionId
from monigo.core.money import EXACT, Money
from monigo.core.times import format_instant
from monigo.infra.agenda import Entry
from monigo.infra.db import Transaction
from monigo.invoicing import booking
from monigo.invoicing.documents import charges_store, states_store, store
from monigo.invoicing.documents.charges_store import Charge, ChargeKey, Parts
from monigo.invoicing.documents.payment_rules import (
    Division,
    Limits,
    divide,
    due_by_metric,
    merged,
    shares_of,
    sum_of,
)
from monigo.invoicing.documents.settlement import ByWallet, InvoicePayment, settle
from monigo.invoicing.types import Invoice, InvoiceKind, RatedInvoice
from monigo.subscriptions import Subscription
from monigo.wallets import AccountKind, Extent, PaidPart, Payment, Repayment

# What a movement is referred to by. A running period's charges name the period, because there is no
# invoice yet; an invoice's payment and refund name the invoice.
INVOICE = "invoice"
PERIOD = "subscription_period"

# A voided invoice's period may be billed again; as long as an expired grant is kept for others.
KEPT_AFTER_VOID = timedelta(days=90)


class Paid(Struct, frozen=True):
    """What wallets paid of invoices, by their sources; and those for which too little was there.

    What takes nothing is absent. Of an invoice that is short, what was charged before counts only
    where its subscription has ended: any other one stays a draft.
    """

    parts: Mapping[InvoiceId, Parts]
    short: frozenset[InvoiceId]


NOTHING_PAID = Paid({}, frozenset())


async def pay(tx: Transaction, rated: Sequence[RatedInvoice]) -> Paid:
    """Pay what wallets are to pay of invoices that become final.

    Realtime charges of the period are taken off first; what they took too much goes back when the
    period closes.
    """
    payable = await _to_be_paid(tx, rated)
    if not payable:
        return NOTHING_PAID
    is_excess_used = (await tenancy.get_organization(tx)).collection.apply_wallet_to_invoices
    of_postpaid = Extent.CREDITS_AND_EXCESS if is_excess_used else Extent.CREDITS
    charged = await _charged(tx, payable)
    limits = await _limits(tx, charged.values())
    divided = [_divide(item, charged.get(_key(item)), limits) for item in payable]
    rests = [
        EXACT.subtract(item.totals.total, sum_of(division.kept))
        for item, division in zip(payable, divided, strict=True)
    ]
    if any(division.excess for division in divided):
        # Those that pay and those that get back, in one order.
        await wallets.lock_owned(tx, [_owner(item) for item in payable])
    took = iter(
        await wallets.pay_all(
            tx,
            [
                _payment(item, rest, partial(_counted, item, charged, division), extent=extent)
                for item, division, rest in zip(payable, divided, rests, strict=True)
                for extent in (of_postpaid if _is_postpaid(item) else Extent.WHOLE,)
                if rest > 0
            ],
        )
    )
    parts: dict[InvoiceId, Parts] = {}
    short: set[InvoiceId] = set()
    left: dict[ChargeKey, Charge] = {}
    back: list[Repayment] = []
    for item, division, rest in zip(payable, divided, rests, strict=True):
        taken = next(took) if rest > 0 else []
        if item.billing_mode is not BillingMode.POSTPAID and sum_of(taken) < rest:
            short.add(item.wanted.id)
            if item.wanted.subscription.status is not subscriptions.Status.CANCELED:
                continue
            # A later credit may be for some of its metrics only.
            parts[item.wanted.id] = _counted(item, charged, division)
        elif paid := merged(division.kept, taken):
            parts[item.wanted.id] = paid
        if _key(item) in charged:
            is_closed = item.wanted.kind is InvoiceKind.CLOSING
            left[_key(item)] = Charge.of(() if is_closed else division.excess)
            if is_closed:
                back.append(_repayment(item, division.excess))
    await charges_store.set_charges(tx, left)
    await wallets.repay_all(tx, back)
    return Paid(parts, frozenset(short))


async def charge(tx: Transaction, rated: Sequence[RatedInvoice]) -> set[InvoiceId]:
    """Take what running realtime periods have come to since the last time, as far as it is there.

    Returns the ids of the previews for which the wallet had too little; their rest stays due.
    """
    keys = [_key(item) for item in rated]
    charged = await charges_store.load_charges(tx, keys)
    due = [
        (item, key, rest)
        for item, key in zip(rated, keys, strict=True)
        if (rest := EXACT.subtract(item.totals.total, _amount(charged.get(key)))) > 0
    ]
    paid = await wallets.pay_all(
        tx,
        [
            _payment(item, rest, partial(_parts, item, charged.get(key)), extent=Extent.IN_PART)
            for item, key, rest in due
        ],
    )
    charges: dict[ChargeKey, Charge] = {}
    short: set[InvoiceId] = set()
    for (item, key, rest), took in zip(due, paid, strict=True):
        if took:
            charges[key] = _charged_more(item, charged.get(key), took)
        if sum_of(took) < rest:
            short.add(item.wanted.id)
    await charges_store.set_charges(tx, charges)
    return short


async def pay_waiting(tx: Transaction, customer_id: CustomerId) -> None:
    """Pay final invoices that a locked customer's wallet could not pay before, oldest first."""
    for invoice_id, _ in await charges_store.list_waiting(tx, [customer_id]):
        invoice = await store.load(tx, invoice_id, for_update=True)
        if invoice is None:
            continue
        if not await pay_whole(tx, invoice):
            return  # What is there waits for the oldest.


async def pay_whole(tx: Transaction, invoice: Invoice) -> bool:
    """Pay all that is due of a locked final invoice from its customer's wallet, if it is there."""
    await booking.bring_in(tx, [invoice])
    before = await charges_store.load_parts(tx, invoice.id)
    (took,) = await wallets.pay_all(tx, [_payment_of(invoice, before)])
    if sum_of(took) != invoice.amount_due:
        return False
    await settle(tx, [InvoicePayment(invoice, ByWallet(tuple(took), before))])
    return True


async def refund(tx: Transaction, invoice: Invoice) -> None:
    """Refund what a wallet paid of a locked, unpaid invoice to the sources that paid it.

    All of it was received elsewhere.
    """
    if invoice.wallet_paid:
        await booking.bring_in(tx, [invoice])
        parts = await charges_store.load_parts(tx, invoice.id)
        await states_store.revert_payments(tx, invoice.id)
        await wallets.repay_all(tx, [_repayment_of(invoice, parts, kept_for=timedelta(0))])
        await books.post(tx, booking.paid_back(invoice))


async def void(tx: Transaction, invoice: Invoice) -> None:
    """Take back a locked invoice, and refund what a wallet paid of it to the sources that did."""
    await booking.bring_in(tx, [invoice])
    parts = await charges_store.load_parts(tx, invoice.id) if invoice.wallet_paid else ()
    await states_store.void(tx, invoice.id)
    await wallets.repay_all(tx, [_repayment_of(invoice, parts, kept_for=KEPT_AFTER_VOID)])
    await books.post(tx, booking.voided(invoice))


async def refund_charges(
    tx: Transaction, subscription: Subscription, period_start: datetime, currency: str
) -> None:
    """Refund what was charged for a period that will not be billed to the sources that paid it.

    The subscription and then its customer are locked.
    """
    key = subscription.id, period_start
    charge = (await charges_store.load_charges(tx, [key])).get(key)
    if charge is None or not charge.amount:
        return
    await charges_store.set_charges(tx, {key: Charge.of(())})
    repayment = Repayment(
        customer_id=subscription.customer_id,
        currency=currency,
        parts=charge.parts(currency),
        description=f"paid back for usage from {period_start.date()}",
        reference_type=PERIOD,
        reference_id=_period_reference(*key),
    )
    await wallets.repay_all(tx, [repayment])


async def wake(tx: Transaction, entries: Sequence[Entry]) -> tuple[()]:
    """Have those customers' subscriptions looked at again that wait for a credit, which came."""
    customer_ids = [CustomerId(entry.subject) for entry in entries]
    waiting = await charges_store.list_waiting(tx, customer_ids)
    await subscriptions.wake(tx, customer_ids, [known for _, known in waiting])
    return ()


async def open_periods(
    tx: Transaction, customer_ids: Collection[CustomerId]
) -> dict[tuple[CustomerId, str], datetime]:
    """For customers and currencies, when the first period ends whose invoice is not paid yet.

    Of collection plans, trials left out; with invoices that wait for a credit.
    """
    ends = [
        ((customer_id, currency), end)
        for customer_id, currency, end in await charges_store.list_waiting_ends(tx, customer_ids)
    ]
    known = [
        (one, period)
        for one in await subscriptions.of_customers(tx, customer_ids)
        if one.plan_type is PlanType.COLLECTION
        and (period := subscriptions.first_open_period(one)) is not None
        and not subscriptions.is_trial(one, period)
    ]
    phases = {one.id: subscriptions.phase_at(one, period.start) for one, period in known}
    plans = await catalog.get_plans(tx, {phase.plan_id for phase in phases.values()})
    for one, period in known:
        currency = plans[phases[one.id].plan_id].details.currency
        ends.append(((one.customer_id, currency), period.end))
    first: dict[tuple[CustomerId, str], datetime] = {}
    for owner, end in ends:
        first[owner] = min(end, first.get(owner, end))
    return first


def insufficient(item: RatedInvoice | Invoice | None = None) -> DomainError:
    """The refusal of what a wallet can't pay: an invoice, or all that is due."""
    due = item.due if item else "what is due"
    message = f"the customer's wallet can't pay {due}"
    return DomainError(ErrorKind.INSUFFICIENT, "insufficient_balance", message)


async def _to_be_paid(tx: Transaction, rated: Sequence[RatedInvoice]) -> list[RatedInvoice]:
    """What is paid from wallets: no bills, and postpaid invoices only of credits or excess."""
    invoices = [item for item in rated if _is_invoice(item)]
    postpaid = {item.wanted.subscription.customer_id for item in invoices if _is_postpaid(item)}
    owners = await wallets.owners_with_credits_or_excess(tx, postpaid) if postpaid else set()
    return [item for item in invoices if not _is_postpaid(item) or _owner(item) in owners]


def _charged_more(item: RatedInvoice, before: Charge | None, took: Sequence[PaidPart]) -> Charge:
    """What is charged for a running period after more of it was taken."""
    is_by_money = all(part.grant_id is None for part in took)
    if is_by_money and (before is None or before.is_of_money or not before.amount):
        amount = EXACT.add(_amount(before), sum_of(took))
        return Charge.of_money(amount, item.lines, item.totals.total)
    if is_by_money:
        # A wallet whose credits are used up has no metrics any more.
        took = wallets.parts_of((), _due(item, _parts(item, before)), sum_of(took))
    return Charge.of(merged(_parts(item, before), took))


def _amount(charge: Charge | None) -> Decimal:
    return Decimal(0) if charge is None else charge.amount


def _parts(item: RatedInvoice, charge: Charge | None) -> Parts:
    return () if charge is None else charge.parts(item.currency)


def _counted(item: RatedInvoice, charged: Mapping[ChargeKey, Charge], division: Division) -> Parts:
    """What was charged before and counts for an invoice, with the metrics that it was paid for."""
    charge = charged.get(_key(item))
    return _parts(item, charge) if charge is not None and charge.is_of_money else division.kept


async def _charged(tx: Transaction, payable: Sequence[RatedInvoice]) -> dict[ChargeKey, Charge]:
    """What was charged before of the periods that are not billed postpaid."""
    keys = [_key(item) for item in payable if item.billing_mode is not BillingMode.POSTPAID]
    return await charges_store.load_charges(tx, keys) if keys else {}


async def _limits(tx: Transaction, charges: Iterable[Charge]) -> Limits:
    paid = [
        charges_store.decode_parts(charge.stored) for charge in charges if not charge.is_of_money
    ]
    return await wallets.metrics_of_grants(
        tx, {part.grant_id for parts in paid for part in parts if part.grant_id is not None}
    )


def _divide(item: RatedInvoice, charge: Charge | None, limits: Limits) -> Division:
    if charge is None or not charge.amount:
        return Division((), ())
    total = item.totals.total
    if charge.is_of_money:
        return divide([PaidPart(None, None, charge.amount)], {}, total, {})
    shares = shares_of(item.lines, total, item.currency)
    return divide(charge.parts(item.currency), shares, total, limits)


def _owner(item: RatedInvoice) -> tuple[CustomerId, str]:
    return item.wanted.subscription.customer_id, item.currency


def _is_invoice(item: RatedInvoice) -> bool:
    return item.wanted.subscription.plan_type is PlanType.COLLECTION


def _is_postpaid(item: RatedInvoice) -> bool:
    return item.billing_mode is BillingMode.POSTPAID


def _key(item: RatedInvoice) -> ChargeKey:
    return item.wanted.subscription.id, item.wanted.period.start


def _due(item: RatedInvoice, before: Parts) -> Mapping[MetricId | None, Decimal]:
    """What may still be paid for each metric of an invoice, after what was paid before."""
    return due_by_metric(shares_of(item.lines, item.totals.total, item.currency), before)


def _payment(
    item: RatedInvoice, amount: Decimal, before: Callable[[], Parts], *, extent: Extent
) -> Payment:
    is_running = extent is Extent.IN_PART
    return Payment(
        customer_id=item.wanted.subscription.customer_id,
        amount=Money(amount, item.currency),
        due=lambda: _due(item, before()),
        period_end=item.wanted.period.end,
        description=f"usage from {item.wanted.period.start.date()}",
        reference_type=PERIOD if is_running else INVOICE,
        reference_id=_period_reference(*_key(item)) if is_running else str(item.wanted.id),
        extent=extent,
    )


def _period_reference(subscription_id: SubscriptionId, period_start: datetime) -> str:
    """What `verify_store` puts together from a period's columns."""
    return f"{subscription_id}/{format_instant(period_start)}"


def _payment_of(invoice: Invoice, before: Parts) -> Payment:
    lines = [stored.line for stored in invoice.lines]
    shares = shares_of(lines, invoice.totals.total, invoice.currency)
    return Payment(
        customer_id=invoice.customer_id,
        amount=invoice.due,
        due=lambda: due_by_metric(shares, before),
        period_end=invoice.period.end,
        description=f"usage from {invoice.period.start.date()}",
        reference_type=INVOICE,
        reference_id=str(invoice.id),
        counter_account_id=books.account_id(
            invoice.customer_id, invoice.currency, AccountKind.RECEIVABLE
        ),
    )


def _repayment_of(invoice: Invoice, parts: Parts, *, kept_for: timedelta) -> Repayment:
    return Repayment(
        customer_id=invoice.customer_id,
        currency=invoice.currency,
        parts=parts,
        description=f"paid back for usage from {invoice.period.start.date()}",
        reference_type=INVOICE,
        reference_id=str(invoice.id),
        kept_for=kept_for,
        is_excess=invoice.billing_mode is BillingMode.POSTPAID,
    )


def _repayment(item: RatedInvoice, parts: Parts) -> Repayment:
    return Repayment(
        customer_id=item.wanted.subscription.customer_id,
        currency=item.currency,
        parts=parts,
        description=f"charged too much from {item.wanted.period.start.date()}",
        reference_type=INVOICE,
        reference_id=str(item.wanted.id),
    )

"""How prepaid and realtime invoices are paid: from the customer's wallet, in one transaction."""

from collections.abc import Sequence
from decimal import Decimal

from monigo import subscriptions, wallets
from monigo.catalog import BillingMode
from monigo.core.errors import DomainError, ErrorKind
from monigo.core.ids import CustomerId, InvoiceId, MetricId
from monigo.core.money import EXACT, format_money
from monigo.core.times import format_instant
from monigo.infra.database import Transaction
from monigo.infra.outbox import EventType
from monigo.invoicing import charges_store, store
from monigo.invoicing.charges_store import ChargeKey
from monigo.invoicing.happenings import tell
from monigo.invoicing.types import Invoice, InvoiceKind, InvoiceStatus, Line, Reckoned
from monigo.wallets import Payment, Refund

# What a movement is referred to by. A running period's charges name the period, because there is no
# invoice yet; an invoice's payment and refund name the invoice.
INVOICE = "invoice"
PERIOD = "subscription_period"

# Of one transaction; the next look takes the others.
WOKEN_AT_ONCE = 1_000

_ZERO = Decimal(0)


async def pay(tx: Transaction, reckoned: Sequence[Reckoned]) -> set[InvoiceId]:
    """Pay what prepaid and realtime plans owe; the invoices for which too little is there.

    Realtime charges of the period are taken off first; what they took too much goes back when the
    period closes.
    """
    owed = [item for item in reckoned if item.billing_mode is not BillingMode.POSTPAID]
    if not owed:
        return set()
    charged = await charges_store.load_charges(tx, [_key(item) for item in owed])
    rests = [EXACT.subtract(item.totals.total, charged.get(_key(item), _ZERO)) for item in owed]
    due = [(item, rest) for item, rest in zip(owed, rests, strict=True) if rest > 0]
    paid = await wallets.pay_all(tx, [_payment(item, rest) for item, rest in due])
    short = {item.wanted.id for (item, rest), took in zip(due, paid, strict=True) if took < rest}
    left: dict[ChargeKey, Decimal] = {}
    refunds: list[Refund] = []
    for item, rest in zip(owed, rests, strict=True):
        if item.wanted.id in short or _key(item) not in charged:
            continue
        excess = max(-rest, _ZERO)
        is_closed = item.wanted.kind is InvoiceKind.CLOSING
        left[_key(item)] = _ZERO if is_closed else excess
        if is_closed and excess:
            refunds.append(_refund(item, excess))
    await charges_store.set_charges(tx, left)
    await wallets.refund_all(tx, refunds)
    return short


async def charge(tx: Transaction, reckoned: Sequence[Reckoned]) -> set[InvoiceId]:
    """Take what running realtime periods have come to since the last time, as far as it is there.

    The previews for which too little was there are told by their ids; the rest stays due.
    """
    keys = [_key(item) for item in reckoned]
    charged = await charges_store.load_charges(tx, keys)
    due = [
        (item, key, rest)
        for item, key in zip(reckoned, keys, strict=True)
        if (rest := EXACT.subtract(item.totals.total, charged.get(key, _ZERO))) > 0
    ]
    paid = await wallets.pay_all(tx, [_payment(item, rest, in_part=True) for item, _, rest in due])
    taken = {
        key: EXACT.add(charged.get(key, _ZERO), took)
        for (_, key, _), took in zip(due, paid, strict=True)
        if took
    }
    await charges_store.set_charges(tx, taken)
    return {item.wanted.id for (item, _, rest), took in zip(due, paid, strict=True) if took < rest}


async def pay_waiting(tx: Transaction, customer_id: CustomerId) -> None:
    """Pay final invoices that a locked customer's wallet could not pay before, oldest first."""
    for invoice_id, _ in await charges_store.list_waiting(tx, [customer_id]):
        invoice = await store.load(tx, invoice_id, for_update=True)
        if invoice is None:
            continue
        key = invoice.subscription_id, invoice.period.start
        charged = await charges_store.load_charges(tx, [key])
        change = EXACT.subtract(invoice.totals.total, charged.get(key, _ZERO))
        rest = max(change, _ZERO)
        if await wallets.pay_all(tx, [_payment_of(invoice, rest)]) != [rest]:
            return  # What is there waits for the oldest.
        if key in charged:
            await charges_store.set_charges(tx, {key: max(-change, _ZERO)})
        await charges_store.mark_paid(tx, [invoice.id])
        paid = await store.load(tx, invoice.id)
        if paid is not None:
            await tell(tx, EventType.INVOICE_PAID, paid)


async def give_back(tx: Transaction, invoice: Invoice) -> None:
    """Give back what realtime billing took for a locked invoice that no wallet is to pay any more.

    It was voided, or paid elsewhere, while its wallet was short.
    """
    if invoice.kind is not InvoiceKind.CLOSING or invoice.status is InvoiceStatus.DRAFT:
        return
    key = invoice.subscription_id, invoice.period.start
    charged = (await charges_store.load_charges(tx, [key])).get(key, _ZERO)
    if charged:
        await charges_store.set_charges(tx, {key: _ZERO})
        await wallets.refund_all(tx, [_refund_of(invoice, charged)])


async def wake(tx: Transaction) -> None:
    """Have those looked at again who wait for a credit that came."""
    customer_ids = await wallets.take_credited(tx, WOKEN_AT_ONCE)
    if customer_ids:
        waiting = await charges_store.list_waiting(tx, customer_ids)
        await subscriptions.wake(tx, customer_ids, [known for _, known in waiting])


def insufficient(item: Reckoned) -> DomainError:
    """The refusal of what a wallet can't pay."""
    total = f"{format_money(item.totals.total)} {item.currency}"
    message = f"the customer's wallet can't pay {total}"
    return DomainError(ErrorKind.INSUFFICIENT, "insufficient_balance", message)


def _key(item: Reckoned) -> ChargeKey:
    return item.wanted.subscription.id, item.wanted.period.start


def _payment(item: Reckoned, amount: Decimal, *, in_part: bool = False) -> Payment:
    return Payment(
        customer_id=item.wanted.subscription.customer_id,
        currency=item.currency,
        amount=amount,
        due=_by_metric(item.lines, amount),
        description=f"usage from {item.wanted.period.start.date()}",
        reference_type=PERIOD if in_part else INVOICE,
        reference_id=_period_reference(item) if in_part else str(item.wanted.id),
        in_part=in_part,
    )


def _period_reference(item: Reckoned) -> str:
    """What `verify_store` puts together from a period's columns."""
    wanted = item.wanted
    return f"{wanted.subscription.id}/{format_instant(wanted.period.start)}"


def _payment_of(invoice: Invoice, amount: Decimal) -> Payment:
    return Payment(
        customer_id=invoice.customer_id,
        currency=invoice.currency,
        amount=amount,
        due=_by_metric([stored.line for stored in invoice.lines], amount),
        description=f"usage from {invoice.period.start.date()}",
        reference_type=INVOICE,
        reference_id=str(invoice.id),
    )


def _refund(item: Reckoned, amount: Decimal) -> Refund:
    return Refund(
        customer_id=item.wanted.subscription.customer_id,
        currency=item.currency,
        amount=amount,
        description=f"charged too much from {item.wanted.period.start.date()}",
        reference_type=INVOICE,
        reference_id=str(item.wanted.id),
    )


def _refund_of(invoice: Invoice, amount: Decimal) -> Refund:
    return Refund(
        customer_id=invoice.customer_id,
        currency=invoice.currency,
        amount=amount,
        description=f"paid back for usage from {invoice.period.start.date()}",
        reference_type=INVOICE,
        reference_id=str(invoice.id),
    )


def _by_metric(lines: Sequence[Line], amount: Decimal) -> dict[MetricId | None, Decimal]:
    """The amount by metric, so that credits for some metrics pay for those; the rest under None."""
    due: dict[MetricId | None, Decimal] = {}
    left = amount
    for line in lines:
        part = min(max(line.amount, _ZERO), left) if line.metric_id is not None else _ZERO
        if part:
            due[line.metric_id] = EXACT.add(due.get(line.metric_id, _ZERO), part)
            left = EXACT.subtract(left, part)
    if left:
        due[None] = left
    return due

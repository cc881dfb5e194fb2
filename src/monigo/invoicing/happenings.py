"""What invoicing tells the outbox: bills of payout plans have no events of this kind."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from monigo.catalog import PlanType
from monigo.core.ids import InvoiceId
from monigo.core.money import EXACT, format_money
from monigo.core.times import format_instant
from monigo.infra import outbox
from monigo.infra.database import Transaction
from monigo.infra.outbox import EventType, OutboxEvent
from monigo.invoicing.rules import invoice_number
from monigo.invoicing.states_store import Final
from monigo.invoicing.types import Invoice, InvoiceStatus, Reckoned

_NOTHING = format_money(Decimal(0))


async def tell_created(tx: Transaction, reckoned: Sequence[Reckoned]) -> None:
    """Tell of invoices that are written for the first time."""
    await outbox.emit(
        tx,
        [
            _event(EventType.INVOICE_CREATED, item, InvoiceStatus.DRAFT, None)
            for item in reckoned
            if item.wanted.is_new and _is_invoice(item)
        ],
    )


async def tell_finalized(
    tx: Transaction,
    reckoned: Sequence[Reckoned],
    numbers: Mapping[InvoiceId, int],
    finals: Sequence[Final],
) -> None:
    """Tell of drafts that became final, in their order, and of those that were paid with it."""
    events: list[OutboxEvent] = []
    for item, final in zip(reckoned, finals, strict=True):
        if not _is_invoice(item):
            continue
        number, status, paid = numbers[item.wanted.id], final.status, final.paid
        events.append(_event(EventType.INVOICE_FINALIZED, item, status, number, paid))
        if status is InvoiceStatus.PAID:
            events.append(_event(EventType.INVOICE_PAID, item, status, number, paid))
    await outbox.emit(tx, events)


async def tell(tx: Transaction, event_type: EventType, invoice: Invoice) -> None:
    """Tell what became of one stored invoice."""
    if invoice.plan_type is not PlanType.COLLECTION:
        return
    data = {
        "id": str(invoice.id),
        "number": invoice_number(invoice.number),
        "status": invoice.status.value,
        "kind": invoice.kind.value,
        "customer_id": str(invoice.customer_id),
        "subscription_id": str(invoice.subscription_id),
        "currency": invoice.currency,
        "total": format_money(invoice.totals.total),
        "amount_paid": format_money(invoice.amount_paid),
        "amount_due": format_money(invoice.amount_due),
        "period_start": format_instant(invoice.period.start),
        "period_end": format_instant(invoice.period.end),
    }
    await outbox.emit(tx, [OutboxEvent(event_type, {"invoice": data})])


def _is_invoice(item: Reckoned) -> bool:
    return item.wanted.subscription.plan_type is PlanType.COLLECTION


def _event(
    event_type: EventType,
    item: Reckoned,
    status: InvoiceStatus,
    number: int | None,
    paid: Decimal = Decimal(0),
) -> OutboxEvent:
    wanted, total = item.wanted, format_money(item.totals.total)
    data = {
        "id": str(wanted.id),
        "number": invoice_number(number),
        "status": status.value,
        "kind": wanted.kind.value,
        "customer_id": str(wanted.subscription.customer_id),
        "subscription_id": str(wanted.subscription.id),
        "currency": item.currency,
        "total": total,
        "amount_paid": format_money(paid) if paid else _NOTHING,
        "amount_due": format_money(EXACT.subtract(item.totals.total, paid)) if paid else total,
        "period_start": format_instant(wanted.period.start),
        "period_end": format_instant(wanted.period.end),
    }
    return OutboxEvent(event_type, {"invoice": data})

"""Pure rules of documents: which changes their status allows, and what a payment leaves."""

from collections.abc import Hashable, Iterable
from datetime import datetime

from monigo.catalog import PlanType
from monigo.core.errors import DomainError, conflict, ensure
from monigo.core.money import Money
from monigo.core.periods import days_later, midnight_days_ago
from monigo.invoicing.types import Invoice, InvoiceStatus, Line, Settled, StoredLine

UNPAID = (InvoiceStatus.FINALIZED, InvoiceStatus.PAYMENT_FAILED, InvoiceStatus.UNCOLLECTIBLE)
VOIDABLE = (InvoiceStatus.DRAFT, *UNPAID)
# Nothing is ever due of them again.
_SETTLED = (InvoiceStatus.PAID, InvoiceStatus.VOID)


def matched_lines(
    before: Iterable[StoredLine], lines: Iterable[Line]
) -> list[tuple[Line, StoredLine | None]]:
    """The lines of a draft that is recomputed, each with the one that billed the same before.

    The same is a price or fee, period and value; None is for what nothing was billed for yet.
    """
    known = {_key(stored.line): stored for stored in before}
    return [(line, known.pop(_key(line), None)) for line in lines]


def _key(line: Line) -> Hashable:
    return line.kind, line.price_id, line.metric_id, line.period.start, line.group_value


def settled(status: InvoiceStatus, *, due: Money, payment: Money) -> Settled:
    """Where a payment leaves an invoice of which so much is due.

    Once nothing is due it is paid. Of less than that its state stays, but that a draft becomes
    final; what is more than is due, or comes when nothing is, remains in excess.
    """
    ensure(payment >= Money.zero(due.currency), "nobody pays less than nothing")
    if status in _SETTLED:
        return Settled(status, taken=Money.zero(due.currency), excess=payment)
    taken = min(payment, due)
    if taken == due:
        status = InvoiceStatus.PAID
    elif status is InvoiceStatus.DRAFT:
        status = InvoiceStatus.FINALIZED
    return Settled(status, taken=taken, excess=payment - taken)


def due_at(finalized_at: datetime, terms_days: int, timezone: str) -> datetime:
    """When an invoice is due that became final: so many days later; 0: as that local day ends."""
    if terms_days == 0:
        return midnight_days_ago(finalized_at, -1, timezone)
    return days_later(finalized_at, terms_days, timezone)


def check_can_finalize(invoice: Invoice) -> None:
    """Raise conflict unless the invoice is a draft."""
    if invoice.status is not InvoiceStatus.DRAFT:
        raise _wrong_state(invoice, "finalized")


def check_can_void(invoice: Invoice) -> None:
    """Raise conflict for an invoice that is paid or void."""
    if invoice.status not in VOIDABLE:
        raise _wrong_state(invoice, "voided")


def check_can_delete(invoice: Invoice) -> None:
    """Raise conflict unless the invoice is a draft: what was numbered stays on record."""
    if invoice.status is not InvoiceStatus.DRAFT:
        raise _wrong_state(invoice, "deleted; void it instead")


def check_can_be_collected(invoice: Invoice) -> None:
    """Raise conflict unless something is due of the invoice."""
    if invoice.status not in UNPAID:
        raise _wrong_state(invoice, "paid")


def check_can_mark_paid(invoice: Invoice) -> None:
    """Raise conflict unless the invoice is still to be paid."""
    if invoice.status not in UNPAID:
        raise _wrong_state(invoice, "marked as paid")


def _wrong_state(invoice: Invoice, action: str) -> DomainError:
    what = "a bill" if invoice.plan_type is PlanType.PAYOUT else "an invoice"
    return conflict("invoice_state", f"{what} that is {invoice.status.value} can't be {action}")

"""What may be done to an invoice while a payment of it is under way, and which charges are sent."""

from monigo import invoicing
from monigo.core.errors import DomainError, conflict
from monigo.core.ids import InvoiceId
from monigo.infra.db import Transaction
from monigo.invoicing import Invoice
from monigo.payments import charges, refunds
from monigo.payments.charges import Charge, ChargeKind, ChargeSubmission, Purpose, Refusal


async def refuse_in_flight(tx: Transaction, asked: invoicing.InvoiceInFlight) -> None:
    """Keep an invoice from being settled otherwise while a pull is under way; links don't block.

    Raises:
        DomainError: conflict.
    """
    if await charges.live_pulls_of(tx, [asked.invoice_id]):
        raise in_flight(asked.invoice_id)


async def refuse_refund_in_flight(tx: Transaction, asked: invoicing.InvoiceVoiding) -> None:
    """Keep an invoice from being voided while it is not known whether money of it goes back.

    Raises:
        DomainError: conflict.
    """
    if await refunds.is_any_live_of_invoice(tx, asked.invoice_id):
        raise conflict("refund_in_flight", f"a refund of invoice {asked.invoice_id} is on its way")


async def outdated_charges(tx: Transaction, asked: ChargeSubmission) -> list[Refusal]:
    """Which charges are not to be sent, of invoices of which something else is due by now."""
    of_invoices = [
        (one, one.invoice_id)
        for one in asked.charges
        if one.purpose is Purpose.INVOICE and one.invoice_id is not None
    ]
    if not of_invoices:
        return []
    invoices = await invoicing.lock_together(tx, {invoice_id for _, invoice_id in of_invoices})
    refused: list[Refusal] = []
    for charge, invoice_id in of_invoices:
        try:
            _check_is_due(charge, invoices[invoice_id])
        except DomainError as refusal:
            refused.append(Refusal(charge.id, refusal.message))
    return refused


def _check_is_due(charge: Charge, invoice: Invoice) -> None:
    invoicing.check_can_be_collected(invoice)
    is_of_pull = charge.kind is ChargeKind.PULL
    if invoice.due != charge.amount and (is_of_pull or invoice.due < charge.amount):
        raise conflict("amount_due_changed", f"{invoice.due} are due of the invoice by now")


def in_flight(invoice_id: InvoiceId) -> DomainError:
    """The refusal while a payment of an invoice is under way."""
    return conflict("payment_in_flight", f"a payment of invoice {invoice_id} is on its way")

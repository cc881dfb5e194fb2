"""What follows from payments of invoices and from tries that failed; it commits with that.

The transaction that reports these facts holds the charge or the payment, and then locks the
invoice.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from monigo import invoicing, tenancy
from monigo.collection import store
from monigo.collection.due import COLLECT, NEW_METHOD
from monigo.collection.rules import CONFIRMED_WITHIN, TRY_AGAIN_AFTER, after_failure, next_try
from monigo.collection.settling import postings
from monigo.collection.types import Progress
from monigo.core.ids import InvoiceId
from monigo.core.money import Money
from monigo.infra import agenda
from monigo.infra.db import Transaction
from monigo.invoicing import InvoiceStatus, Received
from monigo.payments import charges, methods
from monigo.payments.charges import ChargeKind, OwnCode, Placement, Purpose

CONFIRM = "the customer is to confirm the payment at the link of its transaction"
SUPERSEDED = "a payment was not made, because something else was due by then"


async def take_payments(
    tx: Transaction, payments: Sequence[charges.events.PaymentReceived]
) -> None:
    """Pay invoices with what came in for them; what is too much goes to the customers' wallets."""
    wanted = [
        (one, one.invoice_id)
        for one in payments
        if one.purpose is Purpose.INVOICE and one.invoice_id is not None
    ]
    if not wanted:
        return
    receipts = await invoicing.receive(
        tx,
        [
            (
                invoice_id,
                Received(
                    Money(one.amount, one.currency),
                    one.reference or one.provider_id,
                    tx.now,
                    is_by_provider=True,
                ),
            )
            for one, invoice_id in wanted
        ],
    )
    placements = [
        Placement(
            payment_id=one.payment_id,
            invoice_id=invoice_id,
            to_invoice=receipt.taken.amount,
            wallet_id=receipt.wallet_id,
            to_wallet=receipt.excess.amount,
        )
        for (one, invoice_id), receipt in zip(wanted, receipts, strict=True)
    ]
    await charges.place(tx, placements)
    await postings.post_fees(tx, [one for one, _ in wanted])


async def note_failures(tx: Transaction, failed: Sequence[charges.events.ChargeFailed]) -> None:
    """Have dunning go on after pulls that their payers' methods failed; others are tried again.

    What failed of a link says nothing: it can be made anew.
    """
    pulls = {
        one.invoice_id: one
        for one in failed
        if one.purpose is Purpose.INVOICE
        and one.kind is ChargeKind.PULL
        and one.invoice_id is not None
    }
    if not pulls:
        return
    # All at once, in the order of their ids: some are locked again further down.
    await invoicing.lock_together(tx, pulls)
    await _dun(tx, {known: one for known, one in pulls.items() if charges.is_of_payer(one.code)})
    notes: dict[InvoiceId, tuple[str, datetime | None]] = {}
    due: dict[InvoiceId, datetime] = {}
    for invoice_id, one in pulls.items():
        if not charges.is_of_payer(one.code):
            is_ours = one.code == OwnCode.SUPERSEDED
            reason = one.reason or (SUPERSEDED if is_ours else one.code)
            due[invoice_id] = tx.now if is_ours else tx.now + TRY_AGAIN_AFTER
            notes[invoice_id] = (reason, due[invoice_id])
    await invoicing.note_collection(tx, notes)
    await agenda.put(tx, COLLECT, due)


async def _dun(tx: Transaction, failed: Mapping[InvoiceId, charges.events.ChargeFailed]) -> None:
    if not failed:
        return
    marked = await invoicing.mark_payments_failed(tx, failed)
    dunned = {
        one.id: one.status
        for one in marked
        if one.status in {InvoiceStatus.PAYMENT_FAILED, InvoiceStatus.UNCOLLECTIBLE}
    }
    known = await store.load(tx, dunned)
    days = (await tenancy.get_organization(tx)).collection.dunning_days
    changed: list[Progress] = []
    notes: dict[InvoiceId, tuple[str, datetime | None]] = {}
    due: dict[InvoiceId, datetime] = {}
    for invoice_id, status in dunned.items():
        one = failed[invoice_id]
        progress = after_failure(known.get(invoice_id, Progress(invoice_id)), one.code, tx.now)
        changed.append(progress)
        at = None
        if status is InvoiceStatus.PAYMENT_FAILED:
            # After the last one there is nothing to wait for.
            at = next_try(progress, days)
            due[invoice_id] = at or tx.now
        notes[invoice_id] = (one.reason or one.code, at)
    await store.save(tx, changed)
    await agenda.put(tx, COLLECT, due)
    await invoicing.note_collection(tx, notes)


async def note_needed_actions(
    tx: Transaction, waiting: Sequence[charges.events.ChargeNeedsAction]
) -> None:
    """Give customers their time to confirm pulls."""
    for one in waiting:
        if one.purpose is Purpose.INVOICE and one.invoice_id is not None:
            at = tx.now + CONFIRMED_WITHIN
            await invoicing.lock(tx, one.invoice_id)
            await invoicing.note_collection(tx, {one.invoice_id: (CONFIRM, at)})
            await agenda.put(tx, COLLECT, {one.invoice_id: at})


async def note_new_methods(
    tx: Transaction,
    methods_: Sequence[methods.events.PaymentMethodSaved | methods.events.PaymentMethodMadeDefault],
) -> None:
    """Have unpaid invoices tried at once of customers who have another default method now."""
    saved = methods.events.PaymentMethodSaved
    due = {
        one.customer_id: tx.now for one in methods_ if not isinstance(one, saved) or one.is_default
    }
    await agenda.put(tx, NEW_METHOD, due)

"""Use cases of collection: the due work on unpaid invoices, step by step."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from monigo import invoicing, tenancy
from monigo.collection import store
from monigo.collection.due import COLLECT, LIFT
from monigo.collection.events import InvoiceOverdue
from monigo.collection.means import Means, means_of
from monigo.collection.rules import CONFIRMED_WITHIN, LOOK_AT_PULL, is_collected, next_step
from monigo.collection.types import Action, Progress, Step
from monigo.collection.waiting import await_outcomes
from monigo.core.ids import CustomerId, InvoiceId, SubscriptionId
from monigo.infra import agenda, outbox
from monigo.infra.agenda import Entry
from monigo.infra.db import Transaction
from monigo.invoicing import Invoice
from monigo.payments import charges
from monigo.payments.charges import Charge, ChargeState, NewPull, OwnCode, Purpose

UNDER_WAY = "a payment is on its way"


async def begin_collecting(
    tx: Transaction, finalized: Sequence[invoicing.events.InvoiceFinalized]
) -> None:
    """Have invoices collected of which something is due as they become final; one statement."""
    due = {one.id: tx.now for one in finalized if one.amount_due > 0}
    await agenda.put(tx, COLLECT, due)


async def collect(tx: Transaction, entries: Sequence[Entry]) -> Collection[UUID]:
    """Do what is next for unpaid invoices; those that somebody else holds stay due."""
    invoice_ids = [InvoiceId(entry.subject) for entry in entries]
    await _give_up_unconfirmed(tx, invoice_ids)
    found, busy = await invoicing.lock_free(tx, invoice_ids)
    invoices = sorted((one for one in found if is_collected(one)), key=_age)
    live = await charges.live_pulls_of(tx, [one.id for one in invoices])
    await _look_again(tx, list(live.values()))
    free = [one for one in invoices if one.id not in live]
    await _take_steps(tx, free)
    return busy


async def try_new_methods(tx: Transaction, entries: Sequence[Entry]) -> Collection[UUID]:
    """Have customers' unpaid invoices tried by the method that they have now, oldest first."""
    busy_customers: set[UUID] = set()
    for entry in entries:
        unpaid = await invoicing.list_unpaid(tx, CustomerId(entry.subject))
        invoices, busy = await invoicing.lock_free(tx, [one.id for one in unpaid])
        if busy:
            busy_customers.add(entry.subject)
        known = await store.load(tx, [one.id for one in invoices])
        tried = [known.get(one.id, Progress(one.id)) for one in invoices if is_collected(one)]
        await store.save(tx, [replace(one, has_new_method=True) for one in tried])
        await agenda.put(tx, COLLECT, {one.invoice_id: tx.now for one in tried})
    return busy_customers


async def lift_suspensions(tx: Transaction, entries: Sequence[Entry]) -> Collection[UUID]:
    """Let suspended subscriptions go on of which nothing is left unpaid."""
    subscription_ids = [SubscriptionId(entry.subject) for entry in entries]
    kept = await store.kept_suspended(tx, subscription_ids)
    for subscription_id in sorted(set(subscription_ids) - kept):
        await invoicing.lift_suspension(tx, subscription_id)
    return ()


async def forget_settled(tx: Transaction, settled: Sequence[invoicing.events.InvoiceFact]) -> None:
    """Forget how far the collection of invoices had come that are paid or void now."""
    subscriptions = {one.id: one.subscription_id for one in settled}
    forgotten = await store.forget(tx, list(subscriptions))
    due = {subscriptions[one.invoice_id]: tx.now for one in forgotten}
    await agenda.put(tx, LIFT, due)


def _age(invoice: Invoice) -> tuple[datetime, int]:
    return invoice.finalized_at or invoice.created_at, invoice.number or 0


async def _give_up_unconfirmed(tx: Transaction, invoice_ids: Sequence[InvoiceId]) -> None:
    """End pulls that their customers did not confirm in time; their links are listened to still."""
    for pull in (await charges.live_pulls_of(tx, invoice_ids)).values():
        if _is_unconfirmed(pull, tx.now):
            locked = await charges.get_charge(tx, pull.id, is_locked=True)
            if locked.is_live and _is_unconfirmed(locked, tx.now):
                reason = "the customer did not confirm the payment in time"
                await charges.give_up(tx, locked, OwnCode.GIVEN_UP, reason)


def _is_unconfirmed(pull: Charge, now: datetime) -> bool:
    return pull.state is ChargeState.NEEDS_ACTION and pull.created_at + CONFIRMED_WITHIN <= now


async def _look_again(tx: Transaction, live: Sequence[Charge]) -> None:
    """Leave invoices with a pull under way until that has an outcome, or was to be confirmed."""
    due: dict[InvoiceId, datetime] = {}
    for pull in live:
        if pull.invoice_id is not None:
            is_unconfirmed = pull.state is ChargeState.NEEDS_ACTION
            wait = CONFIRMED_WITHIN if is_unconfirmed else LOOK_AT_PULL
            expected_at = pull.created_at + wait
            # One that waits for a person is settled by what follows from that person's word.
            is_late = expected_at <= tx.now
            due[pull.invoice_id] = tx.now + LOOK_AT_PULL if is_late else expected_at
    await agenda.put(tx, COLLECT, due)


async def _take_steps(tx: Transaction, invoices: Sequence[Invoice]) -> None:
    """Do what is next for locked invoices of which no pull is under way, oldest first."""
    if not invoices:
        return
    settings = (await tenancy.get_organization(tx)).collection
    known = await store.load(tx, [one.id for one in invoices])
    means = await means_of(tx, invoices)
    steps: list[tuple[Invoice, Step]] = []
    for invoice in invoices:
        one = means[invoice.id]
        before = known.get(invoice.id, Progress(invoice.id))
        progress, can_pull = replace(before, waits_for=one.waits_for), one.method is not None
        step = next_step(invoice, progress, settings, tx.now, can_pull=can_pull)
        steps.append((invoice, step))
    await store.save(
        tx,
        [
            step.progress
            for one, step in steps
            if step.progress != known.get(one.id, Progress(one.id))
        ],
    )
    await _pull(tx, [(one, means[one.id]) for one, step in steps if step.action is Action.PULL])
    for invoice, step in steps:
        await _do(tx, invoice, step)
    await _note(tx, [(one, step, means[one.id]) for one, step in steps])


async def _pull(tx: Transaction, pulled: Sequence[tuple[Invoice, Means]]) -> None:
    wanted = [
        NewPull(
            purpose=Purpose.INVOICE,
            amount=invoice.due,
            method=one.method,
            invoice_id=invoice.id,
            description=invoicing.invoice_number(invoice.number),
            is_unattended=True,
        )
        for invoice, one in pulled
        if one.method is not None
    ]
    if wanted:
        made = await charges.create_pulls(tx, wanted)
        await await_outcomes(tx, made)


async def _do(tx: Transaction, invoice: Invoice, step: Step) -> None:
    """Do the steps that are not done for many at once."""
    match step.action:
        case Action.REMIND:
            await _remind(tx, invoice, step.progress.reminders)
        case Action.SUSPEND:
            await invoicing.suspend_unpaid(tx, invoice.subscription_id)
        case Action.END:
            await invoicing.mark_uncollectible(tx, invoice.id)
            await invoicing.suspend_unpaid(tx, invoice.subscription_id)
        case Action.DROP | Action.WAIT | Action.PULL:
            return


async def _remind(tx: Transaction, invoice: Invoice, reminder: int) -> None:
    if invoice.due_date is not None:
        fact = InvoiceOverdue(
            invoice_id=invoice.id,
            customer_id=invoice.customer_id,
            currency=invoice.currency,
            amount_due=invoice.amount_due,
            due_date=invoice.due_date,
            reminder=reminder,
        )
        await outbox.emit(tx, [fact])


async def _note(tx: Transaction, steps: Sequence[tuple[Invoice, Step, Means]]) -> None:
    """Note why invoices are not paid yet, and when each is looked at next."""
    notes: dict[InvoiceId, tuple[str, datetime | None]] = {}
    due: dict[InvoiceId, datetime] = {}
    for invoice, step, means in steps:
        next_at = step.next_at
        if step.action is Action.PULL:
            notes[invoice.id] = (UNDER_WAY, None)
            due[invoice.id] = tx.now + LOOK_AT_PULL
            continue
        reason = means.reason or invoice.collection_reason
        if step.progress.failures and invoice.collection_reason:
            reason = invoice.collection_reason
        notes[invoice.id] = (reason, next_at)
        if next_at is not None:
            due[invoice.id] = next_at
    await invoicing.note_collection(tx, notes)
    await agenda.put(tx, COLLECT, due)

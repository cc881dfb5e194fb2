"""Use cases of those who pay bills out: it arrived, it failed, it came back.

Each holds its bills as all others do: the subscriptions, the customers, then the bills.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from monigo import customers, subscriptions
from monigo.catalog import PlanType
from monigo.core.errors import ensure
from monigo.core.ids import InvoiceId
from monigo.core.money import EXACT
from monigo.infra.db import Transaction
from monigo.infra.registry import ask
from monigo.invoicing import booking, documents, events
from monigo.invoicing.types import Invoice, InvoiceStatus

_OPEN = frozenset({InvoiceStatus.FINALIZED, InvoiceStatus.PAYMENT_FAILED})


class BillInFlight(Struct, frozen=True):
    """The question whether a bill may be taken back: nothing of it was paid or is on its way."""

    bill_id: InvoiceId


async def lock_bills(tx: Transaction, bill_ids: Collection[UUID]) -> dict[InvoiceId, Invoice]:
    """Those of these bills that there are, locked, without their lines; all final ones are booked.

    Constant in statements.
    """
    owners = await documents.owners_of(tx, list(bill_ids))
    await subscriptions.lock_together(tx, {known for known, _ in owners.values()})
    await customers.lock(tx, {customer_id for _, customer_id in owners.values()})
    return await booked(tx, await documents.lock_all(tx, list(owners)))


async def booked(tx: Transaction, bills: Sequence[Invoice]) -> dict[InvoiceId, Invoice]:
    """Those of locked documents that are bills, by id, once the final ones are in the books."""
    found = [one for one in bills if one.plan_type is PlanType.PAYOUT]
    await booking.bring_in(tx, found)
    return {one.id: one for one in found}


async def refuse_bill_in_flight(tx: Transaction, bill_id: InvoiceId) -> None:
    """Raise conflict while a payout of a locked bill is on its way, or a part of it was paid."""
    await ask(tx, BillInFlight(bill_id))


async def note_paid_out(
    tx: Transaction,
    bills: Mapping[InvoiceId, Invoice],
    paid: Mapping[InvoiceId, tuple[Decimal, str]],
) -> dict[InvoiceId, Invoice]:
    """Count what arrived at the payees of locked bills, and under which reference it did last.

    Returns the bills as they are then.
    """
    changed: dict[InvoiceId, Invoice] = {}
    for bill_id, (amount, reference) in paid.items():
        before = bills[bill_id]
        ensure(before.status in _OPEN and 0 < amount <= before.amount_due, "what is due is paid")
        after = replace(
            before,
            amount_paid=EXACT.add(before.amount_paid, amount),
            paid_reference=reference,
        )
        if not after.amount_due:
            after = replace(after, status=InvoiceStatus.PAID, paid_at=tx.now)
        changed[bill_id] = after
        tx.changed(before, after)
    await documents.pay_out(tx, paid)
    for after in changed.values():
        if after.status is InvoiceStatus.PAID:
            await events.emit(tx, events.PAID, after)
    return {**bills, **changed}


async def note_payouts_failed(
    tx: Transaction, bills: Mapping[InvoiceId, Invoice], failed: Collection[InvoiceId]
) -> dict[InvoiceId, Invoice]:
    """Count transfers of locked bills that failed; what is paid or void stays so."""
    changed = {
        one: replace(bills[one], status=InvoiceStatus.PAYMENT_FAILED)
        for one in failed
        if bills[one].status in _OPEN
    }
    await documents.fail_payouts(
        tx, [one for one in changed if bills[one].status is InvoiceStatus.FINALIZED]
    )
    for one, after in changed.items():
        tx.changed(bills[one], after)
        await events.emit(tx, events.PAYMENT_FAILED, after)
    return {**bills, **changed}


async def note_payouts_returned(
    tx: Transaction, bills: Mapping[InvoiceId, Invoice], back: Mapping[InvoiceId, Decimal]
) -> dict[InvoiceId, Invoice]:
    """Count what came back of what had arrived at the payees of locked bills: it is due again."""
    changed: dict[InvoiceId, Invoice] = {}
    for bill_id, amount in back.items():
        before = bills[bill_id]
        ensure(0 < amount <= before.amount_paid, "no more comes back than was paid")
        after = replace(
            before,
            status=InvoiceStatus.PAYMENT_FAILED,
            paid_at=None,
            amount_paid=EXACT.subtract(before.amount_paid, amount),
        )
        changed[bill_id] = after
        tx.changed(before, after)
    await documents.reopen(tx, back)
    for after in changed.values():
        await events.emit(tx, events.REOPENED, after)
    return {**bills, **changed}

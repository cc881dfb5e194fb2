"""Use cases of refunds: money goes back once, and never more than came."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from monigo.core.errors import conflict, ensure, invalid, not_found
from monigo.core.ids import PaymentId, RefundId
from monigo.infra import agenda, outbox
from monigo.infra.agenda import Follows, Kind
from monigo.infra.db import RowLock, Transaction
from monigo.infra.facts import Fact as DomainFact
from monigo.infra.ids import new_id
from monigo.payments import charges
from monigo.payments.charges import Payment
from monigo.payments.connections import ConnectionDeletion
from monigo.payments.refunds import rules, store
from monigo.payments.refunds.events import (
    DisputeLost,
    RefundCreated,
    RefundFailed,
    RefundSucceeded,
)
from monigo.payments.refunds.types import (
    Destination,
    GoneBack,
    NewRefund,
    Refund,
    RefundState,
)
from monigo.providers.port import Outcome

# Refunds that are to be sent, or asked about.
ASK = Kind("refund_ask", Follows.REAL)
_RESOLVED = "resolved"


async def create_refund(tx: Transaction, wanted: NewRefund) -> Refund:
    """Intend to give money back; nothing is sent before the transaction commits.

    What goes into the wallet is done at once, by what reacts to it. Until it fails, what goes back
    counts as gone.

    Raises:
        DomainError: not_found; conflict, for more than is left of the payment, or while another
            refund of it is under way.
    """
    payment = None
    if wanted.payment_id is not None:
        payment = await charges.get_payment(tx, wanted.payment_id, is_locked=True)
        _check(payment, wanted)
    refund = await _new(tx, wanted, payment)
    await store.insert(tx, refund)
    if payment is not None:
        await charges.count_refunded(tx, payment, refund.amount.amount)
    tx.changed(None, refund)
    facts: list[DomainFact] = [RefundCreated(**_fields_of(refund))]
    if refund.state is RefundState.SUCCEEDED:
        facts.append(RefundSucceeded(**_fields_of(refund), counted=refund.amount.amount))
    else:
        await agenda.put(tx, ASK, {refund.id: tx.real_now + rules.CALL_LASTS})
    await outbox.emit(tx, facts)
    return refund


async def note_done(tx: Transaction, refund: Refund, payment: Payment) -> None:
    """Count a refund of a locked payment that was made and done elsewhere."""
    await store.insert(tx, refund)
    await charges.count_refunded(tx, payment, refund.amount.amount)
    succeeded = RefundSucceeded(**_fields_of(refund), counted=refund.amount.amount)
    await outbox.emit(tx, [RefundCreated(**_fields_of(refund)), succeeded])


def _check(payment: Payment, wanted: NewRefund) -> None:
    if wanted.amount.currency != payment.amount.currency:
        raise invalid({"currency": f"must be {payment.amount.currency}, as the payment is"})
    if wanted.amount > payment.refundable:
        raise conflict(
            "refund_exceeds_payment", f"only {payment.refundable} of the payment are left"
        )


async def _new(tx: Transaction, wanted: NewRefund, payment: Payment | None) -> Refund:
    customer_id = payment.customer_id if payment else wanted.customer_id
    subject = payment.id if payment else wanted.invoice_id
    is_of_nobody = customer_id is None and payment is None
    if subject is None or is_of_nobody:
        raise invalid({"payment_id": "is missing"})
    attempt = await store.last_attempt(tx, subject) + 1
    is_done = wanted.destination is Destination.WALLET
    return Refund(
        id=RefundId(new_id()),
        payment_id=payment.id if payment else None,
        charge_id=payment.charge_id if payment else None,
        invoice_id=wanted.invoice_id or (payment.invoice_id if payment else None),
        customer_id=customer_id,
        connection_id=payment.connection_id if payment else None,
        provider=payment.provider if payment else "",
        attempt=attempt,
        reference=charges.reference_of(tx.tenant, "refund", subject, attempt),
        amount=wanted.amount,
        reason=wanted.reason,
        destination=wanted.destination,
        actor=str(tx.principal),
        state=RefundState.SUCCEEDED if is_done else RefundState.CREATED,
        created_at=tx.now,
        settled_at=tx.now if is_done else None,
    )


async def get_refund(tx: Transaction, refund_id: UUID) -> Refund:
    """A refund.

    Raises:
        DomainError: not_found.
    """
    refund = await store.load(tx, refund_id)
    if refund is None:
        raise not_found("transaction")
    return refund


async def is_any_live_of_invoice(tx: Transaction, invoice_id: UUID) -> bool:
    """Whether a refund of an invoice is not final."""
    return await store.is_any_live_of_invoice(tx, invoice_id)


async def gone_back(
    tx: Transaction, invoice_id: UUID, payment_id: PaymentId | None = None
) -> GoneBack:
    """What has gone back of a locked invoice by all its refunds and lost disputes."""
    return await store.gone_back(tx, invoice_id, payment_id)


async def note_refund(tx: Transaction, refund_id: RefundId, of_invoice: Decimal) -> None:
    """Note what of a refund that is done came out of what its locked invoice had taken."""
    await store.note_refund(tx, refund_id, of_invoice)


async def note_dispute(tx: Transaction, lost: DisputeLost, of_invoice: Decimal) -> None:
    """Note what of a lost dispute came out of what its locked invoice had taken."""
    await store.note_dispute(tx, lost.connection_id, lost.provider_id, of_invoice)


async def is_twice_the_same(tx: Transaction, payment: Payment) -> bool:
    """Whether what refunds send back beyond a payment may be what a dispute or a reversal took."""
    return bool(payment.reversed) or await store.is_dispute_lost(tx, payment.id)


async def lock_refund(tx: Transaction, refund_id: UUID) -> tuple[Refund, Payment | None]:
    """A refund and its payment, both locked, the payment first.

    Raises:
        DomainError: not_found.
    """
    known = await get_refund(tx, refund_id)
    payment = None
    if known.payment_id is not None:
        payment = await charges.get_payment(tx, known.payment_id, is_locked=True)
    refund = await store.load(tx, refund_id, RowLock.CHANGE)
    if refund is None:
        raise not_found("transaction")
    return refund, payment


async def apply_outcome(
    tx: Transaction,
    refund_id: UUID,
    outcome: Outcome,
    *,
    is_answer: bool = False,
    is_call: bool = False,
) -> Refund:
    """A refund after a provider's word, and what follows from it.

    A success counts whatever stood before; a refund that is settled does not change otherwise.
    `is_answer`: the word answers the request that was to make it; `is_call`: it answers any.

    Raises:
        DomainError: not_found; what reactions raise.
    """
    before, payment = await lock_refund(tx, refund_id)
    after = rules.after(before, outcome, is_answer=is_answer, now=tx.now)
    if is_answer or is_call:
        after = rules.after_call(after, outcome, tx.real_now)
    is_stuck = after.is_live and rules.next_question(after, tx.real_now) is None
    if is_stuck and after.needs_person_at is None:
        after = replace(after, needs_person_at=tx.real_now)
    return await save(tx, before, after, payment)


async def save(tx: Transaction, before: Refund, after: Refund, payment: Payment | None) -> Refund:
    """Store what became of a locked refund, and do what follows from it."""
    counted = after.amount.amount
    if after.state is not before.state and payment is not None:
        counted = await _count(tx, before, after, payment)
        if counted < after.amount.amount and after.state is RefundState.SUCCEEDED:
            # It may be what a dispute or a reversal took: a person looks.
            after = replace(after, needs_person_at=tx.real_now)
    await store.update(tx, after)
    at = rules.next_question(after, tx.real_now)
    if at is not None:
        await agenda.put(tx, ASK, {after.id: at})
    if after.state is before.state:
        return after
    if after.state is RefundState.SUCCEEDED:
        await outbox.emit(tx, [RefundSucceeded(**_fields_of(after), counted=counted)])
    if after.state is RefundState.FAILED:
        code = after.failure_code or ""
        failure = RefundFailed(**_fields_of(after), code=code, failure=after.failure_reason)
        await outbox.emit(tx, [failure])
    return after


async def _count(tx: Transaction, before: Refund, after: Refund, payment: Payment) -> Decimal:
    """Keep what is refunded of a payment in step with its refund; what went back, all in all."""
    amount = after.amount.amount
    if after.state is RefundState.FAILED:
        await charges.count_refunded(tx, payment, -amount)
        return Decimal(0)
    if before.state is RefundState.FAILED:
        is_beyond = amount > payment.refundable.amount
        if is_beyond and await is_twice_the_same(tx, payment):
            amount = payment.refundable.amount
        await charges.count_refunded(tx, payment, amount)
    return amount


async def resolve(
    tx: Transaction,
    refund_id: UUID,
    outcome: RefundState,
    *,
    provider_id: str = "",
    note: str = "",
) -> Refund:
    """Take a person's word for a refund of which the provider has said nothing definite.

    Raises:
        DomainError: not_found; conflict, where it is settled.
    """
    before, payment = await lock_refund(tx, refund_id)
    if not before.is_live:
        raise conflict("transaction_settled", f"the refund is {before.state} already")
    ensure(outcome in {RefundState.SUCCEEDED, RefundState.FAILED}, "a person says how it ended")
    said = replace(
        before,
        resolved_by=str(tx.principal),
        resolved_at=tx.real_now,
        note=note,
        provider_id=provider_id or before.provider_id,
        needs_person_at=None,
    )
    if outcome is RefundState.FAILED:
        after = rules.failed(said, _RESOLVED, note, tx.now)
    else:
        after = replace(said, state=outcome, settled_at=tx.now)
    return await save(tx, before, after, payment)


async def refuse_connection_in_use(tx: Transaction, question: ConnectionDeletion) -> None:
    """Keep a connection while a refund of it is not final.

    Raises:
        DomainError: conflict.
    """
    if await store.is_any_live(tx, question.connection_id):
        raise conflict("connection_in_use", "refunds of the connection are not final")


def _fields_of(refund: Refund) -> dict[str, Any]:
    return {
        "refund_id": refund.id,
        "payment_id": refund.payment_id,
        "charge_id": refund.charge_id,
        "invoice_id": refund.invoice_id,
        "customer_id": refund.customer_id,
        "provider": refund.provider,
        "reference": refund.reference,
        "destination": refund.destination,
        "currency": refund.amount.currency,
        "amount": refund.amount.amount,
        "reason": refund.reason,
    }

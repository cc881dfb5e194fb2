"""Applies what providers say of refunds and disputes, wherever they say so."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from monigo.core.ids import DisputeId, RefundId
from monigo.infra import agenda, outbox
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.payments import charges
from monigo.payments.charges import Applied, AppliedState, Payment
from monigo.payments.refunds import rules, service, store
from monigo.payments.refunds.events import DisputeLost, DisputeOpened, DisputeWon
from monigo.payments.refunds.types import (
    Destination,
    Dispute,
    DisputeState,
    Refund,
    RefundState,
)
from monigo.providers.port import Fact, Kind, State, outcome_of

_STATES = {
    State.SUCCEEDED: DisputeState.LOST,
    State.FAILED: DisputeState.WON,
}
_FACTS = {
    DisputeState.OPEN: DisputeOpened,
    DisputeState.LOST: DisputeLost,
    DisputeState.WON: DisputeWon,
}
# Who refunds at the provider's own pages.
_ELSEWHERE = "provider"


async def apply_fact(tx: Transaction, connection_id: UUID, fact: Fact) -> Applied:
    """Apply what a provider says of a refund or a dispute of a connection's payments.

    A refund that was made at the provider's own pages counts, too, once it is done.
    """
    if fact.kind is Kind.DISPUTE:
        return await _apply_dispute(tx, connection_id, fact)
    references = rules.references_in(fact)
    refund = await store.find_by_word(tx, connection_id, references, fact.provider_id)
    if refund is not None:
        await service.apply_outcome(tx, refund.id, outcome_of(fact))
        return Applied(AppliedState.APPLIED)
    payment = await _payment(tx, connection_id, fact)
    if payment is None:
        return Applied(AppliedState.UNKNOWN_REFERENCE)
    if fact.state is not State.SUCCEEDED or not fact.provider_id:
        return Applied(AppliedState.IGNORED)
    return await _note_elsewhere(tx, connection_id, payment, fact)


async def _note_elsewhere(
    tx: Transaction, connection_id: UUID, payment: Payment, fact: Fact
) -> Applied:
    payment = await charges.get_payment(tx, payment.id, is_locked=True)
    if await store.find_by_word(tx, connection_id, [], fact.provider_id) is not None:
        return Applied(AppliedState.APPLIED)
    unnamed = await store.find_unnamed(tx, payment.id)
    if unnamed is not None:
        # It may be this one, whose answer was lost: it is asked about at once.
        await agenda.put(tx, service.ASK, {unnamed: tx.real_now})
        return Applied(AppliedState.NOT_YET, "a refund of the payment is under way")
    amount = fact.amount or payment.refundable
    if amount.currency != payment.amount.currency or not amount:
        return Applied(AppliedState.REFUSED, "it is of another currency, or of nothing")
    if amount > payment.refundable:
        if await store.is_any_live_of_payment(tx, payment.id):
            return Applied(AppliedState.NOT_YET, "a refund of the payment is under way")
        if await service.is_twice_the_same(tx, payment):
            return Applied(AppliedState.REFUSED, "a dispute or a reversal may have taken it")
    attempt = await store.last_attempt(tx, payment.id) + 1
    refund = Refund(
        id=RefundId(new_id()),
        payment_id=payment.id,
        charge_id=payment.charge_id,
        invoice_id=payment.invoice_id,
        customer_id=payment.customer_id,
        connection_id=payment.connection_id,
        provider=payment.provider,
        attempt=attempt,
        reference=charges.reference_of(tx.tenant, "refund", payment.id, attempt),
        amount=amount,
        reason=fact.note,
        destination=Destination.PROVIDER,
        actor=_ELSEWHERE,
        state=RefundState.SUCCEEDED,
        provider_id=fact.provider_id,
        created_at=tx.now,
        settled_at=tx.now,
    )
    await service.note_done(tx, refund, payment)
    return Applied(AppliedState.APPLIED)


async def _payment(tx: Transaction, connection_id: UUID, fact: Fact) -> Payment | None:
    """The payment that a refund or dispute is of."""
    if fact.charge_id:
        found = await charges.find_same(tx, connection_id, fact.charge_id)
        if found:
            return found[0]
    if fact.charge_reference:
        return await charges.payment_by_reference(tx, connection_id, fact.charge_reference)
    return None


async def _apply_dispute(tx: Transaction, connection_id: UUID, fact: Fact) -> Applied:
    known = await _payment(tx, connection_id, fact)
    if known is None:
        return Applied(AppliedState.UNKNOWN_REFERENCE)
    payment = await charges.get_payment(tx, known.id, is_locked=True)
    named = fact.provider_id or f"dispute of {payment.provider_id}"
    before = await store.load_dispute(tx, connection_id, named)
    if before is not None and before.state is not DisputeState.OPEN:
        return Applied(AppliedState.APPLIED)
    state = _STATES.get(fact.state, DisputeState.OPEN)
    if before is not None and state is DisputeState.OPEN:
        return Applied(AppliedState.APPLIED)
    opened = before or _opened(tx, fact, payment, named)
    after = (
        opened if state is DisputeState.OPEN else _ended(tx, opened, payment, state, fact.reason)
    )
    if before is None:
        await store.insert_dispute(tx, after)
    else:
        await store.update_dispute(tx, after)
    if after.lost_amount:
        await charges.count_refunded(tx, payment, after.lost_amount)
    if payment.customer_id is not None:
        await outbox.emit(tx, [_FACTS[state](**_fields_of(payment, after))])
    return Applied(AppliedState.APPLIED)


def _opened(tx: Transaction, fact: Fact, payment: Payment, named: str) -> Dispute:
    amount = fact.amount
    if amount is None or not amount or amount.currency != payment.amount.currency:
        amount = payment.amount
    return Dispute(
        id=DisputeId(new_id()),
        payment_id=payment.id,
        connection_id=payment.connection_id,
        provider_id=named,
        amount=min(amount, payment.amount),
        lost_amount=Decimal(0),
        state=DisputeState.OPEN,
        reason=fact.reason,
        opened_at=tx.now,
    )


def _ended(
    tx: Transaction, dispute: Dispute, payment: Payment, state: DisputeState, reason: str
) -> Dispute:
    lost = min(dispute.amount, payment.refundable).amount
    return replace(
        dispute,
        state=state,
        reason=reason,
        settled_at=tx.now,
        lost_amount=lost if state is DisputeState.LOST else Decimal(0),
    )


def _fields_of(payment: Payment, dispute: Dispute) -> dict[str, Any]:
    is_lost = dispute.state is DisputeState.LOST
    return {
        "payment_id": payment.id,
        "charge_id": payment.charge_id,
        "invoice_id": payment.invoice_id,
        "customer_id": payment.customer_id,
        "connection_id": payment.connection_id,
        "provider": payment.provider,
        "provider_id": dispute.provider_id,
        "currency": payment.amount.currency,
        "amount": dispute.lost_amount if is_lost else dispute.amount.amount,
    }

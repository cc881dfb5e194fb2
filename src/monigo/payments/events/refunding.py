"""Money that fits nothing goes back to who paid it, for a person says so."""

from collections.abc import Sequence

from msgspec.structs import replace

from monigo.core.errors import conflict
from monigo.core.ids import ProviderEventId
from monigo.infra import agenda
from monigo.infra.db import Transaction
from monigo.payments import received, refunds
from monigo.payments.events import store
from monigo.payments.events.matching import receipt_of
from monigo.payments.events.service import REASON_LENGTH_MAX, checked_reason, waiting, work_on
from monigo.payments.events.types import EventState, ProviderEvent
from monigo.payments.received import Purpose
from monigo.payments.refunds import Destination, NewRefund, Refund


async def refund(tx: Transaction, event_id: ProviderEventId, reason: str) -> Refund:
    """Intend to return the money of an event that waits, all of it; the provider is asked later.

    Raises:
        DomainError: not found; invalid (reason); conflict, for an event that does not wait, that
            does not say for sure that money came, or whose money is credited or going back already.
    """
    said = checked_reason(reason)
    event = await waiting(tx, event_id)
    payment = await received.receive_unmatched(tx, receipt_of(event, None))
    if payment is None:
        raise conflict("payment_known", "this payment is credited already, or going back")
    wanted = NewRefund(
        amount=payment.amount,
        reason=said,
        destination=Destination.PROVIDER,
        payment_id=payment.id,
    )
    made = await refunds.create_refund(tx, wanted)
    await _settle(tx, event, made)
    return made


async def note_refunded(tx: Transaction, done: Sequence[refunds.events.RefundSucceeded]) -> None:
    """Take events out of the inbox whose money has gone back: those that say the same, too."""
    for one in done:
        if one.payment_id is None or one.customer_id is not None:
            continue
        payment = await received.get_payment(tx, one.payment_id)
        if payment.purpose is not Purpose.UNMATCHED:
            continue
        made = await refunds.get_refund(tx, one.refund_id)
        for event in await store.lock_waiting_of_payment(
            tx, payment.connection_id, payment.provider_id
        ):
            await _settle(tx, event, made)


async def note_refund_failed(
    tx: Transaction, failed: Sequence[refunds.events.RefundFailed]
) -> None:
    """Put events back into the inbox whose money stayed."""
    for one in failed:
        if one.customer_id is not None:
            continue
        for event in await store.lock_of_refund(tx, one.refund_id):
            reason = f"its refund failed: {one.failure or one.code}"[:REASON_LENGTH_MAX]
            parked = replace(
                event, state=EventState.PARKED, reason=reason, refund_id=None, handled_at=None
            )
            await store.update(tx, [parked])


async def _settle(tx: Transaction, event: ProviderEvent, made: Refund) -> None:
    after = replace(
        event,
        state=EventState.REFUNDED,
        reason="",
        refund_id=made.id,
        handled_at=tx.real_now,
    )
    await store.update(tx, [after])
    await agenda.cancel(tx, work_on(is_proven=event.is_proven), [event.id])
    tx.changed(event, after)

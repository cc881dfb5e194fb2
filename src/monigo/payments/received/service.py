"""Counts money that came in, once, and what of it went back."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from monigo.core.errors import ensure, not_found
from monigo.core.ids import ChargeId, PaymentId
from monigo.core.money import EXACT, Money
from monigo.infra import outbox
from monigo.infra.db import RowLock, Transaction
from monigo.infra.ids import new_id
from monigo.payments.received import store
from monigo.payments.received.events import PaymentReceived, PaymentReversed
from monigo.payments.received.types import Payment, Placement, Purpose, Receipt

# An invoice is paid by fewer; more are not listed.
PAYMENTS_MAX = 200


async def receive(tx: Transaction, receipt: Receipt) -> Payment | None:
    """Count money that came in, and do what it causes; None where it is counted already."""
    (payment,) = await receive_all(tx, [receipt])
    return payment


async def receive_all(tx: Transaction, receipts: Sequence[Receipt]) -> list[Payment | None]:
    """Count money that came in, and do what it causes; None for what is counted already.

    It is known by the provider's id, and by the rail's, where that, currency and amount agree.
    What fitted nothing before, and is not going back, is counted now as what the receipt says.
    The caller has the locks of the charges that asked for it.
    """
    payments = [_payment(tx, receipt) for receipt in receipts]
    new = await store.insert(tx, payments) if payments else set[PaymentId]()
    known = [payment for payment in payments if payment.id not in new]
    claimed = await store.claim(tx, known) if known else {}
    payments = [replace(one, id=claimed.get(one.id, one.id)) for one in payments]
    new |= set(claimed.values())
    await outbox.emit(
        tx,
        [
            _received(payment, receipt)
            for payment, receipt in zip(payments, receipts, strict=True)
            if payment.id in new
        ],
    )
    return [payment if payment.id in new else None for payment in payments]


async def find_clashes(tx: Transaction, receipts: Sequence[Receipt]) -> list[bool]:
    """Whether the rail's id of each is another payment's, of another amount: one of these, too."""
    of_rails = [one for one in receipts if one.rail_id]
    if not of_rails:
        return [False] * len(receipts)
    known: defaultdict[tuple[UUID, str], list[tuple[str, Money]]] = defaultdict(list)
    connection_ids = {one.connection_id for one in of_rails}
    for payment in await store.of_rails(tx, connection_ids, {one.rail_id for one in of_rails}):
        same = known[payment.connection_id, payment.rail_id]
        same.append((payment.provider_id, payment.amount))
    clashes: list[bool] = []
    for one in receipts:
        same = known[one.connection_id, one.rail_id] if one.rail_id else []
        is_clash = any(
            provider_id != one.provider_id and amount != one.amount for provider_id, amount in same
        )
        if not is_clash:
            same.append((one.provider_id, one.amount))
        clashes.append(is_clash)
    return clashes


async def receive_unmatched(tx: Transaction, receipt: Receipt) -> Payment | None:
    """Count money that fits nothing, so that it can go back; nothing else follows from it.

    What was counted so before is found again; None for money that is somebody's, or going back.
    """
    ensure(receipt.purpose is Purpose.UNMATCHED, "what fits nothing has no purpose")
    payment = _payment(tx, receipt)
    if await store.insert(tx, [payment]):
        return payment
    for same in await store.find_same(tx, payment.connection_id, payment.provider_id, ""):
        known = await get_payment(tx, same.id, is_locked=True)
        if known.purpose is Purpose.UNMATCHED and known.refundable == known.amount:
            return known
    return None


async def receive_reversed(tx: Transaction, receipt: Receipt) -> None:
    """Count money that had gone back before anybody knew that it came: nothing follows from it."""
    payment = _payment(tx, receipt)
    await store.insert(tx, [replace(payment, reversed=payment.amount.amount)])


async def reverse(tx: Transaction, payment_id: UUID) -> Payment:
    """Note that a provider took back a payment, all of it that had not gone back before.

    Once is enough: a payment that was reversed stays as it is.

    Raises:
        DomainError: not_found.
    """
    payment = await store.load(tx, payment_id, RowLock.CHANGE)
    if payment is None:
        raise not_found("payment")
    gone = payment.refundable.amount
    if payment.reversed or not gone:
        return payment
    await store.reverse(tx, payment.id)
    if payment.purpose is Purpose.UNMATCHED:
        return replace(payment, reversed=gone)
    await outbox.emit(
        tx,
        [
            PaymentReversed(
                **_fields_of(payment),
                amount=gone,
                to_invoice=payment.to_invoice,
                to_wallet=payment.to_wallet,
            )
        ],
    )
    return replace(payment, reversed=gone)


async def note_uncovered(tx: Transaction, payment_id: PaymentId, amount: Decimal) -> None:
    """Note what went back of a locked payment that no wallet had any more: its customer owes it."""
    if amount:
        await store.note_uncovered(tx, payment_id, amount)


async def place(tx: Transaction, placements: Sequence[Placement]) -> None:
    """Note where payments went, in the transaction that received them: all of each, and once."""
    if placements:
        await store.place(tx, placements)


async def get_payment(tx: Transaction, payment_id: UUID, *, is_locked: bool = False) -> Payment:
    """A payment.

    Raises:
        DomainError: not_found.
    """
    lock = RowLock.CHANGE if is_locked else RowLock.NONE
    payment = await store.load(tx, payment_id, lock)
    if payment is None:
        raise not_found("payment")
    return payment


async def payments_of(tx: Transaction, invoice_id: UUID) -> list[Payment]:
    """What an invoice got, newest first."""
    return list(await store.list_of_invoice(tx, invoice_id, PAYMENTS_MAX))


async def find_same(
    tx: Transaction, connection_id: UUID, provider_id: str, rail_id: str = ""
) -> list[Payment]:
    """Payments of a connection with this id of the provider's, or this one of the rail's."""
    return await store.find_same(tx, connection_id, provider_id, rail_id)


async def payment_by_reference(
    tx: Transaction, connection_id: UUID, reference: str
) -> Payment | None:
    """The first payment that came by a charge of a connection, by our reference of that."""
    return await store.find_by_reference(tx, connection_id, reference)


async def payments_of_charges(
    tx: Transaction, charge_ids: Collection[UUID]
) -> dict[ChargeId, list[Payment]]:
    """What came in by these charges, in the order in which it came; absent where nothing did."""
    found: defaultdict[ChargeId, list[Payment]] = defaultdict(list)
    for payment in await store.of_charges(tx, charge_ids):
        if payment.charge_id is not None:
            found[payment.charge_id].append(payment)
    return found


async def adopt(tx: Transaction, payment: Payment, provider_id: str) -> None:
    """Give a payment that a person reported the id that its provider knows it by."""
    await store.adopt(tx, payment.id, provider_id)


async def refunded_of_invoice(tx: Transaction, invoice_id: UUID) -> Decimal:
    """What has gone back, or is about to, of what an invoice took of its payments, all of them."""
    return await store.refunded_of_invoice(tx, invoice_id)


async def count_refunded(tx: Transaction, payment: Payment, amount: Decimal) -> None:
    """Count what goes back of a locked payment; below zero, where it stays after all.

    What is more than is left of it is counted as beyond what came.
    """
    ensure(EXACT.add(payment.refunded, amount) >= 0, "no more stays than went back")
    await store.add_refunded(tx, payment.id, amount)


def _payment(tx: Transaction, receipt: Receipt) -> Payment:
    return Payment(
        id=PaymentId(new_id()),
        kind=receipt.kind,
        purpose=receipt.purpose,
        connection_id=receipt.connection_id,
        provider=receipt.provider,
        provider_id=receipt.provider_id,
        rail_id=receipt.rail_id,
        reference=receipt.reference,
        charge_id=receipt.charge_id,
        virtual_account_id=receipt.virtual_account_id,
        customer_id=receipt.customer_id,
        amount=receipt.amount,
        fee=receipt.fee,
        fee_by_payer=receipt.fee_by_payer,
        is_by_person=receipt.is_by_person,
        occurred_at=receipt.occurred_at,
        received_at=tx.now,
        invoice_id=None,
        to_invoice=Decimal(0),
        wallet_id=None,
        to_wallet=Decimal(0),
        refunded=Decimal(0),
        reversed=Decimal(0),
    )


def _fields_of(payment: Payment) -> dict[str, Any]:
    return {
        "payment_id": payment.id,
        "kind": payment.kind,
        "purpose": payment.purpose,
        "charge_id": payment.charge_id,
        "customer_id": payment.customer_id,
        "connection_id": payment.connection_id,
        "provider": payment.provider,
        "provider_id": payment.provider_id,
        "reference": payment.reference,
        "invoice_id": payment.invoice_id,
        "wallet_id": payment.wallet_id,
        "currency": payment.amount.currency,
    }


def _received(payment: Payment, receipt: Receipt) -> PaymentReceived:
    asked = receipt.asked
    fields: dict[str, Any] = _fields_of(payment) | {
        "invoice_id": receipt.invoice_id,
        "wallet_id": receipt.wallet_id,
    }
    return PaymentReceived(
        **fields,
        top_up_id=receipt.top_up_id,
        amount=payment.amount.amount,
        fee=payment.fee,
        fee_by_payer=payment.fee_by_payer,
        asked_amount=asked.amount if asked else None,
        asked_currency=asked.currency if asked else "",
        is_by_person=payment.is_by_person,
        received_at=payment.received_at,
    )

"""What was paid into wallets, and what a provider took back of it.

Each payment is stored once, in the transaction of its fact, so that it is credited once.
"""

from collections.abc import Sequence

from monigo import customers, wallets
from monigo.collection import settling
from monigo.collection.funding.events import ReversalUncovered
from monigo.core.errors import DomainError
from monigo.core.ids import PaymentId, WalletId
from monigo.core.money import EXACT, Money
from monigo.infra import outbox
from monigo.infra.db import Transaction
from monigo.payments import received, refunds
from monigo.payments.received import (
    Payment,
    PaymentReceived,
    PaymentReversed,
    Placement,
    Purpose,
)
from monigo.payments.refunds import Destination
from monigo.wallets import Direction, EntryType, Movement, Wallet

# An invoice's money is settled by collection itself.
_OF_WALLETS = frozenset({Purpose.WALLET, Purpose.TOP_UP, Purpose.CARD_SETUP})
# What a movement refers to.
PAYMENT = "payment"
# By what money leaves a wallet again that a provider had received for it.
_Gone = PaymentReversed | refunds.events.DisputeLost | refunds.events.RefundSucceeded


async def credit_wallets(tx: Transaction, payments: Sequence[PaymentReceived]) -> None:
    """Credit what was received for wallets, whole: the provider's fee is the merchant's.

    A wallet takes it whatever its status. Money in another currency than the wallet's, and what a
    card's set-up took, go to the customer's wallet in its currency, which is opened if there is
    none. What waits for money is paid by what follows from a credit.

    Raises:
        DomainError: not_found, where a wallet is gone.
    """
    paid = [one for one in payments if one.purpose in _OF_WALLETS]
    if not paid:
        return
    # Before their wallets, as all others do, who then book on accounts of theirs.
    await customers.lock(tx, {one.customer_id for one in paid})
    owners = [await _wallet_of(tx, one) for one in paid]
    movements = [
        _movement(one, Direction.CREDIT, owner, Money(one.amount, one.currency))
        for one, owner in zip(paid, owners, strict=True)
    ]
    await _post(tx, movements)
    placements = [
        Placement(payment_id=one.payment_id, to_wallet=one.amount, wallet_id=owner)
        for one, owner in zip(paid, owners, strict=True)
    ]
    await received.place(tx, placements)
    await settling.post_fees(tx, paid)


async def debit_reversed(tx: Transaction, taken_back: Sequence[PaymentReversed]) -> None:
    """Debit what a provider took back of what wallets were credited, as far as it is there.

    Raises:
        DomainError: not_found, where a wallet is gone.
    """
    for one in taken_back:
        if one.purpose in _OF_WALLETS:
            await _debit(tx, one, one.payment_id)


async def debit_disputed(tx: Transaction, lost: Sequence[refunds.events.DisputeLost]) -> None:
    """Debit what payers' banks took back of what wallets were credited, as far as it is there.

    Raises:
        DomainError: not_found, where a wallet is gone.
    """
    for one in lost:
        if one.invoice_id is None and one.amount:
            await _debit(tx, one, one.payment_id)


async def debit_refunded(tx: Transaction, done: Sequence[refunds.events.RefundSucceeded]) -> None:
    """Debit what a provider sent back of what wallets were credited, as far as it is there.

    Raises:
        DomainError: not_found, where a wallet is gone.
    """
    for one in done:
        is_sent = one.destination is Destination.PROVIDER
        if one.invoice_id is None and one.payment_id is not None and is_sent:
            await _debit(tx, one, one.payment_id)


async def _debit(tx: Transaction, gone: _Gone, payment_id: PaymentId) -> None:
    """Debit what went back of a locked payment from the wallet that it went to.

    What is not there is the customer's debt, which no wallet can hold: it is noted with the
    payment, booked as a loss, and a fact says so.
    """
    payment = await received.get_payment(tx, payment_id)
    is_refund = isinstance(gone, refunds.events.RefundSucceeded)
    # Of refunds, what they sent back beyond what came, too.
    amount = gone.counted if is_refund else min(gone.amount, payment.to_wallet)
    if payment.wallet_id is None or payment.customer_id is None or not amount:
        return
    await customers.lock(tx, [payment.customer_id])
    wallet = await wallets.lock_wallet(tx, payment.wallet_id)
    debited = min(amount, wallet.balance)
    if debited:
        money = Money(debited, wallet.currency)
        await _post(tx, [_movement(payment, Direction.DEBIT, wallet.id, money)])
    owed = EXACT.subtract(amount, debited)
    if not owed:
        return
    await received.note_uncovered(tx, payment.id, owed)
    await settling.post_loss(
        tx,
        payment.customer_id,
        owed,
        currency=wallet.currency,
        reference_id=str(payment.id),
        provider=payment.provider,
    )
    fact = ReversalUncovered(
        wallet_id=wallet.id,
        customer_id=wallet.customer_id,
        currency=wallet.currency,
        payment_id=payment.id,
        amount=owed,
    )
    await outbox.emit(tx, [fact])


async def _wallet_of(tx: Transaction, one: PaymentReceived) -> WalletId:
    wanted: Wallet | None = None
    if one.wallet_id is not None:
        wanted = await wallets.get(tx, one.wallet_id)
    if wanted is None or wanted.currency != one.currency:
        wanted = await wallets.open_of_locked(tx, one.customer_id, one.currency)
    return wanted.id


async def _post(tx: Transaction, movements: Sequence[Movement]) -> None:
    for outcome in await wallets.post(tx, movements) if movements else ():
        if isinstance(outcome, DomainError):
            raise outcome


def _movement(
    one: PaymentReceived | Payment, direction: Direction, wallet_id: WalletId, amount: Money
) -> Movement:
    said = "paid by" if direction is Direction.CREDIT else "taken back by"
    payment_id = one.id if isinstance(one, Payment) else one.payment_id
    return Movement(
        wallet_id=wallet_id,
        direction=direction,
        amount=amount,
        entry_type=EntryType.DEPOSIT,
        description=f"{said} {one.provider}",
        reference_type=PAYMENT,
        reference_id=str(payment_id),
        provider_id=one.provider,
    )

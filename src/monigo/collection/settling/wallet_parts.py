"""What goes back to wallets of what they paid of invoices, and what is taken back from them."""

from monigo import invoicing, wallets
from monigo.core.errors import DomainError
from monigo.core.ids import CustomerId, PaymentId
from monigo.core.money import EXACT, Money
from monigo.infra.db import Transaction
from monigo.payments import refunds
from monigo.wallets import Direction, EntryType, Movement

REFUND, PAYMENT = "refund", "payment"


async def refund(tx: Transaction, made: refunds.events.RefundCreated) -> None:
    """Give the sources back what they paid of an invoice: money first, then credits.

    What went back before is left out, so that each source gets back what it paid, and once.
    """
    if made.invoice_id is None:
        return
    gone = await refunds.gone_back(tx, made.invoice_id)
    await invoicing.refund_sources(
        tx,
        made.invoice_id,
        Money(made.amount, made.currency),
        skipping=EXACT.subtract(gone.to_sources, made.amount),
        reference=(REFUND, str(made.refund_id)),
    )


async def take_back(
    tx: Transaction, customer_id: CustomerId, money: Money, payment_id: PaymentId
) -> Money:
    """Debit a wallet with excess that a provider took back, as far as it is there; what was."""
    wallet = await wallets.open_of_locked(tx, customer_id, money.currency)
    amount = min(money.amount, wallet.balance)
    if not amount:
        return Money.zero(money.currency)
    movement = Movement(
        wallet_id=wallet.id,
        direction=Direction.DEBIT,
        amount=Money(amount, money.currency),
        entry_type=EntryType.DEPOSIT,
        description="taken back by the provider",
        reference_type=PAYMENT,
        reference_id=str(payment_id),
        is_excess=True,
    )
    (outcome,) = await wallets.post(tx, [movement])
    if isinstance(outcome, DomainError):
        return Money.zero(money.currency)
    return movement.amount

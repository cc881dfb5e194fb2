"""Money from providers that invoices don't keep: it goes to the customers' wallets, as excess."""

from collections.abc import Sequence
from decimal import Decimal

from monigo import wallets
from monigo.core.errors import DomainError, ensure
from monigo.core.ids import WalletId
from monigo.core.money import EXACT, Money
from monigo.infra.db import Transaction
from monigo.invoicing.documents import charges_store, wallet_payments
from monigo.invoicing.documents.payment_rules import part_of, sum_of
from monigo.invoicing.types import Invoice
from monigo.wallets import Direction, EntryType, Movement, Repayment

# What such a movement is referred to by; it pays nothing of the invoice that it names.
EXCESS = "invoice_excess"


async def credit_excess(tx: Transaction, excess: Sequence[tuple[Invoice, Money]]) -> list[WalletId]:
    """Credit wallets of locked invoices' customers with what the invoices don't take, in order.

    A wallet is opened where there is none.
    """
    return await _credit(tx, excess, EntryType.DEPOSIT, "paid in excess")


async def void(tx: Transaction, invoice: Invoice) -> None:
    """Take a locked invoice back, and refund what was paid of it.

    Wallets and credits get what they paid; what providers received, did not take back and was not
    refunded goes to the customer's wallet. Of an invoice that is not paid refunds are of that only.
    """
    await wallet_payments.void(tx, invoice)
    received = EXACT.subtract(invoice.amount_paid, invoice.wallet_paid)
    gone = EXACT.add(invoice.amount_refunded, invoice.amount_reversed)
    rest = EXACT.subtract(received, gone)
    if rest > 0:
        back = [(invoice, Money(rest, invoice.currency))]
        await _credit(tx, back, EntryType.REFUND, "paid back for a void invoice")


async def refund_sources(
    tx: Transaction,
    invoice: Invoice,
    amount: Money,
    *,
    skipping: Decimal,
    reference: tuple[str, str],
) -> None:
    """Refund a part of what a wallet paid of a locked, paid invoice to the sources that paid it."""
    parts = part_of(await charges_store.load_parts(tx, invoice.id), skipping, amount.amount)
    ensure(sum_of(tuple(parts)) == amount.amount, "sources get back no more than they paid")
    reference_type, reference_id = reference
    repayment = Repayment(
        customer_id=invoice.customer_id,
        currency=invoice.currency,
        parts=parts,
        description="refund of an invoice",
        reference_type=reference_type,
        reference_id=reference_id,
    )
    await wallets.repay_all(tx, [repayment])


async def _credit(
    tx: Transaction,
    credits_: Sequence[tuple[Invoice, Money]],
    entry_type: EntryType,
    description: str,
) -> list[WalletId]:
    movements: list[Movement] = []
    for invoice, amount in credits_:
        wallet = await wallets.open_of_locked(tx, invoice.customer_id, amount.currency)
        movements.append(
            Movement(
                wallet_id=wallet.id,
                direction=Direction.CREDIT,
                amount=amount,
                entry_type=entry_type,
                description=description,
                reference_type=EXCESS,
                reference_id=str(invoice.id),
                is_excess=True,
            )
        )
    for outcome in await wallets.post(tx, movements):
        if isinstance(outcome, DomainError):
            raise outcome
    return [WalletId(movement.wallet_id) for movement in movements]

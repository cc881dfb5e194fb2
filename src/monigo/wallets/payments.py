"""Payments of invoices from wallets: credits first, then money; each whole, or not at all."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from monigo import ledger
from monigo.core.ids import CustomerId, MetricId, TransactionId
from monigo.infra.database import Transaction
from monigo.infra.ids import new_id
from monigo.ledger import Direction, EntryType, Posting
from monigo.wallets import credits_store, store, top_ups
from monigo.wallets.credits import usage_posting
from monigo.wallets.movements import movement_posting
from monigo.wallets.rules import plan_consumption
from monigo.wallets.types import (
    ConsumptionRequest,
    CreditGrant,
    Movement,
    Wallet,
    WalletStatus,
)


class Payment(Struct, frozen=True):
    """What a customer's wallet in a currency is to pay, and for what.

    `due` splits the amount by metric, None for what is not metered; credits may be for some metrics
    only. With `in_part`, what is there is taken where it is not enough.
    """

    customer_id: CustomerId
    currency: str
    amount: Decimal
    due: Mapping[MetricId | None, Decimal]
    description: str
    reference_type: str
    reference_id: str
    in_part: bool = False


class Refund(Struct, frozen=True):
    """What was taken too much and goes back into a customer's wallet."""

    customer_id: CustomerId
    currency: str
    amount: Decimal
    description: str
    reference_type: str
    reference_id: str


async def pay_all(tx: Transaction, payments: Sequence[Payment]) -> list[Decimal]:
    """What each payment took, in their order: all of it, or nothing where it can't be had.

    Customers without an active wallet in the currency have nothing. A constant number of
    statements, however many payments there are.
    """
    if not payments:
        return []
    held = await store.lock_of_owners(
        tx, {(payment.customer_id, payment.currency) for payment in payments}
    )
    wallet_ids = [wallet.id for wallet in held.values()]
    till = _Till(tx, held, await credits_store.list_usable(tx, wallet_ids))
    paid = [till.pay(payment) for payment in payments]
    await ledger.move(tx, till.postings)
    await top_ups.ask_where_low(tx, till.wallets.values())
    return paid


async def refund_all(tx: Transaction, refunds: Sequence[Refund]) -> None:
    """Give back what was taken too much; a closed wallet gets it, too."""
    if not refunds:
        return
    held = await store.lock_of_owners(
        tx, {(refund.customer_id, refund.currency) for refund in refunds}
    )
    postings: list[Posting] = []
    for refund in refunds:
        wallet = held[refund.customer_id, refund.currency]
        movement = _movement(wallet, refund, refund.amount, Direction.CREDIT, EntryType.REFUND)
        transaction_id = TransactionId(new_id())
        postings.append(movement_posting(wallet.accounts, movement, transaction_id))
    await ledger.move(tx, postings)
    await store.note_credited(tx, list(held.values()))


class _Till:
    """Payments of one transaction, one after the other on locked wallets."""

    def __init__(
        self,
        tx: Transaction,
        wallets: Mapping[tuple[CustomerId, str], Wallet],
        grants: Sequence[CreditGrant],
    ) -> None:
        self.postings: list[Posting] = []
        self._now = tx.now
        self.wallets = dict(wallets)
        self._grants: dict[UUID, dict[UUID, CreditGrant]] = {}
        for grant in grants:
            self._grants.setdefault(grant.wallet_id, {})[grant.id] = grant

    def pay(self, payment: Payment) -> Decimal:
        """What is taken for a payment."""
        owner = payment.customer_id, payment.currency
        wallet = self.wallets.get(owner)
        if wallet is None or wallet.status is not WalletStatus.ACTIVE:
            return Decimal(0)
        grants = self._grants.get(wallet.id, {})
        plan = plan_consumption(list(grants.values()), payment.due, self._now) if grants else []
        by_credits = sum((part.amount for part in plan), Decimal(0))
        by_money = payment.amount - by_credits
        if by_money > wallet.balance:
            if not payment.in_part:
                return Decimal(0)
            by_money = wallet.balance
        transaction_id = TransactionId(new_id())
        for part in plan:
            grant = grants[part.grant_id]
            request = _request(wallet, payment)
            self.postings.append(usage_posting(wallet, grant, part, request, transaction_id))
            grants[grant.id] = replace(grant, remaining=grant.remaining - part.amount)
        if by_money:
            movement = _movement(wallet, payment, by_money, Direction.DEBIT, EntryType.USAGE)
            self.postings.append(movement_posting(wallet.accounts, movement, transaction_id))
            self.wallets[owner] = replace(wallet, balance=wallet.balance - by_money)
        return by_credits + by_money


def _request(wallet: Wallet, payment: Payment) -> ConsumptionRequest:
    return ConsumptionRequest(
        wallet_id=wallet.id,
        due=payment.due,
        description=payment.description,
        reference_type=payment.reference_type,
        reference_id=payment.reference_id,
    )


def _movement(
    wallet: Wallet,
    cause: Payment | Refund,
    amount: Decimal,
    direction: Direction,
    entry_type: EntryType,
) -> Movement:
    return Movement(
        wallet_id=wallet.id,
        direction=direction,
        amount=amount,
        currency=cause.currency,
        entry_type=entry_type,
        idempotency_key="",
        description=cause.description,
        reference_type=cause.reference_type,
        reference_id=cause.reference_id,
    )

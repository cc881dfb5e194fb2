"""The facts of wallets; what happens to a wallet's credits and top-ups happens to the wallet."""

from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from monigo.core.ids import CreditGrantId, CustomerId, TopUpId, TransactionId, WalletId
from monigo.infra.outbox import Fact
from monigo.ledger import Direction, EntryType
from monigo.wallets.types import Movement, TopUpStatus, Wallet, WalletStatus


class WalletFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a wallet."""

    subject = "wallet"
    subject_field = "wallet_id"
    wallet_id: WalletId
    customer_id: CustomerId
    currency: str


class WalletCreated(WalletFact, frozen=True, kw_only=True):
    """A customer has a wallet in a currency."""


class WalletStatusChanged(WalletFact, frozen=True, kw_only=True):
    """A wallet was suspended, closed, or is active again."""

    status: WalletStatus


class MovementFact(WalletFact, frozen=True, kw_only=True):
    """A wallet's money moved; `balance` is what the movement left. Credits move by facts of theirs.

    What is held is a debit of the entry type `reservation`, what comes back of it a credit.
    """

    transaction_id: TransactionId
    amount: Decimal
    balance: Decimal
    entry_type: EntryType
    reference_type: str
    reference_id: str


class WalletCredited(MovementFact, frozen=True, kw_only=True):
    """Money came into a wallet."""


class WalletDebited(MovementFact, frozen=True, kw_only=True):
    """Money left a wallet."""


class CreditFact(WalletFact, frozen=True, kw_only=True):
    """Something that happened to a credit grant; `amount` is what came or went by it."""

    credit_grant_id: CreditGrantId
    amount: Decimal


class CreditGranted(CreditFact, frozen=True, kw_only=True):
    """A wallet was given credit."""

    expires_at: datetime | None


class CreditExpired(CreditFact, frozen=True, kw_only=True):
    """What was left of a credit is gone, because its time is over."""


class CreditRevoked(CreditFact, frozen=True, kw_only=True):
    """What was left of a credit was taken back."""


class WalletTopUpRequested(WalletFact, frozen=True, kw_only=True):
    """A wallet's rule asked for money."""

    top_up_id: TopUpId
    amount: Decimal
    status: TopUpStatus
    wallet_balance: Decimal
    created_at: datetime


def movement_fact(
    wallet: Wallet, movement: Movement, transaction_id: TransactionId
) -> MovementFact:
    """The fact of a movement of a wallet's money, with the wallet that it leaves."""
    fact_type = WalletCredited if movement.direction is Direction.CREDIT else WalletDebited
    return fact_type(
        wallet_id=wallet.id,
        customer_id=wallet.customer_id,
        currency=wallet.currency,
        transaction_id=transaction_id,
        amount=movement.amount.amount,
        balance=wallet.balance,
        entry_type=movement.entry_type,
        reference_type=movement.reference_type,
        reference_id=movement.reference_id,
    )


ReportedCredit = TypeVar("ReportedCredit", bound=CreditFact)

"""The facts of wallets; what happens to a wallet's credits and top-ups happens to the wallet."""

from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from monigo.core.ids import CreditGrantId, CustomerId, TopUpId, WalletId
from monigo.infra.outbox import Fact
from monigo.wallets.types import CreditGrant, TopUpStatus, Wallet, WalletStatus


class WalletFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a wallet."""

    subject = "wallet"
    wallet_id: WalletId
    customer_id: CustomerId
    currency: str

    @property
    def subject_id(self) -> UUID:
        """The wallet."""
        return self.wallet_id


class WalletCreated(WalletFact, frozen=True, kw_only=True):
    """A customer has a wallet in a currency."""


class WalletStatusChanged(WalletFact, frozen=True, kw_only=True):
    """A wallet was suspended, closed, or is active again."""

    status: WalletStatus


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


ReportedCredit = TypeVar("ReportedCredit", bound=CreditFact)


def credit_fact(
    fact_type: type[ReportedCredit],
    wallet: Wallet,
    grant: CreditGrant,
    amount: Decimal,
    **details: object,
) -> ReportedCredit:
    """A fact of one grant of a wallet."""
    return fact_type(
        wallet_id=wallet.id,
        customer_id=wallet.customer_id,
        currency=wallet.currency,
        credit_grant_id=grant.id,
        amount=amount,
        **details,  # pyright: ignore[reportArgumentType] - the fact's own fields
    )

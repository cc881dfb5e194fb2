"""Rules that ask for money, and what they asked for."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from monigo.core.ids import (
    TopUpId,
    WalletId,
)
from monigo.wallets.types import TopUpStatus


class AutoTopUp(Struct, frozen=True):
    """A wallet's rule: below the threshold it asks for the amount, in a month up to the limit."""

    threshold: Decimal
    amount: Decimal
    monthly_limit: Decimal | None = None


class WalletRule(Struct, frozen=True):
    """A rule, and whose it is."""

    wallet_id: WalletId
    rule: AutoTopUp


class TopUp(Struct, frozen=True):
    """Money that a wallet's rule asked for, and what deposits since then have brought of it."""

    id: TopUpId
    wallet_id: WalletId
    currency: str
    amount: Decimal
    deposited_amount: Decimal
    status: TopUpStatus
    created_at: datetime
    updated_at: datetime
    settled_at: datetime | None

"""Credit grants, and what consumption takes of them."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from monigo.core.ids import (
    CreditGrantId,
    LedgerAccountId,
    MetricId,
    WalletId,
)
from monigo.core.money import Money


class GrantRequest(Struct, frozen=True):
    """Credit to give; a lower priority is consumed first, no metrics mean any."""

    wallet_id: WalletId
    amount: Money
    idempotency_key: str
    priority: int = 0
    metric_ids: tuple[MetricId, ...] = ()
    expires_at: datetime | None = None
    description: str = ""


class CreditGrant(Struct, frozen=True):
    """Credit that was given, and what is left of it.

    `expired_at` is when the rest was revoked, which is not before the expiry.
    """

    id: CreditGrantId
    wallet_id: WalletId
    account_id: LedgerAccountId
    currency: str
    amount: Decimal
    remaining: Decimal
    priority: int
    metric_ids: tuple[MetricId, ...]
    description: str
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime
    expired_at: datetime | None
    revoked_at: datetime | None


class Consumption(Struct, frozen=True):
    """What a grant pays of what is due for a metric; None where nothing is metered."""

    grant_id: CreditGrantId
    metric_id: MetricId | None
    amount: Decimal


class PaidPart(Struct, frozen=True):
    """What one source paid for a metric: a grant, or without one the wallet's money.

    The metric is None for what is not metered.
    """

    grant_id: CreditGrantId | None
    metric_id: MetricId | None
    amount: Decimal

"""Reservations: parts of a balance that are held for payments in flight."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from monigo.core.ids import (
    ReservationId,
    WalletId,
)
from monigo.core.money import Money
from monigo.ledger import Transfer
from monigo.wallets.types import Wallet


class ReservationStatus(StrEnum):
    """A reservation is settled once, in one of three ways."""

    OPEN = "open"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"


class ReservationRequest(Struct, frozen=True):
    """Money to hold, until an instant or for some seconds; neither means the usual time."""

    wallet_id: WalletId
    amount: Money
    idempotency_key: str
    expires_at: datetime | None = None
    expires_in_seconds: int | None = None
    description: str = ""
    reference_type: str = ""
    reference_id: str = ""
    metadata: Any = field(default_factory=dict[str, Any])


class Reservation(Struct, frozen=True):
    """Money held for a payment in flight."""

    id: ReservationId
    wallet_id: WalletId
    currency: str
    amount: Decimal
    captured_amount: Decimal
    status: ReservationStatus
    description: str
    reference_type: str
    reference_id: str
    metadata: Any
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    settled_at: datetime | None


class ReservationResult(Struct, frozen=True):
    """A reservation after what was done, its wallet, and the transfers that came of it."""

    reservation: Reservation
    wallet: Wallet
    transfers: Sequence[Transfer]

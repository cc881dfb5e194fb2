"""Reservations: parts of a balance, held for payments in flight."""

from monigo.wallets.reservations.service import (
    capture,
    expire_reservations,
    list_reservations,
    release,
    reserve,
)
from monigo.wallets.reservations.types import (
    Reservation,
    ReservationRequest,
    ReservationResult,
    ReservationStatus,
)

__all__ = [
    "Reservation",
    "ReservationRequest",
    "ReservationResult",
    "ReservationStatus",
    "capture",
    "expire_reservations",
    "list_reservations",
    "release",
    "reserve",
]

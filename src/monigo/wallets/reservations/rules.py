"""Pure rules of reservations."""

from datetime import datetime
from decimal import Decimal

from monigo.core.errors import conflict, invalid
from monigo.core.money import format_money
from monigo.wallets.reservations.types import Reservation, ReservationStatus


def check_capture(reservation: Reservation, amount: Decimal, now: datetime) -> None:
    """Whether so much of a reservation may be captured now.

    Raises:
        DomainError: conflict (settled, or expired); invalid (more than is held).
    """
    check_open(reservation)
    if reservation.expires_at <= now:
        raise conflict("reservation_expired", "the reservation has expired")
    if amount > reservation.amount:
        raise invalid({"amount": f"must be at most {format_money(reservation.amount)}"})


def check_open(reservation: Reservation) -> None:
    """Whether a reservation still holds money.

    Raises:
        DomainError: conflict.
    """
    match reservation.status:
        case ReservationStatus.CAPTURED:
            raise conflict("reservation_captured", "the reservation is captured")
        case ReservationStatus.RELEASED:
            raise conflict("reservation_released", "the reservation is released")
        case ReservationStatus.EXPIRED:
            raise conflict("reservation_expired", "the reservation is expired")
        case ReservationStatus.OPEN:
            return

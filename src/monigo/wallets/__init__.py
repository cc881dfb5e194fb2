"""Wallets: customers' money at the merchant, moved through the ledger."""

from monigo.ledger import AccountKind, Direction, EntryType
from monigo.wallets.movements import move, move_all
from monigo.wallets.reservations import (
    capture,
    expire_reservations,
    list_reservations,
    release,
    reserve,
)
from monigo.wallets.service import (
    close_wallets_of_customer,
    get,
    get_or_create,
    hold,
    hold_all,
    list_entries,
    list_of_customer,
    list_page,
    set_status,
)
from monigo.wallets.statement import statement_csv
from monigo.wallets.teller import Teller
from monigo.wallets.types import (
    Consumption,
    CreditGrant,
    Entry,
    GrantRequest,
    Movement,
    MovementResult,
    Reservation,
    ReservationRequest,
    ReservationResult,
    ReservationStatus,
    Wallet,
    WalletStatus,
)

__all__ = [
    "AccountKind",
    "Consumption",
    "CreditGrant",
    "Direction",
    "Entry",
    "EntryType",
    "GrantRequest",
    "Movement",
    "MovementResult",
    "Reservation",
    "ReservationRequest",
    "ReservationResult",
    "ReservationStatus",
    "Teller",
    "Wallet",
    "WalletStatus",
    "capture",
    "close_wallets_of_customer",
    "expire_reservations",
    "get",
    "get_or_create",
    "hold",
    "hold_all",
    "list_entries",
    "list_of_customer",
    "list_page",
    "list_reservations",
    "move",
    "move_all",
    "release",
    "reserve",
    "set_status",
    "statement_csv",
]

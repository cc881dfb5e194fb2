"""Wallets: customers' money at the merchant, moved through the ledger."""

from monigo.ledger import AccountKind, Direction, EntryType
from monigo.wallets.credits import (
    consume,
    consume_all,
    expire_credits,
    grant,
    list_credits,
)
from monigo.wallets.expiry import Expiry, expire_all
from monigo.wallets.movements import move, move_all
from monigo.wallets.payments import Payment, Refund, pay_all, refund_all
from monigo.wallets.reservations import (
    capture,
    expire_reservations,
    list_reservations,
    release,
    reserve,
)
from monigo.wallets.rules import entries_of
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
from monigo.wallets.store import has_credited, take_credited, tenants_with_credited
from monigo.wallets.teller import Teller
from monigo.wallets.top_ups import (
    delete_auto_top_up,
    get_auto_top_up,
    list_top_ups,
    set_auto_top_up,
)
from monigo.wallets.types import (
    AutoTopUp,
    Consumption,
    ConsumptionRequest,
    CreditGrant,
    Entry,
    GrantRequest,
    Movement,
    MovementResult,
    Reservation,
    ReservationRequest,
    ReservationResult,
    ReservationStatus,
    TopUp,
    TopUpStatus,
    Wallet,
    WalletStatus,
)
from monigo.wallets.verification import verify

__all__ = [
    "AccountKind",
    "AutoTopUp",
    "Consumption",
    "ConsumptionRequest",
    "CreditGrant",
    "Direction",
    "Entry",
    "EntryType",
    "Expiry",
    "GrantRequest",
    "Movement",
    "MovementResult",
    "Payment",
    "Refund",
    "Reservation",
    "ReservationRequest",
    "ReservationResult",
    "ReservationStatus",
    "Teller",
    "TopUp",
    "TopUpStatus",
    "Wallet",
    "WalletStatus",
    "capture",
    "close_wallets_of_customer",
    "consume",
    "consume_all",
    "delete_auto_top_up",
    "entries_of",
    "expire_all",
    "expire_credits",
    "expire_reservations",
    "get",
    "get_auto_top_up",
    "get_or_create",
    "grant",
    "has_credited",
    "hold",
    "hold_all",
    "list_credits",
    "list_entries",
    "list_of_customer",
    "list_page",
    "list_reservations",
    "list_top_ups",
    "move",
    "move_all",
    "pay_all",
    "refund_all",
    "release",
    "reserve",
    "set_auto_top_up",
    "set_status",
    "statement_csv",
    "take_credited",
    "tenants_with_credited",
    "verify",
]

"""Wallets: customers' money at the merchant, moved through the ledger."""

from monigo.ledger import AccountKind, Direction, EntryType
from monigo.wallets import events
from monigo.wallets.credits import (
    CreditGrant,
    Extent,
    GrantRequest,
    PaidPart,
    Payment,
    Repayment,
    grant,
    list_credits,
    metrics_of_grants,
    owners_with_credits,
    parts_of,
    pay_all,
    repay_all,
    revoke,
)
from monigo.wallets.due import CREDIT_EXPIRY, RESERVATION_EXPIRY, WALLET_CREDITED
from monigo.wallets.movements import MOVE_PERMISSIONS, MovementBatcher, credit, move, post
from monigo.wallets.reservations import (
    Reservation,
    ReservationRequest,
    ReservationResult,
    ReservationStatus,
    capture,
    list_reservations,
    release,
    reserve,
)
from monigo.wallets.rules import entries_of
from monigo.wallets.service import (
    get,
    get_or_create,
    list_entries,
    list_of_customer,
    list_page,
    lock_owned,
)
from monigo.wallets.statement import statement_csv
from monigo.wallets.status import close_wallets_of_customers, refuse_customer_with_money, set_status
from monigo.wallets.tasks import EXPIRE_RESERVATIONS, expire_credits_after
from monigo.wallets.top_ups import (
    AutoTopUp,
    TopUp,
    WalletRule,
    delete_auto_top_up,
    get_auto_top_up,
    list_top_ups,
    set_auto_top_up,
)
from monigo.wallets.types import Entry, Movement, MovementResult, TopUpStatus, Wallet, WalletStatus
from monigo.wallets.verification import verify

__all__ = [
    "CREDIT_EXPIRY",
    "EXPIRE_RESERVATIONS",
    "MOVE_PERMISSIONS",
    "RESERVATION_EXPIRY",
    "WALLET_CREDITED",
    "AccountKind",
    "AutoTopUp",
    "CreditGrant",
    "Direction",
    "Entry",
    "EntryType",
    "Extent",
    "GrantRequest",
    "Movement",
    "MovementBatcher",
    "MovementResult",
    "PaidPart",
    "Payment",
    "Repayment",
    "Reservation",
    "ReservationRequest",
    "ReservationResult",
    "ReservationStatus",
    "TopUp",
    "TopUpStatus",
    "Wallet",
    "WalletRule",
    "WalletStatus",
    "capture",
    "close_wallets_of_customers",
    "credit",
    "delete_auto_top_up",
    "entries_of",
    "events",
    "expire_credits_after",
    "get",
    "get_auto_top_up",
    "get_or_create",
    "grant",
    "list_credits",
    "list_entries",
    "list_of_customer",
    "list_page",
    "list_reservations",
    "list_top_ups",
    "lock_owned",
    "metrics_of_grants",
    "move",
    "owners_with_credits",
    "parts_of",
    "pay_all",
    "post",
    "refuse_customer_with_money",
    "release",
    "repay_all",
    "reserve",
    "revoke",
    "set_auto_top_up",
    "set_status",
    "statement_csv",
    "verify",
]

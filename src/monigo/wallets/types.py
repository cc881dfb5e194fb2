"""Wallets, the movements of their money, and what is answered about them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from monigo.core.ids import (
    CustomerId,
    LedgerAccountId,
    TransactionId,
    WalletId,
)
from monigo.core.money import Money
from monigo.ledger import AccountKind, Direction, EntryType, Transfer


class WalletStatus(StrEnum):
    """Only an active wallet's money moves."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class WalletAccounts(Struct, frozen=True):
    """The ledger's accounts of one wallet: the customer's two, and the merchant's two."""

    money: LedgerAccountId
    reserved: LedgerAccountId
    provider: LedgerAccountId
    revenue: LedgerAccountId


class Wallet(Struct, frozen=True):
    """A wallet as it stands.

    `balance` is what can be spent, `reserved_balance` what is held. `entries` counts the movements
    of the spendable money. `top_up_threshold` is the balance below which its rule asks for money,
    None where it has no rule. `excess` is the part of its money that came for invoices which did
    not take it, as far as nothing else has used it: it pays the customer's next invoices. Of one
    that `is_watched` it is noted that its balance moved.
    """

    id: WalletId
    customer_id: CustomerId
    currency: str
    status: WalletStatus
    balance: Decimal
    reserved_balance: Decimal
    accounts: WalletAccounts
    entries: int
    top_up_threshold: Decimal | None
    excess: Decimal
    created_at: datetime
    updated_at: datetime
    is_watched: bool = False


class AskedFor(Struct, frozen=True):
    """What a request asked for, where it is more than its movement: a reservation, a grant.

    A repeat is compared by `content_hash`, and is answered `facts` beside the wallet's.
    """

    content_hash: bytes
    facts: Mapping[str, str]


class Movement(Struct, frozen=True):
    """Money to put into a wallet (credit) or to take from it (debit), or of a grant's account.

    It stands against one of the wallet's accounts, unless another counter-account is named. With
    `is_excess` it brings money that invoices did not take, or takes such money first.

    A key is used once in a wallet. Movements without one are billing's and time's own, which
    guard themselves against repeats; so does a capture, whose key is not remembered, for its
    reservation is settled once. Those that are made together share a transaction's id.
    """

    wallet_id: WalletId
    direction: Direction
    amount: Money
    entry_type: EntryType
    idempotency_key: str = ""
    description: str = ""
    reference_type: str = ""
    reference_id: str = ""
    provider_id: str = ""
    metadata: Any = field(default_factory=dict[str, Any])
    grant_account_id: LedgerAccountId | None = None
    counter_account_id: LedgerAccountId | None = None
    transaction_id: TransactionId | None = None
    asked_for: AskedFor | None = None
    is_key_remembered: bool = True
    is_excess: bool = False


class Entry(Struct, frozen=True):
    """One side of a transfer, as accountants read it; `wallet_id` on the customer's side only."""

    id: UUID
    transaction_id: TransactionId
    wallet_id: WalletId | None
    account_id: LedgerAccountId
    account_type: AccountKind
    direction: Direction
    amount: Decimal
    currency: str
    balance_before: Decimal
    balance_after: Decimal
    entry_type: EntryType
    description: str
    reference_type: str
    reference_id: str
    provider_id: str
    idempotency_key: str
    metadata: Any
    created_at: datetime


class MovementResult(Struct, frozen=True):
    """A wallet as a movement left it, and the transfers that the movement is."""

    wallet: Wallet
    transfers: Sequence[Transfer]


class TopUpStatus(StrEnum):
    """A request is settled once: by deposits, or by nobody needing it any more."""

    OPEN = "open"
    PAID = "paid"
    CANCELED = "canceled"

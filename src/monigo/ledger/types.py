"""What the ledger is made of: accounts, transfers between them, and their two sides."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from monigo.core.ids import CustomerId, LedgerAccountId, TransactionId, TransferId


class AccountKind(StrEnum):
    """Whose money an account holds, or what for. What an account gives makes its balance go down.

    What is owed to others is never below zero, what others owe and what is lost never above.
    """

    CUSTOMER_WALLET = "customer_wallet"
    RESERVED = "reserved"
    CREDIT_GRANT = "credit_grant"
    # On both sides of zero.
    PROVIDER = "provider"
    REVENUE = "revenue"
    # Never above zero.
    RECEIVABLE = "receivable"
    EXTERNAL = "external"
    PROVIDER_FEES = "provider_fees"
    BAD_DEBT = "bad_debt"
    DISPUTE_LOSSES = "dispute_losses"
    PAYOUT_EXPENSE = "payout_expense"
    # Never below zero.
    TAX_PAYABLE = "tax_payable"
    PAYABLE = "payable"
    PAYOUTS_IN_FLIGHT = "payouts_in_flight"
    WITHHOLDING_PAYABLE = "withholding_payable"


class EntryType(StrEnum):
    """Why money moves; the first five are the contract's."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    USAGE = "usage"
    REFUND = "refund"
    ADJUSTMENT = "adjustment"
    RESERVATION = "reservation"
    RELEASE = "release"
    CREDIT_GRANT = "credit_grant"
    CREDIT_EXPIRY = "credit_expiry"
    CREDIT_REVOCATION = "credit_revocation"
    # What becomes of invoices and of the bills that payout plans have instead.
    INVOICE = "invoice"
    BILL = "bill"
    VOID = "void"
    REOPENING = "reopening"
    WRITE_OFF = "write_off"
    RECOVERY = "recovery"
    # Money that moves at providers, or was received elsewhere.
    PAYMENT = "payment"
    PROVIDER_FEE = "provider_fee"
    CHARGE_REFUND = "charge_refund"
    LOSS = "loss"
    PAYOUT = "payout"
    PAYOUT_RETURN = "payout_return"


class Direction(StrEnum):
    """Which side of a transfer: a debit takes from an account, a credit gives to it."""

    DEBIT = "debit"
    CREDIT = "credit"


class NewAccount(Struct, frozen=True):
    """An account to open, empty."""

    id: LedgerAccountId
    kind: AccountKind
    currency: str


class CustomerAccount(Struct, frozen=True):
    """A customer's one account of a kind and currency, which is opened with its first transfer.

    Its id is derived from the rest, so that nobody looks it up.
    """

    id: LedgerAccountId
    kind: AccountKind
    currency: str
    customer_id: CustomerId


class Account(Struct, frozen=True):
    """An account and the head of its chain; `sequence` counts its entries."""

    id: LedgerAccountId
    kind: AccountKind
    currency: str
    balance: Decimal
    sequence: int


class Posting(Struct, frozen=True):
    """A transfer to make: `amount`, above zero, from one account to another.

    Legs of one transaction share its id. `counterparty` is who outside stands behind it, such as
    a payment provider.
    """

    transaction_id: TransactionId
    from_account_id: LedgerAccountId
    to_account_id: LedgerAccountId
    amount: Decimal
    currency: str
    entry_type: EntryType
    description: str = ""
    reference_type: str = ""
    reference_id: str = ""
    counterparty: str = ""
    idempotency_key: str = ""
    metadata: Any = field(default_factory=dict[str, Any])


class Side(Struct, frozen=True):
    """What a transfer did to one of its accounts: the entry's place and the balances around it."""

    account_id: LedgerAccountId
    sequence: int
    balance_before: Decimal
    balance_after: Decimal


class Transfer(Struct, frozen=True):
    """A transfer as it was made; it never changes."""

    id: TransferId
    posting: Posting
    debit: Side
    credit: Side
    created_at: datetime


class RequestKey(Struct, frozen=True):
    """An idempotency key, and what it is unique in."""

    scope: UUID
    idempotency_key: str


class Request(Struct, frozen=True):
    """A request under an idempotency key: the content's hash, and what a repeat is answered.

    `transaction_ids` are the transactions that the request made, `result` is the caller's own JSON.
    """

    key: RequestKey
    content_hash: bytes
    transaction_ids: Sequence[TransactionId]
    result: Any


class KeptRequest(Struct, frozen=True):
    """A request that was made before, with the transfers that came of it, in their order."""

    content_hash: bytes
    transfers: Sequence[Transfer]
    result: Any


class Total(Struct, frozen=True):
    """What all accounts of a kind hold in a currency."""

    kind: AccountKind
    currency: str
    balance: Decimal

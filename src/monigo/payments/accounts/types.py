"""Virtual accounts: bank account numbers at providers, whose deposits fund wallets."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monigo.core.ids import ConnectionId, CustomerId, VirtualAccountId, WalletId
from monigo.providers.port import Payer


class AccountState(StrEnum):
    """How far an account has come; only an open one may still be asked about or closed."""

    # Intended; the provider was not asked yet.
    CREATED = "created"
    SUBMITTED = "submitted"
    # The provider was asked, and it is not known what it did.
    UNKNOWN = "unknown"
    ACTIVE = "active"
    FAILED = "failed"
    CLOSING = "closing"
    CLOSED = "closed"


# What the provider may not have done yet, or may have done without our knowledge.
UNSETTLED = frozenset({AccountState.CREATED, AccountState.SUBMITTED, AccountState.UNKNOWN})


class NewAccount(Struct, frozen=True, kw_only=True):
    """An account that is wanted: for which wallet, at which connection, in whose name."""

    customer_id: CustomerId
    wallet_id: WalletId
    connection_id: ConnectionId
    provider: str
    currency: str


class Identity(Struct, frozen=True):
    """Numbers that prove who a payer is. They are sent to the provider, and kept nowhere."""

    bvn: str = ""
    nin: str = ""

    def __repr__(self) -> str:
        return "Identity(…)"


NO_IDENTITY = Identity()


class VirtualAccount(Struct, frozen=True, kw_only=True):
    """A virtual account as it stands.

    `reference` is ours, `provider_id` what the provider calls the account, `provider_customer`
    what it calls its owner. `created_at` is of the tenant's time, all other instants are real.
    """

    id: VirtualAccountId
    customer_id: CustomerId
    wallet_id: WalletId
    connection_id: ConnectionId
    provider: str
    currency: str
    reference: str
    state: AccountState
    account_number: str
    account_name: str
    bank_name: str
    bank_code: str
    provider_id: str
    provider_customer: str
    failure_field: str
    failure_reason: str
    asked: int
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    opened_at: datetime | None
    last_used_at: datetime | None
    closed_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether people may be given its number to pay into."""
        return self.state is AccountState.ACTIVE


class Request(Struct, frozen=True, kw_only=True):
    """What is asked of a provider about an account: with the account as it stood, and its owner."""

    account: VirtualAccount
    payer: Payer
    # The provider may have it: it is looked up, and not made.
    is_question: bool

"""The facts of virtual accounts."""

from monigo.core.ids import ConnectionId, CustomerId, VirtualAccountId, WalletId
from monigo.infra.outbox import Fact


class AccountFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a virtual account."""

    subject = "virtual_account"
    subject_field = "virtual_account_id"
    virtual_account_id: VirtualAccountId
    wallet_id: WalletId
    customer_id: CustomerId
    connection_id: ConnectionId
    provider: str
    currency: str


class VirtualAccountOpened(AccountFact, frozen=True, kw_only=True):
    """A provider opened an account for a wallet: money can come in by it."""


class VirtualAccountClosed(AccountFact, frozen=True, kw_only=True):
    """A provider closed an account of a wallet."""

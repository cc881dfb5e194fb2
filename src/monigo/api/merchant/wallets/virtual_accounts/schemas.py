"""Virtual accounts on the wire."""

from enum import StrEnum
from typing import Annotated, Self

from msgspec import Meta
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from monigo.api.kernel.wire.incoming import Incoming, Name, empty_as_none
from monigo.api.kernel.wire.outgoing import FreeForm, Instant, ListEnvelope, Outgoing
from monigo.core.ids import CustomerId, OrganizationId, VirtualAccountId, WalletId
from monigo.infra.db import Tenant
from monigo.payments.accounts import AccountState, Identity, VirtualAccount
from monigo.providers.port import ProviderName

# Of the bank's and of the state's register of persons alike.
IDENTITY_DIGITS = 11


def _proof(text: str) -> str:
    """Says nothing of the value itself: what is at fault of it is nobody else's business."""
    if text and not (text.isascii() and text.isdecimal() and len(text) == IDENTITY_DIGITS):
        raise ValueError(f"must have {IDENTITY_DIGITS} digits")
    return text


Proof = Annotated[str, StringConstraints(max_length=50), AfterValidator(_proof)]


class VirtualAccountIn(Incoming):
    """A bank account that is wanted for a wallet, and what its provider must know of the payer.

    `bvn` and `nin` are sent to the provider, and stored nowhere.
    """

    provider: ProviderName = Field(examples=["paystack"])
    currency: Annotated[Name | None, BeforeValidator(empty_as_none)] = Field(
        default=None, examples=["NGN"], description="the wallet's own, and usually left out"
    )
    bvn: Proof = Field(default="", description="sent on, and not kept")
    nin: Proof = Field(default="", description="sent on, and not kept")

    def identity(self) -> Identity:
        """Who the payer is, as far as it is known."""
        return Identity(self.bvn, self.nin)


class AccountStatus(StrEnum):
    """Whether money can be paid into an account."""

    PENDING = "pending"
    ACTIVE = "active"
    CLOSED = "closed"
    FAILED = "failed"


_STATUSES = {
    AccountState.ACTIVE: AccountStatus.ACTIVE,
    AccountState.CLOSING: AccountStatus.CLOSED,
    AccountState.CLOSED: AccountStatus.CLOSED,
    AccountState.FAILED: AccountStatus.FAILED,
}


class VirtualAccountOut(Outgoing, frozen=True):
    """A bank account whose deposits fund a wallet."""

    id: VirtualAccountId
    org_id: OrganizationId
    customer_id: CustomerId
    wallet_id: WalletId
    provider: str
    account_number: Annotated[str, Meta(description="empty while it is pending")]
    account_name: str
    bank_name: str
    bank_code: str
    currency: str
    provider_ref: Annotated[str, Meta(description="what the provider calls it")]
    reference: Annotated[str, Meta(description="ours, under which the provider was asked for it")]
    is_active: bool
    status: AccountStatus
    last_used_at: Annotated[Instant | None, Meta(description="when money came into it last")]
    metadata: FreeForm
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tenant: Tenant, account: VirtualAccount) -> Self:
        """The wire form."""
        return cls(
            id=account.id,
            org_id=tenant.org_id,
            customer_id=account.customer_id,
            wallet_id=account.wallet_id,
            provider=account.provider,
            account_number=account.account_number,
            account_name=account.account_name,
            bank_name=account.bank_name,
            bank_code=account.bank_code,
            currency=account.currency,
            provider_ref=account.provider_id or account.reference,
            reference=account.reference,
            is_active=account.is_open,
            status=_STATUSES.get(account.state, AccountStatus.PENDING),
            last_used_at=account.last_used_at,
            metadata={},
            created_at=account.created_at,
            updated_at=account.updated_at,
        )


class VirtualAccountEnvelope(Outgoing, frozen=True):
    """One virtual account."""

    virtual_account: VirtualAccountOut


class VirtualAccountList(ListEnvelope, frozen=True):
    """A wallet's virtual accounts, newest first."""

    virtual_accounts: list[VirtualAccountOut]

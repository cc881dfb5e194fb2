"""Payout accounts on the wire."""

from typing import Annotated, Self

from msgspec import Meta
from pydantic import Field

from monigo.api.kernel.changes import Changes
from monigo.api.kernel.wire.incoming import Incoming, Metadata, Name
from monigo.api.kernel.wire.outgoing import FreeForm, Instant, ListEnvelope, Outgoing
from monigo.core.ids import CustomerId, OrganizationId, PayoutAccountId
from monigo.infra import json
from monigo.infra.crypto import Vault
from monigo.infra.db import Transaction
from monigo.payments import payout_accounts
from monigo.payments.payout_accounts import (
    AccountChanges,
    AccountDetails,
    PayoutAccount,
    ResolutionState,
)
from monigo.providers.port import PayoutMethod


class PayoutAccountUpdate(Incoming):
    """What is to change of a payout account; what is not sent stays as it is."""

    account_name: Name | None = Field(default=None, examples=["Ada Obi"])
    payout_method: PayoutMethod | None = Field(default=None, examples=["bank_transfer"])
    bank_name: Name | None = Field(default=None, examples=["Access Bank"])
    bank_code: Name | None = Field(
        default=None, description="as GET /v1/banks lists it", examples=["044"]
    )
    account_number: Name | None = Field(default=None, examples=["0690000031"])
    mobile_money_number: Name | None = Field(
        default=None, description="of mobile money, with the country", examples=["+233501234567"]
    )
    currency: Name | None = Field(default=None, examples=["NGN"])
    is_default: bool | None = None
    metadata: Metadata | None = None

    def changes(self) -> AccountChanges:
        """The changes as a value of the domain."""
        return AccountChanges(
            account_name=self.account_name,
            method=self.payout_method,
            bank_name=self.bank_name,
            bank_code=self.bank_code,
            number=self.mobile_money_number or self.account_number or None,
            currency=self.currency,
            is_default=self.is_default,
            metadata=self.metadata,
        )


class PayoutAccountIn(Incoming):
    """A payee's account; the first one in a currency is the default."""

    account_name: Name = Field(examples=["Ada Obi"])
    payout_method: PayoutMethod = Field(
        default=PayoutMethod.BANK_TRANSFER, examples=["bank_transfer"]
    )
    bank_name: Name | None = Field(default=None, examples=["Access Bank"])
    bank_code: Name | None = Field(
        default=None, description="as GET /v1/banks lists it", examples=["044"]
    )
    account_number: Name | None = Field(default=None, examples=["0690000031"])
    mobile_money_number: Name | None = Field(
        default=None, description="of mobile money, with the country", examples=["+233501234567"]
    )
    currency: Name = Field(examples=["NGN"])
    is_default: bool = False
    metadata: Metadata | None = None

    def details(self) -> AccountDetails:
        """The account as a value of the domain."""
        return AccountDetails(
            account_name=self.account_name,
            method=self.payout_method,
            bank_name=self.bank_name or "",
            bank_code=self.bank_code or "",
            number=self.mobile_money_number or self.account_number or "",
            currency=self.currency,
            is_default=self.is_default,
            metadata=self.metadata or {},
        )


class PayoutAccountOut(Outgoing, frozen=True):
    """A payee's account; of its number and the mobile number one is set."""

    id: PayoutAccountId
    org_id: OrganizationId
    customer_id: CustomerId
    account_name: str
    payout_method: PayoutMethod
    bank_name: str
    bank_code: str
    account_number: str
    mobile_money_number: str
    currency: str
    is_default: bool
    metadata: FreeForm
    resolution: Annotated[
        ResolutionState, Meta(description="whether the provider knows it in this name")
    ]
    resolved_name: Annotated[str, Meta(description="the name that the provider has")]
    resolution_reason: Annotated[str, Meta(description="why there is none yet")]
    resolved_at: Instant | None
    changed_at: Annotated[Instant, Meta(description="when what is paid to changed last")]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, vault: Vault, account: PayoutAccount) -> Self:
        """The wire form, with the number in the clear."""
        return cls._with(tx, account, payout_accounts.details_of(vault, account).number)

    @classmethod
    def masked(cls, tx: Transaction, account: PayoutAccount) -> Self:
        """The wire form for the audit log, with the end of the number only."""
        return cls._with(tx, account, payout_accounts.masked(account.last4))

    @classmethod
    def _with(cls, tx: Transaction, account: PayoutAccount, number: str) -> Self:
        is_phone = account.method is PayoutMethod.MOBILE_MONEY
        resolution = account.resolution
        return cls(
            id=account.id,
            org_id=tx.org_id,
            customer_id=account.customer_id,
            account_name=account.account_name,
            payout_method=account.method,
            bank_name=account.bank_name,
            bank_code=account.bank_code,
            account_number="" if is_phone else number,
            mobile_money_number=number if is_phone else "",
            currency=account.currency,
            is_default=account.is_default,
            metadata=json.exact_floats(account.metadata),
            resolution=resolution.state,
            resolved_name=resolution.name,
            resolution_reason=resolution.reason,
            resolved_at=resolution.at,
            changed_at=account.changed_at,
            created_at=account.created_at,
            updated_at=account.updated_at,
        )


class PayoutAccountEnvelope(Outgoing, frozen=True):
    """One payout account."""

    payout_account: PayoutAccountOut


class PayoutAccountList(ListEnvelope, frozen=True):
    """A customer's payout accounts, oldest first."""

    payout_accounts: list[PayoutAccountOut]


PAYOUT_ACCOUNT = Changes("payout_account", PayoutAccount, PayoutAccountOut.masked)

"""Wallets and their entries on the wire."""

from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta
from pydantic import Field

from monigo.api.kernel.changes import Changes
from monigo.api.kernel.wire.incoming import Incoming, Name
from monigo.api.kernel.wire.outgoing import FreeForm, Instant, ListEnvelope, Money, Outgoing
from monigo.api.merchant.wallets.virtual_accounts.schemas import VirtualAccountOut
from monigo.core.ids import CustomerId, LedgerAccountId, OrganizationId, TransactionId, WalletId
from monigo.core.money import format_money
from monigo.infra import json
from monigo.infra.db import Tenant
from monigo.wallets import AccountKind, Direction, Entry, EntryType, Wallet, WalletStatus


class WalletOut(Outgoing, frozen=True):
    """A customer's money in one currency."""

    id: WalletId
    org_id: OrganizationId
    customer_id: CustomerId
    currency: str
    balance: Annotated[Money, Meta(description="what can be spent")]
    reserved_balance: Annotated[Money, Meta(description="what is held for payments in flight")]
    status: WalletStatus
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tenant: Tenant, wallet: Wallet) -> Self:
        """The wire form."""
        return cls(
            id=wallet.id,
            org_id=tenant.org_id,
            customer_id=wallet.customer_id,
            currency=wallet.currency,
            balance=format_money(wallet.balance),
            reserved_balance=format_money(wallet.reserved_balance),
            status=wallet.status,
            created_at=wallet.created_at,
            updated_at=wallet.updated_at,
        )


class EntryOut(Outgoing, frozen=True):
    """One side of a movement. It never changes."""

    id: UUID
    org_id: OrganizationId
    transaction_id: TransactionId
    wallet_id: Annotated[WalletId | None, Meta(description="null on the merchant's side")]
    account_type: AccountKind
    account_id: LedgerAccountId
    direction: Direction
    amount: Money
    currency: str
    balance_before: Money
    balance_after: Money
    description: str
    entry_type: EntryType
    reference_type: str
    reference_id: str
    provider_id: str
    idempotency_key: str
    metadata: FreeForm
    created_at: Instant

    @classmethod
    def of(cls, tenant: Tenant, entry: Entry) -> Self:
        """The wire form."""
        return cls(
            id=entry.id,
            org_id=tenant.org_id,
            transaction_id=entry.transaction_id,
            wallet_id=entry.wallet_id,
            account_type=entry.account_type,
            account_id=entry.account_id,
            direction=entry.direction,
            amount=format_money(entry.amount),
            currency=entry.currency,
            balance_before=format_money(entry.balance_before),
            balance_after=format_money(entry.balance_after),
            description=entry.description,
            entry_type=entry.entry_type,
            reference_type=entry.reference_type,
            reference_id=entry.reference_id,
            provider_id=entry.provider_id,
            idempotency_key=entry.idempotency_key,
            metadata=json.exact_floats(entry.metadata),
            created_at=entry.created_at,
        )


WALLET = Changes("wallet", Wallet, lambda tx, wallet: WalletOut.of(tx.tenant, wallet))


class WalletIn(Incoming):
    """Whose wallet, and in which currency."""

    customer_id: Name = Field(examples=["driver-42"], description="id or external_id")
    currency: Name | None = Field(
        default=None, examples=["NGN"], description="the organisation's default where it is unset"
    )


class WalletChangeIn(Incoming):
    """A wallet's new status."""

    status: WalletStatus = Field(examples=["suspended"])


class WalletEnvelope(Outgoing, frozen=True):
    """One wallet."""

    wallet: WalletOut


class WalletDetails(WalletEnvelope, frozen=True):
    """One wallet, with the bank accounts that money comes in by."""

    virtual_accounts: list[VirtualAccountOut]


class WalletList(ListEnvelope, frozen=True):
    """Wallets, newest first."""

    wallets: list[WalletOut]


class TransactionList(Outgoing, frozen=True):
    """What moved a wallet's balance, newest first."""

    transactions: list[EntryOut]
    total: int
    limit: int
    offset: int
    next_cursor: Annotated[str, Meta(description="opaque; empty at the end")]

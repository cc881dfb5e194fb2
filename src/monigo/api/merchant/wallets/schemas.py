"""Wallets, entries and reservations on the wire."""

from collections.abc import Mapping
from typing import Any, Self
from uuid import UUID

from pydantic import Field

from monigo.api.kernel.wire.fields import (
    Incoming,
    Instant,
    ListEnvelope,
    MetadataOut,
    Money,
    Name,
    Outgoing,
)
from monigo.core.ids import (
    CreditGrantId,
    CustomerId,
    LedgerAccountId,
    MetricId,
    OrganizationId,
    ReservationId,
    TransactionId,
    WalletId,
)
from monigo.core.money import format_money
from monigo.core.times import format_instant
from monigo.infra import json
from monigo.infra.db import Tenant
from monigo.wallets import (
    AccountKind,
    CreditGrant,
    Direction,
    Entry,
    EntryType,
    MovementResult,
    Reservation,
    ReservationStatus,
    Wallet,
    WalletStatus,
    entries_of,
)


class WalletOut(Outgoing):
    """A customer's money in one currency."""

    id: WalletId
    org_id: OrganizationId
    customer_id: CustomerId
    currency: str
    balance: Money = Field(description="what can be spent")
    reserved_balance: Money = Field(description="what is held for payments in flight")
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
            balance=wallet.balance,
            reserved_balance=wallet.reserved_balance,
            status=wallet.status,
            created_at=wallet.created_at,
            updated_at=wallet.updated_at,
        )


class EntryOut(Outgoing):
    """One side of a movement. It never changes."""

    id: UUID
    org_id: OrganizationId
    transaction_id: TransactionId
    wallet_id: WalletId | None = Field(description="null on the merchant's side")
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
    metadata: MetadataOut
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
            amount=entry.amount,
            currency=entry.currency,
            balance_before=entry.balance_before,
            balance_after=entry.balance_after,
            description=entry.description,
            entry_type=entry.entry_type,
            reference_type=entry.reference_type,
            reference_id=entry.reference_id,
            provider_id=entry.provider_id,
            idempotency_key=entry.idempotency_key,
            metadata=entry.metadata,
            created_at=entry.created_at,
        )


class ReservationOut(Outgoing):
    """Money held for a payment in flight."""

    id: ReservationId
    org_id: OrganizationId
    wallet_id: WalletId
    currency: str
    amount: Money
    captured_amount: Money
    status: ReservationStatus
    description: str
    reference_type: str
    reference_id: str
    metadata: MetadataOut
    expires_at: Instant
    settled_at: Instant | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tenant: Tenant, reservation: Reservation) -> Self:
        """The wire form."""
        return cls(
            id=reservation.id,
            org_id=tenant.org_id,
            wallet_id=reservation.wallet_id,
            currency=reservation.currency,
            amount=reservation.amount,
            captured_amount=reservation.captured_amount,
            status=reservation.status,
            description=reservation.description,
            reference_type=reservation.reference_type,
            reference_id=reservation.reference_id,
            metadata=reservation.metadata,
            expires_at=reservation.expires_at,
            settled_at=reservation.settled_at,
            created_at=reservation.created_at,
            updated_at=reservation.updated_at,
        )


class CreditOut(Outgoing):
    """Credit that was granted, and what is left of it."""

    id: CreditGrantId
    org_id: OrganizationId
    wallet_id: WalletId
    currency: str
    amount: Money
    remaining: Money
    priority: int
    metric_ids: list[MetricId] = Field(description="empty: usage of any metric")
    description: str
    expires_at: Instant | None
    expired_at: Instant | None = Field(description="when what was left was taken back")
    revoked_at: Instant | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tenant: Tenant, grant: CreditGrant) -> Self:
        """The wire form."""
        return cls(
            id=grant.id,
            org_id=tenant.org_id,
            wallet_id=grant.wallet_id,
            currency=grant.currency,
            amount=grant.amount,
            remaining=grant.remaining,
            priority=grant.priority,
            metric_ids=list(grant.metric_ids),
            description=grant.description,
            expires_at=grant.expires_at,
            expired_at=grant.expired_at,
            revoked_at=grant.revoked_at,
            created_at=grant.created_at,
            updated_at=grant.updated_at,
        )


def movement_json(tenant: Tenant, result: MovementResult) -> Mapping[str, Any]:
    """What `MovementOut` says, put together by hand for the hot route."""
    wallet = result.wallet
    return {
        "wallet": {
            "id": wallet.id,
            "org_id": tenant.org_id,
            "customer_id": wallet.customer_id,
            "currency": wallet.currency,
            "balance": format_money(wallet.balance),
            "reserved_balance": format_money(wallet.reserved_balance),
            "status": wallet.status,
            "created_at": format_instant(wallet.created_at),
            "updated_at": format_instant(wallet.updated_at),
        },
        "ledger_entries": [
            _entry_json(tenant, entry) for entry in entries_of(wallet, result.transfers)
        ],
    }


def _entry_json(tenant: Tenant, entry: Entry) -> Mapping[str, Any]:
    return {
        "id": entry.id,
        "org_id": tenant.org_id,
        "transaction_id": entry.transaction_id,
        "wallet_id": entry.wallet_id,
        "account_type": entry.account_type,
        "account_id": entry.account_id,
        "direction": entry.direction,
        "amount": format_money(entry.amount),
        "currency": entry.currency,
        "balance_before": format_money(entry.balance_before),
        "balance_after": format_money(entry.balance_after),
        "description": entry.description,
        "entry_type": entry.entry_type,
        "reference_type": entry.reference_type,
        "reference_id": entry.reference_id,
        "provider_id": entry.provider_id,
        "idempotency_key": entry.idempotency_key,
        "metadata": json.exact_floats(entry.metadata),
        "created_at": format_instant(entry.created_at),
    }


class WalletIn(Incoming):
    """Whose wallet, and in which currency."""

    customer_id: Name = Field(examples=["driver-42"], description="id or external_id")
    currency: Name | None = Field(
        default=None, examples=["NGN"], description="the organisation's default where it is unset"
    )


class WalletChangeIn(Incoming):
    """A wallet's new status."""

    status: WalletStatus = Field(examples=["suspended"])


class WalletEnvelope(Outgoing):
    """One wallet."""

    wallet: WalletOut


class WalletDetails(WalletEnvelope):
    """One wallet, with the bank accounts that money comes in by."""

    virtual_accounts: list[dict[str, Any]]


class WalletList(ListEnvelope):
    """Wallets, newest first."""

    wallets: list[WalletOut]


class TransactionList(Outgoing):
    """What moved a wallet's balance, newest first."""

    transactions: list[EntryOut]
    total: int
    limit: int
    offset: int
    next_cursor: str = Field(description="opaque; empty at the end")

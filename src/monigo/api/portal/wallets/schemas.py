"""Wallets on the portal's wire."""

from collections.abc import Sequence
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta

from monigo.api.kernel.wire.outgoing import Instant, Money, Outgoing
from monigo.api.portal.paging import PortalList
from monigo.core.ids import VirtualAccountId, WalletId
from monigo.core.money import format_money
from monigo.payments.accounts import VirtualAccount
from monigo.wallets import Direction, Entry, EntryType, Wallet, WalletStatus


class PaidIntoOut(Outgoing, frozen=True):
    """A bank account whose deposits fund the wallet."""

    id: VirtualAccountId
    provider: str
    bank_name: str
    account_number: str
    account_name: str
    currency: str

    @classmethod
    def of(cls, account: VirtualAccount) -> Self:
        """The wire form."""
        return cls(
            id=account.id,
            provider=account.provider,
            bank_name=account.bank_name,
            account_number=account.account_number,
            account_name=account.account_name,
            currency=account.currency,
        )


class PortalWalletOut(Outgoing, frozen=True):
    """The customer's money in one currency, and the accounts that are open to pay into it."""

    id: WalletId
    currency: str
    balance: Annotated[Money, Meta(description="what can be spent")]
    reserved_balance: Money
    status: WalletStatus
    virtual_accounts: list[PaidIntoOut]
    created_at: Instant

    @classmethod
    def of(cls, wallet: Wallet, accounts: Sequence[VirtualAccount]) -> Self:
        """The wire form."""
        return cls(
            id=wallet.id,
            currency=wallet.currency,
            balance=format_money(wallet.balance),
            reserved_balance=format_money(wallet.reserved_balance),
            status=wallet.status,
            virtual_accounts=[PaidIntoOut.of(one) for one in accounts if one.is_open],
            created_at=wallet.created_at,
        )


class PortalWalletEnvelope(Outgoing, frozen=True):
    """One wallet."""

    wallet: PortalWalletOut


class PortalWalletList(PortalList, frozen=True):
    """The customer's wallets, newest first."""

    wallets: list[PortalWalletOut]


class PortalEntryOut(Outgoing, frozen=True):
    """Something that moved a wallet's balance."""

    id: UUID
    direction: Direction
    amount: Money
    currency: str
    balance_after: Money
    description: str
    entry_type: EntryType
    created_at: Instant

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """The wire form."""
        return cls(
            id=entry.id,
            direction=entry.direction,
            amount=format_money(entry.amount),
            currency=entry.currency,
            balance_after=format_money(entry.balance_after),
            description=entry.description,
            entry_type=entry.entry_type,
            created_at=entry.created_at,
        )


class PortalEntryList(PortalList, frozen=True):
    """What moved a wallet's balance, newest first."""

    entries: list[PortalEntryOut]

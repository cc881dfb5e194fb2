"""Top-ups and their rules on the wire."""

from typing import Annotated, Self

from msgspec import Meta
from pydantic import Field

from monigo.api.kernel.wire.incoming import Amount, AmountOrZero, Id, Incoming
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Money, Outgoing, money_or_null
from monigo.core.ids import OrganizationId, TopUpId, WalletId
from monigo.core.money import format_money
from monigo.infra.db import Tenant
from monigo.wallets import AutoTopUp, TopUp, TopUpStatus


class AutoTopUpIn(Incoming):
    """When a wallet asks for money, and for how much."""

    threshold: AmountOrZero = Field(
        examples=["500.000000"], description="asks when the balance is below it"
    )
    amount: Amount = Field(examples=["2000.000000"])
    monthly_limit: Amount | None = Field(
        default=None, examples=["10000.000000"], description="null: asks for as much as is needed"
    )


class AutoTopUpOut(Outgoing, frozen=True):
    """A wallet's rule."""

    wallet_id: WalletId
    threshold: Money
    amount: Money
    monthly_limit: Money | None

    @classmethod
    def of(cls, wallet_id: Id, rule: AutoTopUp) -> Self:
        """The wire form."""
        return cls(
            wallet_id=WalletId(wallet_id),
            threshold=format_money(rule.threshold),
            amount=format_money(rule.amount),
            monthly_limit=money_or_null(rule.monthly_limit),
        )


class AutoTopUpEnvelope(Outgoing, frozen=True):
    """One rule."""

    auto_top_up: AutoTopUpOut


class TopUpOut(Outgoing, frozen=True):
    """Money that a wallet's rule asked for."""

    id: TopUpId
    org_id: OrganizationId
    wallet_id: WalletId
    currency: str
    amount: Money
    deposited_amount: Annotated[
        Money, Meta(description="what deposits since then have brought of it")
    ]
    status: TopUpStatus
    settled_at: Instant | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tenant: Tenant, top_up: TopUp) -> Self:
        """The wire form."""
        return cls(
            id=top_up.id,
            org_id=tenant.org_id,
            wallet_id=top_up.wallet_id,
            currency=top_up.currency,
            amount=format_money(top_up.amount),
            deposited_amount=format_money(top_up.deposited_amount),
            status=top_up.status,
            settled_at=top_up.settled_at,
            created_at=top_up.created_at,
            updated_at=top_up.updated_at,
        )


class TopUpList(ListEnvelope, frozen=True):
    """Requests, newest first."""

    top_ups: list[TopUpOut]

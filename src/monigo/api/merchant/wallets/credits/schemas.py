"""Credits on the wire."""

from typing import Annotated, Self

from msgspec import Meta
from pydantic import Field

from monigo.api.kernel.wire.incoming import Amount, Id, Incoming, InstantIn, Name, Text, Whole
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Money, Outgoing
from monigo.api.merchant.wallets.movements.schemas import BodyKey
from monigo.core import money
from monigo.core.ids import CreditGrantId, MetricId, OrganizationId, WalletId
from monigo.infra.db import Tenant
from monigo.wallets import CreditGrant, GrantRequest

# More than any plan has metrics; a restriction to more is none.
METRICS_MAX = 100


class GrantIn(Incoming):
    """Credit to give."""

    amount: Amount = Field(examples=["500.000000"])
    currency: Name = Field(examples=["NGN"])
    idempotency_key: BodyKey = Field(examples=["welcome-1"])
    priority: Annotated[Whole, Field(ge=0)] | None = Field(
        default=None, description="the lowest is consumed first; 0 where it is unset"
    )
    expires_at: InstantIn = None
    metric_ids: list[Id] | None = Field(
        default=None, max_length=METRICS_MAX, description="usage of these only; unset: of any"
    )
    description: Text | None = None

    def request(self, wallet_id: WalletId) -> GrantRequest:
        """The grant that is asked for."""
        return GrantRequest(
            wallet_id=wallet_id,
            amount=money.Money(self.amount, self.currency),
            idempotency_key=self.idempotency_key,
            priority=self.priority or 0,
            metric_ids=tuple(MetricId(one) for one in self.metric_ids or ()),
            expires_at=self.expires_at,
            description=self.description or "",
        )


class CreditOut(Outgoing, frozen=True):
    """Credit that was granted, and what is left of it."""

    id: CreditGrantId
    org_id: OrganizationId
    wallet_id: WalletId
    currency: str
    amount: Money
    remaining: Money
    priority: int
    metric_ids: Annotated[list[MetricId], Meta(description="empty: usage of any metric")]
    description: str
    expires_at: Instant | None
    expired_at: Annotated[Instant | None, Meta(description="when what was left was taken back")]
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
            amount=money.format_money(grant.amount),
            remaining=money.format_money(grant.remaining),
            priority=grant.priority,
            metric_ids=list(grant.metric_ids),
            description=grant.description,
            expires_at=grant.expires_at,
            expired_at=grant.expired_at,
            revoked_at=grant.revoked_at,
            created_at=grant.created_at,
            updated_at=grant.updated_at,
        )


class CreditEnvelope(Outgoing, frozen=True):
    """One grant."""

    credit: CreditOut


class CreditList(ListEnvelope, frozen=True):
    """Grants, newest first."""

    credits: list[CreditOut]

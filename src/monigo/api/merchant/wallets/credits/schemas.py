"""Credits on the wire."""

from typing import Annotated

from pydantic import Field

from monigo.api.kernel.wire.fields import (
    Amount,
    Id,
    Incoming,
    InstantIn,
    ListEnvelope,
    Name,
    Outgoing,
    Text,
    Whole,
)
from monigo.api.merchant.wallets.movements.schemas import BodyKey
from monigo.api.merchant.wallets.schemas import CreditOut
from monigo.core.ids import MetricId, WalletId
from monigo.core.money import Money
from monigo.wallets import GrantRequest

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
            amount=Money(self.amount, self.currency),
            idempotency_key=self.idempotency_key,
            priority=self.priority or 0,
            metric_ids=tuple(MetricId(one) for one in self.metric_ids or ()),
            expires_at=self.expires_at,
            description=self.description or "",
        )


class CreditEnvelope(Outgoing):
    """One grant."""

    credit: CreditOut


class CreditList(ListEnvelope):
    """Grants, newest first."""

    credits: list[CreditOut]

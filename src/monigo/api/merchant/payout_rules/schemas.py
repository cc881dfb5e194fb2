"""What payout rules came to that no bill has, on the wire."""

from typing import Annotated, Self

from msgspec import Meta

from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Money, Outgoing
from monigo.core.ids import CustomerId, MetricId, PlanId, PriceId
from monigo.core.money import format_money, round_amount
from monigo.subscriptions import Unmatched, UnmatchedReason


class UnmatchedOut(Outgoing, frozen=True):
    """Events of a rule that pay nobody for one reason, to one recipient."""

    rule_id: PriceId
    plan_id: PlanId
    metric_id: MetricId
    reason: UnmatchedReason
    recipient: Annotated[
        str, Meta(description="what events say, where that is no customer; else empty")
    ]
    customer_id: CustomerId | None
    currency: str
    amount: Annotated[Money, Meta(description="0 where there is none for the event")]
    event_count: int
    first_event_at: Instant
    last_event_at: Instant
    last_event_key: Annotated[str, Meta(description="its idempotency_key")]

    @classmethod
    def of(cls, unmatched: Unmatched) -> Self:
        """The wire form."""
        return cls(
            rule_id=unmatched.rule_id,
            plan_id=unmatched.plan_id,
            metric_id=unmatched.metric_id,
            reason=unmatched.reason,
            recipient=unmatched.recipient,
            customer_id=unmatched.customer_id,
            currency=unmatched.currency,
            amount=format_money(round_amount(unmatched.amount)),
            event_count=unmatched.event_count,
            first_event_at=unmatched.first_event_at,
            last_event_at=unmatched.last_event_at,
            last_event_key=unmatched.last_event_key,
        )


class UnmatchedList(ListEnvelope, frozen=True):
    """Events that pay nobody, by rule, reason and recipient, the latest first."""

    unmatched: list[UnmatchedOut]

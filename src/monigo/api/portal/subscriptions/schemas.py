"""Subscriptions on the portal's wire."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import reduce
from typing import Annotated, Self

from msgspec import Meta

from monigo import subscriptions
from monigo.api.kernel.wire.outgoing import Instant, Money, Outgoing, Quantity
from monigo.api.portal.paging import PortalList
from monigo.catalog import Metric, Plan, PlanType
from monigo.core.ids import MetricId, PlanId, SubscriptionId
from monigo.core.money import EXACT, format_decimal, format_money
from monigo.infra.db import Transaction
from monigo.invoicing import Line, RatedInvoice
from monigo.subscriptions import Status, Subscription


class UsageOut(Outgoing, frozen=True):
    """What one metric came to in the running period so far."""

    metric: str
    quantity: Quantity
    amount: Money


class PortalSubscriptionOut(Outgoing, frozen=True):
    """A subscription, as its customer reads it, with what its running period has come to."""

    id: SubscriptionId
    status: Status
    plan_id: PlanId
    plan_name: str
    plan_type: PlanType
    currency: str
    current_period_start: Instant
    current_period_end: Instant
    trial_ends_at: Instant | None
    cancel_at_period_end: bool
    cancel_at: Instant | None
    usage: list[UsageOut]
    accrued_amount: Annotated[Money, Meta(description="so far, with fees and tax")]

    @classmethod
    def of(
        cls,
        tx: Transaction,
        subscription: Subscription,
        plan: Plan,
        rated: RatedInvoice | None,
        metrics: Mapping[MetricId, Metric],
    ) -> Self:
        """The wire form; without `rated` nothing has come together yet."""
        period = subscriptions.current_period(subscription, tx.now)
        return cls(
            id=subscription.id,
            status=subscription.status,
            plan_id=subscription.plan_id,
            plan_name=plan.details.name,
            plan_type=plan.details.plan_type,
            currency=plan.details.currency,
            current_period_start=period.start,
            current_period_end=period.end,
            trial_ends_at=subscription.trial_ends_at,
            cancel_at_period_end=subscription.cancel_at_period_end,
            cancel_at=subscription.cancel_at,
            usage=[] if rated is None else _usage(rated.lines, metrics),
            accrued_amount=format_money(rated.totals.total if rated else Decimal(0)),
        )


def _usage(lines: Sequence[Line], metrics: Mapping[MetricId, Metric]) -> list[UsageOut]:
    """What each metric's lines come to, in the order of its first line."""
    by_metric: dict[MetricId, list[Line]] = {}
    for line in lines:
        if line.metric_id is not None:
            by_metric.setdefault(line.metric_id, []).append(line)
    return [
        UsageOut(
            metric=metrics[metric_id].definition.name,
            quantity=format_decimal(reduce(EXACT.add, (line.quantity for line in found))),
            amount=format_money(reduce(EXACT.add, (line.amount for line in found))),
        )
        for metric_id, found in by_metric.items()
    ]


class PortalSubscriptionEnvelope(Outgoing, frozen=True):
    """One subscription."""

    subscription: PortalSubscriptionOut


class PortalSubscriptionList(PortalList, frozen=True):
    """Subscriptions that have not ended, newest first."""

    subscriptions: list[PortalSubscriptionOut]

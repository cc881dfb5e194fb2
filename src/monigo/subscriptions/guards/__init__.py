"""Guards: what keeps customers and plans from being deleted or redefined."""

from monigo.subscriptions.guards.service import (
    refuse_customer_with_subscription,
    refuse_plan_ever_subscribed,
    refuse_plan_with_subscriptions,
)
from monigo.subscriptions.guards.store import had_trial

__all__ = [
    "had_trial",
    "refuse_customer_with_subscription",
    "refuse_plan_ever_subscribed",
    "refuse_plan_with_subscriptions",
]

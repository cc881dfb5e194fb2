"""Who is on which plan, since when, in which billing period, and what was used in it."""

from monigo.subscriptions.rules import current_period, is_trial, period_containing
from monigo.subscriptions.service import (
    billable_windows,
    cancel,
    create,
    get,
    hide,
    hold,
    list_page,
    of_customers,
    pause,
    refuse_customer_with_subscription,
    refuse_plan_ever_subscribed,
    refuse_plan_with_subscriptions,
    resume,
)
from monigo.subscriptions.types import (
    NewSubscription,
    Status,
    Subscription,
    SubscriptionFilter,
    UsageFilter,
    UsageRollup,
)
from monigo.subscriptions.usage import read_usage

__all__ = [
    "NewSubscription",
    "Status",
    "Subscription",
    "SubscriptionFilter",
    "UsageFilter",
    "UsageRollup",
    "billable_windows",
    "cancel",
    "create",
    "current_period",
    "get",
    "hide",
    "hold",
    "is_trial",
    "list_page",
    "of_customers",
    "pause",
    "period_containing",
    "read_usage",
    "refuse_customer_with_subscription",
    "refuse_plan_ever_subscribed",
    "refuse_plan_with_subscriptions",
    "resume",
]

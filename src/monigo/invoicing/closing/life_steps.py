"""What time does to a subscription itself, whatever is billed: another plan begins, or it ends."""

from datetime import timedelta

from monigo import catalog, metering, subscriptions
from monigo.catalog import BillingMode
from monigo.infra.db import Transaction
from monigo.invoicing.closing.rules import Action, Step, next_step
from monigo.subscriptions import Subscription


async def catch_up(tx: Transaction, subscription: Subscription) -> Subscription:
    """Do what time alone has done to a locked subscription and no worker has seen to yet.

    That is a plan that it was to change to, and an end. Billing what they cut is the caller's.
    """
    while True:
        step = next_step(subscription, tx.now, grace=timedelta(0))
        if step.action not in {Action.CHANGE_PLAN, Action.END}:
            return subscription
        subscription = await begin_step(tx, step, subscription)


async def begin_step(tx: Transaction, step: Step, subscription: Subscription) -> Subscription:
    """The subscription under its new plan, or canceled, where the step is of that."""
    if step.action is Action.CHANGE_PLAN:
        changed = await subscriptions.apply_plan_change(tx, subscription)
        await watch(tx, changed)
        return changed
    if step.cancel_at is None:
        return subscription
    return await subscriptions.cancel(tx, subscription, step.cancel_at)


async def watch(tx: Transaction, subscription: Subscription) -> None:
    """Have a realtime plan's customer charged as its usage changes."""
    plans = await catalog.get_plans(tx, [subscription.plan_id])
    if plans[subscription.plan_id].details.billing_mode is BillingMode.REALTIME:
        await metering.watch(tx, subscription.customer_id)

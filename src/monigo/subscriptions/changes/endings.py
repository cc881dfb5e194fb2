"""How subscriptions end: now, with their period, or by being deleted."""

from datetime import datetime

from msgspec.structs import replace

from monigo import customers
from monigo.infra.db import Transaction
from monigo.subscriptions import pauses, store, stretches, timeline
from monigo.subscriptions.due import save
from monigo.subscriptions.events import (
    SubscriptionCanceled,
    SubscriptionCancelScheduled,
    SubscriptionCancelWithdrawn,
    SubscriptionDeleted,
    report,
)
from monigo.subscriptions.rules import check_can_cancel, current_period, effective_at
from monigo.subscriptions.timeline import TimelineEvent
from monigo.subscriptions.types import Status, Subscription


async def cancel(tx: Transaction, subscription: Subscription, ends_at: datetime) -> Subscription:
    """End a locked subscription at an instant; billing what it used is the caller's.

    A change of plan that was to come is dropped.

    Raises:
        DomainError: conflict, when it has ended already.
    """
    check_can_cancel(subscription)
    await customers.lock(tx, [subscription.customer_id])
    await pauses.close_pause(tx, subscription.id, ends_at)
    await stretches.release(tx, subscription, ends_at)
    await timeline.append(tx, subscription.id, TimelineEvent.CANCELED, "")
    canceled = replace(
        subscription,
        status=Status.CANCELED,
        pause_reason=None,
        canceled_at=ends_at,
        scheduled_plan_id=None,
        scheduled_at=None,
    )
    await report(tx, SubscriptionCanceled, canceled, canceled_at=ends_at)
    return await save(tx, canceled)


async def schedule_cancel(
    tx: Transaction, subscription: Subscription, *, wanted: bool
) -> Subscription:
    """Have a locked subscription end with the period that runs now, paused by then or not; or not.

    In a trial that is the trial's end, before the start the first period's. Asking again leaves the
    instant as it is.

    Raises:
        DomainError: conflict, when it has ended already.
    """
    check_can_cancel(subscription)
    if subscription.cancel_at_period_end == wanted:
        return subscription
    event = TimelineEvent.CANCEL_SCHEDULED if wanted else TimelineEvent.CANCEL_WITHDRAWN
    await timeline.append(tx, subscription.id, event, "")
    cancel_at = None
    if wanted:
        end = current_period(subscription, effective_at(subscription, tx.now)).end
        cancel_at = min(end, subscription.end_date or end)
    changed = replace(subscription, cancel_at_period_end=wanted, cancel_at=cancel_at)
    if wanted:
        await report(tx, SubscriptionCancelScheduled, changed, cancel_at=cancel_at)
    else:
        await report(tx, SubscriptionCancelWithdrawn, changed)
    return await save(tx, changed)


async def hide(tx: Transaction, subscription: Subscription) -> None:
    """Take a locked, canceled subscription off the lists; its history stays."""
    await store.hide(tx, subscription.id)
    await report(tx, SubscriptionDeleted, subscription)

"""What a change of a subscription's life bills at once."""

from datetime import datetime
from uuid import UUID

from monigo import catalog, metering, subscriptions
from monigo.catalog import BillingMode
from monigo.infra.database import Transaction
from monigo.invoicing.closing import close_now
from monigo.subscriptions import NewSubscription, PauseReason, Status, Subscription


async def subscribe(tx: Transaction, wanted: NewSubscription) -> Subscription:
    """Put a customer on a plan; a fee due in advance, and periods that have ended, are billed.

    Raises:
        DomainError: as `subscriptions.create`.
    """
    subscription = await subscriptions.create(tx, wanted)
    await _watch(tx, subscription)
    return await close_now(tx, subscription)


async def resume_subscription(tx: Transaction, subscription_id: UUID) -> Subscription:
    """Lift a merchant's pause and bill the periods that ended meanwhile.

    A pause for insufficient balance is lifted only by paying what is due.

    Raises:
        DomainError: not_found; conflict, when canceled, or when another one took its place;
            insufficient, while the wallet has too little.
    """
    subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    if subscription.pause_reason is PauseReason.INSUFFICIENT_BALANCE:
        return await close_now(tx, subscription, is_strict=True)
    return await close_now(tx, await subscriptions.resume(tx, subscription))


async def cancel_subscription(tx: Transaction, subscription_id: UUID) -> Subscription:
    """End a subscription now and bill what it used in the period that this cuts short.

    Raises:
        DomainError: not_found; conflict, when it has ended already.
    """
    subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    return await _end(tx, subscription, tx.now)


async def delete_subscription(tx: Transaction, subscription_id: UUID) -> None:
    """Cancel a subscription, unless it has ended, and take it off the lists. Raises not_found."""
    subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    if subscription.status is not Status.CANCELED:
        await _end(tx, subscription, tx.now)
    await subscriptions.hide(tx, subscription.id)


async def change_plan(tx: Transaction, subscription_id: UUID, plan_id: UUID) -> Subscription:
    """Cut the running period, bill it, and go on under another plan.

    Raises:
        DomainError: not_found; conflict, unless active and both plans are of one type and currency;
            invalid, where the new plan's periods don't fit the subscription's anchor.
    """
    subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    changed = await subscriptions.change_plan(tx, subscription, plan_id)
    await _watch(tx, changed)
    return await close_now(tx, changed)


async def _watch(tx: Transaction, subscription: Subscription) -> None:
    """A realtime plan's customer is charged as its usage changes."""
    plans = await catalog.get_plans(tx, [subscription.plan_id])
    if plans[subscription.plan_id].details.billing_mode is BillingMode.REALTIME:
        await metering.watch(tx, subscription.customer_id)


async def _end(tx: Transaction, subscription: Subscription, ends_at: datetime) -> Subscription:
    return await close_now(tx, await subscriptions.cancel(tx, subscription, ends_at))

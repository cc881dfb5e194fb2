"""What a change of a subscription's life bills at once."""

from uuid import UUID

from monigo import catalog, customers, subscriptions
from monigo.infra.db import Transaction
from monigo.invoicing import documents
from monigo.invoicing.closing.life_steps import catch_up, watch
from monigo.invoicing.closing.service import close_now
from monigo.subscriptions import NewSubscription, PauseReason, Status, Subscription


async def subscribe(tx: Transaction, wanted: NewSubscription) -> Subscription:
    """Put a customer on a plan; a fee due in advance, and periods that have ended, are billed.

    Raises:
        DomainError: as `subscriptions.create`.
    """
    subscription = await subscriptions.create(tx, wanted)
    await watch(tx, subscription)
    return _changed(tx, None, await close_now(tx, subscription))


async def resume_subscription(tx: Transaction, subscription_id: UUID) -> Subscription:
    """Lift a merchant's pause and bill the periods that ended meanwhile.

    A pause for insufficient balance is lifted only by paying what is due.

    Raises:
        DomainError: not_found; conflict, when canceled, or when another one took its place or its
            time; insufficient, while the wallet has too little.
    """
    subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    if subscription.pause_reason is PauseReason.INSUFFICIENT_BALANCE:
        resumed = await close_now(tx, subscription, is_strict=True)
        if resumed.pause_reason is PauseReason.INSUFFICIENT_BALANCE:
            raise documents.insufficient()
    else:
        resumed = await close_now(tx, await subscriptions.resume(tx, subscription))
    return _changed(tx, subscription, resumed)


async def resume_suspended(tx: Transaction, subscription: Subscription) -> Subscription:
    """Let a locked, suspended subscription go on, and bill the periods that ended meanwhile.

    Raises:
        DomainError: conflict, when another one took its place or its time.
    """
    return await close_now(tx, await subscriptions.lift_pause(tx, subscription))


async def cancel_subscription(tx: Transaction, subscription_id: UUID) -> Subscription:
    """End a subscription now and bill what it used in the period that this cuts short.

    Raises:
        DomainError: not_found; conflict, when it has ended already.
    """
    subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    return _changed(tx, subscription, await _end(tx, subscription))


async def delete_subscription(tx: Transaction, subscription_id: UUID) -> None:
    """Cancel a subscription, unless it has ended, and take it off the lists. Raises not_found."""
    subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    ended = subscription
    if subscription.status is not Status.CANCELED:
        ended = await _end(tx, subscription)
    await subscriptions.hide(tx, ended)
    tx.changed(subscription, None)


async def change_plan(tx: Transaction, subscription_id: UUID, plan_id: UUID) -> Subscription:
    """Cut the running period, bill it, and go on under another plan.

    Raises:
        DomainError: not_found; conflict, unless active and both plans are of one type and currency;
            invalid, where the new plan's periods don't fit the subscription's anchor.
    """
    subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    present = await catch_up(tx, subscription)
    changed = await subscriptions.change_plan(tx, present, plan_id)
    await _refund_charges(tx, changed)
    await watch(tx, changed)
    return _changed(tx, subscription, await close_now(tx, changed))


async def schedule_plan_change(
    tx: Transaction, subscription_id: UUID, plan_id: UUID | None
) -> Subscription:
    """Have a subscription go on under another plan as its running period ends; None: not any more.

    Raises:
        DomainError: not_found; as `subscriptions.schedule_plan_change`.
    """
    subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    present = await catch_up(tx, subscription)
    scheduled = await subscriptions.schedule_plan_change(tx, present, plan_id)
    return _changed(tx, subscription, scheduled)


async def schedule_cancel(tx: Transaction, subscription_id: UUID, *, wanted: bool) -> Subscription:
    """Have a subscription end with its running period, or not.

    Raises:
        DomainError: not_found; conflict, when it has ended already.
    """
    subscription = await subscriptions.get(tx, subscription_id, for_update=True)
    present = await catch_up(tx, subscription)
    scheduled = await subscriptions.schedule_cancel(tx, present, wanted=wanted)
    return _changed(tx, subscription, scheduled)


def _changed(tx: Transaction, before: Subscription | None, after: Subscription) -> Subscription:
    """A subscription after what was done to it, which is noted."""
    tx.changed(before, after)
    return after


async def _end(tx: Transaction, subscription: Subscription) -> Subscription:
    """End a locked subscription, now or at its scheduled end, and bill what it used.

    One that waited while a period was closed ends where that one does.
    """
    known = await catch_up(tx, subscription)
    if known.status is not Status.CANCELED or subscription.status is Status.CANCELED:
        ends_at = subscriptions.effective_at(known, tx.now)
        known = await subscriptions.cancel(tx, known, ends_at)
        await _refund_charges(tx, known)
    return await close_now(tx, known)


async def _refund_charges(tx: Transaction, changed: Subscription) -> None:
    """Refund what was charged for the open period, where the change leaves the period no length.

    The period was opened and charged at the very instant at which the subscription ends, or
    continues under another plan, which charges for itself.
    """
    begins_at, cut_at = changed.closed_until, changed.canceled_at or changed.phase.started_at
    if begins_at >= cut_at:
        await customers.lock(tx, [changed.customer_id])
        plans = await catalog.get_plans(tx, [changed.plan_id])
        currency = plans[changed.plan_id].details.currency
        await documents.refund_charges(tx, changed, begins_at, currency)

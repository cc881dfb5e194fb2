"""Pauses: events are kept, and what is used meanwhile is not billed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from monigo import customers
from monigo.core.ids import SubscriptionId
from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.subscriptions import stretches, timeline
from monigo.subscriptions.due import save
from monigo.subscriptions.events import (
    SubscriptionPaused,
    SubscriptionResumed,
    SubscriptionSuspended,
    report,
)
from monigo.subscriptions.pauses import store
from monigo.subscriptions.rules import check_can_resume, check_is_active, effective_at
from monigo.subscriptions.service import get
from monigo.subscriptions.timeline import TimelineEvent
from monigo.subscriptions.types import PauseReason, Status, Subscription

# The shortest time there is.
INSTANT = timedelta(microseconds=1)


async def pause(tx: Transaction, subscription_id: UUID) -> Subscription:
    """Stop billing until resumed: events are kept, what is used meanwhile is not billed.

    Raises:
        DomainError: not_found; conflict, unless active.
    """
    subscription = await get(tx, subscription_id, for_update=True)
    check_is_active(subscription)
    since = effective_at(subscription, tx.now)
    paused = await _open_pause(tx, subscription, PauseReason.MERCHANT, since)
    await report(tx, SubscriptionPaused, paused, reason=PauseReason.MERCHANT)
    tx.changed(subscription, paused)
    return paused


async def resume(tx: Transaction, subscription: Subscription) -> Subscription:
    """Lift the merchant's pause of a locked subscription; an active one stays as it is.

    What was used before the pause is the caller's to bill.

    Raises:
        DomainError: conflict, when canceled, or when another one took its place or its time.
    """
    if subscription.status is Status.ACTIVE:
        return subscription
    check_can_resume(subscription)
    return await lift_pause(tx, subscription)


async def pause_for_balance(
    tx: Transaction, subscription: Subscription, *, is_realtime: bool
) -> Subscription:
    """Pause a locked subscription from now on because its customer's wallet has too little.

    One that is paused for that already stays so. A credit that suffices lifts it.
    """
    reason = PauseReason.INSUFFICIENT_BALANCE
    if subscription.pause_reason is reason:
        return subscription
    # What was used up to this very instant is what the wallet could not pay: it stays due.
    paused = await _open_pause(tx, subscription, reason, tx.now + INSTANT)
    await report(tx, SubscriptionPaused, paused, reason=reason, is_realtime=is_realtime)
    return paused


async def suspend(tx: Transaction, subscription: Subscription) -> Subscription:
    """Suspend a locked subscription from now on, because what it owes could not be collected.

    One that is not active stays as it is.
    """
    if subscription.status is not Status.ACTIVE:
        return subscription
    since = effective_at(subscription, tx.now)
    suspended = await _open_pause(tx, subscription, PauseReason.DUNNING, since)
    await report(tx, SubscriptionSuspended, suspended)
    return suspended


async def lift_pause(tx: Transaction, subscription: Subscription) -> Subscription:
    """Let a locked, paused subscription go on, whatever it was paused for.

    Raises:
        DomainError: conflict, when another one of the plan type took its place or its time.
    """
    await customers.lock(tx, [subscription.customer_id])
    ended_at = await store.close_pause(tx, subscription.id, tx.now)
    await timeline.append(tx, subscription.id, TimelineEvent.RESUMED, "")
    resumed = await save(tx, replace(subscription, status=Status.ACTIVE, pause_reason=None))
    # A pause that began an instant after a test clock's now ends then, too.
    await stretches.claim(tx, resumed, ended_at or tx.now, field="status")
    await report(tx, SubscriptionResumed, resumed)
    return resumed


async def load_pauses(
    tx: Transaction, subscription_ids: Sequence[SubscriptionId]
) -> dict[SubscriptionId, list[Period]]:
    """The pauses of each subscription in order; an open one lasts for ever."""
    return await store.load_pauses(tx, subscription_ids)


async def _open_pause(
    tx: Transaction, subscription: Subscription, reason: PauseReason, started_at: datetime
) -> Subscription:
    await customers.lock(tx, [subscription.customer_id])
    await store.open_pause(tx, subscription.id, reason, started_at)
    await stretches.release(tx, subscription, started_at)
    await timeline.append(tx, subscription.id, TimelineEvent.PAUSED, reason.value)
    status = Status.SUSPENDED if reason is PauseReason.DUNNING else Status.PAUSED
    return await save(tx, replace(subscription, status=status, pause_reason=reason))

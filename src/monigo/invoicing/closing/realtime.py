"""Realtime billing: every few seconds, wallets pay what running periods have come to."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from monigo import catalog, customers, subscriptions
from monigo.catalog import BillingMode
from monigo.core.ids import CustomerId, SubscriptionId
from monigo.infra.agenda import Entry
from monigo.infra.db import Transaction
from monigo.invoicing import documents
from monigo.invoicing.rating import rate
from monigo.invoicing.types import InvoiceRequest
from monigo.subscriptions import Subscription

# When a subscription that could not be charged is looked at as an unclosed period is.
LOOK_AFTER = timedelta(minutes=1)


async def charge_changed(tx: Transaction, entries: Sequence[Entry]) -> set[UUID]:
    """Charge the subscriptions of customers whose usage changed; locked customers stay due."""
    customer_ids = [CustomerId(entry.subject) for entry in entries]
    locked, busy = await _lock_realtime(tx, customer_ids)
    await customers.lock(tx, {one.customer_id for one in locked})
    short = await charge(tx, locked)
    for one in locked:
        if one.id in short:
            await subscriptions.pause_for_balance(tx, one, is_realtime=True)
    return set(busy)


async def flag_uncharged(tx: Transaction, subject: UUID, reason: str) -> None:
    """Record on a customer's realtime subscriptions why they could not be charged.

    They are tried again as unclosed periods are; the next success charges what came since.
    """
    locked, _ = await _lock_realtime(tx, [CustomerId(subject)])
    for one in locked:
        await subscriptions.flag_unbilled(tx, one.id, reason)
    await subscriptions.look_at(tx, dict.fromkeys((one.id for one in locked), tx.now + LOOK_AFTER))


async def _lock_realtime(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> tuple[list[Subscription], set[CustomerId]]:
    """Lock these customers' realtime subscriptions, but those set aside; and the busy customers."""
    locked, busy = await subscriptions.lock_free(tx, customer_ids)
    plans = await catalog.get_plans(tx, {one.plan_id for one in locked})
    return [
        one
        for one in locked
        if plans[one.plan_id].details.billing_mode is BillingMode.REALTIME and not one.billing_error
    ], busy


async def charge(tx: Transaction, known: Sequence[Subscription]) -> set[SubscriptionId]:
    """Charge the running periods of locked subscriptions; returns those left short of money."""
    wanted = [
        InvoiceRequest.charge_of(one, period)
        for one in known
        if (period := subscriptions.first_open_period(one)) is not None
        and period.contains(tx.now)
        and not subscriptions.is_trial(one, period)
    ]
    if not wanted:
        return set()
    rated = await rate(tx, wanted)
    short = await documents.charge(tx, rated)
    return {item.subscription.id for item in wanted if item.id in short}
